// SPDX-License-Identifier: Apache-2.0
// virtio over MMIO, version 2 (virtio 1.1, 4.2): finding a device, and its queues. The emulator has
// that version with -global virtio-mmio.force-legacy=false.
#ifndef AG_VIRT_VIRTIO_H
#define AG_VIRT_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "port/virt/hardware.h"

#define AG_VIRTIO_REG(device, offset) AG_REG((device) + (offset))
#define AG_VIRTIO_CONFIG              0x100u

enum ag_virtio_kind {
    AG_VIRTIO_NET = 1,
    AG_VIRTIO_RNG = 4
};

enum {
    AG_VIRTIO_QUEUE = 4,        // entries of each queue, a power of two
    AG_VIRTIO_DEVICE_WRITES = 2 // flag of a descriptor
};

// One queue. The device reads and writes it; its index fields count on and wrap at 16 bits.
struct ag_virtio_queue {
    struct {
        uint32_t address, address_high;
        uint32_t size;
        uint16_t flags, next;
    } descriptors[AG_VIRTIO_QUEUE];
    struct {
        uint16_t flags, index;
        uint16_t ring[AG_VIRTIO_QUEUE];
        uint16_t event;
    } available;
    struct {
        uint16_t flags, index;
        struct {
            uint32_t id, size;
        } ring[AG_VIRTIO_QUEUE];
        uint16_t event;
    } used __attribute__((aligned(4)));
    uint16_t taken; // of used.index; the device does not know it
} __attribute__((aligned(16)));

// The address of the first device of the kind, reset; 0: there is none. *irq is its interrupt.
uint32_t ag_virtio_find(enum ag_virtio_kind kind, uint32_t *irq);
// Agrees on version 1 and `features` (of the low word), as far as the device has them. False: the
// device refuses.
bool ag_virtio_agree(uint32_t device, uint32_t features, uint32_t *agreed);
void ag_virtio_add_queue(uint32_t device, uint32_t number, struct ag_virtio_queue *queue);
void ag_virtio_run(uint32_t device);

// Gives the device descriptor `id` of `size` bytes; tells it (ag_virtio_notify) separately.
void ag_virtio_give(struct ag_virtio_queue *queue, uint32_t id, const void *bytes, uint32_t size,
                    uint16_t flags);
void ag_virtio_notify(uint32_t device, uint32_t number);
// Takes back the next one that the device is done with. False: there is none.
bool ag_virtio_take(struct ag_virtio_queue *queue, uint32_t *id, uint32_t *size);

#endif
