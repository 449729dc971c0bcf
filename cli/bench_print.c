// SPDX-License-Identifier: Apache-2.0
// The figures of benches, for people.
#include "cli/bench_print.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"

// Of the engine, in the order of printing; budgets of DESIGN 9.
static const struct ag_bench_figure engine_figures[] = {
    { "geomean_vs_native", "time against native gcc -O2, geometric mean", "x", 7.3 },
    { "geomean_vs_wabt", "times as fast as wabt's interpreter, geometric mean", "x", 0 },
    { "metering_cost_percent", "metering costs", "%", 5 },
};

static const struct ag_bench_figure load_figures[] = {
    { "blinky_open_us", "blinky: open what is translated, make an instance", "us", 20 },
    { "blinky_ram_bytes", "  RAM of its instance, all included", "bytes", 464 },
    { "large_module_bytes", "large module: the device library itself", "bytes", 0 },
    { "large_functions", "  its functions", "", 0 },
    { "large_open_us", "  open what is translated, make an instance", "us", 300 },
    { "large_translate_ms", "  validate and translate", "ms", 3 },
    { "large_scratch_bytes", "  RAM for that", "bytes", 0 },
    { "large_translated_ratio", "  translated code against its code section", "x", 2 },
};

static void print_figure(const struct ag_bench_figure *figure, const json_t *value)
{
    const double number = json_number_value(value);
    const bool over = figure->budget > 0 && number > figure->budget;
    printf("%-54s %s%12.*f%s %-5s", figure->label,
           over ? ag_output_colour(stdout, AG_COLOUR_BAD) : "", json_is_integer(value) ? 0 : 2,
           number, over ? ag_output_colour(stdout, AG_COLOUR_NONE) : "", figure->unit);
    if (figure->budget > 0)
        printf("  budget %g%s", figure->budget, over ? "  OVER" : "");
    printf("\n");
}

void ag_bench_print_figures(const struct ag_bench_figure *rows, size_t count, const json_t *figures)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(figures, rows[i].key);
        if (json_is_number(value))
            print_figure(&rows[i], value);
    }
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void print_kernel(const char *name, const json_t *kernel)
{
    printf("%-16s %10.3f %10.3f %9.2f", name, number(kernel, "native_ms"),
           number(kernel, "engine_ms"), number(kernel, "vs_native"));
    if (json_is_number(json_object_get(kernel, "vs_wabt")))
        printf(" %11.2f", number(kernel, "vs_wabt"));
    else
        printf(" %11s", "-");
    printf(" %9.1f %% %12.0f\n", number(kernel, "metering_cost_percent"), number(kernel, "fuel"));
}

// One line: how many nanoseconds a byte takes in modules of this shape, from small to large.
static void print_shape(const json_t *shape)
{
    enum {
        COLUMNS = 7,
    };
    const json_t *sizes = json_object_get(shape, "sizes");
    const size_t count = json_array_size(sizes);
    const json_t *last = json_array_get(sizes, count - 1);
    printf("  %-40s", json_string_value(json_object_get(shape, "of")));
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i < count)
            printf(" %6.1f", number(json_array_get(sizes, i), "translate_ns_per_byte"));
        else
            printf(" %6s", "");
    }
    printf(" %8.0f %7.0f\n", number(last, "bytes") / 1024, number(last, "scratch_bytes"));
}

static void print_load(const json_t *load)
{
    const char *name;
    json_t *shape;
    printf("\n");
    ag_bench_print_figures(load_figures, sizeof load_figures / sizeof load_figures[0], load);
    printf("\nTranslating, ns a byte, modules of     1 KB   4 KB  16 KB  64 KB 256 KB   1 MB   4 MB"
           "  last KB its RAM\n");
    json_object_foreach(json_object_get(load, "shapes"), name, shape)
    {
        print_shape(shape);
    }
}

void ag_bench_print_engine(json_t *figures)
{
    const char *name;
    json_t *value;
    printf("%-16s %10s %10s %9s %11s %11s %12s\n", "kernel", "native ms", "engine ms", "x native",
           "x wabt fast", "metering", "fuel");
    json_object_foreach(figures, name, value)
    {
        if (json_is_object(value) && strcmp(name, "load") != 0)
            print_kernel(name, value);
    }
    ag_bench_print_figures(engine_figures, sizeof engine_figures / sizeof engine_figures[0],
                           figures);
    if (json_is_object(json_object_get(figures, "load")))
        print_load(json_object_get(figures, "load"));
}
