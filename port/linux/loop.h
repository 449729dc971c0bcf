// SPDX-License-Identifier: Apache-2.0
// The event loop's one wait: file descriptors, each with a function to call when it is ready.
//
// Descriptors are watched edge-triggered: a watch fires when something changed, not while
// something is left. Whoever consumes a descriptor goes on until it says "again".
#ifndef AG_LINUX_LOOP_H
#define AG_LINUX_LOOP_H

#include <stdint.h>

#include "base/status.h"

// Waits without an end when given as timeout_ms.
#define AG_LOOP_FOREVER UINT64_MAX

struct ag_loop {
    int epoll_fd;         // -1 when not open
    uint64_t wake_count;  // returns of the wait so far, for the bench of idle wake-ups
    uint64_t event_count; // descriptors served so far
};

// One watched descriptor, in its owner's memory; must not move while it is added.
struct ag_loop_watch {
    int fd;                                        // owned by the owner; -1 when not added
    void (*ready)(void *context, uint32_t events); // EPOLLIN, EPOLLOUT, … ; may be NULL
    void *context;
};

// AG_ERR_IO when the kernel gives no epoll descriptor.
AG_MUST_CHECK enum ag_status ag_loop_open(struct ag_loop *loop);
void ag_loop_close(struct ag_loop *loop);

// Watches watch->fd for `events`. AG_ERR_IO when the kernel refuses the descriptor.
AG_MUST_CHECK enum ag_status ag_loop_add(struct ag_loop *loop, struct ag_loop_watch *watch,
                                         uint32_t events);
// Ends the watch and sets watch->fd to -1; the owner closes the descriptor. Harmless when not
// added. An event of it that was already collected is dropped.
void ag_loop_remove(struct ag_loop *loop, struct ag_loop_watch *watch);

// Blocks until a watched descriptor is ready or timeout_ms has passed, then calls every function
// whose descriptor is ready.
void ag_loop_wait(struct ag_loop *loop, uint64_t timeout_ms);

#endif
