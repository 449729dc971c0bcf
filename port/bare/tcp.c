// SPDX-License-Identifier: Apache-2.0
// TCP connections over lwIP's raw API.
//
// lwIP calls back with what we gave it, even after we lost interest. Its connection therefore
// forgets us before we forget it, and a lookup, which cannot be called off, reports to an entry of
// a table here, from which close strikes the connection out.
#include "port/bare/tcp.h"

#include <lwip/dns.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/stats.h>
#include <lwip/tcp.h>

#include "port/bare/net.h"

_Static_assert(2 * TCP_WND <= 7 * TCP_MSS, "two windows overrun the controller's receive FIFO");
_Static_assert(TCP_WND <= UINT16_MAX, "a chain of buffers counts its bytes in 16 bits");

enum {
    RESEND_MS = 1000,         // before anything is known of the way (RFC 6298); lwIP has 3000
    LINGER_HALF_SECONDS = 10, // that a closed connection has left to send what was written
    WRITE_LEAST = 128,        // bytes: for less room in the heap no segment is made
    // Bytes of the heap that what is written must leave free: for a second copy of a segment, with
    // which lwIP splits it for a peer whose window is small, for acknowledgements, lookups, DHCP.
    RESERVE = TCP_MSS + 256,
};

// A lookup of lwIP's that has not reported yet.
struct lookup {
    bool is_busy;
    struct ag_tcp *tcp; // NULL: closed since
};
static struct lookup lookups[DNS_MAX_REQUESTS];

// Gives `pcb` back to lwIP, which from now on knows nothing of ours.
static void detach(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
}

static void fail(struct ag_tcp *tcp, enum ag_status status)
{
    tcp->state = AG_TCP_BROKEN;
    tcp->status = status;
    tcp->has_news = true;
}

// Callbacks of lwIP.

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error)
{
    struct ag_tcp *tcp = argument;
    (void)pcb;
    (void)error; // always ERR_OK
    tcp->state = AG_TCP_OPEN;
    tcp->has_news = true;
    return ERR_OK;
}

static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *bytes, err_t error)
{
    struct ag_tcp *tcp = argument;
    (void)pcb;
    (void)error; // always ERR_OK
    tcp->has_news = true;
    if (!bytes)
        tcp->peer_closed = true;
    else if (tcp->received)
        pbuf_cat(tcp->received, bytes); // no more than TCP_WND
    else
        tcp->received = bytes;
    return ERR_OK;
}

static err_t on_acknowledged(void *argument, struct tcp_pcb *pcb, u16_t size)
{
    struct ag_tcp *tcp = argument;
    (void)pcb;
    (void)size;
    tcp->has_news = true;
    return ERR_OK;
}

// The connection is gone, and freed.
static void on_error(void *argument, err_t error)
{
    struct ag_tcp *tcp = argument;
    tcp->pcb = NULL;
    if (tcp->state == AG_TCP_OPEN)
        fail(tcp, AG_ERR_RESET);
    else
        fail(tcp, error == ERR_RST ? AG_ERR_CONNECT : AG_ERR_TIMEOUT);
}

static err_t give_up(void *argument, struct tcp_pcb *pcb)
{
    (void)argument;
    tcp_abort(pcb);
    return ERR_ABRT;
}

// Makes room by ending a connection that was closed and still has something to send: what it holds
// may be all there is, and its peer may be dead.
static void abort_closing(void)
{
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
        if (pcb->prio == TCP_PRIO_MIN) {
            tcp_abort(pcb);
            return;
        }
    }
}

// From name to connection.

static void start_connecting(struct ag_tcp *tcp, const ip_addr_t *address)
{
    struct tcp_pcb *pcb = tcp_new();
    if (!pcb)
        return; // tried again at the next turn; not for long, since those being closed give way
    tcp_nagle_disable(pcb);
    pcb->rto = pcb->sv = RESEND_MS / TCP_SLOW_INTERVAL;
    const err_t error = tcp_connect(pcb, address, tcp->port, on_connected);
    if (error != ERR_OK) {
        if (tcp_close(pcb) != ERR_OK)
            tcp_abort(pcb);
        if (error != ERR_MEM && error != ERR_BUF)
            fail(tcp, AG_ERR_CONNECT);
        return;
    }
    tcp_arg(pcb, tcp);
    tcp_recv(pcb, on_received);
    tcp_sent(pcb, on_acknowledged);
    tcp_err(pcb, on_error);
    tcp->pcb = pcb;
    tcp->state = AG_TCP_CONNECTING;
}

static void on_found(const char *name, const ip_addr_t *address, void *argument)
{
    struct lookup *lookup = argument;
    struct ag_tcp *tcp = lookup->tcp;
    (void)name;
    *lookup = (struct lookup){ 0 };
    if (!tcp)
        return;
    tcp->has_news = true;
    if (address)
        start_connecting(tcp, address);
    else
        fail(tcp, AG_ERR_DNS);
}

// The entry that works for `tcp`; NULL: none.
static struct lookup *lookup_of(const struct ag_tcp *tcp)
{
    for (size_t i = 0; i < DNS_MAX_REQUESTS; i++) {
        if (lookups[i].tcp == tcp)
            return &lookups[i];
    }
    return NULL;
}

static struct lookup *take_free_lookup(struct ag_tcp *tcp)
{
    for (size_t i = 0; i < DNS_MAX_REQUESTS; i++) {
        if (!lookups[i].is_busy) {
            lookups[i] = (struct lookup){ .is_busy = true, .tcp = tcp };
            return &lookups[i];
        }
    }
    return NULL;
}

// Asks for the address if that has not been done; without network or memory, at another turn.
static void go_on(struct ag_tcp *tcp)
{
    ip_addr_t address;
    if (tcp->state != AG_TCP_RESOLVING || lookup_of(tcp) || !ag_net_is_up())
        return;
    struct lookup *lookup = take_free_lookup(tcp);
    if (!lookup)
        return;
    if (lwip_stats.mem.used > MEM_SIZE - RESERVE)
        abort_closing();
    const err_t error = dns_gethostbyname(tcp->host, &address, on_found, lookup);
    if (error == ERR_INPROGRESS)
        return;
    *lookup = (struct lookup){ 0 };
    if (error == ERR_OK)
        start_connecting(tcp, &address);
    else if (error != ERR_MEM)
        fail(tcp, AG_ERR_DNS);
}

void ag_tcp_open(struct ag_tcp *tcp, const char *host, uint16_t port)
{
    ag_tcp_close(tcp);
    *tcp = (struct ag_tcp){ .state = AG_TCP_RESOLVING, .host = host, .port = port };
    go_on(tcp);
}

void ag_tcp_close(struct ag_tcp *tcp)
{
    struct lookup *lookup = lookup_of(tcp);
    struct tcp_pcb *pcb = tcp->pcb;
    if (lookup)
        lookup->tcp = NULL;
    if (pcb) {
        detach(pcb);
        if (tcp->received) // unread bytes would make it an RST, which overtakes what was written
            tcp_recved(pcb, tcp->received->tot_len);
        tcp_setprio(pcb, TCP_PRIO_MIN); // gives way to new connections
        tcp_poll(pcb, give_up, LINGER_HALF_SECONDS);
        if (tcp_close(pcb) != ERR_OK)
            tcp_abort(pcb);
    }
    if (tcp->received)
        pbuf_free(tcp->received);
    *tcp = (struct ag_tcp){ .state = AG_TCP_CLOSED };
}

// How a call ends that cannot move bytes now.
static enum ag_status status_of(const struct ag_tcp *tcp)
{
    switch (tcp->state) {
    case AG_TCP_CLOSED:
        return AG_ERR_CLOSED;
    case AG_TCP_BROKEN:
        return tcp->status;
    case AG_TCP_RESOLVING:
    case AG_TCP_CONNECTING:
    case AG_TCP_OPEN:
        return AG_ERR_AGAIN;
    }
    return AG_ERR_INTERNAL;
}

enum ag_status ag_tcp_read(struct ag_tcp *tcp, void *bytes, size_t capacity, size_t *size)
{
    go_on(tcp);
    if (!tcp->received)
        return tcp->state == AG_TCP_OPEN && tcp->peer_closed ? AG_ERR_CLOSED : status_of(tcp);
    const uint16_t most = capacity < UINT16_MAX ? (uint16_t)capacity : UINT16_MAX;
    const uint16_t got = pbuf_copy_partial(tcp->received, bytes, most, 0);
    if (got == 0)
        return AG_ERR_AGAIN;
    tcp->received = pbuf_free_header(tcp->received, got);
    if (tcp->pcb)
        tcp_recved(tcp->pcb, got);
    *size = got;
    return AG_OK;
}

// Bytes that can be written now.
static uint16_t room_of(const struct tcp_pcb *pcb)
{
    const size_t left = MEM_SIZE - lwip_stats.mem.used;
    const uint16_t buffer = tcp_sndbuf(pcb);
    if (left < RESERVE + WRITE_LEAST)
        return 0;
    return left - RESERVE < buffer ? (uint16_t)(left - RESERVE) : buffer;
}

enum ag_status ag_tcp_write(struct ag_tcp *tcp, const void *bytes, size_t size, size_t *written)
{
    go_on(tcp);
    if (tcp->state != AG_TCP_OPEN)
        return status_of(tcp);
    const uint16_t room = room_of(tcp->pcb);
    uint16_t count = size < room ? (uint16_t)size : room;
    err_t error = ERR_MEM;
    while (count > 0) {
        error = tcp_write(tcp->pcb, bytes, count, TCP_WRITE_FLAG_COPY);
        if (error != ERR_MEM || count <= WRITE_LEAST)
            break;
        count /= 2; // the heap may be in pieces
    }
    if (error == ERR_MEM)
        return AG_ERR_AGAIN;
    if (error != ERR_OK)
        return AG_ERR_RESET;
    (void)tcp_output(tcp->pcb); // without memory: by the timer
    *written = count;
    return AG_OK;
}

bool ag_tcp_take_news(struct ag_tcp *tcp)
{
    go_on(tcp);
    const bool has_news = tcp->has_news;
    tcp->has_news = false;
    return has_news;
}
