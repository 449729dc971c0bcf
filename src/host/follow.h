// SPDX-License-Identifier: Apache-2.0
// Follows the twin: asks for the whole document, takes patches, and keeps the table of what is
// desired. I/O-free: the owner brings messages and sends what ag_follow_wants_document asks for.
//
// Two tables take turns: one is in force, the other is filled from the message in hand and comes
// into force only when that message turned out complete and sound.
#ifndef AG_HOST_FOLLOW_H
#define AG_HOST_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "azure/hub.h"
#include "azure/twin.h"
#include "base/json.h"
#include "base/status.h"
#include "host/desired.h"

enum ag_follow_message {
    AG_FOLLOW_NOTHING,  // no message, or one that is passed over
    AG_FOLLOW_DOCUMENT, // the whole twin
    AG_FOLLOW_PATCH,    // of the desired properties
};

// Called for each name in the document's reported firmware_modules. NULL: not wanted.
typedef void (*ag_follow_reported)(void *context, const char *name);

struct ag_follow {
    uint32_t in_force; // which of them
    bool is_known;     // a firmware_modules from the twin is in force
    uint32_t host_in_force;
    bool host_is_new; // of the last message: it says something else of the host than the one before
    bool wants_document;  // a whole read is due
    uint32_t rid;         // of the read under way; 0: none
    uint64_t version;     // of the desired section in force, or last seen to change nothing
    enum ag_status error; // of the last message: AG_OK, AG_ERR_TWIN_JSON, _TYPE or _HOST
    enum ag_follow_message message; // that is being received
    uint64_t message_version;       // of a patch
    uint64_t passed_over;           // newest patch that came while a document was awaited; 0: none
    struct ag_json reported;        // reads the same document for the names that are reported
    uint8_t reported_level;         // how much of reported.firmware_modules has matched
    bool reported_is_over;          // or broken: no more names
    char reported_token[AG_TWIN_KEY_MAX + 1];
    ag_follow_reported on_reported;
    void *context;
    struct ag_desired_host hosts[2]; // what is desired of the host: as the tables
    struct ag_twin twin;
    struct ag_desired tables[2];
};

// `pool` is the caller's; half of it serves each table.
void ag_follow_init(struct ag_follow *follow, char *pool, size_t capacity,
                    ag_follow_reported on_reported, void *context);

// The table in force.
struct ag_desired *ag_follow_table(struct ag_follow *follow);
// The one that was in force before the last change; until the next message begins.
struct ag_desired *ag_follow_table_before(struct ag_follow *follow);

// What is desired of the host itself; all absent until the twin was read. After ag_follow_end,
// follow->host_is_new says whether that is something else than before.
const struct ag_desired_host *ag_follow_host(const struct ag_follow *follow);
// What was before; when host_is_new, until the next message begins.
const struct ag_desired_host *ag_follow_host_before(const struct ag_follow *follow);

// A connection came up: patches may have been missed, so the whole twin is read.
void ag_follow_reconnected(struct ag_follow *follow);

// A message begins: a document (the answer to the read under way) or a patch of this version.
void ag_follow_begin_document(struct ag_follow *follow);
void ag_follow_begin_patch(struct ag_follow *follow, bool has_version, int64_t version);
// A piece of it.
void ag_follow_feed(struct ag_follow *follow, const void *bytes, size_t size);
// It is complete. True when another table is in force now.
bool ag_follow_end(struct ag_follow *follow);

#endif
