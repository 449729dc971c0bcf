// SPDX-License-Identifier: Apache-2.0
// What the benches share.
#include "bench/bench.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/build/assemble.h"
#include "cli/build/check.h"
#include "cli/build/compile.h"
#include "cli/build/project.h"
#include "cli/cli.h"
#include "cli/signing.h"

double bench_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void bench_times_add(struct bench_times *times, double ms)
{
    if (times->count == times->capacity) {
        times->capacity = times->capacity * 2 + 64;
        times->ms = realloc(times->ms, times->capacity * sizeof *times->ms);
        if (!times->ms)
            abort();
    }
    times->ms[times->count++] = ms;
}

static int compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;
    return (*left > *right) - (*left < *right);
}

double bench_times_percentile(struct bench_times *times, unsigned percent)
{
    if (times->count == 0)
        return 0;
    qsort(times->ms, times->count, sizeof *times->ms, compare);
    const size_t rank = (times->count * percent + 99) / 100;
    return times->ms[rank > 0 ? rank - 1 : 0];
}

void bench_times_clear(struct bench_times *times)
{
    free(times->ms);
    *times = (struct bench_times){ 0 };
}

bool bench_plugin_open(const char *folder, struct bench_plugin *plugin)
{
    struct ag_project project;
    struct ag_compile_output output;
    struct ag_module module;
    bool made = false;
    if (!ag_project_open(folder, &project))
        return false;
    if (ag_compile_project(&project, NULL, 0, false, &output) &&
        ag_module_open(&module, output.bytes, output.size) == AG_OK) {
        made = ag_check_exports(&module) && ag_check_imports(&module, &project.metadata);
        project.metadata.memory_size = ag_assemble_memory_of(&module, output.data_end).size;
        ag_module_clear(&module);
    }
    if (made) {
        plugin->metadata = project.metadata;
        plugin->linked = output.bytes;
        plugin->linked_size = output.size;
    } else {
        free(output.bytes);
    }
    free(output.debug);
    ag_project_close(&project);
    return made;
}

void bench_plugin_close(struct bench_plugin *plugin)
{
    free(plugin->linked);
    *plugin = (struct bench_plugin){ 0 };
}

bool bench_plugin_make(const struct bench_plugin *plugin, uint32_t version,
                       const struct ag_keyfile *key, struct ag_buffer *file)
{
    struct ag_plugin_metadata metadata = plugin->metadata;
    struct ag_buffer unsigned_file = { 0 };
    struct ag_module module;
    struct ag_signing_file parts;
    enum ag_status status = ag_module_open(&module, plugin->linked, plugin->linked_size);
    if (status == AG_OK) {
        const struct ag_assemble_memory memory = { .size = metadata.memory_size };
        metadata.version = version;
        ag_assemble_file(&module, &metadata, memory, &unsigned_file);
        ag_module_clear(&module);
        status = ag_signing_open(unsigned_file.bytes, unsigned_file.size, &parts);
    }
    if (status == AG_OK)
        status = ag_signing_add(&parts, key, file);
    ag_buffer_clear(&unsigned_file);
    if (status != AG_OK)
        ag_output_fail_status(status, "cannot make the plug-in %s", plugin->metadata.name);
    return status == AG_OK;
}

const char *bench_build_folder(void)
{
    static char path[PATH_MAX];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0)
        return NULL;
    path[size] = 0;
    for (int up = 0; up < 2; up++) { // build/PRESET/bench/bench_update
        char *slash = strrchr(path, '/');
        if (!slash)
            return NULL;
        *slash = 0;
    }
    return path;
}

const char *bench_path(char *path, const char *folder, const char *name)
{
    const int size = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    if (size < 0 || size >= PATH_MAX)
        abort();
    return path;
}
