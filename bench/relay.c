// SPDX-License-Identifier: Apache-2.0
// One thread that polls all connections of a relay. What it reads it writes out whole before it
// goes on: both ends are programs of this machine that keep reading.
#include "bench/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/cli.h"

enum {
    PIECE = 65536,
    POLLED_MAX = 2 + 2 * BENCH_RELAY_CONNECTIONS,
};

static struct sockaddr_in local_address(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void end_pair(struct bench_relay_pair *pair)
{
    close(pair->client);
    close(pair->server);
    pair->client = -1;
}

static void set_prompt(int fd)
{
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void accept_client(struct bench_relay *relay)
{
    const struct sockaddr_in address = local_address(relay->target);
    struct bench_relay_pair *pair = relay->pairs;
    const int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
    while (pair < relay->pairs + BENCH_RELAY_CONNECTIONS && pair->client >= 0)
        pair++;
    if (client < 0)
        return;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (pair == relay->pairs + BENCH_RELAY_CONNECTIONS || server < 0 ||
        connect(server, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (server >= 0)
            close(server);
        close(client);
        return;
    }
    set_prompt(client);
    set_prompt(server);
    *pair = (struct bench_relay_pair){ client, server };
    atomic_fetch_add(&relay->connections, 1);
}

// False when the connection is over.
static bool pass_on(int from, int to, atomic_ullong *count)
{
    char bytes[PIECE];
    const ssize_t size = recv(from, bytes, sizeof bytes, 0);
    if (size <= 0)
        return false;
    atomic_fetch_add(count, (unsigned long long)size);
    for (ssize_t done = 0; done < size;) {
        const ssize_t put = send(to, bytes + done, (size_t)(size - done), MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        done += put;
    }
    return true;
}

static nfds_t list(const struct bench_relay *relay, struct pollfd *polled)
{
    nfds_t count = 0;
    polled[count++] = (struct pollfd){ .fd = relay->stop[0], .events = POLLIN };
    polled[count++] = (struct pollfd){ .fd = relay->listener, .events = POLLIN };
    for (size_t i = 0; i < BENCH_RELAY_CONNECTIONS; i++) {
        const struct bench_relay_pair *pair = &relay->pairs[i]; // poll passes over -1
        const int server = pair->client < 0 ? -1 : pair->server;
        polled[count++] = (struct pollfd){ .fd = pair->client, .events = POLLIN };
        polled[count++] = (struct pollfd){ .fd = server, .events = POLLIN };
    }
    return count;
}

static void *run(void *context)
{
    struct bench_relay *relay = context;
    struct pollfd polled[POLLED_MAX];
    for (;;) {
        const nfds_t count = list(relay, polled);
        if (poll(polled, count, -1) < 0 && errno != EINTR)
            return NULL;
        if (polled[0].revents)
            return NULL;
        for (size_t i = 0; i < BENCH_RELAY_CONNECTIONS; i++) {
            struct bench_relay_pair *pair = &relay->pairs[i];
            bool goes_on = true;
            if (pair->client >= 0 && polled[2 + 2 * i].revents)
                goes_on = pass_on(pair->client, pair->server, &relay->up);
            if (pair->client >= 0 && goes_on && polled[3 + 2 * i].revents)
                goes_on = pass_on(pair->server, pair->client, &relay->down);
            if (!goes_on)
                end_pair(pair);
        }
        if (polled[1].revents)
            accept_client(relay);
    }
}

static bool listen_somewhere(struct bench_relay *relay)
{
    struct sockaddr_in address = local_address(0);
    socklen_t size = sizeof address;
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (relay->listener < 0 ||
        bind(relay->listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(relay->listener, BENCH_RELAY_CONNECTIONS) != 0 ||
        getsockname(relay->listener, (struct sockaddr *)&address, &size) != 0)
        return false;
    relay->port = ntohs(address.sin_port);
    return true;
}

bool bench_relay_open(struct bench_relay *relay, uint16_t target)
{
    memset(relay, 0, sizeof *relay);
    relay->target = target;
    for (size_t i = 0; i < BENCH_RELAY_CONNECTIONS; i++)
        relay->pairs[i].client = -1;
    if (listen_somewhere(relay) && pipe(relay->stop) == 0) {
        if (pthread_create(&relay->thread, NULL, run, relay) == 0)
            return true;
        close(relay->stop[0]);
        close(relay->stop[1]);
    }
    ag_output_fail(NULL, "cannot relay to port %u: %s", (unsigned)target, strerror(errno));
    if (relay->listener >= 0)
        close(relay->listener);
    relay->listener = -1;
    return false;
}

void bench_relay_close(struct bench_relay *relay)
{
    if (relay->listener < 0)
        return;
    const ssize_t ignored = write(relay->stop[1], "", 1);
    (void)ignored;
    pthread_join(relay->thread, NULL);
    for (size_t i = 0; i < BENCH_RELAY_CONNECTIONS; i++) {
        if (relay->pairs[i].client >= 0)
            end_pair(&relay->pairs[i]);
    }
    close(relay->listener);
    close(relay->stop[0]);
    close(relay->stop[1]);
    relay->listener = -1;
}
