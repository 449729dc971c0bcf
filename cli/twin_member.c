// SPDX-License-Identifier: Apache-2.0
// Reading and judging members of an entry. A device passes over names that it does not know, so
// that a slip in one would be found by nobody: here they are mistakes.
#include "cli/twin_member.h"

#include <stdlib.h>
#include <string.h>

#include "azure/twin.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/output.h"
#include "host/window.h"

enum {
    NAMES_MAX = 5
};

static const struct member_row {
    const char *option;
    const char *member;
    const char *looks;                // for a hint
    bool may_go;                      // `none` takes it away
    const char *names[NAMES_MAX + 1]; // all that it may hold; none: anything
} rows[] = {
    [AG_TWIN_MEMBER_SETTINGS] = { .option = "--settings",
                                  .member = "Settings",
                                  .looks = "they look like '{\"threshold\": 25}', or @FILE" },
    [AG_TWIN_MEMBER_WINDOW] = { .option = "--window",
                                .member = "Window",
                                .looks = "it looks like 22:00-04:30, or '{\"From\": \"22:00\", "
                                         "\"To\": \"04:30\", \"Days\": [\"Sat\", \"Sun\"], "
                                         "\"UtcOffsetMinutes\": 60, \"UnknownClock\": \"wait\"}', "
                                         "@FILE, or none",
                                .may_go = true,
                                .names = { "From", "To", "Days", "UtcOffsetMinutes",
                                           "UnknownClock" } },
    [AG_TWIN_MEMBER_TRIAL] = { .option = "--trial",
                               .member = "Trial",
                               .looks = "it looks like '{\"Runs\": 20, \"Ms\": 60000, \"Hub\": "
                                        "true}', each optional, or @FILE, or none",
                               .may_go = true,
                               .names = { "Runs", "Ms", "Hub" } },
};

// What a device makes of an entry, given as the text of a whole twin.
static enum ag_status judge_twin(const char *text)
{
    struct ag_twin twin;
    struct ag_twin_event event;
    struct ag_twin_summary summary;
    struct ag_window window;
    struct ag_reader piece;
    enum ag_status status = AG_OK;
    ag_twin_init(&twin, AG_TWIN_DOCUMENT);
    ag_reader_init(&piece, text, strlen(text));
    while (ag_twin_next(&twin, &piece, &event) == AG_OK) {
        if (event.type != AG_TWIN_ENTRY)
            continue;
        status = event.entry->status;
        if (status == AG_OK && event.entry->window.size > 0)
            status = ag_window_parse(event.entry->window, &window);
    }
    const enum ag_status end = ag_twin_finish(&twin, &summary);
    return end == AG_OK ? status : end;
}

static enum ag_status judge(const struct member_row *row, json_t *value)
{
    json_t *twin = json_pack("{s:{s:{s:{s:s, s:i, s:O}}}}", "desired", "firmware_modules", "any",
                             "Url", "https://any/", "Version", 1, row->member, value);
    char *text = twin ? json_dumps(twin, JSON_COMPACT) : NULL;
    const enum ag_status status = text ? judge_twin(text) : AG_ERR_INTERNAL;
    free(text);
    json_decref(twin);
    return status;
}

static bool check_names(const struct member_row *row, json_t *value)
{
    size_t count = 0;
    while (row->names[count])
        count++;
    for (void *at = json_object_iter(value); count > 0 && at;
         at = json_object_iter_next(value, at)) {
        const char *name = json_object_iter_key(at);
        size_t i = 0;
        while (i < count && strcmp(name, row->names[i]) != 0)
            i++;
        if (i < count)
            continue;
        ag_output_misuse(row->looks, "%s has no member \"%s\"", row->option, name);
        return false;
    }
    return true;
}

// 22:00-04:30; whether these are times is found by who judges it. NULL: it is something else.
static json_t *read_times(const char *text)
{
    const char *dash = strchr(text, '-');
    if (!dash || text[strspn(text, "0123456789:-")] != 0)
        return NULL;
    return json_pack("{s:s%, s:s}", "From", text, (size_t)(dash - text), "To", dash + 1);
}

static json_t *read_object(const struct member_row *row, const char *text)
{
    json_error_t error;
    uint8_t *bytes = NULL;
    size_t size = strlen(text);
    if (text[0] == '@' && !ag_input_read(text + 1, AG_INPUT_TEXT_MAX, &bytes, &size))
        return NULL;
    json_t *value = json_loadb(bytes ? (const char *)bytes : text, size,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    free(bytes);
    if (json_is_object(value))
        return value;
    ag_output_misuse(row->looks, "%s takes a JSON object%s%s", row->option, value ? "" : ": ",
                     value ? "" : error.text);
    json_decref(value);
    return NULL;
}

bool ag_twin_member_read(enum ag_twin_member member, const char *text, json_t **value)
{
    const struct member_row *row = &rows[member];
    json_t *read = NULL;
    if (row->may_go && strcmp(text, "none") == 0) {
        *value = json_null();
        return true;
    }
    if (member == AG_TWIN_MEMBER_WINDOW)
        read = read_times(text);
    if (!read)
        read = read_object(row, text);
    if (!read)
        return false;
    if (check_names(row, read)) {
        const enum ag_status status = judge(row, read);
        if (status == AG_OK) {
            *value = read;
            return true;
        }
        ag_output_misuse(status == AG_ERR_TWIN_SPACE ? ag_status_hint(status) : row->looks,
                         "%s: %s (%s, %d)", row->option, ag_status_text(status),
                         ag_status_name(status), (int)status);
    }
    json_decref(read);
    return false;
}
