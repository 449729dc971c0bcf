// SPDX-License-Identifier: Apache-2.0
// Updates end to end: the hub and the host of this build as processes of their own, TLS everywhere.
//
// The clock of one update starts before its twin patch is sent on an open connection, so the time
// of the hub's own work counts too. "Running" is the first run of the new version, seen by the LED
// that it toggles on the host's board; "reported" is the hub's twin showing it as running.
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "azure/sas.h"
#include "bench/bench.h"
#include "bench/relay.h"
#include "cli/blob.h"
#include "cli/cli.h"
#include "cli/connection.h"

extern char **environ;

enum {
    UPDATES = 200,
    UPDATES_QUICK = 5,
    WARM_UPS = 3,
    WIRE_UPDATES = 20,
    WIRE_UPDATES_QUICK = 2,
    WIRE_PAUSE_MS = 1000, // until the last acknowledgements are through
    START_TIMEOUT_MS = 20000,
    UPDATE_TIMEOUT_MS = 10000,
    POLL_PAUSE_MS = 2,
    SETTLE_MS = 5000,
    IDLE_MS = 20000,
    IDLE_QUICK_MS = 1000,
};

static const char device_id[] = "bench-1";

struct fleet {
    const char *folder;
    bool quick;                // few updates, a short look at idleness: for tests
    pid_t hub;                 // 0: not running
    pid_t host;                // 0: not running
    int board;                 // the host's stdout; -1: none
    struct bench_relay *mqtt;  // NULL: the host talks with the hub directly
    struct bench_relay *https; // as well
    struct ag_local_hub local;
    struct ag_connection connection;
    struct ag_storage storage;
    CURL *client; // kept connection to the service side
    struct curl_slist *headers;
    char url[512];
    char answer[65536]; // of the last request
    size_t answer_size;
};

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

// Starts a program of this build. Its stdout goes to `out` (-1: nowhere), its stderr to the file
// `log`.
static pid_t start(const struct fleet *fleet, const char *name, const char *const *arguments,
                   int out, const char *log)
{
    char path[PATH_MAX];
    char log_path[PATH_MAX];
    char *argv[12] = { path };
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    bench_path(path, bench_build_folder(), name);
    bench_path(log_path, fleet->folder, log);
    for (size_t i = 0; arguments[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)arguments[i];
    posix_spawn_file_actions_init(&actions);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_path,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int error = posix_spawn(&pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0)
        return pid;
    ag_output_fail("build everything first", "cannot start %s: %s", path, strerror(error));
    return 0;
}

static void stop(pid_t *pid)
{
    if (*pid == 0)
        return;
    kill(*pid, SIGTERM);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

static bool is_alive(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == 0;
}

// Runs this build's airgraft to its end.
static bool run_airgraft(const struct fleet *fleet, const char *const *arguments)
{
    int status = -1;
    const pid_t pid = start(fleet, "airgraft", arguments, -1, "airgraft.log");
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
        return true;
    ag_output_fail("see airgraft.log in its folder", "airgraft %s failed", arguments[0]);
    return false;
}

static bool start_hub(struct fleet *fleet)
{
    char data[PATH_MAX];
    char file[PATH_MAX];
    bench_path(data, fleet->folder, "hub");
    bench_path(file, data, "hub.json");
    const char *const arguments[] = { "--data", data,          "--mqtt-port", "0", "--https-port",
                                      "0",      "--log-level", "error",       NULL };
    fleet->hub = start(fleet, "airgraft-hub", arguments, -1, "hub.log");
    for (int waited = 0; fleet->hub && waited < START_TIMEOUT_MS && access(file, R_OK) != 0;
         waited += 20) {
        if (!is_alive(fleet->hub))
            fleet->hub = 0;
        pause_ms(20);
    }
    const struct ag_connection_source source = { .hub = data };
    return fleet->hub &&
           ag_connection_open_local(&source, &fleet->local, &fleet->connection, &fleet->storage);
}

static bool make_trust(const struct fleet *fleet)
{
    char authority[PATH_MAX];
    char public_[PATH_MAX];
    char root[PATH_MAX];
    char trust[PATH_MAX];
    bench_path(authority, fleet->folder, "authority.key");
    bench_path(public_, fleet->folder, "authority.pub");
    bench_path(root, fleet->folder, "hub/ca.pem");
    bench_path(trust, fleet->folder, "trust");
    const char *const arguments[] = { "trust",        "new",   "--key",      authority,
                                      "--plugin-key", public_, "--tls-root", root,
                                      "--output",     trust,   NULL };
    return run_airgraft(fleet, arguments);
}

static bool start_host(struct fleet *fleet)
{
    const unsigned port = fleet->mqtt ? fleet->mqtt->port : fleet->local.mqtt_port;
    char path[PATH_MAX];
    int ends[2];
    bench_path(path, fleet->folder, "device.conf");
    FILE *file = fopen(path, "we");
    if (!file || pipe2(ends, O_CLOEXEC) != 0) {
        ag_output_fail(NULL, "cannot write %s: %s", path, strerror(errno));
        if (file)
            fclose(file);
        return false;
    }
    fprintf(file,
            "id_scope = %s\nregistration_id = %s\ngroup_key = %s\ndps_host = localhost\n"
            "dps_port = %u\nhub_port = %u\ntrust = trust\nstore = device.img\n"
            "trial_runs = 1\ntrial_time_ms = 0\nclock = trust\nlog_level = warning\n",
            fleet->local.id_scope, device_id, fleet->local.group_key, port, port);
    fclose(file);
    chmod(path, 0600);
    const char *const arguments[] = { "--config", path, NULL };
    fleet->host = start(fleet, "airgraft-host", arguments, ends[1], "host.log");
    close(ends[1]);
    fleet->board = ends[0];
    return fleet->host > 0;
}

static size_t take_answer(char *bytes, size_t one, size_t count, void *context)
{
    struct fleet *fleet = context;
    const size_t size = one * count;
    if (size >= sizeof fleet->answer - fleet->answer_size)
        return 0;
    memcpy(fleet->answer + fleet->answer_size, bytes, size);
    fleet->answer_size += size;
    fleet->answer[fleet->answer_size] = 0;
    return size;
}

static bool open_client(struct fleet *fleet)
{
    char token[1024] = "Authorization: ";
    char host[300];
    struct ag_writer out;
    ag_writer_init(&out, token, sizeof token);
    ag_writer_text(&out, "Authorization: ");
    if (ag_sas_write(&out, ag_text_of(fleet->connection.host_name),
                     ag_text_of(fleet->connection.key), time(NULL) + 3600,
                     fleet->connection.key_name) != AG_OK)
        return false;
    ag_writer_finish_text(&out);
    snprintf(host, sizeof host, "Host: %s", fleet->connection.host_name);
    snprintf(fleet->url, sizeof fleet->url, "https://%s/twins/%s?api-version=2021-04-12",
             fleet->connection.gateway, device_id);
    fleet->headers = curl_slist_append(fleet->headers, token);
    fleet->headers = curl_slist_append(fleet->headers, host);
    fleet->headers = curl_slist_append(fleet->headers, "Content-Type: application/json");
    fleet->client = curl_easy_init();
    if (!fleet->client || !fleet->headers)
        return false;
    curl_easy_setopt(fleet->client, CURLOPT_URL, fleet->url);
    curl_easy_setopt(fleet->client, CURLOPT_HTTPHEADER, fleet->headers);
    curl_easy_setopt(fleet->client, CURLOPT_CAINFO, fleet->connection.ca_file);
    curl_easy_setopt(fleet->client, CURLOPT_PROXY, "");
    curl_easy_setopt(fleet->client, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(fleet->client, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(fleet->client, CURLOPT_WRITEDATA, fleet);
    return true;
}

// The device's twin, read (body NULL) or patched. NULL when it cannot be had; `quiet` prints
// nothing.
static json_t *request_twin(struct fleet *fleet, const char *body, bool quiet)
{
    long status = 0;
    fleet->answer_size = 0;
    curl_easy_setopt(fleet->client, CURLOPT_CUSTOMREQUEST, body ? "PATCH" : "GET");
    if (body) {
        curl_easy_setopt(fleet->client, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(fleet->client, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    } else {
        curl_easy_setopt(fleet->client, CURLOPT_HTTPGET, 1L);
    }
    const CURLcode code = curl_easy_perform(fleet->client);
    curl_easy_getinfo(fleet->client, CURLINFO_RESPONSE_CODE, &status);
    json_t *twin = code == CURLE_OK && status == 200
                       ? json_loadb(fleet->answer, fleet->answer_size, 0, NULL)
                       : NULL;
    if (!twin && !quiet)
        ag_output_fail("see hub.log in its folder", "the hub does not give the twin: %s, HTTP %ld",
                       curl_easy_strerror(code), status);
    return twin;
}

static bool wait_until_connected(struct fleet *fleet)
{
    for (int waited = 0; waited < START_TIMEOUT_MS; waited += 50) {
        json_t *twin = request_twin(fleet, NULL, true);
        const json_t *reported = json_object_get(json_object_get(twin, "properties"), "reported");
        const bool ready = json_object_get(reported, "airgraft") != NULL;
        json_decref(twin);
        if (ready)
            return true;
        if (!is_alive(fleet->host)) {
            fleet->host = 0;
            break;
        }
        pause_ms(50);
    }
    ag_output_fail("see host.log in its folder", "the host does not connect");
    return false;
}

// The URL with the relay's port in it, if there is a relay. Releases the URL; NULL when there is
// none or no port in it.
static char *relayed(const struct fleet *fleet, char *url)
{
    char *result = NULL;
    char *port = url && fleet->https ? strstr(url, ":") : NULL;
    port = port ? strstr(port + 1, ":") : NULL;
    if (!fleet->https)
        return url;
    if (port && asprintf(&result, "%.*s:%u%s", (int)(port - url), url, fleet->https->port,
                         port + 1 + strspn(port + 1, "0123456789")) < 0)
        result = NULL;
    free(url);
    return result;
}

// Uploads one version; *patch is the twin patch that asks for it, to be freed.
static bool publish(const struct fleet *fleet, const struct bench_plugin *plugin, uint32_t version,
                    uint32_t period_ms, const struct ag_keyfile *key, char **patch)
{
    char name[64];
    struct ag_buffer file = { 0 };
    struct ag_blob blob;
    bool done = bench_plugin_make(plugin, version, key, &file);
    snprintf(name, sizeof name, "%s-%u.wasm", plugin->metadata.name, (unsigned)version);
    const struct ag_blob_place place = {
        .container = "bench",
        .storage = &fleet->storage,
        .name = name,
        .read_lifetime_s = 3600,
    };
    if (done && ag_blob_resolve(&place, &blob)) {
        char *url = relayed(fleet, ag_blob_read_url(&blob));
        done = ag_blob_upload(&blob, fleet->storage.ca_file, file.bytes, file.size, false) ==
               AG_BLOB_WRITTEN;
        json_t *value = json_pack("{s:{s:{s:{s:{s:s, s:i, s:i}}}}}", "properties", "desired",
                                  "firmware_modules", plugin->metadata.name, "Url", url ? url : "",
                                  "Version", (int)version, "PeriodMs",
                                  (int)(period_ms ? period_ms : plugin->metadata.period_ms));
        *patch = value ? json_dumps(value, JSON_COMPACT) : NULL;
        done = done && *patch;
        json_decref(value);
        free(url);
        ag_blob_clear(&blob);
    } else {
        done = false;
    }
    ag_buffer_clear(&file);
    return done;
}

// Waits for the next line `board: led 0 …` of the host. False after the time limit.
static bool wait_for_led(const struct fleet *fleet)
{
    static const char wanted[] = "board: led 0 ";
    char line[256];
    size_t size = 0;
    const double until = bench_now_ms() + UPDATE_TIMEOUT_MS;
    while (bench_now_ms() < until) {
        struct pollfd wait = { .fd = fleet->board, .events = POLLIN };
        if (poll(&wait, 1, 100) <= 0)
            continue;
        if (read(fleet->board, line + size, 1) != 1)
            return false;
        if (line[size] == '\n') {
            if (size > sizeof wanted - 1 && memcmp(line, wanted, sizeof wanted - 1) == 0)
                return true;
            size = 0;
        } else if (size + 1 < sizeof line) {
            size++;
        }
    }
    return false;
}

// Polls the hub until the report names the version as running.
static bool wait_for_report(struct fleet *fleet, const char *name, uint32_t version)
{
    const double until = bench_now_ms() + UPDATE_TIMEOUT_MS;
    while (bench_now_ms() < until) {
        json_t *twin = request_twin(fleet, NULL, false);
        if (!twin)
            return false;
        const json_t *reported = json_object_get(json_object_get(twin, "properties"), "reported");
        const json_t *entry = json_object_get(json_object_get(reported, "firmware_modules"), name);
        const char *state = json_string_value(json_object_get(entry, "state"));
        const bool is_there =
            json_integer_value(json_object_get(entry, "version")) == (json_int_t)version && state &&
            strcmp(state, "running") == 0;
        json_decref(twin);
        if (is_there)
            return true;
        pause_ms(POLL_PAUSE_MS);
    }
    return false;
}

static bool update_once(struct fleet *fleet, const struct bench_plugin *plugin, uint32_t version,
                        uint32_t period_ms, const struct ag_keyfile *key, double *running_ms,
                        double *reported_ms)
{
    char *patch = NULL;
    bool done = publish(fleet, plugin, version, period_ms, key, &patch);
    if (done) {
        json_decref(request_twin(fleet, NULL, false)); // the connection is open from here on
        const double start_ms = bench_now_ms();
        json_t *twin = request_twin(fleet, patch, false);
        done = twin && wait_for_led(fleet);
        *running_ms = bench_now_ms() - start_ms;
        done = done && wait_for_report(fleet, plugin->metadata.name, version);
        *reported_ms = bench_now_ms() - start_ms;
        json_decref(twin);
        if (!done)
            ag_output_fail("see host.log and hub.log", "version %u does not run",
                           (unsigned)version);
    }
    free(patch);
    return done;
}

// The number behind `name:` in a file of /proc; -1 when it is not there.
static long proc_number(const char *path, const char *name)
{
    char line[256];
    long number = -1;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            number = strtol(line + strlen(name) + 1, NULL, 10);
    }
    if (file)
        fclose(file);
    return number;
}

// How often any thread of the process went to sleep so far: each wake-up ends in that.
static long sleeps_of(pid_t pid)
{
    char path[PATH_MAX];
    long total = 0;
    snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task = tasks ? readdir(tasks) : NULL; task; task = readdir(tasks)) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%ld/task/%.20s/status", (long)pid, task->d_name);
        total += proc_number(path, "voluntary_ctxt_switches");
    }
    if (tasks)
        closedir(tasks);
    return total;
}

static double rounded(double value)
{
    return (double)(long)(value * 1000 + 0.5) / 1000;
}

// Leaves the host with one plug-in that hardly ever runs, and looks at it.
static bool measure_idle(struct fleet *fleet, const struct bench_plugin *plugin, uint32_t version,
                         const struct ag_keyfile *key, json_t *figures)
{
    char path[64];
    double unused;
    const long idle_ms = fleet->quick ? IDLE_QUICK_MS : IDLE_MS;
    const uint32_t rare_ms = 86400000;
    if (!update_once(fleet, plugin, version, rare_ms, key, &unused, &unused))
        return false;
    pause_ms(SETTLE_MS);
    snprintf(path, sizeof path, "/proc/%ld/status", (long)fleet->host);
    const long before = sleeps_of(fleet->host);
    pause_ms(idle_ms);
    const long woken = sleeps_of(fleet->host) - before;
    const long rss_kb = proc_number(path, "VmRSS");
    const long private_kb = proc_number(path, "RssAnon");
    if (before <= 0 || rss_kb <= 0 || private_kb <= 0) {
        ag_output_fail(NULL, "/proc says nothing about the host");
        return false;
    }
    json_object_set_new(figures, "host_rss_bytes", json_integer(rss_kb * 1024));
    json_object_set_new(figures, "host_private_bytes", json_integer(private_kb * 1024));
    json_object_set_new(figures, "idle_wakeups_per_s",
                        json_real(rounded((double)woken / ((double)idle_ms / 1000))));
    return true;
}

// Bytes that an update puts on the wire, of each protocol: the host is started again, with a relay
// before each port of the hub.
static bool measure_wire(struct fleet *fleet, const struct bench_plugin *plugin, uint32_t version,
                         const struct ag_keyfile *key, json_t *figures)
{
    struct bench_relay relays[2] = { { .listener = -1 }, { .listener = -1 } };
    const uint32_t updates = fleet->quick ? WIRE_UPDATES_QUICK : WIRE_UPDATES;
    unsigned long long before[2][2] = { { 0 } };
    double unused;
    bool done = bench_relay_open(&relays[0], fleet->local.mqtt_port) &&
                bench_relay_open(&relays[1], fleet->local.https_port);
    if (done) {
        stop(&fleet->host);
        close(fleet->board);
        fleet->board = -1;
        fleet->mqtt = &relays[0];
        fleet->https = &relays[1];
        done = start_host(fleet);
    }
    for (uint32_t i = 0; done && i < updates + WARM_UPS; i++) {
        if (i == WARM_UPS) {
            pause_ms(WIRE_PAUSE_MS);
            for (size_t relay = 0; relay < 2; relay++) {
                before[relay][0] = atomic_load(&relays[relay].up);
                before[relay][1] = atomic_load(&relays[relay].down);
            }
        }
        done = update_once(fleet, plugin, version + i, 0, key, &unused, &unused);
    }
    if (done) {
        pause_ms(WIRE_PAUSE_MS);
        const unsigned long long mqtt_up = atomic_load(&relays[0].up) - before[0][0];
        const unsigned long long mqtt_down = atomic_load(&relays[0].down) - before[0][1];
        const unsigned long long https_up = atomic_load(&relays[1].up) - before[1][0];
        const unsigned long long https_down = atomic_load(&relays[1].down) - before[1][1];
        const struct {
            const char *key;
            unsigned long long bytes;
        } rows[] = {
            { "wire_bytes_per_update", mqtt_up + mqtt_down + https_up + https_down },
            { "wire_mqtt_up_bytes_per_update", mqtt_up },
            { "wire_mqtt_down_bytes_per_update", mqtt_down },
            { "wire_https_up_bytes_per_update", https_up },
            { "wire_https_down_bytes_per_update", https_down },
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            json_object_set_new(figures, rows[i].key,
                                json_integer((json_int_t)(rows[i].bytes / updates)));
    }
    stop(&fleet->host);
    bench_relay_close(&relays[0]);
    bench_relay_close(&relays[1]);
    fleet->mqtt = fleet->https = NULL;
    return done;
}

static bool measure_updates(struct fleet *fleet, const struct bench_plugin *plugin,
                            const struct ag_keyfile *key, json_t *figures)
{
    struct bench_times running = { 0 };
    struct bench_times reported = { 0 };
    struct ag_progress progress;
    const uint32_t updates = fleet->quick ? UPDATES_QUICK : UPDATES;
    bool done = true;
    ag_progress_begin(&progress, "updates");
    for (uint32_t version = 1; done && version <= updates + WARM_UPS; version++) {
        double running_ms;
        double reported_ms;
        char text[32];
        done = update_once(fleet, plugin, version, 0, key, &running_ms, &reported_ms);
        if (done && version > WARM_UPS) {
            bench_times_add(&running, running_ms);
            bench_times_add(&reported, reported_ms);
        }
        snprintf(text, sizeof text, "%u of %u", (unsigned)version, (unsigned)(updates + WARM_UPS));
        ag_progress_text(&progress, text);
    }
    ag_progress_end(&progress);
    if (done) {
        json_object_set_new(figures, "updates", json_integer((json_int_t)running.count));
        json_object_set_new(figures, "patch_to_running_p50_ms",
                            json_real(rounded(bench_times_percentile(&running, 50))));
        json_object_set_new(figures, "patch_to_running_p99_ms",
                            json_real(rounded(bench_times_percentile(&running, 99))));
        json_object_set_new(figures, "patch_to_reported_p50_ms",
                            json_real(rounded(bench_times_percentile(&reported, 50))));
        json_object_set_new(figures, "patch_to_reported_p99_ms",
                            json_real(rounded(bench_times_percentile(&reported, 99))));
        done = measure_idle(fleet, plugin, updates + WARM_UPS + 1, key, figures) &&
               measure_wire(fleet, plugin, updates + WARM_UPS + 2, key, figures);
    }
    bench_times_clear(&running);
    bench_times_clear(&reported);
    return done;
}

bool bench_fleet(const char *folder, const struct ag_keyfile *key, bool quick, json_t *figures)
{
    struct bench_plugin probe;
    struct fleet *fleet = calloc(1, sizeof *fleet);
    bool done = false;
    if (!fleet)
        return false;
    fleet->folder = folder;
    fleet->quick = quick;
    fleet->board = -1;
    if (bench_plugin_open(AG_SOURCE "/bench/plugins/probe", &probe)) {
        done = start_hub(fleet) && make_trust(fleet) && open_client(fleet) && start_host(fleet) &&
               wait_until_connected(fleet) && measure_updates(fleet, &probe, key, figures);
        bench_plugin_close(&probe);
    }
    stop(&fleet->host);
    stop(&fleet->hub);
    if (fleet->board >= 0)
        close(fleet->board);
    curl_slist_free_all(fleet->headers);
    curl_easy_cleanup(fleet->client);
    free(fleet);
    return done;
}
