// SPDX-License-Identifier: Apache-2.0
// port/bare/tcp.h over a socket, for tests of what stands on it.
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/bare/tcp.h"
#include "tcp_socket.h"

struct tcp_socket_orders tcp_socket_orders;
size_t tcp_socket_received;
uint8_t tcp_socket_copy[8192];
static unsigned reads, writes;

// The descriptor stands in the place of lwIP's connection, one higher, so that NULL is none.
static int fd_of(const struct ag_tcp *tcp)
{
    return (int)(intptr_t)tcp->pcb - 1;
}

static enum ag_status fail(struct ag_tcp *tcp, enum ag_status status)
{
    tcp->state = AG_TCP_BROKEN;
    tcp->status = status;
    tcp->has_news = true;
    return status;
}

void ag_tcp_open(struct ag_tcp *tcp, const char *host, uint16_t port)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons(port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    ag_tcp_close(tcp);
    tcp_socket_received = 0;
    *tcp = (struct ag_tcp){ .state = AG_TCP_CONNECTING, .host = host, .port = port };
    if (strstr(host, ".invalid")) {
        (void)fail(tcp, AG_ERR_DNS);
        return;
    }
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    tcp->pcb = (struct tcp_pcb *)(intptr_t)(fd + 1);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        (void)fail(tcp, AG_ERR_CONNECT);
}

static void go_on(struct ag_tcp *tcp)
{
    struct pollfd poller = { .fd = fd_of(tcp), .events = POLLOUT };
    int error = 0;
    socklen_t size = sizeof error;
    if (tcp->state != AG_TCP_CONNECTING || poll(&poller, 1, 0) <= 0)
        return;
    getsockopt(fd_of(tcp), SOL_SOCKET, SO_ERROR, &error, &size);
    tcp->has_news = true;
    if (error != 0)
        (void)fail(tcp, AG_ERR_CONNECT);
    else
        tcp->state = AG_TCP_OPEN;
}

// Whether the call can go on; otherwise what it returns.
static bool is_ready(struct ag_tcp *tcp, unsigned *calls, enum ag_status *status)
{
    go_on(tcp);
    *status = tcp->state == AG_TCP_BROKEN   ? tcp->status
              : tcp->state == AG_TCP_CLOSED ? AG_ERR_CLOSED
                                            : AG_ERR_AGAIN;
    if (tcp->state != AG_TCP_OPEN)
        return false;
    if (tcp_socket_orders.is_reluctant && (*calls)++ % 2 == 0) {
        tcp->has_news = true; // it would have been able to
        return false;
    }
    return true;
}

static void flip(uint8_t *bytes, size_t size)
{
    const size_t at = tcp_socket_orders.flip_at;
    if (at > tcp_socket_received && at <= tcp_socket_received + size)
        bytes[at - tcp_socket_received - 1] ^= 1;
}

enum ag_status ag_tcp_read(struct ag_tcp *tcp, void *bytes, size_t capacity, size_t *size)
{
    enum ag_status status;
    const size_t cut_at = tcp_socket_orders.cut_at;
    if (!is_ready(tcp, &reads, &status))
        return status;
    if (tcp_socket_orders.read_max != 0 && capacity > tcp_socket_orders.read_max)
        capacity = tcp_socket_orders.read_max;
    if (cut_at != 0 && capacity > cut_at - tcp_socket_received)
        capacity = cut_at - tcp_socket_received;
    if (capacity == 0)
        return AG_ERR_CLOSED;
    const ssize_t got = recv(fd_of(tcp), bytes, capacity, 0);
    if (got < 0)
        return errno == EAGAIN ? AG_ERR_AGAIN : fail(tcp, AG_ERR_RESET);
    if (got == 0)
        return AG_ERR_CLOSED;
    for (size_t i = 0; i < (size_t)got && tcp_socket_received + i < sizeof tcp_socket_copy; i++)
        tcp_socket_copy[tcp_socket_received + i] = ((const uint8_t *)bytes)[i];
    flip(bytes, (size_t)got);
    tcp_socket_received += (size_t)got;
    *size = (size_t)got;
    return AG_OK;
}

enum ag_status ag_tcp_write(struct ag_tcp *tcp, const void *bytes, size_t size, size_t *written)
{
    enum ag_status status;
    if (!is_ready(tcp, &writes, &status))
        return status;
    if (tcp_socket_orders.write_max != 0 && size > tcp_socket_orders.write_max)
        size = tcp_socket_orders.write_max;
    const ssize_t put = send(fd_of(tcp), bytes, size, MSG_NOSIGNAL);
    if (put < 0)
        return errno == EAGAIN ? AG_ERR_AGAIN : fail(tcp, AG_ERR_RESET);
    *written = (size_t)put;
    return AG_OK;
}

void ag_tcp_close(struct ag_tcp *tcp)
{
    if (tcp->pcb)
        close(fd_of(tcp));
    *tcp = (struct ag_tcp){ .state = AG_TCP_CLOSED };
}

// There is news while the socket has something to read.
bool ag_tcp_take_news(struct ag_tcp *tcp)
{
    go_on(tcp);
    const bool has_news = tcp->has_news;
    tcp->has_news = false;
    return has_news;
}

void tcp_socket_wait(const struct ag_tcp *tcp, uint32_t wait_ms)
{
    struct pollfd poller = { .fd = fd_of(tcp),
                             .events = tcp->state == AG_TCP_CONNECTING ? POLLOUT : POLLIN };
    poll(&poller, tcp->pcb ? 1 : 0, wait_ms < 60000 ? (int)wait_ms : 60000);
}
