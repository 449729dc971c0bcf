// SPDX-License-Identifier: Apache-2.0
// Follows the twin: whole documents and patches become the table of what is desired.
#include "host/follow.h"

#include <string.h>

#include "base/percent.h"

// reported → firmware_modules → names
#define LEVEL_NONE     0u
#define LEVEL_REPORTED 1u
#define LEVEL_MODULES  2u

static struct ag_desired *table_to_fill(struct ag_follow *follow)
{
    return &follow->tables[1 - follow->in_force];
}

void ag_follow_init(struct ag_follow *follow, char *pool, size_t capacity,
                    ag_follow_reported on_reported, void *context)
{
    memset(follow, 0, sizeof *follow);
    ag_desired_init(&follow->tables[0], pool, capacity / 2);
    ag_desired_init(&follow->tables[1], pool + capacity / 2, capacity / 2);
    ag_desired_set_host(&follow->hosts[0], NULL);
    follow->on_reported = on_reported;
    follow->context = context;
}

struct ag_desired *ag_follow_table(struct ag_follow *follow)
{
    return &follow->tables[follow->in_force];
}

struct ag_desired *ag_follow_table_before(struct ag_follow *follow)
{
    return table_to_fill(follow);
}

void ag_follow_reconnected(struct ag_follow *follow)
{
    follow->message = AG_FOLLOW_NOTHING;
    follow->rid = 0;
    follow->passed_over = 0;
    follow->wants_document = true;
}

const struct ag_desired_host *ag_follow_host(const struct ag_follow *follow)
{
    return &follow->hosts[follow->host_in_force];
}

const struct ag_desired_host *ag_follow_host_before(const struct ag_follow *follow)
{
    return &follow->hosts[1 - follow->host_in_force];
}

static struct ag_desired_host *host_to_fill(struct ag_follow *follow)
{
    return &follow->hosts[1 - follow->host_in_force];
}

static void begin(struct ag_follow *follow, enum ag_follow_message message,
                  enum ag_twin_source source)
{
    follow->message = message;
    ag_twin_init(&follow->twin, source);
    ag_desired_clear(table_to_fill(follow));
    ag_desired_set_host(host_to_fill(follow), NULL);
}

void ag_follow_begin_document(struct ag_follow *follow)
{
    begin(follow, AG_FOLLOW_DOCUMENT, AG_TWIN_DOCUMENT);
    follow->rid = 0;
    ag_json_init(&follow->reported, follow->reported_token, sizeof follow->reported_token);
    follow->reported_level = LEVEL_NONE;
    follow->reported_is_over = follow->on_reported == NULL;
}

void ag_follow_begin_patch(struct ag_follow *follow, bool has_version, int64_t version)
{
    follow->message = AG_FOLLOW_NOTHING;
    if (!has_version || version <= 0)
        return;
    if (follow->wants_document || follow->rid != 0) { // the document should have it already
        if ((uint64_t)version > follow->passed_over)
            follow->passed_over = (uint64_t)version;
        return;
    }
    if ((uint64_t)version <= follow->version)
        return;
    if ((uint64_t)version != follow->version + 1) { // one was missed
        follow->wants_document = true;
        return;
    }
    follow->message_version = (uint64_t)version;
    begin(follow, AG_FOLLOW_PATCH, AG_TWIN_PATCH);
}

static void tell_reported(struct ag_follow *follow, struct ag_text key)
{
    char name[AG_CFG_NAME_MAX + 1];
    struct ag_writer out;
    ag_writer_init(&out, name, sizeof name);
    if (ag_percent_decode(&out, key) != AG_OK)
        return;
    const char *text = ag_writer_finish_text(&out);
    if (out.status == AG_OK && out.size > 0 && strlen(text) == out.size)
        follow->on_reported(follow->context, text);
}

// Follows the path reported.firmware_modules; every key below is a name.
static void take_reported(struct ag_follow *follow, const struct ag_json_event *event)
{
    if (event->type != AG_JSON_KEY)
        return;
    if (follow->reported_level >= event->depth) // back out of what had matched
        follow->reported_level = (uint8_t)(event->depth - 1);
    bool matches = (event->depth == 1 && ag_text_equals(event->text, "reported")) ||
                   (event->depth == 2 && follow->reported_level == LEVEL_REPORTED &&
                    ag_text_equals(event->text, "firmware_modules"));
    if (matches) {
        follow->reported_level = event->depth;
        return;
    }
    if (event->depth == 3 && follow->reported_level == LEVEL_MODULES && !event->overflow)
        tell_reported(follow, event->text);
    ag_json_skip(&follow->reported);
}

static void feed_reported(struct ag_follow *follow, const void *bytes, size_t size)
{
    struct ag_reader piece;
    ag_reader_init(&piece, bytes, size);
    struct ag_json_event event;
    enum ag_status status;
    while ((status = ag_json_next(&follow->reported, &piece, &event)) == AG_OK)
        take_reported(follow, &event);
    if (status != AG_ERR_AGAIN)
        follow->reported_is_over = true;
}

void ag_follow_feed(struct ag_follow *follow, const void *bytes, size_t size)
{
    if (follow->message == AG_FOLLOW_NOTHING)
        return;
    if (follow->message == AG_FOLLOW_DOCUMENT && !follow->reported_is_over)
        feed_reported(follow, bytes, size);
    struct ag_reader piece;
    ag_reader_init(&piece, bytes, size);
    struct ag_twin_event event;
    while (ag_twin_next(&follow->twin, &piece, &event) == AG_OK) { // an error shows at the end
        if (event.type == AG_TWIN_MODULES)
            ag_desired_clear(table_to_fill(follow));
        else if (event.type == AG_TWIN_HOST)
            ag_desired_set_host(host_to_fill(follow), event.host);
        else
            ag_desired_add(table_to_fill(follow), event.entry);
    }
}

// Entries that are refused go on with the options that they had.
static void carry_options(struct ag_follow *follow)
{
    struct ag_desired *to = table_to_fill(follow);
    const struct ag_desired *from = ag_follow_table(follow);
    for (uint32_t i = 0; i < to->count; i++) {
        uint32_t before = ag_desired_find(from, to->entries[i].name);
        if (to->entries[i].status != AG_OK && before != AG_DESIRED_NONE)
            ag_desired_carry(to, &to->entries[i], &from->entries[before]);
    }
}

static bool take_modules(struct ag_follow *follow, enum ag_twin_modules modules)
{
    switch (modules) {
    case AG_TWIN_MODULES_MISSING:
    case AG_TWIN_MODULES_NULL:
        return false;
    case AG_TWIN_MODULES_WRONG:
        follow->error = AG_ERR_TWIN_TYPE;
        return false;
    case AG_TWIN_MODULES_LIST:
    case AG_TWIN_MODULES_OBJECT:
        carry_options(follow);
        follow->in_force = 1 - follow->in_force;
        follow->is_known = true;
        return true;
    }
    return false;
}

// A whole document says all that is desired of the host; a patch that says anything of it was
// answered by a read of the whole.
static void take_host(struct ag_follow *follow)
{
    const struct ag_desired_host *host = host_to_fill(follow);
    follow->host_is_new = memcmp(host, ag_follow_host(follow), sizeof *host) != 0;
    if (follow->host_is_new) // else texts that are borrowed from the one in force stay
        follow->host_in_force = 1 - follow->host_in_force;
}

bool ag_follow_end(struct ag_follow *follow)
{
    enum ag_follow_message message = follow->message;
    follow->message = AG_FOLLOW_NOTHING;
    follow->host_is_new = false;
    if (message == AG_FOLLOW_NOTHING)
        return false;
    struct ag_twin_summary summary;
    follow->error = ag_twin_finish(&follow->twin, &summary);
    if (follow->error != AG_OK)
        return false;
    if (message == AG_FOLLOW_PATCH && summary.needs_document) {
        follow->wants_document = true;
        return false;
    }
    if (message == AG_FOLLOW_DOCUMENT && summary.has_version)
        follow->version = (uint64_t)summary.version;
    if (message == AG_FOLLOW_PATCH)
        follow->version = follow->message_version;
    if (message == AG_FOLLOW_DOCUMENT) {
        // It was made before a patch that has overtaken it: once more.
        follow->wants_document |= follow->passed_over > follow->version;
        follow->passed_over = 0;
        take_host(follow);
    }
    follow->error = ag_follow_host(follow)->status;
    return take_modules(follow, summary.modules);
}
