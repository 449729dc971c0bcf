// SPDX-License-Identifier: Apache-2.0
// What a host does while the power is cut: from a prepared device to a desired state.
#ifndef AG_TEST_POWER_SCENARIOS_H
#define AG_TEST_POWER_SCENARIOS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define SCENARIO_NAMES   3
#define SCENARIO_REACHED 5

// What must be so of one plug-in.
struct expectation {
    const char *name;     // NULL: ends the list
    uint8_t pin;          // that its runs set to the lowest bit of its version
    uint32_t before;      // version that is confirmed at first; 0: none
    uint32_t after;       // version that is confirmed at the end; 0: none
    const char *state;    // reported at the end; "" for no more reported
    enum ag_status error; // reported at the end
};

struct scenario {
    const char *name;
    const char *reached[SCENARIO_REACHED]; // desired and reached before, one after the other
    void (*prepare)(void);                 // then this, without power; NULL: nothing
    const char *desired;                   // what the play is about; NULL: as before
    // From power-up to the end; NULL: until the desired state is reached and reported.
    void (*play)(void);
    // What is desired when the power is back, where the play changes that; NULL: no change. Then
    // the desired state must be reached and reported.
    void (*finish)(void);
    struct expectation expectations[SCENARIO_NAMES + 1];
    void (*check)(void); // what else must be so at the end; NULL: nothing
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

// Opens the world for any scenario: all files are published.
void scenario_open(void);
// The world is open for it. Leaves the device without power, and the hub desiring what is played.
void scenario_prepare(const struct scenario *scenario);
// Desires this, boots and lets the device get there; without power then.
void scenario_reach(const char *desired);

// An entry of firmware_modules; `more` are further members, each behind a comma.
#define SCENARIO_ENTRY(name, version, more)                                                        \
    "{'Name':'" name "','Version':" #version more ",'Url':'https://files.example/" name            \
    "-" #version ".wasm'}"

#endif
