// SPDX-License-Identifier: Apache-2.0
// Name lookup in short-lived threads.
//
// The thread touches nothing but its job. `share_count` is the one thing that both owners write;
// the list is written by the thread before its eventfd is signalled, and read by the caller after.
#include "port/linux/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "platform/board.h"

// getaddrinfo keeps up to 64 KB on its stack; only what is touched costs memory.
enum {
    STACK_SIZE = 512 * 1024
};

struct ag_resolver_job {
    atomic_uint share_count; // caller and thread
    atomic_bool is_done;
    int event_fd;
    int error; // EAI_…, 0 when found
    struct ag_resolver_list list;
    char port[8];
    char host[256];
};

static atomic_uint thread_count;

static void log_debug(const char *host, const char *reason)
{
    char text[400];
    snprintf(text, sizeof text, "%s: %s", host, reason);
    ag_board_log(AG_LOG_DEBUG, "dns", text, strlen(text));
}

bool ag_resolver_literal(const char *host, uint16_t port, struct ag_resolver_list *list)
{
    union ag_resolver_address address;
    char bare[INET6_ADDRSTRLEN];
    const size_t size = strlen(host);
    memset(&address, 0, sizeof address);
    if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(port);
    } else {
        const bool has_brackets = size > 2 && host[0] == '[' && host[size - 1] == ']';
        snprintf(bare, sizeof bare, "%.*s", (int)(has_brackets ? size - 2 : size),
                 has_brackets ? host + 1 : host);
        if (inet_pton(AF_INET6, bare, &address.v6.sin6_addr) != 1)
            return false;
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(port);
    }
    list->count = 1;
    list->addresses[0] = address;
    return true;
}

static void give_up_share(struct ag_resolver_job *job)
{
    if (atomic_fetch_sub(&job->share_count, 1) > 1)
        return;
    close(job->event_fd);
    free(job);
}

static void fill_list(struct ag_resolver_list *list, const struct addrinfo *found)
{
    for (; found && list->count < AG_RESOLVER_ADDRESSES_MAX; found = found->ai_next) {
        if (found->ai_addrlen <= sizeof list->addresses[0])
            memcpy(&list->addresses[list->count++], found->ai_addr, found->ai_addrlen);
    }
}

static void *look_up(void *argument)
{
    struct ag_resolver_job *job = argument;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    job->error = getaddrinfo(job->host, job->port, &hints, &found);
    if (job->error == 0) {
        fill_list(&job->list, found);
        freeaddrinfo(found);
    }
    atomic_fetch_sub(&thread_count, 1); // first, so that whoever sees the answer can ask again
    atomic_store(&job->is_done, true);
    eventfd_write(job->event_fd, 1);
    give_up_share(job);
    return NULL;
}

static bool start_thread(struct ag_resolver_job *job)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all); // signals are the main thread's
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool is_started = pthread_create(&thread, &attributes, look_up, job) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return is_started;
}

enum ag_status ag_resolver_start(const char *host, uint16_t port, struct ag_resolver_job **job,
                                 int *event_fd)
{
    if (atomic_fetch_add(&thread_count, 1) >= AG_RESOLVER_JOBS_MAX) {
        log_debug(host, "too many lookups are waiting for an answer");
        goto fail_count;
    }
    struct ag_resolver_job *new_job = calloc(1, sizeof *new_job);
    if (!new_job)
        goto fail_count;
    snprintf(new_job->host, sizeof new_job->host, "%s", host);
    snprintf(new_job->port, sizeof new_job->port, "%u", (unsigned)port);
    atomic_init(&new_job->share_count, 2);
    new_job->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (new_job->event_fd < 0)
        goto fail_job;
    if (!start_thread(new_job))
        goto fail_event;
    *job = new_job;
    *event_fd = new_job->event_fd;
    return AG_OK;
fail_event:
    close(new_job->event_fd);
fail_job:
    free(new_job);
fail_count:
    atomic_fetch_sub(&thread_count, 1);
    return AG_ERR_DNS;
}

enum ag_status ag_resolver_take(struct ag_resolver_job *job, struct ag_resolver_list *list)
{
    if (!atomic_load(&job->is_done))
        return AG_ERR_AGAIN;
    if (job->error != 0 || job->list.count == 0) {
        log_debug(job->host, job->error != 0 ? gai_strerror(job->error) : "no address");
        return AG_ERR_DNS;
    }
    *list = job->list;
    return AG_OK;
}

void ag_resolver_release(struct ag_resolver_job *job)
{
    if (job)
        give_up_share(job);
}
