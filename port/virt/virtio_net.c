// SPDX-License-Identifier: Apache-2.0
// virtio-net for lwIP (NO_SYS): frames are copied between its buffers and lwIP's.
//
// The interrupt only ends the processor's sleep; ag_machine_net_poll takes frames in.
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/stats.h>

#include "port/bare/machine.h"
#include "port/virt/virtio.h"

enum {
    RECEIVE = 0,
    SEND = 1,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACKNOWLEDGE = 0x064,
    FEATURE_ADDRESS = 1 << 5,
    FEATURE_STATUS = 1 << 16,
    STATUS_OFFSET = 6, // in the configuration, behind the address
    HEAD = 12,         // bytes before each frame; all zero: nothing is left to the other side
    FRAME_MAX = 1514,
    BUFFER = HEAD + FRAME_MAX + 2,
    SENDING = 2, // buffers, so that one is filled while the other is on its way
    SEND_PATIENCE_MS = 20
};

static struct ag_virtio_queue receive, send;
static uint8_t received[AG_VIRTIO_QUEUE][BUFFER], sending[SENDING][BUFFER];
static uint32_t device; // 0: there is none
static uint32_t features;
static bool is_sending[SENDING]; // it belongs to the device
static uint32_t sent_last;       // index of `sending`
static volatile bool has_frames;

static void give_back(uint32_t id)
{
    ag_virtio_give(&receive, id, received[id], BUFFER, AG_VIRTIO_DEVICE_WRITES);
}

static bool take_back(uint32_t wanted)
{
    uint32_t id, size;
    const uint64_t start_ms = ag_machine_uptime_ms();
    while (is_sending[wanted]) {
        if (ag_virtio_take(&send, &id, &size))
            is_sending[id % SENDING] = false;
        else if (ag_machine_uptime_ms() - start_ms > SEND_PATIENCE_MS)
            return false;
    }
    return true;
}

static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
    const uint32_t id = (sent_last + 1) % SENDING;
    (void)netif;
    if (frame->tot_len > FRAME_MAX || !take_back(id)) {
        LINK_STATS_INC(link.drop);
        return ERR_MEM;
    }
    (void)pbuf_copy_partial(frame, sending[id] + HEAD, frame->tot_len, 0);
    is_sending[id] = true;
    sent_last = id;
    ag_virtio_give(&send, id, sending[id], HEAD + frame->tot_len, 0);
    ag_virtio_notify(device, SEND);
    LINK_STATS_INC(link.xmit);
    return ERR_OK;
}

int8_t ag_machine_net_init(struct netif *netif)
{
    uint32_t irq;
    device = ag_virtio_find(AG_VIRTIO_NET, &irq);
    if (!device || !ag_virtio_agree(device, FEATURE_ADDRESS | FEATURE_STATUS, &features)) {
        device = 0;
        return ERR_IF;
    }
    if (features & FEATURE_ADDRESS) {
        for (uint32_t i = 0; i < ETH_HWADDR_LEN; i++)
            netif->hwaddr[i] = AG_REG8(device + AG_VIRTIO_CONFIG + i);
    } else {
        ag_machine_entropy(netif->hwaddr, ETH_HWADDR_LEN);
        netif->hwaddr[0] = (uint8_t)((netif->hwaddr[0] & 0xFC) | 2); // administered here
    }
    netif->hwaddr_len = ETH_HWADDR_LEN;
    netif->mtu = 1500;
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;

    ag_virtio_add_queue(device, RECEIVE, &receive);
    ag_virtio_add_queue(device, SEND, &send);
    send.available.flags = 1; // no interrupt for what was sent
    ag_virtio_run(device);
    for (uint32_t id = 0; id < AG_VIRTIO_QUEUE; id++)
        give_back(id);
    ag_virtio_notify(device, RECEIVE);
    ag_trap_enable(irq);
    return ERR_OK;
}

void ag_virtio_net_interrupt(uint32_t irq)
{
    (void)irq; // of the only device whose interrupts are on
    AG_VIRTIO_REG(device, INTERRUPT_ACKNOWLEDGE) = AG_VIRTIO_REG(device, INTERRUPT_STATUS);
    has_frames = true;
}

bool ag_virtio_net_has_frames(void)
{
    return has_frames;
}

static void take_frame(struct netif *netif, const uint8_t *bytes, uint32_t size)
{
    LINK_STATS_INC(link.recv);
    if (size <= HEAD || size > HEAD + FRAME_MAX) {
        LINK_STATS_INC(link.lenerr);
        return;
    }
    struct pbuf *frame = pbuf_alloc(PBUF_RAW, (uint16_t)(size - HEAD), PBUF_POOL);
    if (!frame) {
        LINK_STATS_INC(link.memerr);
        return;
    }
    (void)pbuf_take(frame, bytes + HEAD, (uint16_t)(size - HEAD));
    if (netif->input(frame, netif) != ERR_OK)
        pbuf_free(frame);
}

void ag_machine_net_poll(struct netif *netif)
{
    uint32_t id, size;
    if (!device)
        return;
    has_frames = false; // before looking: what comes meanwhile sets it again
    for (uint32_t i = 0; i < AG_VIRTIO_QUEUE; i++) {
        if (!ag_virtio_take(&receive, &id, &size))
            return;
        take_frame(netif, received[id], size);
        give_back(id);
        ag_virtio_notify(device, RECEIVE);
    }
    has_frames = true; // a flood does not hold the main loop
}

bool ag_machine_net_has_link(void)
{
    if (!device || !(features & FEATURE_STATUS))
        return device;
    return AG_REG8(device + AG_VIRTIO_CONFIG + STATUS_OFFSET) & 1;
}
