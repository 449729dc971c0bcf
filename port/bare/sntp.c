// SPDX-License-Identifier: Apache-2.0
// The client of SNTP. Every question has its own deadline, at which the next one is asked, so that
// nothing that is lost or late (a lookup, a packet, an answer) can stop it.
//
// Own, since lwIP's takes the time of day as the number that an answer must repeat, which is zero
// where there is no clock, and takes any time.
#include "port/bare/sntp.h"

#include <string.h>

#include <lwip/dns.h>
#include <lwip/udp.h>

#include "platform/board.h"
#include "port/bare/machine.h"
#include "port/bare/net.h"

enum {
    MESSAGE_SIZE = 48,
    LEAP_UNKNOWN = 3, // the server has no time itself
    VERSION = 4,
    MODE_CLIENT = 3,
    MODE_SERVER = 4,
    STRATUM_MAX = 15, // 0: a kiss of death
    AT_STRATUM = 1,
    AT_ORIGINATE = 24,
    AT_TRANSMIT = 40,
    NONCE_SIZE = 8,
    PORT = 123,
    FIRST_PAUSE_MS = 4000, // doubled with every question that brings no time
    LONGEST_PAUSE_MS = 3600000,
    RENEW_MS = 6 * 3600000, // a crystal of 50 ppm is a second off by then
};

// 2026-01-01 UTC, before any release: an earlier time is certainly wrong.
#define EARLIEST_S INT64_C(1767225600)
// From 1900 and, for numbers without the highest bit, from 2036-02-07 to 1970.
#define ERA_0_S INT64_C(2208988800)
#define ERA_1_S INT64_C(-2085978496)

static const char *server;
static uint16_t server_port;
static struct udp_pcb *pcb;
static uint64_t due_ms; // of the next question; UINT64_MAX: never
static uint32_t pause_ms = FIRST_PAUSE_MS;
static bool has_time;
static bool is_looking_up;
static bool expects_answer;
static uint8_t nonce[NONCE_SIZE];

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void on_answer(void *argument, struct udp_pcb *from, struct pbuf *packet,
                      const ip_addr_t *address, u16_t port)
{
    uint8_t message[MESSAGE_SIZE];
    const bool is_whole = pbuf_copy_partial(packet, message, sizeof message, 0) == sizeof message;
    (void)argument;
    (void)from;
    (void)address; // and port: the connection is with the server alone
    (void)port;
    pbuf_free(packet);
    if (!expects_answer || !is_whole || (message[0] & 7) != MODE_SERVER ||
        memcmp(message + AT_ORIGINATE, nonce, sizeof nonce) != 0)
        return;
    expects_answer = false;
    if (message[AT_STRATUM] == 0) { // a kiss of death: it wants to be left alone
        pause_ms = LONGEST_PAUSE_MS;
        due_ms = ag_machine_uptime_ms() + pause_ms;
        return;
    }
    const uint32_t seconds = read_u32(message + AT_TRANSMIT);
    const int64_t unix_s = (int64_t)seconds - (seconds >> 31 ? ERA_0_S : ERA_1_S);
    if (message[AT_STRATUM] > STRATUM_MAX || message[0] >> 6 == LEAP_UNKNOWN || unix_s < EARLIEST_S)
        return;
    has_time = true;
    pause_ms = FIRST_PAUSE_MS;
    due_ms = ag_machine_uptime_ms() + RENEW_MS;
    ag_net_on_time(unix_s);
}

static void ask(const ip_addr_t *address)
{
    struct pbuf *packet = pbuf_alloc(PBUF_TRANSPORT, MESSAGE_SIZE, PBUF_RAM);
    if (!packet)
        return;
    if (udp_connect(pcb, address, server_port) == ERR_OK) {
        uint8_t *message = packet->payload;
        memset(message, 0, MESSAGE_SIZE);
        message[0] = VERSION << 3 | MODE_CLIENT;
        ag_board_random(nonce, sizeof nonce);
        memcpy(message + AT_TRANSMIT, nonce, sizeof nonce);
        expects_answer = udp_send(pcb, packet) == ERR_OK;
    }
    pbuf_free(packet);
}

static void on_found(const char *name, const ip_addr_t *address, void *argument)
{
    (void)name;
    (void)argument;
    is_looking_up = false;
    if (address)
        ask(address);
}

void ag_sntp_start(const char *server_name, uint16_t port)
{
    server = server_name;
    server_port = port != 0 ? port : PORT;
    due_ms = server ? 0 : UINT64_MAX;
}

void ag_sntp_poll(uint64_t now_ms)
{
    ip_addr_t address;
    if (now_ms < due_ms)
        return;
    due_ms = now_ms + pause_ms;
    pause_ms = pause_ms < LONGEST_PAUSE_MS / 2 ? 2 * pause_ms : LONGEST_PAUSE_MS;
    expects_answer = false;
    if (!pcb) {
        pcb = udp_new();
        if (!pcb)
            return;
        udp_recv(pcb, on_answer, NULL);
    }
    if (is_looking_up)
        return;
    const err_t error = dns_gethostbyname(server, &address, on_found, NULL);
    is_looking_up = error == ERR_INPROGRESS;
    if (error == ERR_OK)
        ask(&address);
}

uint64_t ag_sntp_due_ms(void)
{
    return due_ms;
}

bool ag_sntp_has_time(void)
{
    return has_time;
}
