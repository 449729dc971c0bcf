// SPDX-License-Identifier: Apache-2.0
// The machine, the wire, and the small servers of the made-up network.
#include "test/unit/bare/world.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/memp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/stats.h>

#include "platform/board.h"
#include "port/bare/machine.h"
#include "test/harness.h"
#include "test/unit/bare/world_wire.h"

struct world world;

struct frame {
    uint64_t due_ms;
    size_t size;
    uint8_t bytes[WORLD_FRAME];
};

enum {
    QUEUE_SIZE = 512,
    WIRE_MS = 1,
};

// Frames on their way to the guest, by their time.
static struct frame queue[QUEUE_SIZE];
static size_t queue_count;
static struct frame kept; // waits for the next one, which goes before it
static const uint8_t server_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 15 };

uint32_t world_random(void)
{
    world.random = world.random * 1664525u + 1013904223u;
    return world.random >> 8;
}

static bool happens(uint32_t of_1000)
{
    return world_random() % 1000 < of_1000;
}

// Allocations of lwIP: the linker leads them here.

void *__real_mem_malloc(mem_size_t size);
void *__wrap_mem_malloc(mem_size_t size);
void *__real_memp_malloc(memp_t pool);
void *__wrap_memp_malloc(memp_t pool);

static bool allocation_fails(void)
{
    world.allocations++;
    return world.fails_always || world.allocations == world.fail_at;
}

void *__wrap_mem_malloc(mem_size_t size)
{
    return allocation_fails() ? NULL : __real_mem_malloc(size);
}

void *__wrap_memp_malloc(memp_t pool)
{
    // Timers: there are exactly as many as lwIP has uses for.
    return pool != MEMP_SYS_TIMEOUT && allocation_fails() ? NULL : __real_memp_malloc(pool);
}

uint32_t world_buffers_in_use(void)
{
    return lwip_stats.memp[MEMP_PBUF_POOL]->used;
}

uint32_t world_memory_in_use(void)
{
    uint32_t sum = lwip_stats.mem.used;
    for (int i = 0; i < MEMP_MAX; i++) {
        if (i != MEMP_SYS_TIMEOUT && i != MEMP_TCP_PCB)
            sum += lwip_stats.memp[i]->used;
    }
    return sum;
}

// Bytes of frames.

uint32_t wire_u16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

uint32_t wire_u32(const uint8_t *at)
{
    return wire_u16(at) << 16 | wire_u16(at + 2);
}

void wire_put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void wire_put_u32(uint8_t *at, uint32_t value)
{
    wire_put_u16(at, value >> 16);
    wire_put_u16(at + 2, value);
}

static uint32_t sum_up(uint32_t sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

// Of TCP or UDP, with the addresses of the IP header before it.
static uint32_t sum_of_payload(const uint8_t *ip, const uint8_t *payload, size_t size)
{
    return sum_up(sum_up((uint32_t)size + ip[9], ip + 12, 8), payload, size);
}

static void enqueue(const struct frame *frame)
{
    size_t at = queue_count;
    CHECK(queue_count < QUEUE_SIZE);
    while (at > 0 && queue[at - 1].due_ms > frame->due_ms) {
        queue[at] = queue[at - 1];
        at--;
    }
    queue[at] = *frame;
    queue_count++;
}

void world_inject(const uint8_t *bytes, size_t size)
{
    struct frame frame = { .due_ms = world.now_ms + WIRE_MS, .size = size };
    memcpy(frame.bytes, bytes, size);
    enqueue(&frame);
}

static void put_on_wire(struct frame *frame)
{
    if (happens(world.drop))
        return;
    if (kept.size == 0 && happens(world.swap)) {
        kept = *frame;
        return;
    }
    enqueue(frame);
    if (happens(world.twice))
        enqueue(frame);
    if (kept.size > 0) {
        kept.due_ms = frame->due_ms;
        enqueue(&kept);
        kept.size = 0;
    }
}

static void send_ethernet(uint16_t type, const uint8_t *payload, size_t size, uint32_t late_ms)
{
    struct frame frame = { .due_ms = world.now_ms + WIRE_MS + late_ms, .size = 14 + size };
    memcpy(frame.bytes, guest_mac, 6);
    memcpy(frame.bytes + 6, server_mac, 6);
    wire_put_u16(frame.bytes + 12, type);
    memcpy(frame.bytes + 14, payload, size);
    put_on_wire(&frame);
}

static size_t garble(uint8_t *bytes, size_t size)
{
    for (uint32_t i = world_random() % 5; i > 0; i--)
        bytes[world_random() % size] = (uint8_t)world_random();
    return world_random() % 4 == 0 && size > 20 ? 20 + world_random() % (size - 20) : size;
}

void wire_send_ip(uint32_t from, uint32_t to, uint8_t protocol, uint8_t *payload, size_t size,
                  uint32_t late_ms)
{
    uint8_t packet[WORLD_FRAME - 14] = { 0x45 };
    CHECK(size + 20 <= sizeof packet);
    if (happens(world.garble))
        size = garble(payload, size);
    wire_put_u16(packet + 2, (uint32_t)size + 20);
    packet[8] = 64;
    packet[9] = protocol;
    wire_put_u32(packet + 12, from);
    wire_put_u32(packet + 16, to);
    wire_put_u16(packet + 10, ~sum_up(0, packet, 20));
    uint8_t *checksum = payload + (protocol == WIRE_TCP ? 16 : 6);
    wire_put_u16(checksum, 0);
    wire_put_u16(checksum, ~sum_of_payload(packet, payload, size));
    memcpy(packet + 20, payload, size);
    send_ethernet(0x0800, packet, size + 20, late_ms);
}

static void send_udp(uint32_t from, uint16_t port, uint32_t to, uint32_t to_port,
                     const uint8_t *payload, size_t size, uint32_t late_ms)
{
    uint8_t packet[600];
    CHECK(size + 8 <= sizeof packet);
    wire_put_u16(packet, port);
    wire_put_u16(packet + 2, to_port);
    wire_put_u16(packet + 4, (uint32_t)size + 8);
    memcpy(packet + 8, payload, size);
    wire_send_ip(from, to, WIRE_UDP, packet, size + 8, late_ms);
}

// The servers.

static void answer_arp(const uint8_t *arp)
{
    uint8_t answer[28];
    world.last_arp = wire_u32(arp + 24);
    if (wire_u16(arp + 6) != 1 || wire_u32(arp + 24) == world.dhcp_address)
        return;
    memcpy(answer, arp, sizeof answer);
    answer[7] = 2;
    memcpy(answer + 8, server_mac, 6);
    memcpy(answer + 14, arp + 24, 4);
    memcpy(answer + 18, arp + 8, 10);
    send_ethernet(0x0806, answer, sizeof answer, 0);
}

static uint8_t dhcp_type(const uint8_t *message, size_t size)
{
    for (size_t at = 240; at + 2 < size && message[at] != 255; at += 2u + message[at + 1]) {
        if (message[at] == 53)
            return message[at + 2];
    }
    return 0;
}

static void answer_dhcp(const uint8_t *message, size_t size)
{
    enum {
        DISCOVER = 1,
        OFFER,
        REQUEST,
        ACK = 5,
        NAK
    };
    uint8_t answer[300];
    const uint8_t type = dhcp_type(message, size);
    world.dhcp_discovers += type == DISCOVER;
    world.dhcp_requests += type == REQUEST;
    if (world.dhcp_is_dead || (type != DISCOVER && type != REQUEST))
        return;
    const bool is_refused = type == REQUEST && world.dhcp_refuses;
    const uint8_t kind = type == DISCOVER ? OFFER : is_refused ? NAK : ACK;
    memset(answer, 0, sizeof answer);
    memcpy(answer, message, 240);
    answer[0] = 2;
    wire_put_u32(answer + 16, is_refused ? 0 : world.dhcp_address);
    const uint8_t options[] = { 53, 1, kind, 54, 4, 10, 0, 2, 2,  1, 4, 255, 255, 255, 0,
                                3,  4, 10,   0,  2, 2,  6, 4, 10, 0, 2, 3,   51,  4 };
    memcpy(answer + 240, options, sizeof options);
    wire_put_u32(answer + 240 + sizeof options, world.dhcp_lease_s);
    answer[244 + sizeof options] = 255;
    send_udp(WORLD_GATEWAY, 67, 0xffffffff, 68, answer, sizeof answer, 0);
}

static void answer_dns(uint32_t server, uint32_t guest, const uint8_t *udp, size_t size)
{
    uint8_t answer[512];
    const bool is_own = server == WORLD_OWN_DNS;
    *(is_own ? &world.own_dns_questions : &world.dns_questions) += 1;
    if ((is_own ? world.own_dns_is_dead : world.dns_is_dead) || size < 8 + 17)
        return;
    size_t used = size - 8;
    memcpy(answer, udp + 8, used);
    wire_put_u16(answer + 2, world.dns_refuses ? 0x8183 : 0x8180);
    if (!world.dns_refuses) {
        wire_put_u16(answer + 6, 1);
        memcpy(answer + used, "\xc0\x0c\0\1\0\1", 6);
        wire_put_u32(answer + used + 6, world.dns_ttl_s);
        wire_put_u16(answer + used + 10, 4);
        wire_put_u32(answer + used + 12, WORLD_SERVER);
        used += 16;
    }
    send_udp(server, world.dns_port, guest, wire_u16(udp), answer, used, world.dns_late_ms);
}

static void answer_sntp(uint32_t server, uint32_t guest, const uint8_t *udp, size_t size)
{
    uint8_t answer[48] = { world.sntp_first, world.sntp_stratum };
    world.sntp_questions++;
    if (world.sntp_is_dead || size < 8 + 48)
        return;
    if (!world.sntp_forgets)
        memcpy(answer + 24, udp + 8 + 40, 8);
    wire_put_u32(answer + 40, world.sntp_seconds);
    send_udp(world.sntp_spoofs ? server + 1 : server, 123, guest, wire_u16(udp), answer,
             sizeof answer - world.sntp_missing, 0);
}

static void take_ip(const uint8_t *ip, size_t size)
{
    const uint32_t from = wire_u32(ip + 12);
    const uint32_t to = wire_u32(ip + 16);
    if (size < 20 || wire_u16(ip + 2) > size || sum_up(0, ip, 20) != 0xffff) {
        world.bad++;
        return;
    }
    const uint8_t *payload = ip + 20;
    const size_t left = wire_u16(ip + 2) - 20;
    const bool is_icmp = ip[9] != WIRE_TCP && ip[9] != WIRE_UDP;
    if ((is_icmp ? sum_up(0, payload, left) : sum_of_payload(ip, payload, left)) != 0xffff)
        world.bad++;
    else if (ip[9] == WIRE_TCP)
        wire_take_tcp(from, to, payload, left);
    else if (ip[9] == WIRE_UDP && wire_u16(payload + 2) == 67)
        answer_dhcp(payload + 8, left - 8);
    else if (ip[9] == WIRE_UDP && wire_u16(payload + 2) == world.dns_port)
        answer_dns(to, from, payload, left);
    else if (ip[9] == WIRE_UDP && wire_u16(payload + 2) == 123)
        answer_sntp(to, from, payload, left);
}

// The machine.

uint64_t ag_machine_uptime_ms(void)
{
    return world.now_ms;
}

bool ag_machine_net_has_link(void)
{
    return world.has_link;
}

void ag_board_random(void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)world_random();
}

void ag_net_on_time(int64_t seconds)
{
    world.time = seconds;
    world.times++;
}

static err_t send_frame(struct netif *netif, struct pbuf *packet)
{
    uint8_t frame[WORLD_FRAME];
    (void)netif;
    world.sent++;
    CHECK(world.has_link);
    CHECK(packet->tot_len <= sizeof frame);
    const size_t size = pbuf_copy_partial(packet, frame, sizeof frame, 0);
    if (happens(world.drop))
        return ERR_OK;
    if (wire_u16(frame + 12) == 0x0806)
        answer_arp(frame + 14);
    else
        take_ip(frame + 14, size - 14);
    return ERR_OK;
}

int8_t ag_machine_net_init(struct netif *netif)
{
    netif->linkoutput = send_frame;
    netif->output = etharp_output;
    netif->mtu = 1500;
    netif->hwaddr_len = sizeof guest_mac;
    memcpy(netif->hwaddr, guest_mac, sizeof guest_mac);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    return ERR_OK;
}

void ag_machine_net_poll(struct netif *netif)
{
    while (queue_count > 0 && queue[0].due_ms <= world.now_ms) {
        const struct frame frame = queue[0];
        queue_count--;
        memmove(queue, queue + 1, queue_count * sizeof queue[0]);
        if (!world.has_link)
            continue;
        struct pbuf *packet = pbuf_alloc(PBUF_RAW, (u16_t)frame.size, PBUF_POOL);
        if (!packet) {
            world.no_buffer++;
            LINK_STATS_INC(link.drop);
            continue;
        }
        pbuf_take(packet, frame.bytes, (u16_t)frame.size);
        if (netif->input(packet, netif) != ERR_OK)
            pbuf_free(packet);
    }
}

// The main loop.

void world_turn(uint64_t most_ms)
{
    ag_net_poll();
    wire_run_tcp();
    world.turns++;
    uint64_t wait_ms = ag_net_wait_ms();
    if (queue_count > 0)
        wait_ms = queue[0].due_ms <= world.now_ms            ? 0
                  : queue[0].due_ms - world.now_ms < wait_ms ? queue[0].due_ms - world.now_ms
                                                             : wait_ms;
    const uint64_t tcp_ms = wire_tcp_due_ms();
    if (tcp_ms < world.now_ms + wait_ms)
        wait_ms = tcp_ms > world.now_ms ? tcp_ms - world.now_ms : 0;
    wait_ms = wait_ms < most_ms ? wait_ms : most_ms;
    world.now_ms += wait_ms > 0 ? wait_ms : 1;
}

void world_pass(uint64_t ms)
{
    const uint64_t end_ms = world.now_ms + ms;
    while (world.now_ms < end_ms)
        world_turn(end_ms - world.now_ms);
}

void world_start(const struct ag_net_config *config)
{
    CHECK_EQUAL(ag_net_start(config), AG_OK);
}

static void reset_world(void)
{
    world = (struct world){
        .has_link = true,
        .random = 1,
        .dhcp_lease_s = 86400,
        .dhcp_address = WORLD_GUEST,
        .dns_port = 53,
        .dns_ttl_s = 60,
        .sntp_first = 0x24,
        .sntp_stratum = 2,
        .sntp_seconds = 1800000000u + 2208988800u, // 2027-01-15
        .tcp_window = 8192,
        .tcp_piece = 1460,
    };
}

void world_run(void (*run)(void))
{
    char why[1024] = "";
    int pipes[2];
    int state;
    CHECK(pipe(pipes) == 0);
    fflush(NULL);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        reset_world();
        const bool passed = test_try(run);
        if (!passed && write(pipes[1], test_why(), strlen(test_why())) < 0)
            _exit(2);
        _exit(passed ? 0 : 1);
    }
    close(pipes[1]);
    const ssize_t size = read(pipes[0], why, sizeof why - 1);
    close(pipes[0]);
    CHECK(waitpid(child, &state, 0) == child);
    if (state != 0)
        test_fail(__FILE__, __LINE__, "%s", size > 0 ? why : "the test's process died");
}
