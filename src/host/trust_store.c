// SPDX-License-Identifier: Apache-2.0
// Trust store objects in the store: which there are, which may come in, which one is in use.
//
// The roles of slots say it all: current is the confirmed object, next one on trial or waiting for
// it, previous and rejected those before. An object comes in only after its signatures and those of
// the current one's authority keys have been proven; where there is no current one, the
// configuration's is what the device is born with, and is confirmed at once.
#include <string.h>

#include "host/core.h"

#define TRUST_NAME "trust"

// Attempts to store the configured object, each in another place.
#define ATTEMPTS 3

// An object in the store that was found sound.
struct object {
    struct ag_store_slot slot;
    const uint8_t *bytes;
    size_t size;
    struct ag_trust trust;
};

// Its signatures were proven when it came in, and are not again: that would cost a microcontroller
// millions of instructions at each start, and the store's checksum says that the bytes are the
// same.
static bool find(const struct ag_host *host, enum ag_store_role role, struct object *object)
{
    return ag_store_find(&host->store, AG_STORE_BLOB, TRUST_NAME, role, &object->slot) == AG_OK &&
           object->slot.state >= AG_STORE_SEALED &&
           ag_store_open_file(&host->store, object->slot.id, &object->bytes, &object->size) ==
               AG_OK &&
           ag_trust_read_proven(object->bytes, object->size, &object->trust) == AG_OK;
}

static void log_trust(struct ag_host *host, uint32_t epoch, const char *text, enum ag_status status,
                      enum ag_log_level level)
{
    ag_log_plugin(host, level, "trust store object", epoch, text, status);
}

bool ag_trust_store_find(const struct ag_host *host, enum ag_store_role role,
                         struct ag_store_slot *slot)
{
    return ag_store_find(&host->store, AG_STORE_BLOB, TRUST_NAME, role, slot) == AG_OK;
}

static enum ag_status use(struct ag_host *host, const struct object *object)
{
    const struct ag_host_board *board = &host->board;
    if (board->use_trust) {
        enum ag_status status = board->use_trust(board->context, object->bytes, object->size);
        if (status != AG_OK)
            return status;
    }
    host->trust = object->trust;
    host->trust_bytes = object->bytes;
    host->trust_size = object->size;
    host->trust_update.in_use_epoch = object->trust.epoch;
    return AG_OK;
}

enum ag_status ag_trust_store_use(struct ag_host *host, enum ag_store_role role)
{
    struct object object;
    return find(host, role, &object) ? use(host, &object) : AG_ERR_NOT_FOUND;
}

enum ag_status ag_trust_store_judge(const struct ag_host *host, const uint8_t *bytes, size_t size,
                                    const uint8_t sha256[AG_SHA256_SIZE], struct ag_trust *trust)
{
    struct object current;
    enum ag_status status = ag_trust_read(bytes, size, trust);
    if (status == AG_OK && find(host, AG_STORE_CURRENT, &current))
        status = ag_trust_replaces(&current.trust, trust);
    if (status == AG_OK && ag_store_is_quarantined(&host->store, sha256, NULL))
        status = AG_ERR_QUARANTINED;
    return status;
}

enum ag_status ag_trust_store_reserve(struct ag_host *host, uint32_t epoch, uint32_t size,
                                      struct ag_store_writer *writer)
{
    const struct ag_store_reservation reservation = { .kind = AG_STORE_BLOB,
                                                      .name = TRUST_NAME,
                                                      .version = epoch,
                                                      .epoch = epoch,
                                                      .file_size = size };
    return ag_store_reserve(&host->store, &reservation, writer);
}

// ---- At the start ------------------------------------------------------------------------------

// A reset left it half done, or its seal reached the flash before all of its bytes did.
static void drop_broken_next(struct ag_host *host)
{
    struct object next;
    if (ag_trust_store_find(host, AG_STORE_NEXT, &next.slot) && !find(host, AG_STORE_NEXT, &next))
        (void)!ag_store_drop(&host->store, next.slot.id); // at worst it is superseded later
}

// A confirmed object that the flash has damaged gives way to the one before: better an older one
// than none. The file itself is not to blame.
static bool find_current(struct ag_host *host, struct object *current)
{
    if (find(host, AG_STORE_CURRENT, current))
        return true;
    if (!ag_trust_store_find(host, AG_STORE_CURRENT, &current->slot))
        return false;
    log_trust(host, current->slot.epoch, "is damaged", AG_ERR_STORE_DAMAGED, AG_LOG_ERROR);
    if (ag_store_fail(&host->store, current->slot.id, AG_ERR_STORE_DAMAGED) != AG_OK)
        return false;
    (void)!ag_store_pardon(&host->store, current->slot.sha256);
    return find(host, AG_STORE_CURRENT, current);
}

static enum ag_status stage(struct ag_host *host, uint32_t epoch,
                            const uint8_t sha256[AG_SHA256_SIZE])
{
    struct ag_store_writer writer;
    const uint8_t *bytes;
    const struct ag_host_config *config = &host->config;
    enum ag_status status =
        ag_trust_store_reserve(host, epoch, (uint32_t)config->trust_size, &writer);
    if (status == AG_OK)
        status = ag_store_append(&host->store, &writer, config->trust, config->trust_size);
    if (status == AG_OK)
        status = ag_store_finish_file(&host->store, &writer, &bytes);
    return status == AG_OK ? ag_store_seal(&host->store, &writer, sha256, 0) : status;
}

// Takes the configured object in where it may replace what is there.
static void import(struct ag_host *host, const struct object *current)
{
    const struct ag_host_config *config = &host->config;
    struct object next;
    struct ag_trust configured;
    uint8_t sha256[AG_SHA256_SIZE];
    enum ag_status status = ag_trust_read_proven(config->trust, config->trust_size, &configured);
    if (status == AG_OK && current && configured.epoch <= current->trust.epoch)
        return; // the usual case: the same file at every start; whoever signed it
    if (status == AG_OK && find(host, AG_STORE_NEXT, &next) && configured.epoch <= next.trust.epoch)
        return; // likewise, while it is on trial
    ag_crypto_sha256(config->trust, config->trust_size, sha256);
    if (status == AG_OK)
        status = ag_trust_store_judge(host, config->trust, config->trust_size, sha256, &configured);
    if (status != AG_OK) {
        log_trust(host, 0, "the configured one is refused", status, AG_LOG_ERROR);
        return;
    }
    // A block that fails is left out by the next attempt.
    status = AG_ERR_FLASH;
    for (int i = 0; i < ATTEMPTS && status == AG_ERR_FLASH; i++)
        status = stage(host, configured.epoch, sha256);
    log_trust(host, configured.epoch, status == AG_OK ? "imported" : "cannot be stored", status,
              status == AG_OK ? AG_LOG_INFO : AG_LOG_ERROR);
}

void ag_trust_store_boot(struct ag_host *host)
{
    struct object current;
    struct object next;
    drop_broken_next(host);
    bool has_current = find_current(host, &current);
    if (host->config.trust)
        import(host, has_current ? &current : NULL);
    // The first one of all has nothing to return to, so a trial would be none.
    if (!has_current && find(host, AG_STORE_NEXT, &next))
        (void)!ag_store_confirm(&host->store, next.slot.id); // at worst it is found next time
    enum ag_status status =
        has_current ? use(host, &current) : ag_trust_store_use(host, AG_STORE_CURRENT);
    if (status == AG_ERR_NOT_FOUND)
        log_trust(host, 0, "there is none: no plug-in and no server is believed", status,
                  AG_LOG_WARNING);
    else if (status != AG_OK)
        log_trust(host, 0, "its root certificates cannot be used", status, AG_LOG_ERROR);
}
