// SPDX-License-Identifier: Apache-2.0
// Fuzz target of azure/twin.h: documents and patches.
#include <string.h>

#include "azure/twin.h"
#include "base/url.h"
#include "fuzz.h"

struct run {
    struct ag_twin twin;
    enum ag_status status;
    uint32_t hash;
    uint32_t entry_count;
};

static uint32_t hash_text(uint32_t hash, struct ag_text text)
{
    FUZZ_CHECK(text.size == 0 || text.at[text.size] == 0);
    return fuzz_hash(hash, text.at, text.size);
}

static void take_entry(struct run *run, const struct ag_twin_entry *entry)
{
    struct ag_url url;
    run->hash = fuzz_hash_number(run->hash, entry->status);
    run->hash = hash_text(run->hash, entry->name);
    FUZZ_CHECK(entry->index == run->entry_count);
    FUZZ_CHECK(entry->name.size <= AG_CFG_NAME_MAX);
    run->entry_count++;
    if (entry->status != AG_OK)
        return;
    FUZZ_CHECK(entry->name.size > 0);
    FUZZ_CHECK(entry->url.size == 0 ||
               (entry->has_version && ag_url_parse(entry->url, &url) == AG_OK));
    FUZZ_CHECK(!entry->has_version || entry->version > 0);
    FUZZ_CHECK(entry->settings.size == 0 || entry->settings.at[0] == '{');
    run->hash = hash_text(run->hash, entry->url);
    run->hash = hash_text(run->hash, entry->settings);
    run->hash = hash_text(run->hash, entry->window);
    run->hash = fuzz_hash_number(run->hash, entry->version ^ entry->fuel_per_run);
    FUZZ_CHECK(!entry->trial.has_runs || entry->trial.runs > 0);
    const uint32_t has_trial = entry->trial.has_runs | (uint32_t)entry->trial.has_ms << 1 |
                               (uint32_t)entry->trial.has_hub << 2 |
                               (uint32_t)entry->trial.needs_hub << 3;
    run->hash = fuzz_hash_number(run->hash, has_trial ^ entry->trial.runs ^ entry->trial.ms);
}

static void take_host(struct run *run, const struct ag_twin_host *host)
{
    struct ag_url url;
    FUZZ_CHECK(host->status == AG_OK || host->status == AG_ERR_TWIN_HOST);
    FUZZ_CHECK(host->log_level <= 3);
    run->hash = fuzz_hash_number(run->hash, host->status);
    run->hash = fuzz_hash_number(run->hash, host->has_log_level | (uint32_t)host->log_level << 1 |
                                                (uint32_t)host->has_one_connection << 4 |
                                                (uint32_t)host->one_connection << 5);
    if (!host->has_trust)
        return;
    FUZZ_CHECK(host->trust_epoch > 0 && ag_url_parse(host->trust_url, &url) == AG_OK);
    run->hash = hash_text(run->hash, host->trust_url);
    run->hash = fuzz_hash_number(run->hash, host->trust_epoch);
    if (host->has_trust_sha256)
        run->hash = fuzz_hash(run->hash, host->trust_sha256, sizeof host->trust_sha256);
}

static int feed(void *context, const uint8_t *bytes, size_t size)
{
    struct run *run = context;
    struct ag_twin_event event;
    struct ag_reader piece;
    ag_reader_init(&piece, bytes, size);
    while ((run->status = ag_twin_next(&run->twin, &piece, &event)) == AG_OK) {
        if (event.type == AG_TWIN_MODULES)
            run->entry_count = 0;
        else if (event.type == AG_TWIN_HOST)
            take_host(run, event.host);
        else
            take_entry(run, event.entry);
    }
    return run->status == AG_ERR_AGAIN;
}

static uint32_t hash_of(enum ag_twin_source source, const uint8_t *bytes, size_t size, uint8_t cut)
{
    static struct run run;
    struct ag_twin_summary summary;
    memset(&run, 0, sizeof run);
    run.hash = FUZZ_HASH_START;
    ag_twin_init(&run.twin, source);
    fuzz_pieces(bytes, size, cut, feed, &run);
    run.status = ag_twin_finish(&run.twin, &summary);
    if (run.status == AG_OK)
        FUZZ_CHECK(summary.entry_count == run.entry_count);
    return fuzz_hash_number(run.hash, run.status);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    const enum ag_twin_source source = bytes[0] & 2 ? AG_TWIN_PATCH : AG_TWIN_DOCUMENT;
    FUZZ_CHECK(hash_of(source, bytes + 1, size - 1, 0) ==
               hash_of(source, bytes + 1, size - 1, bytes[0] | 1));
    return 0;
}
