// SPDX-License-Identifier: Apache-2.0
// A direct method's name and payload, read.
#include "host/method_request.h"

#include <string.h>

#include "base/json.h"
#include "base/reader.h"
#include "base/utf8.h"

static const struct {
    const char *name;
    enum ag_method_kind kind;
} methods[] = {
    { "status", AG_METHOD_STATUS }, { "restart", AG_METHOD_RESTART }, { "logs", AG_METHOD_LOGS },
    { "retry", AG_METHOD_RETRY },   { "call", AG_METHOD_CALL },
};

// The object in hand: where its members go.
struct parse {
    struct ag_json json;
    struct ag_reader piece;
    struct ag_method_request *request;
    char *storage;
};

static bool copy_text(struct ag_text text, char *to, size_t capacity)
{
    if (text.size == 0 || text.size >= capacity || memchr(text.at, 0, text.size))
        return false;
    memcpy(to, text.at, text.size);
    to[text.size] = 0;
    return true;
}

static bool take_number(const struct ag_json_event *event, uint32_t least, uint32_t *number)
{
    if (event->type != AG_JSON_NUMBER || !event->is_integer || event->integer < least ||
        event->integer > UINT32_MAX)
        return false;
    *number = (uint32_t)event->integer;
    return true;
}

static bool take_text(const struct ag_json_event *event, char *to, size_t capacity)
{
    return event->type == AG_JSON_STRING && !event->overflow &&
           copy_text(event->text, to, capacity);
}

// The value of a member, whose name is `key`. False: it is not what it has to be.
static bool take_value(struct parse *parse, const char *key, const struct ag_json_event *event)
{
    struct ag_method_request *request = parse->request;
    if (event->type == AG_JSON_CAPTURED) {
        request->payload = event->text;
        return !event->overflow;
    }
    if (event->type == AG_JSON_NULL)
        return true; // as if it were not there
    if (strcmp(key, "name") == 0)
        return take_text(event, request->name, sizeof request->name);
    if (strcmp(key, "method") == 0)
        return take_text(event, request->method, sizeof request->method);
    if (strcmp(key, "from") == 0)
        return take_number(event, 0, &request->from);
    return take_number(event, 1, &request->lines);
}

// A key of the object: what is to be done about its value. NULL: it is passed over.
static const char *take_key(struct parse *parse, struct ag_text key)
{
    static const struct {
        const char *name;
        uint8_t kinds; // of methods that know it
    } members[] = {
        { "name", 0xFF },
        { "from", 1u << AG_METHOD_STATUS },
        { "lines", 1u << AG_METHOD_LOGS },
        { "method", 1u << AG_METHOD_CALL },
    };
    bool is_call = parse->request->kind == AG_METHOD_CALL;
    if (is_call && ag_text_equals(key, "payload") && parse->storage) {
        ag_json_capture(&parse->json, parse->storage, AG_CFG_METHOD_PAYLOAD + 1);
        return "payload";
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if ((members[i].kinds >> parse->request->kind & 1) && ag_text_equals(key, members[i].name))
            return members[i].name;
    ag_json_skip(&parse->json);
    return NULL;
}

static enum ag_status read_members(struct parse *parse)
{
    struct ag_json_event event;
    const char *key = NULL;
    enum ag_status status;
    while ((status = ag_json_next(&parse->json, &parse->piece, &event)) == AG_OK) {
        if (key) {
            bool is_good = take_value(parse, key, &event);
            key = NULL;
            if (!is_good)
                return AG_ERR_METHOD;
        } else if (event.type == AG_JSON_KEY) {
            key = take_key(parse, event.overflow ? ag_text_of("") : event.text);
        } else if (event.type != AG_JSON_OBJECT_BEGIN && event.type != AG_JSON_OBJECT_END &&
                   event.type != AG_JSON_NULL) {
            return AG_ERR_METHOD;
        }
    }
    if (status != AG_ERR_AGAIN)
        return AG_ERR_METHOD;
    // A document that is a number shows only at its end: it is no object.
    return ag_json_finish(&parse->json, &event) == AG_OK && event.type == AG_JSON_NONE
               ? AG_OK
               : AG_ERR_METHOD;
}

static bool is_blank(struct ag_text payload)
{
    for (size_t i = 0; i < payload.size; i++)
        if (!memchr(" \t\r\n", payload.at[i], 4))
            return false;
    return true;
}

// The payload of the host's own methods.
static enum ag_status read_object(struct ag_text payload, char *storage,
                                  struct ag_method_request *request)
{
    char token[AG_CFG_METHOD_NAME_MAX + 1];
    struct parse parse = { .request = request, .storage = storage };
    if (is_blank(payload))
        return AG_OK;
    ag_json_init(&parse.json, token, sizeof token);
    ag_reader_init(&parse.piece, payload.at, payload.size);
    return read_members(&parse);
}

enum ag_status ag_method_request_check(struct ag_text payload)
{
    char token[32];
    struct ag_json json;
    struct ag_json_event event;
    struct ag_reader piece;
    enum ag_status status;
    if (is_blank(payload))
        return AG_OK;
    ag_json_init(&json, token, sizeof token);
    ag_reader_init(&piece, payload.at, payload.size);
    while ((status = ag_json_next(&json, &piece, &event)) == AG_OK)
        ;
    if (status == AG_ERR_AGAIN)
        status = ag_json_finish(&json, &event);
    return status == AG_OK ? AG_OK : AG_ERR_METHOD;
}

// A name that is none of the host's own.
static enum ag_status read_call(struct ag_text name, struct ag_text payload, char *storage,
                                struct ag_method_request *request)
{
    const char *dot = name.size > 0 ? memchr(name.at, '.', name.size) : NULL;
    if (!dot || !ag_utf8_is_valid(name) ||
        !copy_text(name, request->method, sizeof request->method))
        return AG_ERR_METHOD_UNKNOWN;
    request->kind = AG_METHOD_CALL;
    request->is_whole = true;
    if (storage && payload.size > 0)
        memcpy(storage, payload.at, payload.size);
    request->payload = (struct ag_text){ storage, storage ? payload.size : 0 };
    return ag_method_request_check(payload);
}

enum ag_status ag_method_request_read(struct ag_text name, struct ag_text payload, char *storage,
                                      struct ag_method_request *request)
{
    struct ag_method_request read = { .lines = AG_METHOD_REQUEST_LINES };
    enum ag_status status = AG_ERR_METHOD_UNKNOWN;
    for (size_t i = 0; status != AG_OK && i < sizeof methods / sizeof methods[0]; i++) {
        if (!ag_text_equals(name, methods[i].name))
            continue;
        read.kind = methods[i].kind;
        status = AG_OK;
    }
    status = status == AG_OK ? read_object(payload, storage, &read)
                             : read_call(name, payload, storage, &read);
    if (status == AG_OK && read.kind == AG_METHOD_CALL && !read.is_whole &&
        (!read.name[0] || !read.method[0]))
        status = AG_ERR_METHOD;
    if (status == AG_OK && read.kind == AG_METHOD_LOGS && !read.name[0])
        memcpy(read.name, "host", sizeof "host");
    if (status == AG_OK)
        *request = read;
    return status;
}

bool ag_method_request_split(struct ag_method_request *request, const char *name)
{
    size_t size = strlen(name);
    struct ag_text rest = ag_text_of(request->method);
    if (!request->is_whole || !ag_text_starts_with(rest, name) || rest.size < size + 2 ||
        rest.at[size] != '.' || size >= sizeof request->name)
        return false;
    memcpy(request->name, name, size + 1);
    memmove(request->method, request->method + size + 1, rest.size - size);
    request->is_whole = false;
    return true;
}
