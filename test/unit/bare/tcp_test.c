// SPDX-License-Identifier: Apache-2.0
// TCP connections by name: bytes both ways, every way to end, and what memory and wire can do.
#include <stdlib.h>
#include <string.h>

#include <lwip/opt.h>

#include "port/bare/tcp.h"
#include "test/harness.h"
#include "test/unit/bare/world.h"

enum {
    PORT = 8883,
    MINUTE = 60000,
    BULK = 100000,
};

static uint8_t pattern[BULK];
static uint8_t received[BULK + 1];

// A connection and how far it is.
struct pipe_end {
    struct ag_tcp tcp;
    size_t sent;
    size_t got;
    enum ag_status status; // the last that was neither OK nor AGAIN
};
static struct pipe_end first;

static void make_pattern(void)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i * 31 + i / 251);
}

static void start(void)
{
    make_pattern();
    world_start(&(struct ag_net_config){ 0 });
    world_pass(100);
    CHECK(ag_net_is_up());
}

// Reads what there is into `received`, at most `most` bytes.
static void read_some(struct pipe_end *end, size_t most)
{
    size_t size = 0;
    while (end->got < most) {
        const enum ag_status status =
            ag_tcp_read(&end->tcp, received + end->got, most - end->got, &size);
        if (status != AG_OK) {
            end->status = status == AG_ERR_AGAIN ? end->status : status;
            return;
        }
        CHECK(size > 0 && size <= most - end->got);
        end->got += size;
    }
}

static void write_some(struct pipe_end *end, size_t most)
{
    size_t written = 0;
    while (end->sent < most) {
        const enum ag_status status =
            ag_tcp_write(&end->tcp, pattern + end->sent, most - end->sent, &written);
        if (status != AG_OK) {
            end->status = status == AG_ERR_AGAIN ? end->status : status;
            return;
        }
        CHECK(written > 0 && written <= most - end->sent);
        end->sent += written;
    }
}

// Turns, reads and writes until so much went both ways, or the time is over.
static void exchange(struct pipe_end *end, size_t to_send, size_t to_get, uint64_t most_ms)
{
    const uint64_t end_ms = world.now_ms + most_ms;
    end->status = AG_OK;
    while (world.now_ms < end_ms && end->status == AG_OK &&
           (end->sent < to_send || end->got < to_get)) {
        write_some(end, to_send);
        read_some(end, to_get);
        world_turn(end_ms - world.now_ms);
    }
}

static void connect_first(void)
{
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    world_pass(1000);
    CHECK_EQUAL(first.tcp.state, AG_TCP_OPEN);
    CHECK(ag_tcp_take_news(&first.tcp));
    CHECK(!ag_tcp_take_news(&first.tcp));
}

static enum ag_status read_status(void)
{
    uint8_t byte;
    size_t size;
    return ag_tcp_read(&first.tcp, &byte, 1, &size);
}

static enum ag_status write_status(void)
{
    size_t written;
    return ag_tcp_write(&first.tcp, "x", 1, &written);
}

// Fails the test unless the connection broke in this way, for good.
static void check_broken(enum ag_status status)
{
    CHECK_EQUAL(first.tcp.state, AG_TCP_BROKEN);
    CHECK(ag_tcp_take_news(&first.tcp));
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(read_status(), status);
        CHECK_EQUAL(write_status(), status);
        world_pass(MINUTE);
    }
    ag_tcp_close(&first.tcp);
    CHECK_EQUAL(read_status(), AG_ERR_CLOSED);
    CHECK_EQUAL(write_status(), AG_ERR_CLOSED);
}

static void check_echo(uint64_t most_ms)
{
    exchange(&first, BULK, BULK, most_ms);
    CHECK_EQUAL(first.status, AG_OK);
    CHECK_EQUAL(first.sent, BULK);
    CHECK_EQUAL(first.got, BULK);
    CHECK_BYTES(received, pattern, BULK);
    CHECK_EQUAL(world_peer(PORT)->in_size, BULK);
    CHECK_BYTES(world_peer(PORT)->in, pattern, BULK);
    CHECK_EQUAL(world.tcp_overruns, 0);
    CHECK_EQUAL(world.bad, 0);
}

// Connecting.

static void echo(void)
{
    world.tcp_echoes = true;
    start();
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    check_echo(MINUTE);
    CHECK_EQUAL(world.dns_questions, 1);
    CHECK_EQUAL(world.tcp_syns, 1);
}

static void bytes_go_both_ways(void)
{
    world_run(echo);
}

static void connect_by_address(void)
{
    start();
    ag_tcp_open(&first.tcp, "10.0.2.5", PORT);
    world_pass(100);
    CHECK_EQUAL(first.tcp.state, AG_TCP_OPEN);
    CHECK_EQUAL(world.dns_questions, 0);
}

static void an_address_needs_no_dns(void)
{
    world_run(connect_by_address);
}

static void wait_for_network(void)
{
    world.dhcp_is_dead = true;
    world_start(&(struct ag_net_config){ 0 });
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    for (int i = 0; i < 10; i++) {
        world_pass(MINUTE);
        CHECK_EQUAL(read_status(), AG_ERR_AGAIN);
    }
    world.dhcp_is_dead = false;
    for (int i = 0; i < 61 && first.tcp.state != AG_TCP_OPEN; i++) {
        world_pass(1000);
        CHECK_EQUAL(read_status(), AG_ERR_AGAIN);
    }
    CHECK_EQUAL(first.tcp.state, AG_TCP_OPEN);
}

static void a_connection_waits_for_the_network(void)
{
    world_run(wait_for_network);
}

static void ask_for_unknown_name(void)
{
    world.dns_refuses = true;
    start();
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    CHECK_EQUAL(read_status(), AG_ERR_AGAIN);
    world_pass(100);
    check_broken(AG_ERR_DNS);
}

static void ask_dead_dns(void)
{
    world.dns_is_dead = true;
    start();
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    world_pass(20000);
    check_broken(AG_ERR_DNS);
}

static void ask_for_long_name(void)
{
    char name[AG_CFG_HOST_MAX + 2];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    start();
    ag_tcp_open(&first.tcp, name, PORT);
    check_broken(AG_ERR_DNS);
}

static void ask_without_dns(void)
{
    world_start(&(struct ag_net_config){ .address = "10.0.2.15/24" });
    world_pass(100);
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    check_broken(AG_ERR_DNS);
}

static void names_that_cannot_be_resolved_are_told(void)
{
    world_run(ask_for_unknown_name);
    world_run(ask_dead_dns);
    world_run(ask_for_long_name);
    world_run(ask_without_dns);
}

static void be_refused(void)
{
    world.tcp_mode = WORLD_TCP_REFUSES;
    start();
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    world_pass(100);
    check_broken(AG_ERR_CONNECT);
}

static void be_ignored(void)
{
    world.tcp_mode = WORLD_TCP_IS_SILENT;
    start();
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    world_pass(10000);
    CHECK_EQUAL(read_status(), AG_ERR_AGAIN);
    CHECK(world.tcp_syns >= 8);
    world_pass(20000);
    check_broken(AG_ERR_TIMEOUT);
}

static void a_peer_that_refuses_or_ignores_us_is_told(void)
{
    world_run(be_refused);
    world_run(be_ignored);
}

// The end.

static void be_reset(void)
{
    world.tcp_out = pattern;
    world.tcp_out_size = 2000;
    start();
    connect_first();
    world_reset(world_peer(PORT));
    world_pass(100);
    exchange(&first, 0, 2000, 100);
    CHECK_EQUAL(first.got, 2000); // what came before is not lost
    CHECK_BYTES(received, pattern, 2000);
    check_broken(AG_ERR_RESET);
}

static void be_ended(void)
{
    uint8_t bytes[10];
    size_t size;
    world.tcp_out = pattern;
    world.tcp_out_size = 2000;
    world.tcp_wants_fin = true;
    start();
    connect_first();
    while (ag_tcp_read(&first.tcp, bytes, sizeof bytes, &size) == AG_OK) {
        CHECK_BYTES(bytes, pattern + first.got, size);
        first.got += size;
        world_turn(10);
    }
    CHECK_EQUAL(first.got, 2000);
    CHECK_EQUAL(read_status(), AG_ERR_CLOSED);
    CHECK_EQUAL(write_status(), AG_OK); // the other direction is open
    world_pass(100);
    CHECK_EQUAL(world_peer(PORT)->in_size, 1);
    ag_tcp_close(&first.tcp);
    world_pass(1000);
    CHECK(world_peer(PORT)->guest_closed && world_peer(PORT)->fin_was_acknowledged);
}

static void lose_peer(void)
{
    start();
    connect_first();
    world.tcp_is_dead = true;
    CHECK_EQUAL(write_status(), AG_OK);
    world_pass(MINUTE);
    CHECK_EQUAL(write_status(), AG_OK); // nobody can know yet
    world_pass(20 * MINUTE);
    check_broken(AG_ERR_RESET);
}

static void lose_address(void)
{
    world.dhcp_lease_s = 120;
    start();
    connect_first();
    world.dhcp_is_dead = true;
    world_pass(10 * MINUTE);
    check_broken(AG_ERR_RESET);
}

static void the_end_of_a_connection_comes_after_its_bytes(void)
{
    world_run(be_reset);
    world_run(be_ended);
    world_run(lose_peer);
    world_run(lose_address);
}

static void close_with_bytes(void)
{
    world.tcp_out = pattern;
    world.tcp_out_size = 2000;
    world.tcp_late_ms = 50;
    start();
    connect_first();
    write_some(&first, 2900);
    CHECK_EQUAL(first.sent, 2900);
    CHECK_EQUAL(read_status(), AG_OK); // one byte; the others are never read
    ag_tcp_close(&first.tcp);
    CHECK_EQUAL(world_buffers_in_use(), 0);
    world_pass(2000);
    CHECK_EQUAL(world_peer(PORT)->in_size, 2900);
    CHECK_BYTES(world_peer(PORT)->in, pattern, 2900);
    CHECK(world_peer(PORT)->guest_closed && !world_peer(PORT)->was_reset);
}

static void what_was_written_arrives_though_it_is_closed_at_once(void)
{
    world_run(close_with_bytes);
}

static void close_to_the_dead(void)
{
    start();
    const uint32_t memory = world_memory_in_use();
    for (int i = 0; i < 20; i++) {
        world.tcp_is_dead = false;
        first = (struct pipe_end){ 0 };
        connect_first(); // however many are still being closed
        world.tcp_is_dead = true;
        write_some(&first, BULK);
        CHECK(first.sent > 0);
        ag_tcp_close(&first.tcp);
        world_pass(i % 2 == 0 ? 1 : 1000);
    }
    world_pass(12000);
    CHECK_EQUAL(world_memory_in_use(), memory);
}

static void closing_to_a_dead_peer_gives_up_and_hinders_nobody(void)
{
    world_run(close_to_the_dead);
}

// A struct of its own memory, so that a sanitizer sees who touches it after it is gone.
static void close_after(uint64_t ms)
{
    struct ag_tcp *tcp = calloc(1, sizeof *tcp);
    char *host = malloc(16);
    CHECK(tcp && host);
    memcpy(host, "hub.test", 9);
    ag_tcp_open(tcp, host, PORT);
    world_pass(ms);
    ag_tcp_close(tcp);
    ag_tcp_close(tcp);
    memset(host, 'x', 16);
    free(host);
    free(tcp);
}

static void close_at_any_time(void)
{
    world.dns_late_ms = 7;
    world.dns_ttl_s = 0;
    world.tcp_late_ms = 5;
    world.tcp_out = pattern;
    world.tcp_out_size = 20000;
    start();
    close_after(1);
    world_pass(1000);
    const uint32_t memory = world_memory_in_use();
    for (uint64_t ms = 0; ms < 60; ms++) {
        close_after(ms);
        world_pass(ms % 3 == 0 ? 10000 : ms);
    }
    world_pass(10000);
    CHECK_EQUAL(world_memory_in_use(), memory);
    connect_first();
}

static void a_connection_can_be_closed_at_any_time(void)
{
    world_run(close_at_any_time);
}

static void reopen_while_looking_up(void)
{
    start();
    world.dns_is_dead = true;
    for (int i = 0; i < 20; i++) { // more than lwIP can look up at once
        ag_tcp_open(&first.tcp, "dead.test", PORT);
        CHECK_EQUAL(read_status(), AG_ERR_AGAIN);
    }
    world.dns_is_dead = false;
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    for (int i = 0; i < 60 && first.tcp.state != AG_TCP_OPEN; i++) {
        CHECK_EQUAL(read_status(), AG_ERR_AGAIN);
        world_pass(1000);
    }
    CHECK_EQUAL(first.tcp.state, AG_TCP_OPEN);
}

static void lookups_that_nobody_waits_for_do_not_use_up_the_table(void)
{
    world_run(reopen_while_looking_up);
}

static void open_thousand(void)
{
    world.tcp_echoes = true;
    start();
    world_pass(MINUTE); // the lookup of the name is forgotten
    const uint32_t memory = world_memory_in_use();
    for (int i = 0; i < 1000; i++) {
        first = (struct pipe_end){ 0 };
        world.tcp_wants_fin = i % 3 == 0;
        ag_tcp_open(&first.tcp, i % 2 == 0 ? "hub.test" : "10.0.2.5", PORT);
        exchange(&first, 500, i % 5 == 0 ? 0 : 500, 5000);
        if (i % 5 != 0 && !world.tcp_wants_fin)
            CHECK_BYTES(received, pattern, 500);
        if (i % 7 == 0)
            world_reset(world_peer(PORT));
        ag_tcp_close(&first.tcp);
    }
    world_pass(5 * MINUTE);
    CHECK_EQUAL(world_memory_in_use(), memory);
    CHECK_EQUAL(world_buffers_in_use(), 0);
    CHECK(world.tcp_syns >= 1000 && world.tcp_syns < 1100);
}

static void a_thousand_connections_leave_nothing_behind(void)
{
    world_run(open_thousand);
}

// Windows.

static void leave_unread(void)
{
    world.tcp_out = pattern;
    world.tcp_out_size = BULK;
    start();
    connect_first();
    world_pass(5 * MINUTE);
    CHECK(world_peer(PORT)->nxt - world_peer(PORT)->start <= TCP_WND + 1);
    CHECK(world_buffers_in_use() * 256 >= TCP_WND);
    CHECK_EQUAL(world.no_buffer, 0);
    for (size_t size = 1; first.got < BULK; size = (size * 2 + 1) % 7001) { // in many sizes
        read_some(&first, first.got + size < BULK ? first.got + size : BULK);
        world_turn(1000);
    }
    CHECK_BYTES(received, pattern, BULK);
    CHECK_EQUAL(world_buffers_in_use(), 0);
}

static void what_is_not_read_stays_within_the_window(void)
{
    world_run(leave_unread);
}

static void write_to_slow_peer(void)
{
    start();
    connect_first();
    world.tcp_window = 0;
    world_acknowledge(world_peer(PORT));
    world_pass(10);
    write_some(&first, BULK);
    CHECK(first.sent > 0 && first.sent <= TCP_SND_BUF);
    for (int i = 0; i < 10; i++) {
        world_pass(MINUTE);
        CHECK_EQUAL(write_status(), AG_ERR_AGAIN);
    }
    CHECK_EQUAL(world_peer(PORT)->in_size, 0);
    world.tcp_window = 300;
    world_acknowledge(world_peer(PORT));
    exchange(&first, BULK, 0, 10 * MINUTE);
    world_pass(MINUTE);
    CHECK_EQUAL(world_peer(PORT)->in_size, BULK);
    CHECK_BYTES(world_peer(PORT)->in, pattern, BULK);
    CHECK_EQUAL(world.tcp_overruns, 0);
}

// The heap is full of what was written when the windows open, and only a little: lwIP must be able
// to split a segment.
static void write_to_two_slow_peers(void)
{
    static struct pipe_end second;
    start();
    connect_first();
    ag_tcp_open(&second.tcp, "hub.test", PORT + 1);
    world_pass(100);
    world.tcp_window = 0;
    world_acknowledge(world_peer(PORT));
    world_acknowledge(world_peer(PORT + 1));
    world_pass(10);
    write_some(&first, BULK);
    write_some(&second, BULK);
    CHECK(first.sent > 0 && second.sent > 0);
    world_pass(MINUTE);
    world.tcp_window = 300;
    world_acknowledge(world_peer(PORT));
    world_acknowledge(world_peer(PORT + 1));
    exchange(&second, 20000, 0, 10 * MINUTE);
    exchange(&first, 20000, 0, 10 * MINUTE);
    world_pass(MINUTE);
    CHECK(world_peer(PORT) && world_peer(PORT)->in_size == 20000);
    CHECK(world_peer(PORT + 1) && world_peer(PORT + 1)->in_size == 20000);
}

static void a_slow_peer_makes_us_wait(void)
{
    world_run(write_to_slow_peer);
    world_run(write_to_two_slow_peers);
}

static void read_one_of_two(void)
{
    static struct pipe_end second;
    world.tcp_out = pattern;
    world.tcp_out_size = BULK;
    start();
    connect_first(); // never read
    world.tcp_out_size = 0;
    world.tcp_echoes = true;
    ag_tcp_open(&second.tcp, "hub.test", PORT + 1);
    exchange(&second, BULK, BULK, MINUTE);
    CHECK_EQUAL(second.got, BULK);
    CHECK_BYTES(received, pattern, BULK);
    CHECK_EQUAL(first.got, 0);
    CHECK_EQUAL(world.no_buffer, 0);
    CHECK(world_memory_in_use() < MEM_SIZE);
}

static void a_connection_that_is_not_read_does_not_hinder_another(void)
{
    world_run(read_one_of_two);
}

// Trouble.

static uint32_t seed;
static uint32_t failing;

static void echo_over_bad_wire(void)
{
    world.random = seed;
    world.tcp_echoes = true;
    start();
    world.drop = 20 * (seed % 5);
    world.twice = 20 * (seed % 3);
    world.swap = 20 * (seed % 7);
    world.tcp_piece = seed % 2 == 0 ? 1460 : 100;
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    check_echo(60 * (uint64_t)MINUTE);
    ag_tcp_close(&first.tcp);
    world_pass(5 * MINUTE);
    CHECK_EQUAL(world_buffers_in_use(), 0);
}

static void frames_that_are_lost_doubled_or_swapped_do_not_matter(void)
{
    for (seed = 1; seed <= 40; seed++) {
        test_note("seed %u", (unsigned)seed);
        world_run(echo_over_bad_wire);
    }
}

static void echo_garbled(void)
{
    world.random = seed;
    start();
    world.tcp_out = pattern;
    world.tcp_out_size = BULK;
    world.garble = 300;
    for (int i = 0; i < 20; i++) {
        first = (struct pipe_end){ 0 };
        ag_tcp_open(&first.tcp, "10.0.2.5", PORT);
        exchange(&first, 5000, 20000, 20000);
        ag_tcp_close(&first.tcp);
    }
    world.garble = 0;
    world_pass(5 * MINUTE);
    CHECK_EQUAL(world_buffers_in_use(), 0);
    first = (struct pipe_end){ 0 };
    world.tcp_out = NULL;
    world.tcp_out_size = 0;
    world.tcp_echoes = true;
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    check_echo(5 * MINUTE);
}

static void garbled_segments_do_no_lasting_harm(void)
{
    for (seed = 1; seed <= 20; seed++) {
        test_note("seed %u", (unsigned)seed);
        world_run(echo_garbled);
    }
}

static void echo_with_failure(void)
{
    enum {
        SIZE = 8000
    };
    world.tcp_echoes = true;
    start();
    world_pass(MINUTE);
    const uint32_t memory = world_memory_in_use();
    world.allocations = 0;
    world.fail_at = failing;
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    exchange(&first, SIZE, SIZE, 5 * MINUTE);
    CHECK_EQUAL(first.status, AG_OK);
    CHECK_EQUAL(first.got, SIZE);
    CHECK_BYTES(received, pattern, SIZE);
    ag_tcp_close(&first.tcp);
    world_pass(5 * MINUTE);
    CHECK_EQUAL(world_memory_in_use(), memory);
    CHECK(world.allocations >= 40 && world.allocations < 200);
}

static void any_single_allocation_may_fail(void)
{
    for (failing = 0; failing < 200; failing++) {
        test_note("allocation %u", (unsigned)failing);
        world_run(echo_with_failure);
    }
}

static void echo_with_outages(void)
{
    world.tcp_echoes = true;
    start();
    world.fails_always = true;
    ag_tcp_open(&first.tcp, "hub.test", PORT);
    for (int i = 0; i < 1000 && (first.got < BULK || first.sent < BULK); i++) {
        exchange(&first, BULK, BULK, 100 + world_random() % 500);
        CHECK_EQUAL(first.status, AG_OK);
        world.fails_always = !world.fails_always;
    }
    world.fails_always = false;
    check_echo(MINUTE);
}

static void memory_that_is_short_makes_us_wait_and_loses_nothing(void)
{
    world_run(echo_with_outages);
}

static const struct test_case cases[] = {
    TEST(bytes_go_both_ways),
    TEST(an_address_needs_no_dns),
    TEST(a_connection_waits_for_the_network),
    TEST(names_that_cannot_be_resolved_are_told),
    TEST(a_peer_that_refuses_or_ignores_us_is_told),
    TEST(the_end_of_a_connection_comes_after_its_bytes),
    TEST(what_was_written_arrives_though_it_is_closed_at_once),
    TEST(closing_to_a_dead_peer_gives_up_and_hinders_nobody),
    TEST(a_connection_can_be_closed_at_any_time),
    TEST(lookups_that_nobody_waits_for_do_not_use_up_the_table),
    TEST(a_thousand_connections_leave_nothing_behind),
    TEST(what_is_not_read_stays_within_the_window),
    TEST(a_slow_peer_makes_us_wait),
    TEST(a_connection_that_is_not_read_does_not_hinder_another),
    TEST(frames_that_are_lost_doubled_or_swapped_do_not_matter),
    TEST(garbled_segments_do_no_lasting_harm),
    TEST(any_single_allocation_may_fail),
    TEST(memory_that_is_short_makes_us_wait_and_loses_nothing),
};

TEST_MAIN(cases)
