// SPDX-License-Identifier: Apache-2.0
// One simulated device: the real host over a flash, a block of RAM, clocks, pins and two links, all
// of them faulty on demand.
//
// The functions of platform/board.h belong to the device that is being stepped; one is at a time.
#ifndef AG_PORT_SIM_SIM_DEVICE_H
#define AG_PORT_SIM_SIM_DEVICE_H

#include <setjmp.h>

#include "host/host.h"
#include "port/sim/sim_flash.h"
#include "port/sim/sim_link.h"

#define SIM_PINS 8

// Bytes of RAM for plug-ins beyond what the host needs.
#define SIM_DEVICE_RAM (40u * 1024u)

struct sim_device {
    struct sim_world *world; // borrowed
    char name[16];           // "dev-3": registration id
    struct ag_host_config config;
    struct sim_link hub;
    struct sim_link blob;
    // As in struct ag_host_board, with this device as its context; NULL: every server is believed.
    // Otherwise none is from a start on, until this sets the links' is_untrusted.
    enum ag_status (*use_trust)(void *context, const uint8_t *bytes, size_t size);

    struct sim_flash flash;
    struct ag_flash wire; // to it; where blocks are bad and the power goes
    bool *bad_blocks;     // by block: every program and erase fails
    uint32_t slow_ms;     // that each flash operation takes
    uint64_t operations;  // of the flash, in all its life
    uint32_t failures;    // operations that failed while the power was there
    uint32_t spent_ms;    // in the step under way

    void *memory;
    size_t memory_size;
    struct ag_host *host;       // NULL: the power is off, or the host did not start
    enum ag_status init_status; // of the last start
    uint32_t boots;
    uint64_t boot_ms; // world time at which the power came
    uint64_t wake_ms; // world time of the next step, or of the next start when off
    uint64_t step_ms; // world time of the last step
    uint32_t wait_ms; // what the last step returned
    uint32_t haste;   // steps in a row that wanted the next one at once

    uint64_t heal_ms;        // for whoever made its clock wrong or its flash slow
    bool clock_is_known;     // by itself, as from a battery
    int64_t clock_offset_s;  // from the right time
    bool has_learnt;         // the time, from a server since the last start
    int64_t learnt_offset_s; // of its uptime to what it has learnt
    uint32_t last_running;   // a word that survives resets
    uint8_t modes[SIM_PINS];
    bool levels[SIM_PINS];
    uint64_t writes[SIM_PINS];
    uint64_t write_ms[SIM_PINS];   // world time of the last one
    uint64_t configures[SIM_PINS]; // times that it was made an output
    jmp_buf power;                 // where a cut leads to
    bool is_in_step;
};

// A device with blank flash and no power. `trust` is borrowed.
void sim_device_init(struct sim_device *device, struct sim_world *world, uint32_t index,
                     uint32_t flash_size, const void *trust, size_t trust_size);
void sim_device_clear(struct sim_device *device);

// Power comes. False: it went again in the middle, or the host did not start (init_status).
bool sim_device_boot(struct sim_device *device);

// Takes the power, between two steps. The device starts again after `off_ms`.
void sim_device_power_off(struct sim_device *device, uint64_t off_ms);

// One step of the host; sets wake_ms. False: the power went in it, and host is NULL.
bool sim_device_step(struct sim_device *device);

// Something has happened to its links: it may have to wake sooner.
void sim_device_look(struct sim_device *device);

// Milliseconds since the power came.
uint64_t sim_device_uptime(const struct sim_device *device);

#endif
