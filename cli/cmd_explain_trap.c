// SPDX-License-Identifier: Apache-2.0
// `airgraft explain-trap`: from the numbers of a trap to a function's name and a line of source.
//
// The numbers come from options, from a report as JSON, or from a device's twin.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/debug/explain.h"
#include "cli/debug/names.h"
#include "cli/service.h"
#include "cli/signing.h"
#include "cli/twin_edit.h"

struct options {
    const char *function;
    const char *offset;
    const char *debug;
    const char *report;
    const char *device;
    struct ag_connection_source source;
    bool json;
};

// What is known of a trap before it is explained.
struct trap {
    char name[64];     // "": not known
    uint32_t function; // AG_EXPLAIN_NO_FUNCTION: not known
    uint32_t offset;   // 0: not known
};

struct file {
    const char *path;
    uint8_t *bytes;
    size_t size;
    struct ag_plugin_metadata metadata; // the name is "" where there is none
};

// ---- Where the numbers come from ---------------------------------------------------------------

// Decimal, or hexadecimal with 0x as other tools print offsets.
static bool parse_number(const char *option, const char *text, uint32_t *number)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value =
        text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, text[1] == 'x' ? 16 : 10) : 0;
    if (end && !*end && errno == 0 && value < UINT32_MAX) {
        *number = (uint32_t)value;
        return true;
    }
    ag_output_misuse("as 412, or 0x19c", "%s takes a whole number, not \"%s\"", option, text);
    return false;
}

static int take_options(const struct options *options, struct trap *trap)
{
    if (!options->function && !options->offset)
        return ag_output_misuse("see airgraft explain-trap --help",
                                "nothing says where it trapped: --offset, --report or --device");
    if ((options->function && !parse_number("--function", options->function, &trap->function)) ||
        (options->offset && !parse_number("--offset", options->offset, &trap->offset)))
        return AG_EXIT_USAGE;
    return AG_EXIT_OK;
}

// The error in a report: an error itself, a plug-in's report, the reported properties or the twin.
static const json_t *find_error(const json_t *report, const char *plugin)
{
    const json_t *properties = json_object_get(report, "properties");
    const json_t *reported = json_object_get(properties ? properties : report, "reported");
    if (!reported)
        reported = report;
    const json_t *modules = json_object_get(reported, "firmware_modules");
    if (modules)
        reported = ag_twin_edit_find(modules, plugin);
    const json_t *error = json_object_get(reported, "error");
    return error ? error : reported;
}

// A number of the report that fits; false when it is there and does not.
static bool take_number(const json_t *error, const char *name, uint32_t *number)
{
    const json_t *value = json_object_get(error, name);
    const json_int_t read = json_integer_value(value);
    if (!value || json_is_null(value))
        return true;
    if (!json_is_integer(value) || read < 0 || read >= UINT32_MAX)
        return false;
    *number = (uint32_t)read;
    return true;
}

static int take_report(const json_t *report, const struct file *file, struct trap *trap)
{
    const json_t *error = find_error(report, file->metadata.name);
    const char *name = ag_service_text(error, "name", "");
    uint32_t version = 0;
    if (!json_is_object(error) || (!name[0] && !json_object_get(error, "offset")))
        return ag_output_fail("airgraft twin reported DEVICE shows what a device reports",
                              "no error of %s is reported", file->metadata.name);
    if (!take_number(error, "function", &trap->function) ||
        !take_number(error, "offset", &trap->offset) || !take_number(error, "version", &version))
        return ag_output_fail("give it as the device reported it", "the report is malformed");
    snprintf(trap->name, sizeof trap->name, "%s", name);
    ag_names_make_printable(trap->name);
    if (version != 0 && file->metadata.version != 0 && version != file->metadata.version)
        return ag_output_fail("give the file of that version",
                              "the report is about version %u, the file is version %u", version,
                              file->metadata.version);
    if (trap->function == AG_EXPLAIN_NO_FUNCTION && trap->offset == 0)
        return ag_output_fail("only what traps in the plug-in's code has a place",
                              "the report names no place: %s", trap->name);
    return AG_EXIT_OK;
}

static int read_report(const char *path, const struct file *file, struct trap *trap)
{
    uint8_t *bytes;
    size_t size;
    json_error_t error;
    if (!ag_input_read(path, AG_INPUT_TEXT_MAX, &bytes, &size))
        return AG_EXIT_FAILED;
    json_t *report = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, &error);
    free(bytes);
    if (!report)
        return ag_output_fail("as airgraft twin reported DEVICE --json prints it", "%s:%d:%d: %s",
                              path, error.line, error.column, error.text);
    const int code = take_report(report, file, trap);
    json_decref(report);
    return code;
}

static int fetch_report(const struct options *options, const struct file *file, struct trap *trap)
{
    char what[200];
    struct ag_connection connection;
    if (!ag_connection_open(&options->source, &connection))
        return AG_EXIT_FAILED;
    snprintf(what, sizeof what, "show the twin of %.130s", options->device);
    json_t *twin = ag_service_fetch(&connection, &(struct ag_service_call){ .method = "GET",
                                                                            .collection = "twins",
                                                                            .id = options->device,
                                                                            .what = what });
    if (!twin)
        return AG_EXIT_FAILED;
    const int code = take_report(twin, file, trap);
    json_decref(twin);
    return code;
}

static int take_trap(const struct options *options, const struct file *file, struct trap *trap)
{
    *trap = (struct trap){ .function = AG_EXPLAIN_NO_FUNCTION };
    if (options->device)
        return fetch_report(options, file, trap);
    if (options->report)
        return read_report(options->report, file, trap);
    return take_options(options, trap);
}

// ---- The answer --------------------------------------------------------------------------------

static json_t *text_or_null(const char *text)
{
    return text && text[0] ? json_string(text) : json_null();
}

static json_t *number_or_null(uint32_t number)
{
    return number != 0 ? json_integer(number) : json_null();
}

static int print_json(const struct trap *trap, const struct ag_explain *explain,
                      const struct ag_explanation *explanation)
{
    json_t *document = json_object();
    json_t *frames = json_array();
    for (size_t i = 0; i < explanation->frames.count; i++) {
        const struct ag_symbolizer_frame *frame = &explanation->frames.items[i];
        json_t *item = json_object();
        json_object_set_new(item, "function", text_or_null(frame->function));
        json_object_set_new(item, "file", text_or_null(frame->file));
        json_object_set_new(item, "line", number_or_null(frame->line));
        json_object_set_new(item, "column", number_or_null(frame->column));
        json_array_append_new(frames, item);
    }
    json_object_set_new(document, "trap", text_or_null(trap->name));
    json_object_set_new(document, "function", json_integer(explanation->function));
    json_object_set_new(document, "name", text_or_null(explanation->name));
    json_object_set_new(document, "offset", number_or_null(explanation->offset));
    json_object_set_new(document, "frames", frames);
    json_object_set_new(document, "debugFile", text_or_null(explain->debug_path));
    json_object_set_new(document, "hint", text_or_null(explanation->hint));
    return ag_output_json(document);
}

static void print_frame(const struct ag_symbolizer_frame *frame, bool is_innermost)
{
    printf("  %s %s", is_innermost ? "in" : "inlined into",
           frame->function[0] ? frame->function : "?");
    if (frame->file[0])
        printf(" at %s", frame->file);
    if (frame->line > 0)
        printf(":%u", frame->line);
    if (frame->line > 0 && frame->column > 0)
        printf(":%u", frame->column);
    printf("\n");
}

static int print_text(const struct trap *trap, const struct ag_explanation *explanation)
{
    if (trap->name[0])
        printf("%s\n", trap->name);
    for (size_t i = 0; i < explanation->frames.count; i++)
        print_frame(&explanation->frames.items[i], i == 0);
    printf("  function %u", explanation->function);
    if (explanation->name)
        printf(" (%s)", explanation->name);
    if (explanation->offset != 0)
        printf(", byte %u (0x%x)", explanation->offset, explanation->offset);
    printf("\n");
    if (explanation->hint[0])
        ag_output_note("%s", explanation->hint);
    return AG_EXIT_OK;
}

static int explain_trap(const struct options *options, const struct file *file,
                        const struct trap *trap)
{
    struct ag_explain explain;
    struct ag_explanation explanation;
    int code = AG_EXIT_FAILED;
    if (ag_explain_open(&explain, file->path, file->bytes, file->size, options->debug) &&
        ag_explain_place(&explain, trap->function, trap->offset, &explanation)) {
        code = options->json ? print_json(trap, &explain, &explanation)
                             : print_text(trap, &explanation);
        ag_explain_clear(&explanation);
    } else if (explain.problem[0]) {
        ag_output_fail(explain.hint, "%s", explain.problem);
    }
    ag_explain_close(&explain);
    return code;
}

// Reports name a plug-in and a version: the file's own say which. A module without them is as good
// where the numbers are given.
static void read_metadata(struct file *file)
{
    struct ag_signing_file parts;
    if (ag_signing_open(file->bytes, file->size, &parts) == AG_OK)
        file->metadata = parts.metadata;
}

static int explain_file(const char *path, const struct options *options)
{
    struct file file = { .path = path };
    struct trap trap;
    if (!ag_input_read(path, AG_INPUT_PLUGIN_MAX, &file.bytes, &file.size))
        return AG_EXIT_FAILED;
    read_metadata(&file);
    int code = take_trap(options, &file, &trap);
    if (code == AG_EXIT_OK)
        code = explain_trap(options, &file, &trap);
    free(file.bytes);
    return code;
}

int cmd_explain_trap(int argc, char **argv)
{
    struct options options = { 0 };
    const struct ag_option rows[] = {
        { "offset", 0, AG_OPTION_TEXT, &options.offset, "N",
          "byte of the file, decimal or 0x hexadecimal", 0, 0 },
        { "function", 0, AG_OPTION_TEXT, &options.function, "N",
          "index of the function; with --offset it is checked", 0, 0 },
        { "report", 0, AG_OPTION_TEXT, &options.report, "JSONFILE",
          "take them from a device's report, a twin, or its\n"
          "\"error\" alone; - is standard input",
          0, 0 },
        { "device", 0, AG_OPTION_TEXT, &options.device, "DEVICE",
          "take them from what this device reports", 0, 0 },
        { "debug", 0, AG_OPTION_TEXT, &options.debug, "FILE",
          "names and lines (default: NAME-VERSION.debug.wasm,\n"
          "which airgraft build leaves, beside FILE)",
          0, 0 },
        { "json", 0, AG_OPTION_FLAG, &options.json, NULL, "print the result as JSON", 0, 0 },
        AG_CONNECTION_STRING_OPTION(&options.source),
        AG_CONNECTION_OPTIONS(&options.source),
    };
    const struct ag_usage usage = {
        .name = "explain-trap",
        .synopsis = "FILE --offset N [--function N]\n"
                    "FILE --report JSONFILE|-\n"
                    "FILE --device DEVICE",
        .summary =
            "Says in which function and line of its source the plug-in FILE trapped, or where it\n"
            "was when its fuel was used up. FILE is the very file that was published, signed as\n"
            "it was: a signature moves the code.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .examples = "airgraft explain-trap blinky-12.wasm --function 3 --offset 0x19c\n"
                    "airgraft explain-trap blinky-12.wasm --device gateway-7 --hub ./hub\n"
                    "airgraft twin reported gateway-7 --json | airgraft explain-trap "
                    "blinky-12.wasm --report -",
        .operand_min = 1,
        .operand_max = 1,
        .environment = AG_CONNECTION_STRING_ENVIRONMENT
        "\n" AG_CONNECTION_ENVIRONMENT
        "\nAIRGRAFT_SYMBOLIZER  the reader of DWARF (default: llvm-symbolizer)",
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    const int sources = (options.offset || options.function) + !!options.report + !!options.device;
    if (sources > 1)
        return ag_output_misuse("see airgraft explain-trap --help",
                                "--offset, --report and --device exclude each other");
    return explain_file(operands[0], &options);
}
