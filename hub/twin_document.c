// SPDX-License-Identifier: Apache-2.0
// What a twin may hold and how it changes.
#include "twin_document.h"

#include <string.h>

#define KEY_MAX      1024
#define STRING_MAX   4096
#define INTEGER_LOW  (-4503599627370496LL)
#define INTEGER_HIGH 4503599627370495LL

json_t *ag_twin_document_parse(const char *bytes, size_t size, struct ag_problem *problem)
{
    json_error_t error;
    json_t *value = json_loadb(bytes, size, 0, &error);
    if (value == NULL) {
        ag_problem_set(problem, AG_PROBLEM_BAD_REQUEST, "the body is not JSON: %.120s (line %d)",
                       error.text, error.line);
        return NULL;
    }
    if (!json_is_object(value)) {
        ag_problem_set(problem, AG_PROBLEM_BAD_REQUEST, "the body is not a JSON object");
        json_decref(value);
        return NULL;
    }
    return value;
}

void ag_twin_document_strip(json_t *patch)
{
    json_object_del(patch, "$version");
    json_object_del(patch, "$metadata");
}

static bool refuse(struct ag_problem *problem, const char *what, const char *key)
{
    ag_problem_set(problem, AG_PROBLEM_BAD_REQUEST, "%s (at '%.64s')", what, key);
    return false;
}

static bool key_is_good(const char *key)
{
    size_t size = strlen(key);
    if (size == 0 || size > KEY_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char letter = (unsigned char)key[i];
        if (letter <= ' ' || letter == 0x7f || strchr(".$#", letter) != NULL)
            return false;
    }
    return true;
}

static bool check_scalar(const json_t *value, const char *key, struct ag_problem *problem)
{
    if (json_is_string(value) && json_string_length(value) > STRING_MAX)
        return refuse(problem, "a text is longer than 4096 bytes", key);
    if (json_is_integer(value) &&
        (json_integer_value(value) < INTEGER_LOW || json_integer_value(value) > INTEGER_HIGH))
        return refuse(problem, "an integer needs more than 53 bits", key);
    return true;
}

// The root has depth 0. Nothing deeper than 10 is entered, so the recursion is bounded.
static bool check_value(const json_t *value, const char *key, size_t depth, bool in_array,
                        struct ag_problem *problem)
{
    if (json_is_null(value) && in_array)
        return refuse(problem, "null inside an array", key);
    if (!json_is_object(value) && !json_is_array(value))
        return check_scalar(value, key, problem);
    if (depth > AG_TWIN_DEPTH_MAX)
        return refuse(problem, "nested deeper than 10 levels", key);
    if (json_is_array(value)) {
        size_t i;
        json_t *element;
        json_array_foreach(value, i, element)
        {
            if (!check_value(element, key, depth + 1, true, problem))
                return false;
        }
        return true;
    }
    // json_object_foreach wants a pointer to non-const, though it only reads.
    json_t *object = json_incref((json_t *)(uintptr_t)value);
    bool good = true;
    const char *name;
    json_t *member;
    json_object_foreach(object, name, member)
    {
        good = key_is_good(name) ? check_value(member, name, depth + 1, in_array, problem)
                                 : refuse(problem,
                                          "a key is empty, too long, or has a blank, a control "
                                          "character or one of . $ #",
                                          name);
        if (!good)
            break;
    }
    json_decref(object);
    return good;
}

bool ag_twin_document_check(const json_t *patch, struct ag_problem *problem)
{
    if (!json_is_object(patch)) {
        ag_problem_set(problem, AG_PROBLEM_BAD_REQUEST, "a twin section must be a JSON object");
        return false;
    }
    return check_value(patch, "root", 0, false, problem);
}

size_t ag_twin_document_size(const json_t *section)
{
    size_t size = 0;
    if (json_is_string(section))
        return json_string_length(section);
    if (json_is_number(section))
        return 8;
    if (json_is_boolean(section))
        return 4;
    for (size_t i = 0; json_is_array(section) && i < json_array_size(section); i++)
        size += ag_twin_document_size(json_array_get(section, i));
    if (!json_is_object(section))
        return size;
    json_t *object = json_incref((json_t *)(uintptr_t)section);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        size += strlen(key) + ag_twin_document_size(value);
    }
    json_decref(object);
    return size;
}

static void stamp(json_t *metadata, const char *now, int64_t version)
{
    json_object_set_new(metadata, "$lastUpdated", json_string(now));
    if (version > 0)
        json_object_set_new(metadata, "$lastUpdatedVersion", json_integer(version));
}

// The object under `key`, made empty when there is another value or none.
static json_t *object_at(json_t *parent, const char *key)
{
    json_t *child = json_object_get(parent, key);
    if (!json_is_object(child)) {
        child = json_object();
        json_object_set_new(parent, key, child);
    }
    return child;
}

// A value replaces a subtree, or an object replaces a value: metadata of the old one goes.
static json_t *fresh_metadata(json_t *metadata, const char *key, bool keep)
{
    if (!keep)
        json_object_set_new(metadata, key, json_object());
    return object_at(metadata, key);
}

void ag_twin_document_merge(json_t *section, json_t *metadata, const json_t *patch, const char *now,
                            int64_t version)
{
    stamp(metadata, now, version);
    json_t *object = json_incref((json_t *)(uintptr_t)patch);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (json_is_null(value)) {
            json_object_del(section, key);
            json_object_del(metadata, key);
            continue;
        }
        bool both = json_is_object(value) && json_is_object(json_object_get(section, key));
        json_t *below = fresh_metadata(metadata, key, both);
        if (json_is_object(value)) {
            ag_twin_document_merge(object_at(section, key), below, value, now, version);
            continue;
        }
        stamp(below, now, version);
        json_object_set_new(section, key, json_deep_copy(value));
    }
    json_decref(object);
}

json_t *ag_twin_document_replacing_patch(const json_t *section, const json_t *wanted)
{
    json_t *patch = json_deep_copy(wanted);
    json_t *object = json_incref((json_t *)(uintptr_t)section);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const json_t *kept = json_object_get(wanted, key);
        if (kept == NULL)
            json_object_set_new(patch, key, json_null());
        else if (json_is_object(kept) && json_is_object(value))
            json_object_set_new(patch, key, ag_twin_document_replacing_patch(value, kept));
    }
    json_decref(object);
    return patch;
}
