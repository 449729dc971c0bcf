// SPDX-License-Identifier: Apache-2.0
// `airgraft logs`: the last lines that a device's host, or one of its plug-ins, has logged.
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/method.h"
#include "cli/service.h"

static enum ag_colour colour_of(const char *level)
{
    if (strcmp(level, "error") == 0)
        return AG_COLOUR_BAD;
    return strcmp(level, "warning") == 0 ? AG_COLOUR_WAITING : AG_COLOUR_NONE;
}

// The device has made the text harmless; the hub in between is believed as for everything else.
static void print_line(const json_t *line)
{
    char stamp[32] = "-";
    const time_t time = (time_t)json_integer_value(json_object_get(line, "time"));
    const char *level = ag_service_text(line, "level", "?");
    struct tm utc;
    if (time > 0 && gmtime_r(&time, &utc))
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    printf("%-20s %s%-7s%s %s\n", stamp, ag_output_colour(stdout, colour_of(level)), level,
           ag_output_colour(stdout, AG_COLOUR_NONE), ag_service_text(line, "text", ""));
}

static void print_lines(const json_t *answer)
{
    size_t index;
    json_t *line;
    json_array_foreach(json_object_get(answer, "lines"), index, line)
    {
        print_line(line);
    }
    const json_int_t older = json_integer_value(json_object_get(answer, "older"));
    if (json_array_size(json_object_get(answer, "lines")) == 0)
        ag_output_note("nothing has been logged");
    if (older > 0)
        ag_output_note("%lld older lines are kept on the device", (long long)older);
}

int cmd_logs(int argc, char **argv)
{
    struct ag_connection_source source = { 0 };
    struct ag_connection connection;
    struct ag_method_options how = { 0 };
    uint64_t lines = 0;
    bool json = false;
    const struct ag_option options[] = {
        { .name = "lines",
          .letter = 'n',
          .kind = AG_OPTION_NUMBER,
          .value = &lines,
          .argument = "COUNT",
          .help = "as many lines at most; default 20, and never more than fit an answer",
          .min = 1 },
        { .name = "json", .kind = AG_OPTION_FLAG, .value = &json, .help = "print JSON" },
        AG_CONNECTION_STRING_OPTION(&source),
        AG_CONNECTION_OPTIONS(&source),
    };
    const struct ag_usage usage = {
        .name = "logs",
        .synopsis = "DEVICE [PLUGIN]",
        .summary = "Prints the last lines that a plug-in, or without PLUGIN the host, has logged.\n"
                   "The device keeps some of each, those before a failure also over a reset.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .environment = AG_CONNECTION_STRING_ENVIRONMENT "\n" AG_CONNECTION_ENVIRONMENT,
        .examples = "airgraft logs gateway-7 --hub ./hub\n"
                    "airgraft logs gateway-7 blinky -n 5",
        .operand_min = 1,
        .operand_max = 2,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    if (!ag_connection_open(&source, &connection))
        return AG_EXIT_FAILED;
    json_t *payload = json_pack("{s:s}", "name", count > 1 ? operands[1] : "host");
    if (lines > 0)
        json_object_set_new(payload, "lines", json_integer((json_int_t)lines));
    long long code;
    json_t *answer;
    if (!ag_method_call(&connection, operands[0], "logs", payload, &how, &code, &answer))
        return AG_EXIT_FAILED;
    int result = AG_EXIT_OK;
    if (code >= 300)
        result = ag_method_fail(operands[0], "logs", code, answer);
    else if (json)
        return ag_output_json(answer);
    else
        print_lines(answer);
    json_decref(answer);
    return result;
}
