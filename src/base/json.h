// SPDX-License-Identifier: Apache-2.0
// Streaming reader for JSON (RFC 8259, strict) in fixed memory, whatever the document's size.
//
// The document arrives in pieces of any size, down to one byte; each call of ag_json_next takes
// bytes from the piece until there is an event to tell:
//
//     ag_reader_init(&piece, bytes, size);
//     while ((status = ag_json_next(&json, &piece, &event)) == AG_OK)
//         ...                        // look at event.type
//     if (status != AG_ERR_AGAIN)    // AG_ERR_AGAIN: the piece is used up, feed the next
//         ...                        // the document is broken; the status sticks
//     ... after the last piece: ag_json_finish(&json, &event)
//
// The reader keeps only the token in hand, in the caller's token buffer. A key, string or number
// that does not fit is told with `overflow` and its beginning; the document goes on. Text is
// checked to be UTF-8; a surrogate escape without its partner becomes U+FFFD, since the grammar
// allows it and one odd string must not hide a whole document. Duplicate keys are all told.
#ifndef AG_BASE_JSON_H
#define AG_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reader.h"
#include "base/status.h"
#include "base/text.h"

enum ag_json_type {
    AG_JSON_NONE, // nothing to tell; only from ag_json_finish
    AG_JSON_OBJECT_BEGIN,
    AG_JSON_OBJECT_END,
    AG_JSON_ARRAY_BEGIN,
    AG_JSON_ARRAY_END,
    AG_JSON_KEY,
    AG_JSON_STRING,
    AG_JSON_NUMBER,
    AG_JSON_TRUE,
    AG_JSON_FALSE,
    AG_JSON_NULL,
    AG_JSON_CAPTURED, // a whole value as text, see ag_json_capture
};

struct ag_json_event {
    enum ag_json_type type;
    uint8_t depth;       // open objects and arrays around this event; 0 for the document's value
    bool overflow;       // the text did not fit: `text` is its beginning, cut between characters
    bool is_integer;     // a number without a fractional part (1.50e1 is 15) that fits `integer`
    int64_t integer;     // its value; 0 when not is_integer
    struct ag_text text; // key, string (decoded), number or captured value (as written); a NUL
                         // follows it. Borrowed until the next call. A string may hold NULs.
};

// All fields are private; about 100 bytes.
struct ag_json {
    uint8_t state;     // enum in json.c: what is expected next
    uint8_t depth;     // open containers
    uint8_t left;      // digits or continuation bytes to come, or place in a literal
    uint8_t literal;   // which of true, false, null
    uint8_t muted;     // depth + 1 of the value whose events are not told, or 0
    uint8_t low, high; // bounds of the next UTF-8 continuation byte
    bool is_key;       // the string in hand is a key
    bool overflow;     // the token in hand did not fit
    bool capturing;    // the muted value is copied to `capture`
    bool capture_overflow;
    bool after_key; // the last event was a key, so a value may be skipped or captured
    enum ag_status status;
    char *token; // the caller's
    size_t token_capacity;
    size_t token_size;
    char *capture; // the caller's, or NULL while nothing is captured
    size_t capture_capacity;
    size_t capture_size;
    uint64_t arrays; // bit d is set when the container at depth d is an array
    uint32_t code;   // code point being put together
    uint32_t lead;   // first half of a surrogate pair, or 0
};

// `token` is the caller's and outlives the reader; `capacity` counts its NUL and is at least 24
// for numbers to be told whole.
void ag_json_init(struct ag_json *json, char *token, size_t capacity);

// Takes bytes from `piece` up to the next event. AG_OK: *event is filled in, and there may be
// more to come. AG_ERR_AGAIN: the piece is used up. Errors stick: AG_ERR_MALFORMED for bad JSON,
// AG_ERR_NO_SPACE for nesting deeper than AG_CFG_JSON_DEPTH.
AG_MUST_CHECK enum ag_status ag_json_next(struct ag_json *json, struct ag_reader *piece,
                                          struct ag_json_event *event);

// Says that the document has ended. AG_OK when it is complete: *event is then the number that
// only the end could end (a document that is one number), otherwise of type AG_JSON_NONE.
// AG_ERR_TRUNCATED when the document is not complete; or the earlier error.
AG_MUST_CHECK enum ag_status ag_json_finish(struct ag_json *json, struct ag_json_event *event);

// From the next token on, use another buffer: so that a long string lands where it is wanted.
// To be called between events; the text of the last event stays where it is.
void ag_json_set_token(struct ag_json *json, char *token, size_t capacity);

// After an AG_JSON_KEY, an AG_JSON_OBJECT_BEGIN or an AG_JSON_ARRAY_BEGIN: no events for that
// key's value, or for the rest of that container including its end. Still checked as JSON.
void ag_json_skip(struct ag_json *json);

// After an AG_JSON_KEY: its value is told as one AG_JSON_CAPTURED whose text is the value's JSON
// without white space between tokens, in the caller's `storage` (capacity counts the NUL), where it
// stays. With `overflow` set, the text is the useless beginning of the value.
void ag_json_capture(struct ag_json *json, char *storage, size_t capacity);

#endif
