// SPDX-License-Identifier: Apache-2.0
// A campaign's work in several processes.
#include "test/power/jobs.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/harness.h"

static struct {
    void (*run)(uint32_t job);
    uint32_t number;
} job;

static void run_it(void)
{
    job.run(job.number);
}

static bool passes(void)
{
    const bool passed = test_try(run_it);
    if (!passed)
        printf("# %s\n", test_why());
    return passed;
}

uint32_t jobs_parse(const char *text)
{
    const unsigned long jobs = text ? strtoul(text, NULL, 10) : 1;
    return jobs >= 1 && jobs <= JOBS_MAX ? (uint32_t)jobs : 1;
}

#ifdef __linux__

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void *jobs_share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

bool jobs_run(uint32_t count, void (*run)(uint32_t job))
{
    bool is_broken = false;
    setvbuf(stdout, NULL, _IOLBF, 0);
    job.run = run;
    for (job.number = 0; job.number < count; job.number++) {
        const pid_t child = fork();
        if (child == 0)
            exit(passes() ? 0 : 1);
        is_broken |= child < 0;
    }
    int state;
    while (wait(&state) > 0)
        is_broken |= state != 0;
    return !is_broken;
}

#else

void *jobs_share(size_t size)
{
    return calloc(1, size);
}

bool jobs_run(uint32_t count, void (*run)(uint32_t job))
{
    bool is_broken = false;
    job.run = run;
    for (job.number = 0; job.number < count; job.number++)
        is_broken |= !passes();
    return !is_broken;
}

#endif
