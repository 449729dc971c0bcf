// SPDX-License-Identifier: Apache-2.0
// Direct methods of a device, called through its hub.
#ifndef AG_CLI_METHOD_H
#define AG_CLI_METHOD_H

#include <jansson.h>

#include "cli/connection.h"

struct ag_method_options {
    uint64_t timeout_s; // for the answer: 5 to 300; 0: 30
    uint64_t connect_s; // for the device to connect: 0 to 300
};

// Calls the method with a payload (taken over; NULL: none) and waits. True: *code is what the
// device answered and *answer its payload, the caller's. False: there was no answer, and the error
// is printed.
bool ag_method_call(const struct ag_connection *connection, const char *device, const char *name,
                    json_t *payload, const struct ag_method_options *options, long long *code,
                    json_t **answer);

// Prints what a device says about a failure. Returns AG_EXIT_FAILED.
int ag_method_fail(const char *device, const char *name, long long code, const json_t *answer);

#endif
