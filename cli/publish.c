// SPDX-License-Identifier: Apache-2.0
// Publishing: check the file, find the blob, upload.
#include "cli/publish.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/plugin_check.h"

bool ag_publish_check(const char *label, const char *trust, struct ag_publish_file *file)
{
    uint8_t *trust_bytes = NULL;
    struct ag_trust store;
    if (trust && !ag_plugin_check_open_trust(trust, &trust_bytes, &store))
        return false;
    const enum ag_status status =
        ag_plugin_check_file(file->bytes, file->size, trust ? &store : NULL, &file->check);
    free(trust_bytes);
    if (status == AG_OK)
        return true;
    ag_output_fail_status(status, "%s is not a plug-in that can be published", label);
    return false;
}

bool ag_publish_read(const char *path, const char *trust, struct ag_publish_file *file)
{
    if (!ag_input_read(path, AG_INPUT_PLUGIN_MAX, &file->bytes, &file->size))
        return false;
    if (ag_publish_check(path, trust, file))
        return true;
    free(file->bytes);
    file->bytes = NULL;
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

enum ag_blob_outcome ag_publish_upload(const struct ag_publish *publish, const char *path,
                                       const struct ag_publish_file *file, char **url)
{
    struct ag_storage storage;
    struct ag_blob blob;
    char ca_file[PATH_MAX];
    struct ag_blob_place place = {
        .to = publish->to,
        .container = publish->container ? publish->container : "plugins",
        .read_sas = publish->read_sas,
        .name = publish->name ? publish->name : base_name(path),
        .read_lifetime_s = (int64_t)publish->days * 86400,
    };
    if (publish->to && publish->container) {
        ag_output_misuse(NULL, "give either --to or --container");
        return AG_BLOB_FAILED;
    }
    if (publish->to) {
        if (!ag_connection_find_ca(&publish->source, ca_file))
            return AG_BLOB_FAILED;
    } else {
        if (!ag_connection_open_storage(&publish->source, &storage))
            return AG_BLOB_FAILED;
        place.storage = &storage;
        memcpy(ca_file, storage.ca_file, sizeof ca_file);
    }
    if (!ag_blob_resolve(&place, &blob))
        return AG_BLOB_FAILED;
    enum ag_blob_outcome outcome =
        ag_blob_upload(&blob, ca_file, file->bytes, file->size, publish->force);
    if (outcome != AG_BLOB_FAILED) {
        *url = ag_blob_read_url(&blob);
        if (!*url)
            outcome = AG_BLOB_FAILED;
    }
    ag_blob_clear(&blob);
    return outcome;
}
