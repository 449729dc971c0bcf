// SPDX-License-Identifier: Apache-2.0
// platform/flash.h over an ordinary file: mapped for reading, written by pwrite.
//
// NOR rules are enforced: a unit that is not erased is refused. One process at a time holds the
// image. A new image is reserved and filled with 0xFF before the first use, so that a full disk
// is found at once and never in the middle of an update.
#ifndef AG_LINUX_FLASH_FILE_H
#define AG_LINUX_FLASH_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "platform/flash.h"

struct ag_flash_file {
    struct ag_flash flash; // what the store takes; valid between open and close
    int fd;                // -1 when not open
    uint8_t *window;       // the read-only mapping
    bool is_new;           // the image was made, or finished, by this open
    bool sync_failed;      // what the kernel holds may not be what the disk has
};

// Opens the image at `path`, or makes it with `size` bytes (a multiple of AG_FLASH_BLOCK, at least
// two blocks). A creation that a power cut interrupted is finished; so is an image of nothing but
// zeros or 0xFF. Each failure is logged with its reason and leaves nothing open:
//   AG_ERR_IO          not readable and writable, no regular file, or held by another process
//   AG_ERR_STORE_SIZE  an image of another size is there; it is not touched
//   AG_ERR_FLASH       the medium fails or is full
//   AG_ERR_ARGUMENT    size is no possible size
AG_MUST_CHECK enum ag_status ag_flash_file_open(struct ag_flash_file *file, const char *path,
                                                uint32_t size);
void ag_flash_file_close(struct ag_flash_file *file);

#endif
