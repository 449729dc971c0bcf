// SPDX-License-Identifier: Apache-2.0
// Twin reader: a state for each place in the document, fed by the JSON reader's events.
//
// Whatever is unknown or of a wrong type is skipped whole, so that each state sees only events of
// its own level. URL, Settings and Window are read right into their place; the entries and airgraft
// stand beside each other, so that one buffer serves the URLs of both.
#include "azure/twin.h"

#include <string.h>

#include "base/percent.h"
#include "base/url.h"
#include "base/utf8.h"

enum twin_state {
    EXPECT_ROOT,
    IN_ROOT,
    EXPECT_DESIRED,
    IN_DESIRED,
    EXPECT_MODULES,
    EXPECT_VERSION,
    IN_LIST,
    IN_OBJECT,
    EXPECT_ENTRY,
    IN_ENTRY,
    IN_TRIAL,
    EXPECT_HOST,
    IN_HOST,
    IN_TRUST,
    EXPECT_MEMBER,
    COMPLETE,
};

enum twin_member {
    MEMBER_NONE,
    MEMBER_NAME,
    MEMBER_URL,
    MEMBER_VERSION,
    MEMBER_SHA256,
    MEMBER_SETTINGS,
    MEMBER_WINDOW,
    MEMBER_PERIOD,
    MEMBER_FUEL,
    MEMBER_DOWNGRADE,
    MEMBER_ENABLED,
    MEMBER_TRIAL,
    MEMBER_TRIAL_RUNS,
    MEMBER_TRIAL_MS,
    MEMBER_TRIAL_HUB,
    MEMBER_TRUST,
    MEMBER_TRUST_URL,
    MEMBER_TRUST_EPOCH,
    MEMBER_TRUST_SHA256,
    MEMBER_LOG_LEVEL,
    MEMBER_ONE_CONNECTION,
};

// In which object a member stands, and what it is called there.
static const struct {
    uint8_t within;
    uint8_t member;
    const char *name;
} members[] = {
    { IN_ENTRY, MEMBER_NAME, "Name" },
    { IN_ENTRY, MEMBER_URL, "Url" },
    { IN_ENTRY, MEMBER_VERSION, "Version" },
    { IN_ENTRY, MEMBER_SHA256, "Sha256" },
    { IN_ENTRY, MEMBER_SETTINGS, "Settings" },
    { IN_ENTRY, MEMBER_WINDOW, "Window" },
    { IN_ENTRY, MEMBER_PERIOD, "PeriodMs" },
    { IN_ENTRY, MEMBER_FUEL, "FuelPerRun" },
    { IN_ENTRY, MEMBER_DOWNGRADE, "AllowDowngrade" },
    { IN_ENTRY, MEMBER_ENABLED, "Enabled" },
    { IN_ENTRY, MEMBER_TRIAL, "Trial" },
    { IN_TRIAL, MEMBER_TRIAL_RUNS, "Runs" },
    { IN_TRIAL, MEMBER_TRIAL_MS, "Ms" },
    { IN_TRIAL, MEMBER_TRIAL_HUB, "Hub" },
    { IN_HOST, MEMBER_TRUST, "Trust" },
    { IN_HOST, MEMBER_LOG_LEVEL, "LogLevel" },
    { IN_HOST, MEMBER_ONE_CONNECTION, "OneConnection" },
    { IN_TRUST, MEMBER_TRUST_URL, "Url" },
    { IN_TRUST, MEMBER_TRUST_EPOCH, "Epoch" },
    { IN_TRUST, MEMBER_TRUST_SHA256, "Sha256" },
};

// ---- the entry in hand

static void begin_entry(struct ag_twin *twin)
{
    memset(&twin->entry, 0, sizeof twin->entry);
    twin->entry.status = AG_OK;
    twin->entry.index = twin->summary.entry_count;
    twin->entry.is_enabled = true;
    twin->has_url = false;
    twin->name_is_key = false;
}

static void refuse_entry(struct ag_twin *twin, enum ag_status status)
{
    if (twin->entry.status == AG_OK)
        twin->entry.status = status;
}

static bool tell_entry(struct ag_twin *twin, struct ag_twin_event *event)
{
    twin->summary.entry_count++;
    event->type = AG_TWIN_ENTRY;
    event->modules = twin->summary.modules;
    event->entry = &twin->entry;
    event->host = NULL;
    twin->state = twin->summary.modules == AG_TWIN_MODULES_LIST ? IN_LIST : IN_OBJECT;
    return true;
}

static bool end_entry(struct ag_twin *twin, struct ag_twin_event *event)
{
    const struct ag_twin_entry *entry = &twin->entry;
    if (entry->name.size == 0)
        refuse_entry(twin, AG_ERR_TWIN_NAME);
    if (!twin->has_url || (entry->url.size > 0 && !entry->has_version))
        refuse_entry(twin, AG_ERR_TWIN_ENTRY);
    return tell_entry(twin, event);
}

static bool name_is_sound(struct ag_text name)
{
    if (name.size == 0 || name.size > AG_CFG_NAME_MAX || !ag_utf8_is_valid(name))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        const uint8_t byte = (uint8_t)name.at[i];
        if (byte < 0x20 || byte == 0x7F)
            return false;
    }
    return true;
}

static void set_name(struct ag_twin *twin, size_t size)
{
    const struct ag_text name = { twin->name, size };
    twin->name[size] = 0;
    if (name_is_sound(name))
        twin->entry.name = name;
    else
        refuse_entry(twin, AG_ERR_TWIN_NAME);
}

// The object form names an entry by its key, in which some characters are escaped.
static void name_by_key(struct ag_twin *twin, const struct ag_json_event *key)
{
    struct ag_writer out;
    ag_writer_init(&out, twin->name, AG_CFG_NAME_MAX);
    twin->name_is_key = true;
    if (key->overflow || ag_percent_decode(&out, key->text) != AG_OK || out.status != AG_OK)
        refuse_entry(twin, AG_ERR_TWIN_NAME);
    else
        set_name(twin, out.size);
}

// ---- members of an entry

static bool is_null(const struct ag_json_event *value)
{
    return value->type == AG_JSON_NULL ||
           (value->type == AG_JSON_CAPTURED && ag_text_equals(value->text, "null"));
}

static void take_name(struct ag_twin *twin, const struct ag_json_event *value)
{
    if (value->type != AG_JSON_STRING || value->overflow) {
        refuse_entry(twin, AG_ERR_TWIN_NAME);
        return;
    }
    if (!twin->name_is_key) {
        set_name(twin, value->text.size);
        return;
    }
    const struct ag_text name = twin->entry.name;
    if (value->text.size != name.size || memcmp(value->text.at, twin->name, name.size) != 0)
        refuse_entry(twin, AG_ERR_TWIN_NAME);
}

static void take_url(struct ag_twin *twin, const struct ag_json_event *value)
{
    struct ag_url url;
    twin->has_url = true;
    if (value->type != AG_JSON_STRING || value->overflow ||
        (value->text.size > 0 && ag_url_parse(value->text, &url) != AG_OK))
        refuse_entry(twin, AG_ERR_TWIN_URL);
    else
        twin->entry.url = value->text;
}

static bool is_integer_in(const struct ag_json_event *value, int64_t least, int64_t most)
{
    return value->type == AG_JSON_NUMBER && value->is_integer && value->integer >= least &&
           value->integer <= most;
}

static void take_version(struct ag_twin *twin, const struct ag_json_event *value)
{
    if (!is_integer_in(value, 1, UINT32_MAX)) {
        refuse_entry(twin, AG_ERR_TWIN_VERSION);
        return;
    }
    twin->entry.has_version = true;
    twin->entry.version = (uint32_t)value->integer;
}

static bool read_sha256(const struct ag_json_event *value, uint8_t sha256[32])
{
    if (value->type != AG_JSON_STRING || value->text.size != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        const uint32_t high = ag_text_hex_digit(value->text.at[2 * i]);
        const uint32_t low = ag_text_hex_digit(value->text.at[2 * i + 1]);
        if (high > 15 || low > 15)
            return false;
        sha256[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void take_settings(struct ag_twin *twin, const struct ag_json_event *value)
{
    if (value->text.at[0] != '{')
        refuse_entry(twin, AG_ERR_TWIN_MEMBER);
    else if (value->overflow)
        refuse_entry(twin, AG_ERR_TWIN_SPACE);
    else
        twin->entry.settings = value->text;
}

// What a Window says is read by the host; a text that is cut cannot be.
static void take_window(struct ag_twin *twin, const struct ag_json_event *value)
{
    if (value->overflow)
        refuse_entry(twin, AG_ERR_TWIN_WINDOW);
    else
        twin->entry.window = value->text;
}

static bool is_bool(const struct ag_json_event *value)
{
    return value->type == AG_JSON_TRUE || value->type == AG_JSON_FALSE;
}

static bool take_trial(struct ag_twin_trial *trial, enum twin_member member,
                       const struct ag_json_event *value)
{
    if (member == MEMBER_TRIAL_HUB) {
        trial->has_hub = is_bool(value);
        trial->needs_hub = value->type == AG_JSON_TRUE;
        return trial->has_hub;
    }
    const bool is_runs = member == MEMBER_TRIAL_RUNS;
    const bool is_sound = is_integer_in(value, is_runs ? 1 : 0, UINT32_MAX);
    *(is_runs ? &trial->has_runs : &trial->has_ms) = is_sound;
    *(is_runs ? &trial->runs : &trial->ms) = is_sound ? (uint32_t)value->integer : 0;
    return is_sound;
}

// The plain members: false when the value is of a wrong type or out of range.
static bool take_plain(struct ag_twin_entry *entry, enum twin_member member,
                       const struct ag_json_event *value)
{
    if (member == MEMBER_SHA256) {
        entry->has_sha256 = read_sha256(value, entry->sha256);
        return entry->has_sha256;
    }
    if (member == MEMBER_PERIOD) {
        entry->period_ms = (uint32_t)value->integer;
        return is_integer_in(value, 1, UINT32_MAX);
    }
    if (member == MEMBER_FUEL) {
        entry->fuel_per_run = (uint64_t)value->integer;
        return is_integer_in(value, 1, INT64_MAX);
    }
    if (member == MEMBER_DOWNGRADE)
        entry->allow_downgrade = value->type == AG_JSON_TRUE;
    else
        entry->is_enabled = value->type == AG_JSON_TRUE;
    return is_bool(value);
}

static bool take_url_of_trust(struct ag_twin_host *host, const struct ag_json_event *value)
{
    struct ag_url url;
    if (value->type != AG_JSON_STRING || value->overflow ||
        ag_url_parse(value->text, &url) != AG_OK)
        return false;
    host->trust_url = value->text;
    return true;
}

static bool take_log_level(struct ag_twin_host *host, const struct ag_json_event *value)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    host->has_log_level = false;
    for (uint8_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (value->type == AG_JSON_STRING && ag_text_equals(value->text, names[i])) {
            host->has_log_level = true;
            host->log_level = i;
        }
    }
    return host->has_log_level;
}

// Members of airgraft and of its Trust: false when passed over.
static bool take_host(struct ag_twin_host *host, enum twin_member member,
                      const struct ag_json_event *value)
{
    if (member == MEMBER_TRUST_URL)
        return take_url_of_trust(host, value);
    if (member == MEMBER_LOG_LEVEL)
        return take_log_level(host, value);
    if (member == MEMBER_TRUST_EPOCH && is_integer_in(value, 1, UINT32_MAX)) {
        host->trust_epoch = (uint32_t)value->integer;
        return true;
    }
    if (member == MEMBER_TRUST_SHA256) {
        host->has_trust_sha256 = read_sha256(value, host->trust_sha256);
        return host->has_trust_sha256;
    }
    if (member == MEMBER_ONE_CONNECTION) {
        host->has_one_connection = is_bool(value);
        host->one_connection = value->type == AG_JSON_TRUE;
        return host->has_one_connection;
    }
    return false; // also a Trust that is no object
}

static void take_value(struct ag_twin *twin, const struct ag_json_event *value)
{
    const enum twin_member member = (enum twin_member)twin->member;
    if (is_null(value)) // as if it were absent
        return;
    switch (member) {
    case MEMBER_NAME:
        take_name(twin, value);
        return;
    case MEMBER_URL:
        take_url(twin, value);
        return;
    case MEMBER_VERSION:
        take_version(twin, value);
        return;
    case MEMBER_SETTINGS:
        take_settings(twin, value);
        return;
    case MEMBER_WINDOW:
        take_window(twin, value);
        return;
    case MEMBER_SHA256:
    case MEMBER_PERIOD:
    case MEMBER_FUEL:
    case MEMBER_DOWNGRADE:
    case MEMBER_ENABLED:
        if (!take_plain(&twin->entry, member, value))
            refuse_entry(twin, AG_ERR_TWIN_MEMBER);
        return;
    case MEMBER_TRIAL_RUNS:
    case MEMBER_TRIAL_MS:
    case MEMBER_TRIAL_HUB:
        if (!take_trial(&twin->entry.trial, member, value))
            refuse_entry(twin, AG_ERR_TWIN_MEMBER);
        return;
    case MEMBER_TRUST:
    case MEMBER_TRUST_URL:
    case MEMBER_TRUST_EPOCH:
    case MEMBER_TRUST_SHA256:
    case MEMBER_LOG_LEVEL:
    case MEMBER_ONE_CONNECTION:
        if (take_host(&twin->host, member, value))
            return;
        twin->host.status = AG_ERR_TWIN_HOST;
        twin->trust_is_wrong = true; // read only at the end of a Trust
        return;
    case MEMBER_TRIAL: // not an object
        refuse_entry(twin, AG_ERR_TWIN_MEMBER);
        return;
    case MEMBER_NONE:
        return;
    }
}

// ---- places in the document

static void fail(struct ag_twin *twin)
{
    twin->status = AG_ERR_TWIN_JSON;
}

static bool is_begin(const struct ag_json_event *event)
{
    return event->type == AG_JSON_OBJECT_BEGIN || event->type == AG_JSON_ARRAY_BEGIN;
}

static void skip_if_begun(struct ag_twin *twin, const struct ag_json_event *event)
{
    if (is_begin(event))
        ag_json_skip(&twin->json);
}

static void at_root(struct ag_twin *twin, const struct ag_json_event *event)
{
    if (event->type == AG_JSON_OBJECT_BEGIN)
        twin->state = twin->source == AG_TWIN_PATCH ? IN_DESIRED : IN_ROOT;
    else
        fail(twin);
}

static void in_root(struct ag_twin *twin, const struct ag_json_event *event)
{
    if (event->type == AG_JSON_OBJECT_END)
        twin->state = COMPLETE;
    else if (ag_text_equals(event->text, "desired"))
        twin->state = EXPECT_DESIRED;
    else
        ag_json_skip(&twin->json);
}

static void at_desired(struct ag_twin *twin, const struct ag_json_event *event)
{
    if (event->type == AG_JSON_OBJECT_BEGIN)
        twin->state = IN_DESIRED;
    else if (event->type == AG_JSON_NULL)
        twin->state = IN_ROOT;
    else
        fail(twin);
}

static void in_desired(struct ag_twin *twin, const struct ag_json_event *event)
{
    if (event->type == AG_JSON_OBJECT_END)
        twin->state = event->depth == 0 ? COMPLETE : IN_ROOT;
    else if (ag_text_equals(event->text, "firmware_modules"))
        twin->state = EXPECT_MODULES;
    else if (ag_text_equals(event->text, "airgraft"))
        twin->state = EXPECT_HOST;
    else if (ag_text_equals(event->text, "$version"))
        twin->state = EXPECT_VERSION;
    else
        ag_json_skip(&twin->json);
}

static void at_version(struct ag_twin *twin, const struct ag_json_event *event)
{
    skip_if_begun(twin, event);
    twin->state = IN_DESIRED;
    if (!is_integer_in(event, 0, INT64_MAX))
        return;
    twin->summary.has_version = true;
    twin->summary.version = event->integer;
}

static bool at_modules(struct ag_twin *twin, const struct ag_json_event *value,
                       struct ag_twin_event *event)
{
    enum ag_twin_modules modules = AG_TWIN_MODULES_WRONG;
    twin->state = IN_DESIRED;
    if (value->type == AG_JSON_NULL)
        modules = AG_TWIN_MODULES_NULL;
    if (value->type == AG_JSON_ARRAY_BEGIN) {
        modules = AG_TWIN_MODULES_LIST;
        twin->state = IN_LIST;
    }
    if (value->type == AG_JSON_OBJECT_BEGIN) {
        modules = AG_TWIN_MODULES_OBJECT;
        twin->state = IN_OBJECT;
    }
    twin->summary.modules = modules;
    twin->summary.entry_count = 0;
    event->type = AG_TWIN_MODULES;
    event->modules = modules;
    event->entry = NULL;
    event->host = NULL;
    return true;
}

static bool in_list(struct ag_twin *twin, const struct ag_json_event *value,
                    struct ag_twin_event *event)
{
    if (value->type == AG_JSON_ARRAY_END) {
        twin->state = IN_DESIRED;
        return false;
    }
    begin_entry(twin);
    if (value->type == AG_JSON_OBJECT_BEGIN) {
        twin->state = IN_ENTRY;
        return false;
    }
    skip_if_begun(twin, value);
    refuse_entry(twin, AG_ERR_TWIN_ENTRY);
    return tell_entry(twin, event);
}

static void in_object(struct ag_twin *twin, const struct ag_json_event *event)
{
    if (event->type == AG_JSON_OBJECT_END) {
        twin->state = IN_DESIRED;
        return;
    }
    // No name of ours begins so, escaped as it would be: the hub's own $metadata and the like.
    if (ag_text_starts_with(event->text, "$")) {
        ag_json_skip(&twin->json);
        return;
    }
    begin_entry(twin);
    name_by_key(twin, event);
    twin->state = EXPECT_ENTRY;
}

static bool at_entry(struct ag_twin *twin, const struct ag_json_event *value,
                     struct ag_twin_event *event)
{
    if (value->type == AG_JSON_OBJECT_BEGIN) {
        twin->state = IN_ENTRY;
        return false;
    }
    skip_if_begun(twin, value);
    twin->entry.is_removed = value->type == AG_JSON_NULL;
    if (!twin->entry.is_removed)
        refuse_entry(twin, AG_ERR_TWIN_ENTRY);
    return tell_entry(twin, event);
}

static bool tell_host(struct ag_twin *twin, struct ag_twin_event *event)
{
    twin->state = IN_DESIRED;
    twin->has_host = true;
    event->type = AG_TWIN_HOST;
    event->modules = twin->summary.modules;
    event->entry = NULL;
    event->host = &twin->host;
    return true;
}

static bool at_host(struct ag_twin *twin, const struct ag_json_event *value,
                    struct ag_twin_event *event)
{
    memset(&twin->host, 0, sizeof twin->host);
    twin->host.status = AG_OK;
    if (value->type == AG_JSON_OBJECT_BEGIN) {
        twin->state = IN_HOST;
        return false;
    }
    skip_if_begun(twin, value);
    if (value->type != AG_JSON_NULL)
        twin->host.status = AG_ERR_TWIN_HOST;
    return tell_host(twin, event);
}

static void begin_trial(struct ag_twin *twin)
{
    memset(&twin->entry.trial, 0, sizeof twin->entry.trial);
    twin->state = IN_TRIAL;
}

static void begin_trust(struct ag_twin *twin)
{
    struct ag_twin_host *host = &twin->host;
    memset(&host->trust_url, 0, sizeof host->trust_url);
    host->trust_epoch = 0;
    host->has_trust_sha256 = false;
    host->has_trust = false;
    twin->trust_is_wrong = false;
    twin->state = IN_TRUST;
}

static void end_trust(struct ag_twin *twin)
{
    struct ag_twin_host *host = &twin->host;
    host->has_trust = !twin->trust_is_wrong && host->trust_url.size > 0 && host->trust_epoch > 0;
    if (!host->has_trust)
        host->status = AG_ERR_TWIN_HOST;
    twin->state = IN_HOST;
}

static uint8_t find_member(uint8_t within, const struct ag_json_event *key)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (members[i].within == within && ag_text_equals(key->text, members[i].name))
            return members[i].member;
    }
    return MEMBER_NONE;
}

// The object with members that is open has ended. True when *event is to be told.
static bool end_members(struct ag_twin *twin, struct ag_twin_event *event)
{
    if (twin->state == IN_ENTRY)
        return end_entry(twin, event);
    if (twin->state == IN_HOST)
        return tell_host(twin, event);
    if (twin->state == IN_TRUST)
        end_trust(twin);
    else
        twin->state = IN_ENTRY;
    return false;
}

// Where the member's value is read to, if not to the token. A second one overwrites the first,
// whatever it turns out to be, so the first is forgotten.
static void place_value(struct ag_twin *twin)
{
    static const struct ag_text none = { NULL, 0 };
    struct ag_twin_entry *entry = &twin->entry;
    struct ag_json *json = &twin->json;
    if (twin->member == MEMBER_URL) {
        twin->has_url = false;
        entry->url = none;
        ag_json_set_token(json, twin->url, sizeof twin->url);
    } else if (twin->member == MEMBER_TRUST_URL) {
        twin->host.trust_url = none;
        ag_json_set_token(json, twin->url, sizeof twin->url);
    } else if (twin->member == MEMBER_NAME && !twin->name_is_key) {
        entry->name = none;
        ag_json_set_token(json, twin->name, sizeof twin->name);
    } else if (twin->member == MEMBER_SETTINGS) {
        entry->settings = none;
        ag_json_capture(json, twin->settings, sizeof twin->settings);
    } else if (twin->member == MEMBER_WINDOW) {
        entry->window = none;
        ag_json_capture(json, twin->window, sizeof twin->window);
    }
}

static bool in_members(struct ag_twin *twin, const struct ag_json_event *key,
                       struct ag_twin_event *event)
{
    if (key->type == AG_JSON_OBJECT_END)
        return end_members(twin, event);
    twin->member = find_member(twin->state, key);
    if (twin->member == MEMBER_NONE) {
        ag_json_skip(&twin->json);
        return false;
    }
    twin->within = twin->state;
    twin->state = EXPECT_MEMBER;
    place_value(twin);
    return false;
}

static void at_member(struct ag_twin *twin, const struct ag_json_event *value)
{
    twin->state = twin->within;
    if (value->type == AG_JSON_OBJECT_BEGIN && twin->member == MEMBER_TRIAL) {
        begin_trial(twin);
        return;
    }
    if (value->type == AG_JSON_OBJECT_BEGIN && twin->member == MEMBER_TRUST) {
        begin_trust(twin);
        return;
    }
    skip_if_begun(twin, value);
    take_value(twin, value);
    ag_json_set_token(&twin->json, twin->token, sizeof twin->token);
}

// True when *event is to be told.
static bool take_event(struct ag_twin *twin, const struct ag_json_event *json,
                       struct ag_twin_event *event)
{
    switch ((enum twin_state)twin->state) {
    case EXPECT_ROOT:
        at_root(twin, json);
        return false;
    case IN_ROOT:
        in_root(twin, json);
        return false;
    case EXPECT_DESIRED:
        at_desired(twin, json);
        return false;
    case IN_DESIRED:
        in_desired(twin, json);
        return false;
    case EXPECT_MODULES:
        return at_modules(twin, json, event);
    case EXPECT_VERSION:
        at_version(twin, json);
        return false;
    case IN_LIST:
        return in_list(twin, json, event);
    case IN_OBJECT:
        in_object(twin, json);
        return false;
    case EXPECT_ENTRY:
        return at_entry(twin, json, event);
    case EXPECT_HOST:
        return at_host(twin, json, event);
    case IN_ENTRY:
    case IN_TRIAL:
    case IN_HOST:
    case IN_TRUST:
        return in_members(twin, json, event);
    case EXPECT_MEMBER:
        at_member(twin, json);
        return false;
    case COMPLETE:
        break;
    }
    return false;
}

void ag_twin_init(struct ag_twin *twin, enum ag_twin_source source)
{
    memset(twin, 0, sizeof *twin);
    ag_json_init(&twin->json, twin->token, sizeof twin->token);
    twin->source = (uint8_t)source;
    twin->state = EXPECT_ROOT;
    twin->status = AG_OK;
}

enum ag_status ag_twin_next(struct ag_twin *twin, struct ag_reader *piece,
                            struct ag_twin_event *event)
{
    struct ag_json_event json;
    while (twin->status == AG_OK) {
        const enum ag_status status = ag_json_next(&twin->json, piece, &json);
        if (status == AG_ERR_AGAIN)
            return status;
        if (status != AG_OK)
            fail(twin);
        else if (take_event(twin, &json, event))
            return AG_OK;
    }
    return twin->status;
}

enum ag_status ag_twin_finish(struct ag_twin *twin, struct ag_twin_summary *summary)
{
    struct ag_json_event json;
    if (ag_json_finish(&twin->json, &json) != AG_OK || twin->state != COMPLETE)
        fail(twin);
    if (twin->status != AG_OK)
        return twin->status;
    *summary = twin->summary;
    summary->needs_document = twin->source == AG_TWIN_PATCH &&
                              (twin->summary.modules == AG_TWIN_MODULES_OBJECT || twin->has_host);
    return AG_OK;
}

void ag_twin_write_key(struct ag_json_writer *json, struct ag_text name)
{
    char key[AG_TWIN_KEY_MAX];
    struct ag_writer out;
    ag_writer_init(&out, key, sizeof key);
    ag_percent_encode(&out, name, "-_");
    const struct ag_text text = { key, out.size };
    ag_json_writer_key_text(json, text);
}
