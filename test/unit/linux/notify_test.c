// SPDX-License-Identifier: Apache-2.0
// Tests of the datagrams to systemd.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "port/linux/notify.h"
#include "test/harness.h"

// Binds a socket to `name` ('@' for the abstract name space) and returns what arrives there.
static const char *notify_at(const char *name)
{
    static char got[64];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const size_t size = strlen(name);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    memcpy(address.sun_path, name, size);
    if (name[0] == '@')
        address.sun_path[0] = 0;
    CHECK(bind(fd, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) == 0);
    CHECK(setenv("NOTIFY_SOCKET", name, 1) == 0);
    ag_notify_send("READY=1");
    const ssize_t received = recv(fd, got, sizeof got - 1, 0);
    close(fd);
    got[received > 0 ? received : 0] = 0;
    return got;
}

static void a_state_arrives_at_both_kinds_of_sockets(void)
{
    char folder[] = "/tmp/notify_test.XXXXXX";
    char name[64];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(name, sizeof name, "%s/socket", folder);
    CHECK_TEXT(notify_at(name), "READY=1");
    unlink(name);
    rmdir(folder);
    snprintf(name, sizeof name, "@notify_test-%d", (int)getpid());
    CHECK_TEXT(notify_at(name), "READY=1");
}

static void without_a_socket_nothing_happens(void)
{
    static char long_name[300];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[0] = '/';
    static const char *const names[] = { "", "@", "relative", "/no/such/socket", long_name };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(setenv("NOTIFY_SOCKET", names[i], 1) == 0);
        ag_notify_send("READY=1");
    }
    CHECK(unsetenv("NOTIFY_SOCKET") == 0);
    ag_notify_send("READY=1");
}

static void the_watchdog_is_fed_twice_in_its_period(void)
{
    static const struct {
        const char *period;
        uint64_t want;
    } periods[] = {
        { "120000000", 60000 }, { "2000", 1 },      { "1999", UINT64_MAX },
        { "0", UINT64_MAX },    { "", UINT64_MAX }, { "99999999999999999999999999", UINT64_MAX },
    };
    char process[16];
    unsetenv("WATCHDOG_PID");
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        test_note("\"%s\"", periods[i].period);
        CHECK(setenv("WATCHDOG_USEC", periods[i].period, 1) == 0);
        CHECK(ag_notify_watchdog_ms() == periods[i].want);
    }
    CHECK(setenv("WATCHDOG_USEC", "120000000", 1) == 0);
    CHECK(setenv("WATCHDOG_PID", "1", 1) == 0); // meant for another process
    CHECK(ag_notify_watchdog_ms() == UINT64_MAX);
    snprintf(process, sizeof process, "%d", (int)getpid());
    CHECK(setenv("WATCHDOG_PID", process, 1) == 0);
    CHECK(ag_notify_watchdog_ms() == 60000);
    unsetenv("WATCHDOG_USEC");
    CHECK(ag_notify_watchdog_ms() == UINT64_MAX);
}

static const struct test_case cases[] = {
    TEST(a_state_arrives_at_both_kinds_of_sockets),
    TEST(without_a_socket_nothing_happens),
    TEST(the_watchdog_is_fed_twice_in_its_period),
};
TEST_MAIN(cases)
