// SPDX-License-Identifier: Apache-2.0
// Finding, agreeing, queues.
#include "port/virt/virtio.h"

enum {
    MAGIC = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SELECT = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SELECT = 0x024,
    QUEUE_SELECT = 0x030,
    QUEUE_SIZE = 0x038,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    STATUS = 0x070,
    QUEUE_DESCRIPTORS = 0x080,
    QUEUE_AVAILABLE = 0x090,
    QUEUE_USED = 0x0A0,

    STATUS_SEEN = 1,
    STATUS_DRIVEN = 2,
    STATUS_RUNS = 4,
    STATUS_AGREED = 8,

    FIRST = 0x10001000,
    STEP = 0x1000,
    COUNT = 8
};

#define MAGIC_VALUE 0x74726976u

static void barrier(void)
{
    __asm__ volatile("fence" ::: "memory");
}

uint32_t ag_virtio_find(enum ag_virtio_kind kind, uint32_t *irq)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        const uint32_t device = FIRST + i * STEP;
        if (AG_VIRTIO_REG(device, MAGIC) != MAGIC_VALUE || AG_VIRTIO_REG(device, VERSION) != 2 ||
            AG_VIRTIO_REG(device, DEVICE_ID) != (uint32_t)kind)
            continue;
        AG_VIRTIO_REG(device, STATUS) = 0;
        AG_VIRTIO_REG(device, STATUS) = STATUS_SEEN | STATUS_DRIVEN;
        *irq = AG_IRQ_VIRTIO + i;
        return device;
    }
    return 0;
}

bool ag_virtio_agree(uint32_t device, uint32_t features, uint32_t *agreed)
{
    AG_VIRTIO_REG(device, DEVICE_FEATURES_SELECT) = 0;
    *agreed = AG_VIRTIO_REG(device, DEVICE_FEATURES) & features;
    AG_VIRTIO_REG(device, DRIVER_FEATURES_SELECT) = 0;
    AG_VIRTIO_REG(device, DRIVER_FEATURES) = *agreed;
    AG_VIRTIO_REG(device, DRIVER_FEATURES_SELECT) = 1;
    AG_VIRTIO_REG(device, DRIVER_FEATURES) = 1; // version 1
    AG_VIRTIO_REG(device, STATUS) |= STATUS_AGREED;
    return AG_VIRTIO_REG(device, STATUS) & STATUS_AGREED;
}

static void set_address(uint32_t device, uint32_t offset, const void *address)
{
    AG_VIRTIO_REG(device, offset) = (uint32_t)(uintptr_t)address;
    AG_VIRTIO_REG(device, offset + 4) = 0;
}

void ag_virtio_add_queue(uint32_t device, uint32_t number, struct ag_virtio_queue *queue)
{
    AG_VIRTIO_REG(device, QUEUE_SELECT) = number;
    AG_VIRTIO_REG(device, QUEUE_SIZE) = AG_VIRTIO_QUEUE;
    set_address(device, QUEUE_DESCRIPTORS, queue->descriptors);
    set_address(device, QUEUE_AVAILABLE, &queue->available);
    set_address(device, QUEUE_USED, &queue->used);
    AG_VIRTIO_REG(device, QUEUE_READY) = 1;
}

void ag_virtio_run(uint32_t device)
{
    AG_VIRTIO_REG(device, STATUS) |= STATUS_RUNS;
}

void ag_virtio_give(struct ag_virtio_queue *queue, uint32_t id, const void *bytes, uint32_t size,
                    uint16_t flags)
{
    queue->descriptors[id].address = (uint32_t)(uintptr_t)bytes;
    queue->descriptors[id].size = size;
    queue->descriptors[id].flags = flags;
    queue->available.ring[queue->available.index % AG_VIRTIO_QUEUE] = (uint16_t)id;
    barrier();
    *(volatile uint16_t *)&queue->available.index = (uint16_t)(queue->available.index + 1);
}

void ag_virtio_notify(uint32_t device, uint32_t number)
{
    barrier();
    AG_VIRTIO_REG(device, QUEUE_NOTIFY) = number;
}

bool ag_virtio_take(struct ag_virtio_queue *queue, uint32_t *id, uint32_t *size)
{
    if (*(volatile uint16_t *)&queue->used.index == queue->taken)
        return false;
    barrier();
    *id = queue->used.ring[queue->taken % AG_VIRTIO_QUEUE].id % AG_VIRTIO_QUEUE;
    *size = queue->used.ring[queue->taken % AG_VIRTIO_QUEUE].size;
    queue->taken++;
    return true;
}
