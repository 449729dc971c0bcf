// SPDX-License-Identifier: Apache-2.0
// `airgraft trust deploy`: rolls a trust store object out to a device.
#ifndef AG_CLI_TRUST_DEPLOY_H
#define AG_CLI_TRUST_DEPLOY_H

// argv[0] is the action's name. Returns an exit code.
int ag_trust_deploy_run(int argc, char **argv);

#endif
