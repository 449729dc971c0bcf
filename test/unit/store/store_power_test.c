// SPDX-License-Identifier: Apache-2.0
// Power cuts: each scenario is cut at every flash operation in every mode, mounted again, checked,
// and cut again at every operation of the recovery.
//
// The oracle is the scenario itself, run once without a cut: it writes down what the store says
// after each call. After a cut inside call k the store must say what it said before or after that
// call, or further back to the last durable call. What is durable must be sound, byte for byte.
//
// Every second cut is tried in one mode, which goes round; in a scenario of more than SPARSE
// operations only after some of the first cuts. With --all each is tried, in every mode (minutes).
//
// A failure is named scenario:mode:n or scenario:mode:n:mode:m. To see that one again:
//   store_power_test --replay install:torn:7:lost:3
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "test/harness.h"
#include "test/unit/store/helper.h"

#define SIZE      (64u * 1024u) // 4 blocks of journal, 12 for slots
#define STEPS_MAX 64
#define TEXT_MAX  1600
#define SPARSE    50

// Everything that any scenario installs.
static const struct made plugins[] = {
    { "a", 1, 1, 5000, 3100 }, { "a", 2, 2, 4090, 6000 }, { "a", 3, 2, 900, 200 },
    { "a", 4, 5, 1500, 2000 }, { "b", 1, 0, 700, 900 },   { "b", 2, 3, 4096, 4096 },
    { "c", 1, 1, 9000, 5000 }, { "r", 1, 0, 20, 30 },     { "r", 2, 1, 4000, 3000 },
};
static const struct made blobs[] = { { "trust", 1, 1, 5000, 0 }, { "trust", 2, 2, 4800, 0 } };

#define A1 (&plugins[0])
#define A2 (&plugins[1])
#define A3 (&plugins[2])
#define A4 (&plugins[3])
#define B1 (&plugins[4])
#define B2 (&plugins[5])
#define C1 (&plugins[6])
#define R1 (&plugins[7])
#define R2 (&plugins[8])

static const struct made *find_made(const struct ag_store_slot *slot)
{
    const struct made *list = slot->kind == AG_STORE_BLOB ? blobs : plugins;
    const size_t count = slot->kind == AG_STORE_BLOB ? sizeof blobs / sizeof blobs[0]
                                                     : sizeof plugins / sizeof plugins[0];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, slot->name) == 0 && list[i].version == slot->version)
            return &list[i];
    }
    test_fail(__FILE__, __LINE__, "an unknown slot %s %u", slot->name, slot->version);
}

// ---- What a store says -------------------------------------------------------------------------

static void say_slots(const struct ag_store *store, FILE *text)
{
    struct ag_store_slot slot;
    for (uint32_t id = 0; ag_store_next(store, &id, &slot);)
        fprintf(text, "%d/%s %u state %d role %d trials %u failure %d\n", slot.kind, slot.name,
                slot.version, slot.state, slot.role, slot.trials, slot.failure);
}

static void say_values(const struct ag_store *store, FILE *text)
{
    static const enum ag_store_key keys[] = { AG_STORE_HOST, AG_STORE_SETTINGS };
    static const char *const names[] = { "a", "b", "n", "big", "boot" };
    static uint8_t value[AG_STORE_VALUE_MAX];
    size_t size;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            if (ag_store_get(store, keys[i], names[j], value, sizeof value, &size) == AG_OK)
                fprintf(text, "value %d/%s %zu bytes %08x\n", keys[i], names[j], size,
                        ag_crc32_update(0, value, size));
        }
    }
}

static void say(const struct ag_store *store, char bytes[TEXT_MAX])
{
    static const char *const names[] = { "a", "b", "c", "r", "trust" };
    FILE *text = fmemopen(bytes, TEXT_MAX, "w");
    say_slots(store, text);
    say_values(store, text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        fprintf(text, "floor %s %u\n", names[i],
                ag_store_epoch_floor(store, i < 4 ? AG_STORE_PLUGIN : AG_STORE_BLOB, names[i]));
    for (size_t i = 0; i < sizeof plugins / sizeof plugins[0]; i++) {
        uint8_t sha256[AG_STORE_SHA256_SIZE];
        enum ag_status why;
        made_hash(&plugins[i], sha256);
        if (ag_store_is_quarantined(store, sha256, &why))
            fprintf(text, "quarantined %s %u %d\n", plugins[i].name, plugins[i].version, why);
    }
    if (fclose(text) != 0)
        abort();
}

// ---- Running a scenario ------------------------------------------------------------------------

struct run {
    struct sim_flash *sim;
    struct ag_store store;
    int steps;      // calls that returned AG_OK
    bool stopped;   // a call failed: the power is gone
    bool record;    // write down what the store says
    bool soft_code; // code may be damaged: it is being translated again
};

// What the uncut run of something said after each call; [0] is before the first.
struct story {
    int steps;
    bool durable[STEPS_MAX];
    char text[STEPS_MAX][TEXT_MAX];
};

static struct story *telling; // where a recording run writes

enum lasting {
    LAZY,
    DURABLE
};

// Takes in the outcome of one call of the scenario; false: stop.
static bool step(struct run *run, enum ag_status status, enum lasting lasting)
{
    if (run->stopped)
        return false;
    if (status != AG_OK) {
        if (run->record)
            test_fail(__FILE__, __LINE__, "call %d failed without a cut: %d", run->steps + 1,
                      status);
        run->stopped = true;
        return false;
    }
    run->steps++;
    if (!run->record)
        return true;
    if (run->steps >= STEPS_MAX)
        test_fail(__FILE__, __LINE__, "more than %d calls", STEPS_MAX);
    telling->steps = run->steps;
    telling->durable[run->steps] = lasting == DURABLE;
    say(&run->store, telling->text[run->steps]);
    return true;
}

#define DO(call, lasting)                                                                          \
    do {                                                                                           \
        if (!step(run, call, lasting))                                                             \
            return;                                                                                \
    } while (0)

static void append(struct run *run, struct ag_store_writer *writer, const struct made *made,
                   bool code, uint32_t from, uint32_t to)
{
    const uint8_t *bytes = code ? made_code(made) : made_file(made);
    for (uint32_t at = from; at < to;) {
        const uint32_t part = to - at < 1000 ? to - at : 1000;
        const enum ag_status status =
            code ? ag_store_append_code(&run->store, writer, bytes + at, part)
                 : ag_store_append(&run->store, writer, bytes + at, part);
        if (status != AG_OK) {
            run->stopped = true;
            return;
        }
        at += part;
    }
}

static void reserve(struct run *run, enum ag_store_kind kind, const struct made *made,
                    struct ag_store_writer *writer)
{
    const struct ag_store_reservation reservation = {
        kind, made->name, made->version, made->epoch, made->file_size, made->code_size,
    };
    DO(ag_store_reserve(&run->store, &reservation, writer), LAZY);
}

// finish_file to seal.
static void seal(struct run *run, struct ag_store_writer *writer, const struct made *made)
{
    const uint8_t *file;
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    made_hash(made, sha256);
    if (run->stopped)
        return;
    DO(ag_store_finish_file(&run->store, writer, &file), LAZY);
    append(run, writer, made, true, 0, made->code_size);
    if (!run->stopped)
        DO(ag_store_seal(&run->store, writer, sha256, 7), DURABLE);
}

static uint32_t install(struct run *run, enum ag_store_kind kind, const struct made *made)
{
    struct ag_store_writer writer = { .slot = 0 };
    reserve(run, kind, made, &writer);
    if (!run->stopped)
        append(run, &writer, made, false, 0, made->file_size);
    seal(run, &writer, made);
    return writer.slot;
}

static void confirm(struct run *run, const struct made *made)
{
    const uint32_t id = install(run, AG_STORE_PLUGIN, made);
    DO(run->stopped ? AG_ERR_FLASH : ag_store_begin_trial(&run->store, id), DURABLE);
    DO(ag_store_confirm(&run->store, id), DURABLE);
}

static void put(struct run *run, enum ag_store_key key, const char *name, const char *value)
{
    if (!run->stopped)
        DO(ag_store_put(&run->store, key, name, value, strlen(value)), DURABLE);
}

static uint32_t slot_id(struct run *run, const char *name, enum ag_store_role role)
{
    struct ag_store_slot slot = { .id = 0 };
    if (ag_store_find(&run->store, AG_STORE_PLUGIN, name, role, &slot) != AG_OK)
        return 0;
    return slot.id;
}

// ---- Scenarios ---------------------------------------------------------------------------------

static void nothing(struct run *run)
{
    (void)run;
}

static void with_a1(struct run *run)
{
    confirm(run, A1);
    put(run, AG_STORE_SETTINGS, "a", "{\"period\":3}");
}

static void with_a1_a2(struct run *run)
{
    with_a1(run);
    confirm(run, A2);
}

// Leaves so little room in the generation that the next records start a new one.
static void with_full_journal(struct run *run)
{
    char value[600];
    uint8_t sha256[AG_STORE_SHA256_SIZE] = { 1 };
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = 0;
    with_a1(run);
    confirm(run, B1);
    for (int i = 0; i < 300 && !run->stopped; i++) {
        const uint32_t left = AG_FLASH_BLOCK - run->store.journal.tail % AG_FLASH_BLOCK;
        value[0] = (char)('a' + i % 20);
        if (run->store.journal.used == 2 && left < 100)
            return;
        if (run->store.journal.used < 2 && left > 700)
            put(run, AG_STORE_HOST, "n", value);
        else if (i % 2)
            DO(ag_store_quarantine(&run->store, sha256, AG_ERR_FILE_HASH), DURABLE);
        else
            DO(ag_store_pardon(&run->store, sha256), DURABLE);
    }
}

static void first_install(struct run *run)
{
    confirm(run, A1);
}

static void update_confirmed(struct run *run)
{
    confirm(run, A3);
}

static void update_failing(struct run *run)
{
    const uint32_t id = install(run, AG_STORE_PLUGIN, A3);
    if (run->stopped)
        return;
    DO(ag_store_begin_trial(&run->store, id), DURABLE);
    DO(ag_store_begin_trial(&run->store, id), DURABLE);
    DO(ag_store_fail(&run->store, id, AG_TRAP_UNREACHABLE), DURABLE);
}

static void confirmed_one_failing_later(struct run *run)
{
    DO(ag_store_fail(&run->store, slot_id(run, "a", AG_STORE_CURRENT), AG_TRAP_FUEL), DURABLE);
    confirm(run, A4);
}

static void downgrade(struct run *run)
{
    confirm(run, A1);
    confirm(run, B1);
}

static void removal(struct run *run)
{
    DO(ag_store_remove(&run->store, AG_STORE_PLUGIN, "a"), DURABLE);
    confirm(run, B2);
}

static void values(struct run *run)
{
    put(run, AG_STORE_HOST, "n", "one");
    put(run, AG_STORE_HOST, "n", "two, which is longer than one unit of flash");
    put(run, AG_STORE_SETTINGS, "b", "three");
    DO(run->stopped ? AG_ERR_FLASH : ag_store_delete(&run->store, AG_STORE_HOST, "n"), DURABLE);
    put(run, AG_STORE_HOST, "n", "four");
}

static void large_values(struct run *run)
{
    static uint8_t value[AG_STORE_VALUE_MAX];
    for (int i = 0; i < 4; i++) {
        memset(value, 'a' + i, sizeof value);
        DO(ag_store_put(&run->store, AG_STORE_HOST, "big", value, 900u + 300u * (unsigned)i),
           DURABLE);
    }
}

static void compaction(struct run *run)
{
    const uint32_t generation = run->store.journal.generation;
    for (int i = 0; i < 12 && !run->stopped; i++)
        put(run, AG_STORE_HOST, i % 2 ? "n" : "boot", i % 4 < 2 ? "short" : "a longer one here");
    if (run->record)
        CHECK(run->store.journal.generation > generation);
}

static void install_with_compaction(struct run *run)
{
    const uint32_t generation = run->store.journal.generation;
    confirm(run, B2);
    if (run->record)
        CHECK(run->store.journal.generation > generation);
}

static void quarantine(struct run *run)
{
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    made_hash(A2, sha256);
    DO(ag_store_quarantine(&run->store, sha256, AG_ERR_FILE_HASH), DURABLE);
    made_hash(A3, sha256);
    DO(ag_store_quarantine(&run->store, sha256, AG_TRAP_FUEL), DURABLE);
    DO(ag_store_pardon(&run->store, sha256), DURABLE);
}

// All 12 blocks for slots are taken; a 1 and b 1 are the ones that may go.
static void with_no_space(struct run *run)
{
    with_a1_a2(run);
    confirm(run, B1);
    confirm(run, B2);
    confirm(run, C1);
}

static void install_that_needs_space(struct run *run)
{
    if (run->record)
        CHECK(slot_id(run, "a", AG_STORE_PREVIOUS) != 0);
    confirm(run, R2);
    if (run->record)
        CHECK(slot_id(run, "a", AG_STORE_PREVIOUS) == 0);
}

static void superseding(struct run *run)
{
    struct ag_store_writer writer;
    reserve(run, AG_STORE_PLUGIN, A4, &writer);
    if (!run->stopped)
        append(run, &writer, A4, false, 0, 1000);
    if (!run->stopped)
        confirm(run, A3);
}

static void resumed_download(struct run *run)
{
    struct ag_store_writer writer;
    uint8_t tag[AG_STORE_TAG_MAX];
    size_t tag_size = 0;
    uint32_t offset = 0;
    uint8_t sha256[AG_STORE_SHA256_SIZE];
    const uint8_t *file;
    made_hash(C1, sha256);
    reserve(run, AG_STORE_PLUGIN, C1, &writer);
    if (!run->stopped)
        append(run, &writer, C1, false, 0, 5000);
    if (run->stopped)
        return;
    DO(ag_store_progress(&run->store, &writer, "\"tag\"", 5), DURABLE);
    DO(ag_store_resume(&run->store, writer.slot, &writer, &offset, tag, &tag_size), LAZY);
    append(run, &writer, C1, false, offset, C1->file_size);
    if (run->stopped)
        return;
    DO(ag_store_finish_file(&run->store, &writer, &file), LAZY);
    DO(ag_store_complete(&run->store, &writer, sha256), DURABLE);
    DO(ag_store_resume(&run->store, writer.slot, &writer, &offset, tag, &tag_size), LAZY);
    seal(run, &writer, C1);
}

static void translation_again(struct run *run)
{
    struct ag_store_writer writer;
    run->soft_code = true;
    DO(ag_store_retranslate(&run->store, slot_id(run, "a", AG_STORE_CURRENT), A1->code_size,
                            &writer),
       LAZY);
    append(run, &writer, A1, true, 0, A1->code_size);
    if (!run->stopped)
        DO(ag_store_seal_code(&run->store, &writer, 8), DURABLE);
    run->soft_code = run->stopped;
}

// a 1 has b 1 right behind it, and moves.
static void with_a1_b1(struct run *run)
{
    confirm(run, A1);
    confirm(run, B1);
}

static void translation_elsewhere(struct run *run)
{
    const uint32_t block = run->store.index[0].block;
    translation_again(run);
    if (run->record)
        CHECK(run->store.index[0].block != block);
}

static void three_at_once(struct run *run)
{
    struct ag_store_writer writers[3];
    const struct made *made[] = { A3, B1, R1 };
    for (int i = 0; i < 3 && !run->stopped; i++)
        reserve(run, AG_STORE_PLUGIN, made[i], &writers[i]);
    for (int i = 0; i < 3 && !run->stopped; i++)
        append(run, &writers[i], made[i], false, 0, made[i]->file_size);
    for (int i = 2; i >= 0 && !run->stopped; i--)
        seal(run, &writers[i], made[i]);
    for (int i = 0; i < 3 && !run->stopped; i++)
        DO(ag_store_confirm(&run->store, writers[i].slot), DURABLE);
}

static void with_trust(struct run *run)
{
    const uint32_t id = install(run, AG_STORE_BLOB, &blobs[0]);
    DO(run->stopped ? AG_ERR_FLASH : ag_store_confirm(&run->store, id), DURABLE);
}

static void trust_replaced(struct run *run)
{
    const uint32_t id = install(run, AG_STORE_BLOB, &blobs[1]);
    DO(run->stopped ? AG_ERR_FLASH : ag_store_begin_trial(&run->store, id), DURABLE);
    DO(ag_store_confirm(&run->store, id), DURABLE);
}

static void trust_rolled_back(struct run *run)
{
    const uint32_t id = install(run, AG_STORE_BLOB, &blobs[1]);
    DO(run->stopped ? AG_ERR_FLASH : ag_store_begin_trial(&run->store, id), DURABLE);
    DO(ag_store_fail(&run->store, id, AG_ERR_TLS_UNTRUSTED), DURABLE);
}

static void formatting(struct run *run)
{
    DO(ag_store_format(&run->store, &run->sim->flash), DURABLE);
}

struct scenario {
    const char *name;
    void (*prepare)(struct run *run);
    void (*play)(struct run *run);
};

static const struct scenario scenarios[] = {
    { "install", nothing, first_install },
    { "update", with_a1_a2, update_confirmed },
    { "failing", with_a1, update_failing },
    { "failing-later", with_a1_a2, confirmed_one_failing_later },
    { "downgrade", with_a1_a2, downgrade },
    { "removal", with_a1_a2, removal },
    { "values", with_a1, values },
    { "large-values", with_a1, large_values },
    { "compaction", with_full_journal, compaction },
    { "install-compaction", with_full_journal, install_with_compaction },
    { "quarantine", with_a1, quarantine },
    { "space", with_no_space, install_that_needs_space },
    { "superseding", with_a1, superseding },
    { "resume", with_a1, resumed_download },
    { "translation", with_a1, translation_again },
    { "translation-elsewhere", with_a1_b1, translation_elsewhere },
    { "three", nothing, three_at_once },
    { "trust", with_trust, trust_replaced },
    { "trust-back", with_trust, trust_rolled_back },
    { "format", with_a1_a2, formatting },
};

// What a host does at a start: settles what is on its way, notes the start, installs something.
static void recovery(struct run *run)
{
    struct ag_store_slot slot;
    for (uint32_t id = 0; ag_store_next(&run->store, &id, &slot);) {
        if (slot.role != AG_STORE_NEXT)
            continue;
        const uint8_t *bytes;
        size_t size;
        const bool sound =
            ag_store_open_file(&run->store, id, &bytes, &size) == AG_OK &&
            (slot.code_size == 0 || ag_store_open_code(&run->store, id, &bytes, &size) == AG_OK);
        if (slot.state == AG_STORE_TRIAL)
            DO(ag_store_fail(&run->store, id, AG_ERR_TRIAL_RESET), DURABLE);
        else if (slot.state == AG_STORE_SEALED && sound)
            DO(ag_store_confirm(&run->store, id), DURABLE);
        else
            DO(ag_store_drop(&run->store, id), DURABLE);
    }
    put(run, AG_STORE_HOST, "boot", "again");
    if (!run->stopped)
        install(run, AG_STORE_PLUGIN, R1);
}

// ---- Checking ----------------------------------------------------------------------------------

// Bytes of what runs or may run must be right. A slot that a cut left sealed may lack bytes, and
// must then say so.
static void check_bytes(const struct run *run)
{
    struct ag_store_slot slot;
    for (uint32_t id = 0; ag_store_next(&run->store, &id, &slot);) {
        const struct made *made = find_made(&slot);
        struct made only_file = *made;
        only_file.code_size = 0;
        const bool code_counts = !run->soft_code || strcmp(slot.name, "a") != 0;
        const uint8_t *bytes;
        size_t size;
        if (slot.state == AG_STORE_TRIAL || slot.state == AG_STORE_CONFIRMED)
            CHECK(made_is_sound(&run->store, id, code_counts ? made : &only_file));
        if (slot.state == AG_STORE_SEALED &&
            ag_store_open_file(&run->store, id, &bytes, &size) == AG_OK &&
            (made->code_size == 0 || ag_store_open_code(&run->store, id, &bytes, &size) == AG_OK))
            CHECK(made_is_sound(&run->store, id, made));
    }
}

// True when `now` is `text` without some of its lines, each of a reservation. Reservations are not
// durable, and a medium that writes in any order may keep a later one and lose an earlier one.
static bool lacks_only_reservations(const char *now, const char *text)
{
    while (*text) {
        const size_t size = strcspn(text, "\n") + 1;
        const char *reserved = strstr(text, " state 1 ");
        if (strncmp(now, text, size) == 0)
            now += size;
        else if (!reserved || reserved >= text + size)
            return false;
        text += size;
    }
    return *now == 0;
}

// The store must say what the story said at some call from the last durable one to the cut one.
static void check_story(const struct run *run, const struct story *story)
{
    char now[TEXT_MAX];
    int last = run->steps;
    int first = run->steps;
    say(&run->store, now);
    if (run->stopped && last < story->steps)
        last++;
    while (first > 0 && !story->durable[first])
        first--;
    for (int i = first; i <= last; i++) {
        if (strcmp(now, story->text[i]) == 0 ||
            (run->sim->cut_mode == SIM_CUT_LOST && lacks_only_reservations(now, story->text[i])))
            return;
    }
    test_fail(__FILE__, __LINE__,
              "after call %d of %d the store says\n# %s\n# and should say\n# %s", run->steps,
              story->steps, now, story->text[last]);
}

// Two slots never share a block, and none is in the journal.
static void check_extents(const struct ag_store *store)
{
    for (uint16_t i = 0; i < store->count; i++) {
        const struct ag_store_entry *a = &store->index[i];
        CHECK(a->block >= 4 && a->block + a->blocks <= SIZE / AG_FLASH_BLOCK);
        for (uint16_t j = 0; j < i; j++) {
            const struct ag_store_entry *b = &store->index[j];
            CHECK(a->block + a->blocks <= b->block || b->block + b->blocks <= a->block);
        }
    }
}

static void check_all(const struct run *run, const struct story *story)
{
    check_story(run, story);
    check_bytes(run);
    check_extents(&run->store);
    CHECK_EQUAL(run->sim->counts.breaches, 0);
}

static void mount_and_check(struct run *run, const struct story *story)
{
    CHECK_EQUAL(ag_store_mount(&run->store, &run->sim->flash), AG_OK);
    check_all(run, story);
}

// ---- The campaign ------------------------------------------------------------------------------

static struct {
    uint32_t first;
    uint32_t second;
    uint32_t recovering;
} cuts;

static bool all_modes; // --all
static uint32_t scenario_operations;

// Whether the recovery after the n-th operation was cut, or failed, is cut too.
static bool recovery_is_cut(uint32_t n, unsigned mode)
{
    const uint32_t spacing = 1 + scenario_operations / SPARSE;
    return all_modes || (n + mode) % spacing == 0;
}

static struct sim_flash before; // prepared for the scenario
static struct sim_flash first;  // being cut once
static struct sim_flash after;  // as the first cut left it
static struct sim_flash second; // being cut again
static struct story scenario_story;
static struct story recovery_story;

// One cut to do again, or modes SIM_CUT_MODES for all.
static struct {
    const char *scenario;
    enum sim_cut_mode mode;
    uint32_t n;
    enum sim_cut_mode mode2;
    uint32_t m;
} replay = { NULL, SIM_CUT_MODES, 0, SIM_CUT_MODES, 0 };

static void tell(struct run *run, struct story *story, void (*play)(struct run *run))
{
    memset(story, 0, sizeof *story);
    story->durable[0] = true;
    say(&run->store, story->text[0]);
    telling = story;
    run->record = true;
    run->steps = 0;
    play(run);
    run->record = false;
}

static void cut_recovery(const struct scenario *scenario, enum sim_cut_mode mode, uint32_t n,
                         bool soft_code)
{
    struct run whole = { .sim = &second, .soft_code = soft_code };
    sim_flash_copy(&after, &first);
    sim_flash_copy(&second, &after);
    test_note("%s:%s:%u, recovery", scenario->name, sim_cut_mode_name(mode), n);
    CHECK_EQUAL(ag_store_mount(&whole.store, &second.flash), AG_OK);
    tell(&whole, &recovery_story, recovery);
    CHECK_EQUAL(second.counts.breaches, 0);
    const uint32_t operations = second.operations;
    for (uint32_t m = 1; m <= operations; m++) {
        for (int mode2 = 0; mode2 < SIM_CUT_MODES; mode2++) {
            struct run run = { .sim = &second, .soft_code = soft_code };
            const bool chosen = all_modes || (n + m + mode) % SIM_CUT_MODES == (unsigned)mode2;
            if (replay.m ? replay.m != m || replay.mode2 != (enum sim_cut_mode)mode2 : !chosen)
                continue;
            test_note("%s:%s:%u:%s:%u", scenario->name, sim_cut_mode_name(mode), n,
                      sim_cut_mode_name((enum sim_cut_mode)mode2), m);
            sim_flash_copy(&second, &after);
            second.seed = n * 1000u + m;
            second.cut_at = m;
            second.cut_mode = (enum sim_cut_mode)mode2;
            CHECK_EQUAL(ag_store_mount(&run.store, &second.flash), AG_OK);
            recovery(&run);
            CHECK(run.stopped);
            sim_flash_restart(&second);
            mount_and_check(&run, &recovery_story);
            cuts.second++;
        }
    }
}

// ---- A flash that fails, and is brought up again in place ---------------------------------------

// Plays the scenario over a flash whose n-th operation fails. The power then goes in the m-th one
// of the recovery (0: it does not). False: the failure cost no call but bytes of one slot, if any.
static bool fail_and_recover(const struct scenario *scenario, uint32_t n, uint32_t m,
                             enum sim_cut_mode mode, struct run *run)
{
    *run = (struct run){ .sim = &first };
    sim_flash_copy(&first, &before);
    first.seed = n;
    first.fail_at = n;
    CHECK_EQUAL(ag_store_mount(&run->store, &first.flash), AG_OK);
    scenario->play(run);
    if (!ag_store_is_read_only(&run->store))
        return false;
    first.operations = 0;
    first.fail_at = 0;
    first.cut_at = m;
    first.cut_mode = mode;
    first.seed = n * 1000u + m;
    CHECK_EQUAL(ag_store_recover(&run->store), m ? AG_ERR_FLASH : AG_OK);
    return true;
}

static void recover_scenario(const struct scenario *scenario)
{
    struct run run = { .sim = &first };
    for (uint32_t n = 1; n <= scenario_operations; n++) {
        test_note("%s, operation %u fails", scenario->name, n);
        if (!fail_and_recover(scenario, n, 0, SIM_CUT_BEFORE, &run))
            continue;
        const uint32_t operations = first.operations;
        check_all(&run, &scenario_story);
        mount_and_check(&run, &scenario_story);
        for (uint32_t m = 1; recovery_is_cut(n, 0) && m <= operations; m++) {
            for (int mode = 0; mode < SIM_CUT_MODES; mode++) {
                if (!all_modes && (n + m) % SIM_CUT_MODES != (unsigned)mode)
                    continue;
                test_note("%s, operation %u fails, recovery %s:%u", scenario->name, n,
                          sim_cut_mode_name((enum sim_cut_mode)mode), m);
                CHECK(fail_and_recover(scenario, n, m, (enum sim_cut_mode)mode, &run));
                sim_flash_restart(&first);
                mount_and_check(&run, &scenario_story);
                cuts.recovering++;
            }
        }
    }
}

static void cut_scenario(const struct scenario *scenario)
{
    struct run whole = { .sim = &first };
    sim_flash_copy(&first, &before);
    CHECK_EQUAL(ag_store_mount(&whole.store, &first.flash), AG_OK);
    tell(&whole, &scenario_story, scenario->play);
    CHECK_EQUAL(first.counts.breaches, 0);
    const uint32_t operations = first.operations;
    scenario_operations = operations;
    for (uint32_t n = 1; n <= operations; n++) {
        for (int mode = 0; mode < SIM_CUT_MODES; mode++) {
            struct run run = { .sim = &first };
            if (replay.n && (replay.n != n || replay.mode != (enum sim_cut_mode)mode))
                continue;
            test_note("%s:%s:%u", scenario->name, sim_cut_mode_name((enum sim_cut_mode)mode), n);
            sim_flash_copy(&first, &before);
            first.seed = n;
            first.cut_at = n;
            first.cut_mode = (enum sim_cut_mode)mode;
            CHECK_EQUAL(ag_store_mount(&run.store, &first.flash), AG_OK);
            scenario->play(&run);
            CHECK(run.stopped);
            sim_flash_restart(&first);
            mount_and_check(&run, &scenario_story);
            cuts.first++;
            if (replay.m || (!replay.n && recovery_is_cut(n, (unsigned)mode)))
                cut_recovery(scenario, (enum sim_cut_mode)mode, n, run.soft_code);
        }
    }
}

static void open_all(void)
{
    sim_flash_open(&before, SIZE);
    sim_flash_open(&first, SIZE);
    sim_flash_open(&after, SIZE);
    sim_flash_open(&second, SIZE);
}

static void close_all(void)
{
    sim_flash_close(&before);
    sim_flash_close(&first);
    sim_flash_close(&after);
    sim_flash_close(&second);
}

static void survive(const char *name)
{
    const struct scenario *scenario = scenarios;
    while (strcmp(scenario->name, name) != 0)
        scenario++;
    struct run run = { .sim = &before, .record = false };
    const uint32_t first_before = cuts.first;
    const uint32_t second_before = cuts.second;
    const uint32_t recovering_before = cuts.recovering;
    close_all();
    open_all();
    test_note("%s, preparing", name);
    CHECK_EQUAL(ag_store_mount(&run.store, &before.flash), AG_OK);
    scenario->prepare(&run);
    CHECK(!run.stopped);
    cut_scenario(scenario);
    if (!replay.n)
        recover_scenario(scenario);
    printf("# %s: %u operations, %d modes, %u cuts, %u second cuts, %u in recovery in place\n",
           name, scenario_operations, SIM_CUT_MODES, cuts.first - first_before,
           cuts.second - second_before, cuts.recovering - recovering_before);
}

static void installing_survives_every_cut(void)
{
    survive("install");
}
static void updating_survives_every_cut(void)
{
    survive("update");
}
static void a_failing_trial_survives_every_cut(void)
{
    survive("failing");
}
static void a_confirmed_version_failing_later_survives_every_cut(void)
{
    survive("failing-later");
}
static void a_downgrade_survives_every_cut(void)
{
    survive("downgrade");
}
static void removing_survives_every_cut(void)
{
    survive("removal");
}
static void values_survive_every_cut(void)
{
    survive("values");
}
static void large_values_survive_every_cut(void)
{
    survive("large-values");
}
static void compacting_survives_every_cut(void)
{
    survive("compaction");
}
static void an_install_that_compacts_survives_every_cut(void)
{
    survive("install-compaction");
}
static void quarantining_survives_every_cut(void)
{
    survive("quarantine");
}
static void an_install_that_needs_space_survives_every_cut(void)
{
    survive("space");
}
static void superseding_a_download_survives_every_cut(void)
{
    survive("superseding");
}
static void a_resumed_download_survives_every_cut(void)
{
    survive("resume");
}
static void translating_again_survives_every_cut(void)
{
    survive("translation");
}
static void translating_again_elsewhere_survives_every_cut(void)
{
    survive("translation-elsewhere");
}
static void three_updates_at_once_survive_every_cut(void)
{
    survive("three");
}
static void replacing_the_trust_store_survives_every_cut(void)
{
    survive("trust");
}
static void rolling_back_the_trust_store_survives_every_cut(void)
{
    survive("trust-back");
}
static void formatting_a_store_survives_every_cut(void)
{
    survive("format");
}

// The first format has nothing to fall back to: it must be finished by the next mount.
static void formatting_blank_flash_survives_every_cut_twice(void)
{
    static const uint32_t operations = 2; // one program, one sync
    for (int modes = 0; modes < SIM_CUT_MODES * SIM_CUT_MODES; modes++) {
        for (uint32_t n = 1; n <= operations * operations; n++) {
            struct ag_store store;
            struct ag_store_slot slot;
            uint32_t id = 0;
            close_all();
            open_all();
            for (int cut = 0; cut < 2; cut++) {
                first.cut_mode =
                    (enum sim_cut_mode)(cut ? modes / SIM_CUT_MODES : modes % SIM_CUT_MODES);
                first.cut_at = 1 + (cut ? (n - 1) / operations : (n - 1) % operations);
                first.seed = n + (uint32_t)modes * 7;
                test_note("blank:%d:%u", modes, n);
                const enum ag_status status = ag_store_mount(&store, &first.flash);
                CHECK(status == AG_ERR_FLASH || status == AG_OK);
                sim_flash_restart(&first);
                cuts.first++;
            }
            CHECK_EQUAL(ag_store_mount(&store, &first.flash), AG_OK);
            CHECK(!ag_store_next(&store, &id, &slot));
            CHECK_EQUAL(ag_store_put(&store, AG_STORE_HOST, "n", "x", 1), AG_OK);
            CHECK_EQUAL(first.counts.breaches, 0);
        }
    }
}

static const struct test_case cases[] = {
    TEST(formatting_blank_flash_survives_every_cut_twice),
    TEST(installing_survives_every_cut),
    TEST(updating_survives_every_cut),
    TEST(a_failing_trial_survives_every_cut),
    TEST(a_confirmed_version_failing_later_survives_every_cut),
    TEST(a_downgrade_survives_every_cut),
    TEST(removing_survives_every_cut),
    TEST(values_survive_every_cut),
    TEST(large_values_survive_every_cut),
    TEST(compacting_survives_every_cut),
    TEST(an_install_that_compacts_survives_every_cut),
    TEST(quarantining_survives_every_cut),
    TEST(an_install_that_needs_space_survives_every_cut),
    TEST(superseding_a_download_survives_every_cut),
    TEST(a_resumed_download_survives_every_cut),
    TEST(translating_again_survives_every_cut),
    TEST(translating_again_elsewhere_survives_every_cut),
    TEST(three_updates_at_once_survive_every_cut),
    TEST(replacing_the_trust_store_survives_every_cut),
    TEST(rolling_back_the_trust_store_survives_every_cut),
    TEST(formatting_a_store_survives_every_cut),
};

static enum sim_cut_mode mode_by_name(const char *name)
{
    int mode = 0;
    while (mode < SIM_CUT_MODES && strcmp(sim_cut_mode_name((enum sim_cut_mode)mode), name) != 0)
        mode++;
    return (enum sim_cut_mode)mode;
}

static void replayed(void)
{
    survive(replay.scenario);
}

static int run_replay(const char *id)
{
    static char name[32];
    char mode[16] = "";
    char mode2[16] = "";
    static const struct test_case one[] = { TEST(replayed) };
    const int count =
        sscanf(id, "%31[^:]:%15[^:]:%u:%15[^:]:%u", name, mode, &replay.n, mode2, &replay.m);
    replay.scenario = name;
    replay.mode = mode_by_name(mode);
    replay.mode2 = mode_by_name(mode2);
    bool known = false;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        known = known || strcmp(scenarios[i].name, name) == 0;
    if (!known || (count != 3 && count != 5) || replay.mode == SIM_CUT_MODES ||
        (count == 5 && replay.mode2 == SIM_CUT_MODES)) {
        fprintf(stderr, "usage: store_power_test --replay SCENARIO:MODE:N[:MODE:M]\n");
        return 2;
    }
    char *arguments[] = { name, NULL };
    return test_main(1, arguments, one, 1);
}

int main(int argc, char **argv)
{
    open_all();
    int code;
    all_modes = argc > 1 && strcmp(argv[1], "--all") == 0;
    if (all_modes) {
        argv++;
        argc--;
    }
    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        code = run_replay(argv[2]);
    } else {
        code = test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
        // A scenario ends at its first failure.
        printf("%sstore: scenarios %zu, cuts %u, failures %d\n", all_modes ? "" : "# ",
               sizeof scenarios / sizeof scenarios[0] + 1,
               cuts.first + cuts.second + cuts.recovering, code);
    }
    close_all();
    return code;
}
