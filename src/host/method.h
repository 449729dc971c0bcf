// SPDX-License-Identifier: Apache-2.0
// Direct methods under way: who waits for an answer, and the one call of a plug-in.
//
// A request is received whole, acted upon, and its answer is written when it can be sent, from
// facts as they are then: so no answer takes room while it waits, and none is lost as long as the
// connection lives. Methods of plug-ins run one at a time.
#ifndef AG_HOST_METHOD_H
#define AG_HOST_METHOD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "host/method_request.h"

// Longest $rid that is echoed, bytes.
#define AG_METHOD_RID_MAX 128u

// Request ids of calls that there is no room for, together with a byte each: about fifty of the
// short ones that hubs make.
#define AG_METHOD_REFUSED_SIZE 256u

// What the answer's code says, as HTTP does.
enum ag_method_code {
    AG_METHOD_OK = 200,
    AG_METHOD_MALFORMED = 400,   // the payload
    AG_METHOD_NOT_FOUND = 404,   // no such method, plug-in, or on_method
    AG_METHOD_CONFLICT = 409,    // not in the state that the plug-in is in
    AG_METHOD_TOO_LARGE = 413,   // the payload
    AG_METHOD_BUSY = 429,        // another call of a plug-in is under way, or too many calls
    AG_METHOD_FAILED = 500,      //
    AG_METHOD_UNAVAILABLE = 503, // the plug-in does not run
    AG_METHOD_NO_ANSWER = 504,   // the plug-in trapped, was stopped, or took too long
};

enum ag_method_slot_state {
    AG_METHOD_FREE,
    AG_METHOD_RECEIVING, // its payload comes in
    AG_METHOD_CALLING,   // the plug-in is called
    AG_METHOD_READY,     // its answer is to be sent
};

struct ag_method_slot {
    enum ag_method_slot_state state;
    enum ag_method_kind kind;
    bool is_answered_by_plugin; // its reply is the answer
    uint8_t rid_size;
    enum ag_status error; // why, unless it is AG_OK
    uint32_t code;        // of the answer
    uint32_t number;      // STATUS: plug-ins to leave out; LOGS: lines at most
    char name[AG_CFG_NAME_MAX + 1];
    char rid[AG_METHOD_RID_MAX];
};

// The call of a plug-in that is under way.
struct ag_method_call {
    bool is_under_way;
    bool holds_reply; // of a call that is over; the answer is not sent yet
    uint8_t owner;    // of the plug-in, as instances know it
    uint32_t slot;    // that waits for it; AG_CFG_METHOD_MAX: nobody any more
    uint32_t code;    // of the reply
    uint32_t reply_size;
    struct ag_text payload; // in `bytes`
    uint64_t deadline_ms;
    char method[AG_CFG_METHOD_NAME_MAX + 1];
    char bytes[AG_CFG_METHOD_PAYLOAD + 1];
    char reply[AG_CFG_METHOD_PAYLOAD];
};

struct ag_method {
    bool is_too_large;   // its payload
    bool is_unreadable;  // its name
    uint64_t restart_ms; // when the host restarts; 0: it does not
    uint64_t pause_ms;   // nothing is sent before that time
    uint32_t size;       // bytes received of the payload in hand
    uint32_t refused_size;
    struct ag_method_slot slots[AG_CFG_METHOD_MAX];
    struct ag_method_call call;
    char payload[AG_CFG_METHOD_PAYLOAD];
    char refused[AG_METHOD_REFUSED_SIZE]; // request ids, oldest first; before each its size
    char name[AG_CFG_METHOD_NAME_MAX + 1];
};

#endif
