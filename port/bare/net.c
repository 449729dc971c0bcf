// SPDX-License-Identifier: Apache-2.0
// One interface, its address, its DNS servers, its clock. Frames are counted on their way between
// lwIP and the machine.
#include "port/bare/net.h"

#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/stats.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "base/text.h"
#include "platform/board.h"
#include "port/bare/machine.h"
#include "port/bare/sntp.h"

enum {
    LINK_CHECK_MS = 500,
    PREFIX_MAX = 30, // bits: two of the addresses in a network are no host's
};

static struct netif interface;
static struct dhcp dhcp; // here, so that it is not in the middle of the heap
static netif_linkoutput_fn send_frame;
static ip4_addr_t own_dns; // as provisioned; any: none
static uint64_t link_check_ms;
static uint32_t sent_count;
static uint32_t received_count;

uint16_t ag_net_dns_port = 53;

// Called by lwIP.

uint32_t sys_now(void)
{
    return (uint32_t)ag_machine_uptime_ms();
}

uint32_t ag_net_random(void)
{
    uint32_t number;
    ag_board_random(&number, sizeof number);
    return number;
}

static err_t count_sent(struct netif *netif, struct pbuf *frame)
{
    sent_count++;
    return send_frame(netif, frame);
}

static err_t take_in(struct pbuf *frame, struct netif *netif)
{
    received_count++;
    return ethernet_input(frame, netif);
}

// Reads "192.168.1.7".
static bool read_address(struct ag_text text, ip4_addr_t *address)
{
    uint32_t bytes = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t byte;
        if (!ag_text_decimal(ag_text_split(&text, '.'), UINT8_MAX, &byte))
            return false;
        bytes = bytes << 8 | (uint32_t)byte;
    }
    address->addr = lwip_htonl(bytes);
    return text.at == NULL;
}

static bool read_network(const char *config, ip4_addr_t *address, ip4_addr_t *mask)
{
    struct ag_text text = ag_text_of(config);
    uint64_t prefix;
    if (!read_address(ag_text_split(&text, '/'), address) ||
        !ag_text_decimal(text, PREFIX_MAX, &prefix) || prefix == 0)
        return false;
    mask->addr = lwip_htonl(UINT32_MAX << (32 - prefix));
    return true;
}

// What is provisioned; false, and all of it zero, when one address is malformed.
static bool read_config(const struct ag_net_config *config, ip4_addr_t *address, ip4_addr_t *mask,
                        ip4_addr_t *gateway)
{
    if ((!config->address || read_network(config->address, address, mask)) &&
        (!config->gateway || read_address(ag_text_of(config->gateway), gateway)) &&
        (!config->dns || read_address(ag_text_of(config->dns), &own_dns)))
        return true;
    ip4_addr_set_zero(address);
    ip4_addr_set_zero(mask);
    ip4_addr_set_zero(gateway);
    ip4_addr_set_zero(&own_dns);
    return false;
}

enum ag_status ag_net_start(const struct ag_net_config *config)
{
    ip4_addr_t address = { 0 };
    ip4_addr_t mask = { 0 };
    ip4_addr_t gateway = { 0 };
    const bool is_sound = read_config(config, &address, &mask, &gateway);
    if (config->dns_port != 0)
        ag_net_dns_port = config->dns_port;
    lwip_init();
    if (!netif_add(&interface, &address, &mask, &gateway, NULL, ag_machine_net_init, take_in))
        return AG_ERR_INTERNAL;
    send_frame = interface.linkoutput;
    interface.linkoutput = count_sent;
    netif_set_hostname(&interface, config->host_name);
    netif_set_default(&interface);
    netif_set_link_down(&interface); // ag_net_poll looks
    netif_set_up(&interface);
    dns_setserver(0, &own_dns);
    ag_sntp_start(config->time_server, config->time_port);
    if (config->address && is_sound)
        return AG_OK;
    dhcp_set_struct(&interface, &dhcp);
    if (dhcp_start(&interface) != ERR_OK)
        return AG_ERR_INTERNAL;
    return is_sound ? AG_OK : AG_ERR_CONFIG;
}

static void watch_link(uint64_t now_ms)
{
    if (now_ms < link_check_ms)
        return;
    link_check_ms = now_ms + LINK_CHECK_MS;
    const bool has_link = ag_machine_net_has_link();
    if (has_link && !netif_is_link_up(&interface))
        netif_set_link_up(&interface); // DHCP begins, or asks for the address it had
    else if (!has_link && netif_is_link_up(&interface))
        netif_set_link_down(&interface);
}

// Every answer of a DHCP server puts its own DNS server first.
static void put_own_dns_first(void)
{
    if (ip4_addr_isany_val(own_dns) || ip_addr_cmp(dns_getserver(0), &own_dns))
        return;
    dns_setserver(1, dns_getserver(0));
    dns_setserver(0, &own_dns);
}

void ag_net_poll(void)
{
    const uint64_t now_ms = ag_machine_uptime_ms();
    watch_link(now_ms);
    ag_machine_net_poll(&interface);
    sys_check_timeouts();
    put_own_dns_first();
    if (ag_net_is_up())
        ag_sntp_poll(now_ms);
}

static uint32_t earlier(uint32_t wait_ms, uint64_t at_ms, uint64_t now_ms)
{
    if (at_ms <= now_ms)
        return 0;
    return at_ms - now_ms < wait_ms ? (uint32_t)(at_ms - now_ms) : wait_ms;
}

uint32_t ag_net_wait_ms(void)
{
    const uint64_t now_ms = ag_machine_uptime_ms();
    const uint32_t wait_ms = earlier(sys_timeouts_sleeptime(), link_check_ms, now_ms);
    return ag_net_is_up() ? earlier(wait_ms, ag_sntp_due_ms(), now_ms) : wait_ms;
}

bool ag_net_is_up(void)
{
    return netif_is_link_up(&interface) && !ip4_addr_isany_val(*netif_ip4_addr(&interface));
}

// "" for no address.
static void print_address(const ip4_addr_t *address, char *text, int size)
{
    if (ip4_addr_isany(address) || !ip4addr_ntoa_r(address, text, size))
        text[0] = '\0';
}

void ag_net_status(struct ag_net_status *status)
{
    const struct stats_proto *link = &lwip_stats.link;
    const struct stats_mem *buffers = lwip_stats.memp[MEMP_PBUF_POOL];
    *status = (struct ag_net_status){
        .state = AG_NET_DOWN,
        .received = received_count,
        .sent = sent_count,
        .dropped = (uint32_t)link->drop + link->memerr + link->lenerr + lwip_stats.ip.drop,
        .heap_used = lwip_stats.mem.used,
        .buffers_used = (uint32_t)buffers->used * PBUF_POOL_BUFSIZE,
        .heap_peak = lwip_stats.mem.max,
        .buffers_peak = (uint32_t)buffers->max * PBUF_POOL_BUFSIZE,
        .has_time = ag_sntp_has_time(),
    };
    if (netif_is_link_up(&interface))
        status->state = ag_net_is_up() ? AG_NET_UP : AG_NET_WAITS;
    print_address(netif_ip4_addr(&interface), status->address, sizeof status->address);
    print_address(netif_ip4_gw(&interface), status->gateway, sizeof status->gateway);
    print_address(dns_getserver(0), status->dns, sizeof status->dns);
}
