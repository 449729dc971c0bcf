// SPDX-License-Identifier: Apache-2.0
// Tests of the TLS streams against real TLS servers, good and bad.
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/board.h"
#include "port/linux/board_setup.h"
#include "port/linux/clock.h"
#include "port/linux/stream_tls.h"
#include "test/harness.h"
#include "tls_peer.h"

enum {
    DAY_S = 86400,
    MEGABYTE = 1 << 20
};

static struct ag_loop loop;
static struct ag_tls tls;
static struct ag_stream_tls client;

// The certificates that most tests need, made once: right, and wrong in one way each.
static struct tls_identity root, other_root, old_root, intermediate;
static struct tls_identity good, by_other_root, by_intermediate, by_old_root, wrong_name,
    name_in_cn, expired, future;

static struct tls_identity make(const char *san, const struct tls_identity *issuer, bool is_ca,
                                long from_days, long to_days)
{
    const struct tls_identity_options options = {
        .name = is_ca ? "test root" : "localhost",
        .san = san,
        .is_ca = is_ca,
        .issuer = issuer,
        .not_before_s = from_days * DAY_S,
        .not_after_s = to_days * DAY_S,
    };
    return tls_identity_make(&options);
}

static void make_identities(void)
{
    static const char names[] = "DNS:localhost,IP:127.0.0.1,IP:::1";
    root = make(NULL, NULL, true, -1, 10);
    other_root = make(NULL, NULL, true, -1, 10);
    old_root = make(NULL, NULL, true, -20, -10);
    intermediate = tls_identity_make(&(struct tls_identity_options){
        .name = "test intermediate",
        .is_ca = true,
        .issuer = &root,
        .not_before_s = -DAY_S,
        .not_after_s = DAY_S,
    });
    good = make(names, &root, false, -1, 1);
    by_other_root = make(names, &other_root, false, -1, 1);
    by_intermediate = make(names, &intermediate, false, -1, 1);
    by_old_root = make(names, &old_root, false, -1, 1);
    wrong_name = make("DNS:other.example,IP:127.0.0.2", &root, false, -1, 1);
    name_in_cn = make(NULL, &root, false, -1, 1);
    expired = make(names, &root, false, -20, -10);
    future = make(names, &root, false, 10, 20);
}

static void trust(const struct tls_identity *anchor)
{
    struct ag_stream_tls_root der;
    uint8_t *bytes = tls_identity_der(anchor, &der.size);
    der.der = bytes;
    CHECK_EQUAL(ag_stream_tls_set_roots(&tls, &der, 1), AG_OK);
    free(bytes);
}

static void begin(void)
{
    ag_clock_set_policy(AG_BOARD_CLOCK_TRUST);
    CHECK_EQUAL(ag_loop_open(&loop), AG_OK);
    CHECK_EQUAL(ag_stream_tls_start(&tls), AG_OK);
    ag_stream_tls_init(&client, &tls, &loop, 30000);
    trust(&root);
}

static void end(void)
{
    ag_stream_tls_clear(&client);
    ag_stream_tls_stop(&tls);
    ag_loop_close(&loop);
}

static void wait_for_news(void)
{
    const uint64_t wait = ag_stream_tls_wait_ms(&client, ag_board_uptime_ms());
    ag_loop_wait(&loop, wait < 60000 ? wait : 60000);
}

static enum ag_status open_to(const char *host, uint16_t port)
{
    return client.stream.open(client.stream.context, host, port);
}

// Reads until something other than "again" comes out.
static enum ag_status read_some(void *bytes, size_t capacity, size_t *size)
{
    enum ag_status status;
    while ((status = client.stream.read(client.stream.context, bytes, capacity, size)) ==
           AG_ERR_AGAIN)
        wait_for_news();
    return status;
}

static enum ag_status write_some(const void *bytes, size_t size, size_t *written)
{
    enum ag_status status;
    while ((status = client.stream.write(client.stream.context, bytes, size, written)) ==
           AG_ERR_AGAIN)
        wait_for_news();
    return status;
}

// Connects, sends "hello", and returns AG_OK when it comes back.
static enum ag_status greet(const char *host, uint16_t port)
{
    char answer[5];
    size_t size;
    size_t total = 0;
    if (open_to(host, port) != AG_OK)
        return AG_ERR_INTERNAL;
    enum ag_status status = write_some("hello", 5, &size);
    while (status == AG_OK && total < 5) {
        status = read_some(answer + total, sizeof answer - total, &size);
        total += status == AG_OK ? size : 0;
    }
    return status == AG_OK && memcmp(answer, "hello", 5) != 0 ? AG_ERR_INTERNAL : status;
}

// One peer that shows `identity`, one greeting to `host`.
static enum ag_status greet_peer(const struct tls_identity *identity, const char *host)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = identity };
    CHECK(tls_peer_start(&peer));
    const enum ag_status status = greet(host, peer.port);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    return status;
}

static void a_server_with_the_right_certificate_is_accepted_by_name_and_by_address(void)
{
    begin();
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "127.0.0.1"), AG_OK);
    end();
}

static void a_server_on_ipv6_is_accepted_with_and_without_brackets(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &good, .on_ipv6 = true };
    begin();
    if (!tls_peer_start(&peer)) {
        end();
        test_skip("no IPv6 here");
    }
    CHECK_EQUAL(greet("::1", peer.port), AG_OK);
    CHECK_EQUAL(greet("[::1]", peer.port), AG_OK);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

static void a_certificate_of_another_root_is_untrusted(void)
{
    begin();
    CHECK_EQUAL(greet_peer(&by_other_root, "localhost"), AG_ERR_TLS_UNTRUSTED);
    trust(&other_root);
    CHECK_EQUAL(greet_peer(&by_other_root, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_ERR_TLS_UNTRUSTED);
    end();
}

static void without_roots_every_server_is_untrusted(void)
{
    begin();
    CHECK_EQUAL(ag_stream_tls_set_roots(&tls, NULL, 0), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_ERR_TLS_UNTRUSTED);
    end();
}

static void broken_roots_are_refused_and_the_old_ones_stay(void)
{
    struct ag_stream_tls_root der;
    begin();
    uint8_t *bytes = tls_identity_der(&other_root, &der.size);
    der.der = bytes;
    der.size--;
    CHECK_EQUAL(ag_stream_tls_set_roots(&tls, &der, 1), AG_ERR_MALFORMED);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    free(bytes);
    end();
}

static void an_intermediate_must_be_sent_or_trusted(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO,
                             .identity = &by_intermediate,
                             .intermediate = &intermediate };
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    CHECK_EQUAL(greet_peer(&by_intermediate, "localhost"), AG_ERR_TLS_UNTRUSTED);
    trust(&intermediate);
    CHECK_EQUAL(greet_peer(&by_intermediate, "localhost"), AG_OK);
    end();
}

static void a_certificate_for_another_host_is_refused(void)
{
    begin();
    CHECK_EQUAL(greet_peer(&wrong_name, "localhost"), AG_ERR_TLS_NAME);
    CHECK_EQUAL(greet_peer(&wrong_name, "127.0.0.1"), AG_ERR_TLS_NAME);
    CHECK_EQUAL(greet_peer(&name_in_cn, "localhost"), AG_ERR_TLS_NAME);
    end();
}

static void dates_count_only_while_the_clock_is_known_to_be_right(void)
{
    begin();
    CHECK_EQUAL(greet_peer(&expired, "localhost"), AG_ERR_TLS_EXPIRED);
    CHECK_EQUAL(greet_peer(&future, "localhost"), AG_ERR_TLS_EXPIRED);
    ag_clock_set_policy(AG_BOARD_CLOCK_UNTRUSTED);
    CHECK_EQUAL(greet_peer(&expired, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&future, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&by_other_root, "localhost"), AG_ERR_TLS_UNTRUSTED);
    CHECK_EQUAL(greet_peer(&wrong_name, "localhost"), AG_ERR_TLS_NAME);
    end();
}

static void a_session_made_without_dates_does_not_get_around_them_later(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &expired };
    begin();
    CHECK(tls_peer_start(&peer));
    ag_clock_set_policy(AG_BOARD_CLOCK_UNTRUSTED);
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    client.stream.close(client.stream.context);
    ag_clock_set_policy(AG_BOARD_CLOCK_TRUST);
    CHECK_EQUAL(greet("localhost", peer.port), AG_ERR_TLS_EXPIRED);
    tls_peer_stop(&peer);
    end();
}

static void a_root_never_expires(void)
{
    begin();
    trust(&old_root);
    CHECK_EQUAL(greet_peer(&by_old_root, "localhost"), AG_OK);
    end();
}

static void tls_1_2_is_accepted_and_tls_1_1_refused(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO,
                             .identity = &good,
                             .max_version = TLS1_2_VERSION };
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    peer.max_version = TLS1_1_VERSION;
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_ERR_TLS);
    tls_peer_stop(&peer);
    end();
}

static void what_is_no_tls_server_is_told_apart(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_NOT_TLS, .identity = &good };
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_ERR_TLS);
    tls_peer_stop(&peer);
    peer.behaviour = TLS_PEER_HANG_UP;
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_ERR_RESET);
    tls_peer_stop(&peer);
    end();
}

static void a_refused_port_is_told(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    begin();
    const int fd = socket(AF_INET, SOCK_STREAM, 0); // bound, but nobody listens
    CHECK(bind(fd, (struct sockaddr *)&address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    CHECK_EQUAL(greet("127.0.0.1", ntohs(address.sin_port)), AG_ERR_CONNECT);
    CHECK_EQUAL(greet("localhost", ntohs(address.sin_port)), AG_ERR_CONNECT);
    close(fd);
    end();
}

static void an_unknown_host_is_told(void)
{
    begin();
    CHECK_EQUAL(greet("no-such-host.invalid", 8883), AG_ERR_DNS);
    CHECK_EQUAL(greet("256.256.256.256", 8883), AG_ERR_DNS);
    CHECK_EQUAL(greet("bad host name", 8883), AG_ERR_DNS);
    end();
}

static void an_impossible_host_is_refused_at_once(void)
{
    char host[300];
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = 0;
    begin();
    CHECK_EQUAL(open_to(host, 1), AG_ERR_ARGUMENT);
    CHECK_EQUAL(open_to("", 1), AG_ERR_ARGUMENT);
    end();
}

static void a_server_that_says_nothing_times_out(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_SILENT, .identity = &good };
    begin();
    ag_stream_tls_init(&client, &tls, &loop, 200);
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("127.0.0.1", peer.port), AG_ERR_TIMEOUT);
    CHECK_EQUAL(client.state, AG_STREAM_TLS_BROKEN);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

static void the_next_address_is_tried_when_one_refuses_or_is_silent(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &good };
    size_t size;
    begin();
    CHECK(tls_peer_start(&peer));
    // The answer of a resolver, put in its place: nobody is at 127.0.0.2 and the port of the last.
    CHECK_EQUAL(open_to("127.0.0.2", peer.port), AG_OK);
    CHECK(ag_resolver_literal("127.0.0.1", peer.port, &client.list));
    client.list.addresses[1] = client.list.addresses[0];
    client.list.addresses[0].v4.sin_addr.s_addr = htonl(0x7f000002);
    client.list.count = 2;
    strcpy(client.host, "localhost");
    CHECK_EQUAL(write_some("x", 1, &size), AG_OK);
    CHECK_EQUAL(client.next_address, 2);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

// Lookups that were given up still run to their end and count: all places must be free again.
static void wait_for_lookups(void)
{
    struct ag_resolver_job *jobs[AG_RESOLVER_JOBS_MAX];
    struct ag_resolver_list list;
    int fd;
    for (uint32_t held = 0; held < AG_RESOLVER_JOBS_MAX;) {
        if (ag_resolver_start("localhost", 1, &jobs[held], &fd) == AG_OK)
            held++;
        else
            ag_loop_wait(&loop, 10);
    }
    for (uint32_t i = 0; i < AG_RESOLVER_JOBS_MAX; i++) {
        while (ag_resolver_take(jobs[i], &list) == AG_ERR_AGAIN)
            ag_loop_wait(&loop, 10);
        ag_resolver_release(jobs[i]);
    }
}

static void lookups_are_given_up_safely_at_any_moment(void)
{
    begin();
    for (int i = 0; i < 200; i++) {
        CHECK_EQUAL(open_to("localhost", 1), AG_OK);
        if (i % 3 == 0)
            wait_for_news();
        client.stream.close(client.stream.context);
    }
    wait_for_lookups();
    end();
}

static void megabytes_arrive_whole_in_odd_pieces(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_SEND,
                             .identity = &good,
                             .amount = 3 * MEGABYTE + 77 };
    static const size_t odd[] = { 1, 3000, 7, 16384, 555, 20000 };
    uint8_t bytes[20000];
    size_t total = 0;
    size_t size;
    enum ag_status status;
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(open_to("localhost", peer.port), AG_OK);
    for (size_t turn = 0; (status = read_some(bytes, odd[turn % 6], &size)) == AG_OK; turn++) {
        CHECK(size >= 1 && size <= odd[turn % 6]);
        for (size_t i = 0; i < size; i++, total++) {
            if (bytes[i] != tls_peer_pattern(total))
                test_fail(__FILE__, __LINE__, "byte %zu is wrong", total);
        }
    }
    CHECK_EQUAL(status, AG_ERR_CLOSED);
    CHECK_EQUAL(total, peer.amount);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

static void megabytes_leave_whole_in_odd_pieces(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_RECEIVE,
                             .identity = &good,
                             .amount = 2 * MEGABYTE + 5 };
    static const size_t odd[] = { 1, 30000, 7, 16384, 555 };
    uint8_t bytes[30000];
    size_t written;
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(open_to("localhost", peer.port), AG_OK);
    for (size_t turn = 0, at = 0; at < peer.amount; turn++, at += written) {
        size_t size = odd[turn % 5] < peer.amount - at ? odd[turn % 5] : peer.amount - at;
        for (size_t i = 0; i < size; i++)
            bytes[i] = tls_peer_pattern(at + i);
        CHECK_EQUAL(write_some(bytes, size, &written), AG_OK);
        CHECK(written >= 1 && written <= size);
    }
    CHECK_EQUAL(read_some(bytes, sizeof bytes, &written), AG_OK);
    CHECK_EQUAL(bytes[0], '!');
    CHECK_EQUAL(atomic_load(&peer.right_bytes), peer.amount);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

// Reads everything and returns how it ended.
static enum ag_status read_to_the_end(size_t *total)
{
    uint8_t bytes[4096];
    size_t size;
    enum ag_status status;
    *total = 0;
    while ((status = read_some(bytes, sizeof bytes, &size)) == AG_OK)
        *total += size;
    return status;
}

static void an_end_without_goodbye_is_told_from_an_orderly_one(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_CUT, .identity = &good, .amount = 50000 };
    size_t total;
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(open_to("localhost", peer.port), AG_OK);
    CHECK_EQUAL(read_to_the_end(&total), AG_ERR_RESET);
    CHECK_EQUAL(total, 50000);
    CHECK_EQUAL(read_to_the_end(&total), AG_ERR_RESET); // it stays so
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

static void a_reset_midway_is_told_and_raises_no_signal(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_RESET, .identity = &good, .amount = 1000 };
    uint8_t bytes[1000];
    size_t size;
    size_t total = 0;
    enum ag_status status = AG_OK;
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(open_to("localhost", peer.port), AG_OK);
    while (total < 1000) {
        CHECK_EQUAL(read_some(bytes, sizeof bytes, &size), AG_OK);
        total += size;
    }
    CHECK_EQUAL(write_some("x", 1, &size), AG_OK); // lets the peer reset
    for (int i = 0; i < 100000 && status == AG_OK; i++)
        status = write_some(bytes, sizeof bytes, &size);
    CHECK_EQUAL(status, AG_ERR_RESET);
    CHECK_EQUAL(write_some("x", 1, &size), AG_ERR_RESET);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

static void the_second_connection_resumes_until_the_roots_change(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &good };
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    CHECK_EQUAL(atomic_load(&peer.resumed_count), 1);
    CHECK_EQUAL(greet("127.0.0.1", peer.port), AG_OK); // another name: checked anew
    CHECK_EQUAL(atomic_load(&peer.resumed_count), 1);
    trust(&root);
    CHECK_EQUAL(greet("127.0.0.1", peer.port), AG_OK);
    CHECK_EQUAL(atomic_load(&peer.resumed_count), 1);
    CHECK_EQUAL(atomic_load(&peer.handshake_count), 4);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

static void a_closed_stream_says_so_and_can_be_opened_again(void)
{
    uint8_t byte;
    size_t size;
    begin();
    CHECK_EQUAL(client.stream.read(client.stream.context, &byte, 1, &size), AG_ERR_CLOSED);
    CHECK_EQUAL(client.stream.write(client.stream.context, "x", 1, &size), AG_ERR_CLOSED);
    client.stream.close(client.stream.context);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    end();
}

static void an_open_stream_with_nothing_to_do_wants_no_wake_up(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &good };
    uint8_t byte;
    size_t size;
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    CHECK_EQUAL(client.stream.read(client.stream.context, &byte, 1, &size), AG_ERR_AGAIN);
    (void)ag_stream_tls_wait_ms(&client, ag_board_uptime_ms());
    CHECK(ag_stream_tls_wait_ms(&client, ag_board_uptime_ms()) == AG_LOOP_FOREVER);
    client.stream.close(client.stream.context);
    tls_peer_stop(&peer);
    end();
}

static void a_learnt_time_decides_about_dates(void)
{
    begin();
    ag_clock_set_policy(AG_BOARD_CLOCK_UNTRUSTED);
    ag_board_learn_time(1); // 1970: not believed
    CHECK_EQUAL(greet_peer(&future, "localhost"), AG_OK);
    int64_t now;
    CHECK(!ag_board_unix_time(&now));
    ag_board_learn_time(now + 15 * DAY_S);
    CHECK(ag_board_unix_time(&now));
    CHECK_EQUAL(greet_peer(&future, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_ERR_TLS_EXPIRED);
    ag_board_learn_time(0); // it was a lie, for all we know
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    end();
}

static const struct test_case cases[] = {
    TEST(a_server_with_the_right_certificate_is_accepted_by_name_and_by_address),
    TEST(a_server_on_ipv6_is_accepted_with_and_without_brackets),
    TEST(a_certificate_of_another_root_is_untrusted),
    TEST(without_roots_every_server_is_untrusted),
    TEST(broken_roots_are_refused_and_the_old_ones_stay),
    TEST(an_intermediate_must_be_sent_or_trusted),
    TEST(a_certificate_for_another_host_is_refused),
    TEST(dates_count_only_while_the_clock_is_known_to_be_right),
    TEST(a_session_made_without_dates_does_not_get_around_them_later),
    TEST(a_root_never_expires),
    TEST(tls_1_2_is_accepted_and_tls_1_1_refused),
    TEST(what_is_no_tls_server_is_told_apart),
    TEST(a_refused_port_is_told),
    TEST(an_unknown_host_is_told),
    TEST(an_impossible_host_is_refused_at_once),
    TEST(a_server_that_says_nothing_times_out),
    TEST(the_next_address_is_tried_when_one_refuses_or_is_silent),
    TEST(lookups_are_given_up_safely_at_any_moment),
    TEST(megabytes_arrive_whole_in_odd_pieces),
    TEST(megabytes_leave_whole_in_odd_pieces),
    TEST(an_end_without_goodbye_is_told_from_an_orderly_one),
    TEST(a_reset_midway_is_told_and_raises_no_signal),
    TEST(the_second_connection_resumes_until_the_roots_change),
    TEST(a_closed_stream_says_so_and_can_be_opened_again),
    TEST(an_open_stream_with_nothing_to_do_wants_no_wake_up),
    TEST(a_learnt_time_decides_about_dates),
};

int main(int argc, char **argv)
{
    make_identities();
    const int result = test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
    struct tls_identity *const all[] = {
        &root,       &other_root,    &old_root,        &intermediate,
        &good,       &by_other_root, &by_intermediate, &by_old_root,
        &wrong_name, &name_in_cn,    &expired,         &future
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        tls_identity_free(all[i]);
    return result;
}
