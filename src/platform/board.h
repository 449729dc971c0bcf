// SPDX-License-Identifier: Apache-2.0
// What a board has one of: clock, entropy, log, pins. Each port defines these functions; the
// linker chooses. None blocks.
#ifndef AG_PLATFORM_BOARD_H
#define AG_PLATFORM_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// A name for reports: "linux", "mps2". Static.
const char *ag_board_name(void);

// Monotonic milliseconds since some start; does not stop in sleep, does not wrap.
uint64_t ag_board_uptime_ms(void);

// Seconds since 1970 UTC in *seconds, and true when the clock is known to be right. When false,
// *seconds is a guess that may be used for tokens but never to refuse or remove anything.
bool ag_board_unix_time(int64_t *seconds);

// The host learnt the time from a server (HTTP Date over verified TLS). A clock that is known to be
// right by itself goes before it, and a time before the port was built is not believed. 0: what was
// learnt is in doubt, since TLS finds certificates expired by it; it is forgotten.
void ag_board_learn_time(int64_t seconds);

// Bytes from a cryptographic generator. Never fails; a board without entropy must not boot.
void ag_board_random(void *bytes, size_t size);

enum ag_log_level {
    AG_LOG_ERROR,
    AG_LOG_WARNING,
    AG_LOG_INFO,
    AG_LOG_DEBUG,
};

// One line of log, without line end. `source` is "host" or the plug-in's name. The text of a
// plug-in is hostile: the port makes control characters harmless.
void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size);

// A word that survives a reset of the processor, and may be lost with the power: the store's slot
// of the plug-in that is running or being translated right now, 0 for none. Written around every
// slice: a store to memory.
void ag_board_note_running(uint32_t slot_id);
// The word as the last life of the device left it, until it is written anew. A board without such
// memory says 0.
uint32_t ag_board_last_running(void);
// Restarts the device, or the program, in order where that takes time: may return, and nothing
// further is done then but to end. Somebody asked for it.
void ag_board_restart(void);

enum ag_pin_mode {
    AG_PIN_INPUT,
    AG_PIN_INPUT_PULL_UP,
    AG_PIN_INPUT_PULL_DOWN,
    AG_PIN_OUTPUT,
};

// Pins are numbered from 0 to ag_board_pin_count() - 1.
uint32_t ag_board_pin_count(void);
// AG_ERR_PIN for a pin that the board lacks or that cannot do this.
enum ag_status ag_board_pin_configure(uint32_t pin, enum ag_pin_mode mode);
enum ag_status ag_board_pin_write(uint32_t pin, bool level);
enum ag_status ag_board_pin_read(uint32_t pin, bool *level);

// Analogue inputs, numbered from 0; 0 when the board has none.
uint32_t ag_board_adc_count(void);
// A sample in microvolts, or for a sensor in the unit that the board documents. AG_ERR_PIN for a
// channel that the board lacks.
enum ag_status ag_board_adc_read(uint32_t channel, int32_t *value);

#endif
