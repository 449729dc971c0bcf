// SPDX-License-Identifier: Apache-2.0
// Loading: how long it takes to translate a module, and to open what was translated and make an
// instance, as a host does at each start; and that the time of both grows no faster than the
// module, whatever its shape.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "bench/bench.h"
#include "bench/engine.h"
#include "cli/cli.h"
#include "cli/signing.h"
#include "host/instance.h"

enum {
    SAMPLES_MAX = 101,
    SHAPE_SAMPLES = 3,
    LONG_MS = 500,
    SCRATCH_MORE = 1 << 20, // where the recommended size is too small: blocks by the thousand
    LARGE_STACK = 16384,    // of an instance of the large module
    SECTION_FUNCTION = 3,
    SECTION_CODE = 10,
    SIZE_MIN = 1024,
    SIZE_MAX_QUICK = 16 << 10,
};

// A module with its image.
struct loaded {
    const char *name;
    const uint8_t *module; // borrowed
    size_t module_size;
    ag_wasm_resolve resolve;
    struct ag_buffer code;
    struct ag_wasm_report report;
    struct ag_wasm_image image;
    uint8_t *block; // of the instance, owned
    uint32_t block_size;
    uint32_t stack_size;
    uint32_t scratch_size;
};

static enum ag_status write_code(void *context, const void *bytes, uint32_t size)
{
    ag_buffer_append(context, bytes, size);
    return AG_OK;
}

static enum ag_status forget(void *context, const void *bytes, uint32_t size)
{
    (void)context, (void)bytes, (void)size;
    return AG_OK;
}

static enum ag_status take_function(void *context, const struct ag_wasm_import *import,
                                    uint16_t *id)
{
    (void)context, (void)id;
    return import->type.kind == AG_WASM_FUNCTION ? AG_OK : AG_ERR_WASM_IMPORT;
}

static enum ag_status refuse_call(void *context, struct ag_wasm_instance *instance, uint16_t id,
                                  uint32_t *slots)
{
    (void)context, (void)instance, (void)id, (void)slots;
    return AG_ERR_UNSUPPORTED;
}

// ---- The steps that are timed ----

static enum ag_status translate(struct loaded *loaded, bool is_kept)
{
    static uint64_t scratch[SCRATCH_MORE / sizeof(uint64_t)];
    const struct ag_wasm_translation how = {
        .write = is_kept ? write_code : forget,
        .resolve = loaded->resolve,
        .context = &loaded->code,
        .scratch = scratch,
        .scratch_size = loaded->scratch_size,
    };
    return ag_wasm_translate(loaded->module, (uint32_t)loaded->module_size, &how, &loaded->report);
}

static enum ag_status open_image(struct loaded *loaded)
{
    enum ag_status status =
        ag_wasm_image_open(&loaded->image, loaded->module, (uint32_t)loaded->module_size,
                           loaded->code.bytes, (uint32_t)loaded->code.size);
    if (status == AG_OK)
        status = ag_wasm_image_resolve(&loaded->image, loaded->resolve, NULL);
    return status;
}

static enum ag_status make_instance(struct loaded *loaded)
{
    const struct ag_wasm_instance_options options = { .stack_size = loaded->stack_size,
                                                      .call = refuse_call };
    struct ag_wasm_instance *instance;
    return ag_wasm_instance_make(loaded->block, loaded->block_size, &loaded->image, &options,
                                 &instance);
}

static enum ag_status translate_away(struct loaded *loaded)
{
    return translate(loaded, false);
}

static enum ag_status open_and_make(struct loaded *loaded)
{
    const enum ag_status status = open_image(loaded);
    return status == AG_OK ? make_instance(loaded) : status;
}

// ---- Timing ----

// The median milliseconds of a step, each sample as many repetitions as take sample_ms. A step that
// is so slow that the samples fill LONG_MS is sampled no more.
static bool time_step(struct loaded *loaded, enum ag_status (*step)(struct loaded *loaded),
                      size_t samples, double sample_ms, double *ms)
{
    const double begin = bench_cpu_ms();
    double times[SAMPLES_MAX];
    size_t taken = 0;
    while (taken < samples && (taken == 0 || bench_cpu_ms() - begin < LONG_MS)) {
        const double start = bench_cpu_ms();
        double now;
        uint32_t count = 0;
        do {
            const enum ag_status status = step(loaded);
            if (status != AG_OK) {
                ag_output_fail_status(status, "%s cannot be loaded", loaded->name);
                return false;
            }
            count++;
            now = bench_cpu_ms();
        } while (now - start < sample_ms);
        times[taken++] = (now - start) / count;
    }
    *ms = bench_median(times, taken);
    return true;
}

static void close_loaded(struct loaded *loaded)
{
    free(loaded->block);
    ag_buffer_clear(&loaded->code);
}

// Translates and makes room for an instance.
static bool open_loaded(struct loaded *loaded)
{
    const struct ag_wasm_instance_options options = { .stack_size = loaded->stack_size };
    loaded->scratch_size = AG_WASM_SCRATCH;
    enum ag_status status = translate(loaded, true);
    if (status == AG_ERR_WASM_LIMIT) {
        loaded->scratch_size = SCRATCH_MORE;
        loaded->code.size = 0;
        status = translate(loaded, true);
    }
    if (status == AG_OK)
        status = open_image(loaded);
    if (status == AG_OK)
        status = ag_wasm_instance_size(&loaded->image, &options, &loaded->block_size);
    if (status == AG_OK)
        loaded->block = ag_buffer_allocate(1, loaded->block_size);
    else
        ag_output_fail_status(status, "%s is refused at byte %u", loaded->name,
                              loaded->report.offset);
    return status == AG_OK;
}

static void set_number(json_t *figures, const char *name, const char *what, double value)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", name, what);
    json_object_set_new(figures, key, json_real(value));
}

static void set_count(json_t *figures, const char *name, const char *what, size_t value)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", name, what);
    json_object_set_new(figures, key, json_integer((json_int_t)value));
}

// ---- Two modules as they are met with ----

// The body of a section; an empty one when there is none.
static struct ag_reader section(const struct loaded *loaded, uint8_t wanted)
{
    struct ag_reader reader;
    ag_reader_init(&reader, loaded->module, loaded->module_size);
    (void)ag_reader_bytes(&reader, 8);
    while (ag_reader_left(&reader) > 0) {
        const uint8_t id = ag_reader_u8(&reader);
        struct ag_reader body = ag_reader_sub(&reader, ag_reader_leb_u32(&reader));
        if (id == wanted)
            return body;
    }
    ag_reader_init(&reader, NULL, 0);
    return reader;
}

static bool measure_module(struct loaded *loaded, const struct bench_engine_options *options,
                           json_t *figures)
{
    double open_ms;
    double translate_ms;
    struct ag_reader functions = section(loaded, SECTION_FUNCTION);
    const struct ag_reader code = section(loaded, SECTION_CODE);
    if (!open_loaded(loaded) ||
        !time_step(loaded, open_and_make, options->samples, options->sample_ms / 5, &open_ms) ||
        !time_step(loaded, translate_away, options->samples, options->sample_ms, &translate_ms))
        return false;
    const size_t code_size = ag_reader_left(&code);
    set_count(figures, loaded->name, "module_bytes", loaded->module_size);
    set_count(figures, loaded->name, "functions", ag_reader_leb_u32(&functions));
    set_count(figures, loaded->name, "code_section_bytes", code_size);
    set_count(figures, loaded->name, "translated_bytes", loaded->code.size);
    set_number(figures, loaded->name, "translated_ratio",
               (double)loaded->code.size / (double)(code_size > 0 ? code_size : 1));
    set_number(figures, loaded->name, "open_us", open_ms * 1e3);
    set_number(figures, loaded->name, "translate_ms", translate_ms);
    set_count(figures, loaded->name, "scratch_bytes", loaded->report.scratch_used);
    return true;
}

// The shipped blinky, and the RAM that it needs, all included, as the host computes it.
static bool measure_blinky(const struct bench_engine_options *options, json_t *figures)
{
    char path[PATH_MAX];
    uint8_t *bytes;
    size_t size;
    struct ag_signing_file parts;
    uint32_t ram = 0;
    struct loaded loaded = { .name = "blinky", .resolve = ag_instance_resolve };
    if (!ag_input_read(bench_path(path, bench_build_folder(), "plugins/blinky-10.wasm"),
                       AG_INPUT_PLUGIN_MAX, &bytes, &size))
        return false;
    enum ag_status status = ag_signing_open(bytes, size, &parts);
    loaded.module = bytes;
    loaded.module_size = size;
    loaded.stack_size = parts.metadata.stack_size;
    bool done = status == AG_OK && measure_module(&loaded, options, figures);
    if (done)
        status = ag_instance_size(&loaded.image, parts.metadata.stack_size, &ram);
    if (status != AG_OK)
        ag_output_fail_status(status, "%s cannot be measured", path);
    set_count(figures, "blinky", "ram_bytes", ram);
    close_loaded(&loaded);
    free(bytes);
    return done && status == AG_OK;
}

// This project's device library, compiled with the flags of plug-ins.
static bool measure_large(const struct bench_engine_options *options, json_t *figures)
{
    char path[PATH_MAX];
    uint8_t *bytes;
    size_t size;
    struct loaded loaded = { .name = "large", .resolve = take_function, .stack_size = LARGE_STACK };
    if (!ag_input_read(bench_path(path, bench_build_folder(), "bench/large.wasm"),
                       AG_INPUT_PLUGIN_MAX, &bytes, &size))
        return false;
    loaded.module = bytes;
    loaded.module_size = size;
    const bool done = measure_module(&loaded, options, figures);
    close_loaded(&loaded);
    free(bytes);
    return done;
}

// ---- Shapes ----

// One row: a shape in one size.
static bool measure_size(const struct bench_shape *shape, const struct ag_buffer *module,
                         const struct bench_engine_options *options, json_t *rows)
{
    const size_t samples = options->quick ? 1 : SHAPE_SAMPLES;
    const double sample_ms = options->sample_ms / 5;
    const double size = (double)module->size;
    double translate_ms;
    double open_ms;
    struct loaded loaded = { .name = shape->name,
                             .module = module->bytes,
                             .module_size = module->size,
                             .resolve = take_function };
    const bool done = open_loaded(&loaded) &&
                      time_step(&loaded, translate_away, samples, sample_ms, &translate_ms) &&
                      time_step(&loaded, open_image, samples, sample_ms, &open_ms);
    if (done)
        json_array_append_new(rows, json_pack("{s:I, s:f, s:f, s:I, s:I}", "bytes",
                                              (json_int_t)module->size, "translate_ns_per_byte",
                                              translate_ms * 1e6 / size, "open_ns_per_byte",
                                              open_ms * 1e6 / size, "scratch_bytes",
                                              (json_int_t)loaded.report.scratch_used,
                                              "translated_bytes", (json_int_t)loaded.code.size));
    close_loaded(&loaded);
    return done;
}

// All sizes of a shape, each about four times the one before, until it grows no more.
static bool measure_shape(const struct bench_shape *shape,
                          const struct bench_engine_options *options, json_t *shapes)
{
    const size_t largest = options->quick ? SIZE_MAX_QUICK : 4u << 20;
    json_t *rows = json_array();
    size_t last = 0;
    bool done = true;
    for (size_t size = SIZE_MIN; done && size <= largest; size *= 4) {
        struct ag_buffer module = { 0 };
        shape->make(&module, size);
        if (module.size > last + last / 2)
            done = measure_size(shape, &module, options, rows);
        last = module.size;
        ag_buffer_clear(&module);
    }
    json_object_set_new(shapes, shape->name,
                        json_pack("{s:s, s:o}", "of", shape->what, "sizes", rows));
    return done;
}

bool bench_engine_load(const struct bench_engine_options *options, json_t *figures)
{
    json_t *load = json_object();
    json_t *shapes = json_object();
    struct ag_progress progress;
    ag_progress_begin(&progress, "loading");
    bool done = measure_blinky(options, load) && measure_large(options, load);
    for (size_t i = 0; done && i < bench_shape_count; i++) {
        ag_progress_text(&progress, bench_shapes[i].what);
        done = measure_shape(&bench_shapes[i], options, shapes);
    }
    ag_progress_end(&progress);
    json_object_set_new(load, "shapes", shapes);
    json_object_set_new(figures, "load", load);
    return done;
}
