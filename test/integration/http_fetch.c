// SPDX-License-Identifier: Apache-2.0
// Fetches a file as a device does, for tests against other people's servers:
//   http_fetch ROOT.pem URL BYTES     in ranges of BYTES, to stdout; exit 1 with the status's name
//
// It is the host's own fetcher over the Linux port's TLS stream; only the loop is this program's.
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/fetch.h"
#include "platform/board.h"
#include "port/linux/loop.h"
#include "port/linux/stream_tls.h"

enum {
    TIMEOUT_MS = 10000,
    STEPS_MAX = 1000000,
};

struct device {
    struct ag_loop loop;
    struct ag_tls tls;
    struct ag_stream_tls stream;
    struct ag_fetch fetch;
    char etag[AG_CFG_ETAG_MAX + 1];
    uint64_t total; // of the file; 0: not known yet
    uint64_t received;
};

static int fail(const char *what, enum ag_status status)
{
    fprintf(stderr, "http_fetch: %s: %s (%d)\n", what, ag_status_name(status), (int)status);
    return 1;
}

// The certificate in DER; the caller frees *der. -1 when there is none.
static int read_root(const char *path, uint8_t **der)
{
    FILE *file = fopen(path, "re");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    const int size = certificate ? i2d_X509(certificate, der) : -1;
    X509_free(certificate);
    if (file)
        fclose(file);
    return size;
}

// Takes one event in. AG_OK at the end of the response.
static enum ag_status take(struct device *device, const struct ag_fetch_event *event)
{
    switch (event->type) {
    case AG_FETCH_HEAD:
        if (event->start != device->received)
            return AG_ERR_HTTP_RANGE;
        device->total = event->total;
        snprintf(device->etag, sizeof device->etag, "%s", event->etag);
        return AG_ERR_AGAIN;
    case AG_FETCH_BODY:
        device->received += event->size;
        return fwrite(event->bytes, 1, event->size, stdout) == event->size ? AG_ERR_AGAIN
                                                                           : AG_ERR_IO;
    case AG_FETCH_END:
        return AG_OK;
    }
    return AG_ERR_INTERNAL;
}

static enum ag_status fetch_range(struct device *device, const char *url, uint64_t size)
{
    const struct ag_fetch_range range = {
        .first = device->received,
        .last = device->received + size - 1,
        .if_match = device->etag,
    };
    struct ag_fetch_event event;
    enum ag_status status =
        ag_fetch_begin(&device->fetch, ag_text_of(url), &range, ag_board_uptime_ms());
    for (int step = 0; status == AG_OK && step < STEPS_MAX; step++) {
        enum ag_status next = ag_fetch_next(&device->fetch, ag_board_uptime_ms(), &event);
        if (next == AG_OK) {
            next = take(device, &event);
            if (next != AG_ERR_AGAIN)
                return next;
            continue;
        }
        if (next != AG_ERR_AGAIN)
            return next;
        ag_loop_wait(&device->loop,
                     ag_stream_tls_wait_ms(&device->stream, ag_board_uptime_ms()) < 100 ? 0 : 100);
    }
    return status == AG_OK ? AG_ERR_TIMEOUT : status;
}

static enum ag_status fetch_all(struct device *device, const char *url, uint64_t size)
{
    enum ag_status status;
    do {
        status = fetch_range(device, url, size);
    } while (status == AG_OK && device->received < device->total);
    return status;
}

int main(int argc, char **argv)
{
    static struct device device;
    uint8_t *der = NULL;
    if (argc != 4 || atoi(argv[3]) < 1) {
        fprintf(stderr, "usage: http_fetch ROOT.pem URL BYTES\n");
        return 2;
    }
    const int der_size = read_root(argv[1], &der);
    const struct ag_stream_tls_root root = { der, (size_t)der_size };
    if (der_size <= 0)
        return fail(argv[1], AG_ERR_IO);
    enum ag_status status = ag_loop_open(&device.loop);
    if (status == AG_OK)
        status = ag_stream_tls_start(&device.tls);
    if (status == AG_OK)
        status = ag_stream_tls_set_roots(&device.tls, &root, 1);
    OPENSSL_free(der);
    if (status != AG_OK)
        return fail("TLS", status);
    ag_stream_tls_init(&device.stream, &device.tls, &device.loop, TIMEOUT_MS);
    ag_fetch_init(&device.fetch, &device.stream.stream, TIMEOUT_MS);
    status = fetch_all(&device, argv[2], (uint64_t)atoi(argv[3]));
    ag_stream_tls_clear(&device.stream);
    ag_stream_tls_stop(&device.tls);
    ag_loop_close(&device.loop);
    return status == AG_OK && fflush(stdout) == 0 ? 0 : fail("the file", status);
}
