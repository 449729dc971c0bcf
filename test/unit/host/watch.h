// SPDX-License-Identifier: Apache-2.0
// Watches the host in the world, after each of its steps and at each of its writes to flash:
//
// - whatever runs lies in a slot of the state that allows it, its file passes its signature byte
// for
//   byte, and its code is what the translator makes of that file;
// - nothing is written where something runs;
// - epoch floors and quarantine never go back, also not over a start (where a test asks for it).
//
// What is wrong fails the running test.
#ifndef AG_TEST_HOST_WATCH_H
#define AG_TEST_HOST_WATCH_H

#include <stdint.h>

// A new world: nothing is known of it. Believes files signed with MODULE_KEY.
void watch_begin(void);
// Believes those of this key's seed, too.
void watch_believe(uint8_t key);
// From now on epoch floors and quarantine must stay; forgets those seen before.
void watch_memory(void);
// Somebody asks for a retry: what is in quarantine may leave it, until watch_memory or, where it
// was asked for behind watch_mark, watch_back.
void watch_pardon(void);
// Marks what has been seen so far, and goes back to it: to try the same start several times.
void watch_mark(void);
void watch_back(void);

// By world.c: after a start and after each step; when the power goes; before a write.
void watch_step(void);
void watch_power_off(void);
void watch_write(uint32_t offset, uint32_t size);

// Instances whose code was proven since watch_begin.
uint32_t watch_proven(void);

#endif
