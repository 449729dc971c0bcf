// SPDX-License-Identifier: Apache-2.0
// Editing firmware_modules and reading the report about it.
#include "cli/twin_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/service.h"

static bool is_kept(unsigned char letter)
{
    return letter > ' ' && letter != 0x7F && !strchr(".$#%", letter);
}

char *ag_twin_edit_escape(const char *name)
{
    static const char hex[] = "0123456789ABCDEF";
    char *key = malloc(strlen(name) * 3 + 1);
    char *at = key;
    if (!key)
        return NULL;
    for (; *name; name++) {
        const unsigned char letter = (unsigned char)*name;
        if (is_kept(letter)) {
            *at++ = *name;
            continue;
        }
        *at++ = '%';
        *at++ = hex[letter >> 4];
        *at++ = hex[letter & 15];
    }
    *at = 0;
    return key;
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)((found - digits) % 16) : -1;
}

char *ag_twin_edit_unescape(const char *key)
{
    char *name = malloc(strlen(key) + 1);
    char *at = name;
    if (!name)
        return NULL;
    while (*key) {
        const int high = *key == '%' ? hex_value(key[1]) : -1;
        const int low = high >= 0 ? hex_value(key[2]) : -1;
        if (low >= 0) {
            *at++ = (char)(high * 16 + low);
            key += 3;
        } else {
            *at++ = *key++;
        }
    }
    *at = 0;
    return name;
}

static bool key_means(const char *key, const char *name)
{
    char *decoded = ag_twin_edit_unescape(key);
    const bool same = decoded && strcmp(decoded, name) == 0;
    free(decoded);
    return same;
}

// The key under which an object holds the plug-in, whatever its spelling; NULL when there is none.
static const char *find_key(const json_t *object, const char *name)
{
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        if (key_means(json_object_iter_key(at), name))
            return json_object_iter_key(at);
    }
    return NULL;
}

const json_t *ag_twin_edit_find(const json_t *modules, const char *name)
{
    if (json_is_object(modules)) {
        const char *key = find_key(modules, name);
        const json_t *entry = key ? json_object_get(modules, key) : NULL;
        return json_is_object(entry) ? entry : NULL;
    }
    for (size_t i = 0; i < json_array_size(modules); i++) {
        const json_t *entry = json_array_get(modules, i);
        const char *text = json_string_value(json_object_get(entry, "Name"));
        if (text && strcmp(text, name) == 0)
            return entry;
    }
    return NULL;
}

static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0; // takes the value in any case
}

static bool apply_switches(json_t *entry, const struct ag_twin_change *change)
{
    bool done = true;
    if (change->allow_downgrade)
        done = set(entry, "AllowDowngrade", json_true());
    else if (change->url)
        json_object_del(entry, "AllowDowngrade");
    switch (change->enabled) {
    case AG_TWIN_SWITCH_KEEP:
        break;
    case AG_TWIN_SWITCH_ON:
        json_object_del(entry, "Enabled");
        break;
    case AG_TWIN_SWITCH_OFF:
        done = set(entry, "Enabled", json_false()) && done;
        break;
    }
    return done;
}

// Replaces a member, or takes it away where the value is null; NULL: it stays as it is.
static bool replace(json_t *entry, const char *member, const json_t *value)
{
    if (!json_is_null(value))
        return !value || set(entry, member, json_deep_copy(value));
    json_object_del(entry, member);
    return true;
}

// The entry as it shall be: the old one (NULL: none) with the change. NULL when memory is
// exhausted.
static json_t *make_entry(const json_t *old, const struct ag_twin_change *change)
{
    json_t *entry = old ? json_deep_copy(old) : json_object();
    bool done = entry != NULL;
    if (done)
        json_object_del(entry, "Name"); // the key says it
    if (done && change->url) {
        done = set(entry, "Url", json_string(change->url)) &&
               set(entry, "Version", json_integer(change->version));
        json_object_del(entry, "Sha256");
    }
    if (done && change->sha256)
        done = set(entry, "Sha256", json_string(change->sha256));
    done = done && replace(entry, "Settings", change->settings) &&
           replace(entry, "Window", change->window) && replace(entry, "Trial", change->trial);
    if (done && change->period_ms)
        done = set(entry, "PeriodMs", json_integer((json_int_t)change->period_ms));
    if (done && change->fuel_per_run)
        done = set(entry, "FuelPerRun", json_integer((json_int_t)change->fuel_per_run));
    if (done && apply_switches(entry, change))
        return entry;
    json_decref(entry);
    return NULL;
}

// Adds to `wanted` a null for each member that `old` has and `wanted` has not, at every depth:
// merging it into `old` then gives `wanted` exactly.
static bool add_nulls(const json_t *old, json_t *wanted)
{
    void *at = json_object_iter((json_t *)(uintptr_t)old);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)old, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *old_value = json_object_iter_value(at);
        json_t *value = json_object_get(wanted, name);
        if (!value && !set(wanted, name, json_null()))
            return false;
        if (json_is_object(value) && json_is_object(old_value) && !add_nulls(old_value, value))
            return false;
    }
    return true;
}

// Turns the list into an object. The first entry of a name counts, as on the device. MALFORMED when
// an entry is no object or has no Name.
static enum ag_twin_edit_outcome convert_list(const json_t *list, json_t **object)
{
    json_t *made = json_object();
    enum ag_twin_edit_outcome outcome = made ? AG_TWIN_EDIT_CONVERTED : AG_TWIN_EDIT_NO_MEMORY;
    for (size_t i = 0; i < json_array_size(list) && outcome == AG_TWIN_EDIT_CONVERTED; i++) {
        const json_t *entry = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(entry, "Name"));
        if (!name || !name[0]) {
            outcome = AG_TWIN_EDIT_MALFORMED;
            break;
        }
        char *key = ag_twin_edit_escape(name);
        json_t *copy = json_deep_copy(entry);
        json_object_del(copy, "Name");
        if (!key || (!json_object_get(made, key) && json_object_set(made, key, copy) != 0))
            outcome = AG_TWIN_EDIT_NO_MEMORY;
        json_decref(copy);
        free(key);
    }
    if (outcome == AG_TWIN_EDIT_CONVERTED)
        *object = made;
    else
        json_decref(made);
    return outcome;
}

// Changes one entry in the whole object that a list was converted into.
static bool change_converted(json_t *object, const char *key, const struct ag_twin_change *change)
{
    if (change->remove) {
        json_object_del(object, key);
        return true;
    }
    return set(object, key, make_entry(json_object_get(object, key), change));
}

// The patch of one entry only. NULL when memory is exhausted.
static json_t *patch_one(const json_t *old, const char *key, const struct ag_twin_change *change)
{
    json_t *object = json_object();
    json_t *entry = change->remove ? json_null() : make_entry(old, change);
    bool done = object && entry;
    if (done && !change->remove && old)
        done = add_nulls(old, entry);
    if (done && json_object_set(object, key, entry) != 0)
        done = false;
    json_decref(entry);
    if (done)
        return object;
    json_decref(object);
    return NULL;
}

// The new value of firmware_modules within a patch.
static enum ag_twin_edit_outcome make_value(const json_t *modules, const char *key,
                                            const struct ag_twin_change *change, json_t **value)
{
    const json_t *old = ag_twin_edit_find(modules, change->name);
    if (!old && (change->remove || !change->url))
        return AG_TWIN_EDIT_MISSING;
    if (json_is_array(modules)) {
        const enum ag_twin_edit_outcome outcome = convert_list(modules, value);
        if (outcome != AG_TWIN_EDIT_CONVERTED || change_converted(*value, key, change))
            return outcome;
        json_decref(*value);
        return AG_TWIN_EDIT_NO_MEMORY;
    }
    *value = patch_one(old, key, change);
    return *value ? AG_TWIN_EDIT_DONE : AG_TWIN_EDIT_NO_MEMORY;
}

enum ag_twin_edit_outcome ag_twin_edit_patch(const json_t *modules,
                                             const struct ag_twin_change *change, json_t **patch)
{
    json_t *value = NULL;
    if (json_is_null(modules))
        modules = NULL;
    if (modules && !json_is_object(modules) && !json_is_array(modules))
        return AG_TWIN_EDIT_MALFORMED;
    const char *present = json_is_object(modules) ? find_key(modules, change->name) : NULL;
    char *key = present ? strdup(present) : ag_twin_edit_escape(change->name);
    if (!key)
        return AG_TWIN_EDIT_NO_MEMORY;
    const enum ag_twin_edit_outcome outcome = make_value(modules, key, change, &value);
    free(key);
    if (outcome != AG_TWIN_EDIT_DONE && outcome != AG_TWIN_EDIT_CONVERTED)
        return outcome;
    *patch = json_pack("{s:{s:{s:o}}}", "properties", "desired", "firmware_modules", value);
    return *patch ? outcome : AG_TWIN_EDIT_NO_MEMORY;
}

// The device's words for a plug-in's state, and what each means for somebody who waits.
static const struct state_row {
    const char *name;
    const char *text; // follows the version
    enum ag_twin_verdict verdict;
} states[] = {
    { "downloading", "is being downloaded", AG_TWIN_WAITING },
    { "verifying", "is being verified", AG_TWIN_WAITING },
    { "waiting", "waits for its turn, or its window", AG_TWIN_WAITING },
    { "trial", "is on trial", AG_TWIN_WAITING },
    { "removing", "is being removed", AG_TWIN_WAITING },
    { "running", "is running", AG_TWIN_SUCCEEDED },
    { "stopped", "is stopped", AG_TWIN_SUCCEEDED },
    { "rolled_back", "was tried and rolled back", AG_TWIN_FAILED },
    { "refused", "was refused", AG_TWIN_FAILED },
    { "failed", "failed", AG_TWIN_FAILED },
};

static const struct state_row *find_state(const char *name)
{
    for (size_t i = 0; name && i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i].name, name) == 0)
            return &states[i];
    }
    return NULL;
}

void ag_twin_edit_clean(char *to, size_t capacity, const char *from)
{
    size_t filled = 0;
    for (; from && *from && filled + 1 < capacity; from++) {
        if ((unsigned char)*from >= ' ' && *from != 0x7F)
            to[filled++] = *from;
    }
    to[filled] = 0;
}

void ag_twin_edit_place(const json_t *error, char *text, size_t capacity)
{
    const json_t *function = json_object_get(error, "function");
    const json_t *offset = json_object_get(error, "offset");
    const json_t *reason = json_object_get(error, "reason");
    text[0] = 0;
    if (json_is_integer(function) && json_is_integer(offset))
        snprintf(text, capacity, ", function %lld at byte %lld",
                 (long long)json_integer_value(function), (long long)json_integer_value(offset));
    else if (json_is_integer(function))
        snprintf(text, capacity, ", function %lld", (long long)json_integer_value(function));
    else if (json_is_string(reason) && capacity > 2) {
        memcpy(text, ": ", 2);
        ag_twin_edit_clean(text + 2, capacity - 2, json_string_value(reason));
    }
}

static void read_error(const json_t *entry, struct ag_twin_progress *progress)
{
    const json_t *error = json_object_get(entry, "error");
    ag_twin_edit_clean(progress->error, sizeof progress->error,
                       json_string_value(json_object_get(error, "name")));
    ag_twin_edit_clean(progress->hint, sizeof progress->hint, ag_service_hint(error));
    progress->error_code = json_integer_value(json_object_get(error, "code"));
    ag_twin_edit_place(error, progress->place, sizeof progress->place);
}

// Whether the version and file that are reported are the ones that were asked for.
static bool is_wanted(const json_t *entry, const struct ag_twin_goal *goal)
{
    const json_int_t version = json_integer_value(json_object_get(entry, "version"));
    const char *sha256 = json_string_value(json_object_get(entry, "sha256"));
    if (goal->version != 0 && version != (json_int_t)goal->version)
        return false;
    return !goal->sha256 || !sha256 || strcasecmp(sha256, goal->sha256) == 0;
}

// What the device says against the desired section rather than a plug-in.
static void read_obstacle(const json_t *host, struct ag_twin_progress *progress)
{
    const json_t *refused = json_object_get(host, "refusedEntries");
    read_error(json_is_object(refused) ? refused : host, progress);
}

// The plug-in is still there.
static enum ag_twin_verdict judge_removal(const json_t *host, const json_t *entry,
                                          const struct ag_twin_goal *goal,
                                          struct ag_twin_progress *progress)
{
    const char *state = json_string_value(json_object_get(entry, "state"));
    const bool goes = state && strcmp(state, "removing") == 0;
    read_obstacle(host, progress);
    snprintf(progress->text, sizeof progress->text, "%s is %s", goal->name,
             goes ? "being removed" : "still on the device");
    return AG_TWIN_WAITING;
}

static enum ag_twin_verdict judge_entry(const json_t *entry, const struct ag_twin_goal *goal,
                                        struct ag_twin_progress *progress)
{
    const char *name = json_string_value(json_object_get(entry, "state"));
    const struct state_row *state = find_state(name);
    const long long version = json_integer_value(json_object_get(entry, "version"));
    read_error(entry, progress);
    if (!state) {
        snprintf(progress->text, sizeof progress->text, "the device reports no known state");
        return AG_TWIN_WAITING;
    }
    if (state->verdict != AG_TWIN_SUCCEEDED) {
        snprintf(progress->text, sizeof progress->text, "%s %s", goal->name, state->text);
        return state->verdict;
    }
    snprintf(progress->text, sizeof progress->text, "%s version %lld %s", goal->name, version,
             state->text);
    if (!is_wanted(entry, goal))
        return AG_TWIN_WAITING;
    const bool stopped = strcmp(state->name, "stopped") == 0;
    return stopped == goal->stopped ? AG_TWIN_SUCCEEDED : AG_TWIN_WAITING;
}

// Whether the device has seen the desired section; if not, *progress says so.
static bool has_seen(const json_t *host, int64_t desired_version, struct ag_twin_progress *progress)
{
    const json_t *seen = json_object_get(host, "desiredVersion");
    *progress = (struct ag_twin_progress){ 0 };
    if (host && json_integer_value(seen) >= desired_version)
        return true;
    snprintf(progress->text, sizeof progress->text, "%s",
             host ? "the device has not taken it up yet" : "the device has not reported yet");
    return false;
}

enum ag_twin_verdict ag_twin_edit_judge(const json_t *reported, const struct ag_twin_goal *goal,
                                        struct ag_twin_progress *progress)
{
    const json_t *host = json_object_get(reported, "airgraft");
    const json_t *entry =
        ag_twin_edit_find(json_object_get(reported, "firmware_modules"), goal->name);
    if (!has_seen(host, goal->desired_version, progress))
        return AG_TWIN_WAITING;
    if (!entry) {
        snprintf(progress->text, sizeof progress->text, "%s is not on the device", goal->name);
        if (goal->removed)
            return AG_TWIN_SUCCEEDED;
        read_obstacle(host, progress);
        return AG_TWIN_WAITING;
    }
    if (goal->removed)
        return judge_removal(host, entry, goal, progress);
    return judge_entry(entry, goal, progress);
}

enum ag_twin_verdict ag_twin_edit_judge_trust(const json_t *reported,
                                              const struct ag_twin_trust_goal *goal,
                                              struct ag_twin_progress *progress)
{
    static const struct {
        const char *name;
        const char *text;
        enum ag_twin_verdict verdict;
    } trust_states[] = {
        { "running", "is in use", AG_TWIN_SUCCEEDED },
        { "waiting", "is waiting to be fetched", AG_TWIN_WAITING },
        { "downloading", "is being fetched", AG_TWIN_WAITING },
        { "trial", "is on trial", AG_TWIN_WAITING },
        { "rolled_back", "was rolled back", AG_TWIN_FAILED },
        { "refused", "was refused", AG_TWIN_FAILED },
    };
    const json_t *host = json_object_get(reported, "airgraft");
    const json_t *trust = json_object_get(host, "trust");
    const char *state = json_string_value(json_object_get(trust, "state"));
    if (!has_seen(host, goal->desired_version, progress))
        return AG_TWIN_WAITING;
    read_error(trust, progress);
    const bool is_it = json_integer_value(json_object_get(trust, "epoch")) == goal->epoch;
    for (size_t i = 0; state && i < sizeof trust_states / sizeof trust_states[0]; i++) {
        if (strcmp(state, trust_states[i].name) != 0 ||
            (trust_states[i].verdict == AG_TWIN_SUCCEEDED && !is_it))
            continue;
        snprintf(progress->text, sizeof progress->text, "trust store object of epoch %u %s",
                 (unsigned)goal->epoch, trust_states[i].text);
        return trust_states[i].verdict;
    }
    snprintf(progress->text, sizeof progress->text,
             "the device says nothing of its trust store object yet");
    return AG_TWIN_WAITING;
}
