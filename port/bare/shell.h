// SPDX-License-Identifier: Apache-2.0
// The shell on the console: status, plugins, log, net, flash, reboot, help. Bytes are taken in from
// the main loop; a line is a command; the log goes on around it.
#ifndef AG_BARE_SHELL_H
#define AG_BARE_SHELL_H

struct ag_host;

// `host` is borrowed; NULL: there is none, and the shell says why (`reason`, static text).
void ag_shell_start(struct ag_host *host, const char *reason);
// Takes in what was typed and answers.
void ag_shell_poll(void);

#endif
