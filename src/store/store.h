// SPDX-License-Identifier: Apache-2.0
// The store: plug-in slots and small values on one flash image, safe against power cuts anywhere.
//
// A journal in rotating blocks says what is live; files lie contiguous in the other blocks with
// their translated code beside them, both read in place. FORMATS.md section 3 gives every byte,
// src/store/README.md the reasons.
//
// What always holds, at every program and erase operation and whatever the flash loses in a cut:
// - A slot's state only moves forward, and a slot that was confirmed is found again as confirmed
//   until it is failed, removed, or two newer ones of its name are confirmed (a previous one also
//   gives way when space is needed).
// - A value read is the last one that was put, or the one whose put was cut.
// - The epoch floor of a name never drops, also not by removal.
// - Bytes of a file or of code are handed out only after their checksum was found right.
//
// Durability: "durable" means that on AG_OK the flash has synchronised and a power cut cannot undo
// it. After a cut inside a call, the change is either there as a whole or not at all.
//
// Failure: every changing call may return AG_ERR_FLASH. When only the data of one slot is
// concerned (append, append_code) the slot is lost and everything else goes on; the block that
// failed is remembered and left out when space is given from then on. When the journal
// cannot be written or synchronised, the store is read-only from there on: every changing call
// returns AG_ERR_FLASH, and what is looked at is as before the change that failed, except that a
// value, a hash or an epoch may be found as it was to be. ag_store_recover ends that without a
// restart. The change is then there as a whole, or not at all, as after a power cut.
//
// No call blocks beyond the flash operations that its comment counts. Names are UTF-8 without NUL,
// 1 to AG_CFG_NAME_MAX bytes; AG_ERR_ARGUMENT otherwise.
#ifndef AG_STORE_STORE_H
#define AG_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "platform/flash.h"

// Largest value of ag_store_put, bytes. Anything larger goes into a slot of kind AG_STORE_BLOB.
#define AG_STORE_VALUE_MAX 3584u

// Largest piece of ag_store_add_lines, bytes.
#define AG_STORE_LINES_MAX 1024u

// Largest tag of ag_store_progress, bytes: an HTTP ETag.
#define AG_STORE_TAG_MAX 96u

#define AG_STORE_SHA256_SIZE 32u

// Slots that the index can hold: current and previous per plug-in, and four on their way.
#define AG_STORE_SLOT_MAX (2u * AG_CFG_PLUGIN_MAX + 4u)

// Blocks of the journal ring at most; half of it can be in use by one generation.
#define AG_STORE_JOURNAL_MAX 32u

// What a slot holds. Each kind has its own name space.
enum ag_store_kind {
    AG_STORE_PLUGIN = 1, // a signed plug-in file and its translated code
    AG_STORE_BLOB = 2,   // one large value without code, such as the trust store object
};

// The life of a slot. Numbers are those on flash; a slot only moves to a higher one.
enum ag_store_state {
    AG_STORE_RESERVED = 1,  // space is held; bytes may be arriving
    AG_STORE_COMPLETE = 2,  // the whole file is there, code is not
    AG_STORE_SEALED = 3,    // file and code are there under their checksums; never run
    AG_STORE_TRIAL = 4,     // a trial was begun
    AG_STORE_CONFIRMED = 5, // it proved itself
    AG_STORE_FAILED = 6,    // it did not; kept to be told about until something newer is reserved
};

// The part that a slot plays among those of its kind and name. At most one slot plays each.
enum ag_store_role {
    AG_STORE_CURRENT,  // the newest confirmed one: runs
    AG_STORE_PREVIOUS, // the confirmed one before: what a failure of the current one returns to
    AG_STORE_NEXT,     // reserved, complete, sealed or on trial: on its way to be current
    AG_STORE_REJECTED, // the newest failed one, with the reason
};

// A slot as found in the journal. A copy; stays as it is when the store changes.
struct ag_store_slot {
    uint32_t id; // names this slot in calls; never 0, never used again for another slot
    enum ag_store_kind kind;
    enum ag_store_state state;
    enum ag_store_role role;
    char name[AG_CFG_NAME_MAX + 1];       // NUL-terminated
    uint32_t version;                     // as reserved
    uint32_t epoch;                       // as reserved
    uint32_t file_size;                   // bytes
    uint32_t code_size;                   // bytes; 0 before AG_STORE_SEALED and for blobs
    uint32_t engine;                      // engine id given when the code was sealed
    uint8_t sha256[AG_STORE_SHA256_SIZE]; // of the file; zeros before AG_STORE_COMPLETE
    uint32_t trials;                      // times that a trial was begun
    enum ag_status failure;               // why it failed; AG_OK in other states
};

// One slot in the index. Private to the store.
struct ag_store_entry {
    uint32_t id;
    uint32_t record; // offset of its newest slot record in the image
    uint32_t name;   // checksum of kind and name: tells most apart without reading flash
    uint16_t block;  // first block of its extent
    uint16_t blocks; // length of its extent
    uint16_t failure;
    uint8_t trials;
    uint8_t state;
};

// The journal in use, or one that a compaction is writing. Private to the store.
struct ag_journal {
    uint32_t generation;                    // grows with every compaction
    uint32_t sequence;                      // of the next record
    uint32_t tail;                          // offset of the next record, or 0: block is closed
    uint8_t used;                           // blocks of this generation
    uint8_t ring[AG_STORE_JOURNAL_MAX / 2]; // their places in the image; 0xFF: unreadable
};

// A mounted store. The caller's storage; no pointer inside but to the flash, so it may be moved.
// Members are private to the store.
struct ag_store {
    const struct ag_flash *flash; // borrowed from mount or format on
    struct ag_journal journal;
    uint32_t last_generation;                       // highest one on flash, committed or not
    uint32_t next_id;                               // of the next slot
    uint32_t damaged;                               // see ag_store_info
    uint32_t repaired;                              // see ag_store_info
    uint16_t rotor;                                 // block at which the search for space begins
    uint16_t count;                                 // slots in the index
    uint16_t bad_count;                             // blocks in bad
    uint16_t bad[AG_CFG_BAD_BLOCKS_MAX];            // blocks of slots that failed, oldest first
    bool ready;                                     // false: not mounted, or the flash failed
    uint8_t life;                                   // counts recoveries: older writers are dead
    struct ag_store_entry index[AG_STORE_SLOT_MAX]; // ascending by id
};

// A file or code on its way into a slot. The caller's storage; members are private. Needs no
// closing: forget it, and the slot stays as far as it was recorded.
struct ag_store_writer {
    uint32_t slot;         // id
    uint32_t start;        // offset in the image of what is written; not the slot's when it moves
    uint32_t file_size;    // as reserved
    uint32_t offset;       // bytes of the file, then of the code, appended
    uint32_t crc;          // of those bytes
    uint32_t block_crc;    // of the file's whole blocks among them
    uint32_t file_crc;     // of the whole file, once it is finished
    uint32_t code;         // offset of the code in the image; 0 until the file is finished
    uint32_t at;           // offset in the image of the next unit to program
    uint32_t ready;        // end of the blocks that were erased for this writer
    enum ag_status status; // AG_ERR_FLASH once a program failed
    uint8_t life;          // of the store when it was opened
    uint16_t gathered;     // bytes that wait to be programmed
    uint8_t gather[AG_CFG_STORE_GATHER];
};

// ---- Mounting ----------------------------------------------------------------------------------

// Finds the newest valid journal and builds the index. Reads only, except on a blank image (all
// 0xFF, or blank but for the traces of a format that was cut), which it formats.
//   AG_ERR_STORE_FORMAT  neither blank nor a store of this version: nothing was changed; the
//                        caller decides whether to format
//   AG_ERR_STORE_SIZE    a store, but of another size; nothing was changed
//   AG_ERR_ARGUMENT      a size that no store can have (at least 8 blocks, at most 65535)
//   AG_ERR_NO_SPACE      more slots than AG_STORE_SLOT_MAX of this build
//   AG_ERR_FLASH         formatting the blank image failed
// After any failure the store may only be mounted or formatted again.
AG_MUST_CHECK enum ag_status ag_store_mount(struct ag_store *store, const struct ag_flash *flash);

// Makes an empty store whatever the flash held, and mounts it. Durable. When the flash holds a
// store of this size the change is atomic: after a cut there is the old store or the empty one.
// Epoch floors and quarantine are forgotten too. Up to one erase per block of the journal ring.
AG_MUST_CHECK enum ag_status ag_store_format(struct ag_store *store, const struct ag_flash *flash);

// Whether a failure of the flash has made the store read-only.
bool ag_store_is_read_only(const struct ag_store *store);

// Brings a store up again that a failure of the flash has made read-only, over the same flash and
// while slots are borrowed: what a start after a power cut would find is found, and written once
// more, to other blocks of the journal. Slots keep their ids, places and bytes; what was on its way
// goes on as far as it was recorded (ag_store_resume), since writers opened before are dead.
// Durable: on AG_OK the flash has been erased, programmed and synchronised. AG_OK also, and no
// change, when the store is not read-only. The caller looks at the slots anew: any of the changes
// that failed may have happened. Two syncs and a compaction.
//   AG_ERR_FLASH   the flash still fails: the store stays as it is, read-only; call again later
//   other statuses as of ag_store_mount: likewise
AG_MUST_CHECK enum ag_status ag_store_recover(struct ag_store *store);

struct ag_store_info {
    uint32_t size;         // of the image, bytes
    uint32_t free_size;    // free now, bytes, in whole blocks
    uint32_t largest_free; // the largest piece of it
    uint32_t spare_size;   // held by previous and failed slots, which give way when needed
    uint32_t journal_size; // of the journal ring, bytes
    uint32_t journal_used; // of it in use by this generation
    uint32_t generation;   // counts compactions
    uint32_t damaged;      // journal records found unreadable at mount: cuts, or bit rot
    uint32_t repaired;     // journal records read with one bit put right
    uint32_t bad_blocks;   // blocks for slots that failed and are left out
    bool read_only;        // after a failure of the flash
};
void ag_store_info(const struct ag_store *store, struct ag_store_info *info);

// ---- Looking -----------------------------------------------------------------------------------

// Walks the slots in the order in which they were reserved: *id is 0 at first and then the id of
// the last slot given; false at the end. The store may change between calls.
bool ag_store_next(const struct ag_store *store, uint32_t *id, struct ag_store_slot *slot);

// AG_ERR_NOT_FOUND; *slot is then untouched.
AG_MUST_CHECK enum ag_status ag_store_get_slot(const struct ag_store *store, uint32_t id,
                                               struct ag_store_slot *slot);
AG_MUST_CHECK enum ag_status ag_store_find(const struct ag_store *store, enum ag_store_kind kind,
                                           const char *name, enum ag_store_role role,
                                           struct ag_store_slot *slot);

// The bytes of a slot in place, after checking their checksum (one pass over them). Borrowed from
// the flash window until the slot is dropped, removed, failed and reserved over, or written again.
//   AG_ERR_NOT_FOUND      no such slot, or not that far (the file from AG_STORE_COMPLETE on, the
//                         code from AG_STORE_SEALED on; a blob has no code)
//   AG_ERR_STORE_DAMAGED  the checksum is wrong: damaged code can be made again from the file
//                         (ag_store_retranslate), a damaged file must be fetched again
AG_MUST_CHECK enum ag_status ag_store_open_file(const struct ag_store *store, uint32_t id,
                                                const uint8_t **bytes, size_t *size);
AG_MUST_CHECK enum ag_status ag_store_open_code(const struct ag_store *store, uint32_t id,
                                                const uint8_t **bytes, size_t *size);

// ---- Installing --------------------------------------------------------------------------------
// reserve, append…, finish_file, (verify in place), append_code…, seal: one sync in all when
// nothing had to give way, at the seal. Then begin_trial, and confirm or fail: one sync each.

struct ag_store_reservation {
    enum ag_store_kind kind;
    const char *name;
    uint32_t version;
    uint32_t epoch;
    uint32_t file_size; // bytes, at least 1
    uint32_t code_size; // expected; more is taken if the blocks behind the slot are free
};

// Holds space for a file and its code and opens a writer. A slot of the same kind and name that
// was on its way or failed is superseded. When space or the index is short, failed slots and then
// previous ones give way, oldest first; never a current one nor one on its way. Durable when
// something gave way, else with the seal. The space of a slot that is never sealed is held until
// it is superseded or dropped.
//   AG_ERR_STORE_FULL  no piece is large enough, or the journal is full; nothing was changed,
//                      except that slots which could give way may have
AG_MUST_CHECK enum ag_status ag_store_reserve(struct ag_store *store,
                                              const struct ag_store_reservation *reservation,
                                              struct ag_store_writer *writer);

// Appends bytes of the file; any split. Each block is erased when it is first written.
//   AG_ERR_FILE_SIZE  more than was reserved; nothing was appended
//   AG_ERR_FLASH      the writer is dead; drop or supersede the slot
AG_MUST_CHECK enum ag_status ag_store_append(struct ag_store *store, struct ag_store_writer *writer,
                                             const void *bytes, size_t size);

// Where the bytes of the file lie that the writer stands behind, borrowed as those of finish_file:
// after ag_store_resume as many as *offset said.
AG_MUST_CHECK enum ag_status ag_store_place(const struct ag_store *store,
                                            const struct ag_store_writer *writer,
                                            const uint8_t **bytes);

// Records how far the file is, so that a download goes on after a reset. What counts is the last
// whole block, or the end of the file. `tag` is the caller's (an ETag), NULL when tag_size is 0.
// Durable.
AG_MUST_CHECK enum ag_status ag_store_progress(struct ag_store *store,
                                               struct ag_store_writer *writer, const void *tag,
                                               size_t tag_size);

// Opens a writer on a slot in AG_STORE_RESERVED or AG_STORE_COMPLETE as far as was recorded and is
// still sound. *offset is where the file goes on: 0 when nothing was recorded, file_size when
// nothing is missing. The tag is copied (*tag_size bytes, at most AG_STORE_TAG_MAX).
//   AG_ERR_NOT_FOUND  no such slot in one of these states
AG_MUST_CHECK enum ag_status ag_store_resume(struct ag_store *store, uint32_t id,
                                             struct ag_store_writer *writer, uint32_t *offset,
                                             uint8_t tag[AG_STORE_TAG_MAX], size_t *tag_size);

// Ends the file: writes what waits for its unit. *bytes is the whole file (file_size bytes) in
// place; it has not reached the medium yet, and is not under a checksum. May be called again.
//   AG_ERR_TRUNCATED  bytes are missing
AG_MUST_CHECK enum ag_status
ag_store_finish_file(struct ag_store *store, struct ag_store_writer *writer, const uint8_t **bytes);

// Optional, after finish_file: records that the whole file is there, so that a reset need not
// fetch it again. Durable.
AG_MUST_CHECK enum ag_status ag_store_complete(struct ag_store *store,
                                               struct ag_store_writer *writer,
                                               const uint8_t sha256[AG_STORE_SHA256_SIZE]);

// Appends translated code, after finish_file; any split. Code begins 16-byte aligned.
//   AG_ERR_STORE_FULL  the piece of flash ends here: reserve anew with a larger code_size
//   AG_ERR_FLASH       the writer is dead; drop or supersede the slot
AG_MUST_CHECK enum ag_status ag_store_append_code(struct ag_store *store,
                                                  struct ag_store_writer *writer, const void *bytes,
                                                  size_t size);

// Binds file and code under their checksums: the slot is AG_STORE_SEALED; space not needed is
// given back. Durable, with everything appended before: one sync. After a cut inside this call the
// slot may be found sealed with bytes missing: ag_store_open_file and ag_store_open_code then say
// so. `engine` is the caller's number for what translated the code.
AG_MUST_CHECK enum ag_status ag_store_seal(struct ag_store *store, struct ag_store_writer *writer,
                                           const uint8_t sha256[AG_STORE_SHA256_SIZE],
                                           uint32_t engine);

// Opens a writer to write the code of a sealed slot (or a later state) again, because the engine
// changed or the code is damaged: append_code…, then ag_store_seal_code, durable. The state does
// not change. Until then the slot has its file, and code that does not pass its checksum.
// `code_size` is what is expected; more is taken if the blocks behind are free. Where so much does
// not fit behind the file, the slot moves: the file is copied to a piece of flash that has room for
// both, failed and previous slots giving way as in ag_store_reserve, and from seal_code on lies
// there. Its place before is borrowed until then, and free afterwards.
//   AG_ERR_STORE_DAMAGED  the file is damaged too
//   AG_ERR_STORE_FULL     no piece is large enough; from append_code: code_size was too small
AG_MUST_CHECK enum ag_status ag_store_retranslate(struct ag_store *store, uint32_t id,
                                                  uint32_t code_size,
                                                  struct ag_store_writer *writer);
AG_MUST_CHECK enum ag_status ag_store_seal_code(struct ag_store *store,
                                                struct ag_store_writer *writer, uint32_t engine);

// ---- Marks: each durable, one record, one sync ------------------------------------------------
// AG_ERR_NOT_FOUND: no such slot. AG_ERR_ARGUMENT: the slot's state does not allow it.

// From sealed or on trial: a (further) trial begins; slot.trials counts up.
AG_MUST_CHECK enum ag_status ag_store_begin_trial(struct ag_store *store, uint32_t id);

// From sealed or on trial: the slot is the current one, the one before it is the previous one, and
// older ones are gone. Raises the epoch floor of the name to the slot's epoch, atomically. No
// change when it is confirmed already.
AG_MUST_CHECK enum ag_status ag_store_confirm(struct ag_store *store, uint32_t id);

// From sealed on, also from confirmed: the slot failed for the reason `why`, and its SHA-256 is
// quarantined, atomically. A previous slot is the current one again. No change when it has failed
// already. From reserved or complete: AG_ERR_ARGUMENT, drop it (and quarantine by hash if wanted).
// AG_ERR_STORE_DAMAGED quarantines nothing: the flash is to blame, and not the file.
AG_MUST_CHECK enum ag_status ag_store_fail(struct ag_store *store, uint32_t id, enum ag_status why);

// Gives up one slot in any state but current; AG_ERR_ARGUMENT for the current one.
AG_MUST_CHECK enum ag_status ag_store_drop(struct ag_store *store, uint32_t id);

// Removes all slots of this kind and name and, for AG_STORE_PLUGIN, the values that belong to the
// plug-in. The epoch floor stays. AG_ERR_NOT_FOUND when there is no slot.
AG_MUST_CHECK enum ag_status ag_store_remove(struct ag_store *store, enum ag_store_kind kind,
                                             const char *name);

// The lowest epoch that may be accepted for this name: the highest one ever confirmed, 0 at first.
uint32_t ag_store_epoch_floor(const struct ag_store *store, enum ag_store_kind kind,
                              const char *name);

// ---- Quarantine --------------------------------------------------------------------------------
// The newest AG_CFG_QUARANTINE_MAX hashes are kept; older ones may be forgotten.

// Durable. No change when it is there already with the same reason.
AG_MUST_CHECK enum ag_status ag_store_quarantine(struct ag_store *store,
                                                 const uint8_t sha256[AG_STORE_SHA256_SIZE],
                                                 enum ag_status why);

// Takes a hash off the list. Durable. AG_OK also when it was not there.
AG_MUST_CHECK enum ag_status ag_store_pardon(struct ag_store *store,
                                             const uint8_t sha256[AG_STORE_SHA256_SIZE]);

// True when quarantined; *why then says the reason. `why` may be NULL.
bool ag_store_is_quarantined(const struct ag_store *store,
                             const uint8_t sha256[AG_STORE_SHA256_SIZE], enum ag_status *why);

// ---- Values ------------------------------------------------------------------------------------

// A value is found by the pair of key and name. Numbers are those on flash. Values with a key from
// 0x80 on belong to the plug-in called `name` and vanish with ag_store_remove.
enum ag_store_key {
    AG_STORE_HOST = 0x01,        // facts of the host, by any name
    AG_STORE_ASSIGNMENT = 0x02,  // the hub that DPS assigned
    AG_STORE_TRUST_TRIAL = 0x04, // how the trial of a trust store object has gone so far
    AG_STORE_OPTIONS = 0x05,     // options of the host, by name
    AG_STORE_DESIRED = 0x80,     // desired options of a plug-in
    AG_STORE_SETTINGS = 0x81,    // settings of a plug-in
    AG_STORE_DATA = 0x90,        // own data of a plug-in; also 0x91 and 0x92
    AG_STORE_DATA_LAST = 0x92,
    AG_STORE_HISTORY = 0x98,     // failures of a plug-in's confirmed version, resets in its trial
    AG_STORE_TRANSLATION = 0x99, // resets in translations of a plug-in's next version
};

// Stores a value, or replaces it. Durable: one record, one sync. No write when the value is the
// same already. AG_ERR_ARGUMENT when larger than AG_STORE_VALUE_MAX. AG_ERR_STORE_FULL when the
// journal has no room for it; the old value is then kept. Own data of a plug-in leaves room for
// what an install needs: however much plug-ins write, they can be replaced.
AG_MUST_CHECK enum ag_status ag_store_put(struct ag_store *store, enum ag_store_key key,
                                          const char *name, const void *bytes, size_t size);

// The same without the sync: durable with the next call that is; a cut before may leave the old
// value. Not for a value that is also put by ag_store_put, which writes and syncs no value twice.
AG_MUST_CHECK enum ag_status ag_store_put_along(struct ag_store *store, enum ag_store_key key,
                                                const char *name, const void *bytes, size_t size);

// Copies the value into `bytes`; *size is its size. AG_ERR_NOT_FOUND; AG_ERR_NO_SPACE when it is
// larger than `capacity`: nothing is copied and *size says how large it is.
AG_MUST_CHECK enum ag_status ag_store_get(const struct ag_store *store, enum ag_store_key key,
                                          const char *name, void *bytes, size_t capacity,
                                          size_t *size);

// As ag_store_get, but copies at most `capacity` bytes of its beginning.
AG_MUST_CHECK enum ag_status ag_store_peek(const struct ag_store *store, enum ag_store_key key,
                                           const char *name, void *bytes, size_t capacity,
                                           size_t *size);

// Removes a value. Durable. AG_ERR_NOT_FOUND when there is none.
AG_MUST_CHECK enum ag_status ag_store_delete(struct ag_store *store, enum ag_store_key key,
                                             const char *name);

// ---- Lines of the log --------------------------------------------------------------------------
// The newest of each source are kept, some KB in all (AG_CFG_LOG_KEEP, AG_CFG_LOG_KEEP_EACH; on an
// image with a short journal less). They give way to everything else: no call fails for want of
// room that lines take.

// Adds lines of one source, in the caller's form: one record, and no sync. They are durable with
// the next call that is, or with ag_store_sync_lines; a cut before loses them as a whole.
//   AG_ERR_ARGUMENT    larger than AG_STORE_LINES_MAX
//   AG_ERR_STORE_FULL  no room; nothing was written
AG_MUST_CHECK enum ag_status ag_store_add_lines(struct ag_store *store, const char *source,
                                                const void *bytes, size_t size);

// One sync.
AG_MUST_CHECK enum ag_status ag_store_sync_lines(struct ag_store *store);

// `bytes` are borrowed for the call.
typedef void (*ag_store_visit_lines)(void *context, const char *source, const uint8_t *bytes,
                                     size_t size);

// Shows what is kept, oldest first, piece by piece as it was added; `source` NULL: of all sources.
void ag_store_read_lines(const struct ag_store *store, const char *source,
                         ag_store_visit_lines visit, void *context);

#endif
