// SPDX-License-Identifier: Apache-2.0
// `airgraft publish`: puts a signed plug-in where devices can fetch it, and prints its URL.
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/publish.h"

static int print_json(const struct ag_publish_file *file, enum ag_blob_outcome outcome,
                      const char *url)
{
    const struct ag_plugin_metadata *metadata = &file->check.metadata;
    return ag_output_json(json_pack("{s:s, s:I, s:s, s:I, s:s, s:b}", "name", metadata->name,
                                    "version", (json_int_t)metadata->version, "sha256",
                                    file->check.sha256, "size", (json_int_t)file->size, "url", url,
                                    "unchanged", outcome == AG_BLOB_UNCHANGED));
}

static int publish_file(const struct ag_publish *publish, const char *path, bool json)
{
    struct ag_publish_file file = { 0 };
    char *url = NULL;
    int code = AG_EXIT_FAILED;
    if (!ag_publish_read(path, publish->trust, &file))
        return code;
    const enum ag_blob_outcome outcome = ag_publish_upload(publish, path, &file, &url);
    if (outcome != AG_BLOB_FAILED && json) {
        code = print_json(&file, outcome, url);
    } else if (outcome != AG_BLOB_FAILED) {
        fprintf(stderr, "%s %s version %u, %zu bytes, sha256 %s\n",
                outcome == AG_BLOB_UNCHANGED ? "already there:" : "published",
                file.check.metadata.name, (unsigned)file.check.metadata.version, file.size,
                file.check.sha256);
        printf("%s\n", url);
        code = AG_EXIT_OK;
    }
    free(url);
    free(file.bytes);
    return code;
}

int cmd_publish(int argc, char **argv)
{
    struct ag_publish publish = { .days = AG_PUBLISH_DAYS_DEFAULT };
    bool json = false;
    const struct ag_option options[] = {
        AG_PUBLISH_OPTIONS(&publish),
        { .name = "name",
          .kind = AG_OPTION_TEXT,
          .value = &publish.name,
          .argument = "BLOB",
          .help = "name of the blob (default: the file's name)" },
        AG_CONNECTION_OPTIONS(&publish.source),
        { .name = "json",
          .kind = AG_OPTION_FLAG,
          .value = &json,
          .help = "print name, version, sha256, size and url as JSON" },
    };
    const struct ag_usage usage = {
        .name = "publish",
        .synopsis = "FILE --to CONTAINER_URL?SAS [--read-sas QUERY]\nFILE [--container NAME]",
        .summary =
            "Uploads a signed plug-in to Azure Blob Storage or to a local hub, reads it back as\n"
            "a device would, and prints the URL for devices. That URL opens the file to whoever\n"
            "has it: keep it as you keep keys. A file that is not signed, or was damaged after\n"
            "signing, is refused. Publishing the same file twice does no harm.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .environment = AG_STORAGE_ENVIRONMENT "\n" AG_CONNECTION_ENVIRONMENT,
        .examples = "airgraft publish blinky-11.wasm --hub ./hub\n"
                    "airgraft publish blinky-11.wasm --container plugins --days 3650\n"
                    "airgraft publish blinky-11.wasm --to \"$CONTAINER_URL?$WRITE_SAS\" "
                    "--read-sas \"$READ_SAS\"",
        .operand_min = 1,
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    return publish_file(&publish, operands[0], json);
}
