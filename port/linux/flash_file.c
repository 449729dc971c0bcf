// SPDX-License-Identifier: Apache-2.0
// Flash in a file.
//
// The image's size is the mark of its creation: bytes of 0xFF are appended until the file has its
// size, so a shorter image of nothing but 0xFF is one whose creation was interrupted. The space is
// reserved before, beyond the end of the file.
//
// The window is read only where the file still reaches: beyond its end there is SIGBUS, and no
// error.
#include "port/linux/flash_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/board.h"

enum {
    PIECE_SIZE = 4096
};

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ag_board_log(AG_LOG_ERROR, "store", text, strlen(text));
}

static bool read_fully(int fd, uint8_t *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        const ssize_t got = pread(fd, bytes, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            if (got == 0)
                errno = EIO; // shorter than it was: somebody truncated it
            return false;
        }
        bytes += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

static bool write_fully(int fd, const uint8_t *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        const ssize_t put = pwrite(fd, bytes, size, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        size -= (size_t)put;
        offset += (uint64_t)put;
    }
    return true;
}

static bool is_filled_with(const uint8_t *bytes, size_t size, uint8_t value)
{
    return size == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, size - 1) == 0);
}

// True when the first `size` bytes of the file are all `value`; stops at the first that is not.
static bool file_is_filled_with(int fd, uint64_t size, uint8_t value)
{
    uint8_t piece[PIECE_SIZE];
    for (uint64_t at = 0; at < size; at += sizeof piece) {
        const size_t part = size - at < sizeof piece ? (size_t)(size - at) : sizeof piece;
        if (!read_fully(fd, piece, part, at) || !is_filled_with(piece, part, value))
            return false;
    }
    return true;
}

static enum ag_status program(void *context, uint32_t offset, const void *bytes, uint32_t size)
{
    struct ag_flash_file *file = context;
    struct stat info;
    assert(offset % AG_FLASH_UNIT == 0 && size % AG_FLASH_UNIT == 0);
    assert(offset < file->flash.size && size <= AG_FLASH_BLOCK - offset % AG_FLASH_BLOCK);
    if (fstat(file->fd, &info) != 0 || info.st_size < file->flash.size) {
        complain("the image became shorter than its %u bytes", (unsigned)file->flash.size);
        return AG_ERR_FLASH;
    }
    if (!is_filled_with(file->window + offset, size, 0xff)) {
        complain("refused to program %u bytes at %u: not erased", (unsigned)size, (unsigned)offset);
        return AG_ERR_FLASH;
    }
    if (!write_fully(file->fd, bytes, size, offset)) {
        complain("cannot program %u bytes at %u: %s", (unsigned)size, (unsigned)offset,
                 strerror(errno));
        return AG_ERR_FLASH;
    }
    return AG_OK;
}

static enum ag_status erase(void *context, uint32_t offset)
{
    struct ag_flash_file *file = context;
    uint8_t blank[AG_FLASH_BLOCK];
    assert(offset % AG_FLASH_BLOCK == 0 && offset < file->flash.size);
    memset(blank, 0xff, sizeof blank);
    if (!write_fully(file->fd, blank, sizeof blank, offset)) {
        complain("cannot erase the block at %u: %s", (unsigned)offset, strerror(errno));
        return AG_ERR_FLASH;
    }
    return AG_OK;
}

// Writes everything once more. After a failure Linux takes its pages for written, and another
// fdatasync alone would succeed without a byte of them reaching the disk.
static bool write_again(const struct ag_flash_file *file)
{
    uint8_t piece[PIECE_SIZE];
    for (uint32_t at = 0; at < file->flash.size; at += PIECE_SIZE)
        if (!read_fully(file->fd, piece, PIECE_SIZE, at) ||
            !write_fully(file->fd, piece, PIECE_SIZE, at))
            return false;
    return true;
}

static enum ag_status sync_image(void *context)
{
    struct ag_flash_file *file = context;
    const bool is_written = !file->sync_failed || write_again(file);
    file->sync_failed = !is_written || fdatasync(file->fd) != 0;
    if (!file->sync_failed)
        return AG_OK;
    complain("cannot write the image to the disk: %s", strerror(errno));
    return AG_ERR_FLASH;
}

// Opens and locks; *size is what the file has now.
static enum ag_status open_locked(const char *path, int *fd, uint64_t *size)
{
    struct stat info;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (*fd < 0) {
        complain("cannot open the store image %s for writing: %s", path, strerror(errno));
        return AG_ERR_IO;
    }
    if (fstat(*fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        complain("the store image %s is not a regular file", path);
        goto fail;
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        complain(errno == EWOULDBLOCK ? "the store image %s is in use by another process"
                                      : "the store image %s cannot be locked",
                 path);
        goto fail;
    }
    if (fstat(*fd, &info) != 0) // again: the one that held the lock may have made it
        goto fail;
    *size = (uint64_t)info.st_size;
    return AG_OK;
fail:
    close(*fd);
    *fd = -1;
    return AG_ERR_IO;
}

// Fills the image with 0xFF from `from` on and makes that durable, with its name.
static bool fill(int fd, const char *path, uint32_t from, uint32_t size)
{
    uint8_t blank[PIECE_SIZE];
    char folder[4096];
    memset(blank, 0xff, sizeof blank);
    // Some file systems cannot reserve; there the writing itself finds the disk full.
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) != 0 && errno != EOPNOTSUPP &&
        errno != ENOSYS && errno != EINVAL)
        return false;
    for (uint32_t at = from; at < size;) {
        const uint32_t part = size - at < PIECE_SIZE ? size - at : PIECE_SIZE;
        if (!write_fully(fd, blank, part, at))
            return false;
        at += part;
    }
    if (fsync(fd) != 0)
        return false;
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    const int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        return false;
    const bool done = fsync(folder_fd) == 0 || errno == EINVAL; // where folders have no fsync
    close(folder_fd);
    return done;
}

// Brings the image to its size, or says why it cannot be one.
static enum ag_status complete(struct ag_flash_file *file, const char *path, uint64_t now,
                               uint32_t size)
{
    const bool is_zero = now > 0 && now <= size && file_is_filled_with(file->fd, now, 0);
    if (now == size && !is_zero)
        return AG_OK;
    if (!is_zero && (now > size || !file_is_filled_with(file->fd, now, 0xff))) {
        complain("the store image %s has %llu bytes, but store_size is %u", path,
                 (unsigned long long)now, (unsigned)size);
        return AG_ERR_STORE_SIZE;
    }
    // Zeros go first, so that the size keeps telling how far the filling has come.
    const bool is_ready = !is_zero || ftruncate(file->fd, 0) == 0;
    if (!is_ready || !fill(file->fd, path, is_zero ? 0 : (uint32_t)now, size)) {
        complain("cannot make the store image %s of %u bytes: %s", path, (unsigned)size,
                 strerror(errno));
        // Give the space back: there was nothing but blank bytes in it.
        if (ftruncate(file->fd, 0) != 0)
            complain("cannot shorten %s again: %s", path, strerror(errno));
        return AG_ERR_FLASH;
    }
    file->is_new = true;
    return AG_OK;
}

enum ag_status ag_flash_file_open(struct ag_flash_file *file, const char *path, uint32_t size)
{
    uint64_t now;
    *file = (struct ag_flash_file){ .fd = -1 };
    if (size % AG_FLASH_BLOCK != 0 || size < 2 * AG_FLASH_BLOCK) {
        complain("store_size %u is not a multiple of %u, at least two", (unsigned)size,
                 AG_FLASH_BLOCK);
        return AG_ERR_ARGUMENT;
    }
    enum ag_status status = open_locked(path, &file->fd, &now);
    if (status != AG_OK)
        return status;
    status = complete(file, path, now, size);
    if (status != AG_OK)
        goto fail;
    file->window = mmap(NULL, size, PROT_READ, MAP_SHARED, file->fd, 0);
    if (file->window == MAP_FAILED) {
        complain("cannot map the store image %s: %s", path, strerror(errno));
        status = AG_ERR_IO;
        goto fail;
    }
    madvise(file->window, size, MADV_RANDOM); // a hint: no read-ahead
    file->flash = (struct ag_flash){
        .context = file,
        .base = file->window,
        .size = size,
        .program = program,
        .erase = erase,
        .sync = sync_image,
    };
    return AG_OK;
fail:
    close(file->fd);
    file->fd = -1;
    file->window = NULL;
    return status;
}

void ag_flash_file_close(struct ag_flash_file *file)
{
    if (file->fd < 0)
        return;
    munmap(file->window, file->flash.size);
    close(file->fd);
    *file = (struct ag_flash_file){ .fd = -1 };
}
