// SPDX-License-Identifier: Apache-2.0
// Tests of name lookup.
#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "port/linux/resolver.h"
#include "test/harness.h"

static void literals_are_told_from_names(void)
{
    static const char *const literals[] = { "127.0.0.1", "0.0.0.0",         "::1",
                                            "[::1]",     "[2001:db8::7]",   "::",
                                            "fe80::1",   "::ffff:10.0.0.1", "255.255.255.255" };
    static const char *const names[] = { "localhost",
                                         "",
                                         "1.2.3",
                                         "256.1.1.1",
                                         "[]",
                                         "[::1",
                                         "::1]",
                                         "[1.2.3.4]",
                                         "fe80::1%lo",
                                         ":::1",
                                         "12345678901234567890123456789012345678901234567890" };
    struct ag_resolver_list list = { 0 };
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        test_note("%s", literals[i]);
        CHECK(ag_resolver_literal(literals[i], 8883, &list));
        CHECK_EQUAL(list.count, 1);
        const union ag_resolver_address *address = &list.addresses[0];
        CHECK_EQUAL(
            ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port),
            8883);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        test_note("%s", names[i]);
        CHECK(!ag_resolver_literal(names[i], 8883, &list));
    }
}

static enum ag_status look_up(const char *host, struct ag_resolver_list *list)
{
    struct ag_resolver_job *job;
    int fd;
    CHECK_EQUAL(ag_resolver_start(host, 443, &job, &fd), AG_OK);
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    CHECK(poll(&poller, 1, 60000) == 1);
    const enum ag_status status = ag_resolver_take(job, list);
    ag_resolver_release(job);
    return status;
}

static void localhost_has_addresses_of_this_machine(void)
{
    struct ag_resolver_list list = { 0 };
    CHECK_EQUAL(look_up("localhost", &list), AG_OK);
    CHECK(list.count >= 1 && list.count <= AG_RESOLVER_ADDRESSES_MAX);
    for (uint32_t i = 0; i < list.count; i++) {
        const union ag_resolver_address *address = &list.addresses[i];
        if (address->any.sa_family == AF_INET)
            CHECK_EQUAL(ntohl(address->v4.sin_addr.s_addr) >> 24, 127);
        else
            CHECK(IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr));
    }
}

static void a_name_that_cannot_exist_is_not_found(void)
{
    struct ag_resolver_list list = { 0 };
    CHECK_EQUAL(look_up("no-such-host.invalid", &list), AG_ERR_DNS);
    CHECK_EQUAL(list.count, 0);
}

static void more_lookups_than_threads_are_refused_and_come_back_later(void)
{
    // Released at once, each lookup still runs to its end; a refusal may come, a crash may not.
    for (int i = 0; i < 100; i++) {
        struct ag_resolver_job *job;
        int fd;
        const enum ag_status status = ag_resolver_start("localhost", 1, &job, &fd);
        CHECK(status == AG_OK || status == AG_ERR_DNS);
        if (status == AG_OK)
            ag_resolver_release(job);
    }
    ag_resolver_release(NULL);
    for (int i = 0; i < 600; i++) {
        struct ag_resolver_job *job;
        int fd;
        if (ag_resolver_start("localhost", 1, &job, &fd) == AG_OK) {
            ag_resolver_release(job);
            return;
        }
        poll(NULL, 0, 100);
    }
    test_fail(__FILE__, __LINE__, "no lookup is accepted any more");
}

static const struct test_case cases[] = {
    TEST(literals_are_told_from_names),
    TEST(localhost_has_addresses_of_this_machine),
    TEST(a_name_that_cannot_exist_is_not_found),
    TEST(more_lookups_than_threads_are_refused_and_come_back_later),
};
TEST_MAIN(cases)
