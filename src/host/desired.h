// SPDX-License-Identifier: Apache-2.0
// The table of what the twin desires: fixed entries, with URLs and settings in the caller's pool.
//
// A table is filled from one firmware_modules and then only read. Malformed entries are kept with
// their status, so that they can be reported; those that cannot be kept by name are counted, and
// the first of them kept by its place in the list.
#ifndef AG_HOST_DESIRED_H
#define AG_HOST_DESIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "azure/twin.h"
#include "base/config.h"
#include "base/status.h"
#include "base/text.h"
#include "host/window.h"
#include "platform/crypto.h"

// No entry.
#define AG_DESIRED_NONE UINT32_MAX

struct ag_desired_entry {
    char name[AG_CFG_NAME_MAX + 1];
    enum ag_status status; // AG_OK, or why it is refused; only the name counts then
    uint32_t version;
    bool has_sha256;
    bool allow_downgrade;
    bool is_enabled;
    uint8_t sha256[AG_SHA256_SIZE];
    struct ag_twin_trial trial;
    uint32_t period_ms;      // 0: as the file says
    uint64_t fuel_per_run;   // 0: as the file says
    struct ag_window window; // when a new version may be activated; is_set false: at any time
    struct ag_text url;      // in the pool; empty: keep what is installed
    struct ag_text settings; // in the pool; JSON; empty: none
    uint32_t kept_for;       // slot whose version keeps other settings than these; 0: none
    struct ag_text kept;     // in the pool; those
};

// What is desired of the host itself. What is absent or wrong in the twin is not set.
struct ag_desired_host {
    enum ag_status status; // AG_OK, or AG_ERR_TWIN_HOST: something in it was passed over
    bool has_trust;
    bool has_trust_sha256;
    bool has_log_level;
    bool has_one_connection;
    bool one_connection;
    uint8_t log_level; // as enum ag_log_level
    uint32_t trust_epoch;
    uint8_t trust_sha256[AG_SHA256_SIZE];
    char trust_url[AG_CFG_URL_MAX + 1]; // "" without trust
};

struct ag_desired {
    struct ag_desired_entry entries[AG_CFG_PLUGIN_MAX];
    uint32_t count;
    uint32_t stray_count;        // entries that are in no place of the table
    uint32_t stray_index;        // of the first: its place in the list,
    enum ag_status stray_status; // and what is wrong with it
    bool is_complete; // every name in the list is known; else nothing may count as gone from it
    char *pool;       // the caller's
    size_t pool_capacity;
    size_t pool_size;
};

// `pool` is the caller's and outlives the table.
void ag_desired_init(struct ag_desired *desired, char *pool, size_t capacity);

// Empties the table.
void ag_desired_clear(struct ag_desired *desired);

// Copies an entry in. What does not fit, stands there twice, or has no name becomes a stray.
// An entry that the object form removes (null) is left out.
void ag_desired_add(struct ag_desired *desired, const struct ag_twin_entry *entry);

// The index of the entry of that name, or AG_DESIRED_NONE.
uint32_t ag_desired_find(const struct ag_desired *desired, const char *name);

// Takes the options of `from` (NULL: none) into an entry of the same name that is refused, so that
// what is installed goes on as it did. Without its settings where the pool has no room for them.
void ag_desired_carry(struct ag_desired *desired, struct ag_desired_entry *to,
                      const struct ag_desired_entry *from);

// The settings of the version of a slot.
struct ag_text ag_desired_settings(const struct ag_desired_entry *entry, uint32_t slot_id);

// Lets the version of a slot keep the settings that it had by the entry `from` (NULL: none). It has
// none where the pool has no room for them.
void ag_desired_keep_settings(struct ag_desired *desired, struct ag_desired_entry *to,
                              const struct ag_desired_entry *from, uint32_t slot_id);

// Copies what the twin reader told; NULL: nothing is desired.
void ag_desired_set_host(struct ag_desired_host *host, const struct ag_twin_host *from);

// Whether both ask for the same trust store object by the same way, or for none.
bool ag_desired_same_trust(const struct ag_desired_host *a, const struct ag_desired_host *b);

// Whether both ask for the same file by the same way, so that what became of one holds for the
// other.
bool ag_desired_same_file(const struct ag_desired_entry *a, const struct ag_desired_entry *b);

// Whether both also run it in the same way: nothing in them differs but when it may be activated.
bool ag_desired_is_same(const struct ag_desired_entry *a, const struct ag_desired_entry *b);

// Whether both ask for the same version, and state the same hash if any, be it by another way.
bool ag_desired_same_version(const struct ag_desired_entry *a, const struct ag_desired_entry *b);

// Whether both give the same settings.
bool ag_desired_same_settings(const struct ag_desired_entry *a, const struct ag_desired_entry *b);

#endif
