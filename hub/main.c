// SPDX-License-Identifier: Apache-2.0
// airgraft-hub: the local hub. Options, start and end.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "blob_store.h"
#include "hub.h"
#include "hub_file.h"
#include "hub_log.h"
#include "memory.h"
#include "pki.h"
#include "server.h"

struct options {
    const char *data;
    const char *host_name;
    struct ag_server_options server;
};

static const char usage_text[] =
    "Usage: airgraft-hub --data DIR [OPTION]...\n"
    "A hub for devices on this machine or network that speaks the protocols of Azure IoT Hub, its\n"
    "Device Provisioning Service and Blob Storage. Stops cleanly on SIGINT and SIGTERM.\n"
    "\n"
    "  --data DIR         keys, certificates and state; made when missing. Required.\n"
    "  --listen ADDRESS   numeric address to listen on (default 127.0.0.1; 0.0.0.0 for all)\n"
    "  --mqtt-port N      MQTT over TLS: hub and provisioning (default 8883; 0 chooses)\n"
    "  --https-port N     HTTPS: service API and blobs (default 8443; 0 chooses)\n"
    "  --hostname NAME    what devices and tokens call this hub (default localhost)\n"
    "  --log-level LEVEL  error, warn, info or debug (default info)\n"
    "  --help, --version\n"
    "\n"
    "While it runs, DIR/hub.json says how to reach it (with keys: only you can read it), and\n"
    "DIR/ca.pem is the certificate authority that clients must trust.\n";

static bool parse_port(const char *text, uint16_t *port)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number < 0 || number > 65535)
        return false;
    *port = (uint16_t)number;
    return true;
}

enum option_code {
    OPTION_DATA = 256,
    OPTION_LISTEN,
    OPTION_MQTT_PORT,
    OPTION_HTTPS_PORT,
    OPTION_HOST_NAME,
    OPTION_LOG_LEVEL,
    OPTION_HELP,
    OPTION_VERSION,
};

// Takes one option; an exit code, or -1 to go on.
static int take_option(int option, const char *value, struct options *options)
{
    bool good = true;
    switch (option) {
    case OPTION_DATA:
        options->data = value;
        break;
    case OPTION_LISTEN:
        options->server.address = value;
        break;
    case OPTION_MQTT_PORT:
        good = parse_port(value, &options->server.mqtt_port);
        break;
    case OPTION_HTTPS_PORT:
        good = parse_port(value, &options->server.https_port);
        break;
    case OPTION_HOST_NAME:
        options->host_name = value;
        good = value[0] != '\0' && strlen(value) < 254 && strpbrk(value, "/;= ") == NULL;
        break;
    case OPTION_LOG_LEVEL:
        good = ag_hub_log_set_level(value);
        break;
    case OPTION_HELP:
        fputs(usage_text, stdout);
        return 0;
    case OPTION_VERSION:
        puts("airgraft-hub 1.0.0");
        return 0;
    default:
        good = false;
        value = NULL; // getopt has said what is wrong
    }
    if (good)
        return -1;
    if (value != NULL)
        fprintf(stderr, "airgraft-hub: bad value '%s'\n", value);
    fputs("hint: airgraft-hub --help\n", stderr);
    return 2;
}

static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        { "data", required_argument, NULL, OPTION_DATA },
        { "listen", required_argument, NULL, OPTION_LISTEN },
        { "mqtt-port", required_argument, NULL, OPTION_MQTT_PORT },
        { "https-port", required_argument, NULL, OPTION_HTTPS_PORT },
        { "hostname", required_argument, NULL, OPTION_HOST_NAME },
        { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        { NULL, 0, NULL, 0 },
    };
    *options = (struct options){ NULL, "localhost", { "127.0.0.1", 8883, 8443 } };
    int option;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        int code = take_option(option, optarg, options);
        if (code >= 0)
            return code;
    }
    if (options->data != NULL && optind == argc)
        return -1;
    fputs(options->data == NULL ? "airgraft-hub: --data DIR is missing\n"
                                : "airgraft-hub: too many arguments\n",
          stderr);
    fputs("hint: airgraft-hub --help\n", stderr);
    return 2;
}

// Makes the folder and holds its lock for the life of the process; false with a line on stderr.
static bool take_folder(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "airgraft-hub: cannot make %s: %s\n", path, strerror(errno));
        return false;
    }
    if (chmod(path, 0700) != 0) {
        fprintf(stderr, "airgraft-hub: cannot protect %s: %s\n", path, strerror(errno));
        return false;
    }
    char *lock = ag_memory_format("%s/lock", path);
    int file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool done = file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0;
    if (!done)
        fprintf(stderr, "airgraft-hub: cannot use %s: %s\n", path,
                file >= 0 && errno == EWOULDBLOCK ? "another hub is running there"
                                                  : strerror(errno));
    free(lock);
    return done;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int64_t wall_ms(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

static int64_t steady_ms(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC);
}

static void print_welcome(const struct options *options, const struct ag_server *server,
                          bool made_ca)
{
    printf("airgraft-hub is ready\n"
           "  MQTT   %s:%u (devices and provisioning)\n"
           "  HTTPS  https://%s:%u (service API and blobs)\n"
           "  keys   %s/hub.json\n"
           "  trust  %s/ca.pem%s\n",
           options->host_name, ag_server_mqtt_port(server), options->host_name,
           ag_server_https_port(server), options->data, options->data, made_ca ? " (new)" : "");
    if (made_ca)
        printf("Clients must trust this certificate authority, each in its own way:\n"
               "  curl --cacert %s/ca.pem ...\n"
               "  NODE_EXTRA_CA_CERTS=%s/ca.pem node ...\n"
               "  whole system: sudo cp %s/ca.pem /usr/local/share/ca-certificates/"
               "airgraft-hub.crt && sudo update-ca-certificates\n",
               options->data, options->data, options->data);
    fflush(stdout);
}

static enum ag_status serve(const struct options *options, struct ag_server *server,
                            struct ag_hub *hub, bool made_ca)
{
    enum ag_status status = ag_blob_store_prepare(hub);
    if (status == AG_OK)
        status = ag_server_listen(server, hub, &options->server);
    if (status == AG_OK)
        status = ag_hub_file_write(hub, ag_server_mqtt_port(server), ag_server_https_port(server));
    if (status == AG_OK) {
        print_welcome(options, server, made_ca);
        ag_server_run(server);
    }
    ag_hub_file_remove(options->data);
    return status;
}

static enum ag_status run(const struct options *options)
{
    bool made_ca;
    struct ag_hub hub;
    struct ag_hub_clock clock = { wall_ms, steady_ms, NULL };
    ag_hub_file_remove(options->data); // left behind by a hub that was killed
    enum ag_status status =
        ag_pki_prepare(options->data, options->host_name, options->server.address, &made_ca);
    if (status != AG_OK)
        return status;
    struct ag_server *server = ag_server_new();
    status = ag_hub_open(&hub, options->data, options->host_name, clock, ag_server_schedule_commit,
                         server);
    if (status == AG_OK)
        status = serve(options, server, &hub, made_ca);
    bool opened = hub.db.handle != NULL;
    ag_server_free(server);
    if (opened)
        ag_hub_close(&hub);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    int code = parse_options(argc, argv, &options);
    if (code >= 0)
        return code;
    umask(077);
    if (!take_folder(options.data))
        return 1;
    enum ag_status status = run(&options);
    if (status == AG_OK)
        return 0;
    fprintf(stderr, "airgraft-hub: it cannot run (%s, %d)\nhint: see the lines above\n",
            ag_status_name(status), (int)status);
    return 1;
}
