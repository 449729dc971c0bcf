// SPDX-License-Identifier: Apache-2.0
// What the operator of the fleet wants: roll-outs of versions good and bad, removals, settings.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/fleet.h"

// ---- The text of the twin ----------------------------------------------------------------------

struct text {
    char bytes[4096];
    size_t size;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size =
        vsnprintf(text->bytes + text->size, sizeof text->bytes - text->size, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
    if (text->size >= sizeof text->bytes)
        abort();
}

static void add_url(struct text *text, uint32_t name, const struct fleet_entry *entry)
{
    if (entry->keeps)
        add(text, "\"Url\":\"\"");
    else
        add(text, "\"Url\":\"%s://files.example/%s-%u-%u?r=%u\"",
            entry->is_malformed ? "gopher" : "https", catalogue_name(name),
            (unsigned)entry->version, (unsigned)entry->variant, (unsigned)entry->revision);
}

static void add_window(struct text *text, const struct fleet_window *window)
{
    static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    const char *separator = "";
    add(text, "\"Window\":{\"From\":\"%02u:%02u\",\"To\":\"%02u:%02u\"", window->from_min / 60u,
        window->from_min % 60u, window->to_min / 60u, window->to_min % 60u);
    if (window->days != 0) {
        add(text, ",\"Days\":[");
        for (unsigned i = 0; i < 7; i++) {
            if (!(window->days >> i & 1))
                continue;
            add(text, "%s\"%s\"", separator, days[i]);
            separator = ",";
        }
        add(text, "]");
    }
    if (window->offset_min != 0)
        add(text, ",\"UtcOffsetMinutes\":%d", window->offset_min);
    if (window->waits_unknown)
        add(text, ",\"UnknownClock\":\"wait\"");
    add(text, "},");
}

static void add_entry(struct text *text, uint32_t name, const struct fleet_entry *entry)
{
    add(text, "{\"Name\":\"%s\",\"Version\":%u,\"Enabled\":%s,\"AllowDowngrade\":%s,",
        catalogue_name(name), (unsigned)entry->version, entry->is_enabled ? "true" : "false",
        entry->allows_downgrade ? "true" : "false");
    add(text, "\"PeriodMs\":%u,\"Settings\":{\"x\":%u},", (unsigned)entry->period_ms,
        (unsigned)entry->setting);
    if (entry->window.is_set)
        add_window(text, &entry->window);
    if (entry->sha != 0) {
        const struct catalogue_file *file = catalogue_get(name, entry->version, entry->variant);
        add(text, "\"Sha256\":\"");
        for (size_t i = 0; i < AG_SHA256_SIZE; i++)
            add(text, "%02x", (unsigned)(file->sha256[i] ^ (entry->sha == 2 && i == 7)));
        add(text, "\",");
    }
    add_url(text, name, entry);
    add(text, "}");
}

static void add_list(struct text *text, const struct fleet_entry *entries)
{
    bool is_first = true;
    add(text, "[");
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++) {
        if (!entries[i].is_present)
            continue;
        add(text, "%s", is_first ? "" : ",");
        add_entry(text, i, &entries[i]);
        is_first = false;
    }
    add(text, "]");
}

// All entries, or with `before` those that differ from it, with null for those that are gone.
static void add_object(struct text *text, const struct fleet_entry *entries,
                       const struct fleet_entry *before)
{
    bool is_first = true;
    add(text, "{");
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++) {
        bool is_gone = before && before[i].is_present && !entries[i].is_present;
        bool is_same = before && memcmp(&before[i], &entries[i], sizeof entries[i]) == 0;
        if (is_same || (!entries[i].is_present && !is_gone))
            continue;
        add(text, "%s\"%s\":", is_first ? "" : ",", catalogue_name(i));
        if (is_gone)
            add(text, "null");
        else
            add_entry(text, i, &entries[i]);
        is_first = false;
    }
    add(text, "}");
}

// Whether the device may rest on what it found out about the file before.
static bool is_same_file(const struct fleet_entry *a, const struct fleet_entry *b)
{
    return a->version == b->version && a->variant == b->variant && a->revision == b->revision &&
           a->sha == b->sha && a->keeps == b->keeps && a->is_malformed == b->is_malformed &&
           a->is_present == b->is_present;
}

static void add_sha256(struct text *text, const uint8_t sha256[AG_SHA256_SIZE])
{
    add(text, "\"Sha256\":\"");
    for (size_t i = 0; i < AG_SHA256_SIZE; i++)
        add(text, "%02x", (unsigned)sha256[i]);
    add(text, "\",");
}

static void add_trust(struct text *text, const struct fleet_trust *trust)
{
    add(text, ",\"airgraft\":{\"Trust\":");
    if (!trust->is_present) {
        add(text, "null}");
        return;
    }
    add(text, "{\"Epoch\":%u,", (unsigned)trust->epoch);
    if (trust->has_sha)
        add_sha256(text, trusts_get(trust->epoch, trust->kind)->sha256);
    add(text, "\"Url\":\"https://files.example/trust-%u-%u?r=%u\"}}", (unsigned)trust->epoch,
        (unsigned)trust->kind, (unsigned)trust->revision);
}

// What was desired before a change.
struct before {
    struct fleet_entry entries[CATALOGUE_NAMES];
    struct fleet_trust trust;
};

static void remember(const struct fleet_device *device, struct before *before)
{
    memcpy(before->entries, device->entries, sizeof before->entries);
    before->trust = device->trust;
}

static void tell_hub(struct fleet *fleet, struct fleet_device *device, const struct before *before)
{
    struct text desired = { .size = 0 };
    struct text patch = { .size = 0 };
    add(&desired, "\"firmware_modules\":");
    add(&patch, "\"firmware_modules\":");
    if (fleet->profile.lists) {
        add_list(&desired, device->entries);
        add_list(&patch, device->entries);
    } else {
        add_object(&desired, device->entries, NULL);
        add_object(&patch, device->entries, before->entries);
    }
    if (device->trust.is_present)
        add_trust(&desired, &device->trust);
    if (memcmp(&device->trust, &before->trust, sizeof before->trust) != 0)
        add_trust(&patch, &device->trust);
    sim_hub_desire(&device->hub, desired.bytes, patch.bytes);
    sim_device_look(&device->device);
}

static void tell(struct fleet *fleet, struct fleet_device *device, const struct before *before)
{
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++) {
        const struct fleet_entry *entry = &device->entries[i];
        if (!entry->is_present || !entry->is_enabled)
            device->tracks[i].is_wanted = false;
        if (!is_same_file(entry, &before->entries[i]))
            device->tracks[i].corruptions = device->blob.corruptions;
    }
    if (memcmp(&device->trust, &before->trust, sizeof before->trust) != 0)
        device->trust_corruptions = device->blob.corruptions;
    tell_hub(fleet, device, before);
}

// ---- Roll-outs ---------------------------------------------------------------------------------

static uint32_t draw(struct fleet *fleet, uint32_t count)
{
    return (uint32_t)(sim_random(&fleet->world) % count);
}

static void draw_file(struct fleet *fleet, struct fleet_entry *entry)
{
    entry->variant = (uint8_t)draw(fleet, VARIANT_LATE);
    if (!fleet->world.is_calm && draw(fleet, 100) < 35) {
        // One that fails for ever keeps its device busy: not often in worlds of many years.
        uint32_t first = VARIANT_LATE + (fleet->profile.is_sparse && draw(fleet, 8) != 0);
        entry->variant = (uint8_t)(first + draw(fleet, VARIANTS - first));
        sim_count(&fleet->world, SIM_FAULT_FILE);
    }
}

static void draw_version(struct fleet *fleet, struct fleet_entry *entry)
{
    if (draw(fleet, 4) == 0)
        entry->version = (uint8_t)(1 + draw(fleet, CATALOGUE_VERSIONS));
    else if (entry->version < CATALOGUE_VERSIONS)
        entry->version++;
    else // from the start again
        entry->version = 1;
    entry->allows_downgrade = draw(fleet, 3) == 0;
    entry->sha = (uint8_t)(draw(fleet, 3) == 0);
    if (entry->sha == 1 && sim_strikes(&fleet->world, 60, SIM_FAULT_ENTRY))
        entry->sha = 2;
    draw_file(fleet, entry);
}

// Narrow and wide ones, over midnight and around the world; days only where there is time for them.
static void draw_window(struct fleet *fleet, struct fleet_window *window)
{
    memset(window, 0, sizeof *window);
    window->is_set = draw(fleet, 3) != 0;
    if (!window->is_set)
        return;
    window->from_min = (uint16_t)draw(fleet, 1440);
    window->to_min = (uint16_t)draw(fleet, 1441);
    if (draw(fleet, 2) == 0)
        window->to_min = (uint16_t)((window->from_min + 1 + draw(fleet, 120)) % 1440);
    if (draw(fleet, 2) == 0)
        window->offset_min = (int16_t)((int32_t)draw(fleet, 1681) - 840);
    if (fleet->profile.is_sparse && draw(fleet, 2) == 0)
        window->days = (uint8_t)(1u << draw(fleet, 7) | 1u << draw(fleet, 7));
    window->waits_unknown = draw(fleet, 2) == 0;
}

static void put_in(struct fleet *fleet, struct fleet_entry *entry)
{
    entry->is_present = true;
    entry->is_enabled = true;
    draw_version(fleet, entry);
}

static void change(struct fleet *fleet, struct fleet_entry *entry)
{
    entry->is_malformed = false;
    entry->keeps = false;
    switch (draw(fleet, 14)) {
    case 0:
        entry->is_present = !entry->is_present;
        break;
    case 1:
        entry->is_enabled = !entry->is_enabled;
        break;
    case 2:
        entry->setting = draw(fleet, 100);
        break;
    case 3:
        entry->period_ms = fleet->profile.period_ms * (1 + draw(fleet, 3));
        break;
    case 4:
        entry->keeps = true;
        break;
    case 5:
        entry->is_malformed = sim_strikes(&fleet->world, 500, SIM_FAULT_ENTRY);
        break;
    case 6:
    case 7:
        draw_window(fleet, &entry->window);
        break;
    default:
        put_in(fleet, entry);
        break;
    }
    if (draw(fleet, 4) == 0)
        entry->revision = ++fleet->revision;
}

// Good ones of ever higher epochs for the most part.
static void change_trust(struct fleet *fleet, struct fleet_trust *trust)
{
    bool is_bad = !fleet->world.is_calm && draw(fleet, 2) == 0;
    uint32_t last = trust->epoch ? trust->epoch : 1;
    trust->is_present = fleet->world.is_calm || draw(fleet, 8) != 0;
    trust->has_sha = draw(fleet, 2) == 0;
    trust->revision = ++fleet->revision;
    if (is_bad && draw(fleet, 4) == 0)
        trust->epoch = (uint8_t)(1 + draw(fleet, last));
    else if (draw(fleet, 6) != 0 && last < TRUSTS_EPOCHS - 1)
        trust->epoch = (uint8_t)(last + 1);
    else
        trust->epoch = (uint8_t)last;
    trust->kind = is_bad ? (uint8_t)(1 + draw(fleet, TRUST_KINDS - 1)) : (uint8_t)TRUST_GOOD;
    if (is_bad)
        sim_count(&fleet->world, SIM_FAULT_FILE);
}

static void change_device(struct fleet *fleet, struct fleet_device *device, uint64_t random)
{
    struct before before;
    struct sim_world *world = &fleet->world;
    uint64_t own = world->random;
    remember(device, &before);
    world->random = random;
    uint32_t changes = 1 + draw(fleet, 3);
    for (uint32_t i = 0; i < changes; i++)
        change(fleet, &device->entries[draw(fleet, CATALOGUE_NAMES)]);
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++)
        if (device->entries[i].period_ms == 0)
            device->entries[i].period_ms = fleet->profile.period_ms;
    if (draw(fleet, 8) == 0)
        change_trust(fleet, &device->trust);
    world->random = own;
    tell(fleet, device, &before);
}

void operator_rolls_out(struct fleet *fleet)
{
    bool to_all = draw(fleet, 3) == 0;
    uint32_t chosen = draw(fleet, fleet->profile.devices);
    uint64_t random = sim_random(&fleet->world);
    for (uint32_t i = 0; i < fleet->profile.devices; i++)
        if (to_all || i == chosen)
            change_device(fleet, &fleet->devices[i], random);
}

void operator_renews(struct fleet *fleet, struct fleet_device *device)
{
    struct before before;
    remember(device, &before);
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++)
        device->entries[i].revision = ++fleet->revision;
    device->trust.revision = ++fleet->revision;
    tell(fleet, device, &before);
}

void operator_opens_windows(struct fleet *fleet, struct fleet_device *device)
{
    struct before before;
    remember(device, &before);
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++)
        device->entries[i].window.is_set = false;
    tell(fleet, device, &before);
}

void operator_wants_good(struct fleet *fleet, struct fleet_device *device)
{
    struct before before;
    remember(device, &before);
    if (draw(fleet, 2) == 0)
        change_trust(fleet, &device->trust);
    for (uint32_t i = 0; i < CATALOGUE_NAMES; i++) {
        struct fleet_entry *entry = &device->entries[i];
        entry->is_malformed = false;
        entry->keeps = false;
        if (draw(fleet, 8) == 0)
            entry->is_present = false;
        else
            put_in(fleet, entry);
        if (entry->period_ms == 0)
            entry->period_ms = fleet->profile.period_ms;
        entry->revision = ++fleet->revision;
    }
    tell(fleet, device, &before);
}
