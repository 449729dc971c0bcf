// SPDX-License-Identifier: Apache-2.0
// airgraft-host: the host as a Linux program. Sets up the parts, then steps the host whenever its
// time has come or a descriptor is ready, and sleeps in between.
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/host.h"
#include "platform/board.h"
#include "plugin/trust.h"
#include "port/linux/board_setup.h"
#include "port/linux/config_file.h"
#include "port/linux/flash_file.h"
#include "port/linux/loop.h"
#include "port/linux/notify.h"
#include "port/linux/running.h"
#include "port/linux/stream_tls.h"
#include "port/linux/wifi_setup.h"
#include "wifi/station.h"

enum {
    EXIT_STOPPED = 0,  // asked to stop
    EXIT_FAILED = 1,   // the store, the board or the network library cannot be used
    EXIT_MISTAKEN = 2, // command line or configuration are wrong: starting again does not help
    EXIT_RESTART = 3,  // asked to start again: whoever supervises does that
    TRUST_SIZE_MAX = 1 << 18,
    CONNECT_TIMEOUT_MS = 20000,
};

static const char default_config[] = "/etc/airgraft/airgraft-host.conf";

struct options {
    const char *config;
    bool checks_only;
    int log_level; // -1: as configured
};

// Everything that is opened, in the order in which it is.
struct program {
    struct ag_config_file config;
    struct ag_flash_file flash;
    struct ag_loop loop;
    struct ag_tls tls;
    struct ag_stream_tls hub_stream;
    struct ag_stream_tls download_stream;
    struct ag_station_network networks[AG_CONFIG_FILE_WIFI_MAX];
    struct ag_station station;
    bool has_wifi;
    struct ag_loop_watch signals;
    struct ag_loop_watch keys;
    uint8_t *trust; // the configured trust store object
    size_t trust_size;
    void *memory;
    struct ag_host *host;
    bool stops;
};

__attribute__((format(printf, 2, 3))) static void say(enum ag_log_level level, const char *format,
                                                      ...)
{
    char text[700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ag_board_log(level, "host", text, strlen(text));
}

static void say_failure(const char *what, enum ag_status status)
{
    say(AG_LOG_ERROR, "%s: %s (%s, %d); hint: %s", what, ag_status_text(status),
        ag_status_name(status), (int)status, ag_status_hint(status));
}

static void print_help(void)
{
    printf(
        "airgraft-host %s: runs signed WebAssembly plug-ins, as the device's twin asks for them\n"
        "\n"
        "Usage: airgraft-host [--config FILE] [--log-level LEVEL]\n"
        "       airgraft-host [--config FILE] --check-config\n"
        "       airgraft-host --help | --version\n"
        "\n"
        "  -c, --config FILE      the configuration; default %s\n"
        "      --check-config     only says whether the configuration is right\n"
        "  -l, --log-level LEVEL  error, warning, info or debug, whatever is configured\n"
        "  -h, --help             this text\n"
        "      --version          the version\n"
        "\n"
        "The host connects to Azure IoT Hub, or to a hub that speaks the same protocol\n"
        "(airgraft hub), fetches the plug-ins named in the desired property firmware_modules,\n"
        "proves them, tries them, and keeps them or takes them back. What is confirmed runs from\n"
        "the store at the next start, before there is any network. The log goes to stderr.\n"
        "\n"
        "Configuration: lines of `key = value`; comments begin with #; relative paths start at the\n"
        "folder of the configuration.\n"
        "\n",
        AG_HOST_VERSION, default_config);
    ag_config_file_print_keys(stdout);
    printf(
        "\n"
        "Pins: lines of the GPIO chip, or on the terminal board LEDs 0-3 and switches 4-7. On a\n"
        "terminal the keys 1-4 toggle the switches; LED 1 is also the heater beside the sensor.\n"
        "\n"
        "A device for a hub on this machine, started by `airgraft hub`; the values are in its\n"
        "hub.json:\n"
        "  id_scope = 0ne00000000\n"
        "  registration_id = device-1\n"
        "  group_key_file = group.key\n"
        "  dps_host = localhost\n"
        "  trust = trust.bin\n"
        "  store = device-1.img\n"
        "\n"
        "Signals: SIGTERM and SIGINT stop the host in order. SIGKILL and power cuts do no harm.\n"
        "Exit: 0 asked to stop; 1 the store, the board or the network library cannot be used;\n"
        "      2 the command line or the configuration is wrong;\n"
        "      3 asked to start again, by the direct method restart: whoever supervises does that.\n");
}

static int level_of(const char *name)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0)
            return i;
    }
    return -1;
}

// Returns -1 to go on, or the exit code.
static int read_options(int argc, char **argv, struct options *options)
{
    enum {
        OPTION_CHECK = 256,
        OPTION_VERSION
    };
    static const struct option table[] = {
        { "config", required_argument, NULL, 'c' },
        { "check-config", no_argument, NULL, OPTION_CHECK },
        { "log-level", required_argument, NULL, 'l' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        { 0 },
    };
    int option;
    *options = (struct options){ .config = default_config, .log_level = -1 };
    while ((option = getopt_long(argc, argv, "c:l:h", table, NULL)) >= 0) {
        switch (option) {
        case 'c':
            options->config = optarg;
            break;
        case 'l':
            options->log_level = level_of(optarg);
            if (options->log_level < 0) {
                fprintf(stderr,
                        "airgraft-host: no log level '%s'\n"
                        "hint: error, warning, info or debug\n",
                        optarg);
                return EXIT_MISTAKEN;
            }
            break;
        case OPTION_CHECK:
            options->checks_only = true;
            break;
        case 'h':
            print_help();
            return EXIT_STOPPED;
        case OPTION_VERSION:
            printf("airgraft-host %s\n", AG_HOST_VERSION);
            return EXIT_STOPPED;
        default:
            fprintf(stderr, "hint: airgraft-host --help\n");
            return EXIT_MISTAKEN;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "airgraft-host: unexpected argument '%s'\nhint: airgraft-host --help\n",
                argv[optind]);
        return EXIT_MISTAKEN;
    }
    return -1;
}

static bool read_trust(struct program *program)
{
    const char *path = program->config.trust;
    if (!path[0])
        return true;
    FILE *file = fopen(path, "re");
    if (!file) {
        say(AG_LOG_ERROR, "cannot read the trust store object %s: %s", path, strerror(errno));
        return false;
    }
    program->trust = malloc(TRUST_SIZE_MAX);
    if (program->trust)
        program->trust_size = fread(program->trust, 1, TRUST_SIZE_MAX, file);
    const bool is_read = program->trust && !ferror(file) && feof(file);
    fclose(file);
    if (!is_read || program->trust_size == 0) {
        say(AG_LOG_ERROR, "the trust store object %s is empty, too large or unreadable", path);
        return false;
    }
    uint8_t *exact = realloc(program->trust, program->trust_size);
    program->trust = exact ? exact : program->trust;
    return true;
}

// The image was truncated or its medium cannot be read: nothing in memory is safe to use then.
static void die_of_bus_error(int number)
{
    static const char text[] = "airgraft-host: the store image became shorter or unreadable\n";
    const ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    (void)number;
    _exit(EXIT_FAILED);
}

static void read_signal(void *context, uint32_t events)
{
    struct program *program = context;
    struct signalfd_siginfo info;
    (void)events;
    while (read(program->signals.fd, &info, sizeof info) == sizeof info) {
        say(AG_LOG_INFO, "stopping on signal %u (%s)", (unsigned)info.ssi_signo,
            strsignal((int)info.ssi_signo));
        program->stops = true;
    }
}

static void read_keys(void *context, uint32_t events)
{
    (void)context;
    (void)events;
    ag_board_read_keys();
}

static bool watch_signals(struct program *program)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGBUS, die_of_bus_error);
    program->signals = (struct ag_loop_watch){
        .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
        .ready = read_signal,
        .context = program,
    };
    return program->signals.fd >= 0 &&
           ag_loop_add(&program->loop, &program->signals, EPOLLIN) == AG_OK;
}

static void watch_keys(struct program *program)
{
    program->keys = (struct ag_loop_watch){ .fd = ag_board_key_fd(), .ready = read_keys };
    if (program->keys.fd >= 0 && ag_loop_add(&program->loop, &program->keys, EPOLLIN) != AG_OK)
        program->keys.fd = -1; // the switches stay as they are
}

// The word that tells whose run a reset came into lies beside the image.
static void watch_running(const struct program *program)
{
    char path[sizeof program->config.store + sizeof ".running"];
    snprintf(path, sizeof path, "%s.running", program->config.store);
    ag_running_open(path, program->flash.is_new);
}

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void make_host_config(const struct program *program, struct ag_host_config *host_config)
{
    const struct ag_config_file *config = &program->config;
    ag_host_config_init(host_config);
    host_config->connection_string = text_or_null(config->connection_string);
    host_config->id_scope = text_or_null(config->id_scope);
    host_config->registration_id = text_or_null(config->registration_id);
    host_config->key_is_group = config->group_key[0] != 0;
    host_config->key =
        text_or_null(host_config->key_is_group ? config->group_key : config->symmetric_key);
    host_config->dps_host = config->dps_host;
    host_config->dps_port = (uint16_t)config->dps_port;
    host_config->hub_port = (uint16_t)config->hub_port;
    host_config->trust = program->trust;
    host_config->trust_size = program->trust_size;
    host_config->twin_interval_ms = config->twin_interval_s * 1000;
    host_config->one_connection = config->one_connection != 0;
    host_config->download_spread_ms = config->download_spread_s * 1000;
    host_config->trial_runs = config->trial_runs;
    host_config->trial_time_ms = config->trial_time_ms;
}

// The TLS roots follow the trust store object in use.
static enum ag_status use_trust(void *context, const uint8_t *bytes, size_t size)
{
    struct program *program = context;
    struct ag_stream_tls_root roots[AG_TRUST_ROOT_MAX];
    struct ag_trust trust;
    size_t count = 0;
    enum ag_status status = ag_trust_read_proven(bytes, size, &trust);
    while (status == AG_OK && count < AG_TRUST_ROOT_MAX &&
           ag_trust_root(&trust, count, &roots[count].der, &roots[count].size) == AG_OK)
        count++;
    if (status == AG_OK)
        status = ag_stream_tls_set_roots(&program->tls, roots, count);
    if (status != AG_OK)
        say_failure("the root certificates of the trust store object cannot be used", status);
    else
        say(AG_LOG_DEBUG, "trust store object of epoch %u: %zu root certificates",
            (unsigned)trust.epoch, count);
    return status;
}

static bool start_host(struct program *program)
{
    struct ag_host_config host_config;
    const struct ag_host_board board = {
        .flash = &program->flash.flash,
        .hub = &program->hub_stream.stream,
        .download = &program->download_stream.stream,
        .use_trust = use_trust,
        .context = program,
    };
    make_host_config(program, &host_config);
    const size_t size = ag_host_size(&host_config) + program->config.memory;
    program->memory = malloc(size);
    if (!program->memory) {
        say(AG_LOG_ERROR, "no memory for the host and its plug-ins: %zu bytes", size);
        return false;
    }
    const enum ag_status status =
        ag_host_init(program->memory, size, &host_config, &board, &program->host);
    if (status != AG_OK) {
        program->host = NULL;
        say_failure("the host cannot start", status);
        return false;
    }
    return true;
}

// Only where the configuration asks for it; else the bus is not even opened.
static void start_wifi(struct program *program)
{
    const struct ag_config_file *config = &program->config;
    uint32_t count = 0;
    while (count < AG_CONFIG_FILE_WIFI_MAX && config->wifi[count].name[0]) {
        program->networks[count] = (struct ag_station_network){
            .name = config->wifi[count].name,
            .password = text_or_null(config->wifi[count].password),
            .is_hidden = config->wifi_hidden != 0,
        };
        count++;
    }
    program->has_wifi = count > 0;
    if (!program->has_wifi)
        return;
    ag_wifi_open(&program->loop, config->wifi_device);
    ag_station_init(&program->station, program->networks, count);
}

static bool start(struct program *program)
{
    const struct ag_board_setup board = {
        .log_level = (enum ag_log_level)program->config.log_level,
        .clock = (enum ag_board_clock)program->config.clock,
        .gpio_chip = program->config.gpio_chip,
        .sensor = program->config.sensor,
    };
    if (ag_loop_open(&program->loop) != AG_OK || !watch_signals(program)) {
        say(AG_LOG_ERROR, "cannot set up the event loop: %s", strerror(errno));
        return false;
    }
    if (ag_board_open(&board) != AG_OK || !read_trust(program) ||
        ag_flash_file_open(&program->flash, program->config.store, program->config.store_size) !=
            AG_OK)
        return false;
    say(AG_LOG_INFO, "airgraft-host %s, store %s (%u KB%s)", AG_HOST_VERSION, program->config.store,
        (unsigned)(program->config.store_size >> 10), program->flash.is_new ? ", new" : "");
    watch_running(program);
    watch_keys(program);
    const enum ag_status status = ag_stream_tls_start(&program->tls);
    if (status != AG_OK) {
        say_failure("TLS cannot start", status);
        return false;
    }
    ag_stream_tls_init(&program->hub_stream, &program->tls, &program->loop, CONNECT_TIMEOUT_MS);
    ag_stream_tls_init(&program->download_stream, &program->tls, &program->loop,
                       CONNECT_TIMEOUT_MS);
    start_wifi(program);
    return start_host(program);
}

static void stop(struct program *program)
{
    if (program->host)
        ag_host_close(program->host);
    if (program->tls.context) {
        ag_stream_tls_clear(&program->hub_stream);
        ag_stream_tls_clear(&program->download_stream);
        ag_stream_tls_stop(&program->tls);
    }
    ag_wifi_close();
    ag_loop_remove(&program->loop, &program->keys);
    const int signal_fd = program->signals.fd;
    ag_loop_remove(&program->loop, &program->signals);
    if (signal_fd >= 0)
        close(signal_fd);
    ag_running_close();
    ag_flash_file_close(&program->flash);
    ag_board_close();
    ag_loop_close(&program->loop);
    free(program->memory);
    free(program->trust);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t wait_of_wifi(struct program *program, uint64_t now_ms)
{
    const uint32_t wait_ms = ag_station_step(&program->station, now_ms);
    return wait_ms == UINT32_MAX ? AG_LOOP_FOREVER : wait_ms;
}

static void run(struct program *program)
{
    const uint64_t watchdog_ms = ag_notify_watchdog_ms();
    const uint64_t started_ms = ag_board_uptime_ms();
    uint64_t watchdog_at_ms = started_ms;
    ag_notify_send("READY=1");
    while (!program->stops) {
        const uint32_t host_wait = ag_host_step(program->host, ag_board_uptime_ms());
        if (ag_board_wants_restart())
            break;
        const uint64_t now_ms = ag_board_uptime_ms();
        uint64_t wait_ms = host_wait == AG_HOST_NEVER ? AG_LOOP_FOREVER : host_wait;
        if (program->has_wifi)
            wait_ms = smaller(wait_ms, wait_of_wifi(program, now_ms));
        wait_ms = smaller(wait_ms, ag_stream_tls_wait_ms(&program->hub_stream, now_ms));
        wait_ms = smaller(wait_ms, ag_stream_tls_wait_ms(&program->download_stream, now_ms));
        if (watchdog_ms != UINT64_MAX) {
            if (now_ms >= watchdog_at_ms) {
                ag_notify_send("WATCHDOG=1");
                watchdog_at_ms = now_ms + watchdog_ms;
            }
            wait_ms = smaller(wait_ms, watchdog_at_ms - now_ms);
        }
        ag_loop_wait(&program->loop, wait_ms);
    }
    ag_notify_send("STOPPING=1");
    say(AG_LOG_DEBUG, "woke up %llu times in %llu ms", (unsigned long long)program->loop.wake_count,
        (unsigned long long)(ag_board_uptime_ms() - started_ms));
}

static int check_only(struct program *program, const char *path)
{
    struct ag_trust trust;
    bool is_right = read_trust(program);
    if (is_right && program->trust) {
        const enum ag_status status = ag_trust_read(program->trust, program->trust_size, &trust);
        is_right = status == AG_OK;
        if (!is_right)
            say_failure(program->config.trust, status);
    }
    free(program->trust);
    if (!is_right)
        return EXIT_MISTAKEN;
    printf("%s: the configuration is right\n", path);
    return EXIT_STOPPED;
}

int main(int argc, char **argv)
{
    struct options options;
    static struct program program = {
        .flash = { .fd = -1 },
        .loop = { .epoll_fd = -1 },
        .signals = { .fd = -1 },
        .keys = { .fd = -1 },
    };
    const int code = read_options(argc, argv, &options);
    if (code >= 0)
        return code;
    mallopt(M_ARENA_MAX, 1); // one heap for the resolver's thread, too
    mallopt(M_TRIM_THRESHOLD, 64 * 1024);
    mallopt(M_TOP_PAD, 16 * 1024);
    if (ag_config_file_read(options.config, &program.config, stderr) != AG_OK)
        return EXIT_MISTAKEN;
    if (options.checks_only)
        return check_only(&program, options.config);
    if (options.log_level >= 0)
        program.config.log_level = (uint32_t)options.log_level;
    const bool is_started = start(&program);
    if (is_started)
        run(&program);
    stop(&program);
    if (!is_started)
        return EXIT_FAILED;
    return ag_board_wants_restart() ? EXIT_RESTART : EXIT_STOPPED;
}
