// SPDX-License-Identifier: Apache-2.0
// Streaming reader of device twin documents: yields the entries of `firmware_modules` one by one,
// in fixed memory, from pieces of any size.
//
//     ag_twin_init(&twin, AG_TWIN_DOCUMENT);
//     for each piece of the message: ag_reader_init(&piece, bytes, size);
//         while (ag_twin_next(&twin, &piece, &event) == AG_OK) ...
//     ag_twin_finish(&twin, &summary)
//
// A document can still turn out broken after entries were told: collect them, begin afresh at
// each AG_TWIN_MODULES, and apply them only when ag_twin_finish returns AG_OK.
//
// Rules for the host:
// - A refused entry (entry.status) is reported by its name, if it has one, and the others go on. It
//   does not remove what is installed under its name.
// - Not judged here, since only the host knows what it can hold: two entries of one name (the first
//   counts, AG_ERR_TWIN_DUPLICATE for the others), more than it can hold (AG_ERR_TWIN_TOO_MANY,
//   _SPACE).
// - In a patch, the list form replaces the whole list, as in a document. The object form of a patch
//   holds only what changed, down to single members of an entry: the host asks for the whole twin
//   and applies that (summary.needs_document).
// - `firmware_modules` missing or null changes nothing; an empty list or object removes all.
// - `airgraft`, what is desired of the host itself, is told at its end; a member of a wrong type
//   counts as absent and shows in host.status. In a patch it holds only what changed: it too wants
//   the whole twin.
#ifndef AG_AZURE_TWIN_H
#define AG_AZURE_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/text.h"

enum ag_twin_source {
    AG_TWIN_DOCUMENT, // the answer to a GET: {"desired":{…},"reported":{…}}
    AG_TWIN_PATCH,    // a desired patch: {…,"$version":n}
};

// How `firmware_modules` was given.
enum ag_twin_modules {
    AG_TWIN_MODULES_MISSING,
    AG_TWIN_MODULES_NULL,
    AG_TWIN_MODULES_LIST,
    AG_TWIN_MODULES_OBJECT,
    AG_TWIN_MODULES_WRONG, // a text, number or boolean: AG_ERR_TWIN_TYPE, changes nothing
};

// What the twin asks of a trial; each overrides what the file says, where it is given.
struct ag_twin_trial {
    bool has_runs;
    bool has_ms;
    bool has_hub;
    bool needs_hub; // the hub must have been reached with the new version running
    uint32_t runs;  // 1 to 4294967295
    uint32_t ms;    // 0 to 4294967295
};

// One desired plug-in. Texts are borrowed from the twin reader until its next call; each is
// followed by a NUL.
struct ag_twin_entry {
    // AG_OK, or why the entry is refused: AG_ERR_TWIN_ENTRY, _NAME, _VERSION, _URL, _MEMBER,
    // _WINDOW for a Window over AG_CFG_WINDOW_MAX, or _SPACE for Settings over AG_CFG_SETTINGS_MAX.
    // The first thing wrong counts. Of a refused entry only the name may be used, and `index`.
    enum ag_status status;
    uint32_t index;          // place in the list or object, from 0
    struct ag_text name;     // decoded; empty when there is none
    bool is_removed;         // object form: the entry is null
    struct ag_text url;      // https, parsed without error; empty: keep what is installed
    bool has_version;        // always when there is a url
    uint32_t version;        // 1 to 4294967295
    bool has_sha256;         //
    uint8_t sha256[32];      //
    struct ag_text settings; // an object as JSON text without white space; empty when absent
    struct ag_text window;   // any JSON value, as text; empty when absent
    struct ag_twin_trial trial;
    uint32_t period_ms;    // 0 when absent
    uint64_t fuel_per_run; // 0 when absent
    bool allow_downgrade;  // false when absent
    bool is_enabled;       // true when absent
};

// What is desired of the host: the section's object `airgraft`. Borrowed as an entry is.
struct ag_twin_host {
    enum ag_status status;    // AG_OK, or AG_ERR_TWIN_HOST: something in it was passed over
    bool has_trust;           // Trust, with Url and Epoch
    struct ag_text trust_url; // https, parsed without error
    uint32_t trust_epoch;     // 1 to 4294967295
    bool has_trust_sha256;    //
    uint8_t trust_sha256[32]; //
    bool has_log_level;       // LogLevel
    uint8_t log_level;        // 0 error, 1 warning, 2 info, 3 debug
    bool has_one_connection;  // OneConnection
    bool one_connection;      //
};

enum ag_twin_event_type {
    AG_TWIN_MODULES, // firmware_modules begins (or is null or wrong): `modules`
    AG_TWIN_ENTRY,   // one entry: `entry`
    AG_TWIN_HOST,    // airgraft is complete (or null or wrong): `host`
};

struct ag_twin_event {
    enum ag_twin_event_type type;
    enum ag_twin_modules modules;      // AG_TWIN_MODULES
    const struct ag_twin_entry *entry; // AG_TWIN_ENTRY; borrowed until the next call
    const struct ag_twin_host *host;   // AG_TWIN_HOST; borrowed until the next call
};

struct ag_twin_summary {
    enum ag_twin_modules modules; // of the last firmware_modules, should there be two
    uint32_t entry_count;         // entries told of it, refused ones too
    bool has_version;             // desired $version was given
    int64_t version;              //
    bool needs_document;          // a patch in object form, or with airgraft: ask for all
};

// A name as the key of an object, with every character escaped that a twin key cannot hold.
#define AG_TWIN_KEY_MAX (3u * AG_CFG_NAME_MAX)

// All fields are private; about 700 bytes, a URL, Settings and a Window.
struct ag_twin {
    uint8_t source;      // enum ag_twin_source
    uint8_t state;       // enum in twin.c: where in the document
    uint8_t member;      // whose value comes next
    uint8_t within;      // the state of the object whose member that is
    bool has_host;       // airgraft was told
    bool trust_is_wrong; // a member of the Trust in hand
    bool has_url;        // members of the entry in hand
    bool name_is_key;    // the name was given by the key
    enum ag_status status;
    struct ag_twin_summary summary;
    struct ag_json json;
    struct ag_twin_host host;
    struct ag_twin_entry entry;
    char token[AG_TWIN_KEY_MAX + 1 < 80 ? 80 : AG_TWIN_KEY_MAX + 1];
    char name[AG_CFG_NAME_MAX + 1];
    char url[AG_CFG_URL_MAX + 1];
    char settings[AG_CFG_SETTINGS_MAX + 1];
    char window[AG_CFG_WINDOW_MAX + 1];
};

void ag_twin_init(struct ag_twin *twin, enum ag_twin_source source);

// Takes bytes from `piece` up to the next event. AG_OK: *event is filled in. AG_ERR_AGAIN: the
// piece is used up. AG_ERR_TWIN_JSON, which sticks: not JSON, or not an object.
AG_MUST_CHECK enum ag_status ag_twin_next(struct ag_twin *twin, struct ag_reader *piece,
                                          struct ag_twin_event *event);

// The message is complete. AG_OK with *summary, also when firmware_modules is of a wrong type or
// missing; AG_ERR_TWIN_JSON for a broken or incomplete document, with *summary untouched.
AG_MUST_CHECK enum ag_status ag_twin_finish(struct ag_twin *twin, struct ag_twin_summary *summary);

// Writes a plug-in's name as a key that a twin can hold (`a.b` becomes `a%2Eb`).
void ag_twin_write_key(struct ag_json_writer *json, struct ag_text name);

#endif
