// SPDX-License-Identifier: Apache-2.0
// `airgraft twin`: a device's twin, read and changed.
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/service.h"
#include "cli/twin_edit.h"

struct twin {
    struct ag_connection connection;
    const char *device;
    const char *value; // of set
    const char *etag;
    bool json;
};

static json_t *get_twin(const struct twin *twin)
{
    char what[200];
    snprintf(what, sizeof what, "read the twin of %.130s", twin->device);
    return ag_service_fetch(&twin->connection, &(struct ag_service_call){ .method = "GET",
                                                                          .collection = "twins",
                                                                          .id = twin->device,
                                                                          .what = what });
}

static int run_get(const struct twin *twin)
{
    json_t *document = get_twin(twin);
    return document ? ag_output_json(document) : AG_EXIT_FAILED;
}

// The JSON to set: given literally, in a file (@FILE), or on standard input (-).
static json_t *read_value(const char *value)
{
    json_error_t error;
    uint8_t *bytes = NULL;
    size_t size = 0;
    json_t *parsed;
    if (value[0] == '@' || strcmp(value, "-") == 0) {
        if (!ag_input_read(value[0] == '@' ? value + 1 : value, AG_INPUT_TEXT_MAX, &bytes, &size))
            return NULL;
        parsed = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, &error);
        free(bytes);
    } else {
        parsed = json_loads(value, JSON_REJECT_DUPLICATES, &error);
    }
    if (parsed && json_is_object(parsed))
        return parsed;
    if (parsed)
        ag_output_fail("it looks like {\"properties\":{\"desired\":{...}}}",
                       "the value is not a JSON object");
    else
        ag_output_fail("check it with a JSON tool; quote it against the shell",
                       "the value is not JSON: %s (line %d, column %d)", error.text, error.line,
                       error.column);
    json_decref(parsed);
    return NULL;
}

// A patch of the twin as it is, or of its desired section when it names neither part.
static json_t *wrap_patch(json_t *value)
{
    if (json_object_get(value, "properties") || json_object_get(value, "tags"))
        return value;
    return json_pack("{s:{s:o}}", "properties", "desired", value);
}

static int run_set(const struct twin *twin)
{
    char what[200];
    json_t *value = read_value(twin->value);
    json_t *patch = value ? wrap_patch(value) : NULL;
    if (!patch)
        return AG_EXIT_FAILED;
    snprintf(what, sizeof what, "change the twin of %.130s", twin->device);
    json_t *document =
        ag_service_fetch(&twin->connection, &(struct ag_service_call){ .method = "PATCH",
                                                                       .collection = "twins",
                                                                       .id = twin->device,
                                                                       .body = patch,
                                                                       .if_match = twin->etag,
                                                                       .what = what });
    json_decref(patch);
    if (!document)
        return AG_EXIT_FAILED;
    if (twin->json)
        return ag_output_json(document);
    const json_t *desired = json_object_get(json_object_get(document, "properties"), "desired");
    printf("desired version %lld\n",
           (long long)json_integer_value(json_object_get(desired, "$version")));
    json_decref(document);
    return AG_EXIT_OK;
}

static enum ag_colour colour_of(const char *state)
{
    if (strcmp(state, "running") == 0)
        return AG_COLOUR_GOOD;
    if (strcmp(state, "failed") == 0 || strcmp(state, "refused") == 0 ||
        strcmp(state, "rolled_back") == 0)
        return AG_COLOUR_BAD;
    return AG_COLOUR_WAITING;
}

static long long number(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

// A text of the device, "?" for none, as a terminal may see it.
static const char *clean_text(const char *from, char *text, size_t capacity)
{
    ag_twin_edit_clean(text, capacity, from ? from : "?");
    return text;
}

static const char *clean(const json_t *object, const char *name, char *text, size_t capacity)
{
    return clean_text(ag_service_text(object, name, NULL), text, capacity);
}

// What the device says is wrong, and with which `what` ("version"), where that is another than
// `in_use`.
static void print_error(const json_t *error, const char *what, long long in_use)
{
    char name[64];
    char hint[200];
    char place[96];
    if (!json_is_object(error))
        return;
    const long long about = number(error, "version");
    const long long cause = number(error, "cause");
    ag_twin_edit_place(error, place, sizeof place);
    if (about != 0 && about != in_use)
        printf(" %s %lld:", what, about);
    printf(" %s (%lld)%s", clean(error, "name", name, sizeof name), number(error, "code"), place);
    if (cause != 0)
        printf(", because of %lld", cause);
    printf(": %s", clean_text(ag_service_hint(error), hint, sizeof hint));
}

static void print_module(const char *key, const json_t *module)
{
    char state[32];
    char shown[AG_CFG_NAME_MAX + 1];
    char *name = ag_twin_edit_unescape(key);
    const long long version = number(module, "version");
    ag_twin_edit_clean(shown, sizeof shown, name ? name : key);
    clean(module, "state", state, sizeof state);
    printf("%-24s %8lld  %s%-12s%s", shown, version, ag_output_colour(stdout, colour_of(state)),
           state, ag_output_colour(stdout, AG_COLOUR_NONE));
    print_error(json_object_get(module, "error"), "version", version);
    printf("\n");
    free(name);
}

static void print_host(const char *device, const json_t *host)
{
    char text[64];
    char board[64];
    char state[32];
    const json_t *trust = json_object_get(host, "trust");
    const json_t *refused = json_object_get(host, "refusedEntries");
    printf("%s: host %s on %s, %s, desired version %lld taken up, %lld bytes free\n", device,
           clean(host, "host", text, sizeof text), clean(host, "board", board, sizeof board),
           clean(host, "state", state, sizeof state), number(host, "desiredVersion"),
           number(host, "storeFree"));
    clean(trust, "state", state, sizeof state);
    if (json_is_object(trust) && strcmp(state, "running") != 0) {
        printf("trust store object of epoch %lld: %s", number(trust, "epoch"), state);
        print_error(json_object_get(trust, "error"), "epoch", number(trust, "epoch"));
        printf("\n");
    }
    if (json_is_object(refused)) {
        printf("%lld entries of the list refused, the first at place %lld:",
               number(refused, "count"), number(refused, "first"));
        print_error(json_object_get(refused, "error"), "", 0);
        printf("\n");
    }
    if (json_is_object(json_object_get(host, "error"))) {
        printf("the desired section:");
        print_error(json_object_get(host, "error"), "", 0);
        printf("\n");
    }
}

static void print_report(const char *device, const json_t *reported)
{
    const json_t *host = json_object_get(reported, "airgraft");
    json_t *modules = json_object_get(reported, "firmware_modules");
    const char *key;
    json_t *module;
    if (host)
        print_host(device, host);
    if (json_object_size(modules) > 0)
        printf("%s%-24s %8s  %-12s%s\n", ag_output_colour(stdout, AG_COLOUR_STRONG), "PLUG-IN",
               "VERSION", "STATE", ag_output_colour(stdout, AG_COLOUR_NONE));
    json_object_foreach(modules, key, module)
    {
        print_module(key, module);
    }
}

static int run_reported(const struct twin *twin)
{
    json_t *document = get_twin(twin);
    if (!document)
        return AG_EXIT_FAILED;
    json_t *reported = json_object_get(json_object_get(document, "properties"), "reported");
    if (twin->json) {
        json_t *kept = reported ? json_incref(reported) : json_object();
        json_decref(document);
        return ag_output_json(kept);
    }
    if (json_object_get(reported, "airgraft") || json_object_get(reported, "firmware_modules"))
        print_report(twin->device, reported);
    else
        ag_output_note("%s has not reported anything about plug-ins", twin->device);
    json_decref(document);
    return AG_EXIT_OK;
}

static const struct verb {
    const char *name;
    size_t operand_count; // with its own name
    int (*run)(const struct twin *twin);
} verbs[] = {
    { "get", 2, run_get },
    { "set", 3, run_set },
    { "reported", 2, run_reported },
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

int cmd_twin(int argc, char **argv)
{
    static const char see[] = "see airgraft twin --help";
    struct ag_connection_source source = { 0 };
    struct twin twin = { 0 };
    const struct ag_option options[] = {
        { .name = "etag",
          .kind = AG_OPTION_TEXT,
          .value = &twin.etag,
          .argument = "ETAG",
          .help = "set: only if the twin still has this etag" },
        { .name = "json", .kind = AG_OPTION_FLAG, .value = &twin.json, .help = "print JSON" },
        AG_CONNECTION_STRING_OPTION(&source),
        AG_CONNECTION_OPTIONS(&source),
    };
    const struct ag_usage usage = {
        .name = "twin",
        .synopsis = "get DEVICE\nset DEVICE JSON|@FILE|-\nreported DEVICE",
        .summary =
            "Prints a device's twin, merges JSON into it, or shows what the device reports\n"
            "about its plug-ins. JSON that names neither \"properties\" nor \"tags\" is merged\n"
            "into the desired properties: objects merge, lists are replaced whole, null\n"
            "removes.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .environment = AG_CONNECTION_STRING_ENVIRONMENT "\n" AG_CONNECTION_ENVIRONMENT,
        .examples = "airgraft twin get gateway-7 --hub ./hub\n"
                    "airgraft twin set gateway-7 '{\"firmware_modules\":{\"blinky\":null}}'\n"
                    "airgraft twin reported gateway-7",
        .operand_min = 2,
        .operand_max = 3,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    const struct verb *verb = find_verb(operands[0]);
    if (!verb)
        return ag_output_misuse(see, "unknown action \"%s\"", operands[0]);
    if (count != verb->operand_count)
        return ag_output_misuse(see, "%s takes the name of a device%s", verb->name,
                                verb->operand_count == 3 ? " and the JSON" : "");
    twin.device = operands[1];
    twin.value = count > 2 ? operands[2] : NULL;
    if (!ag_connection_open(&source, &twin.connection))
        return AG_EXIT_FAILED;
    return verb->run(&twin);
}
