// SPDX-License-Identifier: Apache-2.0
// Signed plug-in files of every behaviour that the host must cope with, assembled by hand.
#ifndef AG_TEST_HOST_MODULES_H
#define AG_TEST_HOST_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buffer.h"

enum module_behaviour {
    MODULE_GOOD,            // sets pin 0 to the lowest bit of its version in every run
    MODULE_TRAPS_LATER,     // good, but traps in run `argument`
    MODULE_TRAPS_AT_START,  // traps in initialize
    MODULE_REFUSES,         // initialize returns 1
    MODULE_SPINS,           // execute never returns
    MODULE_COMPUTES,        // execute counts to `argument` and then does as MODULE_GOOD
    MODULE_NO_EXECUTE,      // exports no execute
    MODULE_UNKNOWN_IMPORT,  // imports gpio.explode
    MODULE_INVALID,         // signed, but fails validation
    MODULE_HOSTILE_POINTER, // hands the host a pointer outside of its memory
    MODULE_REPORTS,         // reports property "n" = runs, sends telemetry, reads setting "x"
    MODULE_STORES,          // good, and adds `argument` to its own data "a" and "b" in every run;
                            // reports it as "n"; traps when they differ, and in run `traps_in`,
                            // between the two
    MODULE_LARGE,           // good, with `argument` bytes of ballast
    MODULE_HEALTHY,         // good, with a healthy that answers `argument`, or traps for 99
    MODULE_ANSWERS,         // good, and exports on_method, which does as enum module_answer says
    MODULE_LOGS,            // good, logs {"a":1} in every run, and traps in run `argument` if not 0
    MODULE_FLOODS,          // execute logs {"a":1} for ever
    MODULE_VAST,            // good, with a table of `argument` elements, and says that its memory,
                            // whose size is true in the module only, has 256 bytes
};

// What on_method of MODULE_ANSWERS does: `argument`.
enum module_answer {
    MODULE_ECHOES,        // answers 201 with the payload
    MODULE_ANSWER_TRAPS,  //
    MODULE_ANSWER_SPINS,  //
    MODULE_SAYS_NOTHING,  // returns without an answer
    MODULE_ANSWERS_BADLY, // tries `n`, which is no JSON, and a code that is none
};

struct module {
    const char *name;
    uint32_t version;
    uint32_t epoch;
    enum module_behaviour behaviour;
    uint32_t argument;
    uint32_t memory_size;  // 0: 256
    uint32_t period_ms;    // 0: 100
    uint32_t fuel_per_run; // 0: 100000
    uint8_t pin;           // instead of 0
    uint8_t key;           // seed of the key that signs; 0: the one that is trusted
    bool unsigned_;        // not signed at all
    uint16_t capability;   // listed besides those of its imports; 0: none
    uint16_t hidden;       // not listed though it imports it; 0: none
    uint32_t traps_in;     // of MODULE_STORES; 0: in none
    uint32_t data_size;    // of own data
    const void *schema;    // of its settings; NULL: none
    uint32_t schema_size;
    uint32_t trial_runs;  // of the metadata
    uint32_t trial_ms;    //
    uint32_t trial_flags; //
};

// The trusted key's seed.
#define MODULE_KEY 7u

// Appends the file.
void module_build(struct ag_buffer *out, const struct module *module);

// Appends a trust store object of this epoch, signed by the one authority key that all of these
// have, that trusts files signed with the key of this seed.
void module_trust_with(struct ag_buffer *out, uint32_t epoch, uint8_t key);
// Of epoch 1, for MODULE_KEY.
void module_trust(struct ag_buffer *out);

// Seeds of keys and roots end at the first 0.
struct module_trust_plan {
    uint32_t epoch;
    uint32_t threshold; // 0: 1
    uint8_t authorities[4];
    uint8_t signers[4];
    uint8_t plugin_keys[4];
    uint8_t roots[4];  // certificates that are none: module_trust_roots finds their seeds again
    bool root_is_none; // the first root is one that no port can use
    uint32_t ballast;  // bytes in each root
};
void module_trust_make(struct ag_buffer *out, const struct module_trust_plan *plan);
// The seeds of the object's roots, ended by 0. False: one of them cannot be used.
bool module_trust_roots(const uint8_t *bytes, size_t size, uint8_t seeds[5]);

#endif
