// SPDX-License-Identifier: Apache-2.0
// wasm-differ: random modules on the engine and on wabt's wasm-interp, whole and cut into slices.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "player.h"
#include "shape.h"

static const char usage[] =
    "Usage: wasm-differ [--seed N] [--count N | --seconds N] [--keep FOLDER] [--alone] [--print]\n"
    "Makes random valid modules and compares what they do on the engine with what wasm-interp does:\n"
    "results, traps, calls of imports, memory, tables and globals. Then cuts the run into slices of\n"
    "1, 2, 3, 7 and 64 units of fuel and at random places, while imports answer \"not yet\", and\n"
    "compares all that again, and the fuel used. A module that differs is named and kept. The last\n"
    "line counts them and has a digest of all that was seen; exits 0 if none differs.\n"
    "\n"
    "  --seed N       number of the first module (default 1)\n"
    "  --count N      how many (default 100)\n"
    "  --seconds N    as many as are done in that time\n"
    "  --keep FOLDER  where a module that differs is kept (default: here)\n"
    "  --alone        without wasm-interp\n"
    "  --print        show what each module does\n";

struct options {
    uint64_t seed;
    uint64_t count;
    uint64_t seconds;
    const char *folder;
    bool is_alone;
    bool is_printed;
};

struct totals {
    uint64_t modules;
    uint64_t calls;
    uint64_t traps;
    uint64_t fuel;
    uint64_t plays;  // on the engine
    uint64_t digest; // of all that was seen
    uint64_t differ;
};

static bool texts_are_equal(const struct report *a, const struct report *b)
{
    return a->text.size == b->text.size &&
           (a->text.size == 0 || memcmp(a->text.at, b->text.at, a->text.size) == 0);
}

// The first line of the texts that differs.
static void show_difference(uint64_t seed, const char *how, const struct report *one,
                            const struct report *other)
{
    const struct bytes *a = &one->text;
    const struct bytes *b = &other->text;
    uint32_t start = 0;
    uint32_t at = 0;
    for (; at < a->size && at < b->size && a->at[at] == b->at[at]; at++) {
        if (a->at[at] == '\n')
            start = at + 1;
    }
    printf("seed %" PRIu64 " differs: %s\n", seed, how);
    if (at < a->size || at < b->size) {
        printf("  whole: %.*s\n", (int)strcspn((const char *)a->at + start, "\n"),
               (const char *)a->at + start);
        printf("  other: %.*s\n", (int)strcspn((const char *)b->at + start, "\n"),
               (const char *)b->at + start);
    }
    for (uint32_t i = 0; i < one->call_count && i < other->call_count; i++) {
        if (one->fuel[i] != other->fuel[i])
            printf("  fuel of call %" PRIu32 ": %" PRIu64 ", %" PRIu64 "\n", i, one->fuel[i],
                   other->fuel[i]);
    }
}

static bool cut_is_equal(const struct bytes *module, const struct cuts *cuts, uint64_t seed,
                         const struct report *whole)
{
    struct report report = { 0 };
    char how[64];
    (void)player_play(module, cuts, whole, &report);
    bytes_put_u8(&report.text, 0);
    const bool is_equal = texts_are_equal(whole, &report) && whole->state == report.state &&
                          whole->call_count == report.call_count &&
                          memcmp(whole->fuel, report.fuel, sizeof whole->fuel) == 0;
    if (!is_equal) {
        snprintf(how, sizeof how, "first slice %" PRIu32 "%s, then %" PRIu32, cuts->first,
                 cuts->is_random ? " (random)" : "", cuts->slice);
        show_difference(seed, how, whole, &report);
    }
    report_clear(&report);
    return is_equal;
}

static bool cuts_are_equal(const struct bytes *module, uint64_t seed, const struct report *whole,
                           struct totals *totals)
{
    static const uint32_t slices[] = { 1, 2, 3, 7, 64 };
    bool is_equal = true;
    for (uint32_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        const struct cuts cuts = { .first = slices[i], .slice = slices[i], .host_again = 1 + i };
        is_equal = cut_is_equal(module, &cuts, seed, whole) && is_equal;
        totals->plays++;
    }
    for (uint32_t i = 0; i < 4; i++) {
        const struct cuts cuts = { .slice = UNCUT, .random = { seed + i }, .is_random = true };
        is_equal = cut_is_equal(module, &cuts, seed, whole) && is_equal;
        totals->plays++;
    }
    return is_equal;
}

static bool peer_is_equal(const char *path, uint64_t seed, const struct report *whole)
{
    struct report report = { 0 };
    const bool is_played = peer_play(path, &report);
    bytes_put_u8(&report.text, 0);
    const bool is_equal = is_played && texts_are_equal(whole, &report);
    if (!is_equal)
        show_difference(seed, "wasm-interp", whole, &report);
    report_clear(&report);
    return is_equal;
}

static bool keep(const struct bytes *module, const char *path)
{
    FILE *file = fopen(path, "wb");
    const bool is_open = file != NULL;
    const bool is_written = is_open && fwrite(module->at, 1, module->size, file) == module->size;
    const bool is_closed = !is_open || fclose(file) == 0;
    if (!is_written || !is_closed)
        fprintf(stderr, "wasm-differ: %s: %s\n", path, strerror(errno));
    return is_written && is_closed;
}

static uint64_t digest_of(const struct report *report, uint64_t digest)
{
    for (uint32_t i = 0; i < report->text.size; i++)
        digest = (digest ^ report->text.at[i]) * 0x100000001B3u;
    return digest;
}

static bool play_seed(const struct options *options, uint64_t seed, struct totals *totals)
{
    const struct cuts none = { .first = UNCUT, .slice = UNCUT };
    struct bytes module = { 0 };
    struct report whole = { 0 };
    char path[4096];
    module_write(&module, seed);
    snprintf(path, sizeof path, "%s/differ-%" PRIu64 ".wasm", options->folder, seed);
    bool is_equal = player_play(&module, &none, NULL, &whole) && !whole.is_endless;
    bytes_put_u8(&whole.text, 0);
    if (options->is_printed || !is_equal)
        printf("seed %" PRIu64 ":\n%s", seed, (const char *)whole.text.at);
    if (!keep(&module, path))
        is_equal = false;
    else if (is_equal && !options->is_alone)
        is_equal = peer_is_equal(path, seed, &whole);
    if (!whole.is_endless)
        is_equal = cuts_are_equal(&module, seed, &whole, totals) && is_equal;
    if (is_equal)
        remove(path);
    else
        printf("  module: %s\n", path);
    totals->modules++;
    totals->plays++;
    totals->calls += whole.call_count;
    totals->traps += whole.trap_count;
    totals->fuel += whole.fuel_used;
    totals->differ += !is_equal;
    totals->digest = digest_of(&whole, totals->digest);
    report_clear(&whole);
    bytes_clear(&module);
    fflush(stdout);
    return is_equal;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--alone") == 0) {
            options->is_alone = true;
            continue;
        }
        if (strcmp(argv[i], "--print") == 0) {
            options->is_printed = true;
            continue;
        }
        if (!value)
            return false;
        if (strcmp(argv[i], "--seed") == 0)
            options->seed = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--count") == 0)
            options->count = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            options->seconds = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--keep") == 0)
            options->folder = value;
        else
            return false;
        i++;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options = { .seed = 1, .count = 100, .folder = "." };
    struct totals totals = { 0 };
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!read_options(argc, argv, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    const time_t end = time(NULL) + (time_t)options.seconds;
    for (uint64_t seed = options.seed;
         options.seconds ? time(NULL) < end : seed - options.seed < options.count; seed++)
        (void)play_seed(&options, seed, &totals);
    printf("%" PRIu64 " modules, %" PRIu64 " plays, %" PRIu64 " calls, %" PRIu64 " traps, %" PRIu64
           " units of fuel, digest %016" PRIx64 ": %" PRIu64 " differ\n",
           totals.modules, totals.plays, totals.calls, totals.traps, totals.fuel, totals.digest,
           totals.differ);
    return totals.differ == 0 ? 0 : 1;
}
