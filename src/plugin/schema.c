// SPDX-License-Identifier: Apache-2.0
// The schema of a plug-in's settings: read member by member, and settings judged by it.
#include "plugin/schema.h"

#include <string.h>

#include "base/json.h"

_Static_assert(AG_SCHEMA_MEMBER_MAX <= 32, "members that were seen are bits of 32");

// ---- The schema --------------------------------------------------------------------------------

static struct ag_text read_text(struct ag_reader *reader, uint32_t size)
{
    struct ag_text text = { (const char *)ag_reader_bytes(reader, size), size };
    return text;
}

struct ag_schema_value ag_schema_read_value(struct ag_reader *reader, enum ag_schema_type type)
{
    struct ag_schema_value value = { 0, { "", 0 } };
    switch (type) {
    case AG_SCHEMA_BOOLEAN:
        value.integer = ag_reader_u8(reader);
        break;
    case AG_SCHEMA_INTEGER:
        value.integer = ag_reader_leb_s64(reader);
        break;
    case AG_SCHEMA_STRING:
        value.text = read_text(reader, ag_reader_leb_u32(reader));
        break;
    }
    return value;
}

static int64_t read_limit(struct ag_reader *reader, enum ag_schema_type type)
{
    return type == AG_SCHEMA_STRING ? (int64_t)ag_reader_leb_u32(reader)
                                    : ag_reader_leb_s64(reader);
}

static void read_choices(struct ag_reader *reader, struct ag_schema_member *member)
{
    member->choice_count = ag_reader_leb_u32(reader);
    member->choices = *reader;
    for (uint32_t i = 0; i < member->choice_count && reader->status == AG_OK; i++)
        (void)ag_schema_read_value(reader, member->type);
    if (member->choice_count == 0)
        ag_reader_fail(reader, AG_ERR_FILE_METADATA);
}

// The next member; the reader fails where there is none that is whole.
static void read_member(struct ag_reader *reader, struct ag_schema_member *member)
{
    memset(member, 0, sizeof *member);
    member->name = read_text(reader, ag_reader_u8(reader));
    const uint8_t kind = ag_reader_u8(reader);
    const uint8_t type = kind & AG_SCHEMA_TYPE;
    const bool has_limits = (kind & (AG_SCHEMA_MIN | AG_SCHEMA_MAX | AG_SCHEMA_CHOICES)) != 0;
    if (type < AG_SCHEMA_BOOLEAN || type > AG_SCHEMA_STRING ||
        (type == AG_SCHEMA_BOOLEAN && has_limits) || member->name.size == 0 ||
        member->name.size > AG_SCHEMA_NAME_MAX) {
        ag_reader_fail(reader, AG_ERR_FILE_METADATA);
        return;
    }
    member->type = (enum ag_schema_type)type;
    member->flags = kind & (uint8_t)~AG_SCHEMA_TYPE;
    if (kind & AG_SCHEMA_MIN)
        member->min = read_limit(reader, member->type);
    if (kind & AG_SCHEMA_MAX)
        member->max = read_limit(reader, member->type);
    if (kind & AG_SCHEMA_CHOICES)
        read_choices(reader, member);
    if (kind & AG_SCHEMA_DEFAULT)
        member->default_ = ag_schema_read_value(reader, member->type);
}

bool ag_schema_next(struct ag_reader *reader, struct ag_schema_member *member)
{
    if (ag_reader_left(reader) == 0)
        return false;
    read_member(reader, member);
    return reader->status == AG_OK;
}

// A reader at the first member, and the flags before it.
static uint8_t begin(struct ag_reader *reader, const uint8_t *schema, size_t size)
{
    ag_reader_init(reader, schema, size);
    if (ag_reader_u8(reader) != AG_SCHEMA_FORMAT)
        ag_reader_fail(reader, AG_ERR_FILE_METADATA);
    return ag_reader_u8(reader);
}

// The member called `name` among the first `limit`, and which one it is.
static bool find(const uint8_t *schema, size_t size, struct ag_text name, uint32_t limit,
                 struct ag_schema_member *member, uint32_t *index)
{
    struct ag_reader reader;
    (void)begin(&reader, schema, size);
    for (uint32_t i = 0; i < limit && ag_reader_left(&reader) > 0; i++) {
        read_member(&reader, member);
        if (reader.status == AG_OK && ag_text_is_same(member->name, name)) {
            *index = i;
            return true;
        }
    }
    return false;
}

bool ag_schema_find(const uint8_t *schema, size_t size, struct ag_text name,
                    struct ag_schema_member *member)
{
    uint32_t index;
    return size > 0 && find(schema, size, name, AG_SCHEMA_MEMBER_MAX, member, &index);
}

enum ag_status ag_schema_check(const uint8_t *schema, size_t size)
{
    struct ag_reader reader;
    struct ag_schema_member member;
    struct ag_schema_member other;
    uint32_t index;
    const uint8_t flags = begin(&reader, schema, size);
    uint32_t count = 0;
    for (; ag_reader_left(&reader) > 0; count++) {
        read_member(&reader, &member);
        if (reader.status != AG_OK || count == AG_SCHEMA_MEMBER_MAX ||
            find(schema, size, member.name, count, &other, &index))
            return AG_ERR_FILE_METADATA;
    }
    return reader.status == AG_OK && flags <= AG_SCHEMA_CLOSED ? AG_OK : AG_ERR_FILE_METADATA;
}

// ---- Settings ----------------------------------------------------------------------------------

static int64_t characters_of(struct ag_text text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((uint8_t)text.at[i] & 0xC0) != 0x80; // not in the middle of one
    return count;
}

static bool is_a_choice(const struct ag_schema_member *member, const struct ag_json_event *value)
{
    struct ag_reader choices = member->choices;
    for (uint32_t i = 0; i < member->choice_count; i++) {
        const struct ag_schema_value choice = ag_schema_read_value(&choices, member->type);
        if (member->type == AG_SCHEMA_INTEGER ? choice.integer == value->integer
                                              : ag_text_is_same(choice.text, value->text))
            return true;
    }
    return false;
}

static bool is_of_type(enum ag_schema_type type, const struct ag_json_event *value)
{
    switch (type) {
    case AG_SCHEMA_BOOLEAN:
        return value->type == AG_JSON_TRUE || value->type == AG_JSON_FALSE;
    case AG_SCHEMA_INTEGER:
        return value->type == AG_JSON_NUMBER && value->is_integer;
    case AG_SCHEMA_STRING:
        return value->type == AG_JSON_STRING;
    }
    return false;
}

// What is wrong with the value of a member; NULL: nothing.
static const char *fault_of(const struct ag_schema_member *member,
                            const struct ag_json_event *value)
{
    static const char *const types[] = {
        [AG_SCHEMA_BOOLEAN] = "is neither true nor false",
        [AG_SCHEMA_INTEGER] = "is not a whole number",
        [AG_SCHEMA_STRING] = "is not a text",
    };
    const bool is_text = member->type == AG_SCHEMA_STRING;
    if (!is_of_type(member->type, value))
        return types[member->type];
    if (value->overflow)
        return "is too long";
    const int64_t measure = is_text ? characters_of(value->text) : value->integer;
    if ((member->flags & AG_SCHEMA_MIN) && measure < member->min)
        return is_text ? "is too short" : "is too small";
    if ((member->flags & AG_SCHEMA_MAX) && measure > member->max)
        return is_text ? "is too long" : "is too large";
    if ((member->flags & AG_SCHEMA_CHOICES) && !is_a_choice(member, value))
        return "is none of the choices";
    return NULL;
}

static enum ag_status fail(struct ag_schema_fault *fault, struct ag_text name, const char *reason)
{
    const size_t size = name.size < AG_SCHEMA_NAME_MAX ? name.size : AG_SCHEMA_NAME_MAX;
    memset(fault, 0, sizeof *fault);
    if (size > 0)
        memcpy(fault->member, name.at, size);
    fault->reason = reason;
    return AG_ERR_SETTINGS_SCHEMA;
}

static enum ag_status check_required(const uint8_t *schema, size_t size, uint32_t seen,
                                     struct ag_schema_fault *fault)
{
    struct ag_reader reader;
    struct ag_schema_member member;
    (void)begin(&reader, schema, size);
    for (uint32_t i = 0; ag_reader_left(&reader) > 0; i++) {
        read_member(&reader, &member);
        if ((member.flags & AG_SCHEMA_REQUIRED) && !(seen >> i & 1))
            return fail(fault, member.name, "is missing");
    }
    return AG_OK;
}

// Settings as the reader of JSON tells them, and what has been seen of them.
struct judge {
    struct ag_json json;
    struct ag_reader piece;
    struct ag_json_event event;
    uint32_t seen; // bit per member
    char token[AG_CFG_SETTINGS_MAX + 1];
};

// A key was told: judges its value.
static enum ag_status judge_member(struct judge *judge, const uint8_t *schema, size_t size,
                                   struct ag_schema_fault *fault)
{
    struct ag_schema_member member;
    uint32_t index;
    const struct ag_text name = judge->event.text;
    if (judge->event.overflow || !find(schema, size, name, AG_SCHEMA_MEMBER_MAX, &member, &index)) {
        if (schema[1] & AG_SCHEMA_CLOSED)
            return fail(fault, name, "is no setting of this plug-in");
        ag_json_skip(&judge->json);
        return AG_OK;
    }
    judge->seen |= (uint32_t)1 << index;
    if (ag_json_next(&judge->json, &judge->piece, &judge->event) != AG_OK)
        return fail(fault, member.name, "is not valid JSON");
    const char *reason = fault_of(&member, &judge->event);
    return reason ? fail(fault, member.name, reason) : AG_OK;
}

enum ag_status ag_schema_judge(const uint8_t *schema, size_t size, struct ag_text settings,
                               struct ag_schema_fault *fault)
{
    static const struct ag_text all = { "", 0 };
    struct judge judge = { .seen = 0 };
    enum ag_status status = AG_OK;
    if (size == 0)
        return AG_OK;
    ag_json_init(&judge.json, judge.token, sizeof judge.token);
    ag_reader_init(&judge.piece, settings.at, settings.size);
    while (status == AG_OK &&
           (status = ag_json_next(&judge.json, &judge.piece, &judge.event)) == AG_OK) {
        if (judge.event.depth == 0 && judge.event.type != AG_JSON_OBJECT_BEGIN &&
            judge.event.type != AG_JSON_OBJECT_END)
            return fail(fault, all, "are not an object");
        if (judge.event.depth == 1 && judge.event.type == AG_JSON_KEY)
            status = judge_member(&judge, schema, size, fault);
    }
    if (status == AG_ERR_SETTINGS_SCHEMA)
        return status;
    if (settings.size > 0 &&
        (status != AG_ERR_AGAIN || ag_json_finish(&judge.json, &judge.event) != AG_OK ||
         judge.event.type != AG_JSON_NONE))
        return fail(fault, all, "are not valid JSON");
    return check_required(schema, size, judge.seen, fault);
}
