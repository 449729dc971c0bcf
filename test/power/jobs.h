// SPDX-License-Identifier: Apache-2.0
// A campaign's work in several processes.
#ifndef AG_TEST_POWER_JOBS_H
#define AG_TEST_POWER_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOBS_MAX 16

// The number in this argument; 1 where it is none, or none from 1 to JOBS_MAX.
uint32_t jobs_parse(const char *text);

// Zeroed memory that all jobs see; NULL: there is none. Never released.
void *jobs_share(size_t size);

// Calls run(0) to run(count - 1), each as a test_try in a process of its own, at the same time;
// where there are no processes, here, one after the other. Prints why one failed; false then.
bool jobs_run(uint32_t count, void (*run)(uint32_t job));

#endif
