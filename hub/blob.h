// SPDX-License-Identifier: Apache-2.0
// The blob endpoint `/airgraft/CONTAINER/BLOB`: what Azure Blob Storage answers to Put Blob, Get
// Blob, Get Blob Properties, Delete Blob and Create Container.
//
// A blob's bytes are a file of a random name in the data folder that never changes; the database
// says which file is which blob. A file that no row names is removed at the next start.
#ifndef AG_HUB_BLOB_H
#define AG_HUB_BLOB_H

#include <stdbool.h>

#include "http.h"

// True for the paths of this endpoint.
bool ag_blob_takes(const char *path);
void ag_blob_handle(struct ag_http_exchange *exchange);

#endif
