// SPDX-License-Identifier: Apache-2.0
// What becomes of a confirmed version that fails.
#include "host/fallback.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

#define FORMAT 1u

void ag_fallback_count(struct ag_fallback_history *history, uint32_t slot_id, enum ag_status why)
{
    if (history->slot_id != slot_id)
        history->failures = 0;
    history->slot_id = slot_id;
    history->last = why;
    if (history->failures < AG_FALLBACK_FAILURES_MAX)
        history->failures++;
}

uint8_t ag_fallback_failures(const struct ag_fallback_history *history, uint32_t slot_id)
{
    return slot_id != 0 && history->slot_id == slot_id ? history->failures : 0;
}

enum ag_fallback_action ag_fallback_confirmed(const struct ag_fallback_history *history,
                                              uint32_t slot_id, bool has_previous)
{
    if (ag_fallback_failures(history, slot_id) < AG_FALLBACK_FAILURES_MAX)
        return AG_FALLBACK_RESTART;
    return has_previous ? AG_FALLBACK_PREVIOUS : AG_FALLBACK_LEAVE;
}

enum ag_status ag_fallback_trial(const struct ag_fallback_history *history, uint32_t slot_id,
                                 uint32_t trials)
{
    if (ag_fallback_failures(history, slot_id) >= AG_FALLBACK_TRIAL_RESETS_MAX)
        return AG_ERR_RESET_WHILE_RUNNING;
    return trials >= AG_FALLBACK_TRIALS_MAX ? AG_ERR_TRIAL_RESET : AG_OK;
}

void ag_fallback_write(const struct ag_fallback_history *history, uint8_t value[AG_FALLBACK_SIZE])
{
    struct ag_writer out;
    ag_writer_init(&out, value, AG_FALLBACK_SIZE);
    ag_writer_u8(&out, FORMAT);
    ag_writer_u8(&out, history->failures);
    ag_writer_u16le(&out, (uint16_t)history->last);
    ag_writer_u32le(&out, history->slot_id);
}

void ag_fallback_read(struct ag_fallback_history *history, const void *value, size_t size)
{
    struct ag_reader reader;
    ag_reader_init(&reader, value, size);
    uint8_t format = ag_reader_u8(&reader);
    uint8_t failures = ag_reader_u8(&reader);
    uint16_t last = ag_reader_u16le(&reader);
    uint32_t slot_id = ag_reader_u32le(&reader);
    memset(history, 0, sizeof *history);
    if (reader.status != AG_OK || size != AG_FALLBACK_SIZE || format != FORMAT ||
        failures > AG_FALLBACK_FAILURES_MAX)
        return;
    history->failures = failures;
    history->last = (enum ag_status)last;
    history->slot_id = slot_id;
}
