// SPDX-License-Identifier: Apache-2.0
// `airgraft bench update`: prints one JSON object with all figures of an update.
//   bench_update [--quick] [bytes] [install] [fleet]     only these parts; --quick: few rounds,
//                                                      to see that it works
#include <curl/curl.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "cli/cli.h"

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static const struct part {
    const char *name;
    bool (*run)(const char *folder, const struct ag_keyfile *key, bool quick, json_t *figures);
} parts[] = {
    { "bytes", bench_bytes },
    { "install", bench_install },
    { "fleet", bench_fleet },
};

// Runs the parts that are named, or all.
static bool run_parts(int argc, char **argv, const char *folder, const struct ag_keyfile *key,
                      json_t *figures)
{
    const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    bool done = true;
    for (size_t i = 0; done && i < sizeof parts / sizeof parts[0]; i++) {
        bool is_wanted = argc < 2 + quick;
        for (int argument = 1 + quick; argument < argc; argument++)
            is_wanted = is_wanted || strcmp(argv[argument], parts[i].name) == 0;
        if (is_wanted)
            done = parts[i].run(folder, key, quick, figures);
    }
    return done;
}

static bool make_keys(const char *folder, struct ag_keyfile *key)
{
    char private_path[PATH_MAX];
    char public_path[PATH_MAX];
    bench_path(private_path, folder, "authority.key");
    bench_path(public_path, folder, "authority.pub");
    return ag_keyfile_create(private_path, public_path, key);
}

int main(int argc, char **argv)
{
    char name[] = "airgraft bench update";
    char folder[PATH_MAX];
    struct ag_keyfile key;
    const char *build = bench_build_folder();
    program_invocation_name = name;
    // Beside the programs, and so on a real disk, where fsync costs what it costs.
    snprintf(folder, sizeof folder, "%s/bench-XXXXXX", build ? build : ".");
    if (!mkdtemp(folder))
        return ag_output_fail(NULL, "cannot make %s: %s", folder, strerror(errno));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    json_t *figures = json_object();
    bool done = make_keys(folder, &key);
    if (done) {
        done = run_parts(argc, argv, folder, &key, figures);
        ag_keyfile_close(&key);
    }
    if (done)
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    else
        ag_output_note("what it left behind is in %s", folder);
    int code = AG_EXIT_FAILED;
    if (done && json_dumpf(figures, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0 &&
        printf("\n") > 0)
        code = AG_EXIT_OK;
    json_decref(figures);
    curl_global_cleanup();
    return code;
}
