// SPDX-License-Identifier: Apache-2.0
// lwIP's view of the compiler.
#ifndef AG_BARE_ARCH_CC_H
#define AG_BARE_ARCH_CC_H

#define LWIP_NO_CTYPE_H         1
#define LWIP_NO_UNISTD_H        1
#define LWIP_TIMEVAL_PRIVATE    0
#define LWIP_PLATFORM_DIAG(x)   ((void)0)
#define LWIP_PLATFORM_ASSERT(x) ((void)0)
#define BYTE_ORDER              LITTLE_ENDIAN

#endif
