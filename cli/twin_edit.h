// SPDX-License-Identifier: Apache-2.0
// The desired `firmware_modules` of a twin as JSON: what a deployment changes in it, and what a
// device's report says about the outcome. Pure functions on jansson values.
#ifndef AG_CLI_TWIN_EDIT_H
#define AG_CLI_TWIN_EDIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

// A plug-in's name as a twin key: `.`, `$`, `#`, `%`, white space and control characters become
// %XX. The caller frees it; NULL when memory is exhausted.
char *ag_twin_edit_escape(const char *name);
// The reverse. What is no %XX stays as it is.
char *ag_twin_edit_unescape(const char *key);

enum ag_twin_switch {
    AG_TWIN_SWITCH_KEEP = 0,
    AG_TWIN_SWITCH_ON,
    AG_TWIN_SWITCH_OFF,
};

// What shall change in one entry. Members that are NULL, 0 or KEEP stay as the twin has them.
struct ag_twin_change {
    const char *name;            // of the plug-in
    bool remove;                 // the entry goes; the rest of this is ignored
    const char *url;             //
    uint32_t version;            //
    const char *sha256;          // 64 hex digits
    const json_t *settings;      // an object that replaces the one there; borrowed
    uint64_t period_ms;          //
    uint64_t fuel_per_run;       //
    const json_t *window;        // an object that replaces the one there, null takes it away;
    const json_t *trial;         // likewise; borrowed
    bool allow_downgrade;        // not kept: false takes it away when there is a url
    enum ag_twin_switch enabled; //
};

enum ag_twin_edit_outcome {
    AG_TWIN_EDIT_DONE = 0,
    AG_TWIN_EDIT_CONVERTED, // done, and a list was turned into an object
    AG_TWIN_EDIT_MISSING,   // the change has no url and the twin has no entry to change
    AG_TWIN_EDIT_MALFORMED, // firmware_modules is neither list nor object, or holds an entry that
                            // cannot be kept in object form
    AG_TWIN_EDIT_NO_MEMORY,
};

// Makes the merge patch {"properties":{"desired":{"firmware_modules":…}}}. `modules` is the current
// value, NULL when there is none; borrowed. The patched entry is always complete, so that a device
// can act on the notification alone, and members that have to go are null in it. A list is turned
// into an object of all its entries, because a patch could only replace it whole. *patch is the
// caller's on DONE and CONVERTED, else untouched.
enum ag_twin_edit_outcome ag_twin_edit_patch(const json_t *modules,
                                             const struct ag_twin_change *change, json_t **patch);

// The entry of a plug-in in either form of firmware_modules, borrowed; NULL when there is none.
const json_t *ag_twin_edit_find(const json_t *modules, const char *name);

enum ag_twin_verdict {
    AG_TWIN_WAITING = 0,
    AG_TWIN_SUCCEEDED,
    AG_TWIN_FAILED,
};

// What to wait for.
struct ag_twin_goal {
    const char *name;        // of the plug-in
    int64_t desired_version; // $version of the twin's desired section that asks for it
    uint32_t version;        // of the plug-in; 0: any
    const char *sha256;      // of its file; NULL: any
    bool stopped;            // it is not enabled
    bool removed;            // it shall be gone
};

// What the reported section says about the goal.
struct ag_twin_progress {
    char text[200];     // for people: "version 11 is on trial"
    char error[64];     // name of the device's error, with the plug-in or, where that is missing or
                        // does not go, with the desired section; "": none
    int64_t error_code; // 0: none
    char place[96];     // where it trapped: ", function 3 at byte 412", or why it was refused:
                        // ": target is too small"; "": neither is known
    char hint[200];     // "": none
};

// Copies a text of a device's, NULL counts as empty, without control characters, so that it can be
// shown on a terminal; cut to fit.
void ag_twin_edit_clean(char *to, size_t capacity, const char *from);

// Where the error of a plug-in's report says that it trapped, or why it was refused, as in struct
// ag_twin_progress; "" when it says neither.
void ag_twin_edit_place(const json_t *error, char *text, size_t capacity);

// Judges `reported` (borrowed, may be NULL). Nothing is believed before the device says that it has
// seen the desired version (airgraft.desiredVersion).
enum ag_twin_verdict ag_twin_edit_judge(const json_t *reported, const struct ag_twin_goal *goal,
                                        struct ag_twin_progress *progress);

// A trust store object to wait for.
struct ag_twin_trust_goal {
    int64_t desired_version; // as in struct ag_twin_goal
    uint32_t epoch;
};

// Likewise, from airgraft.trust.
enum ag_twin_verdict ag_twin_edit_judge_trust(const json_t *reported,
                                              const struct ag_twin_trust_goal *goal,
                                              struct ag_twin_progress *progress);

#endif
