// SPDX-License-Identifier: Apache-2.0
// The firmware of a board without an operating system: sets up the parts, then gives each of them
// its turn, and sleeps until the first of them wants another.
//
// Nothing ends: without provisioning, or with a store that cannot be used, the shell says why and
// the watchdog is fed; a person must come. What is confirmed runs before there is any network.
#include <string.h>

#include "base/config.h"
#include "base/writer.h"
#include "host/host.h"
#include "platform/board.h"
#include "plugin/trust.h"
#include "port/bare/board.h"
#include "port/bare/flash_window.h"
#include "port/bare/heap.h"
#include "port/bare/machine.h"
#include "port/bare/net.h"
#include "port/bare/shell.h"
#include "port/bare/stream_tls.h"
#include "provisioning/provisioning.h"

enum {
    CONNECT_TIMEOUT_MS = 20000,
    WAIT_MAX_MS = 500, // the watchdog wants to be fed
    FAREWELL_MS = 300, // for the last packets before a restart
    HAS_TWO = AG_CFG_TLS_CONNECTIONS == 2,
};

static struct ag_provisioning provisioning;
static struct ag_flash flash;
static struct ag_tls tls;
static struct ag_stream_tls streams[AG_CFG_TLS_CONNECTIONS]; // the hub's, and that for files
static uint64_t memory[AG_CFG_HOST_RAM / sizeof(uint64_t)];  // the host, and all plug-ins

static void say(enum ag_log_level level, const char *text, const char *more)
{
    char line[160];
    struct ag_writer out;
    ag_writer_init(&out, line, sizeof line);
    ag_writer_text(&out, text);
    ag_writer_text(&out, more);
    ag_board_log(level, "host", line, out.size);
}

static void say_failure(const char *text, enum ag_status status)
{
    char line[120];
    struct ag_writer out;
    ag_writer_init(&out, line, sizeof line);
    ag_writer_text(&out, ag_status_name(status));
    ag_writer_text(&out, " (");
    ag_writer_decimal(&out, status);
    ag_writer_text(&out, ")");
    say(AG_LOG_ERROR, text, ag_writer_finish_text(&out));
}

// The TLS roots follow the trust store object in use.
static enum ag_status use_trust(void *context, const uint8_t *bytes, size_t size)
{
    struct ag_stream_tls_root roots[AG_TRUST_ROOT_MAX];
    struct ag_trust trust;
    size_t count = 0;
    (void)context;
    enum ag_status status = ag_trust_read_proven(bytes, size, &trust);
    while (status == AG_OK && count < AG_TRUST_ROOT_MAX &&
           ag_trust_root(&trust, count, &roots[count].der, &roots[count].size) == AG_OK)
        count++;
    if (status == AG_OK)
        status = ag_stream_tls_set_roots(&tls, roots, count);
    if (status != AG_OK)
        say_failure("the root certificates of the trust store object cannot be used: ", status);
    return status;
}

// What is wrong with the provisioning partition; NULL: nothing.
static const char *read_provisioning(void)
{
    const struct ag_machine_flash *machine = ag_machine_flash();
    const enum ag_status status =
        ag_provisioning_read(machine->base, machine->provisioning_size, &provisioning);
    if (status == AG_ERR_NOT_FOUND)
        return "not provisioned; run airgraft provision";
    if (status != AG_OK)
        return "the provisioning partition is damaged; run airgraft provision";
    const char *missing = ag_provisioning_missing(&provisioning);
    if (!missing)
        return NULL;
    static char text[64];
    struct ag_writer out;
    ag_writer_init(&out, text, sizeof text);
    ag_writer_text(&out, "provisioning lacks the ");
    ag_writer_text(&out, missing);
    return ag_writer_finish_text(&out);
}

static void make_host_config(struct ag_host_config *config)
{
    ag_host_config_init(config);
    config->connection_string = provisioning.connection_string;
    config->id_scope = provisioning.id_scope;
    config->registration_id = provisioning.registration_id;
    config->key = provisioning.key;
    config->key_is_group = provisioning.key_is_group;
    if (provisioning.dps_host)
        config->dps_host = provisioning.dps_host;
    if (provisioning.dps_port != 0)
        config->dps_port = provisioning.dps_port;
    if (provisioning.hub_port != 0)
        config->hub_port = provisioning.hub_port;
    config->trust = provisioning.trust;
    config->trust_size = provisioning.trust_size;
    config->one_connection = provisioning.one_connection || !HAS_TWO;
    config->desired_size = AG_CFG_DESIRED_SIZE;
}

// The host, with what is confirmed running; NULL: *reason says why there is none.
static struct ag_host *start_host(const char **reason)
{
    struct ag_host_config config;
    struct ag_host *host = NULL;
    const struct ag_host_board board = {
        .flash = &flash,
        .hub = &streams[0].stream,
        .download = &streams[HAS_TWO].stream,
        .use_trust = use_trust,
    };
    ag_flash_window_open(&flash);
    ag_heap_start();
    enum ag_status status = ag_stream_tls_start(&tls);
    if (status != AG_OK) {
        *reason = "TLS cannot start";
        say_failure("TLS cannot start: ", status);
        return NULL;
    }
    for (uint32_t i = 0; i < AG_CFG_TLS_CONNECTIONS; i++)
        ag_stream_tls_init(&streams[i], &tls, CONNECT_TIMEOUT_MS);
    make_host_config(&config);
    status = ag_host_init(memory, sizeof memory, &config, &board, &host);
    if (status != AG_OK) {
        *reason = ag_status_name(status);
        say_failure("the host cannot start: ", status);
        return NULL;
    }
    return host;
}

static void start_network(void)
{
    struct ag_net_config config = {
        .address = provisioning.address,
        .gateway = provisioning.gateway,
        .dns = provisioning.dns,
        .dns_port = provisioning.dns_port,
        .time_server = provisioning.time_server,
        .time_port = provisioning.time_port,
        .host_name = provisioning.host_name,
    };
    const enum ag_status status = ag_net_start(&config);
    if (status == AG_ERR_CONFIG)
        say_failure("a provisioned address is malformed, so DHCP is asked for all: ", status);
    else if (status != AG_OK)
        say_failure("the network cannot start: ", status);
}

// In order: what was sent gets a moment to leave.
_Noreturn static void restart(struct ag_host *host)
{
    if (host)
        ag_host_close(host);
    const uint64_t until_ms = ag_board_uptime_ms() + FAREWELL_MS;
    while (ag_board_uptime_ms() < until_ms) {
        ag_net_poll();
        ag_machine_wait(1);
    }
    ag_machine_retained()->restarts++;
    ag_machine_reset();
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

_Noreturn static void run(struct ag_host *host)
{
    for (;;) {
        uint32_t wait_ms = WAIT_MAX_MS;
        ag_net_poll();
        if (host)
            wait_ms = smaller(wait_ms, ag_host_step(host, ag_board_uptime_ms()));
        ag_shell_poll();
        ag_machine_feed_watchdog();
        if (ag_board_wants_restart())
            restart(host);
        const uint64_t now_ms = ag_board_uptime_ms();
        for (uint32_t i = 0; host && i < AG_CFG_TLS_CONNECTIONS; i++)
            wait_ms = smaller(wait_ms, ag_stream_tls_wait_ms(&streams[i], now_ms));
        wait_ms = smaller(wait_ms, ag_net_wait_ms());
        if (wait_ms > 0)
            ag_machine_wait(wait_ms);
    }
}

int main(void)
{
    struct ag_host *host = NULL;
    ag_machine_start();
    ag_board_start();
    say(AG_LOG_INFO, "airgraft-host " AG_HOST_VERSION " on ", ag_board_name());
    const char *reason = read_provisioning();
    if (reason)
        say(AG_LOG_ERROR, "no host: ", reason);
    else
        host = start_host(&reason);
    start_network();
    ag_shell_start(host, reason);
    run(host);
}
