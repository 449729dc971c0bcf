// SPDX-License-Identifier: Apache-2.0
// A request that is refused: IoT Hub's error number and name, the HTTP status, and what was wrong.
//
// Functions that serve a client return false and fill a problem, because the protocol wants
// IoT Hub's own codes; enum ag_status says what happened inside.
#ifndef AG_HUB_PROBLEM_H
#define AG_HUB_PROBLEM_H

enum ag_problem_kind {
    AG_PROBLEM_NONE,
    AG_PROBLEM_BAD_REQUEST,
    AG_PROBLEM_BAD_VERSION,
    AG_PROBLEM_UNAUTHORIZED,
    AG_PROBLEM_NO_DEVICE,
    AG_PROBLEM_NO_ENROLLMENT,
    AG_PROBLEM_NO_ROUTE,
    AG_PROBLEM_NOT_ONLINE,
    AG_PROBLEM_METHOD,
    AG_PROBLEM_EXISTS,
    AG_PROBLEM_ENROLLMENT_EXISTS,
    AG_PROBLEM_PRECONDITION,
    AG_PROBLEM_TOO_LARGE,
    AG_PROBLEM_INTERNAL,
    AG_PROBLEM_NOT_OFFERED,
    AG_PROBLEM_BAD_ANSWER, // of a device
    AG_PROBLEM_NO_ANSWER,  //
};

struct ag_problem {
    enum ag_problem_kind kind;
    char text[256];
};

// Bytes that are not printable ASCII become `?`: the text may quote a client and goes into JSON and
// logs.
void ag_problem_set(struct ag_problem *problem, enum ag_problem_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int ag_problem_http_status(enum ag_problem_kind kind);  // 404
int ag_problem_number(enum ag_problem_kind kind);       // 404001
const char *ag_problem_name(enum ag_problem_kind kind); // DeviceNotFound

#endif
