// SPDX-License-Identifier: Apache-2.0
// The journal: blocks of one generation, each a head and records that never cross its end.
//
// Records are found by walking, blocks by their heads, in any order in the ring, so that a bad
// block can be left out. A record is read through ag_journal_read, which puts right one flipped
// bit; what cannot be read is skipped, and counted by the walk.
#ifndef AG_STORE_JOURNAL_H
#define AG_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/flash.h"
#include "store/store.h"

#define AG_JOURNAL_BLOCK_HEAD  48u // block head and commit unit
#define AG_JOURNAL_RECORD_HEAD 16u
#define AG_JOURNAL_PAYLOAD_MAX (AG_FLASH_BLOCK - AG_JOURNAL_BLOCK_HEAD - AG_JOURNAL_RECORD_HEAD)
#define AG_JOURNAL_UNREADABLE  0xFFu // in ring[]

// Record types. Numbers are those on flash; FORMATS.md section 3 has their payloads.
enum ag_record_type {
    AG_RECORD_SLOT = 1,
    AG_RECORD_MARK = 2,
    AG_RECORD_EPOCH = 3,
    AG_RECORD_QUARANTINE = 4,
    AG_RECORD_REMOVE = 5,
    AG_RECORD_VALUE = 6,
    AG_RECORD_PROGRESS = 7,
    AG_RECORD_DELETE = 8,
    AG_RECORD_LINES = 16,     // of the log; optional, keep
    AG_RECORD_BAD_BLOCK = 17, // optional, keep
};

enum ag_record_flag {
    AG_RECORD_LATER = 0x01,    // written after the commit: proves that its generation counts
    AG_RECORD_OPTIONAL = 0x02, // of unknown type: skip; without it, refuse the store
    AG_RECORD_KEEP = 0x04,     // of unknown type: copy when compacting; without it, drop
};

struct ag_record {
    uint32_t offset; // of its head in the image
    uint32_t flip;   // bit of the payload to invert, or UINT32_MAX
    uint16_t size;   // of its payload, bytes
    uint8_t type;
    uint8_t flags;
};

// A walk over the records of a journal. Start with zeros.
struct ag_journal_cursor {
    uint32_t at;       // offset of the next record, or 0: at the start of a block
    uint32_t sequence; // that the next record must have
    uint32_t damaged;  // places met that cannot be read
    uint32_t repaired; // heads and payloads read with one bit put right
    uint32_t types;    // to stop at, as AG_JOURNAL_ONLY of each; 0: all. Payloads of others are
                       // not even checked
    uint8_t block;     // index in the generation
    bool closed;       // the block walked last ends in bytes that cannot be read
};
#define AG_JOURNAL_ONLY(type) ((uint32_t)1 << (type))

// One piece of a payload.
struct ag_span {
    const void *bytes;
    size_t size;
};

// Blocks of the ring at the start of an image of this size.
uint32_t ag_journal_ring_size(uint32_t image_size);

// Whole size of a record on flash.
uint32_t ag_journal_record_size(size_t payload_size);

bool ag_journal_is_blank(const uint8_t *bytes, size_t size);

struct ag_block_head {
    uint32_t image_size;
    uint32_t generation;
    uint32_t sequence; // of its first record
    uint16_t index;    // in the generation
};
// The head of a block and the commit unit, as programmed.
void ag_journal_encode_head(const struct ag_block_head *head, uint8_t bytes[32]);
void ag_journal_encode_commit(uint32_t generation, uint32_t next_id, uint16_t rotor,
                              uint8_t bytes[16]);
// False when they are not there, or damaged beyond one bit.
bool ag_journal_decode_head(const uint8_t *block, struct ag_block_head *head);
bool ag_journal_decode_commit(const uint8_t *block, uint32_t generation, uint32_t *next_id,
                              uint16_t *rotor);

// The next readable record; false at the end.
bool ag_journal_next(const struct ag_flash *flash, const struct ag_journal *journal,
                     struct ag_journal_cursor *cursor, struct ag_record *record);

// The record whose head is at `offset`; false when it cannot be read any more.
bool ag_journal_load(const struct ag_flash *flash, uint32_t generation, uint32_t offset,
                     struct ag_record *record);

// Copies payload bytes; the range must lie within the payload.
void ag_journal_read(const struct ag_flash *flash, const struct ag_record *record, uint32_t from,
                     void *bytes, size_t size);

// Whether a record of this payload fits into the block in hand.
bool ag_journal_fits(const struct ag_journal *journal, size_t payload_size);

// Erases a block of the ring that neither journal uses and makes it the next of `journal`; tries
// them in turn, from the one behind the newest. `other` may be NULL. AG_ERR_FLASH: none could be.
AG_MUST_CHECK enum ag_status ag_journal_open_block(const struct ag_flash *flash,
                                                   struct ag_journal *journal,
                                                   const struct ag_journal *other);

// Programs a record at the tail, where it must fit. On AG_ERR_FLASH the block is closed.
AG_MUST_CHECK enum ag_status ag_journal_write(const struct ag_flash *flash,
                                              struct ag_journal *journal, uint8_t type,
                                              uint8_t flags, const struct ag_span spans[2],
                                              uint32_t *offset);

// Programs a copy of another generation's record at the tail, with its flipped bit put right.
AG_MUST_CHECK enum ag_status ag_journal_copy(const struct ag_flash *flash,
                                             struct ag_journal *journal,
                                             const struct ag_record *record, uint8_t flags);

#endif
