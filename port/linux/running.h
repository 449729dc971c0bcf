// SPDX-License-Identifier: Apache-2.0
// The word of ag_board_note_running, in a small file that is mapped: it survives the end of the
// process however that comes, and a restart of the machine in good order; a cut of the power may
// lose it. Writing it is a store to memory, the kernel takes it to the medium when it likes.
#ifndef AG_LINUX_RUNNING_H
#define AG_LINUX_RUNNING_H

#include <stdbool.h>
#include <stdint.h>

// Maps the file `path`, made where it is absent; `is_new`: the store is, the word means nothing.
// Without it (logged with the reason) the word lives as long as the process.
void ag_running_open(const char *path, bool is_new);
void ag_running_close(void);

#endif
