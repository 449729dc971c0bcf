// SPDX-License-Identifier: Apache-2.0
// A direct method's name and payload, read: what is asked for, in fixed memory, whoever asks.
//
// The methods of the host itself are status, restart, logs, retry and call; their payload is a JSON
// object, null or nothing, and members that they do not know are ignored. Every other name is a
// plug-in's, a dot, and the name of a method of its own: that payload is the plug-in's, and only
// checked to be JSON. `call` is the same in members, for plug-ins whose name no method can have.
#ifndef AG_HOST_METHOD_REQUEST_H
#define AG_HOST_METHOD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "base/text.h"

enum ag_method_kind {
    AG_METHOD_STATUS,  // of the host and its plug-ins, or of one
    AG_METHOD_RESTART, // the host, or one plug-in
    AG_METHOD_LOGS,    // the last lines of a plug-in or of the host
    AG_METHOD_RETRY,   // what was given up is tried again: of one plug-in, or of all
    AG_METHOD_CALL,    // on_method of a plug-in
};

struct ag_method_request {
    enum ag_method_kind kind;
    char name[AG_CFG_NAME_MAX + 1]; // "": none was given. Of CALL by `NAME.METHOD`: still empty
    uint32_t from;                  // STATUS: plug-ins to leave out; 0 when absent
    uint32_t lines;                 // LOGS: as many at most; AG_METHOD_REQUEST_LINES when absent
    char method[AG_CFG_METHOD_NAME_MAX + 1]; // CALL: what the plug-in is told; or `NAME.METHOD`
    bool is_whole;                           // CALL: `method` is `NAME.METHOD`
    struct ag_text payload;                  // CALL: JSON, or empty; lies where the caller said
};

// Lines of the log when the request names no number.
#define AG_METHOD_REQUEST_LINES 20u

// `name` is decoded; `payload` is at most AG_CFG_METHOD_PAYLOAD bytes. The payload of a call goes
// to `storage`, which has room for so many and a NUL; NULL: it is only checked. AG_ERR_METHOD: the
// payload is not JSON, not an object, or a member has a wrong type or value. AG_ERR_METHOD_UNKNOWN:
// no method can be meant by that name. *request is then untouched.
AG_MUST_CHECK enum ag_status ag_method_request_read(struct ag_text name, struct ag_text payload,
                                                    char *storage,
                                                    struct ag_method_request *request);

// Whether a payload is JSON, or empty: AG_ERR_METHOD when not.
AG_MUST_CHECK enum ag_status ag_method_request_check(struct ag_text payload);

// Splits a call by `NAME.METHOD` when it begins with this plug-in's name, a dot, and something
// after it. False, with nothing changed, when not.
bool ag_method_request_split(struct ag_method_request *request, const char *name);

#endif
