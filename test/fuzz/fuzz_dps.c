// SPDX-License-Identifier: Apache-2.0
// Fuzz target of azure/dps.h and azure/hub.h: the first line is a topic, the rest an answer.
#include <string.h>

#include "azure/dps.h"
#include "azure/hub.h"
#include "fuzz.h"

static int feed(void *context, const uint8_t *bytes, size_t size)
{
    ag_dps_feed(context, bytes, size);
    return 1;
}

static uint32_t hash_of(struct ag_text topic, const uint8_t *body, size_t size, uint8_t cut)
{
    static struct ag_dps_answer answer;
    enum ag_dps_outcome outcome = AG_DPS_WAIT;
    if (ag_dps_begin(&answer, topic) != AG_OK)
        return 0;
    fuzz_pieces(body, size, cut, feed, &answer);
    const enum ag_status status = ag_dps_finish(&answer, &outcome);
    FUZZ_CHECK(status == AG_OK || status == AG_ERR_DPS_ANSWER);
    if (status == AG_OK && outcome == AG_DPS_ASSIGNED)
        FUZZ_CHECK(answer.hub[0] && answer.device_id[0]);
    if (status == AG_OK && outcome == AG_DPS_WAIT)
        FUZZ_CHECK(answer.operation_id[0] && answer.retry_after_s > 0);
    uint32_t hash = fuzz_hash_number(FUZZ_HASH_START, (uint64_t)status << 8 | outcome);
    hash = fuzz_hash(hash, answer.hub, strlen(answer.hub));
    hash = fuzz_hash(hash, answer.device_id, strlen(answer.device_id));
    return fuzz_hash(hash, answer.message, strlen(answer.message));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    struct ag_text body = { (const char *)bytes + 1, size - 1 };
    const struct ag_text topic = ag_text_split(&body, '\n');
    const uint8_t *rest = (const uint8_t *)body.at;
    struct ag_hub_topic hub;
    ag_hub_parse_topic(topic, &hub);
    FUZZ_CHECK(hub.version >= 0 && hub.method.size <= topic.size);
    FUZZ_CHECK(hash_of(topic, rest, body.size, 0) == hash_of(topic, rest, body.size, bytes[0] | 1));
    return 0;
}
