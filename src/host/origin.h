// SPDX-License-Identifier: Apache-2.0
// Where the versions sealed last came from, so that what became of one holds for that place after a
// start of the host as it did before: an entry with another Url may lead to another file of the
// same version.
//
// One value for all plug-ins, of bounded size. It is written along with each seal, at no sync of
// its own, and never relied upon: where a version is missing in it, the head of the file is fetched
// once more, and known again.
#ifndef AG_HOST_ORIGIN_H
#define AG_HOST_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "store/store.h"

// Notes that the version in this slot, sealed next, came from `url`. A checksum of it is kept, and
// nothing of its secret.
void ag_origin_note(struct ag_store *store, uint32_t slot_id, struct ag_text url);

// Whether the version in this slot is known to have come from `url`, to the letter.
bool ag_origin_is(const struct ag_store *store, uint32_t slot_id, struct ag_text url);

#endif
