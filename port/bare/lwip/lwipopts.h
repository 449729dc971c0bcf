// SPDX-License-Identifier: Apache-2.0
// How lwIP is built for boards without an operating system: one thread, raw API, IPv4.
#ifndef AG_BARE_LWIPOPTS_H
#define AG_BARE_LWIPOPTS_H

#include <stdint.h>

#define NO_SYS                     1
#define SYS_LIGHTWEIGHT_PROT       0 // all of lwIP runs in the main loop
#define LWIP_SOCKET                0
#define LWIP_NETCONN               0
#define LWIP_IPV4                  1
#define LWIP_IPV6                  0
#define LWIP_RAW                   0
#define LWIP_STATS                 0
#define LWIP_NOASSERT              1
#define LWIP_ICMP                  1
#define LWIP_DHCP                  1
#define LWIP_DNS                   1
#define LWIP_NETIF_HOSTNAME        1
#define LWIP_NETIF_LINK_CALLBACK   1
#define LWIP_NETIF_STATUS_CALLBACK 0
#define IP_REASSEMBLY              0
#define IP_FRAG                    0
#define DHCP_DOES_ARP_CHECK        0 // saves a second
#define ARP_QUEUEING               1 // without it the first of two SYNs is lost

#define MEM_ALIGNMENT        4
#define MEM_SIZE             8192
#define PBUF_POOL_SIZE       8
#define TCP_MSS              1460
#define TCP_WND              (3 * TCP_MSS)
#define TCP_SND_BUF          (2 * TCP_MSS)
#define TCP_SND_QUEUELEN     8
#define MEMP_NUM_TCP_SEG     16
#define MEMP_NUM_TCP_PCB     4
#define MEMP_NUM_UDP_PCB     4
#define MEMP_NUM_SYS_TIMEOUT (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 1)

uint32_t ag_net_random(void); // for DNS ids, port numbers and sequence numbers
#define LWIP_RAND() ag_net_random()

extern uint16_t ag_net_dns_port;
#define DNS_SERVER_PORT ag_net_dns_port

#endif
