// SPDX-License-Identifier: Apache-2.0
// TLS on a Cortex-M3, with recorded servers: instructions of a handshake and of its longest call,
// and what it needs of the heap. Prints JSON.
//
// Made for QEMU's mps2-an385 with -icount shift=0: an instruction then takes one nanosecond of the
// board's time, and its 25 MHz timer counts every fortieth. Recordings are read through
// semihosting.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/board.h"
#include "port/bare/heap.h"
#include "port/bare/stream_tls.h"
#include "tls_recording.h"

enum {
    RECORDINGS = 3,
    RECORDINGS_OF_TWO = 2, // the first ones; the others need less of the heap
    INSTRUCTIONS_PER_TICK = 40,
    CLIENTS = 2,
};

struct timer { // CMSDK APB timer 0
    uint32_t control;
    uint32_t value;
    uint32_t reload;
};
static volatile struct timer *const timer = (volatile struct timer *)0x40000000;

static struct tls_recording recordings[RECORDINGS];

// A client with its recording and its place in it.
struct player {
    struct ag_stream_tls client;
    const uint8_t *bytes;
    uint32_t left;
    uint64_t generator;
};
static struct player players[CLIENTS];
static struct player *playing; // whose turn it is
static struct ag_tls tls;

struct figures {
    uint64_t total;
    uint64_t longest;
    uint32_t calls;
};

uint64_t ag_board_uptime_ms(void)
{
    return 0;
}

bool ag_board_unix_time(int64_t *seconds)
{
    *seconds = 0;
    return false;
}

void ag_board_random(void *bytes, size_t size)
{
    tls_recording_random(&playing->generator, bytes, size);
}

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    (void)level;
    printf("%s: %.*s\n", source, (int)size, text);
}

// TCP is the recording.

void ag_tcp_open(struct ag_tcp *tcp, const char *host, uint16_t port)
{
    *tcp = (struct ag_tcp){ .state = AG_TCP_OPEN, .host = host, .port = port };
}

enum ag_status ag_tcp_read(struct ag_tcp *tcp, void *bytes, size_t capacity, size_t *size)
{
    (void)tcp;
    const size_t most = playing->left < capacity ? playing->left : capacity;
    if (most == 0)
        return AG_ERR_CLOSED;
    memcpy(bytes, playing->bytes, most);
    playing->bytes += most;
    playing->left -= most;
    *size = most;
    return AG_OK;
}

enum ag_status ag_tcp_write(struct ag_tcp *tcp, const void *bytes, size_t size, size_t *written)
{
    (void)tcp;
    (void)bytes;
    *written = size;
    return AG_OK;
}

void ag_tcp_close(struct ag_tcp *tcp)
{
    *tcp = (struct ag_tcp){ .state = AG_TCP_CLOSED };
}

bool ag_tcp_take_news(struct ag_tcp *tcp)
{
    (void)tcp;
    return false;
}

static void must(bool done, const char *what)
{
    if (done)
        return;
    printf("bench_tls: %s\n", what);
    exit(1);
}

static void start(struct player *player, const struct tls_recording *recording, uint32_t connection)
{
    playing = player;
    player->bytes = recording->bytes[connection];
    player->left = recording->sizes[connection];
    tls_recording_seed(&player->generator, connection);
    must(player->client.stream.open(&player->client, TLS_RECORDING_HOST, 1) == AG_OK, "open");
}

// One call; true when the handshake is done and the first byte written.
static bool step(struct player *player, struct figures *figures)
{
    size_t size;
    playing = player;
    timer->control = 0;
    timer->reload = UINT32_MAX;
    timer->value = UINT32_MAX;
    timer->control = 1;
    const enum ag_status status = player->client.stream.write(&player->client, "?", 1, &size);
    const uint64_t took = (uint64_t)(UINT32_MAX - timer->value) * INSTRUCTIONS_PER_TICK;
    must(status == AG_OK || status == AG_ERR_AGAIN, "the handshake failed");
    figures->total += took;
    figures->longest = took > figures->longest ? took : figures->longest;
    figures->calls++;
    return status == AG_OK;
}

// What the server sent arrives whole, and then its goodbye.
static void receive(struct player *player)
{
    uint8_t bytes[512];
    size_t size;
    size_t total = 0;
    enum ag_status status;
    playing = player;
    while ((status = player->client.stream.read(&player->client, bytes, sizeof bytes, &size)) ==
               AG_OK ||
           status == AG_ERR_AGAIN)
        total += status == AG_OK ? size : 0;
    must(status == AG_ERR_CLOSED && total == 5000, "the bytes did not arrive");
}

static struct figures connect(const struct tls_recording *recording, uint32_t connection)
{
    struct figures figures = { 0 };
    start(&players[0], recording, connection);
    while (!step(&players[0], &figures))
        continue;
    return figures;
}

static void print_figures(const char *name, const struct figures *figures)
{
    printf("\"%s_instructions\":%llu,\"%s_longest_call\":%llu,\"%s_calls\":%u,", name,
           (unsigned long long)figures->total, name, (unsigned long long)figures->longest, name,
           (unsigned)figures->calls);
}

// The stack below whoever calls is painted, and what was painted over is measured: the bytes that
// TLS needs below its caller.
enum {
    STACK_PAINTED = 16384
};

static uint8_t *paint_stack(void)
{
    uint8_t *top = __builtin_frame_address(0);
    volatile uint8_t *at = top - 256; // its own frame
    while (at > top - STACK_PAINTED)
        *--at = 0xA5;
    return top;
}

static size_t stack_used(const uint8_t *top)
{
    const volatile uint8_t *at = top - STACK_PAINTED;
    while (*at == 0xA5)
        at++;
    return (size_t)(top - at);
}

static void begin(const struct tls_recording *recording)
{
    const struct ag_stream_tls_root root = { .der = recording->anchor,
                                             .size = recording->anchor_size };
    ag_heap_start();
    must(ag_stream_tls_start(&tls) == AG_OK, "TLS does not start");
    for (uint32_t i = 0; i < CLIENTS; i++)
        ag_stream_tls_init(&players[i].client, &tls, 60000);
    must(ag_stream_tls_set_roots(&tls, &root, 1) == AG_OK, "the anchor is no certificate");
    must(ag_heap_used() == 0, "anchors stay in the heap");
}

static void end(void)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        ag_stream_tls_clear(&players[i].client);
    must(ag_heap_used() == 0, "the heap leaks");
}

static void run_one(const struct tls_recording *recording)
{
    begin(recording);
    const uint8_t *top = paint_stack();
    const struct figures full = connect(recording, 0);
    const size_t stack = stack_used(top);
    const size_t peak = ag_heap_peak();
    const size_t open = ag_heap_used();
    receive(&players[0]);
    players[0].client.stream.close(&players[0].client);
    const size_t kept = ag_heap_used();
    const struct figures resumed = connect(recording, 1);
    receive(&players[0]);
    end();
    printf("\"%s\":{", recording->name);
    print_figures("handshake", &full);
    print_figures("resumption", &resumed);
    printf("\"heap_peak\":%u,\"heap_open\":%u,\"heap_kept\":%u,\"stack\":%u", (unsigned)peak,
           (unsigned)open, (unsigned)kept, (unsigned)stack);
}

// Two at once, call by call.
static void run_two(const struct tls_recording *recording)
{
    struct figures figures = { 0 };
    bool done[CLIENTS] = { false };
    begin(recording);
    for (uint32_t i = 0; i < CLIENTS; i++)
        start(&players[i], recording, 0);
    while (!done[0] || !done[1]) {
        for (uint32_t i = 0; i < CLIENTS; i++)
            done[i] = done[i] || step(&players[i], &figures);
    }
    const size_t both = ag_heap_peak();
    for (uint32_t i = 0; i < CLIENTS; i++)
        receive(&players[i]);
    end();

    begin(recording); // the second while the first is open
    for (uint32_t i = 0; i < CLIENTS; i++) {
        start(&players[i], recording, 0);
        while (!step(&players[i], &figures))
            continue;
    }
    printf(",\"heap_peak_two\":%u,\"heap_peak_second\":%u", (unsigned)both,
           (unsigned)ag_heap_peak());
    end();
}

int main(void)
{
    FILE *file = fopen("tls_recordings", "rb"); // where the emulator runs
    must(file && fread(recordings, sizeof recordings, 1, file) == 1, "there are no recordings");
    printf("{");
    for (uint32_t i = 0; i < RECORDINGS; i++) {
        run_one(&recordings[i]);
        if (i < RECORDINGS_OF_TWO)
            run_two(&recordings[i]);
        printf(i + 1 < RECORDINGS ? "}," : "}}\n");
    }
    return 0;
}
