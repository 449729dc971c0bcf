// SPDX-License-Identifier: Apache-2.0
// The network of a board without an operating system: addresses, DNS servers and time, over lwIP
// and a made-up network.
#include <string.h>

#include <lwip/dns.h>
#include <lwip/stats.h>

#include "port/bare/net.h"
#include "test/harness.h"
#include "test/unit/bare/world.h"

enum {
    MINUTE = 60000,
    HOUR = 60 * MINUTE,
};

static const struct ag_net_config by_dhcp = { .host_name = "device-1" };

static struct ag_net_status status_now(void)
{
    struct ag_net_status status;
    ag_net_status(&status);
    return status;
}

// Passes time until the network is up; the milliseconds that it took.
static uint64_t wait_until_up(uint64_t most_ms)
{
    const uint64_t start_ms = world.now_ms;
    while (!ag_net_is_up() && world.now_ms < start_ms + most_ms)
        world_turn(100);
    CHECK(ag_net_is_up());
    return world.now_ms - start_ms;
}

static ip_addr_t found_address;
static int found_count;

static void on_found(const char *name, const ip_addr_t *address, void *argument)
{
    (void)name;
    (void)argument;
    found_count++;
    if (address)
        found_address = *address;
}

// Addresses.

static void come_up(void)
{
    world_start(&by_dhcp);
    CHECK_EQUAL(status_now().state, AG_NET_DOWN);
    world_turn(1);
    CHECK_EQUAL(status_now().state, AG_NET_WAITS);
    CHECK_TEXT(status_now().address, "");
    CHECK(wait_until_up(1000) <= 1000);
    const struct ag_net_status status = status_now();
    CHECK_EQUAL(status.state, AG_NET_UP);
    CHECK_TEXT(status.address, "10.0.2.15");
    CHECK_TEXT(status.gateway, "10.0.2.2");
    CHECK_TEXT(status.dns, "10.0.2.3");
    CHECK_EQUAL(status.sent, world.sent);
    CHECK_EQUAL(status.received, 2);
    CHECK_EQUAL(status.dropped, 0);
    CHECK(status.heap_peak > 300 && status.buffers_peak == 2 * 256);
    CHECK_EQUAL(world.bad, 0);
}

static void dhcp_gives_an_address(void)
{
    world_run(come_up);
}

static void wait_for_cable(void)
{
    world.has_link = false;
    world_start(&by_dhcp);
    world_pass(HOUR);
    CHECK_EQUAL(status_now().state, AG_NET_DOWN);
    CHECK_EQUAL(world.sent, 0);
    world.has_link = true;
    CHECK(wait_until_up(2000) <= 2000);
}

static void without_a_cable_nothing_is_sent_and_with_it_all_begins(void)
{
    world_run(wait_for_cable);
}

static void wait_for_server(void)
{
    world.dhcp_is_dead = true;
    world_start(&by_dhcp);
    world_pass(24 * (uint64_t)HOUR);
    CHECK_EQUAL(status_now().state, AG_NET_WAITS);
    CHECK(world.dhcp_discovers > 1000 && world.dhcp_discovers < 2000);
    world.dhcp_is_dead = false;
    CHECK(wait_until_up(61000) <= 61000);
}

static void a_dhcp_server_that_is_late_is_asked_for_ever(void)
{
    world_run(wait_for_server);
}

static void renew(void)
{
    world.dhcp_lease_s = 600;
    world_start(&by_dhcp);
    wait_until_up(1000);
    for (int i = 0; i < 120; i++) {
        world_pass(MINUTE);
        CHECK(ag_net_is_up());
    }
    CHECK_EQUAL(world.dhcp_discovers, 1);
    CHECK(world.dhcp_requests >= 20 && world.dhcp_requests <= 30);
}

static void a_lease_is_renewed_at_half_time(void)
{
    world_run(renew);
}

static void lose_lease(void)
{
    world.dhcp_lease_s = 600;
    world_start(&by_dhcp);
    wait_until_up(1000);
    world.dhcp_is_dead = true;
    world_pass(8 * MINUTE);
    CHECK(ag_net_is_up());
    world_pass(4 * MINUTE);
    CHECK_EQUAL(status_now().state, AG_NET_WAITS);
    CHECK_TEXT(status_now().address, "");
    world.dhcp_is_dead = false;
    world.dhcp_address = WORLD_GUEST + 1;
    wait_until_up(61000);
    CHECK_TEXT(status_now().address, "10.0.2.16");
}

static void an_address_whose_lease_ran_out_is_given_up(void)
{
    world_run(lose_lease);
}

static void be_refused(void)
{
    world.dhcp_lease_s = 600;
    world_start(&by_dhcp);
    wait_until_up(1000);
    world.dhcp_refuses = true;
    world_pass(6 * MINUTE);
    CHECK(!ag_net_is_up());
    world.dhcp_refuses = false;
    world.dhcp_address = WORLD_GUEST + 1;
    wait_until_up(61000);
    CHECK_TEXT(status_now().address, "10.0.2.16");
}

static void an_address_that_the_server_takes_back_is_given_up(void)
{
    world_run(be_refused);
}

static void unplug(void)
{
    world_start(&by_dhcp);
    wait_until_up(1000);
    world.has_link = false;
    world_pass(MINUTE);
    CHECK_EQUAL(status_now().state, AG_NET_DOWN);
    const uint32_t requests = world.dhcp_requests;
    world.has_link = true;
    world_pass(1000);
    CHECK_EQUAL(status_now().state, AG_NET_UP);
    CHECK_EQUAL(world.dhcp_requests, requests + 1);
    CHECK_EQUAL(world.dhcp_discovers, 1);
}

static void a_cable_that_was_out_makes_dhcp_ask_for_the_same_address(void)
{
    world_run(unplug);
}

static void be_static(void)
{
    const struct ag_net_config config = { .address = "10.0.2.15/24",
                                          .gateway = "10.0.2.2",
                                          .dns = "10.0.2.4" };
    world_start(&config);
    world_pass(HOUR);
    CHECK_EQUAL(status_now().state, AG_NET_UP);
    CHECK_TEXT(status_now().address, "10.0.2.15");
    CHECK_TEXT(status_now().gateway, "10.0.2.2");
    CHECK_TEXT(status_now().dns, "10.0.2.4");
    CHECK_EQUAL(world.dhcp_discovers, 0);
}

static void a_provisioned_address_needs_no_dhcp(void)
{
    world_run(be_static);
}

static const char *network;

static void ask_afar(void)
{
    const struct ag_net_config config = { .address = network,
                                          .gateway = "10.0.2.2",
                                          .dns = "10.0.3.4" };
    ip_addr_t address;
    world_start(&config);
    world_pass(100);
    (void)dns_gethostbyname("hub.test", &address, on_found, NULL);
    world_pass(100);
    CHECK_EQUAL(world.last_arp,
                strcmp(network, "10.0.2.15/24") == 0 ? WORLD_GATEWAY : WORLD_GATEWAY + 0x102);
}

static void what_is_outside_the_network_goes_by_the_gateway(void)
{
    network = "10.0.2.15/24";
    world_run(ask_afar);
    network = "10.0.2.15/23";
    world_run(ask_afar);
}

static struct ag_net_config malformed;

static void be_malformed(void)
{
    CHECK_EQUAL(ag_net_start(&malformed), AG_ERR_CONFIG);
    wait_until_up(1000);
    CHECK_TEXT(status_now().address, "10.0.2.15");
    CHECK_TEXT(status_now().gateway, "10.0.2.2");
    CHECK_TEXT(status_now().dns, "10.0.2.3");
    CHECK_EQUAL(world.bad, 0);
}

static void with_a_malformed_address_all_are_dhcps(void)
{
    static const char *const bad[] = {
        "",
        "10.0.2.15",
        "10.0.2.15/",
        "10.0.2.15/0",
        "10.0.2.15/31",
        "10.0.2/24",
        "10.0.2.15.1/8",
        "10.0.2.256/24",
        "10.0.2.-1/24",
        "10.0.2.15/24/1",
        "10.0.2.1x/8",
        " 10.0.2.15/24",
        "10..2.15/24",
        "0x0a.0.2.15/8",
        "10.0.2.15/24 ",
    };
    static const char *const bad_plain[] = { "", "10.0.2", "10.0.2.2/24", "dns.test", "10.0.2.2." };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("%s", bad[i]);
        malformed = (struct ag_net_config){ .address = bad[i], .dns = "10.0.2.4" };
        world_run(be_malformed);
    }
    for (size_t i = 0; i < sizeof bad_plain / sizeof bad_plain[0]; i++) {
        test_note("%s", bad_plain[i]);
        malformed = (struct ag_net_config){ .address = "10.0.2.99/24", .gateway = bad_plain[i] };
        world_run(be_malformed);
        malformed = (struct ag_net_config){ .address = "10.0.2.99/24", .dns = bad_plain[i] };
        world_run(be_malformed);
    }
}

// DNS servers.

static void look_up(const char *name)
{
    ip_addr_t address;
    CHECK_EQUAL(dns_gethostbyname(name, &address, on_found, NULL), ERR_INPROGRESS);
}

static void ask_own_dns(void)
{
    const struct ag_net_config config = { .dns = "10.0.2.4", .dns_port = 5353 };
    world.dns_port = 5353;
    world.dhcp_lease_s = 120;
    world_start(&config);
    wait_until_up(1000);
    for (int i = 0; i < 5; i++) {
        CHECK_TEXT(status_now().dns, "10.0.2.4");
        look_up("hub.test");
        world_pass(5 * MINUTE); // the lease is renewed
        CHECK_EQUAL(found_count, i + 1);
        CHECK_EQUAL(world.own_dns_questions, (uint32_t)i + 1);
    }
    CHECK_EQUAL(lwip_ntohl(found_address.addr), WORLD_SERVER);
    CHECK_EQUAL(world.dns_questions, 0);
    world.own_dns_is_dead = true; // that of DHCP comes second
    look_up("hub.test");
    world_pass(20000);
    CHECK_EQUAL(found_count, 6);
    CHECK_EQUAL(world.dns_questions, 1);
}

static void a_provisioned_dns_server_goes_before_that_of_dhcp(void)
{
    world_run(ask_own_dns);
}

static void ask_again(void)
{
    world.dns_ttl_s = 7 * 24 * 3600;
    world_start(&by_dhcp);
    wait_until_up(1000);
    look_up("hub.test");
    world_pass(MINUTE);
    look_up("hub.test"); // CHECKs that it is not known
    world_pass(1000);
    CHECK_EQUAL(world.dns_questions, 2);
}

static void an_answer_is_not_kept_for_long(void)
{
    world_run(ask_again);
}

// Time.

static const struct ag_net_config with_time = { .time_server = "10.0.2.5" };

static void learn_time(void)
{
    world_start(&with_time);
    wait_until_up(1000);
    CHECK(!status_now().has_time);
    world_pass(100);
    CHECK(status_now().has_time);
    CHECK_EQUAL(world.time, 1800000000);
    world_pass(24 * (uint64_t)HOUR);
    CHECK_EQUAL(world.times, 5);
    CHECK_EQUAL(world.sntp_questions, 5);
    CHECK_EQUAL(world.bad, 0);
}

static void sntp_tells_the_time_and_again_every_six_hours(void)
{
    world_run(learn_time);
}

static void learn_time_by_name(void)
{
    const struct ag_net_config config = { .time_server = "time.test" };
    world.dns_is_dead = true;
    world_start(&config);
    world_pass(MINUTE);
    CHECK_EQUAL(world.time, 0);
    world.dns_is_dead = false;
    world_pass(2 * MINUTE);
    CHECK_EQUAL(world.time, 1800000000);
}

static void a_time_server_has_a_name(void)
{
    world_run(learn_time_by_name);
}

static void learn_time_twice(void)
{
    world_start(&with_time);
    wait_until_up(1000);
    world.twice = 1000;
    world_pass(2000);
    CHECK_EQUAL(world.times, 1);
}

static void an_answer_counts_once(void)
{
    world_run(learn_time_twice);
}

static void learn_far_time(void)
{
    world.sntp_seconds = 1; // 2036-02-07, when the count of seconds begins again
    world_start(&with_time);
    world_pass(2000);
    CHECK_EQUAL(world.time, INT64_C(2085978497));
}

static void time_goes_on_in_2036(void)
{
    world_run(learn_far_time);
}

static uint32_t sntp_limit; // of questions in an hour

static void be_lied_to(void)
{
    world_start(&with_time);
    world_pass(HOUR);
    CHECK_EQUAL(world.times, 0);
    CHECK(!status_now().has_time);
    CHECK(world.sntp_questions >= 1 && world.sntp_questions <= sntp_limit);
}

static void be_lied_to_by_the_past(void)
{
    world.sntp_seconds = 1767225599u + 2208988800u; // one second before 2026
    be_lied_to();
}

static void be_lied_to_by_a_forgetful(void)
{
    world.sntp_forgets = true;
    be_lied_to();
}

static void be_lied_to_by_another(void)
{
    world.sntp_spoofs = true;
    be_lied_to();
}

static void be_lied_to_by_a_client(void)
{
    world.sntp_first = 0x23;
    be_lied_to();
}

static void be_lied_to_without_a_clock(void)
{
    world.sntp_first = 0xe4;
    be_lied_to();
}

static void be_lied_to_from_afar(void)
{
    world.sntp_stratum = 16;
    be_lied_to();
}

static void be_lied_to_in_short(void)
{
    world.sntp_missing = 1;
    be_lied_to();
}

static void be_lied_to_by_silence(void)
{
    world.sntp_is_dead = true;
    be_lied_to();
    world.sntp_is_dead = false; // it is asked for ever
    world_pass(HOUR + MINUTE);
    CHECK_EQUAL(world.time, 1800000000);
}

static void implausible_answers_are_refused_and_asked_for_less_and_less(void)
{
    sntp_limit = 11;
    world_run(be_lied_to_by_the_past);
    world_run(be_lied_to_by_a_forgetful);
    world_run(be_lied_to_by_another);
    world_run(be_lied_to_by_a_client);
    world_run(be_lied_to_without_a_clock);
    world_run(be_lied_to_from_afar);
    world_run(be_lied_to_in_short);
    world_run(be_lied_to_by_silence);
}

static void be_kissed(void)
{
    world.sntp_stratum = 0;
    be_lied_to();
}

static void a_kiss_of_death_silences_for_an_hour(void)
{
    sntp_limit = 1;
    world_run(be_kissed);
}

// Trouble.

static void idle(void)
{
    world_start(&with_time);
    world_pass(MINUTE);
    const uint32_t memory = world_memory_in_use();
    const uint32_t turns = world.turns;
    world_pass(24 * (uint64_t)HOUR);
    CHECK(ag_net_is_up());
    CHECK_EQUAL(world_memory_in_use(), memory);
    CHECK_EQUAL(world_buffers_in_use(), 0);
    CHECK(world.turns - turns < 24 * 3600 * 5); // it sleeps
}

static void a_day_of_nothing_leaks_nothing(void)
{
    world_run(idle);
}

// The allocation that fails, counted from the start on; 0: none does.
static uint32_t failing;

static void come_up_without_memory(void)
{
    world_start(&(struct ag_net_config){ .time_server = "time.test" });
    world.allocations = 0;
    world.fail_at = failing;
    world_pass(2 * MINUTE);
    CHECK(ag_net_is_up());
    CHECK_EQUAL(world.time, 1800000000);
    CHECK_EQUAL(world_buffers_in_use(), 0);
    if (failing == 0)
        CHECK(world.allocations >= 8 && world.allocations < 60);
}

static void every_single_allocation_may_fail(void)
{
    for (failing = 0; failing < 60; failing++) {
        test_note("allocation %u", (unsigned)failing);
        world_run(come_up_without_memory);
    }
}

static uint32_t seed;

static void be_sent_garbage(void)
{
    world.random = seed;
    world.garble = 600;
    world.dhcp_lease_s = 120;
    world_start(&(struct ag_net_config){ .time_server = "time.test" });
    for (int i = 0; i < 300; i++) {
        uint8_t frame[WORLD_FRAME];
        ip_addr_t address;
        const size_t size = world_random() % 100;
        for (size_t k = 0; k < size; k++)
            frame[k] = (uint8_t)world_random();
        memcpy(frame, "\2\0\0\0\0\17\2\0\0\0\0\2\x08", 13);
        frame[13] = world_random() % 2 == 0 ? 0 : 6; // IP or ARP
        world_inject(frame, size < 14 ? 14 : size);
        (void)dns_gethostbyname("hub.test", &address, on_found, NULL);
        world_pass(10000);
    }
    world.garble = 0;
    world_pass(4 * (uint64_t)HOUR);
    CHECK(ag_net_is_up());
    CHECK_TEXT(status_now().address, "10.0.2.15");
    CHECK(world.time != 0);
    CHECK_EQUAL(world_buffers_in_use(), 0);
    CHECK(found_count > 0);
}

static void garbage_does_no_lasting_harm(void)
{
    for (seed = 1; seed <= 20; seed++) {
        test_note("seed %u", (unsigned)seed);
        world_run(be_sent_garbage);
    }
}

static const struct test_case cases[] = {
    TEST(dhcp_gives_an_address),
    TEST(without_a_cable_nothing_is_sent_and_with_it_all_begins),
    TEST(a_dhcp_server_that_is_late_is_asked_for_ever),
    TEST(a_lease_is_renewed_at_half_time),
    TEST(an_address_whose_lease_ran_out_is_given_up),
    TEST(an_address_that_the_server_takes_back_is_given_up),
    TEST(a_cable_that_was_out_makes_dhcp_ask_for_the_same_address),
    TEST(a_provisioned_address_needs_no_dhcp),
    TEST(what_is_outside_the_network_goes_by_the_gateway),
    TEST(with_a_malformed_address_all_are_dhcps),
    TEST(a_provisioned_dns_server_goes_before_that_of_dhcp),
    TEST(an_answer_is_not_kept_for_long),
    TEST(sntp_tells_the_time_and_again_every_six_hours),
    TEST(a_time_server_has_a_name),
    TEST(an_answer_counts_once),
    TEST(time_goes_on_in_2036),
    TEST(implausible_answers_are_refused_and_asked_for_less_and_less),
    TEST(a_kiss_of_death_silences_for_an_hour),
    TEST(a_day_of_nothing_leaks_nothing),
    TEST(every_single_allocation_may_fail),
    TEST(garbage_does_no_lasting_harm),
};

TEST_MAIN(cases)
