// SPDX-License-Identifier: Apache-2.0
// Fuzz target of base/json.h. Keys decide what is skipped and captured.
#include "base/json.h"
#include "fuzz.h"

struct run {
    struct ag_json json;
    enum ag_status status;
    uint32_t hash;
    char token[32];
    char capture[48];
};

static void take(struct run *run, const struct ag_json_event *event)
{
    run->hash = fuzz_hash_number(run->hash, (uint64_t)event->type << 16 | event->depth);
    run->hash = fuzz_hash_number(run->hash, (uint64_t)event->integer ^ event->overflow);
    run->hash = fuzz_hash(run->hash, event->text.at, event->text.size);
    FUZZ_CHECK(event->depth <= AG_CFG_JSON_DEPTH);
    FUZZ_CHECK(!event->text.at || event->text.at[event->text.size] == 0);
    if (event->type == AG_JSON_KEY && ag_text_starts_with(event->text, "s"))
        ag_json_skip(&run->json);
    if (event->type == AG_JSON_KEY && ag_text_starts_with(event->text, "r"))
        ag_json_capture(&run->json, run->capture, sizeof run->capture);
}

static int feed(void *context, const uint8_t *bytes, size_t size)
{
    struct run *run = context;
    struct ag_json_event event;
    struct ag_reader piece;
    ag_reader_init(&piece, bytes, size);
    while ((run->status = ag_json_next(&run->json, &piece, &event)) == AG_OK)
        take(run, &event);
    return run->status == AG_ERR_AGAIN;
}

static uint32_t hash_of(const uint8_t *bytes, size_t size, uint8_t cut)
{
    struct run run = { .hash = FUZZ_HASH_START, .status = AG_ERR_AGAIN };
    struct ag_json_event event;
    ag_json_init(&run.json, run.token, sizeof run.token);
    fuzz_pieces(bytes, size, cut, feed, &run);
    run.status = ag_json_finish(&run.json, &event);
    take(&run, &event);
    return fuzz_hash_number(run.hash, run.status);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0)
        FUZZ_CHECK(hash_of(bytes + 1, size - 1, 0) == hash_of(bytes + 1, size - 1, bytes[0] | 1));
    return 0;
}
