// SPDX-License-Identifier: Apache-2.0
// SMSC LAN9118, the board's Ethernet controller, for lwIP (NO_SYS).
//
// The interrupt only ends the processor's sleep: it masks itself, and ag_machine_net_poll takes
// frames in and opens it again. Frames that cannot be kept are read out word by word, since the
// chip's own way to discard one is not to be relied upon with short frames.
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/stats.h>

#include "port/bare/machine.h"
#include "port/mps2/hardware.h"

#define LAN(offset) AG_REG(0x40200000u + (offset))

#define RX_DATA     LAN(0x00u)
#define TX_DATA     LAN(0x20u)
#define RX_STATUS   LAN(0x40u)
#define TX_STATUS   LAN(0x48u)
#define IRQ_CFG     LAN(0x54u)
#define INT_STS     LAN(0x58u)
#define INT_EN      LAN(0x5Cu)
#define BYTE_TEST   LAN(0x64u)
#define FIFO_INT    LAN(0x68u)
#define RX_CFG      LAN(0x6Cu)
#define TX_CFG      LAN(0x70u)
#define HW_CFG      LAN(0x74u)
#define RX_FIFO_INF LAN(0x7Cu)
#define TX_FIFO_INF LAN(0x80u)
#define MAC_CMD     LAN(0xA4u)
#define MAC_DATA    LAN(0xA8u)

// Registers of the chip's MAC and PHY, behind windows.
enum {
    MAC_CR = 1,
    MAC_ADDRH = 2,
    MAC_ADDRL = 3,
    MAC_MII_ACC = 6,
    MAC_MII_DATA = 7,
    PHY_CONTROL = 0,
    PHY_STATUS = 1,
    PHY_ADVERTISED = 4,
    PHY_PARTNER = 5
};

enum {
    PATIENCE = 100000,    // turns to wait for the chip, far more than any operation takes
    SEND_PATIENCE_MS = 3, // for room in the FIFO: 4.6 KB leave it within 4 ms at 10 Mbit/s
    FRAMES_AT_ONCE = 16,  // so that a flood does not hold the main loop
    FRAME_MAX = 1518,     // with its checksum
    CHECKSUM = 4,
    PHY_LINK = 1 << 2,
    PHY_NEGOTIATE = 0x1200, // enable, and begin anew
    PHY_RESET = 0x8000,
    PHY_SELECTOR = 0x01E1 // 10 and 100 Mbit/s, half and full duplex
};

#define BYTE_TEST_VALUE 0x87654321u
#define HW_RESET        1u
#define HW_TX_STORED    0x00100000u // send only whole frames
#define HW_TX_FIFO_5K   0x00050000u
#define IRQ_PUSH_PULL   0x111u // high, push-pull, on; without it the line idles asserted
#define INT_RX_LEVEL    (1u << 3)
#define MAC_BUSY        (1u << 31)
#define MAC_READ        (1u << 30)
#define MAC_RX_ON       4u
#define MAC_TX_ON       8u
#define MAC_FULL_DUPLEX (1u << 20)
#define MII_CHIP        (1u << 11) // the address of the PHY inside
#define MII_WRITE       2u
#define MII_BUSY        1u
#define TX_ON           2u
#define TX_WHOLE        0x3000u // the buffer is the first and last of its frame
#define STATUS_ERROR    (1u << 15)

static volatile bool has_frames;
static bool is_there;
static bool has_link;

static bool mac_wait(void)
{
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if (!(MAC_CMD & MAC_BUSY))
            return true;
    }
    return false;
}

static uint32_t mac_read(uint32_t number)
{
    MAC_CMD = MAC_BUSY | MAC_READ | number;
    return mac_wait() ? MAC_DATA : 0;
}

static void mac_write(uint32_t number, uint32_t value)
{
    MAC_DATA = value;
    MAC_CMD = MAC_BUSY | number;
    (void)mac_wait();
}

static bool phy_wait(void)
{
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if (!(mac_read(MAC_MII_ACC) & MII_BUSY))
            return true;
    }
    return false;
}

static uint32_t phy_read(uint32_t number)
{
    mac_write(MAC_MII_ACC, MII_CHIP | number << 6 | MII_BUSY);
    return phy_wait() ? mac_read(MAC_MII_DATA) & 0xFFFF : 0;
}

static void phy_write(uint32_t number, uint32_t value)
{
    mac_write(MAC_MII_DATA, value);
    mac_write(MAC_MII_ACC, MII_CHIP | number << 6 | MII_WRITE | MII_BUSY);
    (void)phy_wait();
}

static bool reset_chip(void)
{
    if (BYTE_TEST != BYTE_TEST_VALUE) // the first access also wakes it
        return false;
    HW_CFG = HW_RESET;
    for (uint32_t i = 0; HW_CFG & HW_RESET; i++) {
        if (i == PATIENCE)
            return false;
    }
    phy_write(PHY_CONTROL, PHY_RESET);
    for (uint32_t i = 0; phy_read(PHY_CONTROL) & PHY_RESET; i++) {
        if (i == PATIENCE / 100)
            return false;
    }
    return true;
}

// The chip takes its address from an EEPROM at the reset; one without has all bits set.
static void read_address(struct netif *netif)
{
    const uint32_t low = mac_read(MAC_ADDRL);
    const uint32_t high = mac_read(MAC_ADDRH);
    for (uint32_t i = 0; i < ETH_HWADDR_LEN; i++)
        netif->hwaddr[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
    if (!(netif->hwaddr[0] & 1))
        return;
    ag_machine_entropy(netif->hwaddr, ETH_HWADDR_LEN);
    netif->hwaddr[0] = (uint8_t)((netif->hwaddr[0] & 0xFC) | 2); // not a group; administered here
    mac_write(MAC_ADDRL, (uint32_t)netif->hwaddr[0] | (uint32_t)netif->hwaddr[1] << 8 |
                             (uint32_t)netif->hwaddr[2] << 16 | (uint32_t)netif->hwaddr[3] << 24);
    mac_write(MAC_ADDRH, (uint32_t)netif->hwaddr[4] | (uint32_t)netif->hwaddr[5] << 8);
}

static bool has_room(uint32_t size)
{
    const uint64_t start_ms = ag_machine_uptime_ms();
    while ((TX_FIFO_INF & 0xFFFF) < size) {
        if (ag_machine_uptime_ms() - start_ms > SEND_PATIENCE_MS)
            return false;
    }
    return true;
}

static void forget_sent(void)
{
    for (uint32_t left = TX_FIFO_INF >> 16 & 0xFF; left > 0; left--) {
        if (TX_STATUS & STATUS_ERROR) {
            LINK_STATS_INC(link.err);
        }
    }
}

static err_t send(struct netif *netif, struct pbuf *frame)
{
    uint32_t word = 0;
    uint32_t filled = 0; // bytes in it
    (void)netif;
    forget_sent();
    if (!has_room(frame->tot_len + 2u * 4u + 4u)) {
        LINK_STATS_INC(link.drop);
        return ERR_MEM;
    }
    TX_DATA = TX_WHOLE | frame->tot_len;
    TX_DATA = frame->tot_len;
    for (const struct pbuf *part = frame; part; part = part->next) {
        const uint8_t *bytes = part->payload;
        uint32_t left = part->len;
        for (; filled == 0 && left >= 4; left -= 4, bytes += 4) {
            memcpy(&word, bytes, 4);
            TX_DATA = word;
        }
        for (word = filled ? word : 0; left > 0; left--) {
            word |= (uint32_t)*bytes++ << 8 * filled;
            if (++filled == 4) {
                TX_DATA = word;
                word = filled = 0;
            }
        }
    }
    if (filled)
        TX_DATA = word;
    LINK_STATS_INC(link.xmit);
    return ERR_OK;
}

int8_t ag_machine_net_init(struct netif *netif)
{
    is_there = reset_chip();
    if (!is_there)
        return ERR_IF;
    read_address(netif);
    netif->hwaddr_len = ETH_HWADDR_LEN;
    netif->mtu = 1500;
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->output = etharp_output;
    netif->linkoutput = send;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;

    phy_write(PHY_ADVERTISED, PHY_SELECTOR);
    phy_write(PHY_CONTROL, PHY_NEGOTIATE);
    HW_CFG = HW_TX_STORED | HW_TX_FIFO_5K;
    RX_CFG = 0;
    FIFO_INT = 0; // any frame
    TX_CFG = TX_ON;
    mac_write(MAC_CR, MAC_RX_ON | MAC_TX_ON);
    INT_STS = UINT32_MAX;
    INT_EN = INT_RX_LEVEL;
    IRQ_CFG = IRQ_PUSH_PULL;
    AG_NVIC_ENABLE = 1u << AG_IRQ_ETHERNET;
    return ERR_OK;
}

void ag_lan9118_interrupt(void)
{
    INT_EN = 0;
    has_frames = true;
}

bool ag_lan9118_has_frames(void)
{
    return has_frames;
}

// Reads `size` bytes and what fills up the last word; frame NULL: nobody wants them.
static void take_words(struct pbuf *frame, uint32_t size)
{
    uint32_t at = 0; // in the part
    for (uint32_t left = size; left > 0;) {
        const uint32_t word = RX_DATA;
        const uint32_t count = left < 4 ? left : 4;
        left -= count;
        if (!frame)
            continue;
        if (frame->len - at >= 4 && count == 4) {
            memcpy((uint8_t *)frame->payload + at, &word, 4);
            at += 4;
            continue;
        }
        for (uint32_t i = 0; frame && i < count; i++) {
            if (at == frame->len) {
                frame = frame->next;
                at = 0;
                if (!frame)
                    break;
            }
            ((uint8_t *)frame->payload)[at++] = (uint8_t)(word >> 8 * i);
        }
    }
}

static void take_frame(struct netif *netif)
{
    const uint32_t status = RX_STATUS;
    const uint32_t size = status >> 16 & 0x3FFF; // with its checksum
    struct pbuf *frame = NULL;
    LINK_STATS_INC(link.recv);
    if ((status & STATUS_ERROR) || size <= CHECKSUM || size > FRAME_MAX) {
        LINK_STATS_INC(link.lenerr);
    } else {
        frame = pbuf_alloc(PBUF_RAW, (uint16_t)(size - CHECKSUM), PBUF_POOL);
        if (!frame) {
            LINK_STATS_INC(link.memerr);
        }
    }
    take_words(frame, size);
    if (frame && netif->input(frame, netif) != ERR_OK)
        pbuf_free(frame);
}

void ag_machine_net_poll(struct netif *netif)
{
    if (!is_there)
        return;
    has_frames = false;
    INT_STS = INT_RX_LEVEL; // before looking: what comes meanwhile sets it again
    for (uint32_t i = 0; i < FRAMES_AT_ONCE; i++) {
        if (!(RX_FIFO_INF >> 16 & 0xFF)) {
            INT_EN = INT_RX_LEVEL;
            return;
        }
        take_frame(netif);
    }
    has_frames = true;
}

// Full duplex where both sides can, of the best speed that both can.
static void follow_partner(void)
{
    const uint32_t common = phy_read(PHY_ADVERTISED) & phy_read(PHY_PARTNER);
    const bool is_full = (common & 0x0100) || (common & 0x00C0) == 0x0040;
    mac_write(MAC_CR, MAC_RX_ON | MAC_TX_ON | (is_full ? MAC_FULL_DUPLEX : 0));
}

bool ag_machine_net_has_link(void)
{
    const bool had_link = has_link;
    has_link = is_there && (phy_read(PHY_STATUS) & PHY_LINK); // a loss stays until it is read
    if (has_link && !had_link)
        follow_partner();
    return has_link;
}
