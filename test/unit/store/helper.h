// SPDX-License-Identifier: Apache-2.0
// What the tests of the store share: plug-ins whose bytes follow from name and version.
#ifndef AG_TEST_STORE_HELPER_H
#define AG_TEST_STORE_HELPER_H

#include "port/sim/sim_flash.h"
#include "store/store.h"

// A made-up plug-in. Its file, code and hash follow from these.
struct made {
    const char *name;
    uint32_t version;
    uint32_t epoch;
    uint32_t file_size;
    uint32_t code_size;
};

// Its bytes; made once, valid until many others were asked for.
const uint8_t *made_file(const struct made *made);
const uint8_t *made_code(const struct made *made);
void made_hash(const struct made *made, uint8_t sha256[AG_STORE_SHA256_SIZE]);

// reserve … seal, with appends of `step` bytes; *id is set on AG_OK. For a blob code_size is 0.
enum ag_status made_install(struct ag_store *store, enum ag_store_kind kind,
                            const struct made *made, uint32_t step, uint32_t *id);
// And begin_trial and confirm.
enum ag_status made_confirm(struct ag_store *store, const struct made *made, uint32_t *id);

// Whether the slot's file (and code) open and hold exactly what they should.
bool made_is_sound(const struct ag_store *store, uint32_t id, const struct made *made);

#endif
