// SPDX-License-Identifier: Apache-2.0
// JSON written and read: a document is put together out of random members, as a report or a twin
// would be, and tokenized; the tokenizer checks the grammar with a stack of its own, reads numbers
// and escapes, and looks member names up in a table.
#include "kernel.h"

enum {
    DEPTH_MAX = 16,
    MEMBERS = 8,
    DOCUMENT_MAX = 1024,
};

// Each # becomes a digit.
static const char *const members[] = {
    "\"name\": \"thermostat-##\"",
    "\"version\": 1#",
    "\"enabled\": true",
    "\"settings\": { \"target\": 2#.5, \"hysteresis\": 0.#5, \"period_ms\": 1#00, \"mode\": null }",
    "\"windows\": [ { \"from\": \"0#:30\", \"to\": \"1#:00\", \"days\": [#, 6, #] }, { \"off\": false } ]",
    "\"label\": \"Zimmer \\\"S\\u00fcd\\\" \\\\ #. OG\\t(##)\"",
    "\"calibration\": [ -0.1##, #.0e-3, 2.#E+2, -17, 0, 12#45#7 ]",
    "\"nested\": [[[[\"deep ##\"]]]]",
    "\"empty\": {}",
    "\"none\": []",
    "\"mode\": null",
    "\"target\":-#.##",
};

static char document[DOCUMENT_MAX];

static char *put(char *to, const char *text, uint32_t digits)
{
    for (; *text; text++) {
        if (*text == '#') {
            *to++ = (char)('0' + digits % 10);
            digits /= 10;
        } else {
            *to++ = *text;
        }
    }
    return to;
}

static void make_document(uint32_t *seed)
{
    char *to = put(document, "{ ", 0);
    for (int i = 0; i < MEMBERS; i++) {
        const uint32_t random = kernel_random(seed);
        const uint32_t chosen = (random >> 16) % (sizeof members / sizeof members[0]);
        to = put(to, members[chosen], kernel_random(seed));
        to = put(to, i + 1 < MEMBERS ? ",\n  " : " }", 0);
    }
    *to = 0;
}

static const char *const names[] = { "name",  "version", "enabled",    "settings", "target",
                                     "mode",  "windows", "from",       "to",       "days",
                                     "label", "nested",  "calibration" };

enum token {
    TOKEN_END,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COLON,
    TOKEN_COMMA,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_WORD,
    TOKEN_BAD,
};

struct reader {
    const char *at;
    const char *start; // of the token's text
    uint32_t size;     // of it
    uint32_t value;    // of a string: its hash; of a number: in thousandths; else its character
};

static uint32_t hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (uint32_t)(c - 'a') + 10;
    return c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10 : 16;
}

static uint32_t read_escape(struct reader *reader)
{
    const char c = *reader->at++;
    uint32_t code = 0;
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'u':
        for (int i = 0; i < 4; i++)
            code = code << 4 | hex_digit(*reader->at++);
        return code;
    default:
        return (uint8_t)c;
    }
}

static enum token read_string(struct reader *reader)
{
    uint32_t hash = 5381;
    reader->start = reader->at;
    while (*reader->at != '"') {
        uint32_t c = (uint8_t)*reader->at++;
        if (c < 0x20)
            return TOKEN_BAD;
        if (c == '\\')
            c = read_escape(reader);
        hash = hash * 33 ^ c;
    }
    reader->size = (uint32_t)(reader->at - reader->start);
    reader->value = hash;
    reader->at++;
    return TOKEN_STRING;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum token read_number(struct reader *reader)
{
    const int is_negative = *reader->at == '-';
    int32_t scale = 3; // value is digits * 10^(scale - 3)
    uint32_t digits = 0;
    if (is_negative)
        reader->at++;
    if (!is_digit(*reader->at))
        return TOKEN_BAD;
    while (is_digit(*reader->at))
        digits = digits * 10 + (uint32_t)(*reader->at++ - '0');
    if (*reader->at == '.') {
        for (reader->at++; is_digit(*reader->at); scale--)
            digits = digits * 10 + (uint32_t)(*reader->at++ - '0');
    }
    if (*reader->at == 'e' || *reader->at == 'E') {
        reader->at++;
        const int is_less = *reader->at == '-';
        int32_t exponent = 0;
        if (*reader->at == '-' || *reader->at == '+')
            reader->at++;
        while (is_digit(*reader->at))
            exponent = exponent * 10 + (*reader->at++ - '0');
        scale += is_less ? -exponent : exponent;
    }
    for (; scale > 0; scale--)
        digits *= 10;
    for (; scale < 0; scale++)
        digits /= 10;
    reader->value = is_negative ? 0 - digits : digits;
    return TOKEN_NUMBER;
}

static enum token read_word(struct reader *reader)
{
    reader->value = 0;
    reader->start = reader->at;
    while (*reader->at >= 'a' && *reader->at <= 'z')
        reader->value = reader->value * 31 + (uint8_t)*reader->at++;
    return reader->at == reader->start ? TOKEN_BAD : TOKEN_WORD;
}

static enum token next_token(struct reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r')
        reader->at++;
    const char c = *reader->at;
    reader->value = (uint8_t)c;
    switch (c) {
    case 0:
        return TOKEN_END;
    case '{':
    case '[':
        reader->at++;
        return TOKEN_OPEN;
    case '}':
    case ']':
        reader->at++;
        return TOKEN_CLOSE;
    case ':':
        reader->at++;
        return TOKEN_COLON;
    case ',':
        reader->at++;
        return TOKEN_COMMA;
    case '"':
        reader->at++;
        return read_string(reader);
    default:
        return c == '-' || is_digit(c) ? read_number(reader) : read_word(reader);
    }
}

static uint32_t find_name(const struct reader *reader)
{
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t at = 0;
        while (at < reader->size && names[i][at] == reader->start[at])
            at++;
        if (at == reader->size && !names[i][at])
            return i;
    }
    return 99;
}

static uint32_t tokenize(uint32_t sum)
{
    struct reader reader = { document, document, 0, 0 };
    char stack[DEPTH_MAX];
    uint32_t depth = 0;
    enum token last = TOKEN_COMMA;
    for (;;) {
        const enum token token = next_token(&reader);
        switch (token) {
        case TOKEN_END:
            return kernel_mix(sum, depth);
        case TOKEN_BAD:
            return kernel_mix(sum, 0xBAD);
        case TOKEN_OPEN:
            if (depth == DEPTH_MAX)
                return kernel_mix(sum, 0xDEE9);
            stack[depth++] = (char)reader.value;
            break;
        case TOKEN_CLOSE:
            // '[' and ']', '{' and '}' lie two apart
            if (depth == 0 || stack[--depth] + 2 != (char)reader.value)
                return kernel_mix(sum, 0xC105E);
            break;
        case TOKEN_COLON:
            if (last != TOKEN_STRING)
                return kernel_mix(sum, 0xC0104);
            sum = kernel_mix(sum, find_name(&reader));
            break;
        case TOKEN_COMMA:
        case TOKEN_STRING:
        case TOKEN_NUMBER:
        case TOKEN_WORD:
            break;
        }
        sum = kernel_mix(sum, reader.value + (uint32_t)token);
        last = token;
    }
}

uint32_t kernel_json_tokens(uint32_t rounds)
{
    uint32_t seed = 141421356u;
    uint32_t sum = 1;
    for (uint32_t round = 0; round < rounds; round++) {
        make_document(&seed);
        sum = tokenize(sum);
    }
    return sum;
}
