// SPDX-License-Identifier: Apache-2.0
// CRC-32 (ISO 3309, polynomial 0xEDB88320 reflected, as in zlib): guards against torn writes and
// bit rot on flash, never against an attacker.
#ifndef AG_BASE_CRC32_H
#define AG_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

// Start with crc 0; feed the result back in for the next piece. crc32("123456789") = 0xCBF43926.
uint32_t ag_crc32_update(uint32_t crc, const void *bytes, size_t size);

#endif
