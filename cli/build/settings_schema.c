// SPDX-License-Identifier: Apache-2.0
// "settings" in plugin.json: a small subset of JSON Schema, to and from its compact form in a file.
//
// What the subset lacks is refused by name: a device must not be less strict than the schema says.
#include "cli/build/settings_schema.h"

#include <string.h>

#include "cli/cli.h"
#include "plugin/schema.h"

// What is being compiled, for errors.
struct place {
    const char *path;   // the file
    const char *member; // NULL: the schema as a whole
};

static bool refuse(const struct place *place, const char *keyword, const char *problem)
{
    static const char hint[] =
        "a schema has properties, required and additionalProperties; a property has type (boolean, "
        "integer, string), minimum, maximum, minLength, maxLength, enum and default";
    ag_output_fail(hint, "%s: \"settings\"%s%s%s: \"%s\" %s", place->path,
                   place->member ? ", \"" : "", place->member ? place->member : "",
                   place->member ? "\"" : "", keyword, problem);
    return false;
}

static bool is_remark(const char *keyword)
{
    static const char *const remarks[] = { "$schema",     "$id",      "$comment",  "title",
                                           "description", "examples", "deprecated" };
    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        if (strcmp(keyword, remarks[i]) == 0)
            return true;
    return false;
}

// ---- To the compact form -----------------------------------------------------------------------

static void add_signed(struct ag_buffer *out, int64_t value)
{
    bool more = true;
    while (more) {
        const uint8_t byte = (uint8_t)(value & 0x7F);
        value >>= 7;
        more = !((value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40)));
        ag_buffer_append_u8(out, more ? byte | 0x80 : byte);
    }
}

static bool add_value(struct ag_buffer *out, enum ag_schema_type type, const json_t *value)
{
    switch (type) {
    case AG_SCHEMA_BOOLEAN:
        ag_buffer_append_u8(out, json_is_true(value));
        return json_is_boolean(value);
    case AG_SCHEMA_INTEGER:
        add_signed(out, json_integer_value(value));
        return json_is_integer(value);
    case AG_SCHEMA_STRING:
        if (!json_is_string(value) || json_string_length(value) > AG_SETTINGS_SCHEMA_MAX)
            return false;
        ag_buffer_append_leb(out, (uint32_t)json_string_length(value));
        ag_buffer_append(out, json_string_value(value), json_string_length(value));
        return true;
    }
    return false;
}

static bool add_limit(struct ag_buffer *out, enum ag_schema_type type, const json_t *value)
{
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) ||
        (type == AG_SCHEMA_STRING && (number < 0 || number > UINT32_MAX)))
        return false;
    if (type == AG_SCHEMA_STRING)
        ag_buffer_append_leb(out, (uint32_t)number);
    else
        add_signed(out, number);
    return true;
}

static bool add_choices(struct ag_buffer *out, enum ag_schema_type type, const json_t *list)
{
    if (json_array_size(list) == 0)
        return false;
    ag_buffer_append_leb(out, (uint32_t)json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!add_value(out, type, json_array_get(list, i)))
            return false;
    return true;
}

static bool find_type(const struct place *place, const json_t *property, enum ag_schema_type *type)
{
    static const struct {
        const char *name;
        enum ag_schema_type type;
    } types[] = { { "boolean", AG_SCHEMA_BOOLEAN },
                  { "integer", AG_SCHEMA_INTEGER },
                  { "string", AG_SCHEMA_STRING } };
    const char *name = json_string_value(json_object_get(property, "type"));
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (name && strcmp(name, types[i].name) == 0) {
            *type = types[i].type;
            return true;
        }
    return refuse(place, "type",
                  "must be \"boolean\", \"integer\" or \"string\": plug-ins read nothing else");
}

// The keywords that a type may have besides.
static bool check_keywords(const struct place *place, json_t *property, enum ag_schema_type type)
{
    const bool is_text = type == AG_SCHEMA_STRING;
    const bool is_number = type == AG_SCHEMA_INTEGER;
    const char *keyword;
    json_t *value;
    json_object_foreach(property, keyword, value)
    {
        const bool fits =
            strcmp(keyword, "type") == 0 || strcmp(keyword, "default") == 0 || is_remark(keyword) ||
            ((is_text || is_number) && strcmp(keyword, "enum") == 0) ||
            (is_number && (strcmp(keyword, "minimum") == 0 || strcmp(keyword, "maximum") == 0)) ||
            (is_text && (strcmp(keyword, "minLength") == 0 || strcmp(keyword, "maxLength") == 0));
        if (!fits)
            return refuse(place, keyword, "is not in the subset that devices know for this type");
    }
    return true;
}

static bool is_required(const json_t *schema, const char *name)
{
    const json_t *list = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));
        if (one && strcmp(one, name) == 0)
            return true;
    }
    return false;
}

static bool compile_property(const struct place *place, const json_t *schema, json_t *property,
                             struct ag_buffer *out)
{
    enum ag_schema_type type;
    if (!json_is_object(property))
        return refuse(place, "type", "is missing");
    if (!find_type(place, property, &type) || !check_keywords(place, property, type))
        return false;
    const bool is_text = type == AG_SCHEMA_STRING;
    const char *min_keyword = is_text ? "minLength" : "minimum";
    const char *max_keyword = is_text ? "maxLength" : "maximum";
    const json_t *min = json_object_get(property, min_keyword);
    const json_t *max = json_object_get(property, max_keyword);
    const json_t *choices = json_object_get(property, "enum");
    const json_t *otherwise = json_object_get(property, "default");
    const size_t size = strlen(place->member);
    ag_buffer_append_u8(out, (uint8_t)size);
    ag_buffer_append(out, place->member, size);
    ag_buffer_append_u8(
        out,
        (uint8_t)((unsigned)type | (is_required(schema, place->member) ? AG_SCHEMA_REQUIRED : 0) |
                  (min ? AG_SCHEMA_MIN : 0) | (max ? AG_SCHEMA_MAX : 0) |
                  (choices ? AG_SCHEMA_CHOICES : 0) | (otherwise ? AG_SCHEMA_DEFAULT : 0)));
    if (min && !add_limit(out, type, min))
        return refuse(place, min_keyword, "must be a whole number");
    if (max && !add_limit(out, type, max))
        return refuse(place, max_keyword, "must be a whole number");
    if (choices && !add_choices(out, type, choices))
        return refuse(place, "enum", "must be a list of values of the property's type");
    if (otherwise && !add_value(out, type, otherwise))
        return refuse(place, "default", "must be of the property's type");
    return true;
}

// The defaults, as settings, must keep to the schema themselves.
static bool check_defaults(struct place *place, json_t *properties, const struct ag_buffer *out)
{
    const char *name;
    json_t *property;
    json_object_foreach(properties, name, property)
    {
        json_t *value = json_object_get(property, "default");
        if (!value)
            continue;
        json_t *settings = json_object();
        json_object_set(settings, name, value);
        char *text = json_dumps(settings, JSON_COMPACT);
        struct ag_schema_fault fault = { .member = "" };
        const enum ag_status status =
            ag_schema_judge(out->bytes, out->size, ag_text_of(text), &fault);
        const bool is_bad = status != AG_OK && strcmp(fault.member, name) == 0 &&
                            strcmp(fault.reason, "is missing") != 0;
        free(text);
        json_decref(settings);
        place->member = name;
        if (is_bad)
            return refuse(place, "default", fault.reason);
    }
    return true;
}

static bool check_top(const struct place *place, json_t *schema)
{
    const char *keyword;
    json_t *value;
    json_object_foreach(schema, keyword, value)
    {
        if (strcmp(keyword, "type") == 0) {
            if (!json_is_string(value) || strcmp(json_string_value(value), "object") != 0)
                return refuse(place, keyword, "must be \"object\"");
        } else if (strcmp(keyword, "additionalProperties") == 0) {
            if (!json_is_boolean(value))
                return refuse(place, keyword, "must be true or false");
        } else if (strcmp(keyword, "required") == 0) {
            if (!json_is_array(value))
                return refuse(place, keyword, "must be a list of names");
        } else if (strcmp(keyword, "properties") != 0 && !is_remark(keyword)) {
            return refuse(place, keyword, "is not in the subset that devices know");
        }
    }
    if (!json_is_object(json_object_get(schema, "properties")))
        return refuse(place, "properties", "must be an object");
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        if (!name || !json_object_get(json_object_get(schema, "properties"), name))
            return refuse(place, "required", "names what is not among the properties");
    }
    return true;
}

bool ag_settings_schema_compile(const char *path, json_t *schema, struct ag_buffer *out)
{
    struct place place = { path, NULL };
    json_t *properties = json_object_get(schema, "properties");
    const char *name;
    json_t *property;
    if (!check_top(&place, schema))
        return false;
    ag_buffer_append_u8(out, AG_SCHEMA_FORMAT);
    ag_buffer_append_u8(
        out, json_is_false(json_object_get(schema, "additionalProperties")) ? AG_SCHEMA_CLOSED : 0);
    json_object_foreach(properties, name, property)
    {
        place.member = name;
        if (name[0] == 0 || strlen(name) > AG_SCHEMA_NAME_MAX)
            return refuse(&place, "properties", "must have names of 1 to 32 bytes");
        if (!compile_property(&place, schema, property, out))
            return false;
    }
    place.member = NULL;
    if (json_object_size(properties) > AG_SCHEMA_MEMBER_MAX)
        return refuse(&place, "properties", "must be at most 32");
    if (out->size > AG_SETTINGS_SCHEMA_MAX)
        return refuse(&place, "properties", "take more than 300 bytes in the file");
    return check_defaults(&place, properties, out);
}

// ---- And back ----------------------------------------------------------------------------------

static json_t *value_json(enum ag_schema_type type, const struct ag_schema_value *value)
{
    switch (type) {
    case AG_SCHEMA_BOOLEAN:
        return json_boolean(value->integer);
    case AG_SCHEMA_INTEGER:
        return json_integer(value->integer);
    case AG_SCHEMA_STRING:
        return json_stringn(value->text.at, value->text.size);
    }
    return NULL;
}

static json_t *property_json(const struct ag_schema_member *member)
{
    static const char *const types[] = { [AG_SCHEMA_BOOLEAN] = "boolean",
                                         [AG_SCHEMA_INTEGER] = "integer",
                                         [AG_SCHEMA_STRING] = "string" };
    const bool is_text = member->type == AG_SCHEMA_STRING;
    json_t *property = json_object();
    json_object_set_new(property, "type", json_string(types[member->type]));
    if (member->flags & AG_SCHEMA_MIN)
        json_object_set_new(property, is_text ? "minLength" : "minimum", json_integer(member->min));
    if (member->flags & AG_SCHEMA_MAX)
        json_object_set_new(property, is_text ? "maxLength" : "maximum", json_integer(member->max));
    if (member->flags & AG_SCHEMA_CHOICES) {
        json_t *list = json_array();
        struct ag_reader choices = member->choices;
        for (uint32_t i = 0; i < member->choice_count; i++) {
            const struct ag_schema_value value = ag_schema_read_value(&choices, member->type);
            json_array_append_new(list, value_json(member->type, &value));
        }
        json_object_set_new(property, "enum", list);
    }
    if (member->flags & AG_SCHEMA_DEFAULT)
        json_object_set_new(property, "default", value_json(member->type, &member->default_));
    return property;
}

json_t *ag_settings_schema_json(const uint8_t *bytes, size_t size)
{
    json_t *schema = json_object();
    json_t *properties = json_object();
    json_t *required = json_array();
    struct ag_reader reader;
    struct ag_schema_member member;
    json_object_set_new(schema, "type", json_string("object"));
    ag_reader_init(&reader, bytes, size);
    (void)ag_reader_bytes(&reader, 2); // format and flags
    while (ag_schema_next(&reader, &member)) {
        char name[AG_SCHEMA_NAME_MAX + 1] = "";
        memcpy(name, member.name.at, member.name.size);
        json_object_set_new(properties, name, property_json(&member));
        if (member.flags & AG_SCHEMA_REQUIRED)
            json_array_append_new(required, json_string(name));
    }
    json_object_set_new(schema, "properties", properties);
    json_object_set_new(schema, "required", required);
    json_object_set_new(schema, "additionalProperties",
                        json_boolean(!(bytes[1] & AG_SCHEMA_CLOSED)));
    return schema;
}
