// SPDX-License-Identifier: Apache-2.0
// Defects planted into the simulated hosts, to show that the rules notice them. Linked into
// ag-sim-planted only, in place of functions of the host (ld --wrap); AG_PLANT says which one it
// is.
#include <stdlib.h>
#include <string.h>

#include "host/data_store.h"
#include "host/fallback.h"
#include "host/transitions.h"
#include "host/trust_trial.h"
#include "host/window.h"
#include "platform/crypto.h"
#include "plugin/schema.h"
#include "plugin/trust.h"
#include "store/store.h"

static bool is_planted(const char *name)
{
    const char *plant = getenv("AG_PLANT");
    return plant && strcmp(plant, name) == 0;
}

// "forged": every signature is good.
bool __real_ag_crypto_ed25519_verify(const uint8_t *key, const void *bytes, size_t size,
                                     const uint8_t *signature);
bool __wrap_ag_crypto_ed25519_verify(const uint8_t *key, const void *bytes, size_t size,
                                     const uint8_t *signature);
bool __wrap_ag_crypto_ed25519_verify(const uint8_t *key, const void *bytes, size_t size,
                                     const uint8_t *signature)
{
    return is_planted("forged") || __real_ag_crypto_ed25519_verify(key, bytes, size, signature);
}

// "epoch": no epoch is remembered.
uint32_t __real_ag_store_epoch_floor(const struct ag_store *store, enum ag_store_kind kind,
                                     const char *name);
uint32_t __wrap_ag_store_epoch_floor(const struct ag_store *store, enum ag_store_kind kind,
                                     const char *name);
uint32_t __wrap_ag_store_epoch_floor(const struct ag_store *store, enum ag_store_kind kind,
                                     const char *name)
{
    return is_planted("epoch") ? 0 : __real_ag_store_epoch_floor(store, kind, name);
}

// "quarantine": what has failed is not known again.
bool __real_ag_store_is_quarantined(const struct ag_store *store, const uint8_t *sha256,
                                    enum ag_status *why);
bool __wrap_ag_store_is_quarantined(const struct ag_store *store, const uint8_t *sha256,
                                    enum ag_status *why);
bool __wrap_ag_store_is_quarantined(const struct ag_store *store, const uint8_t *sha256,
                                    enum ag_status *why)
{
    return !is_planted("quarantine") && __real_ag_store_is_quarantined(store, sha256, why);
}

// "lie": whatever comes of a trial is called running.
const char *__real_ag_transition_state_name(enum ag_transition_state state);
const char *__wrap_ag_transition_state_name(enum ag_transition_state state);
const char *__wrap_ag_transition_state_name(enum ag_transition_state state)
{
    return __real_ag_transition_state_name(
        is_planted("lie") && state == AG_STATE_ROLLED_BACK ? AG_STATE_RUNNING : state);
}

// "lost": a confirmed version goes when a new one is reserved.
enum ag_status __real_ag_store_reserve(struct ag_store *store,
                                       const struct ag_store_reservation *reservation,
                                       struct ag_store_writer *writer);
enum ag_status __wrap_ag_store_reserve(struct ag_store *store,
                                       const struct ag_store_reservation *reservation,
                                       struct ag_store_writer *writer);
enum ag_status __wrap_ag_store_reserve(struct ag_store *store,
                                       const struct ag_store_reservation *reservation,
                                       struct ag_store_writer *writer)
{
    if (is_planted("lost") && reservation->kind == AG_STORE_PLUGIN)
        (void)!ag_store_remove(store, reservation->kind, reservation->name);
    return __real_ag_store_reserve(store, reservation, writer);
}

// "unconfirmed": a version is confirmed as soon as its trial begins.
enum ag_status __real_ag_store_begin_trial(struct ag_store *store, uint32_t id);
enum ag_status __wrap_ag_store_begin_trial(struct ag_store *store, uint32_t id);
enum ag_status __wrap_ag_store_begin_trial(struct ag_store *store, uint32_t id)
{
    enum ag_status status = __real_ag_store_begin_trial(store, id);
    return status == AG_OK && is_planted("unconfirmed") ? ag_store_confirm(store, id) : status;
}

// "asleep": pauses after failures are much too long.
uint32_t __real_ag_backoff_fail(void *backoff, uint32_t random);
uint32_t __wrap_ag_backoff_fail(void *backoff, uint32_t random);
uint32_t __wrap_ag_backoff_fail(void *backoff, uint32_t random)
{
    return __real_ag_backoff_fail(backoff, random) + (is_planted("asleep") ? 7200000u : 0);
}

// "gullible": who reaches the hub confirms the object on trial, with whichever it was reached.
enum ag_trust_trial_verdict __real_ag_trust_trial_reached(struct ag_trust_trial *trial);
enum ag_trust_trial_verdict __wrap_ag_trust_trial_reached(struct ag_trust_trial *trial);
enum ag_trust_trial_verdict __wrap_ag_trust_trial_reached(struct ag_trust_trial *trial)
{
    return is_planted("gullible") ? AG_TRUST_TRIAL_CONFIRM : __real_ag_trust_trial_reached(trial);
}

// "stranger": any trust store object may take the place of another.
enum ag_status __real_ag_trust_replaces(const struct ag_trust *old, const struct ag_trust *new_);
enum ag_status __wrap_ag_trust_replaces(const struct ag_trust *old, const struct ag_trust *new_);
enum ag_status __wrap_ag_trust_replaces(const struct ag_trust *old, const struct ag_trust *new_)
{
    return is_planted("stranger") ? AG_OK : __real_ag_trust_replaces(old, new_);
}

// "anytime": every window is open.
uint32_t __real_ag_window_wait_s(const struct ag_window *window, bool clock_is_known,
                                 int64_t unix_s);
uint32_t __wrap_ag_window_wait_s(const struct ag_window *window, bool clock_is_known,
                                 int64_t unix_s);
uint32_t __wrap_ag_window_wait_s(const struct ag_window *window, bool clock_is_known,
                                 int64_t unix_s)
{
    return is_planted("anytime") ? 0 : __real_ag_window_wait_s(window, clock_is_known, unix_s);
}

// "tolerant": every schema takes everything.
enum ag_status __real_ag_schema_judge(const uint8_t *schema, size_t size, struct ag_text settings,
                                      struct ag_schema_fault *fault);
enum ag_status __wrap_ag_schema_judge(const uint8_t *schema, size_t size, struct ag_text settings,
                                      struct ag_schema_fault *fault);
enum ag_status __wrap_ag_schema_judge(const uint8_t *schema, size_t size, struct ag_text settings,
                                      struct ag_schema_fault *fault)
{
    return is_planted("tolerant") ? AG_OK : __real_ag_schema_judge(schema, size, settings, fault);
}

// "forgetful": no version finds any data.
enum ag_status __real_ag_data_store_load(const struct ag_store *store,
                                         const struct ag_data_line *line, uint32_t owner,
                                         struct ag_data *data);
enum ag_status __wrap_ag_data_store_load(const struct ag_store *store,
                                         const struct ag_data_line *line, uint32_t owner,
                                         struct ag_data *data);
enum ag_status __wrap_ag_data_store_load(const struct ag_store *store,
                                         const struct ag_data_line *line, uint32_t owner,
                                         struct ag_data *data)
{
    enum ag_status status = __real_ag_data_store_load(store, line, owner, data);
    if (is_planted("forgetful"))
        data->size = 0;
    return status;
}

// "stubborn": a trial that ended in a reset may always be begun again.
enum ag_status __real_ag_fallback_trial(const struct ag_fallback_history *history, uint32_t slot_id,
                                        uint32_t trials);
enum ag_status __wrap_ag_fallback_trial(const struct ag_fallback_history *history, uint32_t slot_id,
                                        uint32_t trials);
enum ag_status __wrap_ag_fallback_trial(const struct ag_fallback_history *history, uint32_t slot_id,
                                        uint32_t trials)
{
    return is_planted("stubborn") ? AG_OK : __real_ag_fallback_trial(history, slot_id, trials);
}
