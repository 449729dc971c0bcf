// SPDX-License-Identifier: Apache-2.0
// The rules about trust store objects: no device ever confirms one with which it could not be
// reached again, none is used that nobody vouched for, and no epoch falls.
#include <stdio.h>
#include <string.h>

#include "host/core.h"
#include "test/sim/fleet.h"

// The words of DESIGN 4.2 about them, here once more.
static const char *const words[] = {
    [AG_TRUST_NONE] = "none",
    [AG_TRUST_IN_USE] = "running",
    [AG_TRUST_WANTED] = "waiting",
    [AG_TRUST_PAUSED] = "waiting",
    [AG_TRUST_DOWNLOADING] = "downloading",
    [AG_TRUST_ON_TRIAL] = "trial",
    [AG_TRUST_ROLLED_BACK] = "rolled_back",
    [AG_TRUST_REFUSED] = "refused",
};

void rules_trust_after_step(struct fleet *fleet, struct fleet_device *device)
{
    const struct ag_host *host = device->device.host;
    const struct ag_trust_update *update = &host->trust_update;
    uint8_t sha256[AG_SHA256_SIZE];
    struct ag_store_slot slot;
    if (host->trust_bytes == device->trust_bytes && update->epoch == device->trust_seen)
        return;
    device->trust_bytes = host->trust_bytes;
    device->trust_seen = update->epoch;
    if (!host->trust_bytes || !ag_trust_store_find(host, AG_STORE_CURRENT, &slot)) {
        fleet_violate(fleet, device, "it believes nobody any more");
        return;
    }
    ag_crypto_sha256(host->trust_bytes, host->trust_size, sha256);
    const struct trust_file *used = trusts_lookup(sha256);
    const struct trust_file *confirmed = trusts_lookup(slot.sha256);
    if (!used || used->kind >= TRUST_STRANGER)
        fleet_violate(fleet, device, "it uses a trust store object that it must not try");
    if (!confirmed || confirmed->kind != TRUST_GOOD)
        fleet_violate(fleet, device, "it confirmed a trust store object that locks it out");
    if (slot.epoch < device->trust_epoch)
        fleet_violate(fleet, device, "it went back from trust epoch %u to %u",
                      (unsigned)device->trust_epoch, (unsigned)slot.epoch);
    device->trust_epoch = slot.epoch;
}

void rules_trust_report(struct fleet *fleet, const struct fleet_device *device)
{
    const struct ag_trust_update *update = &device->device.host->trust_update;
    const json_t *airgraft = json_object_get(device->hub.reported, "airgraft");
    const json_t *trust = json_object_get(airgraft, "trust");
    const json_t *error = json_object_get(trust, "error");
    const char *state = json_string_value(json_object_get(trust, "state"));
    uint32_t epoch = (uint32_t)json_integer_value(json_object_get(trust, "epoch"));
    uint32_t code = (uint32_t)json_integer_value(json_object_get(error, "code"));
    if (!state || strcmp(state, words[update->state]) != 0)
        fleet_violate(fleet, device, "its trust store is reported as %s and is %s",
                      state ? state : "none", words[update->state]);
    if (epoch != update->in_use_epoch)
        fleet_violate(fleet, device, "trust epoch %u is reported, and %u used", (unsigned)epoch,
                      (unsigned)update->in_use_epoch);
    if (code != (uint32_t)update->error)
        fleet_violate(fleet, device, "its trust store is reported with error %u, and has %u",
                      (unsigned)code, (unsigned)update->error);
}

// Why the desired object may not be the confirmed one; NULL: there is no reason.
static const char *excuse(const struct fleet_device *device)
{
    const struct fleet_trust *desired = &device->trust;
    const struct trust_file *file = trusts_get(desired->epoch, desired->kind);
    const struct ag_host *host = device->device.host;
    struct ag_store_slot rejected;
    if (file->kind != TRUST_GOOD)
        return "it is not good";
    if (desired->epoch < device->trust_epoch)
        return "its epoch is lower";
    if (ag_store_is_quarantined(&host->store, file->sha256, NULL))
        return "it has failed";
    if (!desired->has_sha && ag_trust_store_find(host, AG_STORE_REJECTED, &rejected) &&
        rejected.epoch == desired->epoch)
        return "an object of this epoch has failed, and nothing says that it is another";
    if (device->blob.corruptions > device->trust_corruptions)
        return "the server sent something else";
    return NULL;
}

void rules_trust_at_end(struct fleet *fleet, struct fleet_device *device)
{
    const struct ag_trust_update *update = &device->device.host->trust_update;
    rules_trust_report(fleet, device);
    if (device->trust.is_present && update->epoch != device->trust.epoch && !excuse(device))
        fleet_violate(fleet, device, "its trust epoch is %u and not %u: state %s, error %s",
                      (unsigned)update->epoch, (unsigned)device->trust.epoch, words[update->state],
                      ag_status_name(update->error));
}
