// SPDX-License-Identifier: Apache-2.0
// The server for files as one device sees it: HTTP/1.1 with ranges, and everything that such a
// server does wrong.
#ifndef AG_PORT_SIM_SIM_BLOB_H
#define AG_PORT_SIM_SIM_BLOB_H

#include "port/sim/sim_link.h"

// Fault rates, of a thousand requests.
struct sim_blob_rates {
    uint16_t status;
    uint16_t etag;
    uint16_t whole;
    uint16_t short_;
    uint16_t corrupt;
};

struct sim_blob {
    struct sim_world *world; // borrowed
    struct sim_link *link;   // borrowed
    const char *name;        // of the device, for the trace
    const struct sim_blob_rates *rates;
    // Finds the file of a path without its query; false: 404. Bytes are borrowed for the call.
    bool (*find)(void *context, const char *path, const uint8_t **bytes, size_t *size);
    void *context;
    uint32_t changes;     // of the ETag
    uint64_t corruptions; // bodies that were not the file
    uint64_t requests;
    char offence[160]; // of the device; empty: none
};

void sim_blob_init(struct sim_blob *blob, struct sim_world *world, struct sim_link *link,
                   const char *name, const struct sim_blob_rates *rates);

#endif
