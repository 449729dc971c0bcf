// SPDX-License-Identifier: Apache-2.0
// What hosts offer to plug-ins: capability modules, their functions, types, versions and ids.
//
// The one table that the host (which implements it), the builder (which derives a plug-in's needs
// from its imports) and `airgraft inspect` share. sdk/airgraft.h says what each function means.
//
// The ids are part of the file format and of translated code: never renumber, never reuse. A new
// function gets the next number and a higher `since`, which raises its capability's version; a
// plug-in needs the highest `since` among the functions that it imports. Nothing is ever taken
// away from a capability, so a host that has version n also runs what needs a version below n.
//
// Convention of calls: text and bytes are (pointer, size) in linear memory and not NUL-ended; a
// range outside of linear memory is a trap (AG_TRAP_HOST). An i32 result is 0 or more on success;
// a failure is the negated number of its status (-1801 is AG_ERR_PIN). The wasi functions answer
// as WASI preview 1 does, with an errno.
#ifndef AG_PLUGIN_CAPABILITIES_H
#define AG_PLUGIN_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "plugin/metadata.h"

// Ids of capabilities: at most 255. Reserved for later: pwm 5, i2c 6.
enum ag_capability_id {
    AG_CAPABILITY_LOG = 1,
    AG_CAPABILITY_CLOCK = 2,
    AG_CAPABILITY_GPIO = 3,
    AG_CAPABILITY_ADC = 4,
    AG_CAPABILITY_SETTINGS = 7,
    AG_CAPABILITY_REPORT = 8,
    AG_CAPABILITY_TELEMETRY = 9,
    AG_CAPABILITY_STORE = 10,
    AG_CAPABILITY_METHOD = 11,
    AG_CAPABILITY_RANDOM = 12,
    AG_CAPABILITY_WASI = 13,
};

// Ids of functions: the capability's id times 256, plus the number of the function in it.
#define AG_CALL(capability, number) ((AG_CAPABILITY_##capability << 8) | (number))
enum ag_call_id {
    AG_CALL_LOG_WRITE = AG_CALL(LOG, 0),               // (level, text, size)
    AG_CALL_CLOCK_UPTIME_MS = AG_CALL(CLOCK, 0),       // () -> i64
    AG_CALL_CLOCK_UNIX_TIME = AG_CALL(CLOCK, 1),       // () -> i64, negative when not known
    AG_CALL_GPIO_CONFIGURE = AG_CALL(GPIO, 0),         // (pin, enum ag_pin_mode) -> i32
    AG_CALL_GPIO_WRITE = AG_CALL(GPIO, 1),             // (pin, level) -> i32
    AG_CALL_GPIO_READ = AG_CALL(GPIO, 2),              // (pin) -> i32, 0 or 1
    AG_CALL_ADC_READ = AG_CALL(ADC, 0),                // (channel, int32_t *value) -> i32
    AG_CALL_SETTINGS_GET_INT = AG_CALL(SETTINGS, 0),   // (key, size, i64 otherwise) -> i64
    AG_CALL_SETTINGS_GET_TEXT = AG_CALL(SETTINGS, 1),  // (key, size, buffer, capacity) -> i32 size
    AG_CALL_REPORT_SET_INT = AG_CALL(REPORT, 0),       // (key, size, i64 value) -> i32
    AG_CALL_REPORT_SET_BOOL = AG_CALL(REPORT, 1),      // (key, size, i32 value) -> i32
    AG_CALL_REPORT_SET_TEXT = AG_CALL(REPORT, 2),      // (key, size, text, size) -> i32
    AG_CALL_REPORT_REMOVE = AG_CALL(REPORT, 3),        // (key, size) -> i32
    AG_CALL_TELEMETRY_SEND = AG_CALL(TELEMETRY, 0),    // (bytes, size) -> i32
    AG_CALL_STORE_GET = AG_CALL(STORE, 0),             // (key, size, buffer, capacity) -> i32 size
    AG_CALL_STORE_SET = AG_CALL(STORE, 1),             // (key, size, bytes, size) -> i32
    AG_CALL_STORE_REMOVE = AG_CALL(STORE, 2),          // (key, size) -> i32
    AG_CALL_STORE_KEY = AG_CALL(STORE, 3),             // (index, buffer, capacity) -> i32 size
    AG_CALL_STORE_ROOM = AG_CALL(STORE, 4),            // () -> i32 bytes
    AG_CALL_STORE_PENDING = AG_CALL(STORE, 5),         // () -> i32, 0 or 1
    AG_CALL_METHOD_NAME = AG_CALL(METHOD, 0),          // (buffer, capacity) -> i32 size
    AG_CALL_METHOD_PAYLOAD = AG_CALL(METHOD, 1),       // (buffer, capacity) -> i32 size
    AG_CALL_METHOD_REPLY = AG_CALL(METHOD, 2),         // (code, json, size) -> i32
    AG_CALL_RANDOM_FILL = AG_CALL(RANDOM, 0),          // (buffer, size)
    AG_CALL_WASI_ARGS_GET = AG_CALL(WASI, 0),          // (argv, buffer) -> errno
    AG_CALL_WASI_ARGS_SIZES_GET = AG_CALL(WASI, 1),    // (*count, *size) -> errno: none
    AG_CALL_WASI_ENVIRON_GET = AG_CALL(WASI, 2),       // (environ, buffer) -> errno
    AG_CALL_WASI_ENVIRON_SIZES_GET = AG_CALL(WASI, 3), // (*count, *size) -> errno: none
    AG_CALL_WASI_CLOCK_TIME_GET = AG_CALL(WASI, 4),    // (clock, i64 precision, *u64 ns) -> errno
    AG_CALL_WASI_FD_WRITE = AG_CALL(WASI, 5),          // (fd, iovs, count, *written) -> errno: log
    AG_CALL_WASI_PROC_EXIT = AG_CALL(WASI, 6),         // (code): AG_TRAP_EXIT
    AG_CALL_WASI_RANDOM_GET = AG_CALL(WASI, 7),        // (buffer, size) -> errno
};

struct ag_capability_function {
    const char *name;
    const char *type; // "iI:i": parameters, colon, results; i = i32, I = i64, f = f32, F = f64
    uint16_t id;      // enum ag_call_id
    uint16_t since;   // the capability's version that brought it
};

struct ag_capability {
    const char *name; // also the import module's name
    uint16_t id;      // enum ag_capability_id
    uint16_t version; // the highest `since` of its functions
    size_t function_count;
    const struct ag_capability_function *functions;
};

// The table, by ascending id, and its length.
extern const struct ag_capability ag_capabilities[];
extern const size_t ag_capabilities_count;

// NULL when there is none. Names are not NUL-ended; all results are static.
const struct ag_capability *ag_capabilities_find(const char *name, size_t size);
const struct ag_capability *ag_capabilities_find_id(uint16_t id);
const struct ag_capability_function *
ag_capabilities_find_function(const struct ag_capability *capability, const char *name,
                              size_t size);

// Every capability of the table, as the `offered` below.
#define AG_CAPABILITIES_ALL UINT64_MAX
// The bit of one capability in `offered`. Ids are below 64 as yet.
#define AG_CAPABILITIES_BIT(id) ((uint64_t)1 << (id))

// Whether a capability is among those that the plug-in needs.
bool ag_capabilities_needs(const struct ag_plugin_metadata *metadata, uint16_t id);

// AG_ERR_FILE_CAPABILITY unless each need is met by a capability of the table that is in
// `offered` (a board without analogue inputs leaves AG_CAPABILITY_ADC out).
AG_MUST_CHECK enum ag_status ag_capabilities_check(const struct ag_plugin_metadata *metadata,
                                                   uint64_t offered);

#endif
