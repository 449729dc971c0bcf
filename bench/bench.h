// SPDX-License-Identifier: Apache-2.0
// What the benches share: a clock, percentiles, plug-in files in any number of versions.
#ifndef AG_BENCH_BENCH_H
#define AG_BENCH_BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buffer.h"
#include "cli/keyfile.h"
#include "plugin/metadata.h"

// Milliseconds of a clock that never jumps.
double bench_now_ms(void);

// Times in the order in which they were taken.
struct bench_times {
    double *ms;
    size_t count;
    size_t capacity;
};
void bench_times_add(struct bench_times *times, double ms);
// The value below which `percent` of the times lie (nearest rank). Sorts them. 0 when empty.
double bench_times_percentile(struct bench_times *times, unsigned percent);
void bench_times_clear(struct bench_times *times);

// A compiled project, out of which files of any version are made.
struct bench_plugin {
    struct ag_plugin_metadata metadata;
    uint8_t *linked; // the module as the linker made it
    size_t linked_size;
};
// Compiles bench/plugins/NAME or another folder. False with the error printed.
bool bench_plugin_open(const char *folder, struct bench_plugin *plugin);
void bench_plugin_close(struct bench_plugin *plugin);
// A signed file of this version; release it with ag_buffer_clear. False with the error printed.
bool bench_plugin_make(const struct bench_plugin *plugin, uint32_t version,
                       const struct ag_keyfile *key, struct ag_buffer *file);

// FOLDER/NAME in `path`, which holds PATH_MAX bytes. Ends the program when it does not fit.
const char *bench_path(char *path, const char *folder, const char *name);

// The folder in which this program's siblings lie: build/PRESET. NULL when it is unknown.
const char *bench_build_folder(void);

// The parts. `quick`: few rounds, for tests; the figures then mean nothing.

// Installs files over an in-memory connection, with fsync, and beside it the floor. Sets
// install_… and flash_… in *figures. `folder` is on a real disk; `key` signs.
bool bench_install(const char *folder, const struct ag_keyfile *key, bool quick, json_t *figures);

// Updates a host by a hub, over TLS. Sets patch_…, host_…, idle_wakeups_per_s, wire_….
// `folder` is empty but for authority.key and trust.
bool bench_fleet(const char *folder, const struct ag_keyfile *key, bool quick, json_t *figures);

// Bytes that a plug-in costs. Sets file_overhead_bytes, blinky_ram_bytes.
bool bench_bytes(const char *folder, const struct ag_keyfile *key, bool quick, json_t *figures);

#endif
