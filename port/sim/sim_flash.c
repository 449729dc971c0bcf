// SPDX-License-Identifier: Apache-2.0
// A flash in memory with strict rules, power cuts, failing operations and a forgetful cache.
//
// Every operation takes effect at once; those since the last sync are also logged with what they
// replaced. Losing them means undoing all and doing the survivors again, as a page cache would.
#include "port/sim/sim_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define FORBID(bytes, size) __asan_poison_memory_region(bytes, size)
#define ALLOW(bytes, size)  __asan_unpoison_memory_region(bytes, size)
#else
#define FORBID(bytes, size) ((void)(bytes), (void)(size))
#define ALLOW(bytes, size)  ((void)(bytes), (void)(size))
#endif

struct entry {
    uint32_t offset;
    uint32_t size;
    bool erase;
    uint8_t *before; // bytes that were replaced
    uint8_t *after;  // bytes that replaced them
};

struct sim_flash_log {
    struct entry *entries;
    size_t count;
    size_t capacity;
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        fprintf(stderr, "sim_flash: out of memory\n");
        exit(1);
    }
    return memory;
}

// splitmix64.
static uint64_t next_random(struct sim_flash *sim)
{
    uint64_t z = sim->seed += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

const char *sim_cut_mode_name(enum sim_cut_mode mode)
{
    static const char *const names[] = {
        [SIM_CUT_BEFORE] = "before", [SIM_CUT_TORN] = "torn",     [SIM_CUT_AFTER] = "after",
        [SIM_CUT_LOST] = "lost",     [SIM_CUT_PREFIX] = "prefix",
    };
    return mode < SIM_CUT_MODES ? names[mode] : "none";
}

// ---- What may be read --------------------------------------------------------------------------

static void touch(struct sim_flash *sim, uint32_t offset, uint32_t size, bool touched)
{
    memset(sim->touched + offset / AG_FLASH_UNIT, touched, size / AG_FLASH_UNIT);
    if (touched)
        ALLOW(sim->flash.base + offset, size);
    else
        FORBID(sim->flash.base + offset, size);
}

// Something went wrong there: what can be read is for checksums to tell.
static void touch_block(struct sim_flash *sim, uint32_t offset)
{
    touch(sim, offset / AG_FLASH_BLOCK * AG_FLASH_BLOCK, AG_FLASH_BLOCK, true);
}

// As the flags say.
static void touch_again(struct sim_flash *sim)
{
    for (uint32_t unit = 0; unit < sim->flash.size / AG_FLASH_UNIT;) {
        uint32_t end = unit + 1;
        while (end < sim->flash.size / AG_FLASH_UNIT && sim->touched[end] == sim->touched[unit])
            end++;
        touch(sim, unit * AG_FLASH_UNIT, (end - unit) * AG_FLASH_UNIT, sim->touched[unit]);
        unit = end;
    }
}

// ---- The log -----------------------------------------------------------------------------------

static void log_clear(struct sim_flash_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->entries[i].before);
        free(log->entries[i].after);
    }
    log->count = 0;
}

static void log_add(struct sim_flash *sim, uint32_t offset, uint32_t size, bool erase,
                    const uint8_t *after)
{
    struct sim_flash_log *log = sim->log;
    if (log->count == log->capacity) {
        const size_t capacity = log->capacity ? 2 * log->capacity : 64;
        struct entry *entries = allocate(capacity * sizeof *entries);
        if (log->count > 0)
            memcpy(entries, log->entries, log->count * sizeof *entries);
        free(log->entries);
        log->entries = entries;
        log->capacity = capacity;
    }
    struct entry *entry = &log->entries[log->count++];
    *entry = (struct entry){ offset, size, erase, allocate(size), allocate(size) };
    memcpy(entry->before, sim->bytes + offset, size);
    memcpy(entry->after, after, size);
}

// A unit can be programmed when it is blank and was not programmed with all ones.
static void mark_units(struct sim_flash *sim, uint32_t offset, uint32_t size)
{
    for (uint32_t at = offset; at < offset + size; at += AG_FLASH_UNIT) {
        uint8_t written = 0;
        for (uint32_t i = 0; i < AG_FLASH_UNIT; i++)
            written |= sim->bytes[at + i] != 0xFF;
        sim->written[at / AG_FLASH_UNIT] = written;
    }
}

static void redo_some_units(struct sim_flash *sim, const struct entry *entry)
{
    for (uint32_t at = 0; at < entry->size; at += AG_FLASH_UNIT) {
        if (next_random(sim) & 1)
            memcpy(sim->bytes + entry->offset + at, entry->after + at, AG_FLASH_UNIT);
    }
}

// Takes back everything since the last sync but a random subset, or the first ones.
static void lose(struct sim_flash *sim, bool prefix)
{
    const struct sim_flash_log *log = sim->log;
    const size_t keep = prefix ? next_random(sim) % (log->count + 1) : log->count;
    for (size_t i = log->count; i-- > 0;)
        memcpy(sim->bytes + log->entries[i].offset, log->entries[i].before, log->entries[i].size);
    for (size_t i = 0; i < keep; i++) {
        const struct entry *entry = &log->entries[i];
        const unsigned fate = prefix ? 0 : next_random(sim) % 4;
        if (fate < 2)
            memcpy(sim->bytes + entry->offset, entry->after, entry->size);
        else if (fate == 2)
            redo_some_units(sim, entry);
    }
    for (size_t i = 0; i < log->count; i++)
        mark_units(sim, log->entries[i].offset, log->entries[i].size);
}

// ---- Operations --------------------------------------------------------------------------------

// Patterns of a torn program: random bits; the first units, and random bits of the next; one bit of
// all; all but one bit. Of a torn erase: random bits; the first part erased, the rest as it was;
// all zeros, as before the pulse that sets the bits; all ones, but not for long.
static uint8_t torn_program(struct sim_flash *sim, uint32_t pattern, uint32_t i, uint32_t place)
{
    switch (pattern) {
    case 0:
        return (uint8_t)next_random(sim);
    case 1:
        return i < place ? 0 : i - place < AG_FLASH_UNIT ? (uint8_t)next_random(sim) : 0xFF;
    case 2:
        return i == place ? (uint8_t) ~(1u << place % 8) : 0xFF;
    default:
        return i == place ? (uint8_t)(1u << place % 8) : 0;
    }
}

static uint8_t torn_erase(struct sim_flash *sim, uint32_t pattern)
{
    switch (pattern) {
    case 0:
        return (uint8_t)next_random(sim);
    case 2:
        return 0;
    default:
        return 0xFF;
    }
}

static void tear(struct sim_flash *sim, uint32_t offset, uint32_t size, const uint8_t *bytes)
{
    const uint32_t pattern = next_random(sim) % 4;
    const uint32_t place = (uint32_t)(next_random(sim) % size);
    for (uint32_t i = 0; i < size; i++) {
        uint8_t *byte = &sim->bytes[offset + i];
        if (bytes)
            *byte &= bytes[i] | torn_program(sim, pattern, i, place);
        else
            *byte = pattern == 1 && i >= place ? *byte : torn_erase(sim, pattern);
    }
    mark_units(sim, offset, size);
    if (!bytes) // also where it looks blank
        memset(sim->written + offset / AG_FLASH_UNIT, 1, size / AG_FLASH_UNIT);
    touch_block(sim, offset);
}

static void apply(struct sim_flash *sim, uint32_t offset, uint32_t size, const uint8_t *bytes)
{
    uint8_t blank[AG_FLASH_BLOCK];
    memset(blank, 0xFF, sizeof blank);
    log_add(sim, offset, size, bytes == NULL, bytes ? bytes : blank);
    memcpy(sim->bytes + offset, bytes ? bytes : blank, size);
    memset(sim->written + offset / AG_FLASH_UNIT, bytes != NULL, size / AG_FLASH_UNIT);
    touch(sim, offset, size, bytes != NULL);
    if (bytes) {
        sim->counts.programs++;
        sim->counts.units += size / AG_FLASH_UNIT;
    } else {
        sim->counts.erases++;
        sim->wear[offset / AG_FLASH_BLOCK]++;
    }
}

static void cut(struct sim_flash *sim, uint32_t offset, uint32_t size, const uint8_t *bytes)
{
    for (size_t i = 0; i < sim->log->count; i++)
        touch_block(sim, sim->log->entries[i].offset);
    if (size > 0)
        touch_block(sim, offset);
    switch (sim->cut_mode) {
    case SIM_CUT_BEFORE:
    case SIM_CUT_MODES:
        break;
    case SIM_CUT_TORN:
        if (size > 0)
            tear(sim, offset, size, bytes);
        break;
    case SIM_CUT_AFTER:
    case SIM_CUT_LOST:
    case SIM_CUT_PREFIX:
        if (size > 0)
            apply(sim, offset, size, bytes);
        if (sim->cut_mode != SIM_CUT_AFTER)
            lose(sim, sim->cut_mode == SIM_CUT_PREFIX);
        if (size > 0)
            touch_block(sim, offset);
        break;
    }
    log_clear(sim->log);
    sim->off = true;
}

// What happens to the operation in hand; size is 0 for a sync, bytes NULL for an erase.
static enum ag_status operate(struct sim_flash *sim, uint32_t offset, uint32_t size,
                              const uint8_t *bytes)
{
    sim->operations++;
    if (sim->operations == sim->cut_at) {
        cut(sim, offset, size, bytes);
        return AG_ERR_FLASH;
    }
    if (size > 0 && offset / AG_FLASH_BLOCK == sim->bad_block) {
        touch_block(sim, offset);
        return AG_ERR_FLASH;
    }
    if (sim->operations == sim->fail_at) {
        if (size > 0)
            tear(sim, offset, size, bytes);
        return AG_ERR_FLASH;
    }
    if (size > 0)
        apply(sim, offset, size, bytes);
    return AG_OK;
}

static bool may_program(const struct sim_flash *sim, uint32_t offset, uint32_t size)
{
    if (size == 0 || size > AG_FLASH_BLOCK || size % AG_FLASH_UNIT || offset % AG_FLASH_UNIT ||
        offset >= sim->flash.size || size > AG_FLASH_BLOCK - offset % AG_FLASH_BLOCK)
        return false;
    for (uint32_t at = offset; at < offset + size; at += AG_FLASH_UNIT) {
        if (sim->written[at / AG_FLASH_UNIT])
            return false;
    }
    return true;
}

static enum ag_status sim_program(void *context, uint32_t offset, const void *bytes, uint32_t size)
{
    struct sim_flash *sim = context;
    if (sim->off)
        return AG_ERR_FLASH;
    if (!may_program(sim, offset, size)) {
        sim->counts.breaches++;
        return AG_ERR_FLASH;
    }
    return operate(sim, offset, size, bytes);
}

static enum ag_status sim_erase(void *context, uint32_t offset)
{
    struct sim_flash *sim = context;
    if (sim->off)
        return AG_ERR_FLASH;
    if (offset % AG_FLASH_BLOCK || offset >= sim->flash.size) {
        sim->counts.breaches++;
        return AG_ERR_FLASH;
    }
    return operate(sim, offset, AG_FLASH_BLOCK, NULL);
}

static enum ag_status sim_sync(void *context)
{
    struct sim_flash *sim = context;
    if (sim->off)
        return AG_ERR_FLASH;
    const enum ag_status status = operate(sim, 0, 0, NULL);
    if (status == AG_OK) {
        sim->counts.syncs++;
        log_clear(sim->log);
    }
    return status;
}

// ---- Public ------------------------------------------------------------------------------------

#ifdef __linux__

static void *map(int fd, uint32_t size, int protection)
{
    void *memory = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "sim_flash: out of memory\n");
        exit(1);
    }
    return memory;
}

// The same memory twice: through `bytes` it can be written, through what is returned only read.
static const uint8_t *open_memory(struct sim_flash *sim, uint32_t size)
{
    const int fd = memfd_create("sim_flash", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, size) != 0) {
        fprintf(stderr, "sim_flash: out of memory\n");
        exit(1);
    }
    sim->bytes = map(fd, size, PROT_READ | PROT_WRITE);
    const uint8_t *window = map(fd, size, PROT_READ);
    close(fd);
    return window;
}

static void close_memory(struct sim_flash *sim)
{
    munmap(sim->bytes, sim->flash.size);
    munmap((void *)(uintptr_t)sim->flash.base, sim->flash.size);
}

#else

// No pages here that could be protected: a write through the window goes unnoticed.
static const uint8_t *open_memory(struct sim_flash *sim, uint32_t size)
{
    sim->bytes = allocate(size);
    return sim->bytes;
}

static void close_memory(struct sim_flash *sim)
{
    free(sim->bytes);
}

#endif

void sim_flash_open(struct sim_flash *sim, uint32_t size)
{
    memset(sim, 0, sizeof *sim);
    const uint8_t *window = open_memory(sim, size);
    sim->touched = allocate(size / AG_FLASH_UNIT);
    sim->written = allocate(size / AG_FLASH_UNIT);
    sim->wear = allocate(size / AG_FLASH_BLOCK * sizeof *sim->wear);
    sim->log = allocate(sizeof *sim->log);
    sim->bad_block = UINT32_MAX;
    memset(sim->bytes, 0xFF, size);
    sim->flash = (struct ag_flash){ .context = sim,
                                    .base = window,
                                    .size = size,
                                    .program = sim_program,
                                    .erase = sim_erase,
                                    .sync = sim_sync };
    touch_again(sim);
}

void sim_flash_close(struct sim_flash *sim)
{
    log_clear(sim->log);
    free(sim->log->entries);
    free(sim->log);
    free(sim->wear);
    free(sim->written);
    free(sim->touched);
    ALLOW(sim->flash.base, sim->flash.size);
    close_memory(sim);
    sim->bytes = NULL;
}

void sim_flash_restart(struct sim_flash *sim)
{
    sim->off = false;
    sim->cut_at = 0;
    sim->fail_at = 0;
    sim->operations = 0;
    log_clear(sim->log);
}

void sim_flash_copy(struct sim_flash *to, const struct sim_flash *from)
{
    memcpy(to->bytes, from->bytes, from->flash.size);
    memcpy(to->written, from->written, from->flash.size / AG_FLASH_UNIT);
    memcpy(to->touched, from->touched, from->flash.size / AG_FLASH_UNIT);
    touch_again(to);
    memset(&to->counts, 0, sizeof to->counts);
    sim_flash_restart(to);
    to->bad_block = from->bad_block;
    to->seed = from->seed;
}

void sim_flash_poke(struct sim_flash *sim, uint32_t offset, const void *bytes, uint32_t size)
{
    memcpy(sim->bytes + offset, bytes, size);
    const uint32_t start = offset / AG_FLASH_UNIT * AG_FLASH_UNIT;
    mark_units(sim, start,
               (offset + size - start + AG_FLASH_UNIT - 1) / AG_FLASH_UNIT * AG_FLASH_UNIT);
    for (uint32_t at = start; at < offset + size; at += AG_FLASH_UNIT)
        touch_block(sim, at);
}

void sim_flash_flip(struct sim_flash *sim, uint32_t bit)
{
    sim->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    touch_block(sim, bit / 8);
}

bool sim_flash_is_written(const struct sim_flash *sim, const uint8_t *bytes, size_t size)
{
    const size_t start = (size_t)(bytes - sim->flash.base);
    for (size_t at = start / AG_FLASH_UNIT; at * AG_FLASH_UNIT < start + size; at++) {
        if (!sim->written[at])
            return false;
    }
    return true;
}

uint32_t sim_flash_wear(const struct sim_flash *sim, uint32_t block)
{
    return sim->wear[block];
}
