// SPDX-License-Identifier: Apache-2.0
// Tests of the TLS streams of boards without an operating system, as they are compiled for them,
// against real TLS servers, good and bad. Below is a socket instead of lwIP, and a heap that
// counts.
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "counting_heap.h"
#include "platform/board.h"
#include "port/bare/heap.h"
#include "port/bare/stream_tls.h"
#include "tcp_socket.h"
#include "test/harness.h"
#include "test/unit/linux/tls_peer.h"

enum {
    DAY_S = 86400,
    MEGABYTE = 1 << 20,
    MAKES_SMALL_RECORDS = AG_CFG_TLS_IN < 16384,
};

// The board.

static bool knows_time;
static int64_t time_offset_s;
static char last_log[400];

uint64_t ag_board_uptime_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool ag_board_unix_time(int64_t *seconds)
{
    *seconds = time(NULL) + time_offset_s;
    return knows_time;
}

void ag_board_random(void *bytes, size_t size)
{
    CHECK(getrandom(bytes, size, 0) == (ssize_t)size);
}

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    (void)level;
    (void)source;
    snprintf(last_log, sizeof last_log, "%.*s", (int)size, text);
}

// The certificates that most tests need, made once: right, and wrong in one way each.

static struct tls_identity root, other_root, old_root, intermediate;
static struct tls_identity good, by_other_root, by_intermediate, by_old_root, wrong_name,
    name_in_cn, expired, future, by_old_intermediate, old_intermediate, self_signed, not_by_ca;
static struct tls_identity rsa_root, rsa_intermediate, rsa_leaf, weak_leaf, p384_root, p384_leaf;
static struct tls_identity deep[6], by_deep[6]; // below 1 to 6 intermediates

static const char names[] = "DNS:localhost,IP:127.0.0.1,IP:::1";

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

static struct tls_identity make_with(const char *key, bool is_sha384, const char *name,
                                     const struct tls_identity *issuer)
{
    const bool is_leaf = strcmp(name, "localhost") == 0;
    const struct tls_identity_options options = {
        .name = name,
        .san = is_leaf ? names : NULL,
        .key = key,
        .is_sha384 = is_sha384,
        .is_ca = !is_leaf,
        .issuer = issuer,
        .not_before_s = -DAY_S,
        .not_after_s = DAY_S,
    };
    return tls_identity_make(&options);
}

static void make_identities(void)
{
    root = make(NULL, NULL, true, -1, 10);
    other_root = make(NULL, NULL, true, -1, 10);
    old_root = make(NULL, NULL, true, -20, -10);
    intermediate = make_with(NULL, false, "test intermediate", &root);
    good = make(names, &root, false, -1, 1);
    by_other_root = make(names, &other_root, false, -1, 1);
    by_intermediate = make(names, &intermediate, false, -1, 1);
    by_old_root = make(names, &old_root, false, -1, 1);
    wrong_name = make("DNS:other.example,IP:127.0.0.2,URI:https://localhost", &root, false, -1, 1);
    name_in_cn = make(NULL, &root, false, -1, 1);
    expired = make(names, &root, false, -20, -10);
    future = make(names, &root, false, 10, 20);
    old_intermediate = make(NULL, &root, true, -20, -10);
    by_old_intermediate = make(names, &old_intermediate, false, -1, 1);
    self_signed = make(names, NULL, false, -1, 1);
    not_by_ca = make(names, &good, false, -1, 1);
    rsa_root = make_with("RSA:2048", true, "RSA root", NULL);
    rsa_intermediate = make_with("RSA:3072", true, "RSA intermediate", &rsa_root);
    rsa_leaf = make_with("RSA:2048", true, "localhost", &rsa_intermediate);
    weak_leaf = make_with("RSA:1024", false, "localhost", &rsa_intermediate);
    p384_root = make_with("P-384", true, "P-384 root", NULL);
    p384_leaf = make_with("P-384", true, "localhost", &p384_root);
    for (size_t i = 0; i < 6; i++) {
        char name[20];
        snprintf(name, sizeof name, "deep %zu", i);
        deep[i] = make_with(NULL, false, name, i == 0 ? &root : &deep[i - 1]);
        by_deep[i] = make_with(NULL, false, "localhost", &deep[i]);
    }
}

static void free_identities(void)
{
    struct tls_identity *const all[] = { &root,
                                         &other_root,
                                         &old_root,
                                         &intermediate,
                                         &good,
                                         &expired,
                                         &future,
                                         &by_other_root,
                                         &by_intermediate,
                                         &by_old_root,
                                         &wrong_name,
                                         &name_in_cn,
                                         &old_intermediate,
                                         &by_old_intermediate,
                                         &self_signed,
                                         &not_by_ca,
                                         &rsa_root,
                                         &rsa_intermediate,
                                         &rsa_leaf,
                                         &weak_leaf,
                                         &p384_root,
                                         &p384_leaf,
                                         &deep[0],
                                         &deep[1],
                                         &deep[2],
                                         &deep[3],
                                         &deep[4],
                                         &deep[5],
                                         &by_deep[0],
                                         &by_deep[1],
                                         &by_deep[2],
                                         &by_deep[3],
                                         &by_deep[4],
                                         &by_deep[5] };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        tls_identity_free(all[i]);
}

// The client.

static struct ag_tls tls;
static struct ag_stream_tls client;
static uint8_t *trusted[4]; // DER, as in flash
static size_t trusted_count;
static size_t turns; // calls that could not go on

static void give_up_trust(void)
{
    while (trusted_count > 0)
        free(trusted[--trusted_count]);
}

// All of them; NULL ends the list.
static void trust(const struct tls_identity *first, const struct tls_identity *second)
{
    struct ag_stream_tls_root roots[2];
    const struct tls_identity *const anchors[] = { first, second };
    size_t count = 0;
    give_up_trust();
    for (; count < 2 && anchors[count]; count++) {
        trusted[count] = tls_identity_der(anchors[count], &roots[count].size);
        roots[count].der = trusted[count];
        trusted_count++;
    }
    CHECK_EQUAL(ag_stream_tls_set_roots(&tls, roots, count), AG_OK);
}

static void begin(void)
{
    knows_time = true;
    time_offset_s = 0;
    tcp_socket_orders = (struct tcp_socket_orders){ 0 };
    counting_heap_fail_at = 0;
    CHECK_EQUAL(ag_stream_tls_start(&tls), AG_OK);
    ag_stream_tls_init(&client, &tls, 30000);
    trust(&root, NULL);
}

static void end(void)
{
    ag_stream_tls_clear(&client);
    give_up_trust();
    CHECK_EQUAL(counting_heap_blocks, 0);
}

static void wait_for_news(void)
{
    const uint32_t wait_ms = ag_stream_tls_wait_ms(&client, ag_board_uptime_ms());
    turns++;
    tcp_socket_wait(&client.tcp, wait_ms);
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

static void hang_up(void)
{
    client.stream.close(client.stream.context);
}

// One greeting to `host` at a peer that behaves as told.
static enum ag_status greet_at(struct tls_peer *peer, const char *host)
{
    CHECK(tls_peer_start(peer));
    const enum ag_status status = greet(host, peer->port);
    hang_up();
    tls_peer_stop(peer);
    return status;
}

static enum ag_status greet_peer(const struct tls_identity *identity, const char *host)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = identity };
    return greet_at(&peer, host);
}

// A chain: what stands between the leaf and the root.
static enum ag_status greet_chain(const struct tls_identity *leaf,
                                  const struct tls_identity *between)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO,
                             .identity = leaf,
                             .intermediate = between };
    return greet_at(&peer, "localhost");
}

// Who is accepted, and who not.

static void a_server_with_the_right_certificate_is_accepted_by_name_and_by_address(void)
{
    begin();
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "LocalHost"), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "127.0.0.1"), AG_OK);
    end();
}

static void rsa_and_p384_and_sha384_are_accepted(void)
{
    begin();
    trust(&rsa_root, &p384_root);
    CHECK_EQUAL(greet_chain(&rsa_leaf, &rsa_intermediate), AG_OK);
    CHECK_EQUAL(greet_peer(&p384_leaf, "localhost"), AG_OK);
    trust(&root, NULL);
    CHECK_EQUAL(greet_chain(&rsa_leaf, &rsa_intermediate), AG_ERR_TLS_UNTRUSTED);
    CHECK_EQUAL(greet_peer(&p384_leaf, "localhost"), AG_ERR_TLS_UNTRUSTED);
    end();
}

static void a_weak_key_is_untrusted(void)
{
    begin();
    trust(&rsa_root, NULL);
    CHECK_EQUAL(greet_chain(&weak_leaf, &rsa_intermediate), AG_ERR_TLS_UNTRUSTED);
    end();
}

static void a_certificate_of_another_root_is_untrusted(void)
{
    begin();
    CHECK_EQUAL(greet_peer(&by_other_root, "localhost"), AG_ERR_TLS_UNTRUSTED);
    CHECK_EQUAL(greet_peer(&self_signed, "localhost"), AG_ERR_TLS_UNTRUSTED);
    trust(&other_root, NULL); // of the same name
    CHECK_EQUAL(greet_peer(&by_other_root, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_ERR_TLS_UNTRUSTED);
    trust(&root, &other_root);
    CHECK_EQUAL(greet_peer(&by_other_root, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    end();
}

static void without_roots_every_server_is_untrusted(void)
{
    begin();
    trust(NULL, NULL);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_ERR_TLS_UNTRUSTED);
    end();
}

static void broken_roots_are_refused_and_the_old_ones_stay(void)
{
    struct ag_stream_tls_root roots[AG_STREAM_TLS_ROOT_MAX + 1];
    size_t size;
    begin();
    uint8_t *bytes = tls_identity_der(&other_root, &size);
    for (size_t i = 0; i <= AG_STREAM_TLS_ROOT_MAX; i++)
        roots[i] = (struct ag_stream_tls_root){ .der = bytes, .size = size };
    CHECK_EQUAL(ag_stream_tls_set_roots(&tls, roots, AG_STREAM_TLS_ROOT_MAX + 1), AG_ERR_NO_SPACE);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    for (roots[1].size = 0; roots[1].size < size; roots[1].size += 1 + roots[1].size / 16)
        CHECK_EQUAL(ag_stream_tls_set_roots(&tls, roots, 2), AG_ERR_MALFORMED);
    roots[1].size = size + 1; // the byte after it is not read
    CHECK_EQUAL(ag_stream_tls_set_roots(&tls, roots, 2), AG_ERR_MALFORMED);
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    free(bytes);
    end();
}

static void a_lack_of_memory_for_roots_is_told_as_such(void)
{
    struct ag_stream_tls_root der;
    begin();
    uint8_t *bytes = tls_identity_der(&rsa_root, &der.size);
    der.der = bytes;
    enum ag_status status = AG_ERR_NO_SPACE;
    for (size_t n = 1; status != AG_OK; n++) {
        counting_heap_calls = 0;
        counting_heap_fail_at = n;
        status = ag_stream_tls_set_roots(&tls, &der, 1);
        CHECK_EQUAL(status, n <= counting_heap_calls ? AG_ERR_NO_SPACE : AG_OK);
        CHECK_EQUAL(counting_heap_blocks, 0);
    }
    counting_heap_fail_at = 0;
    free(bytes);
    end();
}

static void an_intermediate_must_be_sent_or_trusted(void)
{
    begin();
    CHECK_EQUAL(greet_chain(&by_intermediate, &intermediate), AG_OK);
    CHECK_EQUAL(greet_peer(&by_intermediate, "localhost"), AG_ERR_TLS_UNTRUSTED);
    trust(&intermediate, NULL);
    CHECK_EQUAL(greet_peer(&by_intermediate, "localhost"), AG_OK);
    end();
}

static void a_certificate_that_is_no_ca_signs_nothing(void)
{
    begin();
    CHECK_EQUAL(greet_chain(&not_by_ca, &good), AG_ERR_TLS_UNTRUSTED);
    end();
}

static void a_chain_may_have_four_intermediates_and_no_more(void)
{
    begin();
    for (size_t i = 0; i < 6; i++) {
        struct tls_identity sent[6];
        struct tls_peer peer = {
            .behaviour = TLS_PEER_ECHO, .identity = &by_deep[i], .more = sent, .more_count = i + 1
        };
        for (size_t j = 0; j <= i; j++)
            sent[j] = deep[i - j];
        test_note("%zu intermediates", i + 1);
        CHECK_EQUAL(greet_at(&peer, "localhost"), i < 4 ? AG_OK : AG_ERR_TLS_UNTRUSTED);
    }
    end();
}

static void a_certificate_for_another_host_is_refused(void)
{
    begin();
    CHECK_EQUAL(greet_peer(&wrong_name, "localhost"), AG_ERR_TLS_NAME);
    CHECK_EQUAL(greet_peer(&wrong_name, "127.0.0.1"), AG_ERR_TLS_NAME);
    CHECK_EQUAL(greet_peer(&name_in_cn, "localhost"), AG_ERR_TLS_NAME);
    CHECK_EQUAL(greet_peer(&name_in_cn, "127.0.0.1"), AG_ERR_TLS_NAME);
    CHECK_EQUAL(greet_peer(&good, "127.0.0.1."), AG_ERR_TLS_NAME); // names, for what we know
    CHECK_EQUAL(greet_peer(&good, "127.0.0.1.1"), AG_ERR_TLS_NAME);
    CHECK_EQUAL(greet_peer(&good, "127.1"), AG_ERR_TLS_NAME);
    end();
}

static void dates_count_only_while_the_clock_is_known_to_be_right(void)
{
    begin();
    CHECK_EQUAL(greet_peer(&expired, "localhost"), AG_ERR_TLS_EXPIRED);
    CHECK_EQUAL(greet_peer(&future, "localhost"), AG_ERR_TLS_EXPIRED);
    CHECK_EQUAL(greet_chain(&by_old_intermediate, &old_intermediate), AG_ERR_TLS_EXPIRED);
    knows_time = false;
    CHECK_EQUAL(greet_peer(&expired, "localhost"), AG_OK);
    CHECK_EQUAL(greet_peer(&future, "localhost"), AG_OK);
    CHECK_EQUAL(greet_chain(&by_old_intermediate, &old_intermediate), AG_OK);
    CHECK_EQUAL(greet_peer(&by_other_root, "localhost"), AG_ERR_TLS_UNTRUSTED);
    CHECK_EQUAL(greet_peer(&wrong_name, "localhost"), AG_ERR_TLS_NAME);
    end();
}

static void dates_are_right_to_the_second(void)
{
    begin();
    time_offset_s = DAY_S - 60;
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    time_offset_s = DAY_S + 60;
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_ERR_TLS_EXPIRED);
    time_offset_s = -DAY_S + 60;
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    time_offset_s = -DAY_S - 60;
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_ERR_TLS_EXPIRED);
    end();
}

// A day now and then from 1971 to 2134, and the minutes around it.
static void dates_follow_the_calendar(void)
{
    begin();
    for (long days = 400; days < 60000; days += 4999) {
        const long shift_days = days - (long)(time(NULL) / DAY_S);
        struct tls_identity then = make(names, &root, false, shift_days, shift_days + 1);
        test_note("day %ld since 1970", days);
        time_offset_s = shift_days * DAY_S + 60;
        CHECK_EQUAL(greet_peer(&then, "localhost"), AG_OK);
        time_offset_s = (shift_days + 1) * DAY_S + 60;
        CHECK_EQUAL(greet_peer(&then, "localhost"), AG_ERR_TLS_EXPIRED);
        time_offset_s = shift_days * DAY_S - 60;
        CHECK_EQUAL(greet_peer(&then, "localhost"), AG_ERR_TLS_EXPIRED);
        tls_identity_free(&then);
    }
    end();
}

static void a_root_never_expires(void)
{
    begin();
    trust(&old_root, NULL);
    CHECK_EQUAL(greet_peer(&by_old_root, "localhost"), AG_OK);
    trust(&old_intermediate, NULL);
    CHECK_EQUAL(greet_peer(&by_old_intermediate, "localhost"), AG_OK);
    CHECK_EQUAL(greet_chain(&by_old_intermediate, &old_intermediate), AG_OK);
    end();
}

static void tls_1_2_is_accepted_and_tls_1_1_refused(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO,
                             .identity = &good,
                             .max_version = TLS1_2_VERSION };
    begin();
    CHECK_EQUAL(greet_at(&peer, "localhost"), AG_OK);
    peer.max_version = TLS1_1_VERSION;
    CHECK_EQUAL(greet_at(&peer, "localhost"), AG_ERR_TLS);
    end();
}

static void a_server_that_asks_for_a_certificate_gets_none(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO,
                             .identity = &good,
                             .asks_for_certificate = true };
    begin();
    CHECK_EQUAL(greet_at(&peer, "localhost"), AG_OK);
    end();
}

// Resumption.

static void the_second_connection_resumes_until_the_roots_change(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &good };
    for (int kind = 0; kind < 2; kind++) {
        begin();
        peer.has_no_tickets = kind == 1; // then by the session's number
        CHECK(tls_peer_start(&peer));
        atomic_store(&peer.resumed_count, 0);
        atomic_store(&peer.handshake_count, 0);
        CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
        hang_up();
        CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
        hang_up();
        CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
        hang_up();
        CHECK_EQUAL(atomic_load(&peer.resumed_count), 2);
        CHECK_EQUAL(greet("127.0.0.1", peer.port), AG_OK); // another name: checked anew
        hang_up();
        CHECK_EQUAL(atomic_load(&peer.resumed_count), 2);
        trust(&root, NULL);
        CHECK_EQUAL(greet("127.0.0.1", peer.port), AG_OK);
        hang_up();
        CHECK_EQUAL(atomic_load(&peer.resumed_count), 2);
        CHECK_EQUAL(atomic_load(&peer.handshake_count), 5);
        tls_peer_stop(&peer);
        end();
    }
}

static void a_session_made_without_dates_does_not_get_around_them_later(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &expired };
    begin();
    CHECK(tls_peer_start(&peer));
    knows_time = false;
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    hang_up();
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    hang_up();
    CHECK_EQUAL(atomic_load(&peer.resumed_count), 1);
    knows_time = true;
    CHECK_EQUAL(greet("localhost", peer.port), AG_ERR_TLS_EXPIRED);
    tls_peer_stop(&peer);
    end();
}

static void a_session_is_kept_when_a_connection_fails_and_forgotten_by_the_server(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &good };
    begin();
    CHECK_EQUAL(greet_at(&peer, "localhost"), AG_OK);
    CHECK(client.has_session);
    const uint16_t port = client.session_port;
    CHECK_EQUAL(greet("localhost", port), AG_ERR_CONNECT);
    CHECK(client.has_session);
    CHECK(tls_peer_start(&peer)); // with new keys for its tickets
    client.session_port = peer.port;
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    CHECK_EQUAL(atomic_load(&peer.resumed_count), 0);
    hang_up();
    tls_peer_stop(&peer);
    end();
}

static void roots_that_change_in_a_handshake_break_it_off(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &good };
    uint8_t byte;
    size_t size;
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(open_to("localhost", peer.port), AG_OK);
    while (!client.anchors) {
        CHECK_EQUAL(client.stream.read(client.stream.context, &byte, 1, &size), AG_ERR_AGAIN);
        wait_for_news();
    }
    trust(&root, NULL); // the old ones are gone from memory
    CHECK_EQUAL(client.stream.read(client.stream.context, &byte, 1, &size), AG_ERR_RESET);
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    trust(&other_root, NULL); // not so what is open
    CHECK_EQUAL(write_some("x", 1, &size), AG_OK);
    CHECK_EQUAL(read_some(&byte, 1, &size), AG_OK);
    hang_up();
    tls_peer_stop(&peer);
    end();
}

// How it ends, and what does not begin.

static void what_is_no_tls_server_is_told_apart(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_NOT_TLS, .identity = &good };
    begin();
    CHECK_EQUAL(greet_at(&peer, "localhost"), AG_ERR_TLS);
    peer.behaviour = TLS_PEER_HANG_UP;
    CHECK_EQUAL(greet_at(&peer, "localhost"), AG_ERR_RESET);
    CHECK_EQUAL(greet("localhost", peer.port), AG_ERR_CONNECT); // nobody is there any more
    CHECK_EQUAL(greet("no-such-host.invalid", 8883), AG_ERR_DNS);
    end();
}

static void an_impossible_host_is_refused_at_once(void)
{
    char host[AG_CFG_HOST_MAX + 2];
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = 0;
    begin();
    CHECK_EQUAL(open_to(host, 1), AG_ERR_ARGUMENT);
    CHECK_EQUAL(open_to("", 1), AG_ERR_ARGUMENT);
    CHECK_EQUAL(client.state, AG_STREAM_TLS_CLOSED);
    end();
}

static void a_server_that_says_nothing_times_out(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_SILENT, .identity = &good };
    begin();
    ag_stream_tls_init(&client, &tls, 200);
    CHECK_EQUAL(greet_at(&peer, "localhost"), AG_ERR_TIMEOUT);
    end();
}

static void an_end_without_goodbye_is_told_from_an_orderly_one(void)
{
    struct tls_peer peer = { .identity = &good, .amount = 50000 };
    static const enum tls_peer_behaviour behaviours[] = { TLS_PEER_CUT, TLS_PEER_SEND };
    static const enum ag_status ends[] = { AG_ERR_RESET, AG_ERR_CLOSED };
    uint8_t bytes[4096];
    size_t size;
    begin();
    for (size_t i = 0; i < 2; i++) {
        size_t total = 0;
        enum ag_status status;
        peer.behaviour = behaviours[i];
        CHECK(tls_peer_start(&peer));
        CHECK_EQUAL(open_to("localhost", peer.port), AG_OK);
        while ((status = read_some(bytes, sizeof bytes, &size)) == AG_OK)
            total += size;
        CHECK_EQUAL(status, ends[i]);
        CHECK_EQUAL(total, 50000);
        CHECK_EQUAL(read_some(bytes, sizeof bytes, &size), ends[i]); // it stays so
        CHECK_EQUAL(write_some("x", 1, &size), ends[i]);
        CHECK(counting_heap_blocks <= 2); // of the session
        hang_up();
        tls_peer_stop(&peer);
    }
    end();
}

static void a_reset_midway_is_told(void)
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
    hang_up();
    tls_peer_stop(&peer);
    end();
}

static void another_handshake_is_refused(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_RENEGOTIATE,
                             .identity = &good,
                             .max_version = TLS1_2_VERSION };
    begin();
    const enum ag_status status = greet_at(&peer, "localhost");
    CHECK(status == AG_OK || status == AG_ERR_TLS || status == AG_ERR_RESET);
    CHECK_EQUAL(atomic_load(&peer.handshake_count), 1);
    end();
}

static void a_closed_stream_says_so_and_can_be_opened_again(void)
{
    uint8_t byte;
    size_t size;
    begin();
    CHECK_EQUAL(client.stream.read(client.stream.context, &byte, 1, &size), AG_ERR_CLOSED);
    CHECK_EQUAL(client.stream.write(client.stream.context, "x", 1, &size), AG_ERR_CLOSED);
    hang_up();
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
    CHECK_EQUAL(ag_stream_tls_wait_ms(&client, ag_board_uptime_ms()), UINT32_MAX);
    hang_up();
    tls_peer_stop(&peer);
    end();
}

// Bytes.

static void receive_pattern(struct tls_peer *peer)
{
    static const size_t odd[] = { 1, 3000, 7, 16384, 555, 20000 };
    static uint8_t bytes[20000];
    size_t total = 0;
    size_t size;
    enum ag_status status;
    CHECK(tls_peer_start(peer));
    CHECK_EQUAL(open_to("localhost", peer->port), AG_OK);
    for (size_t turn = 0; (status = read_some(bytes, odd[turn % 6], &size)) == AG_OK; turn++) {
        CHECK(size >= 1 && size <= odd[turn % 6]);
        for (size_t i = 0; i < size; i++, total++) {
            if (bytes[i] != tls_peer_pattern(total))
                test_fail(__FILE__, __LINE__, "byte %zu is wrong", total);
        }
    }
    CHECK_EQUAL(status, AG_ERR_CLOSED);
    CHECK_EQUAL(total, peer->amount);
    hang_up();
    tls_peer_stop(peer);
}

static void send_pattern(struct tls_peer *peer)
{
    static const size_t odd[] = { 1, 30000, 7, 16384, 555, 4096 };
    static uint8_t bytes[30000];
    size_t written;
    CHECK(tls_peer_start(peer));
    atomic_store(&peer->right_bytes, 0);
    CHECK_EQUAL(open_to("localhost", peer->port), AG_OK);
    for (size_t turn = 0, at = 0; at < peer->amount; turn++, at += written) {
        const size_t left = peer->amount - at;
        const size_t size = odd[turn % 6] < left ? odd[turn % 6] : left;
        for (size_t i = 0; i < size; i++)
            bytes[i] = tls_peer_pattern(at + i);
        CHECK_EQUAL(write_some(bytes, size, &written), AG_OK);
        CHECK(written >= 1 && written <= size);
    }
    CHECK_EQUAL(read_some(bytes, sizeof bytes, &written), AG_OK);
    CHECK_EQUAL(bytes[0], '!');
    CHECK_EQUAL(atomic_load(&peer->right_bytes), peer->amount);
    hang_up();
    tls_peer_stop(peer);
}

static void megabytes_arrive_whole_in_odd_pieces(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_SEND,
                             .identity = &good,
                             .amount = MEGABYTE + 77 };
    begin();
    receive_pattern(&peer);
    end();
}

static void megabytes_leave_whole_in_odd_pieces(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_RECEIVE,
                             .identity = &good,
                             .amount = MEGABYTE + 5 };
    begin();
    send_pattern(&peer);
    end();
}

static void a_wire_that_takes_a_byte_now_and_then_changes_nothing(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_SEND, .identity = &good, .amount = 20000 };
    begin();
    tcp_socket_orders =
        (struct tcp_socket_orders){ .read_max = 1, .write_max = 1, .is_reluctant = true };
    receive_pattern(&peer);
    peer.behaviour = TLS_PEER_RECEIVE;
    send_pattern(&peer);
    tcp_socket_orders.read_max = 1460; // less than a record
    peer.behaviour = TLS_PEER_SEND;
    receive_pattern(&peer);
    end();
}

// A chain of three RSA certificates has 3 KB: cut into 6 records and more.
static void messages_that_a_server_cuts_into_records_are_put_together(void)
{
    static const int fragments[] = { 512, 513, 700, 1024, 4096 };
    begin();
    trust(&rsa_root, NULL);
    for (size_t i = 0; i < sizeof fragments / sizeof fragments[0]; i++) {
        struct tls_peer peer = { .behaviour = TLS_PEER_SEND,
                                 .identity = &rsa_leaf,
                                 .intermediate = &rsa_intermediate,
                                 .more = &rsa_root,
                                 .more_count = 1,
                                 .amount = 10000,
                                 .max_fragment = fragments[i] };
        test_note("records of %d bytes", fragments[i]);
        tcp_socket_orders.read_max = i == 1 ? 1 : 0;
        receive_pattern(&peer);
    }
    end();
}

// A build for records of 4 KB tells the server, which keeps to it (receive_pattern above). One that
// does not is an end in order.
static void records_that_are_too_large_are_an_error(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_SEND, .identity = &good, .amount = 60000 };
    static uint8_t bytes[16384];
    size_t size;
    enum ag_status status;
    if (!MAKES_SMALL_RECORDS)
        test_skip("this build takes all that TLS allows");
    begin();
    CHECK_EQUAL(mbedtls_ssl_conf_max_frag_len(&tls.config, MBEDTLS_SSL_MAX_FRAG_LEN_NONE), 0);
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(open_to("localhost", peer.port), AG_OK);
    while ((status = read_some(bytes, sizeof bytes, &size)) == AG_OK)
        continue;
    CHECK_EQUAL(status, AG_ERR_TLS);
    hang_up();
    tls_peer_stop(&peer);
    end();
}

static void certificates_that_are_too_large_are_a_lack_of_space(void)
{
    static char many[32000];
    size_t size = (size_t)snprintf(many, sizeof many, "%s", names);
    while (size < AG_CFG_TLS_IN + AG_CFG_TLS_IN / 2)
        size += (size_t)snprintf(many + size, sizeof many - size,
                                 ",DNS:a-name-that-takes-space-%zu.example", size);
    begin();
    struct tls_identity wide = make(many, &root, false, -1, 1);
    CHECK_EQUAL(greet_peer(&wide, "localhost"), AG_ERR_NO_SPACE);
    tls_identity_free(&wide);
    end();
}

// No call does more than a piece of the arithmetic.
static void arithmetic_is_done_in_pieces_with_either_kind_of_key(void)
{
    begin();
    turns = 0;
    CHECK_EQUAL(greet_peer(&good, "localhost"), AG_OK);
    CHECK(turns > 40);
    trust(&rsa_root, NULL);
    turns = 0;
    CHECK_EQUAL(greet_chain(&rsa_leaf, &rsa_intermediate), AG_OK);
    CHECK(turns > 20);
    end();
}

// Faults.

static void a_peer_that_ends_anywhere_in_the_handshake_is_a_reset(void)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO, .identity = &good };
    begin();
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    hang_up();
    trust(&root, NULL); // no resumption
    const size_t last = tcp_socket_received - 60;
    for (size_t at = 1; at < last; at += 1 + last / 40) {
        test_note("after %zu bytes", at);
        tcp_socket_orders.cut_at = at;
        CHECK_EQUAL(greet("localhost", peer.port), AG_ERR_RESET);
        hang_up();
        CHECK_EQUAL(counting_heap_blocks, 0);
    }
    tls_peer_stop(&peer);
    end();
}

// The minor version of a record is protected by nothing, nor does it matter.
static bool is_minor_version(size_t number)
{
    size_t at = 0;
    while (at + 5 < sizeof tcp_socket_copy && at + 3 < number)
        at += 5 + ((size_t)tcp_socket_copy[at + 3] << 8 | tcp_socket_copy[at + 4]);
    return at + 3 == number;
}

static void flip_bits(const struct tls_identity *identity, const struct tls_identity *between)
{
    struct tls_peer peer = { .behaviour = TLS_PEER_ECHO,
                             .identity = identity,
                             .intermediate = between };
    trust(&root, &rsa_root);
    CHECK(tls_peer_start(&peer));
    CHECK_EQUAL(greet("localhost", peer.port), AG_OK);
    ag_stream_tls_clear(&client);
    ag_stream_tls_init(&client, &tls, 150); // a message that is now longer never ends
    const size_t last = tcp_socket_received;
    for (size_t at = 1; at <= last; at += 1 + last / 30) {
        test_note("byte %zu", at);
        tcp_socket_orders.flip_at = at;
        const enum ag_status status = greet("localhost", peer.port);
        const bool was_flipped = at <= tcp_socket_received; // signatures vary by a few bytes
        CHECK(status != AG_OK || is_minor_version(at) || !was_flipped);
        CHECK(was_flipped || status == AG_ERR_TIMEOUT || at + 20 > last);
        CHECK(status == AG_OK || status == AG_ERR_TLS || status == AG_ERR_TLS_UNTRUSTED ||
              status == AG_ERR_TLS_NAME || status == AG_ERR_TLS_EXPIRED ||
              status == AG_ERR_TIMEOUT || status == AG_ERR_RESET || status == AG_ERR_NO_SPACE);
        ag_stream_tls_clear(&client);
        CHECK_EQUAL(counting_heap_blocks, 0);
    }
    tcp_socket_orders.flip_at = 0;
    tls_peer_stop(&peer);
}

static void a_wrong_bit_never_gets_through(void)
{
    begin();
    flip_bits(&good, NULL);
    end();
    begin();
    flip_bits(&rsa_leaf, &rsa_intermediate);
    end();
}

// Refuses allocation `n`, or all from it on; false when the handshake has fewer.
static bool greets_without_memory(struct tls_peer *peer, size_t n, bool fails_on,
                                  enum ag_status otherwise)
{
    counting_heap_calls = 0;
    counting_heap_fail_at = n;
    counting_heap_fails_on = fails_on;
    const enum ag_status status = greet("localhost", peer->port);
    const bool was_refused = counting_heap_calls >= n;
    counting_heap_fail_at = 0;
    ag_stream_tls_clear(&client);
    test_note("allocation %zu%s", n, fails_on ? " and all after it" : "");
    CHECK_EQUAL(counting_heap_blocks, 0);
    if (!was_refused || status != AG_ERR_NO_SPACE)
        CHECK_EQUAL(status, otherwise);
    return was_refused;
}

// A session that cannot be kept is the only allocation that may fail without harm. The default is a
// sample; AG_TEST_ALL takes each.
static void a_lack_of_memory_is_never_another_verdict(void)
{
    const struct tls_identity *const identities[] = { &good, &rsa_leaf, &by_other_root };
    static const enum ag_status otherwise[] = { AG_OK, AG_OK, AG_ERR_TLS_UNTRUSTED };
    const bool takes_all = getenv("AG_TEST_ALL") != NULL;
    for (size_t i = 0; i < 3; i++) {
        struct tls_peer peer = { .behaviour = TLS_PEER_ECHO,
                                 .identity = identities[i],
                                 .intermediate = i == 1 ? &rsa_intermediate : NULL };
        begin();
        trust(&root, &rsa_root);
        CHECK(tls_peer_start(&peer));
        counting_heap_calls = 0;
        CHECK_EQUAL(greet("localhost", peer.port), otherwise[i]);
        const size_t total = counting_heap_calls;
        ag_stream_tls_clear(&client);
        for (size_t n = 1; greets_without_memory(&peer, n, n % 2 == 0, otherwise[i]);)
            n += takes_all ? 1 : 1 + n / 16 + (n > 64 ? total / 50 : 0);
        if (takes_all) {
            for (size_t n = 1; greets_without_memory(&peer, n, n % 2 != 0, otherwise[i]);)
                n++;
        }
        CHECK_EQUAL(greet("localhost", peer.port), otherwise[i]);
        hang_up();
        tls_peer_stop(&peer);
        end();
    }
}

static const struct test_case cases[] = {
    TEST(a_server_with_the_right_certificate_is_accepted_by_name_and_by_address),
    TEST(rsa_and_p384_and_sha384_are_accepted),
    TEST(a_weak_key_is_untrusted),
    TEST(a_certificate_of_another_root_is_untrusted),
    TEST(without_roots_every_server_is_untrusted),
    TEST(broken_roots_are_refused_and_the_old_ones_stay),
    TEST(a_lack_of_memory_for_roots_is_told_as_such),
    TEST(an_intermediate_must_be_sent_or_trusted),
    TEST(a_certificate_that_is_no_ca_signs_nothing),
    TEST(a_chain_may_have_four_intermediates_and_no_more),
    TEST(a_certificate_for_another_host_is_refused),
    TEST(dates_count_only_while_the_clock_is_known_to_be_right),
    TEST(dates_are_right_to_the_second),
    TEST(dates_follow_the_calendar),
    TEST(a_root_never_expires),
    TEST(tls_1_2_is_accepted_and_tls_1_1_refused),
    TEST(a_server_that_asks_for_a_certificate_gets_none),
    TEST(the_second_connection_resumes_until_the_roots_change),
    TEST(a_session_made_without_dates_does_not_get_around_them_later),
    TEST(a_session_is_kept_when_a_connection_fails_and_forgotten_by_the_server),
    TEST(roots_that_change_in_a_handshake_break_it_off),
    TEST(what_is_no_tls_server_is_told_apart),
    TEST(an_impossible_host_is_refused_at_once),
    TEST(a_server_that_says_nothing_times_out),
    TEST(an_end_without_goodbye_is_told_from_an_orderly_one),
    TEST(a_reset_midway_is_told),
    TEST(another_handshake_is_refused),
    TEST(a_closed_stream_says_so_and_can_be_opened_again),
    TEST(an_open_stream_with_nothing_to_do_wants_no_wake_up),
    TEST(megabytes_arrive_whole_in_odd_pieces),
    TEST(megabytes_leave_whole_in_odd_pieces),
    TEST(a_wire_that_takes_a_byte_now_and_then_changes_nothing),
    TEST(messages_that_a_server_cuts_into_records_are_put_together),
    TEST(records_that_are_too_large_are_an_error),
    TEST(certificates_that_are_too_large_are_a_lack_of_space),
    TEST(arithmetic_is_done_in_pieces_with_either_kind_of_key),
    TEST(a_peer_that_ends_anywhere_in_the_handshake_is_a_reset),
    TEST(a_wrong_bit_never_gets_through),
    TEST(a_lack_of_memory_is_never_another_verdict),
};

int main(int argc, char **argv)
{
    make_identities();
    const int result = test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
    free_identities();
    return result;
}
