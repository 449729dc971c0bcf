// SPDX-License-Identifier: Apache-2.0
// JSON reader: one byte, one step of a state machine.
//
// Containers are a stack of bits, so depth costs no recursion. A value that is skipped or
// captured runs through the same machine, so it is checked like any other; `muted` only keeps its
// events back. Bytes are looked at before they are taken, because a number ends at a byte that is
// not its own.
#include "base/json.h"

#include <string.h>

enum json_state {
    EXPECT_VALUE,          // at the beginning, after a colon, after a comma in an array
    EXPECT_ELEMENT_OR_END, // after [
    EXPECT_KEY_OR_END,     // after {
    EXPECT_KEY,            // after a comma in an object
    EXPECT_COLON,
    EXPECT_COMMA_OR_END,
    IN_STRING,
    IN_ESCAPE,       // after a backslash
    IN_UNICODE,      // among the four digits after \u
    IN_CONTINUATION, // among the bytes of one character
    IN_LITERAL,
    IN_MINUS, // from here on: a number
    IN_ZERO,
    IN_INTEGER,
    IN_POINT,
    IN_FRACTION,
    IN_EXPONENT,
    IN_EXPONENT_SIGN,
    IN_EXPONENT_DIGITS,
    COMPLETE, // only white space may follow
};

static const char *const literals[] = { "true", "false", "null" };
static const enum ag_json_type literal_types[] = { AG_JSON_TRUE, AG_JSON_FALSE, AG_JSON_NULL };

#define REPLACEMENT_CHARACTER 0xFFFDu

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static void fail(struct ag_json *json, enum ag_status status)
{
    if (json->status == AG_OK)
        json->status = status;
}

// ---- the token in hand

static void begin_token(struct ag_json *json)
{
    json->token_size = 0;
    json->overflow = false;
    json->lead = 0;
}

// All of `bytes` or nothing, so that text is never cut inside a character; once something did
// not fit, nothing more is appended.
static void append(struct ag_json *json, const void *bytes, size_t size)
{
    if (json->overflow || size + 1 > json->token_capacity - json->token_size) {
        json->overflow = true;
        return;
    }
    memcpy(json->token + json->token_size, bytes, size);
    json->token_size += size;
}

static void append_code_point(struct ag_json *json, uint32_t code)
{
    uint8_t bytes[4];
    size_t size = 0;
    if (code < 0x80) {
        bytes[size++] = (uint8_t)code;
    } else if (code < 0x800) {
        bytes[size++] = (uint8_t)(0xC0 | code >> 6);
        bytes[size++] = (uint8_t)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        bytes[size++] = (uint8_t)(0xE0 | code >> 12);
        bytes[size++] = (uint8_t)(0x80 | (code >> 6 & 63));
        bytes[size++] = (uint8_t)(0x80 | (code & 63));
    } else {
        bytes[size++] = (uint8_t)(0xF0 | code >> 18);
        bytes[size++] = (uint8_t)(0x80 | (code >> 12 & 63));
        bytes[size++] = (uint8_t)(0x80 | (code >> 6 & 63));
        bytes[size++] = (uint8_t)(0x80 | (code & 63));
    }
    append(json, bytes, size);
}

// A first half of a surrogate pair that no second half followed.
static void settle_lead(struct ag_json *json)
{
    if (json->lead)
        append_code_point(json, REPLACEMENT_CHARACTER);
    json->lead = 0;
}

static void append_escaped(struct ag_json *json, uint32_t code)
{
    const bool is_first_half = code >= 0xD800 && code <= 0xDBFF;
    const bool is_second_half = code >= 0xDC00 && code <= 0xDFFF;
    if (json->lead && is_second_half) {
        append_code_point(json, 0x10000 + ((json->lead - 0xD800) << 10) + (code - 0xDC00));
        json->lead = 0;
        return;
    }
    settle_lead(json);
    if (is_first_half)
        json->lead = code;
    else
        append_code_point(json, is_second_half ? REPLACEMENT_CHARACTER : code);
}

// ---- telling events

static void tell(struct ag_json *json, struct ag_json_event *event, enum ag_json_type type)
{
    memset(event, 0, sizeof *event);
    event->type = type;
    event->depth = json->depth;
    json->after_key = type == AG_JSON_KEY;
}

static void tell_token(struct ag_json *json, struct ag_json_event *event, enum ag_json_type type)
{
    tell(json, event, type);
    json->token[json->token_size] = 0;
    event->text.at = json->token;
    event->text.size = json->token_size;
    event->overflow = json->overflow;
}

// A value has just ended. True when nothing keeps the caller from telling it; with a captured
// value, that is told here and now.
static bool value_is_heard(struct ag_json *json, struct ag_json_event *event, bool *told)
{
    json->state = json->depth > 0 ? EXPECT_COMMA_OR_END : COMPLETE;
    *told = false;
    if (json->muted == 0) {
        *told = true;
        return true;
    }
    if (json->depth + 1u != json->muted)
        return false;
    json->muted = 0;
    if (!json->capturing)
        return false;
    json->capturing = false;
    json->capture[json->capture_size] = 0;
    tell(json, event, AG_JSON_CAPTURED);
    event->text.at = json->capture;
    event->text.size = json->capture_size;
    event->overflow = json->capture_overflow;
    *told = true;
    return false;
}

// What a number in the token is made of: mantissa * 10^scale, the mantissa without trailing zeros.
struct decimal {
    bool is_negative;
    bool overflow; // the mantissa does not fit 64 bits
    uint64_t mantissa;
    int32_t scale;
    int32_t zeros; // zeros read, but not yet part of the mantissa
};

static void add_digit(struct decimal *number, uint32_t digit)
{
    if (digit == 0) {
        number->zeros++;
        return;
    }
    for (; number->zeros >= 0; number->zeros--) {
        if (number->mantissa > UINT64_MAX / 10 - 1) {
            number->overflow = true;
            return;
        }
        number->mantissa *= 10;
    }
    number->zeros = 0;
    number->mantissa += digit;
}

// The text has passed the machine, so it follows the grammar. Exponents over 9,999 are beyond any
// integer and are cut there.
static struct decimal decompose(const char *at, const char *end)
{
    struct decimal number = { 0 };
    bool is_fraction = false;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '-')
            number.is_negative = true;
        else if (*at == '.')
            is_fraction = true;
        else {
            add_digit(&number, (uint32_t)(*at - '0'));
            number.scale -= is_fraction;
        }
    }
    int32_t exponent = 0;
    bool exponent_is_negative = false;
    for (; at < end; at++) {
        if (*at == '-')
            exponent_is_negative = true;
        else if (is_digit((uint8_t)*at) && exponent < 10000)
            exponent = exponent * 10 + (*at - '0');
    }
    number.scale += number.zeros + (exponent_is_negative ? -exponent : exponent);
    return number;
}

static bool integer_of(const char *text, size_t size, int64_t *integer)
{
    struct decimal number = decompose(text, text + size);
    *integer = 0;
    if (number.mantissa == 0)
        return true;
    if (number.overflow || number.scale < 0)
        return false;
    for (; number.scale > 0; number.scale--) {
        if (number.mantissa > UINT64_MAX / 10)
            return false;
        number.mantissa *= 10;
    }
    if (number.mantissa > (uint64_t)INT64_MAX + number.is_negative)
        return false;
    *integer = (int64_t)(number.is_negative ? 0 - number.mantissa : number.mantissa);
    return true;
}

// ---- values

static void push(struct ag_json *json, bool is_array)
{
    if (json->depth == AG_CFG_JSON_DEPTH) {
        fail(json, AG_ERR_NO_SPACE);
        return;
    }
    const uint64_t bit = (uint64_t)1 << json->depth;
    json->arrays = is_array ? json->arrays | bit : json->arrays & ~bit;
    json->depth++;
    json->state = is_array ? EXPECT_ELEMENT_OR_END : EXPECT_KEY_OR_END;
}

static bool top_is_array(const struct ag_json *json)
{
    return json->depth > 0 && (json->arrays >> (json->depth - 1) & 1);
}

static bool begin_container(struct ag_json *json, uint8_t byte, struct ag_json_event *event)
{
    if (json->muted == 0)
        tell(json, event, byte == '[' ? AG_JSON_ARRAY_BEGIN : AG_JSON_OBJECT_BEGIN);
    push(json, byte == '[');
    return json->muted == 0;
}

static bool end_container(struct ag_json *json, uint8_t byte, struct ag_json_event *event)
{
    bool told;
    if (json->depth == 0 || byte != (top_is_array(json) ? ']' : '}')) {
        fail(json, AG_ERR_MALFORMED);
        return false;
    }
    json->depth--;
    if (value_is_heard(json, event, &told))
        tell(json, event, byte == ']' ? AG_JSON_ARRAY_END : AG_JSON_OBJECT_END);
    return told;
}

static bool end_number(struct ag_json *json, struct ag_json_event *event)
{
    bool told;
    if (json->state == IN_MINUS || json->state == IN_POINT || json->state == IN_EXPONENT ||
        json->state == IN_EXPONENT_SIGN) {
        fail(json, AG_ERR_MALFORMED);
        return false;
    }
    if (value_is_heard(json, event, &told)) {
        tell_token(json, event, AG_JSON_NUMBER);
        event->is_integer =
            !json->overflow && integer_of(json->token, json->token_size, &event->integer);
    }
    return told;
}

static bool end_string(struct ag_json *json, struct ag_json_event *event)
{
    bool told;
    settle_lead(json);
    if (json->is_key) {
        json->state = EXPECT_COLON;
        if (json->muted == 0)
            tell_token(json, event, AG_JSON_KEY);
        return json->muted == 0;
    }
    if (value_is_heard(json, event, &told))
        tell_token(json, event, AG_JSON_STRING);
    return told;
}

static void begin_string(struct ag_json *json, bool is_key)
{
    begin_token(json);
    json->is_key = is_key;
    json->state = IN_STRING;
}

static void begin_number(struct ag_json *json, uint8_t byte)
{
    begin_token(json);
    append(json, &byte, 1);
    json->state = IN_INTEGER;
    if (byte == '-')
        json->state = IN_MINUS;
    if (byte == '0')
        json->state = IN_ZERO;
}

static bool begin_value(struct ag_json *json, uint8_t byte, struct ag_json_event *event)
{
    if (byte == '{' || byte == '[')
        return begin_container(json, byte, event);
    if (byte == '"') {
        begin_string(json, false);
        return false;
    }
    if (byte == '-' || is_digit(byte)) {
        begin_number(json, byte);
        return false;
    }
    for (uint8_t i = 0; i < 3; i++) {
        if (byte != (uint8_t)literals[i][0])
            continue;
        json->literal = i;
        json->left = 1;
        json->state = IN_LITERAL;
        return false;
    }
    fail(json, AG_ERR_MALFORMED);
    return false;
}

// ---- bytes inside a token

static bool is_exponent_letter(uint8_t byte)
{
    return byte == 'e' || byte == 'E';
}

// After the digits before the point.
static uint8_t after_integer(uint8_t byte)
{
    if (byte == '.')
        return IN_POINT;
    return is_exponent_letter(byte) ? IN_EXPONENT : 0;
}

// The state that a number is in after one more byte, or 0 when the byte is not part of it.
static uint8_t number_after(uint8_t state, uint8_t byte)
{
    const bool digit = is_digit(byte);
    switch ((enum json_state)state) {
    case IN_MINUS:
        if (byte == '0')
            return IN_ZERO;
        return digit ? IN_INTEGER : 0;
    case IN_ZERO:
        return after_integer(byte);
    case IN_INTEGER:
        return digit ? IN_INTEGER : after_integer(byte);
    case IN_POINT:
        return digit ? IN_FRACTION : 0;
    case IN_FRACTION:
        if (digit)
            return IN_FRACTION;
        return is_exponent_letter(byte) ? IN_EXPONENT : 0;
    case IN_EXPONENT:
        if (byte == '+' || byte == '-')
            return IN_EXPONENT_SIGN;
        return digit ? IN_EXPONENT_DIGITS : 0;
    case IN_EXPONENT_SIGN:
    case IN_EXPONENT_DIGITS:
        return digit ? IN_EXPONENT_DIGITS : 0;
    case EXPECT_VALUE:
    case EXPECT_ELEMENT_OR_END:
    case EXPECT_KEY_OR_END:
    case EXPECT_KEY:
    case EXPECT_COLON:
    case EXPECT_COMMA_OR_END:
    case IN_STRING:
    case IN_ESCAPE:
    case IN_UNICODE:
    case IN_CONTINUATION:
    case IN_LITERAL:
    case COMPLETE:
        break;
    }
    return 0;
}

static bool is_number_state(uint8_t state)
{
    return state >= IN_MINUS && state <= IN_EXPONENT_DIGITS;
}

static bool is_string_state(uint8_t state)
{
    return state >= IN_STRING && state <= IN_CONTINUATION;
}

// The first byte of a character of two to four bytes (Unicode, table 3-7).
static void begin_character(struct ag_json *json, uint8_t byte)
{
    json->low = 0x80;
    json->high = 0xBF;
    json->state = IN_CONTINUATION;
    if (byte >= 0xC2 && byte <= 0xDF) {
        json->left = 1;
        json->code = byte & 0x1Fu;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
        json->left = 2;
        json->code = byte & 0x0Fu;
        if (byte == 0xE0)
            json->low = 0xA0; // shorter forms exist below
        if (byte == 0xED)
            json->high = 0x9F; // surrogates above
    } else if (byte >= 0xF0 && byte <= 0xF4) {
        json->left = 3;
        json->code = byte & 0x07u;
        if (byte == 0xF0)
            json->low = 0x90;
        if (byte == 0xF4)
            json->high = 0x8F; // beyond U+10FFFF above
    } else {
        fail(json, AG_ERR_MALFORMED);
    }
}

static void take_continuation(struct ag_json *json, uint8_t byte)
{
    if (byte < json->low || byte > json->high) {
        fail(json, AG_ERR_MALFORMED);
        return;
    }
    json->low = 0x80;
    json->high = 0xBF;
    json->code = json->code << 6 | (byte & 63u);
    if (--json->left > 0)
        return;
    append_code_point(json, json->code);
    json->state = IN_STRING;
}

static bool take_string_byte(struct ag_json *json, uint8_t byte, struct ag_json_event *event)
{
    if (byte == '"')
        return end_string(json, event);
    if (byte == '\\') {
        json->state = IN_ESCAPE;
        return false;
    }
    settle_lead(json);
    if (byte < 0x20)
        fail(json, AG_ERR_MALFORMED);
    else if (byte < 0x80)
        append(json, &byte, 1);
    else
        begin_character(json, byte);
    return false;
}

static void take_escape(struct ag_json *json, uint8_t byte)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (byte == 'u') {
        json->left = 4;
        json->code = 0;
        json->state = IN_UNICODE;
        return;
    }
    const char *letter = byte ? strchr(letters, byte) : NULL;
    if (!letter) {
        fail(json, AG_ERR_MALFORMED);
        return;
    }
    settle_lead(json);
    append(json, &meanings[letter - letters], 1);
    json->state = IN_STRING;
}

static void take_unicode_digit(struct ag_json *json, uint8_t byte)
{
    const uint32_t digit = ag_text_hex_digit((char)byte);
    if (digit > 15) {
        fail(json, AG_ERR_MALFORMED);
        return;
    }
    json->code = json->code << 4 | digit;
    if (--json->left > 0)
        return;
    append_escaped(json, json->code);
    json->state = IN_STRING;
}

static bool take_literal_byte(struct ag_json *json, uint8_t byte, struct ag_json_event *event)
{
    const char *literal = literals[json->literal];
    bool told;
    if (byte != (uint8_t)literal[json->left]) {
        fail(json, AG_ERR_MALFORMED);
        return false;
    }
    json->left++;
    if (literal[json->left] != 0)
        return false;
    if (value_is_heard(json, event, &told))
        tell(json, event, literal_types[json->literal]);
    return told;
}

// ---- bytes between tokens

static bool take_key_quote(struct ag_json *json, uint8_t byte)
{
    if (byte == '"')
        begin_string(json, true);
    else
        fail(json, AG_ERR_MALFORMED);
    return false;
}

static bool take_separator(struct ag_json *json, uint8_t byte, struct ag_json_event *event)
{
    if (byte != ',')
        return end_container(json, byte, event);
    json->state = top_is_array(json) ? EXPECT_VALUE : EXPECT_KEY;
    return false;
}

static bool take_colon(struct ag_json *json, uint8_t byte)
{
    if (byte == ':')
        json->state = EXPECT_VALUE;
    else
        fail(json, AG_ERR_MALFORMED);
    return false;
}

// True when *event is to be told.
static bool take_byte(struct ag_json *json, uint8_t byte, struct ag_json_event *event)
{
    switch ((enum json_state)json->state) {
    case EXPECT_VALUE:
        return begin_value(json, byte, event);
    case EXPECT_ELEMENT_OR_END:
        return byte == ']' ? end_container(json, byte, event) : begin_value(json, byte, event);
    case EXPECT_KEY_OR_END:
        return byte == '}' ? end_container(json, byte, event) : take_key_quote(json, byte);
    case EXPECT_KEY:
        return take_key_quote(json, byte);
    case EXPECT_COLON:
        return take_colon(json, byte);
    case EXPECT_COMMA_OR_END:
        return take_separator(json, byte, event);
    case IN_STRING:
        return take_string_byte(json, byte, event);
    case IN_ESCAPE:
        take_escape(json, byte);
        return false;
    case IN_UNICODE:
        take_unicode_digit(json, byte);
        return false;
    case IN_CONTINUATION:
        take_continuation(json, byte);
        return false;
    case IN_LITERAL:
        return take_literal_byte(json, byte, event);
    case IN_MINUS:
    case IN_ZERO:
    case IN_INTEGER:
    case IN_POINT:
    case IN_FRACTION:
    case IN_EXPONENT:
    case IN_EXPONENT_SIGN:
    case IN_EXPONENT_DIGITS:
        append(json, &byte, 1);
        json->state = number_after(json->state, byte);
        return false;
    case COMPLETE:
        break;
    }
    fail(json, AG_ERR_MALFORMED);
    return false;
}

// The colon between the captured value's key and the value is not part of it.
static void capture_byte(struct ag_json *json, uint8_t byte)
{
    if (!json->capturing || (json->state == EXPECT_COLON && json->depth + 1u == json->muted))
        return;
    if (json->capture_size + 1 >= json->capture_capacity) {
        json->capture_overflow = true;
        return;
    }
    json->capture[json->capture_size++] = (char)byte;
}

void ag_json_init(struct ag_json *json, char *token, size_t capacity)
{
    memset(json, 0, sizeof *json);
    json->token = token;
    json->token_capacity = capacity;
    json->state = EXPECT_VALUE;
    json->status = AG_OK;
}

enum ag_status ag_json_next(struct ag_json *json, struct ag_reader *piece,
                            struct ag_json_event *event)
{
    while (json->status == AG_OK && ag_reader_left(piece) > 0) {
        const uint8_t byte = *piece->at;
        bool told = false;
        if (is_number_state(json->state) && number_after(json->state, byte) == 0) {
            told = end_number(json, event);
        } else {
            ag_reader_u8(piece);
            if (is_space(byte) && !is_string_state(json->state) && json->state != IN_LITERAL)
                continue;
            capture_byte(json, byte);
            told = take_byte(json, byte, event);
        }
        if (told && json->status == AG_OK)
            return AG_OK;
    }
    return json->status != AG_OK ? json->status : AG_ERR_AGAIN;
}

enum ag_status ag_json_finish(struct ag_json *json, struct ag_json_event *event)
{
    memset(event, 0, sizeof *event);
    if (json->status == AG_OK && is_number_state(json->state) && json->depth == 0)
        (void)end_number(json, event);
    if (json->status == AG_OK && json->state != COMPLETE)
        json->status = AG_ERR_TRUNCATED;
    return json->status;
}

void ag_json_set_token(struct ag_json *json, char *token, size_t capacity)
{
    json->token = token;
    json->token_capacity = capacity;
    json->token_size = 0;
}

void ag_json_skip(struct ag_json *json)
{
    json->muted = (uint8_t)(json->after_key ? json->depth + 1 : json->depth);
}

void ag_json_capture(struct ag_json *json, char *storage, size_t capacity)
{
    json->muted = (uint8_t)(json->depth + 1);
    json->capturing = true;
    json->capture = storage;
    json->capture_capacity = capacity;
    json->capture_size = 0;
    json->capture_overflow = false;
}
