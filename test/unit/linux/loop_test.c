// SPDX-License-Identifier: Apache-2.0
// Tests of the event loop.
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "port/linux/loop.h"
#include "test/harness.h"

static struct ag_loop loop;

struct counter {
    struct ag_loop_watch watch;
    struct counter *removes; // taken out of the loop when this one fires
    int count;
};

static void count_event(void *context, uint32_t events)
{
    struct counter *counter = context;
    (void)events;
    counter->count++;
    if (counter->removes)
        ag_loop_remove(&loop, &counter->removes->watch);
}

static int start(struct counter *counter)
{
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(fd >= 0);
    *counter = (struct counter){
        .watch = { .fd = fd, .ready = count_event, .context = counter },
    };
    CHECK_EQUAL(ag_loop_add(&loop, &counter->watch, EPOLLIN), AG_OK);
    return fd;
}

static void a_ready_descriptor_is_served_once_for_each_change(void)
{
    struct counter counter;
    CHECK_EQUAL(ag_loop_open(&loop), AG_OK);
    const int fd = start(&counter);
    ag_loop_wait(&loop, 0);
    CHECK_EQUAL(counter.count, 0);
    CHECK(eventfd_write(fd, 1) == 0);
    ag_loop_wait(&loop, AG_LOOP_FOREVER);
    CHECK_EQUAL(counter.count, 1);
    ag_loop_wait(&loop, 0); // nobody read it: that is not a change
    CHECK_EQUAL(counter.count, 1);
    CHECK(eventfd_write(fd, 1) == 0);
    ag_loop_wait(&loop, AG_LOOP_FOREVER);
    CHECK_EQUAL(counter.count, 2);
    CHECK_EQUAL(loop.event_count, 2);
    CHECK_EQUAL(loop.wake_count, 4);
    ag_loop_remove(&loop, &counter.watch);
    CHECK_EQUAL(counter.watch.fd, -1);
    ag_loop_remove(&loop, &counter.watch);
    close(fd);
    ag_loop_close(&loop);
    ag_loop_close(&loop);
}

static void a_watch_removed_in_its_round_is_not_served(void)
{
    struct counter a, b;
    CHECK_EQUAL(ag_loop_open(&loop), AG_OK);
    const int fd_a = start(&a);
    const int fd_b = start(&b);
    a.removes = &b;
    b.removes = &a;
    CHECK(eventfd_write(fd_a, 1) == 0 && eventfd_write(fd_b, 1) == 0);
    ag_loop_wait(&loop, AG_LOOP_FOREVER);
    CHECK_EQUAL(a.count + b.count, 1);
    ag_loop_remove(&loop, &a.watch);
    ag_loop_remove(&loop, &b.watch);
    close(fd_a);
    close(fd_b);
    ag_loop_close(&loop);
}

static void a_descriptor_that_cannot_be_watched_is_refused(void)
{
    struct ag_loop_watch watch = { .fd = 9999 };
    CHECK_EQUAL(ag_loop_open(&loop), AG_OK);
    CHECK_EQUAL(ag_loop_add(&loop, &watch, EPOLLIN), AG_ERR_IO);
    ag_loop_close(&loop);
}

static const struct test_case cases[] = {
    TEST(a_ready_descriptor_is_served_once_for_each_change),
    TEST(a_watch_removed_in_its_round_is_not_served),
    TEST(a_descriptor_that_cannot_be_watched_is_refused),
};
TEST_MAIN(cases)
