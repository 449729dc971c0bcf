// SPDX-License-Identifier: Apache-2.0
// One simulated device, and the functions of platform/board.h for it.
#include "port/sim/sim_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/board.h"

// Pauses of the power after a cut in a flash operation.
#define CUT_OFF_MAX_MS (10u * 60u * 1000u)

// Whose board the functions below are.
static struct sim_device *current;

// ---- Flash: what fails for good, and what takes the power with it ------------------------------

static enum ag_status settle(struct sim_device *device, enum ag_status status)
{
    device->operations++;
    device->spent_ms += device->slow_ms;
    if (device->flash.off) {
        if (device->is_in_step)
            longjmp(device->power, 1);
        return AG_ERR_FLASH;
    }
    if (status != AG_OK) {
        device->failures++;
    }
    return status;
}

static enum ag_status program(void *context, uint32_t offset, const void *bytes, uint32_t size)
{
    struct sim_device *device = context;
    if (device->bad_blocks[offset / AG_FLASH_BLOCK])
        return settle(device, AG_ERR_FLASH);
    return settle(device, device->flash.flash.program(&device->flash, offset, bytes, size));
}

static enum ag_status erase(void *context, uint32_t offset)
{
    struct sim_device *device = context;
    if (device->bad_blocks[offset / AG_FLASH_BLOCK])
        return settle(device, AG_ERR_FLASH);
    return settle(device, device->flash.flash.erase(&device->flash, offset));
}

static enum ag_status sync_flash(void *context)
{
    struct sim_device *device = context;
    return settle(device, device->flash.flash.sync(&device->flash));
}

// ---- Its life ----------------------------------------------------------------------------------

void sim_device_init(struct sim_device *device, struct sim_world *world, uint32_t index,
                     uint32_t flash_size, const void *trust, size_t trust_size)
{
    memset(device, 0, sizeof *device);
    device->world = world;
    snprintf(device->name, sizeof device->name, "dev-%u", (unsigned)index);
    sim_link_init(&device->hub, world, device->name);
    sim_link_init(&device->blob, world, device->name);
    sim_flash_open(&device->flash, flash_size);
    device->flash.seed = sim_random(world);
    device->wire = device->flash.flash;
    device->wire.context = device;
    device->wire.program = program;
    device->wire.erase = erase;
    device->wire.sync = sync_flash;
    device->bad_blocks = calloc(flash_size / AG_FLASH_BLOCK, sizeof *device->bad_blocks);
    ag_host_config_init(&device->config);
    device->config.id_scope = "0ne00000001";
    device->config.registration_id = device->name;
    device->config.key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    device->config.key_is_group = true;
    device->config.dps_host = "dps.example";
    device->config.trust = trust;
    device->config.trust_size = trust_size;
    device->memory_size = ag_host_size(&device->config) + SIM_DEVICE_RAM;
    device->memory = malloc(device->memory_size);
    if (!device->memory || !device->bad_blocks) {
        fprintf(stderr, "sim: out of memory\n");
        exit(2);
    }
    device->clock_is_known = true;
}

void sim_device_clear(struct sim_device *device)
{
    sim_link_clear(&device->hub);
    sim_link_clear(&device->blob);
    sim_flash_close(&device->flash);
    free(device->bad_blocks);
    free(device->memory);
}

uint64_t sim_device_uptime(const struct sim_device *device)
{
    return device->world->now_ms - device->boot_ms + device->spent_ms;
}

static void lose_power(struct sim_device *device, uint64_t off_ms)
{
    device->is_in_step = false;
    device->host = NULL;
    sim_link_vanish(&device->hub);
    sim_link_vanish(&device->blob);
    memset(device->modes, 0, sizeof device->modes);
    memset(device->levels, 0, sizeof device->levels);
    device->wake_ms = device->world->now_ms + device->spent_ms + off_ms;
    sim_trace(device->world, device->name, "power off for %llu ms", (unsigned long long)off_ms);
}

void sim_device_power_off(struct sim_device *device, uint64_t off_ms)
{
    device->last_running = 0; // RAM forgets
    lose_power(device, off_ms);
}

static void cut_power(struct sim_device *device)
{
    sim_count(device->world, SIM_FAULT_POWER_FLASH);
    sim_device_power_off(device, sim_scale(device->world, 1, CUT_OFF_MAX_MS));
}

bool sim_device_boot(struct sim_device *device)
{
    struct ag_host_board board = { .flash = &device->wire,
                                   .download = &device->blob.stream,
                                   .hub = &device->hub.stream,
                                   .use_trust = device->use_trust,
                                   .context = device };
    current = device;
    uint32_t cut_at = device->flash.off ? 0 : device->flash.cut_at;
    sim_flash_restart(&device->flash);
    device->flash.cut_at = cut_at;
    memset(device->memory, 0xA5, device->memory_size); // RAM comes up with anything in it
    device->boots++;
    device->boot_ms = device->world->now_ms;
    device->spent_ms = 0;
    device->step_ms = 0;
    device->haste = 0;
    device->has_learnt = false;
    device->hub.is_untrusted = device->use_trust != NULL;
    device->blob.is_untrusted = device->use_trust != NULL;
    device->is_in_step = true;
    if (setjmp(device->power) != 0) {
        cut_power(device);
        return false;
    }
    device->init_status =
        ag_host_init(device->memory, device->memory_size, &device->config, &board, &device->host);
    device->is_in_step = false;
    if (device->init_status != AG_OK) {
        device->host = NULL;
        device->wake_ms = SIM_NEVER;
        sim_trace(device->world, device->name, "does not start: %s",
                  ag_status_name(device->init_status));
        return false;
    }
    device->step_ms = device->world->now_ms;
    device->wake_ms = device->step_ms + device->spent_ms;
    sim_trace(device->world, device->name, "power on");
    return true;
}

bool sim_device_step(struct sim_device *device)
{
    current = device;
    device->spent_ms = 0;
    device->is_in_step = true;
    if (setjmp(device->power) != 0) {
        cut_power(device);
        return false;
    }
    uint32_t wait_ms = ag_host_step(device->host, sim_device_uptime(device));
    device->is_in_step = false;
    uint64_t now_ms = device->world->now_ms;
    device->wait_ms = wait_ms;
    device->haste = wait_ms == 0 ? device->haste + 1 : 0;
    device->step_ms = now_ms;
    device->wake_ms = wait_ms == AG_HOST_NEVER ? SIM_NEVER : now_ms + wait_ms;
    uint64_t news = sim_link_news(&device->hub, now_ms);
    if (news < device->wake_ms)
        device->wake_ms = news;
    news = sim_link_news(&device->blob, now_ms);
    if (news < device->wake_ms)
        device->wake_ms = news;
    if (device->wake_ms <= now_ms + device->spent_ms) // a step takes its time
        device->wake_ms = now_ms + device->spent_ms + (device->spent_ms == 0);
    return true;
}

void sim_device_look(struct sim_device *device)
{
    if (!device->host)
        return;
    uint64_t news = sim_link_news(&device->hub, device->step_ms);
    uint64_t other = sim_link_news(&device->blob, device->step_ms);
    news = other < news ? other : news;
    news = news > device->world->now_ms ? news : device->world->now_ms;
    uint64_t free_ms = device->step_ms + device->spent_ms; // its clock stands there already
    news = news > free_ms ? news : free_ms;
    if (news < device->wake_ms)
        device->wake_ms = news;
}

// ---- platform/board.h --------------------------------------------------------------------------

const char *ag_board_name(void)
{
    return "sim";
}

uint64_t ag_board_uptime_ms(void)
{
    return sim_device_uptime(current);
}

bool ag_board_unix_time(int64_t *seconds)
{
    const struct sim_world *world = current->world;
    const int64_t uptime_s = (int64_t)(sim_device_uptime(current) / 1000);
    if (current->clock_is_known)
        *seconds = world->epoch_s + (int64_t)(world->now_ms / 1000) + current->clock_offset_s;
    else
        *seconds = uptime_s + (current->has_learnt ? current->learnt_offset_s : 0);
    return current->clock_is_known || current->has_learnt;
}

void ag_board_learn_time(int64_t seconds)
{
    current->has_learnt = seconds != 0;
    current->learnt_offset_s = seconds - (int64_t)(sim_device_uptime(current) / 1000);
}

void ag_board_random(void *bytes, size_t size)
{
    uint64_t random = 0;
    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0)
            random = sim_random(current->world);
        ((uint8_t *)bytes)[i] = (uint8_t)(random >> i % 8 * 8);
    }
}

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    (void)level;
    sim_trace(current->world, current->name, "%s: %.*s", source, (int)size, text);
}

void ag_board_note_running(uint32_t slot_id)
{
    current->last_running = slot_id;
}

uint32_t ag_board_last_running(void)
{
    return current->last_running;
}

void ag_board_restart(void)
{
}

uint32_t ag_board_pin_count(void)
{
    return SIM_PINS;
}

enum ag_status ag_board_pin_configure(uint32_t pin, enum ag_pin_mode mode)
{
    if (pin >= SIM_PINS)
        return AG_ERR_PIN;
    current->modes[pin] = (uint8_t)mode;
    current->configures[pin] += mode == AG_PIN_OUTPUT;
    return AG_OK;
}

enum ag_status ag_board_pin_write(uint32_t pin, bool level)
{
    if (pin >= SIM_PINS || current->modes[pin] != AG_PIN_OUTPUT)
        return AG_ERR_PIN;
    current->levels[pin] = level;
    current->writes[pin]++;
    current->write_ms[pin] = current->world->now_ms;
    return AG_OK;
}

enum ag_status ag_board_pin_read(uint32_t pin, bool *level)
{
    if (pin >= SIM_PINS)
        return AG_ERR_PIN;
    *level = current->levels[pin];
    return AG_OK;
}

uint32_t ag_board_adc_count(void)
{
    return 0;
}

enum ag_status ag_board_adc_read(uint32_t channel, int32_t *value)
{
    (void)channel;
    (void)value;
    return AG_ERR_PIN;
}
