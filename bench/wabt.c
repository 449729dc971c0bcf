// SPDX-License-Identifier: Apache-2.0
// wabt's interpreter as a child process. It passes no arguments to what it runs, so the number of
// rounds is written into a copy of the module, behind the mark that kernels/entry.c left there.
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/engine.h"
#include "cli/cli.h"

extern char **environ;

static const char mark[12] = "airgraft run";

// Writes the patched copy; *descriptor is -1 as long as there is no file.
static bool write_copy(const char *path, uint32_t rounds, char *copy_path, int *descriptor)
{
    uint8_t *bytes;
    size_t size;
    if (!ag_input_read(path, AG_INPUT_PLUGIN_MAX, &bytes, &size))
        return false;
    uint8_t *place = memmem(bytes, size, mark, sizeof mark);
    bool done = place && size - (size_t)(place - bytes) >= sizeof mark + 4;
    if (done) {
        for (int i = 0; i < 4; i++)
            place[sizeof mark + (size_t)i] = (uint8_t)(rounds >> 8 * i);
        const char *folder = getenv("TMPDIR");
        snprintf(copy_path, PATH_MAX, "%s/airgraft-bench-XXXXXX", folder ? folder : "/tmp");
        *descriptor = mkstemp(copy_path);
        done = *descriptor >= 0 && write(*descriptor, bytes, size) == (ssize_t)size;
        if (!done)
            ag_output_fail("set TMPDIR to a folder that can be written", "cannot write %s: %s",
                           copy_path, strerror(errno));
    } else {
        ag_output_fail(NULL, "%s: has no mark of an entry without arguments", path);
    }
    free(bytes);
    return done;
}

// Starts it with its output into a pipe. 0, or why not.
static int start(char *copy_path, pid_t *pid, FILE **output)
{
    char program[] = "wasm-interp";
    char option[] = "--run-all-exports";
    char *const argv[] = { program, option, copy_path, NULL };
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe(ends) != 0)
        return errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    const int error = posix_spawnp(pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        return error;
    }
    *output = fdopen(ends[0], "r");
    if (!*output)
        abort();
    return 0;
}

static double used_ms(const struct rusage *usage)
{
    const double seconds = (double)usage->ru_utime.tv_sec + (double)usage->ru_stime.tv_sec;
    const double micros = (double)usage->ru_utime.tv_usec + (double)usage->ru_stime.tv_usec;
    return seconds * 1e3 + micros / 1e3;
}

enum bench_wabt_answer bench_wabt_run(const char *path, uint32_t rounds, uint32_t *result,
                                      double *cpu_ms)
{
    char copy_path[PATH_MAX] = "";
    int descriptor = -1;
    pid_t pid;
    FILE *output = NULL;
    char line[256] = "";
    struct rusage usage;
    int status;
    enum bench_wabt_answer answer = BENCH_WABT_FAILED;
    if (!write_copy(path, rounds, copy_path, &descriptor))
        goto remove_copy;
    const int error = start(copy_path, &pid, &output);
    if (error == ENOENT)
        answer = BENCH_WABT_ABSENT;
    else if (error != 0)
        ag_output_fail(NULL, "cannot run wasm-interp: %s", strerror(error));
    if (error != 0)
        goto remove_copy;
    const bool has_line = fgets(line, sizeof line, output) != NULL;
    while (fgetc(output) != EOF)
        ;
    fclose(output);
    if (wait4(pid, &status, 0, &usage) == pid && status == 0 && has_line &&
        sscanf(line, "run() => i32:%u", result) == 1) {
        *cpu_ms = used_ms(&usage);
        answer = BENCH_WABT_RAN;
    } else {
        ag_output_fail(NULL, "wasm-interp failed on %s: %s", path, line);
    }
remove_copy:
    if (descriptor >= 0) {
        close(descriptor);
        unlink(copy_path);
    }
    return answer;
}
