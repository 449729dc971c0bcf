// SPDX-License-Identifier: Apache-2.0
// `airgraft run`: runs one plug-in here, on the board of the Linux port, without a hub.
//
// The same engine, capability functions and budgets as on a device. What a device would report or
// send is logged. The signature is not asked for: this is where one tries what is not signed yet.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/buffer.h"
#include "cli/build/check.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/debug/explain.h"
#include "cli/signing.h"
#include "host/instance.h"
#include "plugin/capabilities.h"
#include "plugin/schema.h"
#include "port/linux/board_setup.h"
#include "wasm/wasm.h"

enum {
    SLICE = 200000, // fuel between two looks at the keys
    OWNER = 1,
    // What a host decides where neither file nor twin do (ag_host_config_init).
    DEFAULT_PERIOD_MS = 1000,
    DEFAULT_FUEL_PER_RUN = 50000000,
};

struct options {
    const char *settings;
    const char *gpio_chip;
    const char *sensor;
    const char *store;
    uint64_t runs;
    uint64_t period_ms;
    bool quiet;
};

// Everything that a run is made of.
struct session {
    const char *path;
    struct ag_plugin_metadata metadata;
    uint8_t *module; // the file
    size_t module_size;
    struct ag_buffer code; // its translation
    char *settings;        // JSON without blanks; NULL: none
    json_t *reported;      // what the plug-in has reported so far
    struct ag_pins pins;
    struct ag_instance_services services;
    struct ag_wasm_image image;
    struct ag_instance instance;
    void *block;
    uint32_t block_size;
    struct ag_data *data; // its own; NULL: it has none
    const char *store;    // the file that holds them; NULL: only for this run
    char subject[200];    // what an error is about, if it is not the plug-in's file
    uint64_t fuel;        // of all runs
    uint64_t runs;
    int signals; // signalfd of SIGINT and SIGTERM
    bool stops;
};

// ---- What a device would send ------------------------------------------------------------------

static void log_json(const struct session *session, const char *what, const char *key,
                     const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    char line[400];
    const int size =
        snprintf(line, sizeof line, "%s %s%s%s", what, key, key[0] ? " = " : "", text ? text : "");
    ag_board_log(AG_LOG_INFO, session->metadata.name, line,
                 (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
    free(text);
}

static json_t *property_json(const struct ag_property *property)
{
    switch (property->type) {
    case AG_PROPERTY_REMOVED:
        return json_null();
    case AG_PROPERTY_INT:
        return json_integer(property->number);
    case AG_PROPERTY_BOOL:
        return json_boolean(property->number);
    case AG_PROPERTY_TEXT:
        return json_stringn(property->text.at, property->text.size);
    }
    return NULL;
}

static enum ag_status set_property(void *context, uint8_t owner, const struct ag_property *property)
{
    struct session *session = context;
    char key[AG_CFG_PROPERTY_KEY_MAX + 1];
    (void)owner;
    memcpy(key, property->key.at, property->key.size);
    key[property->key.size] = 0;
    json_t *value = property_json(property); // NULL: the text is not UTF-8
    const json_t *before = json_object_get(session->reported, key);
    if (!value)
        return AG_ERR_ARGUMENT;
    if (!before || !json_equal(before, value))
        log_json(session, "reports", key, value);
    return json_object_set_new(session->reported, key, value) == 0 ? AG_OK : AG_ERR_ARGUMENT;
}

static enum ag_status send_telemetry(void *context, uint8_t owner, const void *bytes, size_t size)
{
    const struct session *session = context;
    json_t *message = json_loadb(bytes, size, JSON_DECODE_ANY, NULL);
    (void)owner;
    if (message)
        log_json(session, "sends", "", message);
    else
        ag_board_log(AG_LOG_WARNING, session->metadata.name, "sends what is not JSON", 22);
    json_decref(message);
    return AG_OK;
}

// ---- Getting ready -----------------------------------------------------------------------------

static enum ag_status write_code(void *context, const void *bytes, uint32_t size)
{
    ag_buffer_append(context, bytes, size);
    return AG_OK;
}

static enum ag_status translate(struct session *session)
{
    struct ag_wasm_report report;
    const struct ag_wasm_translation translation = {
        .write = write_code,
        .resolve = ag_instance_resolve,
        .context = &session->code,
        .scratch = ag_buffer_allocate(1, AG_WASM_SCRATCH),
        .scratch_size = AG_WASM_SCRATCH,
    };
    enum ag_status status =
        ag_wasm_translate(session->module, (uint32_t)session->module_size, &translation, &report);
    free(translation.scratch);
    if (status == AG_OK)
        status =
            ag_wasm_image_open(&session->image, session->module, (uint32_t)session->module_size,
                               session->code.bytes, (uint32_t)session->code.size);
    return status;
}

// Own data as a device would have it, or the file of an earlier run.
static enum ag_status load_data(struct session *session)
{
    uint8_t *bytes;
    size_t size;
    const uint32_t ram = ag_instance_data_ram(&session->metadata);
    if (ram == 0)
        return AG_OK;
    session->data = ag_data_init(ag_buffer_allocate(1, ram), session->metadata.data_size);
    if (!session->store || access(session->store, F_OK) != 0)
        return AG_OK;
    if (!ag_input_read(session->store, AG_INPUT_TEXT_MAX, &bytes, &size))
        return AG_ERR_IO;
    enum ag_status status = size > session->data->capacity ? AG_ERR_DATA_QUOTA : AG_OK;
    if (status == AG_OK) {
        memcpy(session->data->bytes + AG_DATA_HEAD, bytes, size);
        status = ag_data_accept(session->data, (uint32_t)size);
    }
    free(bytes);
    if (status != AG_OK)
        snprintf(session->subject, sizeof session->subject, "%s", session->store);
    return status;
}

// After a call that ended well, as on a device.
static bool save_data(struct session *session)
{
    struct ag_data *data = session->data;
    if (!data || !data->is_changed)
        return true;
    data->is_changed = false;
    return !session->store || ag_input_write(session->store, 0644, AG_INPUT_REPLACE,
                                             data->bytes + AG_DATA_HEAD, data->size);
}

static enum ag_status judge_settings(struct session *session)
{
    struct ag_schema_fault fault;
    const struct ag_plugin_metadata *metadata = &session->metadata;
    const enum ag_status status =
        ag_schema_judge(metadata->schema, metadata->schema_size,
                        ag_text_of(session->settings ? session->settings : ""), &fault);
    if (status != AG_OK)
        snprintf(session->subject, sizeof session->subject, "settings: %s%s%s", fault.member,
                 fault.member[0] ? " " : "", fault.reason);
    return status;
}

static enum ag_status make(struct session *session)
{
    const struct ag_plugin_metadata *metadata = &session->metadata;
    const struct ag_instance_options options = {
        .name = metadata->name,
        .owner = OWNER,
        .fuel_per_run = metadata->fuel_per_run,
        .data = session->data,
        .schema = metadata->schema,
        .schema_size = metadata->schema_size,
        .settings = ag_text_of(session->settings ? session->settings : "{}"),
        .services = &session->services,
    };
    enum ag_status status =
        ag_instance_size(&session->image, metadata->stack_size, &session->block_size);
    if (status != AG_OK)
        return status;
    session->block = ag_buffer_allocate(1, session->block_size);
    return ag_instance_make(&session->instance, session->block, session->block_size,
                            &session->image, metadata->stack_size, &options);
}

static void apply_defaults(struct ag_plugin_metadata *metadata, const struct options *options)
{
    if (options->period_ms > 0)
        metadata->period_ms = (uint32_t)options->period_ms;
    if (metadata->period_ms == 0)
        metadata->period_ms = DEFAULT_PERIOD_MS;
    if (metadata->fuel_per_run == 0)
        metadata->fuel_per_run = DEFAULT_FUEL_PER_RUN;
}

static enum ag_status check_agrees(const struct session *session)
{
    struct ag_module module;
    enum ag_status status = ag_module_open(&module, session->module, session->module_size);
    if (status != AG_OK)
        return status;
    status = ag_check_agrees(&module, &session->metadata);
    ag_module_clear(&module);
    return status;
}

// Reads and prepares the file as a device would, but for the signature.
static enum ag_status prepare(struct session *session, const struct options *options)
{
    struct ag_signing_file file;
    enum ag_status status = ag_signing_open(session->module, session->module_size, &file);
    if (status != AG_OK)
        return status;
    session->metadata = file.metadata;
    apply_defaults(&session->metadata, options);
    if (session->metadata.abi != AG_ABI_VERSION)
        return AG_ERR_FILE_ABI;
    status = ag_capabilities_check(&session->metadata, ag_instance_offered());
    if (status == AG_OK)
        status = check_agrees(session);
    if (status == AG_OK)
        status = judge_settings(session);
    if (status == AG_OK)
        status = load_data(session);
    if (status == AG_OK)
        status = translate(session);
    return status == AG_OK ? make(session) : status;
}

// Settings as JSON, or the name of a file that holds them.
static bool read_settings(const char *text, char **settings)
{
    json_error_t error;
    json_t *document = NULL;
    *settings = NULL;
    if (!text)
        return true;
    if (text[0] == '{')
        document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    else
        document = json_load_file(text, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(document)) {
        ag_output_fail(
            "give an object, as {\"target\": 21000}, or the name of a file that holds one",
            "--settings: %s", document ? "not an object" : error.text);
        json_decref(document);
        return false;
    }
    *settings = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (*settings && strlen(*settings) <= AG_CFG_SETTINGS_MAX)
        return true;
    ag_output_fail("make them shorter", "--settings: more than %d bytes", AG_CFG_SETTINGS_MAX);
    free(*settings);
    return false;
}

// ---- Running -----------------------------------------------------------------------------------

// Handles keys and signals for at most this long.
static void wait_ms(struct session *session, uint64_t duration_ms)
{
    struct pollfd ready[] = {
        { .fd = session->signals, .events = POLLIN },
        { .fd = ag_board_key_fd(), .events = POLLIN },
    };
    const int timeout = duration_ms > INT32_MAX ? INT32_MAX : (int)duration_ms;
    if (poll(ready, 2, timeout) <= 0)
        return;
    struct signalfd_siginfo info;
    if (ready[0].revents && read(session->signals, &info, sizeof info) > 0)
        session->stops = true;
    if (ready[1].revents)
        ag_board_read_keys();
}

// One call to its end. An endless one ends by its budget, or by a signal.
static enum ag_status call(struct session *session, enum ag_abi_function function)
{
    enum ag_status status = ag_instance_begin(&session->instance, function);
    if (status != AG_OK)
        return status;
    while ((status = ag_instance_run(&session->instance, SLICE)) == AG_ERR_AGAIN && !session->stops)
        wait_ms(session, 0);
    session->fuel += ag_instance_fuel(&session->instance);
    if (status == AG_OK && !save_data(session))
        return AG_ERR_IO;
    return status;
}

// Where the call has stopped: "function 3 at byte 412 (divide at probe.c:5)". The caller's to
// free; NULL when it has not.
static char *place_of(const struct session *session, uint32_t stopped_at)
{
    struct ag_wasm_place place;
    struct ag_explain explain;
    struct ag_explanation explanation;
    char *line = NULL;
    char *text = NULL;
    void *scratch = ag_buffer_allocate(1, AG_WASM_SCRATCH);
    const bool is_placed =
        stopped_at != 0 &&
        ag_wasm_find_place(&session->image, stopped_at, scratch, AG_WASM_SCRATCH, &place) == AG_OK;
    free(scratch);
    if (!is_placed)
        return NULL;
    if (!ag_explain_open(&explain, session->path, session->module, session->module_size, NULL))
        ag_output_note("%s", explain.problem); // lines of another build would be lies
    if (ag_explain_place(&explain, place.function, place.offset, &explanation)) {
        line = ag_explain_line(&explanation);
        ag_explain_clear(&explanation);
    }
    ag_explain_close(&explain);
    if (asprintf(&text, "function %u at byte %u%s%s%s", place.function, place.offset,
                 line ? " (" : "", line ? line : "", line ? ")" : "") < 0)
        text = NULL;
    free(line);
    return text;
}

static int explain(const struct session *session, enum ag_status status, const char *during)
{
    char *place = place_of(session, session->instance.stopped_at);
    const int code = place
                         ? ag_output_fail_status(status, "%s, %s, %s", session->path, during, place)
                         : ag_output_fail_status(status, "%s, %s", session->path, during);
    free(place);
    return code;
}

// It was asked to end in the middle of a call, perhaps because that did not.
static void note_stop(const struct session *session, const char *during)
{
    char *place = session->instance.is_busy
                      ? place_of(session, ag_wasm_stopped_at(session->instance.wasm))
                      : NULL;
    if (place)
        ag_output_note("%s, stopped in %s, %s", session->path, during, place);
    free(place);
}

static enum ag_status execute_all(struct session *session, uint64_t runs)
{
    enum ag_status status = AG_OK;
    uint64_t next_ms = ag_board_uptime_ms();
    while (status == AG_OK && !session->stops && (runs == 0 || session->runs < runs)) {
        const uint64_t now_ms = ag_board_uptime_ms();
        if (now_ms < next_ms) {
            wait_ms(session, next_ms - now_ms);
            continue;
        }
        next_ms += session->metadata.period_ms;
        if (next_ms < now_ms) // too late: do not try to catch up
            next_ms = now_ms;
        status = call(session, AG_ABI_EXECUTE);
        session->runs += status == AG_OK;
    }
    return status;
}

static int run(struct session *session, const struct options *options)
{
    char during[48];
    enum ag_status status = call(session, AG_ABI_INITIALIZE);
    if (status != AG_OK && !session->stops)
        return explain(session, status, "initialize");
    if (session->stops)
        note_stop(session, "initialize");
    session->fuel = 0;
    status = execute_all(session, options->runs);
    snprintf(during, sizeof during, "run %llu", (unsigned long long)session->runs + 1);
    if (status != AG_OK && !session->stops)
        return explain(session, status, during);
    if (status != AG_OK)
        note_stop(session, during);
    session->stops = false;
    status = status == AG_OK ? call(session, AG_ABI_SHUTDOWN) : AG_OK;
    if (status != AG_OK && status != AG_ERR_NOT_FOUND)
        return explain(session, status, "shutdown");
    return AG_EXIT_OK;
}

static void print_summary(const struct session *session)
{
    const unsigned long long calls = session->runs > 0 ? session->runs : 1;
    fprintf(stderr, "%s version %u: %llu runs, %llu fuel a run, %u bytes of RAM, %zu of code\n",
            session->metadata.name, session->metadata.version, (unsigned long long)session->runs,
            (unsigned long long)session->fuel / calls,
            session->block_size + ag_instance_data_ram(&session->metadata), session->code.size);
}

static bool open_signals(struct session *session)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    session->signals = -1;
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        session->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (session->signals < 0)
        ag_output_fail(NULL, "cannot watch for signals: %s", strerror(errno));
    return session->signals >= 0;
}

static int run_on_board(struct session *session, const struct options *options)
{
    const struct ag_board_setup setup = {
        .log_level = options->quiet ? AG_LOG_WARNING : AG_LOG_INFO,
        .gpio_chip = options->gpio_chip,
        .sensor = options->sensor,
    };
    int code = AG_EXIT_FAILED;
    enum ag_status status = ag_board_open(&setup);
    if (status != AG_OK)
        return ag_output_fail_status(status, "the board");
    status = prepare(session, options);
    if (status == AG_OK && open_signals(session)) {
        code = run(session, options);
        ag_board_close(); // gives the terminal back before anything is printed on it
        print_summary(session);
        close(session->signals);
    } else {
        ag_board_close();
        if (status != AG_OK)
            code = ag_output_fail_status(status, "%s",
                                         session->subject[0] ? session->subject : session->path);
    }
    return code;
}

static int run_file(const char *path, const struct options *options)
{
    struct session session = { .path = path, .store = options->store };
    int code = AG_EXIT_FAILED;
    if (!read_settings(options->settings, &session.settings))
        return code;
    if (ag_input_read(path, AG_INPUT_PLUGIN_MAX, &session.module, &session.module_size)) {
        session.reported = json_object();
        session.services = (struct ag_instance_services){
            .context = &session,
            .pins = &session.pins,
            .set_property = set_property,
            .send_telemetry = send_telemetry,
        };
        ag_pins_init(&session.pins);
        code = run_on_board(&session, options);
    }
    json_decref(session.reported);
    free(session.block);
    free(session.data);
    ag_buffer_clear(&session.code);
    free(session.module);
    free(session.settings);
    return code;
}

int cmd_run(int argc, char **argv)
{
    struct options options = { 0 };
    const struct ag_option rows[] = {
        { "runs", 'n', AG_OPTION_NUMBER, &options.runs, "N", "end after so many runs of execute", 1,
          UINT32_MAX },
        { "settings", 's', AG_OPTION_TEXT, &options.settings, "JSON",
          "the plug-in's settings, or a file that holds them", 0, 0 },
        { "store", 0, AG_OPTION_TEXT, &options.store, "FILE",
          "where the plug-in's own data is kept from run to run (default: nowhere)", 0, 0 },
        { "period", 0, AG_OPTION_NUMBER, &options.period_ms, "MS",
          "milliseconds between two runs (default: the plug-in's own)", 1, UINT32_MAX },
        { "gpio-chip", 0, AG_OPTION_TEXT, &options.gpio_chip, "NAME",
          "real pins of this GPIO chip instead of those on the terminal", 0, 0 },
        { "sensor", 0, AG_OPTION_TEXT, &options.sensor, "FILE",
          "a file with a whole number for analogue input 0", 0, 0 },
        { "quiet", 'q', AG_OPTION_FLAG, &options.quiet, NULL,
          "do not show what the plug-in logs, reports and sends", 0, 0 },
    };
    const struct ag_usage usage = {
        .name = "run",
        .synopsis = "[OPTION...] FILE",
        .summary =
            "Runs the plug-in FILE, signed or not, on this machine without a hub: LEDs 0 to 3,\n"
            "switches 4 to 7 (keys 1 to 4) and a temperature sensor on the terminal. What a\n"
            "device would report or send is shown. Ctrl-C ends it.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .examples = "airgraft run blinky-10.wasm\n"
                    "airgraft run thermostat-1.wasm --settings '{\"target\": 25000}' --period 200",
        .operand_min = 1,
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    return parsed != AG_OPTIONS_GO ? parsed : run_file(operands[0], &options);
}
