// SPDX-License-Identifier: Apache-2.0
// Records what OpenSSL's server sends to the board's TLS client, run here: tls_record FILE.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/board.h"
#include "port/bare/stream_tls.h"
#include "test/unit/bare/tcp_socket.h"
#include "test/unit/linux/tls_peer.h"
#include "tls_recording.h"

enum {
    DAY_S = 86400
};

static uint64_t generator;
static struct ag_tls tls;
static struct ag_stream_tls client;

uint64_t ag_board_uptime_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// The recording stays good for ever.
bool ag_board_unix_time(int64_t *seconds)
{
    *seconds = 0;
    return false;
}

void ag_board_random(void *bytes, size_t size)
{
    tls_recording_random(&generator, bytes, (uint32_t)size);
}

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    (void)level;
    fprintf(stderr, "%s: %.*s\n", source, (int)size, text);
}

static void require(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "tls_record: %s\n", what);
    exit(1);
}

static void wait_for_news(void)
{
    tcp_socket_wait(&client.tcp, ag_stream_tls_wait_ms(&client, ag_board_uptime_ms()));
}

// One connection; returns how it ended.
static enum ag_status talk(uint16_t port)
{
    uint8_t bytes[4096];
    size_t size;
    enum ag_status status;
    require(client.stream.open(&client, TLS_RECORDING_HOST, port) == AG_OK, "cannot open");
    while ((status = client.stream.write(&client, "?", 1, &size)) == AG_ERR_AGAIN)
        wait_for_news();
    while (status == AG_OK || status == AG_ERR_AGAIN) {
        status = client.stream.read(&client, bytes, sizeof bytes, &size);
        if (status == AG_ERR_AGAIN)
            wait_for_news();
    }
    return status;
}

static void record(const char *name, const struct tls_identity *anchor,
                   const struct tls_identity *intermediate, const struct tls_identity *leaf,
                   FILE *file)
{
    static struct tls_recording recording;
    struct tls_peer peer = { .behaviour = TLS_PEER_SEND,
                             .identity = leaf,
                             .intermediate = intermediate,
                             .amount = 5000,
                             .max_version = 0 };
    size_t size;
    uint8_t *der = tls_identity_der(anchor, &size);
    const struct ag_stream_tls_root root = { .der = der, .size = size };
    recording = (struct tls_recording){ .anchor_size = (uint32_t)size };
    snprintf(recording.name, sizeof recording.name, "%s", name);
    require(size <= TLS_RECORDING_ANCHOR_MAX, "the anchor is too large");
    memcpy(recording.anchor, der, size);
    require(ag_stream_tls_set_roots(&tls, &root, 1) == AG_OK, "the anchor is no certificate");
    require(tls_peer_start(&peer), "no server");
    for (uint32_t i = 0; i < TLS_RECORDING_CONNECTIONS; i++) {
        tls_recording_seed(&generator, i);
        require(talk(peer.port) == AG_ERR_CLOSED, "the connection failed");
        require(tcp_socket_received <= sizeof tcp_socket_copy, "more was sent than expected");
        recording.sizes[i] = (uint32_t)tcp_socket_received;
        memcpy(recording.bytes[i], tcp_socket_copy, tcp_socket_received);
    }
    require(atomic_load(&peer.resumed_count) == 1, "the second connection did not resume");
    tls_peer_stop(&peer);
    ag_stream_tls_clear(&client);
    free(der);
    require(fwrite(&recording, sizeof recording, 1, file) == 1, "cannot write");
}

static struct tls_identity make(const char *name, const char *key, bool is_sha384,
                                const struct tls_identity *issuer)
{
    const bool is_leaf = strcmp(name, TLS_RECORDING_HOST) == 0;
    return tls_identity_make(&(struct tls_identity_options){
        .name = name,
        .san =
            is_leaf ? "DNS:localhost,DNS:*.azure-devices.example,DNS:*.amqpws.azure.example" : NULL,
        .key = key,
        .is_sha384 = is_sha384,
        .is_ca = !is_leaf,
        .issuer = issuer,
        .not_before_s = -DAY_S,
        .not_after_s = DAY_S,
    });
}

int main(int argc, char **argv)
{
    require(argc == 2, "usage: tls_record FILE");
    FILE *file = fopen(argv[1], "wb");
    require(file != NULL, "cannot open the file");
    require(ag_stream_tls_start(&tls) == AG_OK, "TLS does not start");
    ag_stream_tls_init(&client, &tls, 60000);

    struct tls_identity ec_root = make("EC root", NULL, false, NULL);
    struct tls_identity ec_leaf = make(TLS_RECORDING_HOST, NULL, false, &ec_root);
    record("ec", &ec_root, NULL, &ec_leaf, file); // as airgraft's own hub

    struct tls_identity rsa_root = make("RSA root", "RSA:2048", false, NULL);
    struct tls_identity rsa_issuer = make("RSA issuer", "RSA:4096", true, &rsa_root);
    struct tls_identity rsa_leaf = make(TLS_RECORDING_HOST, "RSA:2048", true, &rsa_issuer);
    record("rsa", &rsa_root, &rsa_issuer, &rsa_leaf, file); // as IoT Hub in 2026

    struct tls_identity p384_root = make("P-384 root", "P-384", true, NULL);
    struct tls_identity p384_issuer = make("P-384 issuer", "P-384", true, &p384_root);
    struct tls_identity p384_leaf = make(TLS_RECORDING_HOST, NULL, true, &p384_issuer);
    record("p384", &p384_root, &p384_issuer, &p384_leaf, file);

    struct tls_identity *const all[] = { &ec_root,  &ec_leaf,   &rsa_root,    &rsa_issuer,
                                         &rsa_leaf, &p384_root, &p384_issuer, &p384_leaf };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        tls_identity_free(all[i]);
    return fclose(file) == 0 ? 0 : 1;
}
