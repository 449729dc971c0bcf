// SPDX-License-Identifier: Apache-2.0
// The members of a firmware_modules entry that are objects, as options of the command line give
// them: read, and judged by the device's own readers before anything is sent.
#ifndef AG_CLI_TWIN_MEMBER_H
#define AG_CLI_TWIN_MEMBER_H

#include <jansson.h>
#include <stdbool.h>

enum ag_twin_member {
    AG_TWIN_MEMBER_SETTINGS,
    AG_TWIN_MEMBER_WINDOW,
    AG_TWIN_MEMBER_TRIAL,
};

// Reads what was given for the option of this member: a JSON object, or @FILE that holds one; for a
// Window and a Trial also `none`, which gives null, and for a Window `HH:MM-HH:MM`. *value is the
// caller's. False, with the mistake printed and *value untouched: the value is none of these, or a
// device would refuse an entry that holds it, or would pass over a part of it.
bool ag_twin_member_read(enum ag_twin_member member, const char *text, json_t **value);

#endif
