// SPDX-License-Identifier: Apache-2.0
// Writes JSON through a bounds-checked writer: commas and escapes are done here.
//
// The order of calls makes the document: begin, then key and value by turns (in an object) or
// values (in an array), then end. What does not fit shows in the ag_writer's status.
#ifndef AG_BASE_JSON_WRITER_H
#define AG_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "base/writer.h"

struct ag_json_writer {
    struct ag_writer *out; // the caller's
    bool needs_comma;      // a value stands before the next one
};

void ag_json_writer_init(struct ag_json_writer *json, struct ag_writer *out);

void ag_json_writer_begin_object(struct ag_json_writer *json);
void ag_json_writer_end_object(struct ag_json_writer *json);
void ag_json_writer_begin_array(struct ag_json_writer *json);
void ag_json_writer_end_array(struct ag_json_writer *json);

// Key and text are escaped; bytes that are not UTF-8 become U+FFFD, so that the result is valid.
void ag_json_writer_key(struct ag_json_writer *json, const char *key);
void ag_json_writer_key_text(struct ag_json_writer *json, struct ag_text key);
void ag_json_writer_string(struct ag_json_writer *json, const char *text);
void ag_json_writer_text(struct ag_json_writer *json, struct ag_text text);
void ag_json_writer_integer(struct ag_json_writer *json, int64_t value);
void ag_json_writer_bool(struct ag_json_writer *json, bool value);
void ag_json_writer_null(struct ag_json_writer *json);

// A value that is JSON already, for example one captured by ag_json_capture.
void ag_json_writer_raw(struct ag_json_writer *json, struct ag_text value);

// The bytes as a string of lower-case hexadecimal digits.
void ag_json_writer_hex(struct ag_json_writer *json, const void *bytes, size_t size);

#endif
