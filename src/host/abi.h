// SPDX-License-Identifier: Apache-2.0
// The capability functions behind a plug-in's imports. Inside src/host only.
//
// Each takes its arguments from `slots` and leaves its result there (plugin/capabilities.h says
// which). AG_OK: go on; anything else is a trap. Whatever takes the host longer than an instruction
// takes is charged as fuel, so that a slice ends in time whatever a plug-in calls.
#ifndef AG_HOST_ABI_H
#define AG_HOST_ABI_H

#include "host/instance.h"

typedef enum ag_status (*ag_abi_call)(struct ag_instance *instance, uint32_t *slots);

struct ag_abi_entry {
    uint16_t id; // enum ag_call_id
    ag_abi_call call;
    uint16_t fuel; // besides that of the call, whatever the arguments
};

// The entry of `id`; NULL when this host has none.
const struct ag_abi_entry *ag_abi_find(uint16_t id);

// What AG_ABI_LINE costs each line in the log, besides a unit for each byte: a board may write it
// out over a slow line.
#define AG_ABI_LINE 250u

// Linear memory, checked: AG_TRAP_HOST, with a line in the log, for what lies outside.
AG_MUST_CHECK enum ag_status ag_abi_bytes(struct ag_instance *instance, uint32_t address,
                                          uint32_t size, void **bytes);
AG_MUST_CHECK enum ag_status ag_abi_text(struct ag_instance *instance, uint32_t address,
                                         uint32_t size, struct ag_text *text);

// A line into the plug-in's log.
void ag_abi_say(const struct ag_instance *instance, enum ag_log_level level, const char *text,
                size_t size);
// The same out of a host function that runs, which costs fuel.
void ag_abi_log(const struct ag_instance *instance, enum ag_log_level level, const char *text,
                size_t size);

// The i32 result of a call that has only a status: 0, or its negated number.
void ag_abi_answer(uint32_t *slots, enum ag_status status);

enum ag_status ag_abi_log_write(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_clock_uptime_ms(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_clock_unix_time(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_random_fill(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_gpio_configure(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_gpio_write(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_gpio_read(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_adc_read(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_settings_get_int(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_settings_get_text(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_store_get(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_store_set(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_store_remove(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_store_key(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_store_room(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_store_pending(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_report_set_int(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_report_set_bool(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_report_set_text(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_report_remove(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_telemetry_send(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_method_name(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_method_payload(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_method_reply(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_wasi_nothing_get(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_wasi_sizes_get(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_wasi_clock_time_get(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_wasi_fd_write(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_wasi_proc_exit(struct ag_instance *instance, uint32_t *slots);
enum ag_status ag_abi_wasi_random_get(struct ag_instance *instance, uint32_t *slots);

#endif
