// SPDX-License-Identifier: Apache-2.0
// `airgraft build`: from the C sources of a project to an unsigned plug-in file.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/build/assemble.h"
#include "cli/build/check.h"
#include "cli/build/compile.h"
#include "cli/build/engine.h"
#include "cli/build/project.h"
#include "cli/build/stack.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/debug/code_map.h"
#include "plugin/capabilities.h"

struct options {
    uint64_t version;
    const char *output;
    struct ag_option_list defines;
    bool json;
    bool verbose;
};

// A build that succeeded.
struct result {
    const struct ag_project *project;
    struct ag_compile_output linked;
    struct ag_assemble_memory memory;
    struct ag_buffer file;
    uint32_t code_size;   // translated
    uint32_t stack_bound; // bytes of call stack that it takes at most; 0: not known
    char *path;
    char *debug_path;
};

static char *path_of(const struct options *options, const struct ag_project *project,
                     const char *extension)
{
    char *path;
    const char *folder = options->output ? options->output : project->folder;
    const bool here = strcmp(folder, ".") == 0;
    if (asprintf(&path, "%s%s%s-%u%s", here ? "" : folder, here ? "" : "/", project->metadata.name,
                 project->metadata.version, extension) < 0)
        exit(ag_output_fail("close other programs", "out of memory"));
    return path;
}

static json_t *capabilities_json(const struct ag_plugin_metadata *metadata)
{
    json_t *list = json_object();
    for (size_t i = 0; i < metadata->capability_count; i++) {
        const struct ag_capability_need *need = &metadata->capabilities[i];
        json_object_set_new(list, ag_capabilities_find_id(need->id)->name,
                            json_integer(need->version));
    }
    return list;
}

static int print_json(const struct result *result)
{
    const struct ag_plugin_metadata *metadata = &result->project->metadata;
    json_t *document = json_object();
    json_object_set_new(document, "file", json_string(result->path));
    json_object_set_new(document, "debugFile", json_string(result->debug_path));
    json_object_set_new(document, "name", json_string(metadata->name));
    json_object_set_new(document, "version", json_integer(metadata->version));
    json_object_set_new(document, "epoch", json_integer(metadata->epoch));
    json_object_set_new(document, "fileSize", json_integer((json_int_t)result->file.size));
    json_object_set_new(document, "memory", json_integer(metadata->memory_size));
    json_object_set_new(document, "dataStack", json_integer(result->linked.data_stack));
    json_object_set_new(document, "dataStackIsKnown",
                        json_boolean(result->linked.data_stack_is_known));
    json_object_set_new(document, "keepsPages", json_boolean(result->memory.keeps_pages));
    json_object_set_new(document, "translatedSize", json_integer(result->code_size));
    json_object_set_new(document, "stack", json_integer(metadata->stack_size));
    json_object_set_new(document, "stackBound",
                        result->stack_bound ? json_integer(result->stack_bound) : json_null());
    json_object_set_new(document, "data", json_integer(metadata->data_size));
    json_object_set_new(document, "capabilities", capabilities_json(metadata));
    return ag_output_json(document);
}

static int print_summary(const struct result *result)
{
    const struct ag_plugin_metadata *metadata = &result->project->metadata;
    printf("%s version %u\n", metadata->name, metadata->version);
    printf("  file          %s, %zu bytes, not signed yet\n", result->path, result->file.size);
    printf("  names, lines  %s, for debugging\n", result->debug_path);
    if (result->memory.keeps_pages)
        printf(
            "  memory        %u bytes: pages of 64 KiB stay, as the code grows its memory or asks "
            "for its size\n",
            metadata->memory_size);
    else
        printf("  memory        %u bytes: C stack %u%s, data %u, heap %u\n", metadata->memory_size,
               result->linked.data_stack,
               result->linked.data_stack_is_known ? "" : " (no limit is known)",
               result->linked.data_end - result->linked.data_stack, result->project->heap);
    if (result->stack_bound > 0)
        printf("  call stack    %u bytes, of which it takes %u at most\n", metadata->stack_size,
               result->stack_bound);
    else
        printf("  call stack    %u bytes; recursion or calls through pointers: no limit is known\n",
               metadata->stack_size);
    if (metadata->data_size > 0)
        printf("  own data      %u bytes of keys and values\n", metadata->data_size);
    printf("  on flash      %zu bytes of file, %u of translated code\n", result->file.size,
           result->code_size);
    printf("  capabilities ");
    for (size_t i = 0; i < metadata->capability_count; i++)
        printf("%s %s %u", i > 0 ? "," : "",
               ag_capabilities_find_id(metadata->capabilities[i].id)->name,
               metadata->capabilities[i].version);
    printf("%s\n", metadata->capability_count == 0 ? " none" : "");
    return AG_EXIT_OK;
}

// Sets the memory, whose size came out of linking.
static bool choose_memory(struct ag_project *project, const struct ag_module *module,
                          struct result *result)
{
    const struct ag_compile_output *linked = &result->linked;
    if (project->heap > UINT32_MAX - linked->heap_base) {
        ag_output_fail("make it smaller", "plugin.json: \"heap\" does not fit into 32 bits");
        return false;
    }
    const uint32_t heap_end = linked->heap_base + project->heap;
    result->memory = ag_assemble_memory_of(module, project->heap > 0 ? heap_end : linked->data_end);
    project->metadata.memory_size = result->memory.size;
    return true;
}

// Sets the call stack. Another engine than the one in this program may make larger frames: what
// is found gets a quarter and 32 bytes more.
static bool choose_stack(struct ag_plugin_metadata *metadata, const struct ag_module *module,
                         struct result *result)
{
    const uint32_t given = metadata->stack_size;
    uint32_t bound;
    if (!ag_stack_calls(result->file.bytes, result->file.size, module, &bound)) {
        metadata->stack_size = given > 0 ? given : AG_PROJECT_STACK;
        return true;
    }
    result->stack_bound = bound;
    metadata->stack_size = given > 0 ? given : (bound + bound / 4 + 32 + 7) & ~7u;
    if (given == 0 || given >= bound)
        return true;
    ag_output_fail("leave \"stack\" out of plugin.json",
                   "plugin.json: \"stack\" is %u, but the plug-in takes up to %u bytes", given,
                   bound);
    return false;
}

static bool check_engine(struct result *result)
{
    uint32_t offset;
    const enum ag_status status =
        ag_engine_check(result->file.bytes, result->file.size, &result->code_size, &offset);
    if (status != AG_OK)
        ag_output_fail_status(status, "the engine refuses the module at byte %u", offset);
    return status == AG_OK;
}

// Own data costs RAM: it is there for those who ask for it by their imports.
static void choose_data(struct ag_plugin_metadata *metadata)
{
    const bool stores = ag_capabilities_needs(metadata, AG_CAPABILITY_STORE);
    if (stores && metadata->data_size == 0)
        metadata->data_size = AG_PROJECT_DATA;
    if (stores || metadata->data_size == 0)
        return;
    ag_output_note("\"data\" in plugin.json is for those who call airgraft_store_...: left out");
    metadata->data_size = 0;
}

static bool assemble_module(struct ag_project *project, const struct ag_module *module,
                            struct result *result)
{
    struct ag_plugin_metadata *metadata = &project->metadata;
    if (!ag_check_exports(module) || !ag_check_imports(module, metadata) ||
        !choose_memory(project, module, result))
        return false;
    choose_data(metadata);
    ag_assemble_file(module, metadata, result->memory, &result->file);
    if (!check_engine(result) || !choose_stack(metadata, module, result))
        return false;
    ag_buffer_clear(&result->file); // once more, now that the size of the stack is known
    ag_assemble_file(module, metadata, result->memory, &result->file);
    return true;
}

// Checks the linked module and puts the file together.
static bool assemble(struct ag_project *project, struct result *result)
{
    struct ag_module module;
    const enum ag_status status =
        ag_module_open(&module, result->linked.bytes, result->linked.size);
    if (status != AG_OK) {
        ag_output_fail_status(status, "the linker's module");
        return false;
    }
    const bool done = assemble_module(project, &module, result);
    ag_module_clear(&module);
    return done;
}

// Writes what is kept for debugging. Its code must be that of the file, or every line it tells
// would be a lie; then only the names are kept.
static bool write_debug(const struct result *result)
{
    const struct ag_compile_output *linked = &result->linked;
    struct ag_module module = { 0 };
    struct ag_module debug = { 0 };
    const bool agrees = ag_module_open(&module, result->file.bytes, result->file.size) == AG_OK &&
                        ag_module_open(&debug, linked->debug, linked->debug_size) == AG_OK &&
                        ag_code_map_agrees(&module, &debug);
    ag_module_clear(&module);
    ag_module_clear(&debug);
    if (!agrees)
        ag_output_note("no lines are kept for debugging: with debug information, the linker makes "
                       "other code");
    return ag_input_write(result->debug_path, 0644, AG_INPUT_REPLACE,
                          agrees ? linked->debug : linked->bytes,
                          agrees ? linked->debug_size : linked->size);
}

static int build(const struct options *options, struct ag_project *project)
{
    struct result result = { .project = project };
    int code = AG_EXIT_FAILED;
    if (options->version > 0)
        project->metadata.version = (uint32_t)options->version;
    if (options->output && mkdir(options->output, 0777) != 0 && errno != EEXIST)
        return ag_output_fail("check the path", "cannot make %s: %s", options->output,
                              strerror(errno));
    result.path = path_of(options, project, ".wasm");
    result.debug_path = path_of(options, project, ".debug.wasm");
    if (ag_compile_project(project, options->defines.items, options->defines.count,
                           options->verbose, &result.linked) &&
        assemble(project, &result) && write_debug(&result) &&
        ag_input_write(result.path, 0644, AG_INPUT_REPLACE, result.file.bytes, result.file.size))
        code = options->json ? print_json(&result) : print_summary(&result);
    ag_buffer_clear(&result.file);
    free(result.debug_path);
    free(result.path);
    free(result.linked.debug);
    free(result.linked.bytes);
    return code;
}

int cmd_build(int argc, char **argv)
{
    struct options options = { 0 };
    const struct ag_option rows[] = {
        { "version", 0, AG_OPTION_NUMBER, &options.version, "N",
          "this version instead of the one in plugin.json", 1, UINT32_MAX },
        { "define", 'D', AG_OPTION_LIST, &options.defines, "MACRO[=VALUE]",
          "a macro for the compiler; may be given more than once", 0, 0 },
        { "output", 'o', AG_OPTION_TEXT, &options.output, "DIR",
          "where the files go; made if missing (default: the project)", 0, 0 },
        { "json", 0, AG_OPTION_FLAG, &options.json, NULL, "print the result as JSON", 0, 0 },
        { "verbose", 'v', AG_OPTION_FLAG, &options.verbose, NULL,
          "print the commands of compiler and linker", 0, 0 },
    };
    const struct ag_usage usage = {
        .name = "build",
        .synopsis = "[OPTION...] [DIR]",
        .summary =
            "Builds the plug-in project in DIR (default: here) into NAME-VERSION.wasm, not signed.\n"
            "Compiles the C sources, gives the module exactly the memory it needs, and writes into\n"
            "the file what it needs of a device. The same input always gives the same bytes.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .examples = "airgraft build\nairgraft build plugins/blinky --version 11 -D BLINK_EVERY=1",
        .operand_max = 1,
        .environment = "AIRGRAFT_CLANG      the compiler (default: clang)\n"
                       "AIRGRAFT_WASM_LD    the linker (default: wasm-ld)\n"
                       "AIRGRAFT_SDK        folder of another airgraft.h than the built-in one",
    };
    struct ag_project project;
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    if (!ag_project_open(count > 0 ? operands[0] : ".", &project))
        return AG_EXIT_FAILED;
    const int code = build(&options, &project);
    ag_project_close(&project);
    return code;
}
