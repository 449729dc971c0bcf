// SPDX-License-Identifier: Apache-2.0
// `airgraft devices`: the hub's registry.
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/service.h"

struct devices {
    struct ag_connection connection;
    bool json;
    bool show_keys;
    bool disabled;
};

// `what` for errors, e.g. "show the device dev-1".
static const char *describe(char *text, size_t capacity, const char *verb, const char *id)
{
    snprintf(text, capacity, "%s the device %.130s", verb, id);
    return text;
}

// The hub says year 1 where it means never.
static const char *activity_of(const json_t *device)
{
    const char *time = ag_service_text(device, "lastActivityTime", "");
    return time[0] == 0 || strncmp(time, "0001-", 5) == 0 ? "never" : time;
}

static const char *connection_colour(const char *state)
{
    return ag_output_colour(stdout,
                            strcmp(state, "Connected") == 0 ? AG_COLOUR_GOOD : AG_COLOUR_WAITING);
}

static void print_row(const json_t *device)
{
    const char *state = ag_service_text(device, "connectionState", "?");
    printf("%-32s %-9s %s%-12s%s %s\n", ag_service_text(device, "deviceId", "?"),
           ag_service_text(device, "status", "?"), connection_colour(state), state,
           ag_output_colour(stdout, AG_COLOUR_NONE), activity_of(device));
}

static int list_devices(const struct devices *devices, const char *unused)
{
    (void)unused;
    const size_t most = 1000;
    json_t *list = ag_service_fetch(&devices->connection,
                                    &(struct ag_service_call){ .method = "GET",
                                                               .collection = "devices",
                                                               .query = "top=1000",
                                                               .what = "list the devices" });
    if (!list)
        return AG_EXIT_FAILED;
    if (!json_is_array(list)) {
        json_decref(list);
        return ag_output_fail(NULL, "cannot list the devices: the answer is no list");
    }
    const size_t count = json_array_size(list);
    if (count >= most)
        ag_output_note("the hub lists %zu devices at most", most);
    if (devices->json)
        return ag_output_json(list);
    if (count > 0)
        printf("%s%-32s %-9s %-12s %s%s\n", ag_output_colour(stdout, AG_COLOUR_STRONG), "DEVICE",
               "STATUS", "CONNECTION", "LAST ACTIVITY", ag_output_colour(stdout, AG_COLOUR_NONE));
    else
        ag_output_note("the hub has no devices; airgraft devices create NAME makes one");
    for (size_t i = 0; i < count; i++)
        print_row(json_array_get(list, i));
    json_decref(list);
    return AG_EXIT_OK;
}

static const char *primary_key(const json_t *device)
{
    const json_t *authentication = json_object_get(device, "authentication");
    return ag_service_text(json_object_get(authentication, "symmetricKey"), "primaryKey", NULL);
}

// What a device's configuration takes as connection_string.
static void print_connection_string(const struct ag_connection *connection, const json_t *device)
{
    const char *key = primary_key(device);
    if (!key)
        return;
    printf("HostName=%s;DeviceId=%s;SharedAccessKey=%s\n", connection->host_name,
           ag_service_text(device, "deviceId", ""), key);
}

static void hide_keys(json_t *device)
{
    json_t *authentication = json_object_get(device, "authentication");
    json_object_del(authentication, "symmetricKey");
}

static int show_device(const struct devices *devices, const char *id)
{
    char what[200];
    json_t *device = ag_service_fetch(
        &devices->connection,
        &(struct ag_service_call){ .method = "GET",
                                   .collection = "devices",
                                   .id = id,
                                   .what = describe(what, sizeof what, "show", id) });
    if (!device)
        return AG_EXIT_FAILED;
    if (!devices->show_keys)
        hide_keys(device);
    if (devices->json)
        return ag_output_json(device);
    printf("device      %s\n", ag_service_text(device, "deviceId", "?"));
    printf("status      %s\n", ag_service_text(device, "status", "?"));
    printf("connection  %s\n", ag_service_text(device, "connectionState", "?"));
    printf("activity    %s\n", activity_of(device));
    if (devices->show_keys) {
        printf("connect by  ");
        print_connection_string(&devices->connection, device);
    }
    json_decref(device);
    return AG_EXIT_OK;
}

static int create_device(const struct devices *devices, const char *id)
{
    char what[200];
    json_t *wanted =
        json_pack("{s:s, s:s, s:{s:s}}", "deviceId", id, "status",
                  devices->disabled ? "disabled" : "enabled", "authentication", "type", "sas");
    json_t *device = ag_service_fetch(
        &devices->connection,
        &(struct ag_service_call){ .method = "PUT",
                                   .collection = "devices",
                                   .id = id,
                                   .body = wanted,
                                   .what = describe(what, sizeof what, "create", id) });
    json_decref(wanted);
    if (!device)
        return AG_EXIT_FAILED;
    if (devices->json)
        return ag_output_json(device);
    print_connection_string(&devices->connection, device);
    json_decref(device);
    return AG_EXIT_OK;
}

static int delete_device(const struct devices *devices, const char *id)
{
    char what[200];
    struct ag_rest_answer answer;
    if (!ag_service_perform(
            &devices->connection,
            &(struct ag_service_call){ .method = "DELETE",
                                       .collection = "devices",
                                       .id = id,
                                       .if_match = "*",
                                       .what = describe(what, sizeof what, "delete", id) },
            &answer))
        return AG_EXIT_FAILED;
    const bool deleted = answer.status >= 200 && answer.status <= 299;
    const int code = deleted ? AG_EXIT_OK : ag_service_fail(&answer);
    ag_rest_clear(&answer);
    return code;
}

static const struct verb {
    const char *name;
    size_t operand_count; // with its own name
    int (*run)(const struct devices *devices, const char *id);
} verbs[] = {
    { "list", 1, list_devices },
    { "show", 2, show_device },
    { "create", 2, create_device },
    { "delete", 2, delete_device },
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

int cmd_devices(int argc, char **argv)
{
    struct ag_connection_source source = { 0 };
    struct devices devices = { 0 };
    const struct ag_option options[] = {
        { .name = "keys",
          .kind = AG_OPTION_FLAG,
          .value = &devices.show_keys,
          .help = "show: with the device's keys" },
        { .name = "disabled",
          .kind = AG_OPTION_FLAG,
          .value = &devices.disabled,
          .help = "create: the device may not connect yet" },
        { .name = "json", .kind = AG_OPTION_FLAG, .value = &devices.json, .help = "print JSON" },
        AG_CONNECTION_STRING_OPTION(&source),
        AG_CONNECTION_OPTIONS(&source),
    };
    const struct ag_usage usage = {
        .name = "devices",
        .synopsis = "[list]\nshow DEVICE\ncreate DEVICE\ndelete DEVICE",
        .summary = "Lists the devices of the hub, shows one, creates one with new keys and prints\n"
                   "its connection string, or deletes one. Devices that come by the provisioning\n"
                   "service need no create.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .environment = AG_CONNECTION_STRING_ENVIRONMENT "\n" AG_CONNECTION_ENVIRONMENT,
        .examples = "airgraft devices --hub ./hub\nairgraft devices show gateway-7 --json",
        .operand_max = 2,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    const struct verb *verb = find_verb(count > 0 ? operands[0] : "list");
    if (!verb)
        return ag_output_misuse("see airgraft devices --help", "unknown action \"%s\"",
                                operands[0]);
    if (count > 0 && count != verb->operand_count)
        return ag_output_misuse("see airgraft devices --help", "%s takes %s", verb->name,
                                verb->operand_count == 2 ? "the name of a device" : "no operand");
    if (!ag_connection_open(&source, &devices.connection))
        return AG_EXIT_FAILED;
    return verb->run(&devices, count > 1 ? operands[1] : NULL);
}
