// SPDX-License-Identifier: Apache-2.0
// The word of ag_board_note_running, in a small file that is mapped.
//
// Two words on the file: the slot, and its complement, so that a file of anything else says
// nothing. They are not written at once; a word without its complement counts as none.
#include "port/linux/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/board.h"

#define FILE_SIZE (2 * sizeof(uint32_t))

static uint32_t unmapped[2];
static volatile uint32_t *words = unmapped;

static void say_failure(const char *path)
{
    char text[400];
    snprintf(text, sizeof text, "resets while a plug-in runs will not be noticed: %s: %s", path,
             strerror(errno));
    ag_board_log(AG_LOG_WARNING, "board", text, strlen(text));
}

void ag_running_open(const char *path, bool is_new)
{
    void *mapping = MAP_FAILED;
    struct stat facts;
    ag_running_close();
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    // With its space reserved: a full disk is found here, not by a signal at the first store.
    if (fd >= 0 && fstat(fd, &facts) == 0 && facts.st_size != FILE_SIZE)
        errno = ftruncate(fd, 0) == 0 ? posix_fallocate(fd, 0, FILE_SIZE) : errno;
    if (fd >= 0 && fstat(fd, &facts) == 0 && facts.st_size == FILE_SIZE)
        mapping = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapping == MAP_FAILED)
        say_failure(path);
    else
        words = mapping;
    if (fd >= 0)
        close(fd);
    if (is_new)
        ag_board_note_running(0);
}

void ag_running_close(void)
{
    if (words != unmapped)
        munmap((void *)(uintptr_t)words, FILE_SIZE);
    words = unmapped;
    memset(unmapped, 0, sizeof unmapped);
}

void ag_board_note_running(uint32_t slot_id)
{
    words[0] = slot_id;
    words[1] = ~slot_id;
}

uint32_t ag_board_last_running(void)
{
    return words[0] == ~words[1] ? words[0] : 0;
}
