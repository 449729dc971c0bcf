// SPDX-License-Identifier: Apache-2.0
// `airgraft sign`: signs a plug-in file, or adds a signer to it.
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/signing.h"

static int explain(enum ag_status status, const char *path)
{
    if (status == AG_ERR_ARGUMENT)
        return ag_output_fail("there is nothing to do", "%s is signed with this key already", path);
    if (status == AG_ERR_NO_SPACE)
        return ag_output_fail("build it anew and sign it with fewer keys",
                              "%s has %d signers, as many as there can be", path,
                              AG_CFG_SIGNER_MAX);
    if (status == AG_ERR_FILE_HASH)
        return ag_output_fail("build it anew; its signers must sign it again",
                              "%s was changed after it was signed (%s, %d)", path,
                              ag_status_name(status), status);
    return ag_output_fail_status(status, "%s", path);
}

static int sign(const char *path, const char *key_path, const char *output)
{
    struct ag_keyfile key;
    struct ag_signing_file file;
    struct ag_buffer signed_file = { 0 };
    uint8_t *bytes;
    size_t size;
    int code = AG_EXIT_FAILED;
    if (!ag_input_read(path, AG_INPUT_PLUGIN_MAX, &bytes, &size))
        return code;
    if (!ag_keyfile_open_private(key_path, &key))
        goto no_key;
    enum ag_status status = ag_signing_open(bytes, size, &file);
    if (status == AG_OK)
        status = ag_signing_add(&file, &key, &signed_file);
    if (status != AG_OK) {
        code = explain(status, path);
    } else if (ag_input_write(output, 0644, AG_INPUT_REPLACE, signed_file.bytes,
                              signed_file.size)) {
        printf("%s: %s version %u, signed with key %02x%02x%02x%02x, %zu bytes\n", output,
               file.metadata.name, file.metadata.version, key.id[0], key.id[1], key.id[2],
               key.id[3], signed_file.size);
        code = AG_EXIT_OK;
    }
    ag_buffer_clear(&signed_file);
    ag_keyfile_close(&key);
no_key:
    free(bytes);
    return code;
}

int cmd_sign(int argc, char **argv)
{
    const char *key_path = NULL;
    const char *output = NULL;
    const struct ag_option rows[] = {
        { "key", 'k', AG_OPTION_TEXT, &key_path, "FILE", "the private key (airgraft keygen)", 0,
          0 },
        { "output", 'o', AG_OPTION_TEXT, &output, "FILE",
          "write here instead of replacing the file", 0, 0 },
    };
    const struct ag_usage usage = {
        .name = "sign",
        .synopsis = "[OPTION...] FILE",
        .summary =
            "Signs the plug-in FILE, which airgraft build made. A file that is signed already\n"
            "gets one signer more, if it was not changed since.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .examples = "airgraft sign blinky-10.wasm --key release.key",
        .operand_min = 1,
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    if (!key_path)
        return ag_output_misuse("airgraft keygen NAME makes one", "--key is missing");
    return sign(operands[0], key_path, output ? output : operands[0]);
}
