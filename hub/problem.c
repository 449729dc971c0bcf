// SPDX-License-Identifier: Apache-2.0
// The table of refusals.
#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

// The first three digits of a number are its HTTP status.
static const struct {
    int number;
    const char *name;
} kinds[] = {
    [AG_PROBLEM_NONE] = { 200000, "None" },
    [AG_PROBLEM_BAD_REQUEST] = { 400004, "ArgumentInvalid" },
    [AG_PROBLEM_BAD_VERSION] = { 400003, "InvalidProtocolVersion" },
    [AG_PROBLEM_UNAUTHORIZED] = { 401002, "IotHubUnauthorizedAccess" },
    [AG_PROBLEM_NO_DEVICE] = { 404001, "DeviceNotFound" },
    [AG_PROBLEM_NO_ENROLLMENT] = { 404204, "EnrollmentNotFound" },
    [AG_PROBLEM_NO_ROUTE] = { 404000, "NotFound" },
    [AG_PROBLEM_NOT_ONLINE] = { 404103, "DeviceNotOnline" },
    [AG_PROBLEM_METHOD] = { 405000, "MethodNotAllowed" },
    [AG_PROBLEM_EXISTS] = { 409001, "DeviceAlreadyExists" },
    [AG_PROBLEM_ENROLLMENT_EXISTS] = { 409204, "EnrollmentAlreadyExists" },
    [AG_PROBLEM_PRECONDITION] = { 412001, "PreconditionFailed" },
    [AG_PROBLEM_TOO_LARGE] = { 413001, "MessageTooLarge" },
    [AG_PROBLEM_INTERNAL] = { 500001, "ServerError" },
    [AG_PROBLEM_NOT_OFFERED] = { 501000, "NotImplemented" },
    [AG_PROBLEM_BAD_ANSWER] = { 502000, "BadDeviceResponse" },
    [AG_PROBLEM_NO_ANSWER] = { 504101, "GatewayTimeout" },
};

void ag_problem_set(struct ag_problem *problem, enum ag_problem_kind kind, const char *format, ...)
{
    problem->kind = kind;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    for (char *at = problem->text; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?';
    }
}

int ag_problem_http_status(enum ag_problem_kind kind)
{
    return kinds[kind].number / 1000;
}

int ag_problem_number(enum ag_problem_kind kind)
{
    return kinds[kind].number;
}

const char *ag_problem_name(enum ag_problem_kind kind)
{
    return kinds[kind].name;
}
