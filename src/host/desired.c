// SPDX-License-Identifier: Apache-2.0
// The table of what the twin desires: fixed entries, with URLs and settings in the caller's pool.
#include "host/desired.h"

#include <string.h>

static void add_stray(struct ag_desired *desired, uint32_t index, enum ag_status status)
{
    if (desired->stray_count == 0) {
        desired->stray_index = index;
        desired->stray_status = status;
    }
    desired->stray_count++;
    if (status != AG_ERR_TWIN_DUPLICATE)
        desired->is_complete = false;
}

static bool name_fits(struct ag_text name)
{
    return name.size > 0 && name.size <= AG_CFG_NAME_MAX && !memchr(name.at, 0, name.size);
}

// Copies a text into the pool; false when it does not fit.
static bool keep_text(struct ag_desired *desired, struct ag_text text, struct ag_text *kept)
{
    kept->at = NULL;
    kept->size = 0;
    if (text.size == 0)
        return true;
    if (text.size > desired->pool_capacity - desired->pool_size)
        return false;
    kept->at = desired->pool + desired->pool_size;
    kept->size = text.size;
    memcpy(desired->pool + desired->pool_size, text.at, text.size);
    desired->pool_size += text.size;
    return true;
}

static void copy_members(struct ag_desired *desired, struct ag_desired_entry *to,
                         const struct ag_twin_entry *from)
{
    to->status = from->status;
    if (from->status == AG_OK && from->window.size > 0)
        to->status = ag_window_parse(from->window, &to->window);
    if (to->status != AG_OK)
        return;
    to->version = from->version;
    to->has_sha256 = from->has_sha256;
    to->allow_downgrade = from->allow_downgrade;
    to->is_enabled = from->is_enabled;
    to->period_ms = from->period_ms;
    to->fuel_per_run = from->fuel_per_run;
    to->trial = from->trial;
    memcpy(to->sha256, from->sha256, sizeof to->sha256);
    size_t pool_size = desired->pool_size;
    if (!keep_text(desired, from->url, &to->url) ||
        !keep_text(desired, from->settings, &to->settings)) {
        desired->pool_size = pool_size;
        to->status = AG_ERR_TWIN_SPACE;
    }
}

void ag_desired_init(struct ag_desired *desired, char *pool, size_t capacity)
{
    desired->pool = pool;
    desired->pool_capacity = capacity;
    ag_desired_clear(desired);
}

void ag_desired_clear(struct ag_desired *desired)
{
    desired->count = 0;
    desired->stray_count = 0;
    desired->stray_index = 0;
    desired->stray_status = AG_OK;
    desired->is_complete = true;
    desired->pool_size = 0;
}

void ag_desired_add(struct ag_desired *desired, const struct ag_twin_entry *entry)
{
    if (entry->is_removed)
        return;
    if (!name_fits(entry->name)) {
        add_stray(desired, entry->index, entry->status == AG_OK ? AG_ERR_TWIN_NAME : entry->status);
        return;
    }
    char name[AG_CFG_NAME_MAX + 1] = { 0 };
    memcpy(name, entry->name.at, entry->name.size);
    if (ag_desired_find(desired, name) != AG_DESIRED_NONE) {
        add_stray(desired, entry->index, AG_ERR_TWIN_DUPLICATE);
        return;
    }
    if (desired->count == AG_CFG_PLUGIN_MAX) {
        add_stray(desired, entry->index, AG_ERR_TWIN_TOO_MANY);
        return;
    }
    struct ag_desired_entry *to = &desired->entries[desired->count++];
    memset(to, 0, sizeof *to);
    memcpy(to->name, name, sizeof name);
    copy_members(desired, to, entry);
}

uint32_t ag_desired_find(const struct ag_desired *desired, const char *name)
{
    for (uint32_t i = 0; i < desired->count; i++)
        if (strcmp(desired->entries[i].name, name) == 0)
            return i;
    return AG_DESIRED_NONE;
}

void ag_desired_carry(struct ag_desired *desired, struct ag_desired_entry *to,
                      const struct ag_desired_entry *from)
{
    static const struct ag_desired_entry none = { .is_enabled = true };
    if (!from)
        from = &none;
    to->is_enabled = from->is_enabled;
    to->period_ms = from->period_ms;
    to->fuel_per_run = from->fuel_per_run;
    to->trial = from->trial;
    to->window = from->window;
    to->kept_for = from->kept_for;
    if (!keep_text(desired, from->settings, &to->settings))
        to->settings.size = 0;
    if (!keep_text(desired, from->kept, &to->kept))
        to->kept.size = 0;
}

struct ag_text ag_desired_settings(const struct ag_desired_entry *entry, uint32_t slot_id)
{
    return entry->kept_for != 0 && entry->kept_for == slot_id ? entry->kept : entry->settings;
}

void ag_desired_keep_settings(struct ag_desired *desired, struct ag_desired_entry *to,
                              const struct ag_desired_entry *from, uint32_t slot_id)
{
    const struct ag_text none = { NULL, 0 };
    to->kept_for = slot_id;
    if (!keep_text(desired, from ? ag_desired_settings(from, slot_id) : none, &to->kept))
        to->kept = none;
}

void ag_desired_set_host(struct ag_desired_host *host, const struct ag_twin_host *from)
{
    memset(host, 0, sizeof *host);
    host->status = AG_OK;
    if (!from)
        return;
    host->status = from->status;
    host->has_log_level = from->has_log_level;
    host->log_level = from->log_level;
    host->has_one_connection = from->has_one_connection;
    host->one_connection = from->one_connection;
    if (!from->has_trust)
        return;
    host->has_trust = true;
    host->trust_epoch = from->trust_epoch;
    host->has_trust_sha256 = from->has_trust_sha256;
    memcpy(host->trust_sha256, from->trust_sha256, sizeof host->trust_sha256);
    memcpy(host->trust_url, from->trust_url.at, from->trust_url.size);
}

bool ag_desired_same_trust(const struct ag_desired_host *a, const struct ag_desired_host *b)
{
    return a->has_trust == b->has_trust && a->trust_epoch == b->trust_epoch &&
           a->has_trust_sha256 == b->has_trust_sha256 &&
           memcmp(a->trust_sha256, b->trust_sha256, sizeof a->trust_sha256) == 0 &&
           strcmp(a->trust_url, b->trust_url) == 0;
}

bool ag_desired_same_version(const struct ag_desired_entry *a, const struct ag_desired_entry *b)
{
    return strcmp(a->name, b->name) == 0 && a->status == b->status && a->version == b->version &&
           a->has_sha256 == b->has_sha256 && memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

bool ag_desired_same_file(const struct ag_desired_entry *a, const struct ag_desired_entry *b)
{
    return ag_desired_same_version(a, b) && a->allow_downgrade == b->allow_downgrade &&
           ag_text_is_same(a->url, b->url);
}

bool ag_desired_same_settings(const struct ag_desired_entry *a, const struct ag_desired_entry *b)
{
    return ag_text_is_same(a->settings, b->settings);
}

static bool same_trial(const struct ag_twin_trial *a, const struct ag_twin_trial *b)
{
    return a->has_runs == b->has_runs && a->has_ms == b->has_ms && a->has_hub == b->has_hub &&
           a->needs_hub == b->needs_hub && a->runs == b->runs && a->ms == b->ms;
}

bool ag_desired_is_same(const struct ag_desired_entry *a, const struct ag_desired_entry *b)
{
    return ag_desired_same_file(a, b) && ag_desired_same_settings(a, b) &&
           same_trial(&a->trial, &b->trial) && a->is_enabled == b->is_enabled &&
           a->period_ms == b->period_ms && a->fuel_per_run == b->fuel_per_run;
}
