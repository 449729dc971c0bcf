// SPDX-License-Identifier: Apache-2.0
// The event loop over epoll.
//
// An event that was collected for a watch removed by an earlier function of the same round must
// not be served: removal clears it from the round's list.
#include "port/linux/loop.h"

#include <limits.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    ROUND_MAX = 16
};

// The round being served; NULL between rounds. One loop runs at a time in a process.
static struct epoll_event *round_events;
static int round_count;

enum ag_status ag_loop_open(struct ag_loop *loop)
{
    *loop = (struct ag_loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
    return loop->epoll_fd >= 0 ? AG_OK : AG_ERR_IO;
}

void ag_loop_close(struct ag_loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    loop->epoll_fd = -1;
}

enum ag_status ag_loop_add(struct ag_loop *loop, struct ag_loop_watch *watch, uint32_t events)
{
    struct epoll_event event = { .events = events | EPOLLET, .data.ptr = watch };
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0 ? AG_OK : AG_ERR_IO;
}

void ag_loop_remove(struct ag_loop *loop, struct ag_loop_watch *watch)
{
    if (watch->fd < 0)
        return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->fd = -1;
    for (int i = 0; i < round_count; i++) {
        if (round_events[i].data.ptr == watch)
            round_events[i].data.ptr = NULL;
    }
}

void ag_loop_wait(struct ag_loop *loop, uint64_t timeout_ms)
{
    struct epoll_event events[ROUND_MAX];
    const int timeout = timeout_ms == AG_LOOP_FOREVER ? -1
                        : timeout_ms > INT_MAX        ? INT_MAX
                                                      : (int)timeout_ms;
    const int count = epoll_wait(loop->epoll_fd, events, ROUND_MAX, timeout);
    loop->wake_count++;
    round_events = events;
    round_count = count > 0 ? count : 0;
    for (int i = 0; i < round_count; i++) {
        struct ag_loop_watch *watch = events[i].data.ptr;
        if (!watch)
            continue;
        loop->event_count++;
        if (watch->ready)
            watch->ready(watch->context, events[i].events);
    }
    round_count = 0;
    round_events = NULL;
}
