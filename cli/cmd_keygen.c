// SPDX-License-Identifier: Apache-2.0
// `airgraft keygen`: a new pair of signing keys.
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/keyfile.h"

static int create(const char *name)
{
    struct ag_keyfile key;
    char *private_path = NULL;
    char *public_path = NULL;
    int code = AG_EXIT_FAILED;
    if (asprintf(&private_path, "%s.key", name) < 0 || asprintf(&public_path, "%s.pub", name) < 0)
        exit(ag_output_fail("close other programs", "out of memory"));
    if (ag_keyfile_create(private_path, public_path, &key)) {
        printf("key id %02x%02x%02x%02x\n", key.id[0], key.id[1], key.id[2], key.id[3]);
        printf("  %s  private: keep it secret, and a copy of it safe\n", private_path);
        printf("  %s  public: goes into trust stores\n", public_path);
        ag_keyfile_close(&key);
        code = AG_EXIT_OK;
    }
    free(private_path);
    free(public_path);
    return code;
}

int cmd_keygen(int argc, char **argv)
{
    static const struct ag_usage usage = {
        .name = "keygen",
        .synopsis = "NAME",
        .summary =
            "Makes a pair of Ed25519 keys: NAME.key (private, mode 0600) and NAME.pub, in PEM.\n"
            "Files that exist are never replaced.",
        .examples = "airgraft keygen release",
        .operand_min = 1,
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    return parsed != AG_OPTIONS_GO ? parsed : create(operands[0]);
}
