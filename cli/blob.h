// SPDX-License-Identifier: Apache-2.0
// Files in Azure Blob Storage, or in the local hub's: signatures, upload, reading back.
#ifndef AG_CLI_BLOB_H
#define AG_CLI_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/writer.h"
#include "cli/connection.h"

#define AG_BLOB_API_VERSION "2021-12-02"

// A blob and how it may be written and read. Heap texts, released by ag_blob_clear.
struct ag_blob {
    char *url;         // https://…/CONTAINER/NAME, escaped, without query
    char *write_query; // a SAS for writing
    char *read_query;  // a SAS for reading; "": everybody may read
};

// Writes the query `sv=…&spr=https&se=…&sr=b&sp=…&sig=…` of a service SAS for one blob, good until
// `expiry` (seconds since 1970 UTC). `permissions` in Azure's order, e.g. "r", "cw". Needs the
// account's key. AG_ERR_MALFORMED: it is not base64, or over 64 bytes. AG_ERR_NO_SPACE.
AG_MUST_CHECK enum ag_status ag_blob_write_sas(struct ag_writer *out,
                                               const struct ag_storage *storage,
                                               const char *container, const char *name,
                                               const char *permissions, int64_t expiry);

// Where a file goes.
struct ag_blob_place {
    const char *to;        // CONTAINER_URL?SAS, or BLOB_URL?SAS when the SAS is one for a blob; or
    const char *container; // a container of `storage`
    const struct ag_storage *storage; // NULL with `to`
    const char *read_sas;             // query for reading, with or without '?'; NULL: see below
    const char *name;                 // of the blob in the container
    int64_t read_lifetime_s;          // of the SAS for reading that is made
};

// Works out the blob. For reading it uses read_sas, or makes a SAS with the account's key, or, for
// want of both, assumes that the container is public. False with the error printed.
bool ag_blob_resolve(const struct ag_blob_place *place, struct ag_blob *blob);
void ag_blob_clear(struct ag_blob *blob);

// URL and query for reading; the caller frees it. NULL when memory is exhausted.
char *ag_blob_read_url(const struct ag_blob *blob);

enum ag_blob_outcome {
    AG_BLOB_FAILED = 0, // the error is printed
    AG_BLOB_WRITTEN,    // it is there now
    AG_BLOB_UNCHANGED,  // the very same bytes were there already
};

// Uploads the bytes and reads them back as a device would, so that what is announced can be
// fetched. A blob of this name with other content is an error unless `force`.
enum ag_blob_outcome ag_blob_upload(const struct ag_blob *blob, const char *ca_file,
                                    const void *bytes, size_t size, bool force);

// Fetches a whole file by its URL (with its SAS); the caller frees *bytes. False with the error
// printed.
bool ag_blob_fetch(const char *url, const char *ca_file, size_t limit, uint8_t **bytes,
                   size_t *size);

#endif
