// SPDX-License-Identifier: Apache-2.0
// Fuzz target of direct methods: host/method_request.h on a name and a payload, and what leaves a
// device's log: host/log_ring.h on lines of any bytes, read back as from flash.
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "host/log_ring.h"
#include "host/method_request.h"

static void check_request(struct ag_text name, struct ag_text payload)
{
    char storage[AG_CFG_METHOD_PAYLOAD + 1];
    struct ag_method_request request;
    struct ag_method_request without;
    memset(&request, 0xA5, sizeof request);
    enum ag_status status = ag_method_request_read(name, payload, storage, &request);
    FUZZ_CHECK(status == AG_OK || status == AG_ERR_METHOD || status == AG_ERR_METHOD_UNKNOWN);
    if (status != AG_OK)
        return;
    FUZZ_CHECK(memchr(request.name, 0, sizeof request.name));
    FUZZ_CHECK(memchr(request.method, 0, sizeof request.method));
    FUZZ_CHECK(request.payload.size <= AG_CFG_METHOD_PAYLOAD);
    FUZZ_CHECK(request.lines >= 1);
    if (request.kind == AG_METHOD_CALL) {
        FUZZ_CHECK(request.method[0] && (request.is_whole || request.name[0]));
        FUZZ_CHECK(ag_method_request_check(request.payload) == AG_OK);
    }
    // Without room for the payload the request is the same.
    FUZZ_CHECK(ag_method_request_read(name, payload, NULL, &without) == AG_OK);
    FUZZ_CHECK(without.kind == request.kind && strcmp(without.name, request.name) == 0);
    FUZZ_CHECK(!request.is_whole || !ag_method_request_split(&request, "\xFF"));
}

static void check_line(const struct ag_log_ring_line *line)
{
    FUZZ_CHECK(line->text.size <= AG_CFG_LOG_LINE && line->level <= AG_LOG_DEBUG);
    FUZZ_CHECK(ag_utf8_is_valid(line->text));
}

static void check_ring(const uint8_t *bytes, size_t size)
{
    static const char *const sources[] = { "host", "a", "another" };
    struct ag_log_ring ring;
    struct ag_log_ring_line line;
    ag_log_ring_init(&ring, 1);
    for (size_t at = 0; at < size;) {
        size_t part = 1 + bytes[at] % 64 * 4u;
        part = part < size - at ? part : size - at;
        line = (struct ag_log_ring_line){ .level = (enum ag_log_level)(bytes[at] >> 6),
                                          .source = ag_text_of(sources[bytes[at] % 3]),
                                          .text = { (const char *)bytes + at, part } };
        ag_log_ring_add(&ring, &line);
        at += part;
    }
    uint32_t at = 0;
    uint32_t last = 0;
    while (ag_log_ring_next(&ring, ag_text_of(""), &at, &line)) {
        check_line(&line);
        for (size_t i = 0; i < line.text.size; i++)
            FUZZ_CHECK((uint8_t)line.text.at[i] >= 0x20 && line.text.at[i] != 0x7F);
        FUZZ_CHECK(line.sequence > last);
        last = line.sequence;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    size_t name_size = bytes[0] < size - 1 ? bytes[0] : size - 1;
    size_t payload_size = size - 1 - name_size;
    if (payload_size > AG_CFG_METHOD_PAYLOAD)
        payload_size = AG_CFG_METHOD_PAYLOAD;
    check_request((struct ag_text){ (const char *)bytes + 1, name_size },
                  (struct ag_text){ (const char *)bytes + 1 + name_size, payload_size });
    check_ring(bytes, size);
    struct ag_log_ring_line line; // as from flash
    while (ag_log_ring_read(&bytes, &size, &line))
        check_line(&line);
    return 0;
}
