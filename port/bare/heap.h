// SPDX-License-Identifier: Apache-2.0
// The heap of TLS: mbedTLS's own allocator over one static block of AG_CFG_TLS_HEAP bytes. Nothing
// else allocates.
#ifndef AG_BARE_HEAP_H
#define AG_BARE_HEAP_H

#include <stddef.h>

void ag_heap_start(void);
size_t ag_heap_used(void);
size_t ag_heap_peak(void); // most bytes that were in use at once
size_t ag_heap_size(void);

#endif
