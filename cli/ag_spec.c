// SPDX-License-Identifier: Apache-2.0
// ag-spec: plays the WebAssembly test suite, as wast2json writes it, against the engine.
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "spec_convert.h"
#include "spec_link.h"

#define ARGS_MAX 64

static const char usage[] =
    "Usage: ag-spec [--slice FUEL] [--quiet] FILE...\n"
    "Plays test scripts of WebAssembly: .json files as wast2json writes them, .wast files, which it\n"
    "converts by wast2json, or folders of either. Prints each failure as file:line, a line FILE\n"
    "passed/total for each file, what was not understood, not converted or refused as a feature by\n"
    "its name, then how many assertions on the text format there were (not judged: there is no text\n"
    "parser), and last passed/total of modules, actions and assertions on binaries. What is not\n"
    "understood counts as not passed. Exits 0 if all passed and all was converted.\n"
    "\n"
    "  --slice FUEL  suspend every call after so much fuel and go on (default: do not suspend)\n"
    "  --quiet       no line for each failure and file\n";

#define FEATURES (AG_ERR_WASM_FLOAT - AG_ERR_WASM_SIMD + 1)

struct totals {
    uint32_t passed;
    uint32_t total;
    uint32_t text;
    uint32_t not_understood;
    uint32_t not_converted;      // files
    uint32_t features[FEATURES]; // modules refused by each one's name
};

struct script {
    const char *path;
    char folder[4096]; // with a slash, or empty
    json_t *json;
    struct spec_world *world;
    struct spec_instance *current;
    struct named {
        const char *name; // borrowed from the JSON
        struct spec_instance *instance;
    } * named; // the instances that the script gave names to
    size_t named_count;
    bool is_quiet;
    bool is_understood; // the command in hand
    struct totals *totals;
    char reason[256];
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

// ---- Values -----------------------------------------------------------------------------------

static uint8_t type_of(const char *name)
{
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {
        { "i32", AG_WASM_I32 }, { "i64", AG_WASM_I64 },         { "f32", AG_WASM_F32 },
        { "f64", AG_WASM_F64 }, { "funcref", AG_WASM_FUNCREF }, { "externref", AG_WASM_EXTERNREF },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(name, types[i].name) == 0)
            return types[i].type;
    }
    return 0;
}

static bool is_wide(uint8_t type)
{
    return type == AG_WASM_I64 || type == AG_WASM_F64;
}

// The bits of a value as the JSON writes them; references count from 1, null is 0.
static uint64_t bits_of(uint8_t type, const char *text)
{
    if (type == AG_WASM_FUNCREF || type == AG_WASM_EXTERNREF)
        return strcmp(text, "null") == 0 ? 0 : strtoull(text, NULL, 10) + 1;
    return strtoull(text, NULL, 10);
}

// A value of a later type, or in a form that is not known here, is not understood.
static bool is_known(const json_t *value)
{
    const json_t *bits = json_object_get(value, "value");
    return type_of(text_of(value, "type")) != 0 && (!bits || json_is_string(bits));
}

static bool are_known(const json_t *values)
{
    size_t index;
    json_t *value;
    json_array_foreach(values, index, value)
    {
        if (!is_known(value))
            return false;
    }
    return json_array_size(values) <= ARGS_MAX;
}

static uint32_t read_args(const json_t *args, uint32_t *slots)
{
    uint32_t count = 0;
    for (size_t i = 0; i < json_array_size(args); i++) {
        const json_t *arg = json_array_get(args, i);
        const uint8_t type = type_of(text_of(arg, "type"));
        const uint64_t bits = bits_of(type, text_of(arg, "value"));
        slots[count++] = (uint32_t)bits;
        if (is_wide(type))
            slots[count++] = (uint32_t)(bits >> 32);
    }
    return count;
}

static bool matches_nan(uint8_t type, uint64_t bits, const char *text)
{
    const bool is_canonical = strcmp(text, "nan:canonical") == 0;
    const uint64_t quiet = type == AG_WASM_F32 ? 0x7FC00000u : 0x7FF8000000000000u;
    const uint64_t sign = type == AG_WASM_F32 ? 0x80000000u : 0x8000000000000000u;
    return is_canonical ? (bits & ~sign) == quiet : (bits & quiet) == quiet;
}

static bool matches(const json_t *expected, uint8_t type, uint64_t bits)
{
    const char *text = text_of(expected, "value");
    if (type_of(text_of(expected, "type")) != type)
        return false;
    if (type == AG_WASM_FUNCREF && !*text)
        return bits != 0;
    if (strncmp(text, "nan:", 4) == 0)
        return matches_nan(type, bits, text);
    return bits == bits_of(type, text);
}

static bool results_match(struct script *script, const json_t *expected,
                          const struct spec_result *result)
{
    const uint32_t *slot = result->slots;
    if (json_array_size(expected) != result->count) {
        snprintf(script->reason, sizeof script->reason, "%" PRIu32 " results", result->count);
        return false;
    }
    for (uint32_t i = 0; i < result->count; i++) {
        const uint8_t type = result->types[i];
        const uint64_t bits = is_wide(type) ? ag_wasm_get_u64(slot) : *slot;
        const json_t *want = json_array_get(expected, i);
        if (!matches(want, type, bits)) {
            snprintf(script->reason, sizeof script->reason,
                     "result %" PRIu32 " is 0x%" PRIx64 ", not %.64s", i, bits,
                     text_of(want, "value"));
            return false;
        }
        slot += is_wide(type) ? 2 : 1;
    }
    return true;
}

// ---- Commands ---------------------------------------------------------------------------------

static void module_path(const struct script *script, const json_t *command, char *path, size_t size)
{
    snprintf(path, size, "%s%s", script->folder, text_of(command, "filename"));
}

static struct spec_instance *instance_of(const struct script *script, const json_t *object,
                                         const char *key)
{
    const char *name = text_of(object, key);
    if (!*name)
        return script->current;
    for (size_t i = script->named_count; i > 0; i--) {
        if (strcmp(script->named[i - 1].name, name) == 0)
            return script->named[i - 1].instance;
    }
    return NULL;
}

static bool name_instance(struct script *script, const char *name)
{
    struct named *larger = realloc(script->named, (script->named_count + 1) * sizeof *larger);
    if (!larger)
        return false;
    script->named = larger;
    script->named[script->named_count].name = name;
    script->named[script->named_count++].instance = script->current;
    return true;
}

static bool not_understood(struct script *script, const char *what)
{
    script->is_understood = false;
    snprintf(script->reason, sizeof script->reason, "not understood: %.200s", what);
    return false;
}

static bool explain(struct script *script, enum ag_status status)
{
    if (!script->is_understood)
        return false;
    snprintf(script->reason, sizeof script->reason, "%s", ag_status_name(status));
    return false;
}

static enum ag_status act(struct script *script, const json_t *command, struct spec_result *result)
{
    const json_t *action = json_object_get(command, "action");
    const json_t *args = json_object_get(action, "args");
    const char *type = text_of(action, "type");
    if (strcmp(type, "get") != 0 && strcmp(type, "invoke") != 0) {
        not_understood(script, type);
        return AG_ERR_ARGUMENT;
    }
    if (!are_known(args) || !are_known(json_object_get(command, "expected"))) {
        not_understood(script, "a value");
        return AG_ERR_ARGUMENT;
    }
    struct spec_instance *instance = instance_of(script, action, "module");
    if (!instance)
        return AG_ERR_NOT_FOUND;
    const json_t *field = json_object_get(action, "field");
    const struct ag_wasm_name name = { text_of(action, "field"),
                                       (uint32_t)json_string_length(field) };
    if (strcmp(type, "get") == 0)
        return spec_get(instance, name, result);
    uint32_t slots[ARGS_MAX * 2];
    const uint32_t count = read_args(args, slots);
    return spec_invoke(instance, name, slots, count, result);
}

// A module that is refused for a feature is counted by that one's name.
static void count_feature(struct script *script, enum ag_status status)
{
    if (status >= AG_ERR_WASM_SIMD && status <= AG_ERR_WASM_FLOAT)
        script->totals->features[status - AG_ERR_WASM_SIMD]++;
}

static bool play_module(struct script *script, const json_t *command)
{
    char path[8192];
    module_path(script, command, path, sizeof path);
    script->current = NULL;
    const enum ag_status status = spec_instantiate(script->world, path, &script->current);
    const char *name = text_of(command, "name");
    if (*name && !name_instance(script, name))
        return explain(script, AG_ERR_NO_SPACE);
    count_feature(script, status);
    return status == AG_OK || explain(script, status);
}

static bool play_action(struct script *script, const json_t *command)
{
    struct spec_result result;
    const enum ag_status status = act(script, command, &result);
    return status == AG_OK || explain(script, status);
}

static bool play_return(struct script *script, const json_t *command)
{
    struct spec_result result;
    const enum ag_status status = act(script, command, &result);
    if (status != AG_OK)
        return explain(script, status);
    return results_match(script, json_object_get(command, "expected"), &result);
}

// The trap that the suite means by a text.
static bool trap_matches(enum ag_status status, const char *text)
{
    static const struct {
        const char *text;
        enum ag_status status;
    } traps[] = {
        { "out of bounds memory access", AG_TRAP_MEMORY },
        { "out of bounds table access", AG_TRAP_TABLE },
        { "undefined element", AG_TRAP_TABLE },
        { "uninitialized element", AG_TRAP_UNINITIALIZED },
        { "indirect call type mismatch", AG_TRAP_SIGNATURE },
        { "integer divide by zero", AG_TRAP_DIVIDE_BY_ZERO },
        { "integer overflow", AG_TRAP_OVERFLOW },
        { "invalid conversion to integer", AG_TRAP_CONVERSION },
        { "unreachable", AG_TRAP_UNREACHABLE },
        { "call stack exhausted", AG_TRAP_STACK },
    };
    for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++) {
        if (traps[i].status == status && strncmp(text, traps[i].text, strlen(traps[i].text)) == 0)
            return true;
    }
    return false;
}

static bool play_trap(struct script *script, const json_t *command)
{
    struct spec_result result;
    const enum ag_status status = act(script, command, &result);
    return trap_matches(status, text_of(command, "text")) || explain(script, status);
}

// What WebAssembly 2.0 calls broken and the engine calls a feature of a later version. Any other
// module that is refused for a feature was not judged, and does not pass.
static bool is_later_feature(enum ag_status status, const char *text)
{
    static const struct {
        enum ag_status status;
        const char *text;
    } features[] = {
        { AG_ERR_WASM_MULTI_MEMORY, "multiple memories" },
        { AG_ERR_WASM_THREADS, "malformed mutability" },
        { AG_ERR_WASM_THREADS, "integer too large" },
        { AG_ERR_WASM_THREADS, "malformed limits flags" },
        { AG_ERR_WASM_MEMORY64, "malformed limits flags" },
        { AG_ERR_WASM_EXCEPTIONS, "malformed import kind" },
    };
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        if (features[i].status == status && strcmp(features[i].text, text) == 0)
            return true;
    }
    return false;
}

static bool play_invalid(struct script *script, const json_t *command)
{
    char path[8192];
    module_path(script, command, path, sizeof path);
    const enum ag_status status = spec_check(script->world, path);
    if (status == AG_ERR_WASM_INVALID || is_later_feature(status, text_of(command, "text")))
        return true;
    count_feature(script, status);
    return explain(script, status);
}

// The engine validates while it decodes, so a module that is both is refused as what comes first.
static bool play_malformed(struct script *script, const json_t *command)
{
    char path[8192];
    module_path(script, command, path, sizeof path);
    const enum ag_status status = spec_check(script->world, path);
    if (status == AG_ERR_WASM_MALFORMED || status == AG_ERR_WASM_MAGIC ||
        status == AG_ERR_WASM_INVALID || is_later_feature(status, text_of(command, "text")))
        return true;
    count_feature(script, status);
    return explain(script, status);
}

static bool play_unlinkable(struct script *script, const json_t *command)
{
    char path[8192];
    struct spec_instance *instance;
    module_path(script, command, path, sizeof path);
    const enum ag_status status = spec_instantiate(script->world, path, &instance);
    return status == AG_ERR_WASM_IMPORT || explain(script, status);
}

static bool play_uninstantiable(struct script *script, const json_t *command)
{
    char path[8192];
    struct spec_instance *instance;
    module_path(script, command, path, sizeof path);
    const enum ag_status status = spec_instantiate(script->world, path, &instance);
    return trap_matches(status, text_of(command, "text")) || explain(script, status);
}

static const struct {
    const char *type;
    bool (*play)(struct script *script, const json_t *command);
} plays[] = {
    { "module", play_module },
    { "action", play_action },
    { "assert_return", play_return },
    { "assert_trap", play_trap },
    { "assert_exhaustion", play_trap },
    { "assert_invalid", play_invalid },
    { "assert_malformed", play_malformed },
    { "assert_unlinkable", play_unlinkable },
    { "assert_uninstantiable", play_uninstantiable },
};

static void play_command(struct script *script, const json_t *command)
{
    const char *type = text_of(command, "type");
    if (strcmp(type, "register") == 0) {
        spec_register(script->world, text_of(command, "as"), instance_of(script, command, "name"));
        return;
    }
    if (strcmp(text_of(command, "module_type"), "text") == 0 && strncmp(type, "assert_", 7) == 0) {
        script->totals->text++;
        return;
    }
    bool has_passed = false;
    bool is_known_type = false;
    script->is_understood = true;
    script->reason[0] = 0;
    for (size_t i = 0; i < sizeof plays / sizeof plays[0] && !is_known_type; i++) {
        is_known_type = strcmp(type, plays[i].type) == 0;
        if (is_known_type)
            has_passed = plays[i].play(script, command);
    }
    if (!is_known_type)
        not_understood(script, "the command");
    script->totals->total++;
    script->totals->passed += has_passed;
    script->totals->not_understood += !script->is_understood;
    if (!has_passed && !script->is_quiet)
        printf("%s:%" JSON_INTEGER_FORMAT ": %s: %s (%s)\n", script->path,
               json_integer_value(json_object_get(command, "line")), type, script->reason,
               text_of(command, "text"));
}

static bool play_json(struct script *script, const char *path, uint32_t slice)
{
    json_error_t error;
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    if (length >= sizeof script->folder)
        return false;
    memcpy(script->folder, path, length);
    script->json = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!script->json) {
        fprintf(stderr, "ag-spec: %s:%d: %s\n", script->path, error.line, error.text);
        return false;
    }
    const json_t *commands = json_object_get(script->json, "commands");
    script->world = json_is_array(commands) ? spec_world_open(slice) : NULL;
    if (script->world) {
        size_t index;
        json_t *command;
        json_array_foreach(commands, index, command) play_command(script, command);
        spec_world_close(script->world);
    } else {
        fprintf(stderr, "ag-spec: %s: no list of commands\n", script->path);
    }
    json_decref(script->json);
    free(script->named);
    return script->world != NULL;
}

// ---- Files ------------------------------------------------------------------------------------

struct options {
    uint32_t slice;
    bool is_quiet;
};

static bool play_file(const char *path, const char *folder, const struct options *options,
                      struct totals *totals)
{
    static struct script script;
    static char json[8192];
    const struct totals before = *totals;
    char reason[512];
    memset(&script, 0, sizeof script);
    script.path = path;
    script.is_quiet = options->is_quiet;
    script.totals = totals;
    snprintf(json, sizeof json, "%s", path);
    if (spec_is_text(path) &&
        !spec_convert(path, folder, json, sizeof json, reason, sizeof reason)) {
        printf("%s: not converted: %s\n", path, reason);
        totals->not_converted++;
        return false;
    }
    if (!play_json(&script, json, options->slice))
        return false;
    if (!options->is_quiet)
        printf("%s %" PRIu32 "/%" PRIu32 "\n", path, totals->passed - before.passed,
               totals->total - before.total);
    return true;
}

static void print_totals(const struct totals *totals)
{
    if (totals->not_converted > 0)
        printf("%" PRIu32 " files not converted\n", totals->not_converted);
    if (totals->not_understood > 0)
        printf("%" PRIu32 " commands not understood, counted as not passed\n",
               totals->not_understood);
    for (uint32_t i = 0; i < FEATURES; i++) {
        if (totals->features[i] > 0)
            printf("%" PRIu32 " modules refused as %s\n", totals->features[i],
                   ag_status_name((enum ag_status)(AG_ERR_WASM_SIMD + i)));
    }
    printf("%" PRIu32 " assertions on the text format, not judged\n", totals->text);
    printf("%" PRIu32 "/%" PRIu32 "\n", totals->passed, totals->total);
}

// The number of the first argument that is no option; 0 if they are wrong.
static int read_options(int argc, char **argv, struct options *options)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--quiet") == 0)
            options->is_quiet = true;
        else if (strcmp(argv[at], "--slice") == 0 && at + 1 < argc)
            options->slice = (uint32_t)strtoul(argv[++at], NULL, 10);
        else
            return 0;
    }
    return at < argc && options->slice > 0 && options->slice <= INT32_MAX ? at : 0;
}

int main(int argc, char **argv)
{
    struct totals totals = { 0 };
    struct options options = { .slice = INT32_MAX };
    struct spec_files files;
    char folder[4096];
    bool is_complete = true;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    const int first = read_options(argc, argv, &options);
    if (first == 0) {
        fputs(usage, stderr);
        return 2;
    }
    if (!spec_files_open(argv + first, argc - first, &files))
        return 2;
    if (!spec_folder_open(folder, sizeof folder)) {
        fprintf(stderr, "ag-spec: no temporary folder: %s\n", strerror(errno));
        spec_files_close(&files);
        return 2;
    }
    for (size_t i = 0; i < files.count; i++)
        is_complete = play_file(files.paths[i], folder, &options, &totals) && is_complete;
    print_totals(&totals);
    spec_folder_close(folder);
    spec_files_close(&files);
    return is_complete && totals.passed == totals.total ? 0 : 1;
}
