// SPDX-License-Identifier: Apache-2.0
// The store against a simple model in memory: random calls with fixed seeds, mounted anew after
// each one, sometimes with a power cut in it.
#include <stdio.h>
#include <string.h>

#include "test/harness.h"
#include "test/unit/store/helper.h"

#define SMALL  (94u * 4096u)   // the smallest journal, and never short of space for slots
#define LARGE  (1024u * 1024u) // a journal of 16 blocks
#define NAMES  3
#define HASHES 6
#define CALLS  400

static const char *const names[NAMES] = { "a", "bb", "thermostat" };

// One slot as the model sees it; state 0: none.
struct slot {
    uint32_t id;
    uint32_t version;
    uint32_t epoch;
    int state;
    uint32_t trials;
};

struct model {
    struct slot previous[NAMES];
    struct slot current[NAMES];
    struct slot newest[NAMES]; // not confirmed: on its way, or failed
    uint32_t floor[NAMES];
    int value[NAMES]; // settings: length + 1, 0: none
    bool quarantined[HASHES];
};

static struct sim_flash sim;
static struct ag_store store;
static struct model model;
static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

static struct made made_of(int name, const struct slot *slot)
{
    const struct made made = { names[name], slot->version, slot->epoch,
                               100 + slot->version * 37 % 5000, 50 + slot->version * 91 % 3000 };
    return made;
}

// ---- Comparing ---------------------------------------------------------------------------------

static void compare_slot(int name, enum ag_store_role role, const struct slot *slot)
{
    struct ag_store_slot found;
    const enum ag_status status = ag_store_find(&store, AG_STORE_PLUGIN, names[name], role, &found);
    CHECK_EQUAL(status, slot->state ? AG_OK : AG_ERR_NOT_FOUND);
    if (status != AG_OK)
        return;
    const struct made made = made_of(name, slot);
    CHECK_EQUAL(found.id, slot->id);
    CHECK_EQUAL(found.version, slot->version);
    CHECK_EQUAL(found.epoch, slot->epoch);
    CHECK_EQUAL(found.state, slot->state);
    CHECK_EQUAL(found.trials, slot->trials);
    if (slot->state >= AG_STORE_SEALED)
        CHECK(made_is_sound(&store, slot->id, &made));
}

static void compare(void)
{
    static const struct slot none = { 0 };
    uint8_t value[16];
    for (int name = 0; name < NAMES; name++) {
        const struct slot *newest = &model.newest[name];
        const bool failed = newest->state == AG_STORE_FAILED;
        size_t size;
        compare_slot(name, AG_STORE_PREVIOUS, &model.previous[name]);
        compare_slot(name, AG_STORE_CURRENT, &model.current[name]);
        compare_slot(name, AG_STORE_NEXT, failed ? &none : newest);
        compare_slot(name, AG_STORE_REJECTED, failed ? newest : &none);
        CHECK_EQUAL(ag_store_epoch_floor(&store, AG_STORE_PLUGIN, names[name]), model.floor[name]);
        const enum ag_status status =
            ag_store_get(&store, AG_STORE_SETTINGS, names[name], value, sizeof value, &size);
        CHECK_EQUAL(status, model.value[name] ? AG_OK : AG_ERR_NOT_FOUND);
        if (status == AG_OK)
            CHECK_EQUAL(size, model.value[name] - 1);
    }
    for (int hash = 0; hash < HASHES; hash++) {
        const uint8_t sha256[AG_STORE_SHA256_SIZE] = { 0xEE, (uint8_t)hash };
        CHECK_EQUAL(ag_store_is_quarantined(&store, sha256, NULL), model.quarantined[hash]);
    }
}

// ---- Calls on both -----------------------------------------------------------------------------

static uint32_t next_version;

static enum ag_status do_install(int name)
{
    struct slot slot = { .version = ++next_version, .epoch = random_below(6) };
    const struct made made = made_of(name, &slot);
    const enum ag_status status =
        made_install(&store, AG_STORE_PLUGIN, &made, 1 + random_below(3000), &slot.id);
    slot.state = AG_STORE_SEALED;
    model.newest[name] = slot;
    return status;
}

static enum ag_status do_reserve(int name)
{
    struct slot slot = { .version = ++next_version, .epoch = 1, .state = AG_STORE_RESERVED };
    const struct ag_store_reservation reservation = {
        AG_STORE_PLUGIN, names[name], slot.version, slot.epoch, 100, 0,
    };
    struct ag_store_writer writer = { .slot = 0 };
    const enum ag_status status = ag_store_reserve(&store, &reservation, &writer);
    slot.id = writer.slot;
    model.newest[name] = slot;
    return status;
}

static enum ag_status do_trial(int name)
{
    struct slot *slot = &model.newest[name];
    const enum ag_status status = ag_store_begin_trial(&store, slot->id);
    if (slot->state == AG_STORE_SEALED || slot->state == AG_STORE_TRIAL) {
        slot->state = AG_STORE_TRIAL;
        slot->trials++;
        return status;
    }
    return status == (slot->state ? AG_ERR_ARGUMENT : AG_ERR_NOT_FOUND) ? AG_OK : AG_ERR_INTERNAL;
}

static enum ag_status do_confirm(int name)
{
    struct slot *slot = &model.newest[name];
    const enum ag_status status = ag_store_confirm(&store, slot->id);
    if (slot->state != AG_STORE_SEALED && slot->state != AG_STORE_TRIAL)
        return status == (slot->state ? AG_ERR_ARGUMENT : AG_ERR_NOT_FOUND) ? AG_OK
                                                                            : AG_ERR_INTERNAL;
    model.previous[name] = model.current[name];
    model.current[name] = *slot;
    model.current[name].state = AG_STORE_CONFIRMED;
    if (slot->epoch > model.floor[name])
        model.floor[name] = slot->epoch;
    *slot = (struct slot){ 0 };
    return status;
}

static enum ag_status do_fail_newest(int name)
{
    struct slot *slot = &model.newest[name];
    const enum ag_status status = ag_store_fail(&store, slot->id, AG_TRAP_FUEL);
    if (slot->state >= AG_STORE_SEALED) {
        slot->state = AG_STORE_FAILED;
        return status;
    }
    return status == (slot->state ? AG_ERR_ARGUMENT : AG_ERR_NOT_FOUND) ? AG_OK : AG_ERR_INTERNAL;
}

static enum ag_status do_fail_current(int name)
{
    struct slot *slot = &model.current[name];
    const enum ag_status status = ag_store_fail(&store, slot->id, AG_TRAP_FUEL);
    if (!slot->state)
        return status == AG_ERR_NOT_FOUND ? AG_OK : AG_ERR_INTERNAL;
    if (!model.newest[name].state) { // else something newer is there, and it is gone at once
        model.newest[name] = *slot;
        model.newest[name].state = AG_STORE_FAILED;
    }
    *slot = model.previous[name];
    model.previous[name] = (struct slot){ 0 };
    return status;
}

static enum ag_status do_drop(int name)
{
    struct slot *slot = random_below(2) ? &model.previous[name] : &model.newest[name];
    const enum ag_status status = ag_store_drop(&store, slot->id);
    if (!slot->state)
        return status == AG_ERR_NOT_FOUND ? AG_OK : AG_ERR_INTERNAL;
    *slot = (struct slot){ 0 };
    return status;
}

static enum ag_status do_remove(int name)
{
    const bool any =
        model.previous[name].state || model.current[name].state || model.newest[name].state;
    const enum ag_status status = ag_store_remove(&store, AG_STORE_PLUGIN, names[name]);
    if (!any)
        return status == AG_ERR_NOT_FOUND ? AG_OK : AG_ERR_INTERNAL;
    model.previous[name] = model.current[name] = model.newest[name] = (struct slot){ 0 };
    model.value[name] = 0;
    return status;
}

static enum ag_status do_value(int name)
{
    const bool had = model.value[name] != 0;
    const uint32_t size = random_below(16);
    if (size == 15) {
        model.value[name] = 0;
        const enum ag_status status = ag_store_delete(&store, AG_STORE_SETTINGS, names[name]);
        return !had && status == AG_ERR_NOT_FOUND ? AG_OK : status;
    }
    model.value[name] = (int)size + 1;
    return ag_store_put(&store, AG_STORE_SETTINGS, names[name], "0123456789abcdef", size);
}

static enum ag_status do_quarantine(int name)
{
    const uint32_t hash = random_below(HASHES);
    const uint8_t sha256[AG_STORE_SHA256_SIZE] = { 0xEE, (uint8_t)hash };
    model.quarantined[hash] = name != 0;
    return name ? ag_store_quarantine(&store, sha256, AG_ERR_FILE_HASH)
                : ag_store_pardon(&store, sha256);
}

static enum ag_status (*const calls[])(int name) = {
    do_install, do_install,      do_install, do_reserve,     do_trial,      do_trial,
    do_confirm, do_confirm,      do_confirm, do_fail_newest, do_remove,     do_value,
    do_value,   do_fail_current, do_drop,    do_value,       do_quarantine,
};

// ---- Tests -------------------------------------------------------------------------------------

static void start(uint32_t with_seed, uint32_t size)
{
    if (sim.bytes)
        sim_flash_close(&sim);
    sim_flash_open(&sim, size);
    memset(&model, 0, sizeof model);
    seed = with_seed;
    next_version = 0;
    CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
}

static void the_store_does_what_the_model_does(void)
{
    uint32_t generations = 0;
    for (uint32_t run = 1; run <= 6; run++) {
        start(run, SMALL);
        for (int call = 0; call < CALLS; call++) {
            const uint32_t which = random_below(sizeof calls / sizeof calls[0]);
            test_note("seed %u, call %d, kind %u", run, call, which);
            CHECK_EQUAL(calls[which]((int)random_below(NAMES)), AG_OK);
            if (call % 2)
                compare();
            memset(&store, 0xA5, sizeof store);
            CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
            compare();
        }
        CHECK_EQUAL(sim.counts.breaches, 0);
        CHECK_EQUAL(store.damaged, 0);
        generations += store.journal.generation;
    }
    printf("# 6 seeds of %d calls, %u compactions\n", CALLS, generations - 6);
    CHECK(generations > 20);
}

// Faults of single operations, without a cut: the call may fail, what was there stays.
static void any_single_failing_operation_loses_nothing_that_was_durable(void)
{
    uint32_t failed = 0;
    for (uint32_t run = 1; run <= 20; run++) {
        start(100 + run, SMALL);
        for (int call = 0; call < CALLS; call++) {
            const struct model before = model;
            const uint32_t which = random_below(sizeof calls / sizeof calls[0]);
            test_note("seed %u, call %d, kind %u", 100 + run, call, which);
            sim.operations = 0;
            sim.fail_at = random_below(3) ? 0 : 1 + random_below(6);
            const enum ag_status status = calls[which]((int)random_below(NAMES));
            sim_flash_restart(&sim);
            CHECK(status == AG_OK || status == AG_ERR_FLASH);
            if (run % 2) {
                memset(&store, 0xA5, sizeof store);
                CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
            } else {
                CHECK_EQUAL(ag_store_recover(&store), AG_OK);
            }
            if (status == AG_OK) {
                compare();
                continue;
            }
            // What was confirmed before and is not what the call was about is still there.
            failed++;
            model = before;
            for (int name = 0; name < NAMES; name++) {
                struct ag_store_slot slot;
                uint32_t current = model.current[name].id;
                if (ag_store_get_slot(&store, current, &slot) == AG_OK) {
                    const struct made made = made_of(name, &model.current[name]);
                    CHECK(made_is_sound(&store, current, &made));
                } else {
                    CHECK(current == 0 || calls[which] == do_remove ||
                          calls[which] == do_fail_current);
                }
            }
            break; // the model cannot tell which side of the change is there
        }
        CHECK_EQUAL(sim.counts.breaches, 0);
    }
    CHECK(failed > 0);
}

static void a_bad_block_in_the_journal_is_left_out(void)
{
    for (uint32_t bad = 0; bad < 16; bad++) {
        test_note("bad block %u", bad);
        start(bad + 7, LARGE);
        CHECK_EQUAL(do_install(0), AG_OK);
        CHECK_EQUAL(do_confirm(0), AG_OK);
        sim.bad_block = bad;
        for (int i = 0; i < 900; i++)
            CHECK_EQUAL(do_value((int)random_below(NAMES)), AG_OK);
        CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
        compare();
        CHECK_EQUAL(sim.counts.breaches, 0);
        sim.bad_block = UINT32_MAX;
    }
}

static void one_bad_block_in_the_shortest_journal_is_borne(void)
{
    for (uint32_t bad = 0; bad < 4; bad++) {
        start(bad + 7, SMALL);
        test_note("bad block %u", bad);
        CHECK_EQUAL(do_install(0), AG_OK);
        CHECK_EQUAL(do_confirm(0), AG_OK);
        sim.bad_block = bad;
        for (int i = 0; i < 900; i++)
            CHECK_EQUAL(i % 9 ? do_value((int)random_below(NAMES)) : do_install(1), AG_OK);
        CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
        compare();
        CHECK(!ag_store_is_read_only(&store));
    }
}

static void a_failing_sync_makes_the_store_read_only_until_mounted(void)
{
    struct ag_store_info info;
    start(5, SMALL);
    CHECK_EQUAL(do_install(0), AG_OK);
    CHECK_EQUAL(do_confirm(0), AG_OK);
    sim.operations = 0;
    sim.fail_at = 2; // one program, then the sync
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "x", 1), AG_ERR_FLASH);
    ag_store_info(&store, &info);
    CHECK(info.read_only);
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "x", 1), AG_ERR_FLASH);
    CHECK_EQUAL(ag_store_remove(&store, AG_STORE_PLUGIN, "a"), AG_ERR_FLASH);
    compare(); // reading goes on
    CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
    compare();
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "x", 1), AG_OK);
}

static void a_compaction_without_enough_good_blocks_keeps_the_old_generation(void)
{
    static const uint8_t value[3000] = { 1 };
    static uint8_t back[3000];
    uint8_t sha256[AG_STORE_SHA256_SIZE] = { 0xDD };
    enum ag_status status = AG_OK;
    size_t size;
    start(9, SMALL); // four blocks of journal, two for a generation
    CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", value, sizeof value), AG_OK);
    for (; sha256[1] < AG_CFG_QUARANTINE_MAX - 1; sha256[1]++)
        CHECK_EQUAL(ag_store_quarantine(&store, sha256, AG_ERR_FILE_HASH), AG_OK);
    CHECK_EQUAL(store.journal.used, 2);
    sim.bad_block = store.journal.ring[1] + 1u;
    for (int i = 0; i < 200 && status == AG_OK; i++) {
        status = i % 2 ? ag_store_pardon(&store, sha256)
                       : ag_store_quarantine(&store, sha256, AG_ERR_FILE_HASH);
    }
    CHECK_EQUAL(status, AG_ERR_FLASH);
    for (int i = 0; i < 3; i++) {
        if (i == 0) // as often as it is tried
            CHECK_EQUAL(ag_store_recover(&store), AG_ERR_FLASH);
        else if (i == 1)
            CHECK_EQUAL(ag_store_recover(&store), AG_OK);
        else
            CHECK_EQUAL(ag_store_mount(&store, &sim.flash), AG_OK);
        CHECK_EQUAL(ag_store_get(&store, AG_STORE_HOST, "n", back, sizeof back, &size), AG_OK);
        CHECK_BYTES(back, value, sizeof value);
        for (uint8_t hash = 0; hash < AG_CFG_QUARANTINE_MAX - 1; hash++) {
            const uint8_t known[AG_STORE_SHA256_SIZE] = { 0xDD, hash };
            CHECK(ag_store_is_quarantined(&store, known, NULL));
        }
        sim.bad_block = UINT32_MAX; // and once it works again
        if (i == 0)
            continue;
        CHECK_EQUAL(ag_store_pardon(&store, sha256), AG_OK);
        CHECK_EQUAL(ag_store_quarantine(&store, sha256, AG_ERR_FILE_HASH), AG_OK);
    }
    CHECK_EQUAL(sim.counts.breaches, 0);
}

static const struct test_case cases[] = {
    TEST(a_compaction_without_enough_good_blocks_keeps_the_old_generation),
    TEST(the_store_does_what_the_model_does),
    TEST(any_single_failing_operation_loses_nothing_that_was_durable),
    TEST(a_bad_block_in_the_journal_is_left_out),
    TEST(one_bad_block_in_the_shortest_journal_is_borne),
    TEST(a_failing_sync_makes_the_store_read_only_until_mounted),
};

int main(int argc, char **argv)
{
    const int code = test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
    if (sim.bytes)
        sim_flash_close(&sim);
    return code;
}
