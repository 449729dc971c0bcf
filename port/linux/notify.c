// SPDX-License-Identifier: Apache-2.0
// sd_notify: one datagram to the socket that NOTIFY_SOCKET names.
#include "port/linux/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void ag_notify_send(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const size_t size = name ? strlen(name) : 0;
    if (size < 2 || size >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@'))
        return;
    memcpy(address.sun_path, name, size);
    if (name[0] == '@')
        address.sun_path[0] = 0; // the abstract name space
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
    close(fd);
}

uint64_t ag_notify_watchdog_ms(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    const char *process = getenv("WATCHDOG_PID");
    if (!text || (process && strtol(process, NULL, 10) != getpid()))
        return UINT64_MAX;
    errno = 0;
    const unsigned long long period = strtoull(text, NULL, 10);
    return errno != 0 || period < 2000 ? UINT64_MAX : period / 2000;
}
