// SPDX-License-Identifier: Apache-2.0
// The schema of a plug-in's settings (FORMATS.md 1.6): which members there are, of which type and
// within which limits. Compiled by `airgraft build` from a subset of JSON Schema in plugin.json.
//
// One pass over the settings in fixed memory: about 1.2 KB of stack.
#ifndef AG_PLUGIN_SCHEMA_H
#define AG_PLUGIN_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/text.h"

// Members of one schema at most, and the longest name of one, bytes.
#define AG_SCHEMA_MEMBER_MAX 32u
#define AG_SCHEMA_NAME_MAX   32u

#define AG_SCHEMA_FORMAT 1u

// Bits of the byte behind the format.
#define AG_SCHEMA_CLOSED 1u // members that are not in the schema are refused

enum ag_schema_type {
    AG_SCHEMA_BOOLEAN = 1,
    AG_SCHEMA_INTEGER = 2,
    AG_SCHEMA_STRING = 3,
};

// Bits beside the type.
#define AG_SCHEMA_TYPE     0x07u
#define AG_SCHEMA_REQUIRED 0x08u
#define AG_SCHEMA_MIN      0x10u
#define AG_SCHEMA_MAX      0x20u
#define AG_SCHEMA_CHOICES  0x40u
#define AG_SCHEMA_DEFAULT  0x80u

struct ag_schema_value {
    int64_t integer;     // also of a boolean: 0 or 1
    struct ag_text text; // of a string
};

struct ag_schema_member {
    struct ag_text name; // all texts are borrowed from the schema
    enum ag_schema_type type;
    uint8_t flags;            // AG_SCHEMA_REQUIRED, …
    int64_t min, max;         // of an integer; of the characters of a string
    uint32_t choice_count;    //
    struct ag_reader choices; // as many values
    struct ag_schema_value default_;
};

// What is wrong with settings.
struct ag_schema_fault {
    char member[AG_SCHEMA_NAME_MAX + 1]; // the beginning of its name; "" for all of them
    const char *reason;                  // static: "is missing", …
};

// AG_ERR_FILE_METADATA unless the bytes are a schema.
AG_MUST_CHECK enum ag_status ag_schema_check(const uint8_t *schema, size_t size);

// Judges settings, a JSON object as text (empty: as {}). AG_ERR_SETTINGS_SCHEMA with *fault for the
// first thing that is wrong. The schema was checked; size 0: there is none, and nothing is wrong.
AG_MUST_CHECK enum ag_status ag_schema_judge(const uint8_t *schema, size_t size,
                                             struct ag_text settings,
                                             struct ag_schema_fault *fault);

// For whoever shows a schema: the member at `reader`, which stands behind the first two bytes at
// first. False at the end.
bool ag_schema_next(struct ag_reader *reader, struct ag_schema_member *member);
// The next one of the choices.
struct ag_schema_value ag_schema_read_value(struct ag_reader *reader, enum ag_schema_type type);

// The member called `name` of a schema that was checked. False when there is none.
bool ag_schema_find(const uint8_t *schema, size_t size, struct ag_text name,
                    struct ag_schema_member *member);

#endif
