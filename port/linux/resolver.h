// SPDX-License-Identifier: Apache-2.0
// Host names to addresses without blocking the loop.
//
// getaddrinfo blocks, and glibc's resolver has no other complete interface, so each lookup runs
// in a short-lived thread with a small stack. A job has two owners, the caller and the thread; the
// last one frees it. So giving up a lookup is safe at any moment and never waits: the thread ends
// by itself when the resolver's own time limits are over. At most AG_RESOLVER_JOBS_MAX of them
// look up at a time; the next lookup is refused until one has its answer. Address literals need no
// thread.
#ifndef AG_LINUX_RESOLVER_H
#define AG_LINUX_RESOLVER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define AG_RESOLVER_JOBS_MAX      4u
#define AG_RESOLVER_ADDRESSES_MAX 6u // further ones are ignored

union ag_resolver_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct ag_resolver_list {
    uint32_t count;
    union ag_resolver_address addresses[AG_RESOLVER_ADDRESSES_MAX]; // in the order to try
};

struct ag_resolver_job;

// True when `host` is an IPv4 or IPv6 literal (the latter with or without brackets); the list is
// then filled with it.
bool ag_resolver_literal(const char *host, uint16_t port, struct ag_resolver_list *list);

// Starts a lookup. *event_fd, owned by the job, becomes readable when it is done. AG_ERR_DNS when
// too many lookups are under way or no thread can be made.
AG_MUST_CHECK enum ag_status ag_resolver_start(const char *host, uint16_t port,
                                               struct ag_resolver_job **job, int *event_fd);
// AG_ERR_AGAIN while it runs; AG_OK fills the list; AG_ERR_DNS when there is no such name.
AG_MUST_CHECK enum ag_status ag_resolver_take(struct ag_resolver_job *job,
                                              struct ag_resolver_list *list);
// Gives up the caller's share. NULL is harmless.
void ag_resolver_release(struct ag_resolver_job *job);

#endif
