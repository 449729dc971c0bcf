// SPDX-License-Identifier: Apache-2.0
// `airgraft trust deploy`: publishes a trust store object, names it in a device's twin as
// airgraft.Trust, and waits for what the device makes of it.
#include "cli/trust_deploy.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/publish.h"
#include "cli/service.h"
#include "cli/twin_edit.h"

enum {
    WAIT_DEFAULT_S = 300, // a trial that fails takes its time
    POLL_MS = 500,
};

struct deploy {
    struct ag_publish publish;
    struct ag_connection connection;
    const char *device;
    const char *path;
    const char *url;
    uint64_t wait_s;
    bool wait;
    bool json;
};

static json_t *call_twin(const struct deploy *deploy, const char *method, const json_t *patch)
{
    char what[200];
    snprintf(what, sizeof what, "%s the twin of %.130s", patch ? "change" : "read", deploy->device);
    return ag_service_fetch(&deploy->connection, &(struct ag_service_call){ .method = method,
                                                                            .collection = "twins",
                                                                            .id = deploy->device,
                                                                            .body = patch,
                                                                            .what = what });
}

// Polls the report until the device uses the object, gave it up, or the time is over.
static int wait_for(const struct deploy *deploy, const struct ag_twin_trust_goal *goal,
                    struct ag_twin_progress *progress)
{
    const uint64_t until_ms = ag_output_now_ms() + deploy->wait_s * 1000;
    enum ag_twin_verdict verdict = AG_TWIN_WAITING;
    struct ag_progress line;
    ag_progress_begin(&line, deploy->device);
    while (verdict == AG_TWIN_WAITING && ag_output_now_ms() < until_ms) {
        json_t *twin = call_twin(deploy, "GET", NULL);
        if (!twin) {
            ag_progress_end(&line);
            return AG_EXIT_FAILED;
        }
        verdict = ag_twin_edit_judge_trust(
            json_object_get(json_object_get(twin, "properties"), "reported"), goal, progress);
        json_decref(twin);
        ag_progress_text(&line, progress->text);
        if (verdict == AG_TWIN_WAITING)
            nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
    }
    ag_progress_end(&line);
    if (verdict == AG_TWIN_SUCCEEDED)
        return AG_EXIT_OK;
    if (verdict == AG_TWIN_WAITING)
        return ag_output_fail("the device takes it up when it is connected; airgraft twin reported "
                              "shows how it goes on",
                              "after %llu s, %s", (unsigned long long)deploy->wait_s,
                              progress->text);
    return ag_output_fail(progress->hint, "on %s, %s: %s (%lld)", deploy->device, progress->text,
                          progress->error, (long long)progress->error_code);
}

// Names the object in the twin. The version of the desired section that does into *version.
static bool name_it(const struct deploy *deploy, const char *url, uint32_t epoch,
                    const char *sha256, int64_t *version)
{
    json_t *patch =
        json_pack("{s:{s:{s:{s:{s:s, s:I, s:s}}}}}", "properties", "desired", "airgraft", "Trust",
                  "Url", url, "Epoch", (json_int_t)epoch, "Sha256", sha256);
    json_t *twin = patch ? call_twin(deploy, "PATCH", patch) : NULL;
    json_decref(patch);
    if (!twin)
        return false;
    const json_t *desired = json_object_get(json_object_get(twin, "properties"), "desired");
    *version = json_integer_value(json_object_get(desired, "$version"));
    json_decref(twin);
    return true;
}

static int apply(const struct deploy *deploy, const struct ag_publish_file *file, uint32_t epoch,
                 const char *url)
{
    uint8_t hash[AG_SHA256_SIZE];
    char sha256[2 * AG_SHA256_SIZE + 1];
    struct ag_twin_trust_goal goal = { .epoch = epoch };
    struct ag_twin_progress progress = { 0 };
    ag_crypto_sha256(file->bytes, file->size, hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(sha256 + 2 * i, 3, "%02x", hash[i]);
    if (!name_it(deploy, url, epoch, sha256, &goal.desired_version))
        return AG_EXIT_FAILED;
    const int code = deploy->wait ? wait_for(deploy, &goal, &progress) : AG_EXIT_OK;
    if (code != AG_EXIT_OK)
        return code;
    if (deploy->json)
        return ag_output_json(json_pack("{s:s, s:I, s:I, s:s, s:s?}", "device", deploy->device,
                                        "epoch", (json_int_t)epoch, "desiredVersion",
                                        (json_int_t)goal.desired_version, "sha256", sha256,
                                        "outcome", progress.text[0] ? progress.text : NULL));
    if (progress.text[0])
        printf("%s: %s\n", deploy->device, progress.text);
    else
        printf("%s: trust store object of epoch %u is desired\n", deploy->device, (unsigned)epoch);
    return AG_EXIT_OK;
}

static int deploy_file(const struct deploy *deploy)
{
    struct ag_publish_file file = { 0 };
    struct ag_trust trust;
    char *url = NULL;
    if (!ag_plugin_check_open_trust(deploy->path, &file.bytes, &trust))
        return AG_EXIT_FAILED;
    const uint32_t epoch = trust.epoch;
    // The signatures are the last part of the object, which is read whole.
    file.size =
        (size_t)(trust.signatures - file.bytes) + trust.signature_count * AG_TRUST_SIGNATURE_SIZE;
    if (trust.root_count == 0)
        ag_output_note("%s names no TLS root; no device can reach its hub with it", deploy->path);
    int code = AG_EXIT_FAILED;
    if (deploy->url)
        url = strdup(deploy->url);
    else
        (void)ag_publish_upload(&deploy->publish, deploy->path, &file, &url);
    if (url)
        code = apply(deploy, &file, epoch, url);
    free(url);
    free(file.bytes);
    return code;
}

int ag_trust_deploy_run(int argc, char **argv)
{
    struct deploy deploy = { .publish.days = AG_PUBLISH_DAYS_DEFAULT, .wait_s = WAIT_DEFAULT_S };
    const struct ag_option options[] = {
        { .name = "url",
          .kind = AG_OPTION_TEXT,
          .value = &deploy.url,
          .argument = "URL",
          .help = "where devices fetch FILE, published before" },
        { .name = "wait",
          .letter = 'w',
          .kind = AG_OPTION_FLAG,
          .value = &deploy.wait,
          .help = "wait until the device uses it; exit 1 if it does not" },
        { .name = "timeout",
          .kind = AG_OPTION_NUMBER,
          .value = &deploy.wait_s,
          .argument = "SECONDS",
          .help = "how long --wait waits (default: 300)",
          .min = 1,
          .max = 86400 },
        AG_PUBLISH_STORAGE_OPTIONS(&deploy.publish),
        AG_CONNECTION_STRING_OPTION(&deploy.publish.source),
        AG_CONNECTION_OPTIONS(&deploy.publish.source),
        { .name = "json", .kind = AG_OPTION_FLAG, .value = &deploy.json, .help = "print JSON" },
    };
    const struct ag_usage usage = {
        .name = "trust deploy",
        .synopsis = "[OPTION...] DEVICE FILE",
        .summary =
            "Publishes a trust store object and names it in the device's twin. The device tries\n"
            "it: it must be signed as the one in use says, and the hub must be reached with its\n"
            "TLS roots; otherwise the one before stays. airgraft trust check tells the first part\n"
            "beforehand.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .environment = AG_STORAGE_ENVIRONMENT "\n" AG_CONNECTION_STRING_ENVIRONMENT
                                              "\n" AG_CONNECTION_ENVIRONMENT,
        .examples = "airgraft trust deploy gateway-7 trust-2.bin --hub ./hub --wait",
        .operand_min = 2,
        .operand_max = 2,
    };
    char **operands;
    size_t count;
    const int code = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (code != AG_OPTIONS_GO)
        return code;
    deploy.device = operands[0];
    deploy.path = operands[1];
    if (!ag_connection_open(&deploy.publish.source, &deploy.connection))
        return AG_EXIT_FAILED;
    return deploy_file(&deploy);
}
