// SPDX-License-Identifier: Apache-2.0
// Reads plugin.json: every member by a table, every mistake with its place and what would be right.
#include "cli/build/project.h"

#include <stdlib.h>
#include <string.h>

#include "cli/build/settings_schema.h"
#include "cli/cli.h"
#include "plugin/abi.h"

enum member_kind {
    MEMBER_NAME,
    MEMBER_NUMBER,
    MEMBER_TEXTS,   // a list of texts
    MEMBER_DEFINES, // an object of texts, numbers and booleans
    MEMBER_TRIAL,   // an object of numbers and a boolean
    MEMBER_SCHEMA,  // see settings_schema.h
};

struct member {
    const char *name;
    enum member_kind kind;
    bool required;
    uint32_t min, max; // of a number
    size_t at;         // where a number goes in struct ag_project
};

#define NUMBER(name, required, min, field)                                                         \
    {                                                                                              \
        name, MEMBER_NUMBER, required, min, UINT32_MAX, offsetof(struct ag_project, field)         \
    }
#define OTHER(name, required, kind, field)                                                         \
    {                                                                                              \
        name, kind, required, 0, 0, offsetof(struct ag_project, field)                             \
    }

static const struct member members[] = {
    OTHER("name", true, MEMBER_NAME, metadata.name),
    NUMBER("version", true, 1, metadata.version),
    NUMBER("epoch", false, 0, metadata.epoch),
    NUMBER("period_ms", false, 1, metadata.period_ms),
    NUMBER("fuel_per_run", false, 1, metadata.fuel_per_run),
    NUMBER("stack", false, 1, metadata.stack_size),
    NUMBER("data_stack", false, 0, data_stack),
    NUMBER("heap", false, 0, heap),
    OTHER("sources", false, MEMBER_TEXTS, sources),
    OTHER("defines", false, MEMBER_DEFINES, defines),
    OTHER("cflags", false, MEMBER_TEXTS, cflags),
    OTHER("settings", false, MEMBER_SCHEMA, schema),
    OTHER("trial", false, MEMBER_TRIAL, metadata.trial_runs),
    { "data", MEMBER_NUMBER, false, 1, AG_CFG_DATA_MAX,
      offsetof(struct ag_project, metadata.data_size) },
};
enum {
    MEMBER_COUNT = sizeof members / sizeof members[0]
};

static bool refuse(const char *path, const char *member, const char *wanted)
{
    ag_output_fail("airgraft new makes an example", "%s: \"%s\" must be %s", path, member, wanted);
    return false;
}

static bool refuse_unknown(const char *path, const char *name)
{
    const char *names[MEMBER_COUNT];
    char hint[96];
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        names[i] = members[i].name;
    const char *meant = ag_options_suggest(name, names, MEMBER_COUNT);
    snprintf(hint, sizeof hint, meant ? "did you mean \"%s\"?" : "remove it%s", meant ? meant : "");
    ag_output_fail(hint, "%s: unknown member \"%s\"", path, name);
    return false;
}

// The name also becomes a file's name.
static bool take_name(const char *path, const json_t *value, struct ag_project *project)
{
    const char *name = json_string_value(value);
    const size_t size = name ? json_string_length(value) : 0;
    if (!name || strlen(name) != size || ag_metadata_check_name(name, size) != AG_OK ||
        strchr(name, '/') || name[0] == '.' || name[0] == '-') {
        char wanted[112];
        snprintf(wanted, sizeof wanted,
                 "a text of 1 to %d bytes without control characters and /, not beginning with . "
                 "or -, and not \"host\"",
                 AG_CFG_NAME_MAX);
        return refuse(path, "name", wanted);
    }
    memcpy(project->metadata.name, name, size);
    return true;
}

static bool take_number(const char *path, const struct member *member, const json_t *value,
                        struct ag_project *project)
{
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < (json_int_t)member->min ||
        number > (json_int_t)member->max) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "a whole number from %u to %u", member->min, member->max);
        return refuse(path, member->name, wanted);
    }
    *(uint32_t *)(void *)((char *)project + member->at) = (uint32_t)number;
    return true;
}

static json_t **list_of(struct ag_project *project, const struct member *member)
{
    return (json_t **)(void *)((char *)project + member->at);
}

static bool take_texts(const char *path, const struct member *member, json_t *value,
                       struct ag_project *project)
{
    const bool may_be_empty = strcmp(member->name, "sources") != 0;
    bool fits = json_is_array(value) && (may_be_empty || json_array_size(value) > 0);
    for (size_t i = 0; fits && i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        fits = json_is_string(item) && json_string_length(item) > 0 &&
               strlen(json_string_value(item)) == json_string_length(item);
    }
    if (!fits)
        return refuse(path, member->name, "a list of texts");
    json_decref(*list_of(project, member));
    *list_of(project, member) = json_incref(value);
    return true;
}

static bool is_macro_name(const char *name)
{
    static const char letters[] = "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    return name[0] != 0 && !strchr("0123456789", name[0]) && name[strspn(name, letters)] == 0;
}

static bool take_defines(const char *path, json_t *value, struct ag_project *project)
{
    const char *name;
    json_t *item;
    if (!json_is_object(value))
        return refuse(path, "defines", "an object of macros");
    json_object_foreach(value, name, item)
    {
        json_t *define = NULL;
        if (json_is_string(item))
            define = json_sprintf("%s=%s", name, json_string_value(item));
        else if (json_is_integer(item))
            define = json_sprintf("%s=%lld", name, (long long)json_integer_value(item));
        else if (json_is_boolean(item))
            define = json_sprintf("%s=%d", name, json_is_true(item));
        if (!is_macro_name(name) || !define) {
            json_decref(define);
            return refuse(path, "defines",
                          "an object of macro names with texts, whole numbers or booleans");
        }
        json_array_append_new(project->defines, define);
    }
    return true;
}

static bool take_trial(const char *path, json_t *value, struct ag_project *project)
{
    static const struct member numbers[] = {
        NUMBER("runs", false, 1, metadata.trial_runs),
        NUMBER("ms", false, 1, metadata.trial_ms),
    };
    const char *name;
    json_t *item;
    if (!json_is_object(value))
        return refuse(path, "trial", "an object with \"runs\", \"ms\" or \"hub\"");
    json_object_foreach(value, name, item)
    {
        const bool is_hub = strcmp(name, "hub") == 0;
        if (is_hub && !json_is_boolean(item))
            return refuse(path, "hub", "true or false");
        if (is_hub)
            project->metadata.trial_flags = json_is_true(item) ? AG_TRIAL_HUB : 0;
        else if (strcmp(name, "runs") != 0 && strcmp(name, "ms") != 0)
            return refuse(path, "trial", "an object with \"runs\", \"ms\" or \"hub\" only");
        else if (!take_number(path, &numbers[name[0] == 'm'], item, project))
            return false;
    }
    return true;
}

static bool take_schema(const char *path, json_t *value, struct ag_project *project)
{
    if (!json_is_object(value))
        return refuse(path, "settings", "a JSON Schema");
    ag_buffer_clear(&project->schema);
    if (!ag_settings_schema_compile(path, value, &project->schema))
        return false;
    project->metadata.schema = project->schema.bytes;
    project->metadata.schema_size = (uint32_t)project->schema.size;
    return true;
}

static const struct member *find_member(const char *name)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    }
    return NULL;
}

static bool take_member(const char *path, const char *name, json_t *value,
                        struct ag_project *project)
{
    const struct member *member = find_member(name);
    if (!member)
        return refuse_unknown(path, name);
    switch (member->kind) {
    case MEMBER_NAME:
        return take_name(path, value, project);
    case MEMBER_NUMBER:
        return take_number(path, member, value, project);
    case MEMBER_TEXTS:
        return take_texts(path, member, value, project);
    case MEMBER_DEFINES:
        return take_defines(path, value, project);
    case MEMBER_SCHEMA:
        return take_schema(path, value, project);
    case MEMBER_TRIAL:
        return take_trial(path, value, project);
    }
    return false;
}

static bool take_document(const char *path, json_t *document, struct ag_project *project)
{
    const char *name;
    json_t *value;
    if (!json_is_object(document)) {
        ag_output_fail("airgraft new makes an example", "%s is not a JSON object", path);
        return false;
    }
    json_object_foreach(document, name, value)
    {
        if (!take_member(path, name, value, project))
            return false;
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (members[i].required && !json_object_get(document, members[i].name)) {
            ag_output_fail("airgraft new makes an example", "%s: \"%s\" is missing", path,
                           members[i].name);
            return false;
        }
    }
    if (json_array_size(project->sources) == 0)
        json_array_append_new(project->sources, json_sprintf("%s.c", project->metadata.name));
    return true;
}

static bool read_document(const char *path, struct ag_project *project)
{
    uint8_t *bytes;
    size_t size;
    json_error_t error;
    if (!ag_input_read(path, AG_INPUT_TEXT_MAX, &bytes, &size))
        return false;
    json_t *document =
        json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    free(bytes);
    if (!document) {
        ag_output_fail("it must be one JSON object", "%s:%d:%d: %s", path, error.line, error.column,
                       error.text);
        return false;
    }
    const bool taken = take_document(path, document, project);
    json_decref(document);
    return taken;
}

bool ag_project_open(const char *folder, struct ag_project *project)
{
    char *path;
    *project = (struct ag_project){
        .folder = folder,
        .metadata = { .abi = AG_ABI_VERSION },
        .sources = json_array(),
        .defines = json_array(),
        .cflags = json_array(),
    };
    if (asprintf(&path, "%s/plugin.json", folder) < 0) {
        ag_project_close(project);
        return false;
    }
    const bool opened = read_document(path, project);
    free(path);
    if (!opened)
        ag_project_close(project);
    return opened;
}

void ag_project_close(struct ag_project *project)
{
    ag_buffer_clear(&project->schema);
    json_decref(project->sources);
    json_decref(project->defines);
    json_decref(project->cflags);
    project->sources = project->defines = project->cflags = NULL;
}
