// SPDX-License-Identifier: Apache-2.0
// Replaces the trust store object: fetched as the twin says, proven, then on trial until the hub
// was reached with it.
//
// What always holds: the confirmed object stays in the store until the hub has answered over a
// connection made with the new one, and gets its turns until then (trust_trial.h). A trial's
// outcome is on flash before it is acted on. What a reset interrupts is found again by the slot's
// state.
#include "host/trust_update.h"

#include <string.h>

#include "host/core.h"

// Key 0x04 of the store: the slot on trial, and how often it has failed so far.
#define TRIAL_NAME "trust"
#define TRIAL_SIZE 6u

// Shortest object: what ag_trust_read could accept is longer.
#define SIZE_MIN 64u

const char *ag_trust_update_state_name(enum ag_trust_update_state state)
{
    static const char *const names[] = {
        [AG_TRUST_NONE] = "none",
        [AG_TRUST_IN_USE] = "running",
        [AG_TRUST_WANTED] = "waiting",
        [AG_TRUST_PAUSED] = "waiting",
        [AG_TRUST_DOWNLOADING] = "downloading",
        [AG_TRUST_ON_TRIAL] = "trial",
        [AG_TRUST_ROLLED_BACK] = "rolled_back",
        [AG_TRUST_REFUSED] = "refused",
    };
    return names[state];
}

static void move(struct ag_host *host, enum ag_trust_update_state state, enum ag_status error,
                 uint32_t error_epoch)
{
    struct ag_trust_update *update = &host->trust_update;
    update->state = state;
    update->error = error;
    update->error_epoch = error_epoch;
    host->plan_is_due = true;
    ag_report_touch(host, NULL);
}

static void log_trust(struct ag_host *host, enum ag_log_level level, uint32_t epoch,
                      const char *text, enum ag_status status)
{
    ag_log_plugin(host, level, "trust store object", epoch, text, status);
}

static void refuse(struct ag_host *host, enum ag_status why, uint32_t epoch)
{
    log_trust(host, AG_LOG_WARNING, epoch, "refused", why);
    move(host, AG_TRUST_REFUSED, why, epoch);
}

static void settle(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    move(host, update->epoch ? AG_TRUST_IN_USE : AG_TRUST_NONE, AG_OK, 0);
}

// Has exactly this object failed before? Without a hash in the twin, the last one that failed under
// this epoch is meant; that counts only for what was found out before the start, since another URL
// may lead to another object.
static enum ag_status remembered_failure(const struct ag_host *host,
                                         const struct ag_desired_host *desired, bool is_first)
{
    struct ag_store_slot rejected;
    enum ag_status why;
    if (desired->has_trust_sha256)
        return ag_store_is_quarantined(&host->store, desired->trust_sha256, &why) ? why : AG_OK;
    if (is_first && ag_trust_store_find(host, AG_STORE_REJECTED, &rejected) &&
        rejected.epoch == desired->trust_epoch && rejected.failure != AG_ERR_STORE_DAMAGED)
        return rejected.failure;
    return AG_OK;
}

// What is to be done for what is desired, while nothing is under way.
static void consider(struct ag_host *host, bool is_first)
{
    struct ag_trust_update *update = &host->trust_update;
    const struct ag_desired_host *desired = ag_follow_host(&host->follow);
    if (!desired->has_trust || desired->trust_epoch == update->epoch) {
        settle(host);
        return;
    }
    if (desired->trust_epoch < update->epoch) {
        refuse(host, AG_ERR_TRUST_EPOCH, desired->trust_epoch);
        return;
    }
    enum ag_status failure = remembered_failure(host, desired, is_first);
    if (failure != AG_OK)
        move(host, AG_TRUST_ROLLED_BACK, failure, desired->trust_epoch);
    else
        move(host, AG_TRUST_WANTED, AG_OK, 0);
}

// ---- The trial ---------------------------------------------------------------------------------

static void load_trial(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    uint8_t value[TRIAL_SIZE];
    size_t size;
    struct ag_reader reader;
    memset(&update->trial, 0, sizeof update->trial);
    if (ag_store_get(&host->store, AG_STORE_TRUST_TRIAL, TRIAL_NAME, value, sizeof value, &size) !=
        AG_OK)
        return;
    ag_reader_init(&reader, value, size);
    uint32_t slot = ag_reader_u32le(&reader);
    uint8_t failed = ag_reader_u8(&reader);
    uint8_t refused = ag_reader_u8(&reader);
    if (reader.status != AG_OK || slot != update->slot || refused > failed ||
        failed >= AG_TRUST_TRIAL_FAILED_MAX || refused >= AG_TRUST_TRIAL_REFUSED_MAX)
        return;
    update->trial.failed = failed;
    update->trial.refused = refused;
}

static void store_trial(struct ag_host *host)
{
    const struct ag_trust_update *update = &host->trust_update;
    uint8_t value[TRIAL_SIZE];
    struct ag_writer out;
    ag_writer_init(&out, value, sizeof value);
    ag_writer_u32le(&out, update->slot);
    ag_writer_u8(&out, update->trial.failed);
    ag_writer_u8(&out, update->trial.refused);
    // At worst it is tried once more after a reset.
    (void)!ag_store_put(&host->store, AG_STORE_TRUST_TRIAL, TRIAL_NAME, value, out.size);
}

// Gives up the object on trial: it failed, or (AG_OK) is not wanted. Where the flash refuses that,
// when the store is up again.
static void give_up_slot(struct ag_host *host, uint32_t slot, enum ag_status why)
{
    struct ag_trust_update *update = &host->trust_update;
    enum ag_status status =
        why == AG_OK ? ag_store_drop(&host->store, slot) : ag_store_fail(&host->store, slot, why);
    if (status == AG_ERR_ARGUMENT) // its confirmation was thought to have failed, and had not
        status = ag_store_fail(&host->store, slot, AG_ERR_STORE_DAMAGED);
    update->condemned = status == AG_ERR_FLASH ? slot : 0;
    update->why = why;
    if (status != AG_OK)
        log_trust(host, AG_LOG_ERROR, update->slot_epoch, "cannot be given up", status);
}

// The object on trial is given up for the reason, the one before is in use.
static void condemn(struct ag_host *host, enum ag_status why)
{
    struct ag_trust_update *update = &host->trust_update;
    give_up_slot(host, update->slot, why);
    log_trust(host, AG_LOG_WARNING, update->slot_epoch, "rolled back", why);
    update->slot = 0;
    move(host, AG_TRUST_ROLLED_BACK, why, update->slot_epoch);
}

// Puts the object whose turn it is to use, and connects afresh with it.
static void use(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    bool uses_old = update->trial.uses_old;
    update->is_probing = false;
    update->must_probe = false;
    log_trust(host, AG_LOG_INFO, uses_old ? update->epoch : update->slot_epoch,
              uses_old ? "in use again for now" : "trial", AG_OK);
    enum ag_status status = ag_trust_store_use(host, uses_old ? AG_STORE_CURRENT : AG_STORE_NEXT);
    if (status != AG_OK && !uses_old) {
        condemn(host, status == AG_ERR_MALFORMED ? AG_ERR_TRUST_MALFORMED : status);
        (void)!ag_trust_store_use(host, AG_STORE_CURRENT); // it was in use before
    }
    ag_fetch_close(&host->install.fetch);
    ag_link_restart(&host->link, host->now_ms);
    ag_report_touch(host, NULL);
}

// The store has a sealed object: its trial begins, or goes on after a reset. One under which the
// device was reset several times has its turns only after the old one.
static void begin_trial(struct ag_host *host, const struct ag_store_slot *slot)
{
    struct ag_trust_update *update = &host->trust_update;
    update->slot = slot->id;
    update->slot_epoch = slot->epoch;
    load_trial(host);
    update->trial.uses_old = slot->trials >= AG_FALLBACK_TRIALS_MAX;
    enum ag_status status =
        update->trial.uses_old ? AG_OK : ag_store_begin_trial(&host->store, slot->id);
    if (status != AG_OK) { // not without its mark: when the store is up again
        refuse(host, status, slot->epoch);
        return;
    }
    move(host, AG_TRUST_ON_TRIAL, AG_OK, 0);
    use(host);
}

static void confirm(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    enum ag_status status = ag_store_confirm(&host->store, update->slot);
    if (status != AG_OK) { // it stays on trial; the next answer asks again
        log_trust(host, AG_LOG_ERROR, update->slot_epoch, "cannot be confirmed", status);
        return;
    }
    (void)!ag_store_delete(&host->store, AG_STORE_TRUST_TRIAL, TRIAL_NAME); // it is of no more use
    update->epoch = update->slot_epoch;
    update->slot = 0;
    log_trust(host, AG_LOG_INFO, update->epoch, "confirmed", AG_OK);
    consider(host, false);
    // A plug-in that nobody known had signed has another chance.
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        if (host->plugins.plugins[i].outcome == AG_ERR_FILE_KEY)
            host->plugins.plugins[i].outcome = AG_OK;
}

static void take_reached(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    uint8_t failed = update->trial.failed;
    switch (ag_trust_trial_reached(&update->trial)) {
    case AG_TRUST_TRIAL_GO_ON:
        break;
    case AG_TRUST_TRIAL_TURN:
        if (update->trial.failed != failed)
            store_trial(host);
        use(host);
        break;
    case AG_TRUST_TRIAL_CONFIRM:
        confirm(host);
        break;
    case AG_TRUST_TRIAL_CONDEMN:
        condemn(host, AG_ERR_TRUST_UNREACHABLE);
        break;
    }
}

// Whether a probe that ended so has found out nothing about the server's certificate: it was not
// there, or not for long enough. What is wrong with its name or its dates is no fault of the roots,
// but may hide that they do not know it.
static bool says_nothing(enum ag_status status)
{
    return status == AG_ERR_DNS || status == AG_ERR_CONNECT || status == AG_ERR_TIMEOUT ||
           status == AG_ERR_RESET || status == AG_ERR_CLOSED || status == AG_ERR_TLS_NAME ||
           status == AG_ERR_TLS_EXPIRED;
}

static void stop_probing(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    if (update->is_probing)
        ag_fetch_close(&host->install.fetch);
    update->is_probing = false;
    update->must_probe = false;
}

static void judge_probe(struct ag_host *host, enum ag_status status)
{
    struct ag_trust_update *update = &host->trust_update;
    stop_probing(host);
    if (says_nothing(status)) {
        update->must_probe = true;
        update->until_ms = host->now_ms + ag_backoff_fail(&update->backoff, ag_change_random(host));
        log_trust(host, AG_LOG_WARNING, update->slot_epoch, "waiting for its server", status);
    } else if (status == AG_ERR_TLS || status == AG_ERR_TLS_UNTRUSTED) {
        ag_link_fail(&host->link, status, host->now_ms); // as if the hub had not been reached
    } else {
        take_reached(host);
    }
}

// Who reaches the hub but believes the storage no more could never be sent another object: the
// server that this one came from must be believed, too. What else may be wrong with it does not
// matter; it has just served the object. A server that is not there is asked again until it is, or
// until something else is desired: the hub is reached meanwhile.
static void probe(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    const struct ag_desired_host *desired = ag_follow_host(&host->follow);
    const struct ag_fetch_range range = { .if_match = "" };
    update->must_probe = false;
    if (update->trial.uses_old || !desired->has_trust || ag_download_has_one_connection(host)) {
        take_reached(host);
        return;
    }
    ag_clock_give_way(host);
    ag_fetch_close(&host->install.fetch);
    enum ag_status status =
        ag_fetch_begin(&host->install.fetch, ag_text_of(desired->trust_url), &range, host->now_ms);
    update->is_probing = status == AG_OK;
    if (status != AG_OK)
        judge_probe(host, status);
}

static void go_on_probing(struct ag_host *host)
{
    struct ag_fetch_event event;
    enum ag_status status = ag_fetch_next(&host->install.fetch, host->now_ms, &event);
    if (status != AG_ERR_AGAIN)
        judge_probe(host, status);
}

void ag_trust_update_failed(struct ag_host *host, enum ag_status why)
{
    struct ag_trust_update *update = &host->trust_update;
    stop_probing(host);
    if (update->state == AG_TRUST_ON_TRIAL &&
        ag_trust_trial_failed(&update->trial, why) == AG_TRUST_TRIAL_TURN)
        use(host);
}

// ---- Fetching ----------------------------------------------------------------------------------

static void drop_slot(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    if (update->has_slot)
        (void)!ag_store_drop(&host->store, update->writer.slot); // at worst it is superseded later
    update->has_slot = false;
}

static void fetch_failed(struct ag_host *host, enum ag_status why)
{
    struct ag_trust_update *update = &host->trust_update;
    const struct ag_desired_host *desired = ag_follow_host(&host->follow);
    uint64_t asked_ms = ag_backoff_asked(host->install.fetch.http.head.retry_after_s);
    ag_fetch_close(&host->install.fetch);
    drop_slot(host);
    if (!ag_install_may_retry(why)) {
        refuse(host, why, desired->trust_epoch);
        return;
    }
    uint64_t pause_ms = ag_backoff_fail(&update->backoff, ag_change_random(host));
    update->until_ms = host->now_ms + (asked_ms > pause_ms ? asked_ms : pause_ms);
    log_trust(host, AG_LOG_WARNING, desired->trust_epoch, "waiting to fetch again", why);
    move(host, AG_TRUST_PAUSED, why, desired->trust_epoch);
}

static void begin_fetch(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    const struct ag_desired_host *desired = ag_follow_host(&host->follow);
    const struct ag_fetch_range range = { .last = AG_CFG_TRUST_SIZE_MAX - 1, .if_match = "" };
    update->total = 0;
    ag_clock_give_way(host);
    log_trust(host, AG_LOG_INFO, desired->trust_epoch, "downloading", AG_OK);
    move(host, AG_TRUST_DOWNLOADING, AG_OK, 0);
    enum ag_status status =
        ag_fetch_begin(&host->install.fetch, ag_text_of(desired->trust_url), &range, host->now_ms);
    if (status != AG_OK)
        fetch_failed(host, status);
}

static enum ag_status take_head(struct ag_host *host, const struct ag_fetch_event *event)
{
    struct ag_trust_update *update = &host->trust_update;
    if (event->total > AG_CFG_TRUST_SIZE_MAX)
        return AG_ERR_FILE_TOO_LARGE;
    if (event->total < SIZE_MIN)
        return AG_ERR_TRUST_MALFORMED;
    update->total = (uint32_t)event->total;
    enum ag_status status = ag_trust_store_reserve(host, ag_follow_host(&host->follow)->trust_epoch,
                                                   update->total, &update->writer);
    update->has_slot = status == AG_OK;
    return status;
}

// The whole object is here: proven in place, then sealed.
static enum ag_status take_end(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    const struct ag_desired_host *desired = ag_follow_host(&host->follow);
    const uint8_t *bytes;
    uint8_t sha256[AG_SHA256_SIZE];
    struct ag_trust trust;
    enum ag_status status = ag_store_finish_file(&host->store, &update->writer, &bytes);
    if (status != AG_OK)
        return status == AG_ERR_TRUNCATED ? AG_ERR_RESET : status;
    ag_crypto_sha256(bytes, update->total, sha256);
    if (desired->has_trust_sha256 && memcmp(sha256, desired->trust_sha256, AG_SHA256_SIZE) != 0)
        return AG_ERR_FILE_SHA256;
    status = ag_trust_store_judge(host, bytes, update->total, sha256, &trust);
    if (status == AG_OK && trust.epoch != desired->trust_epoch)
        return AG_ERR_TRUST_EPOCH;
    return status == AG_OK ? ag_store_seal(&host->store, &update->writer, sha256, 0) : status;
}

// AG_OK: the object is sealed.
static enum ag_status fetch(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    for (;;) {
        struct ag_fetch_event event;
        enum ag_status status = ag_fetch_next(&host->install.fetch, host->now_ms, &event);
        if (status != AG_OK)
            return status;
        switch (event.type) {
        case AG_FETCH_HEAD:
            status = take_head(host, &event);
            break;
        case AG_FETCH_BODY:
            status = ag_store_append(&host->store, &update->writer, event.bytes, event.size);
            break;
        case AG_FETCH_END:
            return take_end(host);
        }
        if (status != AG_OK)
            return status;
    }
}

static void go_on_fetching(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    struct ag_store_slot slot;
    enum ag_status status = fetch(host);
    if (status == AG_ERR_AGAIN)
        return;
    if (status == AG_OK && !ag_trust_store_find(host, AG_STORE_NEXT, &slot))
        status = AG_ERR_INTERNAL;
    if (status != AG_OK) {
        fetch_failed(host, status);
        return;
    }
    update->has_slot = false;
    update->backoff.failures = 0;
    begin_trial(host, &slot);
}

// ---- What is desired ---------------------------------------------------------------------------

// Whether the object on trial is the one that is desired, or that of the configuration while
// nothing newer is desired.
static bool trial_is_wanted(const struct ag_host *host, const struct ag_desired_host *desired)
{
    const struct ag_trust_update *update = &host->trust_update;
    uint8_t sha256[AG_SHA256_SIZE];
    struct ag_store_slot slot;
    if (!ag_trust_store_find(host, AG_STORE_NEXT, &slot))
        return false;
    if (desired->has_trust && desired->trust_epoch > update->slot_epoch)
        return false;
    if (desired->has_trust && desired->trust_epoch == update->slot_epoch)
        return !desired->has_trust_sha256 ||
               memcmp(slot.sha256, desired->trust_sha256, AG_SHA256_SIZE) == 0;
    if (!host->config.trust)
        return false;
    ag_crypto_sha256(host->config.trust, host->config.trust_size, sha256);
    return memcmp(slot.sha256, sha256, AG_SHA256_SIZE) == 0;
}

// What is under way has been overtaken.
static void give_up(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    if (update->state == AG_TRUST_DOWNLOADING) {
        ag_fetch_close(&host->install.fetch);
        drop_slot(host);
    }
    if (update->state != AG_TRUST_ON_TRIAL)
        return;
    log_trust(host, AG_LOG_INFO, update->slot_epoch, "superseded", AG_OK);
    give_up_slot(host, update->slot, AG_OK);
    update->slot = 0;
    if (update->trial.uses_old)
        return; // and so nothing is being probed
    update->trial.uses_old = true;
    use(host);
}

void ag_trust_update_desired(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    const struct ag_desired_host *desired = ag_follow_host(&host->follow);
    bool is_first = !update->has_desired;
    if (!is_first && ag_desired_same_trust(desired, ag_follow_host_before(&host->follow)))
        return;
    update->has_desired = true;
    stop_probing(host); // by a URL that has gone; the answer at hand makes it anew
    if (update->state == AG_TRUST_NONE ||
        (update->state == AG_TRUST_ON_TRIAL && trial_is_wanted(host, desired)))
        return;
    give_up(host);
    update->backoff.failures = 0;
    consider(host, is_first);
}

void ag_trust_update_reached(struct ag_host *host)
{
    const struct ag_trust_update *update = &host->trust_update;
    if (update->state != AG_TRUST_ON_TRIAL)
        return;
    // It may have begun before a restart, since when nobody has said anything of a trust store.
    if (!trial_is_wanted(host, ag_follow_host(&host->follow))) {
        give_up(host);
        consider(host, true);
    } else if (!update->is_probing && !update->must_probe) {
        probe(host);
    }
}

// ---- The store is up again ---------------------------------------------------------------------

static void go_on_with_trial(struct ag_host *host)
{
    const struct ag_trust_update *update = &host->trust_update;
    struct ag_store_slot slot;
    store_trial(host);
    if (ag_store_get_slot(&host->store, update->slot, &slot) == AG_OK &&
        slot.state == AG_STORE_CONFIRMED)
        confirm(host); // it was thought to have failed
    else
        host->follow.wants_document = true; // the answer may confirm it
}

void ag_trust_update_recovered(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    struct ag_store_slot slot;
    if (update->state == AG_TRUST_NONE) { // as at a start: there may be one to be confirmed
        const bool has_desired = update->has_desired;
        ag_trust_update_boot(host);
        update->has_desired = has_desired;
        if (has_desired && update->state == AG_TRUST_IN_USE)
            consider(host, false);
        return;
    }
    if (update->condemned != 0)
        give_up_slot(host, update->condemned, update->why);
    if (update->state == AG_TRUST_ON_TRIAL)
        go_on_with_trial(host);
    if (update->error != AG_ERR_FLASH)
        return;
    update->until_ms = host->now_ms;
    if (update->state == AG_TRUST_REFUSED && ag_trust_store_find(host, AG_STORE_NEXT, &slot) &&
        slot.state >= AG_STORE_SEALED)
        begin_trial(host, &slot);
    else if (update->state == AG_TRUST_REFUSED)
        consider(host, false);
}

// ---- The part in the host's step ---------------------------------------------------------------

void ag_trust_update_boot(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    struct ag_store_slot slot;
    memset(update, 0, sizeof *update);
    ag_backoff_init(&update->backoff, host->config.backoff_base_ms, host->config.backoff_cap_ms);
    ag_trust_store_boot(host);
    update->epoch = update->in_use_epoch;
    settle(host);
    if (update->epoch && ag_trust_store_find(host, AG_STORE_NEXT, &slot))
        begin_trial(host, &slot);
}

bool ag_trust_update_is_busy(const struct ag_host *host)
{
    const enum ag_trust_update_state state = host->trust_update.state;
    return state == AG_TRUST_WANTED || state == AG_TRUST_DOWNLOADING || state == AG_TRUST_ON_TRIAL;
}

void ag_trust_update_step(struct ag_host *host)
{
    struct ag_trust_update *update = &host->trust_update;
    if (update->state == AG_TRUST_PAUSED && host->now_ms >= update->until_ms)
        update->state = AG_TRUST_WANTED;
    if (update->state == AG_TRUST_WANTED && !host->installing && ag_download_has_turn(host))
        begin_fetch(host);
    if (update->state == AG_TRUST_DOWNLOADING)
        go_on_fetching(host);
    if (update->is_probing)
        go_on_probing(host);
    if (update->must_probe && host->now_ms >= update->until_ms)
        probe(host);
}

uint64_t ag_trust_update_deadline(const struct ag_host *host)
{
    const struct ag_trust_update *update = &host->trust_update;
    if (update->state == AG_TRUST_PAUSED || update->must_probe)
        return update->until_ms;
    if (update->state == AG_TRUST_DOWNLOADING || update->is_probing)
        return ag_fetch_deadline(&host->install.fetch);
    return UINT64_MAX; // whatever else it waits for wakes the host by itself
}
