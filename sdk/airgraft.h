// SPDX-License-Identifier: Apache-2.0
// airgraft plug-in ABI v1, for plug-ins in C.
//
// A plug-in defines initialize and execute, and calls the functions below. Each belongs to a
// capability; `airgraft build` sees which ones a plug-in uses and writes that into the file, so
// that a host without one of them refuses the plug-in before it downloads it.
//
// Text and bytes go over as pointer and size, without a final NUL. A result of 0 or more is a
// success; a negative one is the negated number of a status, see AIRGRAFT_ERR_… (the whole list is
// src/base/status_table.h). A pointer outside of the plug-in's memory is a trap.
#ifndef AIRGRAFT_H
#define AIRGRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AIRGRAFT_ABI 1

#define AIRGRAFT_IMPORT(module, function)                                                          \
    __attribute__((import_module(module), import_name(function)))
#define AIRGRAFT_EXPORT(function) __attribute__((export_name(function), used))

// ---- What a plug-in defines --------------------------------------------------------------

// Called once, before the first execute. 0 when the plug-in is ready; anything else stops it, and
// a new version that does so is rolled back.
AIRGRAFT_EXPORT("initialize") int32_t initialize(void);

// Called once per period (`period_ms` in plugin.json, PeriodMs in the twin). A call that needs more
// than `fuel_per_run` instructions is a trap; calls of the host count by what they take.
AIRGRAFT_EXPORT("execute") void execute(void);

// Optional. Write AIRGRAFT_SHUTDOWN before the definition of `void shutdown(void)`, which is called
// when the plug-in is stopped in good order, and AIRGRAFT_ON_SETTINGS before that of
// `void on_settings(void)`, which is called when its settings have changed.
#define AIRGRAFT_SHUTDOWN    AIRGRAFT_EXPORT("shutdown")
#define AIRGRAFT_ON_SETTINGS AIRGRAFT_EXPORT("on_settings")

// `int healthy(void)`, which is called once, when its trial is done: 0 if all is well.
#define AIRGRAFT_HEALTHY AIRGRAFT_EXPORT("healthy")

// Optional. AIRGRAFT_ON_METHOD before the definition of `void on_method(void)`, which is called
// when somebody calls a direct method of the plug-in, PLUGIN.NAME; see the functions of `method`
// below. It has the budget of a run. Without an answer of its own the caller gets 200.
#define AIRGRAFT_ON_METHOD AIRGRAFT_EXPORT("on_method")

// ---- Failures ----------------------------------------------------------------------------

enum airgraft_error {
    AIRGRAFT_ERR_MALFORMED = -1002,   // the data is not in its format
    AIRGRAFT_ERR_NO_SPACE = -1003,    // a fixed buffer or queue of the host is full
    AIRGRAFT_ERR_NOT_FOUND = -1004,   // no such item
    AIRGRAFT_ERR_ARGUMENT = -1006,    // an argument is out of its range
    AIRGRAFT_ERR_UNSUPPORTED = -1007, // not on this host
    AIRGRAFT_ERR_DATA_QUOTA = -1709,  // `data` in plugin.json leaves no room for it
    AIRGRAFT_ERR_PIN = -1801,         // the board has no such pin, or it cannot do this
};

// ---- log: lines in the host's log --------------------------------------------------------

enum airgraft_log_level {
    AIRGRAFT_LOG_ERROR,
    AIRGRAFT_LOG_WARNING,
    AIRGRAFT_LOG_INFO,
    AIRGRAFT_LOG_DEBUG,
};

// One line, without line end.
AIRGRAFT_IMPORT("log", "write")
void airgraft_log_write(enum airgraft_log_level level, const char *text, size_t size);

// ---- clock -------------------------------------------------------------------------------

// Milliseconds since the board started. Never goes back.
AIRGRAFT_IMPORT("clock", "uptime_ms") int64_t airgraft_clock_uptime_ms(void);

// Seconds since 1970 (UTC), or negative when the board does not know the time for certain.
AIRGRAFT_IMPORT("clock", "unix_time") int64_t airgraft_clock_unix_time(void);

// ---- gpio: pins, from 0 ------------------------------------------------------------------

enum airgraft_pin_mode {
    AIRGRAFT_PIN_INPUT,
    AIRGRAFT_PIN_INPUT_PULL_UP,
    AIRGRAFT_PIN_INPUT_PULL_DOWN,
    AIRGRAFT_PIN_OUTPUT,
};

// 0 or AIRGRAFT_ERR_PIN.
AIRGRAFT_IMPORT("gpio", "configure")
int32_t airgraft_gpio_configure(uint32_t pin, enum airgraft_pin_mode mode);
AIRGRAFT_IMPORT("gpio", "write") int32_t airgraft_gpio_write(uint32_t pin, int32_t level);
// 0, 1 or AIRGRAFT_ERR_PIN.
AIRGRAFT_IMPORT("gpio", "read") int32_t airgraft_gpio_read(uint32_t pin);

// ---- adc: analogue inputs and simple sensors, from 0 -------------------------------------

// A sample into *value, in the unit that the board documents. 0 or AIRGRAFT_ERR_PIN.
AIRGRAFT_IMPORT("adc", "read") int32_t airgraft_adc_read(uint32_t channel, int32_t *value);

// ---- settings: the plug-in's Settings in the device twin ---------------------------------

// A member that is a whole number, or true (1) or false (0); in every other case `otherwise`.
AIRGRAFT_IMPORT("settings", "get_int")
int64_t airgraft_settings_get_int(const char *key, size_t key_size, int64_t otherwise);

// A member that is a text: copies at most `capacity` bytes of it and returns its whole size, or
// AIRGRAFT_ERR_NOT_FOUND. No NUL is added.
AIRGRAFT_IMPORT("settings", "get_text")
int32_t airgraft_settings_get_text(const char *key, size_t key_size, char *buffer, size_t capacity);

// ---- report: reported properties of the plug-in ------------------------------------------

// Set or remove a member; the twin gets it with the host's next report. Setting the same value
// again costs nothing. 0, AIRGRAFT_ERR_ARGUMENT for a key that is empty or too long, or
// AIRGRAFT_ERR_NO_SPACE: what there is serves all plug-ins, the last quarter those that have few.
AIRGRAFT_IMPORT("report", "set_int")
int32_t airgraft_report_set_int(const char *key, size_t key_size, int64_t value);
AIRGRAFT_IMPORT("report", "set_bool")
int32_t airgraft_report_set_bool(const char *key, size_t key_size, int32_t value);
AIRGRAFT_IMPORT("report", "set_text")
int32_t airgraft_report_set_text(const char *key, size_t key_size, const char *text, size_t size);
AIRGRAFT_IMPORT("report", "remove")
int32_t airgraft_report_remove(const char *key, size_t key_size);

// ---- telemetry ---------------------------------------------------------------------------

// Queues one device-to-cloud message, which should be JSON. 0, AIRGRAFT_ERR_ARGUMENT for one
// that is too long, or AIRGRAFT_ERR_NO_SPACE when the queue is full: then try in a later run.
AIRGRAFT_IMPORT("telemetry", "send")
int32_t airgraft_telemetry_send(const void *bytes, size_t size);

// ---- store: the plug-in's own data, which outlives runs, resets and updates --------------
//
// Pairs of key (1 to 32 bytes) and value (any bytes). `data` in plugin.json says how many bytes
// they may take: key, value and 3 more for each pair. They are held in RAM: reading costs no flash.
//
// When it lasts. What one call of initialize, execute, on_settings or shutdown changes is kept
// whole or not at all. It is on flash when the call has ended, before the next one begins, with one
// write however much was changed, and none if nothing was. A plug-in that changes something in
// every run would wear the flash out: its first 8 writes are done like that, then one a minute, and
// what changes in between is gathered. A cut of the power, a reset or a trap leaves what was on
// flash last: whole runs may be missing, from the last one backwards, but never a part of one.
// Shutdown and updates write what is gathered.
//
// Whose it is. A new version starts with what the version before it last saw, and writes its own:
// if it fails its trial, or falls back later, the version before finds what it last saw itself,
// untouched. So read what older versions wrote and, where a downgrade was allowed, newer ones.
// Removing the plug-in removes its data; nobody else reads it.

// Copies at most `capacity` bytes of the value and returns its whole size, or
// AIRGRAFT_ERR_NOT_FOUND.
AIRGRAFT_IMPORT("store", "get")
int32_t airgraft_store_get(const char *key, size_t key_size, void *buffer, size_t capacity);

// Sets or replaces a value. 0, AIRGRAFT_ERR_ARGUMENT for a key that is empty or too long, or
// AIRGRAFT_ERR_DATA_QUOTA: then nothing has changed.
AIRGRAFT_IMPORT("store", "set")
int32_t airgraft_store_set(const char *key, size_t key_size, const void *bytes, size_t size);

// 0 or AIRGRAFT_ERR_NOT_FOUND.
AIRGRAFT_IMPORT("store", "remove")
int32_t airgraft_store_remove(const char *key, size_t key_size);

// Copies at most `capacity` bytes of the key with this number, counted from 0 in no certain order,
// and returns its whole size; AIRGRAFT_ERR_NOT_FOUND behind the last. Setting and removing
// renumbers.
AIRGRAFT_IMPORT("store", "key")
int32_t airgraft_store_key(uint32_t index, char *buffer, size_t capacity);

// Bytes that are left.
AIRGRAFT_IMPORT("store", "room") int32_t airgraft_store_room(void);

// 1 while something, of this run or gathered from earlier ones, is not on flash yet; else 0. One
// who must not act on what could be forgotten waits for a run that begins with 0.
AIRGRAFT_IMPORT("store", "pending") int32_t airgraft_store_pending(void);

// ---- method: the direct method that on_method is called for ------------------------------

// Its name, without the plug-in's; and its payload, which is JSON, or empty. Both copy at most
// `capacity` bytes and return the whole size, or AIRGRAFT_ERR_NOT_FOUND outside of on_method.
AIRGRAFT_IMPORT("method", "name") int32_t airgraft_method_name(char *buffer, size_t capacity);
AIRGRAFT_IMPORT("method", "payload") int32_t airgraft_method_payload(char *buffer, size_t capacity);

// The answer: a code as in HTTP (100 to 999), and JSON or nothing. The last one counts. 0,
// AIRGRAFT_ERR_ARGUMENT, AIRGRAFT_ERR_NO_SPACE when it is too long (1,024 bytes), or
// AIRGRAFT_ERR_MALFORMED when it is not JSON.
AIRGRAFT_IMPORT("method", "reply")
int32_t airgraft_method_reply(uint32_t code, const char *json, size_t size);

// ---- random ------------------------------------------------------------------------------

// Fills the buffer from a cryptographic generator.
AIRGRAFT_IMPORT("random", "fill") void airgraft_random_fill(void *buffer, size_t size);

// ---- Shorter forms for literal texts -----------------------------------------------------

#define AIRGRAFT_TEXT(literal) ("" literal), (sizeof(literal) - 1)
#define airgraft_log(literal)  airgraft_log_write(AIRGRAFT_LOG_INFO, AIRGRAFT_TEXT(literal))
#define airgraft_setting(literal, otherwise)                                                       \
    airgraft_settings_get_int(AIRGRAFT_TEXT(literal), otherwise)

#endif
