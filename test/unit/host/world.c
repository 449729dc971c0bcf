// SPDX-License-Identifier: Apache-2.0
// A host in a world that fits into one process.
#include "test/unit/host/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/core.h"
#include "test/harness.h"
#include "test/unit/host/watch.h"
#include "test/unit/host/world_net.h"

#define FLASH_SIZE  (256u * 1024u)
#define MEMORY_SIZE (48u * 1024u) // for plug-ins

struct world world;

// A cut of the power stops the processor, too.
static enum ag_status stop_if_off(enum ag_status status)
{
    if (world.flash.off && world.stops_at_cut)
        longjmp(world.power, 1);
    return status;
}

// The operation in hand fails without any effect, where the knobs say so; what it was to change may
// be looked at.
static void fail_if_so(uint32_t offset)
{
    if (world.fails_from > 0 && --world.fails_from == 0)
        world.flash_fails = true;
    world.flash.bad_block = world.flash_fails ? offset / AG_FLASH_BLOCK : UINT32_MAX;
}

static enum ag_status program(void *context, uint32_t offset, const void *bytes, uint32_t size)
{
    if (world.at_program)
        world.at_program(offset);
    watch_write(offset, size);
    fail_if_so(offset);
    return stop_if_off(world.flash.flash.program(context, offset, bytes, size));
}

static enum ag_status erase(void *context, uint32_t offset)
{
    watch_write(offset, AG_FLASH_BLOCK);
    fail_if_so(offset);
    return stop_if_off(world.flash.flash.erase(context, offset));
}

static enum ag_status sync_flash(void *context)
{
    fail_if_so(0);
    return world.flash_fails ? AG_ERR_FLASH : stop_if_off(world.flash.flash.sync(context));
}

void world_open(void)
{
    memset(&world, 0, sizeof world);
    board_reset();
    watch_begin();
    sim_flash_open(&world.flash, FLASH_SIZE);
    world.wire = world.flash.flash;
    world.wire.program = program;
    world.wire.erase = erase;
    world.wire.sync = sync_flash;
    world_net_open_pipe(&world.hub_pipe);
    world_net_open_pipe(&world.file_pipe);
    world.hub.desired = json_object();
    world.hub.reported = json_object();
    world.hub.version = 1;
    module_trust(&world.trust);
    ag_host_config_init(&world.config);
    world.config.id_scope = "0ne00000001";
    world.config.registration_id = "dev-1";
    world.config.key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    world.config.dps_host = "dps.example";
    world.config.trust = world.trust.bytes;
    world.config.trust_size = world.trust.size;
    world.config.trial_runs = 3;
    world.config.trial_time_ms = 100;
    world.config.slice_fuel = 20000;
}

void world_close(void)
{
    world_power_off();
    world_net_close_pipe(&world.hub_pipe);
    world_net_close_pipe(&world.file_pipe);
    for (uint32_t i = 0; i < world.file_count; i++)
        ag_buffer_clear(&world.files[i].bytes);
    ag_buffer_clear(&world.trust);
    json_decref(world.hub.desired);
    json_decref(world.hub.reported);
    free(world.hub.desired_text);
    CHECK_EQUAL(world.flash.counts.breaches, 0);
    sim_flash_close(&world.flash);
}

static enum ag_status use_trust(void *context, const uint8_t *bytes, size_t size)
{
    uint8_t roots[5];
    CHECK(context == &world);
    if (!module_trust_roots(bytes, size, roots))
        return AG_ERR_MALFORMED;
    memcpy(world.roots, roots, sizeof roots);
    return AG_OK;
}

void world_boot(void)
{
    struct ag_host_board parts = { .flash = &world.wire,
                                   .hub = &world.hub_pipe.stream,
                                   .download = &world.file_pipe.stream,
                                   .use_trust = use_trust,
                                   .context = &world };
    world.memory_size = ag_host_size(&world.config) + MEMORY_SIZE;
    world.memory = malloc(world.memory_size);
    CHECK_EQUAL(ag_host_init(world.memory, world.memory_size, &world.config, &parts, &world.host),
                AG_OK);
    watch_step();
}

// A port's hashes may own memory, which only here outlives the power.
static void drop_proof(void)
{
    if (world.host && world.host->install.state == AG_INSTALL_PROOF)
        (void)ag_file_proof_finish(&world.host->install.proof, 0, NULL);
}

void world_power_off(void)
{
    drop_proof();
    watch_power_off();
    world_net_close_pipe(&world.hub_pipe);
    world_net_close_pipe(&world.file_pipe);
    free(world.memory);
    world.memory = NULL;
    world.host = NULL;
    board.running = 0;
}

// Boots after the power was off, with this word left in the processor.
static void boot_again(uint32_t running)
{
    board.running = running;
    memset(board.levels, 0, sizeof board.levels);
    memset(board.modes, 0, sizeof board.modes);
    sim_flash_restart(&world.flash);
    world_boot();
}

void world_reset(void)
{
    world_power_off();
    boot_again(0);
}

void world_bite(void)
{
    uint32_t running = board.running;
    world_power_off();
    boot_again(running);
}

// Would a read say anything?
static bool is_readable(const struct world_pipe *pipe)
{
    if (!pipe->is_open || pipe->is_stalled)
        return false;
    return pipe->open_fails != AG_OK || pipe->is_untrusted || pipe->is_closed_by_peer ||
           pipe->to_device_at < pipe->to_device.size ||
           (pipe->cut_after && pipe->delivered >= pipe->cut_after);
}

// One step, and the time until the next one, at most until `end`.
static void step(uint64_t end)
{
    uint32_t wait = ag_host_step(world.host, board.now_ms);
    world.steps++;
    watch_step();
    if (is_readable(&world.hub_pipe) || is_readable(&world.file_pipe))
        wait = 0;
    uint64_t next = board.now_ms + (wait ? wait : 1); // a step takes its time, too
    board.now_ms = next < end ? next : end;
}

void world_run(uint32_t ms)
{
    uint64_t end = board.now_ms + ms;
    while (board.now_ms < end)
        step(end);
}

bool world_settle(uint32_t ms)
{
    uint64_t end = board.now_ms + ms;
    while (board.now_ms < end) {
        step(end);
        struct ag_host_status status;
        ag_host_status(world.host, &status);
        if (status.link == AG_HOST_LINK_ONLINE && status.is_idle && status.is_reported &&
            status.desired_version >= world.hub.version)
            return true;
    }
    return false;
}

struct world_file *world_publish_bytes(const char *path, const void *bytes, size_t size)
{
    struct world_file *file = NULL;
    for (uint32_t i = 0; i < world.file_count; i++)
        if (strcmp(world.files[i].path, path) == 0)
            file = &world.files[i];
    if (!file) {
        CHECK(world.file_count < WORLD_FILES);
        file = &world.files[world.file_count++];
        snprintf(file->path, sizeof file->path, "%s", path);
    }
    ag_buffer_clear(&file->bytes);
    ag_buffer_append(&file->bytes, bytes, size);
    ag_crypto_sha256(bytes, size, file->sha256);
    file->generation++;
    return file;
}

struct world_file *world_publish(const char *path, const struct module *module)
{
    struct ag_buffer bytes = { 0 };
    module_build(&bytes, module);
    struct world_file *file = world_publish_bytes(path, bytes.bytes, bytes.size);
    ag_buffer_clear(&bytes);
    return file;
}

static void send_patch(const char *text)
{
    char topic[96];
    if (!world.hub_pipe.is_open || !world.hub.is_subscribed)
        return;
    snprintf(topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/?$version=%" PRIu64,
             world.hub.version);
    world_net_publish(topic, text);
}

// Makes a member of the desired section this JSON, and sends all of it.
static void desire(const char *member, const char *json)
{
    size_t size = strlen(json);
    char *text = strdup(json);
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\'')
            text[i] = '"';
    free(world.hub.desired_text);
    world.hub.desired_text = NULL;
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    CHECK(value != NULL);
    json_object_set_new(world.hub.desired, member, value);
    world.hub.version++;
    json_object_set_new(world.hub.desired, "$version", json_integer((json_int_t)world.hub.version));
    char *patch = json_dumps(world.hub.desired, JSON_COMPACT);
    send_patch(patch);
    free(patch);
    free(text);
}

void world_desire(const char *modules)
{
    desire("firmware_modules", modules);
}

void world_desire_host(const char *airgraft)
{
    desire("airgraft", airgraft);
}

void world_desire_raw(const char *text)
{
    free(world.hub.desired_text);
    world.hub.desired_text = strdup(text);
    world.hub.version++;
    send_patch(text);
}

void world_desire_one(const char *name, uint32_t version)
{
    char modules[256];
    snprintf(modules, sizeof modules,
             "[{'Name':'%s','Version':%u,'Url':'https://files.example/%s-%u.wasm'}]", name,
             (unsigned)version, name, (unsigned)version);
    world_desire(modules);
}

void world_call_only(const char *name, const char *rid, const char *payload)
{
    char topic[300];
    char *text = strdup(payload);
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    snprintf(topic, sizeof topic, "$iothub/methods/POST/%s/?$rid=%s", name, rid);
    world_net_publish(topic, text);
    free(text);
}

uint32_t world_call(const char *name, const char *payload)
{
    static uint32_t calls;
    char rid[24];
    uint32_t answers = world.hub.answers;
    uint64_t end = board.now_ms + 10000;
    snprintf(rid, sizeof rid, "r%u", (unsigned)++calls);
    world_call_only(name, rid, payload);
    while (board.now_ms < end && world.hub.answers == answers)
        step(end);
    if (world.hub.answers == answers)
        return 0;
    CHECK_TEXT(world.hub.answer_rid, rid);
    return world.hub.answer_code;
}

json_t *world_reported(const char *name)
{
    return json_object_get(json_object_get(world.hub.reported, "firmware_modules"), name);
}

bool world_is_reported(const char *name)
{
    return world_reported(name) != NULL;
}

const char *world_state(const char *name)
{
    const char *text = json_string_value(json_object_get(world_reported(name), "state"));
    return text ? text : "";
}

uint32_t world_version(const char *name)
{
    return (uint32_t)json_integer_value(json_object_get(world_reported(name), "version"));
}

uint32_t world_error(const char *name)
{
    json_t *error = json_object_get(world_reported(name), "error");
    return (uint32_t)json_integer_value(json_object_get(error, "code"));
}

static json_t *reported_trust(void)
{
    return json_object_get(json_object_get(world.hub.reported, "airgraft"), "trust");
}

const char *world_trust_state(void)
{
    const char *text = json_string_value(json_object_get(reported_trust(), "state"));
    return text ? text : "";
}

uint32_t world_trust_epoch(void)
{
    return (uint32_t)json_integer_value(json_object_get(reported_trust(), "epoch"));
}

uint32_t world_trust_error(void)
{
    json_t *error = json_object_get(reported_trust(), "error");
    return (uint32_t)json_integer_value(json_object_get(error, "code"));
}

void world_kick(void)
{
    world.hub_pipe.is_closed_by_peer = true;
}
