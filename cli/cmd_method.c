// SPDX-License-Identifier: Apache-2.0
// `airgraft method`: calls a direct method of a device and prints its answer.
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/method.h"
#include "cli/service.h"

// The payload: given literally, in a file (@FILE), or on standard input (-). False: it is no JSON.
static bool read_payload(const char *text, json_t **payload)
{
    json_error_t error;
    uint8_t *bytes = NULL;
    size_t size = 0;
    const int flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    if (text[0] == '@' || strcmp(text, "-") == 0) {
        if (!ag_input_read(text[0] == '@' ? text + 1 : text, AG_INPUT_TEXT_MAX, &bytes, &size))
            return false;
        *payload = json_loadb((const char *)bytes, size, flags, &error);
        free(bytes);
    } else {
        *payload = json_loads(text, flags, &error);
    }
    if (!*payload)
        ag_output_fail("check it with a JSON tool; quote it against the shell",
                       "the payload is not JSON: %s (line %d, column %d)", error.text, error.line,
                       error.column);
    return *payload != NULL;
}

static int print_answer(json_t *answer)
{
    char *text = json_dumps(answer, JSON_INDENT(2) | JSON_ENCODE_ANY);
    json_decref(answer);
    if (!text)
        return AG_EXIT_FAILED;
    printf("%s\n", text);
    free(text);
    return AG_EXIT_OK;
}

int cmd_method(int argc, char **argv)
{
    struct ag_connection_source source = { 0 };
    struct ag_connection connection;
    struct ag_method_options how = { 0 };
    const struct ag_option options[] = {
        { .name = "timeout",
          .kind = AG_OPTION_NUMBER,
          .value = &how.timeout_s,
          .argument = "SECONDS",
          .help = "how long the device may take to answer; default 30",
          .min = 5,
          .max = 300 },
        { .name = "connect-timeout",
          .kind = AG_OPTION_NUMBER,
          .value = &how.connect_s,
          .argument = "SECONDS",
          .help = "how long to wait for a device that is not connected; default 0",
          .max = 300 },
        AG_CONNECTION_STRING_OPTION(&source),
        AG_CONNECTION_OPTIONS(&source),
    };
    const struct ag_usage usage = {
        .name = "method",
        .synopsis = "DEVICE NAME [JSON|@FILE|-]",
        .summary =
            "Calls a direct method of a device and prints the payload of its answer. The\n"
            "host's own methods are status, restart, logs and retry; PLUGIN.NAME calls the\n"
            "method NAME of a plug-in. Exit code 1 when the device answers with 300 or more.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .environment = AG_CONNECTION_STRING_ENVIRONMENT "\n" AG_CONNECTION_ENVIRONMENT,
        .examples = "airgraft method gateway-7 status --hub ./hub\n"
                    "airgraft method gateway-7 restart '{\"name\": \"blinky\"}'\n"
                    "airgraft method gateway-7 retry\n"
                    "airgraft method gateway-7 blinky.blink '{\"times\": 3}'",
        .operand_min = 2,
        .operand_max = 3,
    };
    char **operands;
    size_t count;
    json_t *payload = NULL;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    if (count > 2 && !read_payload(operands[2], &payload))
        return AG_EXIT_FAILED;
    long long code;
    json_t *answer;
    if (!ag_connection_open(&source, &connection)) {
        json_decref(payload);
        return AG_EXIT_FAILED;
    }
    if (!ag_method_call(&connection, operands[0], operands[1], payload, &how, &code, &answer))
        return AG_EXIT_FAILED;
    if (code < 300)
        return print_answer(answer);
    const int failed = ag_method_fail(operands[0], operands[1], code, answer);
    if (!ag_service_hint(answer)) // a plug-in's answer says why in its own way
        print_answer(answer);
    else
        json_decref(answer);
    return failed;
}
