// SPDX-License-Identifier: Apache-2.0
// Blobs: their rows in the database and their files.
#ifndef AG_HUB_BLOB_STORE_H
#define AG_HUB_BLOB_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>

#include "hub.h"

#define AG_BLOB_CONTAINER_MAX 63
#define AG_BLOB_NAME_MAX      1024

struct ag_blob {
    char file[33]; // name of the file in the folder `blobs`
    int64_t size;  // bytes
    char md5[32];  // base64
    char content_type[129];
    char etag[24]; // without quotes
    int64_t modified_ms;
};

// Makes the folder for the files and removes those that no blob has: call it once, at the start.
AG_MUST_CHECK enum ag_status ag_blob_store_prepare(struct ag_hub *hub);

AG_MUST_CHECK enum ag_status ag_blob_store_get(struct ag_hub *hub, const char *container,
                                               const char *name, struct ag_blob *blob);
// Writes the bytes durably to a new file and the row; the older file goes after the commit. Size,
// file, etag and time are set in `blob`; md5 and type must be. AG_ERR_IO leaves the old blob.
AG_MUST_CHECK enum ag_status ag_blob_store_put(struct ag_hub *hub, const char *container,
                                               const char *name, struct evbuffer *bytes,
                                               struct ag_blob *blob);
enum ag_status ag_blob_store_remove(struct ag_hub *hub, const char *container, const char *name);
// A descriptor of the file, or -1.
int ag_blob_store_open(const struct ag_hub *hub, const struct ag_blob *blob);

// AG_ERR_NOT_FOUND when it is there already.
enum ag_status ag_blob_store_add_container(struct ag_hub *hub, const char *container);

#endif
