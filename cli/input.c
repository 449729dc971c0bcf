// SPDX-License-Identifier: Apache-2.0
// Files read and written whole.
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static const char *hint_of(int error)
{
    switch (error) {
    case ENOENT:
        return "check the path";
    case EACCES:
    case EPERM:
        return "check the permissions";
    case EEXIST:
        return "choose another name, or remove the file first";
    case EISDIR:
        return "name a file, not a folder";
    case ENOSPC:
        return "make room on the disk";
    default:
        return ag_status_hint(AG_ERR_IO);
    }
}

static bool fail(const char *verb, const char *path)
{
    const int error = errno;
    ag_output_fail(hint_of(error), "cannot %s %s: %s (%s, %d)", verb, path, strerror(error),
                   ag_status_name(AG_ERR_IO), AG_ERR_IO);
    return false;
}

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

// Reads to the end or to one byte over the limit. NULL with errno set on failure.
static uint8_t *read_all(int file, size_t limit, size_t *size)
{
    size_t capacity = limit < 65536 ? limit + 2 : 65536;
    size_t filled = 0;
    uint8_t *bytes = malloc(capacity);
    while (bytes && filled <= limit) {
        const size_t room = capacity - filled - 1; // one is kept for the NUL
        const ssize_t got = read(file, bytes + filled, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            goto failed;
        if (got == 0)
            break;
        filled += (size_t)got;
        if (filled + 1 < capacity)
            continue;
        capacity = capacity > limit ? limit + 2 : capacity * 2;
        uint8_t *larger = realloc(bytes, capacity > filled + 1 ? capacity : filled + 2);
        if (!larger)
            goto failed;
        bytes = larger;
        capacity = capacity > filled + 1 ? capacity : filled + 2;
    }
    if (bytes) {
        bytes[filled] = 0;
        *size = filled;
    }
    return bytes;
failed:
    free(bytes);
    return NULL;
}

bool ag_input_read(const char *path, size_t limit, uint8_t **bytes, size_t *size)
{
    const int file = is_standard_input(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t filled = 0;
    if (file < 0)
        return fail("read", path);
    uint8_t *content = read_all(file, limit, &filled);
    const int error = errno;
    if (file != STDIN_FILENO)
        close(file);
    if (!content) {
        errno = error;
        return fail("read", path);
    }
    if (filled > limit) {
        free(content);
        ag_output_fail("is it the right file?", "%s is larger than %zu bytes", path, limit);
        return false;
    }
    *bytes = content;
    *size = filled;
    return true;
}

static bool write_all(int file, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t done = write(file, bytes, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

// Makes the temporary file durable under its final name. AG_INPUT_KEEP links, because a link
// never replaces.
static bool settle(int file, const char *temporary, const char *path, enum ag_input_exists exists)
{
    if (fsync(file) != 0)
        return false;
    if (exists == AG_INPUT_REPLACE)
        return rename(temporary, path) == 0;
    if (link(temporary, path) != 0)
        return false;
    unlink(temporary);
    return true;
}

bool ag_input_write(const char *path, mode_t mode, enum ag_input_exists exists, const void *bytes,
                    size_t size)
{
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.%ld.tmp", path, (long)getpid()) < 0) {
        errno = ENOMEM;
        return fail("write", path);
    }
    const int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool done = file >= 0;
    if (done) {
        done = write_all(file, bytes, size) && settle(file, temporary, path, exists);
        const int error = errno;
        close(file);
        if (!done)
            unlink(temporary);
        errno = error;
    }
    if (!done)
        fail("write", path);
    free(temporary);
    return done;
}
