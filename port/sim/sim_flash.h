// SPDX-License-Identifier: Apache-2.0
// A flash in memory that is stricter than hardware and loses power on demand.
//
// It refuses to program a unit twice between two erases, and unaligned, empty or cross-block
// programs: such a call returns AG_ERR_FLASH, changes nothing and counts as a breach, which a test
// asserts to be 0. Operations are counted, and one of them may be made to fail or to be the last
// one before the power goes. After a cut every operation returns AG_ERR_FLASH until
// sim_flash_restart. Everything is deterministic: the same settings give the same bytes.
//
// Reads are plain memory accesses. Under AddressSanitizer those of units that nobody has touched
// since their erase end the program, but for functions that look whether flash is blank
// (AG_FLASH_READS_BLANK). Where an operation was cut or failed, the whole block may be read: what
// lies there is told by checksums. sim_flash_is_written tells whether bytes were all programmed
// since the last erase, for tests to assert on what they were handed.
#ifndef AG_PORT_SIM_SIM_FLASH_H
#define AG_PORT_SIM_SIM_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/flash.h"

// What becomes of the operation at which the power goes.
enum sim_cut_mode {
    SIM_CUT_BEFORE, // it does not happen
    SIM_CUT_TORN,   // a pseudo-random part, in a pattern that follows from the seed: see `tear`
    SIM_CUT_AFTER,  // it happens, and the call still fails
    SIM_CUT_LOST,   // as AFTER, and of all operations since the last sync a pseudo-random subset
                    // never reached the medium (a page cache that wrote back in any order)
    SIM_CUT_PREFIX, // as LOST, but what is missing are the last ones
    SIM_CUT_MODES,
};

// "before", "torn", …
const char *sim_cut_mode_name(enum sim_cut_mode mode);

struct sim_flash_counts {
    uint32_t programs; // calls
    uint32_t units;    // units programmed
    uint32_t erases;   // blocks erased
    uint32_t syncs;    // calls
    uint32_t breaches; // calls that broke the rules
};

// All storage is malloc'ed by open and freed by close; exits the program when there is none.
struct sim_flash {
    struct ag_flash flash;          // hand out &sim.flash
    struct sim_flash_counts counts; // may be reset by the test at any time
    uint32_t operations;            // programs + erases + syncs so far, for cut_at and fail_at

    // Set by the test. The n-th operation from the start of counting `operations`, first is 1.
    uint32_t cut_at;            // 0: never
    enum sim_cut_mode cut_mode; // with a sync as the n-th: nothing is torn; LOST loses as always
    uint32_t fail_at;           // 0: never; fails with AG_ERR_FLASH, programming or erasing a part
    uint32_t bad_block;         // every operation in this block fails; UINT32_MAX: none
    uint64_t seed;              // of torn bits and lost subsets

    // Private.
    uint8_t *bytes;   // the same memory as flash.base, through another window
    uint8_t *written; // one flag a unit: cannot be programmed before an erase
    uint8_t *touched; // one flag a unit: may be read
    uint32_t *wear;   // erases per block since open
    struct sim_flash_log *log;
    bool off; // power is gone
};

// A blank (all 0xFF) flash; size is a multiple of AG_FLASH_BLOCK.
void sim_flash_open(struct sim_flash *sim, uint32_t size);
void sim_flash_close(struct sim_flash *sim);

// Power comes back: operations work again, with cut_at and fail_at cleared and operations at 0.
// A torn unit counts as programmed if any of its bits is 0.
void sim_flash_restart(struct sim_flash *sim);

// Makes `to` an independent copy: same bytes and flags, fresh counts, powered. `to` is open and of
// the same size.
void sim_flash_copy(struct sim_flash *to, const struct sim_flash *from);

// Changes bytes as bit rot or a stranger would: no rules, no counts.
void sim_flash_poke(struct sim_flash *sim, uint32_t offset, const void *bytes, uint32_t size);
void sim_flash_flip(struct sim_flash *sim, uint32_t bit);

// True when all of it was programmed since its last erase.
bool sim_flash_is_written(const struct sim_flash *sim, const uint8_t *bytes, size_t size);

// Erases of a block since open.
uint32_t sim_flash_wear(const struct sim_flash *sim, uint32_t block);

#endif
