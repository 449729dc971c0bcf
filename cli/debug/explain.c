// SPDX-License-Identifier: Apache-2.0
// From a function's index and a byte's offset in a published plug-in file to names and lines.
#include "cli/debug/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/buffer.h"
#include "cli/debug/code_map.h"
#include "cli/debug/names.h"
#include "cli/input.h"
#include "plugin/metadata.h"

static const char hint_same_file[] =
    "give the very file that was published: a signature moves the code, another build changes it";

static bool fail(struct ag_explain *explain, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(struct ag_explain *explain, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(explain->problem, sizeof explain->problem, format, arguments);
    va_end(arguments);
    explain->hint = hint;
    return false;
}

// ---- The file for debugging --------------------------------------------------------------------

// PATH without ".wasm", and ".debug.wasm" behind it; NULL when no such file can be read.
static char *find_by_path(const char *path)
{
    char *found = NULL;
    const size_t size = strlen(path);
    const bool has_suffix = size > 5 && strcmp(path + size - 5, ".wasm") == 0;
    if (asprintf(&found, "%.*s.debug.wasm", (int)(has_suffix ? size - 5 : size), path) >= 0 &&
        access(found, R_OK) == 0)
        return found;
    free(found);
    return NULL;
}

// NAME-VERSION.debug.wasm in the same folder, for a file that goes by another name.
static char *find_by_metadata(const char *path, const struct ag_module *module)
{
    struct ag_plugin_metadata metadata;
    char *found = NULL;
    const struct ag_section *section = ag_module_custom(module, AG_SECTIONS_METADATA);
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    if (!section || ag_metadata_read(section->payload, section->payload_size, &metadata) != AG_OK ||
        strchr(metadata.name, '/'))
        return NULL;
    if (asprintf(&found, "%.*s%s-%u.debug.wasm", folder, path, metadata.name, metadata.version) >=
            0 &&
        access(found, R_OK) == 0)
        return found;
    free(found);
    return NULL;
}

static bool is_unstripped(const struct ag_module *module)
{
    return ag_module_custom(module, ".debug_line") || ag_module_custom(module, "name");
}

static char *find_debug(const char *path, const struct ag_module *module)
{
    char *found = find_by_path(path);
    if (!found)
        found = find_by_metadata(path, module);
    return found || !is_unstripped(module) ? found : strdup(path);
}

static bool open_debug(struct ag_explain *explain, const char *path)
{
    size_t size;
    if (!ag_input_read(explain->debug_path, AG_INPUT_DEBUG_MAX, &explain->debug_bytes, &size))
        return false; // which has been printed
    const enum ag_status status = ag_module_open(&explain->debug, explain->debug_bytes, size);
    if (status != AG_OK)
        return fail(explain, "take the .debug.wasm that airgraft build made together with the file",
                    "%s is no module for debugging: %s (%s, %d)", explain->debug_path,
                    ag_status_text(status), ag_status_name(status), (int)status);
    if (ag_code_map_agrees(&explain->module, &explain->debug))
        return true;
    ag_module_clear(&explain->debug);
    return fail(explain, "take the .debug.wasm that airgraft build made together with the file",
                "%s does not belong to %s: its code is another", explain->debug_path, path);
}

bool ag_explain_open(struct ag_explain *explain, const char *path, const uint8_t *bytes,
                     size_t size, const char *debug_path)
{
    *explain = (struct ag_explain){ .hint = "" };
    const enum ag_status status = ag_module_open(&explain->module, bytes, size);
    if (status != AG_OK)
        return fail(explain, ag_status_hint(status), "%s: %s (%s, %d)", path,
                    ag_status_text(status), ag_status_name(status), (int)status);
    explain->debug_path = debug_path ? strdup(debug_path) : find_debug(path, &explain->module);
    if (!explain->debug_path || open_debug(explain, path))
        return true;
    free(explain->debug_path);
    explain->debug_path = NULL;
    return false;
}

void ag_explain_close(struct ag_explain *explain)
{
    ag_module_clear(&explain->debug);
    ag_module_clear(&explain->module);
    free(explain->debug_bytes);
    free(explain->debug_path);
    *explain = (struct ag_explain){ .hint = "" };
}

// ---- A place -----------------------------------------------------------------------------------

static bool check_function(struct ag_explain *explain, uint32_t function)
{
    uint32_t imported;
    const uint32_t count = ag_code_map_functions(&explain->module, &imported);
    if (function < count)
        return true;
    return fail(explain, hint_same_file, "there is no function %u: the file has %u", function,
                count);
}

static bool find_spot(struct ag_explain *explain, uint32_t function, uint32_t offset,
                      struct ag_code_map_spot *spot)
{
    const struct ag_module *debug = explain->debug_path ? &explain->debug : &explain->module;
    const enum ag_code_map_outcome outcome =
        ag_code_map_find(&explain->module, debug, offset, spot);
    if (outcome == AG_CODE_MAP_OUTSIDE)
        return fail(explain, hint_same_file, "byte %u lies in no function's code", offset);
    if (outcome == AG_CODE_MAP_UNLIKE)
        return fail(explain, "airgraft inspect tells whether the file is whole",
                    "the code of the file is not well formed");
    if (function != AG_EXPLAIN_NO_FUNCTION && spot->function != function)
        return fail(explain, hint_same_file, "byte %u lies in function %u, not in %u", offset,
                    spot->function, function);
    if (outcome == AG_CODE_MAP_BETWEEN)
        return fail(explain, hint_same_file,
                    "byte %u lies within an instruction: nothing traps there", offset);
    return true;
}

static void look_up(const struct ag_explain *explain, uint32_t address,
                    struct ag_explanation *explanation)
{
    const char *path = explain->debug_path;
    const size_t size = sizeof explanation->hint;
    if (!ag_module_custom(&explain->debug, ".debug_line")) {
        snprintf(explanation->hint, size, "%s has no line table: compile with -g", path);
        return;
    }
    switch (ag_symbolizer_find(path, address, &explanation->frames)) {
    case AG_SYMBOLIZER_FOUND:
        return;
    case AG_SYMBOLIZER_UNKNOWN:
        snprintf(explanation->hint, size, "%s says no line for this instruction", path);
        return;
    case AG_SYMBOLIZER_ABSENT:
        snprintf(explanation->hint, size,
                 "install llvm-symbolizer (Debian: apt install llvm) to see the line");
        return;
    case AG_SYMBOLIZER_FAILED:
        snprintf(explanation->hint, size, "llvm-symbolizer cannot read the line table of %s", path);
        return;
    }
}

bool ag_explain_place(struct ag_explain *explain, uint32_t function, uint32_t offset,
                      struct ag_explanation *explanation)
{
    struct ag_code_map_spot spot = { .function = function };
    *explanation = (struct ag_explanation){ .offset = offset };
    if (offset != 0 && !find_spot(explain, function, offset, &spot))
        return false;
    if (offset == 0 && !check_function(explain, function))
        return false;
    explanation->function = spot.function;
    if (explain->debug_path)
        explanation->name =
            ag_symbolizer_demangle(ag_names_function(&explain->debug, spot.function));
    if (!explanation->name)
        explanation->name =
            ag_symbolizer_demangle(ag_names_function(&explain->module, spot.function));
    if (!explain->debug_path)
        snprintf(explanation->hint, sizeof explanation->hint,
                 "keep NAME-VERSION.debug.wasm of airgraft build beside the file to see the line");
    else if (offset != 0)
        look_up(explain, spot.address, explanation);
    return true;
}

void ag_explain_clear(struct ag_explanation *explanation)
{
    ag_symbolizer_clear(&explanation->frames);
    free(explanation->name);
    *explanation = (struct ag_explanation){ 0 };
}

static void append_frame(struct ag_buffer *text, const struct ag_symbolizer_frame *frame,
                         const char *otherwise)
{
    char number[16];
    const char *name = frame->function[0] ? frame->function : otherwise;
    ag_buffer_append(text, name, strlen(name));
    if (!frame->file[0])
        return;
    ag_buffer_append(text, " at ", 4);
    ag_buffer_append(text, frame->file, strlen(frame->file));
    if (frame->line > 0)
        ag_buffer_append(text, number, (size_t)snprintf(number, sizeof number, ":%u", frame->line));
}

char *ag_explain_line(const struct ag_explanation *explanation)
{
    static const char inlined[] = ", inlined into ";
    const struct ag_symbolizer_frames *frames = &explanation->frames;
    struct ag_buffer text = { 0 };
    if (frames->count == 0)
        return explanation->name ? strdup(explanation->name) : NULL;
    for (size_t i = 0; i < frames->count; i++) {
        ag_buffer_append(&text, inlined, i > 0 ? sizeof inlined - 1 : 0);
        append_frame(&text, &frames->items[i], explanation->name ? explanation->name : "?");
    }
    ag_buffer_append_u8(&text, 0);
    return (char *)text.bytes;
}
