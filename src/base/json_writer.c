// SPDX-License-Identifier: Apache-2.0
// JSON writer. One bit of state is enough: whether a comma comes before the next value. A key
// and the beginning of a container clear it, everything else sets it.
#include "base/json_writer.h"

#include "base/utf8.h"

static void separate(struct ag_json_writer *json)
{
    if (json->needs_comma)
        ag_writer_u8(json->out, ',');
    json->needs_comma = true;
}

static void begin(struct ag_json_writer *json, char bracket)
{
    separate(json);
    ag_writer_u8(json->out, (uint8_t)bracket);
    json->needs_comma = false;
}

static void end(struct ag_json_writer *json, char bracket)
{
    ag_writer_u8(json->out, (uint8_t)bracket);
    json->needs_comma = true;
}

static void write_control(struct ag_writer *out, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[] = "btn_fr"; // 0x08 to 0x0D; 0x0B has none
    if (byte >= 0x08 && byte <= 0x0D && byte != 0x0B) {
        ag_writer_u8(out, '\\');
        ag_writer_u8(out, (uint8_t)letters[byte - 0x08]);
        return;
    }
    ag_writer_text(out, "\\u00");
    ag_writer_u8(out, (uint8_t)digits[byte >> 4]);
    ag_writer_u8(out, (uint8_t)digits[byte & 15]);
}

static void write_quoted(struct ag_writer *out, struct ag_text text)
{
    ag_writer_u8(out, '"');
    for (size_t i = 0; i < text.size;) {
        const uint8_t byte = (uint8_t)text.at[i];
        const size_t size = ag_utf8_character_size(text.at + i, text.size - i);
        if (size == 0) {
            ag_writer_text(out, "\\ufffd");
            i++;
            continue;
        }
        if (byte == '"' || byte == '\\')
            ag_writer_u8(out, '\\');
        if (byte < 0x20)
            write_control(out, byte);
        else
            ag_writer_bytes(out, text.at + i, size);
        i += size;
    }
    ag_writer_u8(out, '"');
}

void ag_json_writer_init(struct ag_json_writer *json, struct ag_writer *out)
{
    json->out = out;
    json->needs_comma = false;
}

void ag_json_writer_begin_object(struct ag_json_writer *json)
{
    begin(json, '{');
}

void ag_json_writer_end_object(struct ag_json_writer *json)
{
    end(json, '}');
}

void ag_json_writer_begin_array(struct ag_json_writer *json)
{
    begin(json, '[');
}

void ag_json_writer_end_array(struct ag_json_writer *json)
{
    end(json, ']');
}

void ag_json_writer_key_text(struct ag_json_writer *json, struct ag_text key)
{
    separate(json);
    write_quoted(json->out, key);
    ag_writer_u8(json->out, ':');
    json->needs_comma = false;
}

void ag_json_writer_key(struct ag_json_writer *json, const char *key)
{
    ag_json_writer_key_text(json, ag_text_of(key));
}

void ag_json_writer_text(struct ag_json_writer *json, struct ag_text text)
{
    separate(json);
    write_quoted(json->out, text);
}

void ag_json_writer_string(struct ag_json_writer *json, const char *text)
{
    ag_json_writer_text(json, ag_text_of(text));
}

void ag_json_writer_integer(struct ag_json_writer *json, int64_t value)
{
    separate(json);
    ag_writer_decimal(json->out, value);
}

void ag_json_writer_bool(struct ag_json_writer *json, bool value)
{
    separate(json);
    ag_writer_text(json->out, value ? "true" : "false");
}

void ag_json_writer_null(struct ag_json_writer *json)
{
    separate(json);
    ag_writer_text(json->out, "null");
}

void ag_json_writer_raw(struct ag_json_writer *json, struct ag_text value)
{
    separate(json);
    ag_writer_bytes(json->out, value.at, value.size);
}

void ag_json_writer_hex(struct ag_json_writer *json, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    separate(json);
    ag_writer_u8(json->out, '"');
    for (size_t i = 0; i < size; i++) {
        ag_writer_u8(json->out, (uint8_t)digits[at[i] >> 4]);
        ag_writer_u8(json->out, (uint8_t)digits[at[i] & 15]);
    }
    ag_writer_u8(json->out, '"');
}
