// SPDX-License-Identifier: Apache-2.0
// lwIP's view of the compiler.
#ifndef AG_BARE_ARCH_CC_H
#define AG_BARE_ARCH_CC_H

#define LWIP_NO_CTYPE_H       1
#define LWIP_NO_UNISTD_H      1
#define LWIP_TIMEVAL_PRIVATE  0
#define LWIP_PLATFORM_DIAG(x) ((void)0)
#ifdef AG_LWIP_CHECKED // tests on a PC
#include <stdio.h>
#include <stdlib.h>
#define LWIP_PLATFORM_ASSERT(text)                                                                 \
    do {                                                                                           \
        fprintf(stderr, "lwIP: %s (%s:%d)\n", text, __FILE__, __LINE__);                           \
        abort();                                                                                   \
    } while (0)
#else
#define LWIP_PLATFORM_ASSERT(text) ((void)0)
#endif
#define BYTE_ORDER LITTLE_ENDIAN

#endif
