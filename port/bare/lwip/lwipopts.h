// SPDX-License-Identifier: Apache-2.0
// How lwIP is built for boards without an operating system: one thread, raw API, IPv4. All of its
// RAM is here: 19 KB on a 32-bit machine, of which 10.6 KB are receive buffers and 6 KB the heap
// that holds what is sent until it is acknowledged; 16 KB where TLS takes records of less than 16
// KB, 14 KB for one connection.
#ifndef AG_BARE_LWIPOPTS_H
#define AG_BARE_LWIPOPTS_H

#include <stdint.h>

#include "base/config.h"

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0 // all of lwIP runs in the main loop
#define LWIP_SOCKET          0
#define LWIP_NETCONN         0
#define LWIP_IPV4            1
#define LWIP_IPV6            0
#define LWIP_RAW             0
#define LWIP_ICMP            1 // to answer a ping is the first test of a new board
#define LWIP_DHCP            1
#define LWIP_DNS             1
#define LWIP_NETIF_HOSTNAME  1
#define LWIP_SINGLE_NETIF    1
#define LWIP_HAVE_LOOPIF     0
#define IP_FORWARD           0
#define IP_REASSEMBLY        0 // what we ask for fits a frame; fragments are dropped
#define IP_FRAG              0
#define DHCP_DOES_ARP_CHECK  0 // saves a second
#define ARP_QUEUEING         1 // without it the first of two SYNs is lost
#define ARP_TABLE_SIZE       6

// Counts of the link, heap and pools for ag_net_status; the rest costs code and is asked by nobody.
#define LWIP_STATS   1
#define LINK_STATS   1
#define IP_STATS     1
#define MEM_STATS    1
#define MEMP_STATS   1
#define ETHARP_STATS 0
#define ICMP_STATS   0
#define UDP_STATS    0
#define TCP_STATS    0
#define SYS_STATS    0

// Firmware has no assertions of lwIP's. Our tests on a PC do.
#ifndef AG_LWIP_CHECKED
#define LWIP_NOASSERT 1
#endif

#define MEM_ALIGNMENT __SIZEOF_POINTER__
#define MEM_SIZE      (AG_CFG_TLS_CONNECTIONS == 2 ? 6144 : 5120)

// Two connections' windows must fit 7 frames: what a LAN9118 holds (10.5 KB) while the main loop
// computes. Segments out of order are not kept: with 3 in flight it would gain little for 2 KB.
#define TCP_MSS 1460
#if AG_CFG_TLS_IN >= 16384
#define TCP_WND (3 * TCP_MSS)
#else // a board that has little RAM
#define TCP_WND (2 * TCP_MSS)
#endif

// Small buffers that frames are chained of: a full frame takes 6, and a byte of a peer that sends
// byte by byte takes one, not a full frame's. For all windows, and 4 that are under way.
#define PBUF_POOL_BUFSIZE 256
#define PBUF_POOL_SIZE    (AG_CFG_TLS_CONNECTIONS * TCP_WND / TCP_MSS * 6 + 4)

#define TCP_SND_BUF      (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 8
#define TCP_QUEUE_OOSEQ  0
#define TCP_OVERSIZE     0  // TLS writes whole records: nothing is gained by room behind them
#define TCP_SYNMAXRTX    12 // the most there is; they are a second apart

// Two connections and those that are still being closed; the oldest of these gives way.
#define MEMP_NUM_TCP_PCB        5
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG        16
#define MEMP_NUM_UDP_PCB        (2 + DNS_TABLE_SIZE) // DHCP, SNTP, and a port for each question
#define MEMP_NUM_ARP_QUEUE      4
#define MEMP_NUM_PBUF           2
#define MEMP_NUM_SYS_TIMEOUT    LWIP_NUM_SYS_TIMEOUT_INTERNAL

// An answer is kept for as long as several connections need it that are made at once. A server's
// other addresses come first in later answers, so that a dead one is left behind.
#define DNS_TABLE_SIZE      4
#define DNS_MAX_REQUESTS    DNS_TABLE_SIZE
#define DNS_MAX_SERVERS     2
#define DNS_MAX_NAME_LENGTH (AG_CFG_HOST_MAX + 1)
#define DNS_MAX_TTL         10 // s

uint32_t ag_net_random(void); // for DNS ids, port numbers and sequence numbers
#define LWIP_RAND()                                     ag_net_random()
#define DHCP_CREATE_RAND_XID                            1
#define LWIP_HOOK_TCP_ISN(local, port, remote, to_port) ag_net_random()

extern uint16_t ag_net_dns_port;
#define DNS_SERVER_PORT ag_net_dns_port

#endif
