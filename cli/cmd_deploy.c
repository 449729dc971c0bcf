// SPDX-License-Identifier: Apache-2.0
// `airgraft deploy`: names a plug-in in a device's twin, and waits for what the device makes of it.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/publish.h"
#include "cli/service.h"
#include "cli/twin_edit.h"
#include "cli/twin_member.h"
#include "plugin/schema.h"

enum {
    WAIT_DEFAULT_S = 120,
    POLL_FIRST_MS = 100, // then twice as long each time,
    POLL_LAST_MS = 1000, // up to this
    CONFLICT_RETRIES = 5,
};

struct deploy {
    struct ag_publish publish;
    struct ag_connection connection;
    const char *device;
    const char *path; // NULL: none
    const char *url;
    const char *name;
    const char *remove;
    const char *settings;
    const char *window;
    const char *trial;
    uint64_t period_ms;
    uint64_t fuel_per_run;
    uint64_t wait_s;
    bool allow_downgrade;
    bool enable;
    bool disable;
    bool wait;
    bool json;
};

// What the twin says after the change.
struct deployed {
    int64_t desired_version;
    uint32_t version; // of the plug-in; 0: removed
    bool is_enabled;
    bool converted;
};

static json_t *get_twin(const struct deploy *deploy)
{
    char what[200];
    snprintf(what, sizeof what, "read the twin of %.130s", deploy->device);
    return ag_service_fetch(&deploy->connection, &(struct ag_service_call){ .method = "GET",
                                                                            .collection = "twins",
                                                                            .id = deploy->device,
                                                                            .what = what });
}

static json_t *desired_of(const json_t *twin)
{
    return json_object_get(json_object_get(twin, "properties"), "desired");
}

static int fail_edit(const struct deploy *deploy, const char *name,
                     enum ag_twin_edit_outcome outcome)
{
    switch (outcome) {
    case AG_TWIN_EDIT_MISSING:
        return ag_output_fail("airgraft twin get shows what it has",
                              "the twin of %s desires no plug-in \"%s\"", deploy->device, name);
    case AG_TWIN_EDIT_MALFORMED:
        return ag_output_fail("correct it with airgraft twin set",
                              "firmware_modules in the twin of %s cannot be kept: it is neither a "
                              "list of entries with Name nor an object",
                              deploy->device);
    case AG_TWIN_EDIT_DONE:
    case AG_TWIN_EDIT_CONVERTED:
    case AG_TWIN_EDIT_NO_MEMORY:
        break;
    }
    return ag_output_fail(NULL, "no memory");
}

// Sends the patch. `etag` NULL: whatever the twin is by now. AG_EXIT_OK with *twin (the caller's),
// AG_EXIT_FAILED with the error printed, or -1 when the etag no longer holds.
static int send_patch(const struct deploy *deploy, const json_t *patch, const char *etag,
                      json_t **twin)
{
    char what[200];
    struct ag_rest_answer answer;
    int code = AG_EXIT_OK;
    snprintf(what, sizeof what, "change the twin of %.130s", deploy->device);
    if (!ag_service_perform(&deploy->connection,
                            &(struct ag_service_call){ .method = "PATCH",
                                                       .collection = "twins",
                                                       .id = deploy->device,
                                                       .body = patch,
                                                       .if_match = etag,
                                                       .what = what },
                            &answer))
        return AG_EXIT_FAILED;
    if (answer.status == 412 && etag) {
        code = -1;
    } else if (answer.status < 200 || answer.status > 299) {
        code = ag_service_fail(&answer);
    } else {
        *twin = json_loadb(answer.body, answer.size, 0, NULL);
        if (!*twin)
            code = ag_output_fail("is it an IoT Hub that answers there?",
                                  "cannot %s: the answer is not JSON", what);
    }
    ag_rest_clear(&answer);
    return code;
}

static void read_deployed(const json_t *twin, const char *name, struct deployed *deployed)
{
    const json_t *desired = desired_of(twin);
    const json_t *entry = ag_twin_edit_find(json_object_get(desired, "firmware_modules"), name);
    deployed->desired_version = json_integer_value(json_object_get(desired, "$version"));
    deployed->version = (uint32_t)json_integer_value(json_object_get(entry, "Version"));
    deployed->is_enabled = !json_is_false(json_object_get(entry, "Enabled"));
}

// Reads the twin and changes it, again where somebody else was faster. A list is only replaced
// under its etag, since the patch holds all of its entries.
static int change_twin(const struct deploy *deploy, const struct ag_twin_change *change,
                       struct deployed *deployed)
{
    for (int attempt = 0; attempt < CONFLICT_RETRIES; attempt++) {
        json_t *patch = NULL;
        json_t *changed = NULL;
        json_t *twin = get_twin(deploy);
        if (!twin)
            return AG_EXIT_FAILED;
        const enum ag_twin_edit_outcome outcome = ag_twin_edit_patch(
            json_object_get(desired_of(twin), "firmware_modules"), change, &patch);
        deployed->converted = outcome == AG_TWIN_EDIT_CONVERTED;
        int code;
        if (outcome == AG_TWIN_EDIT_DONE || outcome == AG_TWIN_EDIT_CONVERTED)
            code = send_patch(deploy, patch,
                              deployed->converted ? ag_service_text(twin, "etag", NULL) : NULL,
                              &changed);
        else
            code = fail_edit(deploy, change->name, outcome);
        if (changed)
            read_deployed(changed, change->name, deployed);
        json_decref(changed);
        json_decref(patch);
        json_decref(twin);
        if (code >= 0)
            return code;
    }
    return ag_output_fail("try again", "the twin of %s changes all the time", deploy->device);
}

// `hint` is for where the device gives no reason.
static int fail_progress(const char *when, const char *hint,
                         const struct ag_twin_progress *progress)
{
    if (!progress->error[0])
        return ag_output_fail(hint, "%s, %s", when, progress->text);
    return ag_output_fail(progress->hint, "%s, %s: %s (%lld)%s", when, progress->text,
                          progress->error, (long long)progress->error_code, progress->place);
}

static int fail_outcome(const struct deploy *deploy, const struct ag_twin_progress *progress)
{
    char when[200];
    snprintf(when, sizeof when, "on %.190s", deploy->device);
    const int code = fail_progress(when, progress->hint, progress);
    if (progress->error[0] && progress->place[0] == ',') // a place, not a reason
        ag_output_note("airgraft explain-trap FILE --device %s says in which line", deploy->device);
    return code;
}

static int fail_late(const struct deploy *deploy, bool connected,
                     const struct ag_twin_progress *progress)
{
    char when[32];
    snprintf(when, sizeof when, "after %llu s", (unsigned long long)deploy->wait_s);
    if (!connected)
        return ag_output_fail("the device is not connected; it takes up the change when it is",
                              "%s, %s", when, progress->text);
    return fail_progress(when, "airgraft twin reported shows how it goes on", progress);
}

// Polls the report until the goal is reached, missed, or the time is over.
static int wait_for(const struct deploy *deploy, const struct ag_twin_goal *goal,
                    struct ag_twin_progress *progress)
{
    const uint64_t until_ms = ag_output_now_ms() + deploy->wait_s * 1000;
    struct ag_progress line;
    uint64_t pause_ms = POLL_FIRST_MS;
    ag_progress_begin(&line, deploy->device);
    for (;;) {
        json_t *twin = get_twin(deploy);
        if (!twin) {
            ag_progress_end(&line);
            return AG_EXIT_FAILED;
        }
        const enum ag_twin_verdict verdict = ag_twin_edit_judge(
            json_object_get(json_object_get(twin, "properties"), "reported"), goal, progress);
        const bool connected =
            strcmp(ag_service_text(twin, "connectionState", "Connected"), "Connected") == 0;
        json_decref(twin);
        ag_progress_text(&line, progress->text);
        if (verdict != AG_TWIN_WAITING || ag_output_now_ms() + pause_ms > until_ms) {
            ag_progress_end(&line);
            if (verdict == AG_TWIN_SUCCEEDED)
                return AG_EXIT_OK;
            if (verdict == AG_TWIN_FAILED)
                return fail_outcome(deploy, progress);
            return fail_late(deploy, connected, progress);
        }
        nanosleep(&(struct timespec){ .tv_nsec = (long)pause_ms * 1000000 % 1000000000,
                                      .tv_sec = (time_t)(pause_ms / 1000) },
                  NULL);
        pause_ms = pause_ms * 2 > POLL_LAST_MS ? POLL_LAST_MS : pause_ms * 2;
    }
}

static int print_result(const struct deploy *deploy, const struct ag_twin_change *change,
                        const struct deployed *deployed, const struct ag_twin_progress *progress)
{
    if (deploy->json)
        return ag_output_json(json_pack(
            "{s:s, s:s, s:I, s:I, s:b, s:s?, s:s?}", "device", deploy->device, "name", change->name,
            "version", (json_int_t)deployed->version, "desiredVersion",
            (json_int_t)deployed->desired_version, "converted", deployed->converted, "sha256",
            change->sha256, "outcome", progress->text[0] ? progress->text : NULL));
    if (progress->text[0])
        printf("%s: %s\n", deploy->device, progress->text);
    else if (change->remove)
        printf("%s: %s is no longer desired\n", deploy->device, change->name);
    else
        printf("%s: %s version %u is desired\n", deploy->device, change->name,
               (unsigned)deployed->version);
    return AG_EXIT_OK;
}

static int apply(const struct deploy *deploy, const struct ag_twin_change *change)
{
    struct deployed deployed = { 0 };
    struct ag_twin_progress progress = { 0 };
    int code = change_twin(deploy, change, &deployed);
    if (code != AG_EXIT_OK)
        return code;
    if (deployed.converted)
        ag_output_note("firmware_modules was a list; it is an object by name now, because a patch "
                       "can only replace a list whole");
    if (!change->remove && !deployed.is_enabled && change->enabled == AG_TWIN_SWITCH_KEEP)
        ag_output_note("%s is not enabled; --enable starts it", change->name);
    const struct ag_twin_goal goal = {
        .name = change->name,
        .desired_version = deployed.desired_version,
        .version = deployed.version,
        .sha256 = change->sha256,
        .stopped = !deployed.is_enabled,
        .removed = change->remove,
    };
    if (deploy->wait)
        code = wait_for(deploy, &goal, &progress);
    if (code != AG_EXIT_OK)
        return code;
    return print_result(deploy, change, &deployed, &progress);
}

// The settings that are given must be those that the file's schema asks for: a device would refuse
// them.
static bool check_settings(const json_t *settings, const struct ag_publish_file *file)
{
    const struct ag_plugin_metadata *metadata = &file->check.metadata;
    struct ag_schema_fault fault;
    if (!settings)
        return true;
    char *text = json_dumps(settings, JSON_COMPACT);
    const enum ag_status status = ag_schema_judge(metadata->schema, metadata->schema_size,
                                                  ag_text_of(text ? text : ""), &fault);
    free(text);
    if (status != AG_OK)
        ag_output_fail_status(status, "--settings: %s%s%s", fault.member,
                              fault.member[0] ? " " : "", fault.reason);
    return status == AG_OK;
}

// Reads the file that is named, or the one behind the URL, and publishes it where there is no URL.
// *url is the caller's to free.
static bool prepare_file(const struct deploy *deploy, const json_t *settings,
                         struct ag_publish_file *file, char **url)
{
    char ca_file[PATH_MAX];
    if (deploy->path) {
        if (!ag_publish_read(deploy->path, deploy->publish.trust, file) ||
            !check_settings(settings, file))
            return false;
        if (!deploy->url)
            return ag_publish_upload(&deploy->publish, deploy->path, file, url) != AG_BLOB_FAILED;
    } else if (!ag_connection_find_ca(&deploy->publish.source, ca_file) ||
               !ag_blob_fetch(deploy->url, ca_file, AG_INPUT_PLUGIN_MAX, &file->bytes,
                              &file->size) ||
               !ag_publish_check("what the URL gives", deploy->publish.trust, file) ||
               !check_settings(settings, file)) {
        return false;
    }
    *url = strdup(deploy->url);
    return *url != NULL;
}

static int deploy_file(const struct deploy *deploy, struct ag_twin_change *change)
{
    struct ag_publish_file file = { 0 };
    char *url = NULL;
    int code = AG_EXIT_FAILED;
    if (prepare_file(deploy, change->settings, &file, &url)) {
        change->name = file.check.metadata.name;
        change->version = file.check.metadata.version;
        change->sha256 = file.check.sha256;
        change->url = url;
        code = apply(deploy, change);
    }
    free(url);
    free(file.bytes);
    return code;
}

// Reads what is given of the members that are objects; the caller releases them in any case.
static bool read_members(const struct deploy *deploy, json_t **settings, json_t **window,
                         json_t **trial)
{
    return (!deploy->settings ||
            ag_twin_member_read(AG_TWIN_MEMBER_SETTINGS, deploy->settings, settings)) &&
           (!deploy->window ||
            ag_twin_member_read(AG_TWIN_MEMBER_WINDOW, deploy->window, window)) &&
           (!deploy->trial || ag_twin_member_read(AG_TWIN_MEMBER_TRIAL, deploy->trial, trial));
}

static int run(const struct deploy *deploy)
{
    json_t *settings = NULL;
    json_t *window = NULL;
    json_t *trial = NULL;
    int code = AG_EXIT_USAGE;
    if (read_members(deploy, &settings, &window, &trial)) {
        struct ag_twin_change change = {
            .name = deploy->remove ? deploy->remove : deploy->name,
            .remove = deploy->remove != NULL,
            .settings = settings,
            .period_ms = deploy->period_ms,
            .fuel_per_run = deploy->fuel_per_run,
            .window = window,
            .trial = trial,
            .allow_downgrade = deploy->allow_downgrade,
        };
        if (deploy->enable)
            change.enabled = AG_TWIN_SWITCH_ON;
        if (deploy->disable)
            change.enabled = AG_TWIN_SWITCH_OFF;
        code = change.name ? apply(deploy, &change) : deploy_file(deploy, &change);
    }
    json_decref(trial);
    json_decref(window);
    json_decref(settings);
    return code;
}

// Exactly one of FILE (with or without a URL), --url, --name, --remove.
static int check_forms(const struct deploy *deploy)
{
    const int forms =
        (deploy->path || deploy->url) + (deploy->name != NULL) + (deploy->remove != NULL);
    if (forms != 1)
        return ag_output_misuse("see airgraft deploy --help",
                                forms == 0 ? "what shall be deployed? give FILE, --url, --name or "
                                             "--remove"
                                           : "give only one of FILE or --url, --name, --remove");
    if (deploy->enable && deploy->disable)
        return ag_output_misuse(NULL, "give either --enable or --disable");
    return AG_OPTIONS_GO;
}

int cmd_deploy(int argc, char **argv)
{
    struct deploy deploy = { .publish.days = AG_PUBLISH_DAYS_DEFAULT, .wait_s = WAIT_DEFAULT_S };
    const struct ag_option options[] = {
        { .name = "url",
          .kind = AG_OPTION_TEXT,
          .value = &deploy.url,
          .argument = "URL",
          .help = "where devices fetch the file, published before;\n"
                  "without FILE it is fetched to read what it is" },
        { .name = "name",
          .kind = AG_OPTION_TEXT,
          .value = &deploy.name,
          .argument = "NAME",
          .help = "change only the options of this plug-in" },
        { .name = "remove",
          .kind = AG_OPTION_TEXT,
          .value = &deploy.remove,
          .argument = "NAME",
          .help = "remove this plug-in from the device" },
        { .name = "settings",
          .kind = AG_OPTION_TEXT,
          .value = &deploy.settings,
          .argument = "JSON",
          .help = "settings for the plug-in, an object; or @FILE" },
        { .name = "period",
          .kind = AG_OPTION_NUMBER,
          .value = &deploy.period_ms,
          .argument = "MS",
          .help = "milliseconds from one execute to the next",
          .min = 1 },
        { .name = "fuel",
          .kind = AG_OPTION_NUMBER,
          .value = &deploy.fuel_per_run,
          .argument = "N",
          .help = "instructions that one execute may use",
          .min = 1,
          .max = INT64_MAX },
        { .name = "trial",
          .kind = AG_OPTION_TEXT,
          .value = &deploy.trial,
          .argument = "JSON",
          .help = "what a new version must show: an object of Runs, Ms and Hub;\n"
                  "or @FILE; none: what the file itself asks for" },
        { .name = "window",
          .kind = AG_OPTION_TEXT,
          .value = &deploy.window,
          .argument = "TIMES",
          .help = "when a new version may start: HH:MM-HH:MM in UTC, or an object\n"
                  "of From, To, Days, UtcOffsetMinutes and UnknownClock; or\n"
                  "@FILE; none: at any time" },
        { .name = "allow-downgrade",
          .kind = AG_OPTION_FLAG,
          .value = &deploy.allow_downgrade,
          .help = "accept an older version than the installed one" },
        { .name = "disable",
          .kind = AG_OPTION_FLAG,
          .value = &deploy.disable,
          .help = "keep it installed, but stopped" },
        { .name = "enable",
          .kind = AG_OPTION_FLAG,
          .value = &deploy.enable,
          .help = "start it again" },
        { .name = "wait",
          .letter = 'w',
          .kind = AG_OPTION_FLAG,
          .value = &deploy.wait,
          .help = "wait until the device runs it; exit 1 if it fails" },
        { .name = "timeout",
          .kind = AG_OPTION_NUMBER,
          .value = &deploy.wait_s,
          .argument = "SECONDS",
          .help = "how long --wait waits (default: 120)",
          .min = 1,
          .max = 86400 },
        AG_PUBLISH_OPTIONS(&deploy.publish),
        AG_CONNECTION_STRING_OPTION(&deploy.publish.source),
        AG_CONNECTION_OPTIONS(&deploy.publish.source),
        { .name = "json", .kind = AG_OPTION_FLAG, .value = &deploy.json, .help = "print JSON" },
    };
    const struct ag_usage usage = {
        .name = "deploy",
        .synopsis =
            "DEVICE FILE\nDEVICE [FILE] --url URL\nDEVICE --name NAME\nDEVICE --remove NAME",
        .summary =
            "Names a plug-in in the device's twin, in firmware_modules, with Url, Version and\n"
            "Sha256 taken from the file itself. A FILE without --url is published first, see\n"
            "airgraft publish. What is not given stays as the twin has it; --allow-downgrade is\n"
            "for this once. Where firmware_modules is a list, it becomes an object by name.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .environment = AG_STORAGE_ENVIRONMENT "\n" AG_CONNECTION_STRING_ENVIRONMENT
                                              "\n" AG_CONNECTION_ENVIRONMENT,
        .examples =
            "airgraft deploy gateway-7 blinky-11.wasm --hub ./hub --wait\n"
            "airgraft deploy gateway-7 --name thermostat --settings '{\"target\": 21000}'\n"
            "airgraft deploy gateway-7 blinky-12.wasm --trial '{\"Ms\": 60000, \"Hub\": true}'\n"
            "airgraft deploy gateway-7 --name blinky --window 22:00-04:30\n"
            "airgraft deploy gateway-7 --remove blinky",
        .operand_min = 1,
        .operand_max = 2,
    };
    char **operands;
    size_t count;
    int code = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (code != AG_OPTIONS_GO)
        return code;
    deploy.device = operands[0];
    deploy.path = count > 1 ? operands[1] : NULL;
    code = check_forms(&deploy);
    if (code != AG_OPTIONS_GO)
        return code;
    if (!ag_connection_open(&deploy.publish.source, &deploy.connection))
        return AG_EXIT_FAILED;
    return run(&deploy);
}
