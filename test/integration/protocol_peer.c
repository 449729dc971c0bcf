// SPDX-License-Identifier: Apache-2.0
// Carries src/mqtt and src/http over plain TCP for protocol_test, which plays the server with
// foreign implementations of both protocols.
//   protocol_peer mqtt PORT           until a message "stop"; reconnects when the stream breaks
//   protocol_peer http PORT URL...    `FIRST-LAST@URL` asks for a range; one connection while it
//   lasts
// Prints a line for everything told; exit 1 when a status says that the peer broke the protocol.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32.h"
#include "http/http.h"
#include "mqtt/mqtt.h"

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int connect_to(const char *port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        perror("protocol_peer: connect");
        exit(2);
    }
    return fd;
}

static _Noreturn void give_up(const char *what, enum ag_status status)
{
    printf("%s %s\n", what, ag_status_name(status));
    exit(1);
}

// ---- MQTT

struct mqtt_peer {
    struct ag_mqtt mqtt;
    uint8_t send[4096];
    uint32_t crc;
    bool is_stop;
    bool has_subscribed;
};

static void begin_work(struct mqtt_peer *peer)
{
    static const struct ag_mqtt_filter filters[] = { { "a/#", 1 }, { "b", 0 } };
    const struct ag_mqtt_message first = { ag_text_of("t/1"), "first \xC3\xA9", 8, 1 };
    const struct ag_mqtt_message second = { ag_text_of("t/2"), "", 0, 0 };
    uint16_t id;
    if (peer->has_subscribed || ag_mqtt_state(&peer->mqtt) != AG_MQTT_CONNECTED)
        return;
    peer->has_subscribed = true;
    if (ag_mqtt_subscribe(&peer->mqtt, filters, 2, &id) != AG_OK ||
        ag_mqtt_publish(&peer->mqtt, &first, &id) != AG_OK ||
        ag_mqtt_publish(&peer->mqtt, &second, NULL) != AG_OK)
        give_up("publish", AG_ERR_INTERNAL);
}

static void print_mqtt(struct mqtt_peer *peer, const struct ag_mqtt_event *event)
{
    switch (event->type) {
    case AG_MQTT_CONNACK:
        printf("connack %u %d\n", event->code, event->session_present);
        begin_work(peer);
        break;
    case AG_MQTT_SUBACK:
        printf("suback %u %u\n", event->bytes[0], event->bytes[1]);
        break;
    case AG_MQTT_PUBACK:
        printf("puback\n");
        break;
    case AG_MQTT_PUBLISH:
        peer->crc = 0;
        break;
    case AG_MQTT_PAYLOAD:
        peer->crc = ag_crc32_update(peer->crc, event->bytes, event->size);
        peer->is_stop = event->total == 4 && memcmp(event->bytes, "stop", event->size) == 0;
        break;
    case AG_MQTT_PUBLISH_END:
        printf("message %s %u %d %u %08x\n", event->topic.at, event->qos, event->duplicate,
               event->total, peer->crc);
        break;
    }
}

// Sends what there is. False when the stream is broken.
static bool send_output(struct mqtt_peer *peer, int fd)
{
    const uint8_t *bytes;
    size_t size;
    while (ag_mqtt_output(&peer->mqtt, &bytes, &size)) {
        const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        ag_mqtt_sent(&peer->mqtt, (size_t)sent, now_ms());
    }
    return true;
}

// Handles some received bytes. False when the stream is broken.
static bool handle_input(struct mqtt_peer *peer, int fd, const uint8_t *bytes, size_t size)
{
    struct ag_mqtt_event event;
    struct ag_reader piece;
    enum ag_status status;
    ag_reader_init(&piece, bytes, size);
    do {
        while ((status = ag_mqtt_next(&peer->mqtt, &piece, now_ms(), &event)) == AG_OK)
            print_mqtt(peer, &event);
        if (status != AG_ERR_AGAIN)
            give_up("mqtt", status);
        if (!send_output(peer, fd))
            return false;
    } while (ag_reader_left(&piece) > 0);
    return true;
}

// Returns when the stream is broken, or after "stop" and DISCONNECT.
static void run_connection(struct mqtt_peer *peer, int fd)
{
    uint8_t bytes[1000];
    while (send_output(peer, fd) && !peer->is_stop) {
        const uint64_t now = now_ms();
        const uint64_t deadline = ag_mqtt_deadline(&peer->mqtt);
        struct pollfd poller = { fd, POLLIN, 0 };
        poll(&poller, 1, deadline > now ? (int)(deadline - now) : 0);
        if (ag_mqtt_tick(&peer->mqtt, now_ms()) != AG_OK)
            give_up("tick", AG_ERR_MQTT_DEAD);
        if (!poller.revents)
            continue;
        const ssize_t size = recv(fd, bytes, sizeof bytes, 0);
        if (size <= 0 || !handle_input(peer, fd, bytes, (size_t)size))
            break;
    }
    if (peer->is_stop) {
        ag_mqtt_disconnect(&peer->mqtt);
        send_output(peer, fd);
    }
}

static int run_mqtt(const char *port)
{
    static const struct ag_mqtt_options options = { 20000, 20000, 20000 };
    static const struct ag_mqtt_login login = { "peer-1", "user \xC3\xA9", "pass", 1, false };
    static struct mqtt_peer peer;
    ag_mqtt_init(&peer.mqtt, peer.send, sizeof peer.send, &options);
    for (unsigned i = 0; i < 5 && !peer.is_stop; i++) {
        const int fd = connect_to(port);
        if (ag_mqtt_connect(&peer.mqtt, &login, now_ms()) != AG_OK)
            give_up("login", AG_ERR_INTERNAL);
        run_connection(&peer, fd);
        close(fd);
        ag_mqtt_lost(&peer.mqtt);
    }
    printf("left %u\n", ag_mqtt_unacknowledged(&peer.mqtt));
    return 0;
}

// ---- HTTP

static void send_request(int fd, const char *text)
{
    char storage[2048];
    struct ag_http_get get = { .if_match = getenv("IF_MATCH"), .user_agent = "protocol-peer/1" };
    struct ag_url url;
    struct ag_writer out;
    unsigned long first;
    unsigned long last;
    const char *at = strchr(text, '@');
    if (at && sscanf(text, "%lu-%lu@", &first, &last) == 2) {
        get.has_range = true;
        get.first = first;
        get.last = last;
        text = at + 1;
    }
    ag_writer_init(&out, storage, sizeof storage);
    const enum ag_status status = ag_url_parse(ag_text_of(text), &url);
    if (status != AG_OK || ag_http_write_get(&out, &url, &get) != AG_OK)
        give_up("request", AG_ERR_ARGUMENT);
    if (send(fd, storage, out.size, MSG_NOSIGNAL) != (ssize_t)out.size)
        give_up("send", AG_ERR_RESET);
}

// Reads one response and prints it. True when the connection may be used again.
static bool read_response(int fd)
{
    static struct ag_http http;
    struct ag_http_event event = { .type = AG_HTTP_HEAD };
    uint8_t bytes[700];
    uint32_t crc = 0;
    size_t size = 0;
    ag_http_init(&http);
    while (event.type != AG_HTTP_END) {
        const ssize_t received = recv(fd, bytes, sizeof bytes, 0);
        enum ag_status status;
        struct ag_reader piece;
        if (received <= 0) {
            status = ag_http_finish(&http, &event);
            if (status != AG_OK)
                give_up("end", status);
            break;
        }
        ag_reader_init(&piece, bytes, (size_t)received);
        while ((status = ag_http_next(&http, &piece, &event)) == AG_OK) {
            if (event.type != AG_HTTP_BODY)
                continue;
            crc = ag_crc32_update(crc, event.bytes, event.size);
            size += event.size;
        }
        if (status != AG_ERR_AGAIN)
            give_up("http", status);
    }
    printf("%u %zu %08x etag %s first %lu reuse %d\n", http.head.code, size, crc, http.head.etag,
           (unsigned long)http.head.range_first, ag_http_may_reuse(&http));
    return ag_http_may_reuse(&http);
}

static int run_http(const char *port, char **urls, int count)
{
    int fd = -1;
    for (int i = 0; i < count; i++) {
        if (fd < 0)
            fd = connect_to(port);
        send_request(fd, urls[i]);
        if (read_response(fd))
            continue;
        close(fd);
        fd = -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "mqtt") == 0)
        return run_mqtt(argv[2]);
    if (argc > 3 && strcmp(argv[1], "http") == 0)
        return run_http(argv[2], argv + 3, argc - 3);
    fprintf(stderr, "usage: protocol_peer mqtt PORT | http PORT URL...\n");
    return 2;
}
