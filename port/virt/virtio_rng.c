// SPDX-License-Identifier: Apache-2.0
// Entropy from the emulator's virtio-rng.
#include <string.h>

#include "port/bare/machine.h"
#include "port/virt/virtio.h"

enum {
    PIECE = 64, // bytes asked for at once
    PATIENCE_MS = 5000
};

static struct ag_virtio_queue queue;
static uint8_t piece[PIECE];

static bool read_piece(uint32_t device, uint32_t wanted, uint32_t *size)
{
    uint32_t id;
    const uint64_t start_ms = ag_machine_uptime_ms();
    ag_virtio_give(&queue, 0, piece, wanted, AG_VIRTIO_DEVICE_WRITES);
    ag_virtio_notify(device, 0);
    while (!ag_virtio_take(&queue, &id, size)) {
        if (ag_machine_uptime_ms() - start_ms > PATIENCE_MS)
            return false;
    }
    return *size > 0 && *size <= wanted;
}

bool ag_virtio_rng_read(uint8_t *bytes, uint32_t size)
{
    uint32_t irq, agreed, got;
    const uint32_t device = ag_virtio_find(AG_VIRTIO_RNG, &irq);
    if (!device || !ag_virtio_agree(device, 0, &agreed))
        return false;
    memset(&queue, 0, sizeof queue);
    ag_virtio_add_queue(device, 0, &queue);
    ag_virtio_run(device);
    for (; size > 0; size -= got, bytes += got) {
        if (!read_piece(device, size < PIECE ? size : PIECE, &got))
            return false;
        memcpy(bytes, piece, got);
    }
    memset(piece, 0, sizeof piece);
    return true;
}
