// SPDX-License-Identifier: Apache-2.0
// The payloads of the journal's records as structs.
#ifndef AG_STORE_RECORD_H
#define AG_STORE_RECORD_H

#include "store/journal.h"

// Largest payload, with the longest name that the format allows (64 bytes).
#define AG_RECORD_SLOT_MAX 144u

struct ag_record_slot {
    uint32_t id;
    uint32_t version;
    uint32_t epoch;
    uint32_t file_size;
    uint32_t file_crc;    // 0 before AG_STORE_COMPLETE
    uint32_t code_offset; // in the image; 0: no code
    uint32_t code_size;
    uint32_t code_crc;
    uint32_t engine;
    uint16_t block;  // extent
    uint16_t blocks; // extent
    uint16_t failure;
    uint8_t trials;
    uint8_t state;
    uint8_t kind;
    uint8_t name_size;
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    char name[AG_CFG_NAME_MAX + 1]; // NUL-terminated
};

// Size of the payload, at most AG_RECORD_SLOT_MAX.
size_t ag_record_encode_slot(const struct ag_record_slot *slot, uint8_t bytes[AG_RECORD_SLOT_MAX]);

// False when the payload breaks the format, names places outside the image, or has a name longer
// than this build allows.
bool ag_record_decode_slot(const struct ag_flash *flash, const struct ag_record *record,
                           struct ag_record_slot *slot);

// A kind (or key) and name at `from` in a payload; the name is the rest of it.
struct ag_record_name {
    uint8_t kind;
    uint8_t size;
    char text[AG_CFG_NAME_MAX + 1];
};
// From a name of the API: false when its length is outside 1 to AG_CFG_NAME_MAX.
bool ag_record_make_name(uint8_t kind, const char *text, struct ag_record_name *name);
// Reads kind, length and name at `from`; false when they break the format or are too long.
bool ag_record_read_name(const struct ag_flash *flash, const struct ag_record *record,
                         uint32_t from, struct ag_record_name *name);
bool ag_record_same_name(const struct ag_record_name *a, const struct ag_record_name *b);
// A checksum of kind and name.
uint32_t ag_record_hash_name(const struct ag_record_name *name);
// kind, length, name as bytes; returns their number, at most 2 + AG_CFG_NAME_MAX.
size_t ag_record_encode_name(const struct ag_record_name *name, uint8_t *bytes);

// The short payloads.
#define AG_MARK_SIZE       8u
#define AG_EPOCH_FIXED     8u // then the name
#define AG_QUARANTINE_SIZE 40u
#define AG_PROGRESS_FIXED  12u // then the tag
#define AG_BAD_BLOCK_SIZE  4u

#define AG_MARK_DROPPED 0x80u // as state of a mark: the slot is given up

struct ag_mark {
    uint32_t id;
    uint16_t detail;
    uint8_t state; // enum ag_store_state or AG_MARK_DROPPED
};
void ag_record_encode_mark(const struct ag_mark *mark, uint8_t bytes[AG_MARK_SIZE]);
bool ag_record_decode_mark(const struct ag_flash *flash, const struct ag_record *record,
                           struct ag_mark *mark);

struct ag_epoch {
    uint32_t id; // of the slot that this confirms, 0: none
    uint32_t epoch;
    struct ag_record_name name;
};
size_t ag_record_encode_epoch(const struct ag_epoch *epoch,
                              uint8_t bytes[AG_EPOCH_FIXED + 2 + AG_CFG_NAME_MAX]);
bool ag_record_decode_epoch(const struct ag_flash *flash, const struct ag_record *record,
                            struct ag_epoch *epoch);

struct ag_quarantine {
    uint32_t id;  // of the slot that this fails, 0: none
    uint16_t why; // 0: pardoned
    uint8_t sha256[AG_STORE_SHA256_SIZE];
};
// Whether it keeps the hash out: it is no pardon, and tells of more than damage on this flash.
bool ag_record_is_quarantine(const struct ag_quarantine *quarantine);
void ag_record_encode_quarantine(const struct ag_quarantine *quarantine,
                                 uint8_t bytes[AG_QUARANTINE_SIZE]);
bool ag_record_decode_quarantine(const struct ag_flash *flash, const struct ag_record *record,
                                 struct ag_quarantine *quarantine);

void ag_record_encode_bad_block(uint16_t block, uint8_t bytes[AG_BAD_BLOCK_SIZE]);
// False when the payload breaks the format or the block is none of those for slots.
bool ag_record_decode_bad_block(const struct ag_flash *flash, const struct ag_record *record,
                                uint16_t *block);

struct ag_progress {
    uint32_t id;
    uint32_t offset; // bytes of the file that are there
    uint32_t crc;    // of those bytes
    size_t tag_size;
    uint8_t tag[AG_STORE_TAG_MAX];
};
size_t ag_record_encode_progress(const struct ag_progress *progress,
                                 uint8_t bytes[AG_PROGRESS_FIXED + AG_STORE_TAG_MAX]);
bool ag_record_decode_progress(const struct ag_flash *flash, const struct ag_record *record,
                               struct ag_progress *progress);

#endif
