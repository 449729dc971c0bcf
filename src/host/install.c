// SPDX-License-Identifier: Apache-2.0
// Brings one version from its URL to a sealed slot: head, decision, rest, proof, translation.
#include "host/install.h"

#include <string.h>

#include "host/instance.h"
#include "plugin/capabilities.h"
#include "wasm/wasm.h"

// Code expected per byte of file at first, and at most. What is reserved too much is given back
// when the slot is sealed; where it is too little, the store takes what is free behind it, and
// where that does not do either, the file is fetched again with twice the room.
#define CODE_FACTOR_FIRST 2u
#define CODE_FACTOR_MAX   32u

// Code of any file has at least so much beside it.
#define CODE_EXTRA 512u

void ag_install_init(struct ag_install *install, struct ag_store *store, struct ag_ram *ram,
                     const struct ag_key_list *keys, struct ag_stream *stream, uint32_t timeout_ms)
{
    memset(install, 0, sizeof *install);
    install->store = store;
    install->ram = ram;
    install->keys = keys;
    ag_fetch_init(&install->fetch, stream, timeout_ms);
}

// Asks for the file from `first` on.
static enum ag_status ask(struct ag_install *install, uint32_t first, uint64_t now_ms)
{
    struct ag_fetch_range range = { .first = first, .last = AG_INSTALL_FIRST - 1 };
    if (first > 0) {
        range.last = install->total - 1;
        range.if_match = install->etag;
    }
    return ag_fetch_begin(&install->fetch, install->request.url, &range, now_ms);
}

static bool is_of_network(enum ag_status status)
{
    return status >= AG_ERR_CLOSED && status < AG_ERR_FLASH;
}

static void drop_slot(struct ag_install *install)
{
    struct ag_store_slot slot;
    if (install->state != AG_INSTALL_IDLE && install->state != AG_INSTALL_HEAD &&
        ag_store_find(install->store, AG_STORE_PLUGIN, install->request.name, AG_STORE_NEXT,
                      &slot) == AG_OK)
        (void)!ag_store_drop(install->store, slot.id); // at worst it is superseded later
}

// From the first byte on.
static enum ag_status begin_anew(struct ag_install *install, uint64_t now_ms)
{
    install->state = AG_INSTALL_HEAD;
    install->total = 0;
    install->received = 0;
    install->etag[0] = 0;
    return ask(install, 0, now_ms);
}

enum ag_status ag_install_begin(struct ag_install *install,
                                const struct ag_install_request *request, uint64_t now_ms)
{
    ag_install_cancel(install);
    install->request = *request;
    install->code_factor = CODE_FACTOR_FIRST;
    return begin_anew(install, now_ms);
}

enum ag_status ag_install_resume(struct ag_install *install,
                                 const struct ag_install_request *request, uint64_t now_ms)
{
    install->request = *request;
    if (install->state != AG_INSTALL_BROKEN || install->etag[0] == 0)
        return begin_anew(install, now_ms);
    install->state = AG_INSTALL_REST;
    return ask(install, install->received, now_ms);
}

// Does what the head says fit what the twin says and what this device is?
static enum ag_status judge_metadata(struct ag_install *install)
{
    const struct ag_plugin_metadata *metadata = &install->head.metadata;
    const struct ag_install_request *request = &install->request;
    if (strcmp(metadata->name, request->name) != 0)
        return AG_ERR_FILE_NAME;
    if (metadata->version != request->version)
        return AG_ERR_FILE_VERSION;
    if (metadata->epoch < ag_store_epoch_floor(install->store, AG_STORE_PLUGIN, metadata->name))
        return AG_ERR_FILE_EPOCH;
    enum ag_status status = ag_capabilities_check(metadata, ag_instance_offered());
    if (status != AG_OK)
        return status;
    if (metadata->data_size > AG_CFG_DATA_MAX)
        return AG_ERR_DATA_QUOTA;
    const uint32_t limit = request->memory_limit;
    const uint32_t data_ram = ag_instance_data_ram(metadata);
    if (data_ram > limit || metadata->memory_size > limit - data_ram ||
        metadata->stack_size > limit - data_ram - metadata->memory_size)
        return AG_ERR_FILE_MEMORY;
    return ag_schema_judge(metadata->schema, metadata->schema_size, request->settings,
                           &install->fault);
}

// A head says by its signed hashes which file it belongs to: that of a file that has failed is
// known again before the rest is fetched.
static enum ag_status judge_history(const struct ag_install *install)
{
    struct ag_store_slot slot;
    const uint8_t *bytes;
    size_t size;
    if (ag_store_find(install->store, AG_STORE_PLUGIN, install->request.name, AG_STORE_REJECTED,
                      &slot) != AG_OK ||
        ag_store_open_file(install->store, slot.id, &bytes, &size) != AG_OK)
        return AG_OK;
    bool is_same =
        size >= install->head.size && memcmp(bytes, install->head_bytes, install->head.size) == 0;
    return is_same ? AG_ERR_QUARANTINED : AG_OK;
}

static enum ag_status reserve(struct ag_install *install)
{
    struct ag_store_info info;
    ag_store_info(install->store, &info);
    if (install->total > info.size)
        return AG_ERR_FILE_TOO_LARGE;
    struct ag_store_reservation reservation = {
        .kind = AG_STORE_PLUGIN,
        .name = install->request.name,
        .version = install->head.metadata.version,
        .epoch = install->head.metadata.epoch,
        .file_size = install->total,
        .code_size = install->total * install->code_factor + CODE_EXTRA,
    };
    return ag_store_reserve(install->store, &reservation, &install->writer);
}

static uint32_t head_room(const struct ag_install *install)
{
    return install->total < AG_FILE_HEAD_MAX ? install->total : AG_FILE_HEAD_MAX;
}

// The head may be here: decides, and keeps its bytes.
static enum ag_status take_head(struct ag_install *install)
{
    enum ag_status status =
        ag_file_head_check(install->head_bytes, install->received, install->keys, &install->head);
    if (status == AG_ERR_TRUNCATED && install->received < head_room(install))
        return AG_ERR_AGAIN;
    if (status == AG_OK)
        status = judge_metadata(install);
    if (status == AG_OK)
        status = judge_history(install);
    if (status == AG_OK)
        status = reserve(install);
    if (status != AG_OK)
        return status;
    install->state = AG_INSTALL_REST;
    return ag_store_append(install->store, &install->writer, install->head_bytes,
                           install->received);
}

// A piece of the file.
static enum ag_status take_bytes(struct ag_install *install, const uint8_t *bytes, size_t size)
{
    if (size > install->total - install->received)
        return AG_ERR_FILE_SIZE;
    if (install->state == AG_INSTALL_HEAD) {
        uint32_t room = head_room(install) - install->received;
        uint32_t part = size < room ? (uint32_t)size : room;
        memcpy(install->head_bytes + install->received, bytes, part);
        install->received += part;
        enum ag_status status = take_head(install);
        if (status != AG_OK)
            return status == AG_ERR_AGAIN ? AG_OK : status;
        bytes += part;
        size -= part;
    }
    install->received += (uint32_t)size;
    return size ? ag_store_append(install->store, &install->writer, bytes, size) : AG_OK;
}

// The server has answered: this is how large the file is, and where the body begins.
static enum ag_status take_answer(struct ag_install *install, const struct ag_fetch_event *event)
{
    if (event->total > UINT32_MAX / (2 * CODE_FACTOR_MAX))
        return AG_ERR_FILE_TOO_LARGE;
    if (event->start != install->received)
        return AG_ERR_HTTP_CHANGED; // the whole instead of the rest: begin anew
    if (install->total != 0 && install->total != event->total)
        return AG_ERR_HTTP_CHANGED;
    install->total = (uint32_t)event->total;
    memcpy(install->etag, event->etag, strlen(event->etag) + 1);
    return AG_OK;
}

// The response is complete: was it the file?
static enum ag_status take_end(struct ag_install *install, uint64_t now_ms)
{
    if (install->state == AG_INSTALL_HEAD) // all of the file, and its head is not complete
        return AG_ERR_TRUNCATED;
    if (install->received < install->total)
        return ask(install, install->received, now_ms);
    const uint8_t *bytes;
    enum ag_status status = ag_store_finish_file(install->store, &install->writer, &bytes);
    if (status != AG_OK)
        return status;
    ag_file_proof_init(&install->proof, bytes, &install->head);
    install->state = AG_INSTALL_PROOF;
    return AG_OK;
}

static enum ag_status download(struct ag_install *install, uint64_t now_ms)
{
    while (install->state == AG_INSTALL_HEAD || install->state == AG_INSTALL_REST) {
        struct ag_fetch_event event;
        enum ag_status status = ag_fetch_next(&install->fetch, now_ms, &event);
        if (status != AG_OK)
            return status;
        switch (event.type) {
        case AG_FETCH_HEAD:
            status = take_answer(install, &event);
            break;
        case AG_FETCH_BODY:
            status = take_bytes(install, event.bytes, event.size);
            break;
        case AG_FETCH_END:
            status = take_end(install, now_ms);
            break;
        }
        if (status != AG_OK)
            return status;
    }
    return AG_OK;
}

// Hashes some more; at the end the file is proven and known by its hash.
static enum ag_status prove(struct ag_install *install)
{
    if (!ag_file_proof_step(&install->proof, install->total, AG_INSTALL_HASH_STEP))
        return AG_ERR_AGAIN;
    install->state = AG_INSTALL_REST; // the proof is over, whatever it says
    enum ag_status status = ag_file_proof_finish(&install->proof, install->total, install->sha256);
    if (status != AG_OK)
        return status;
    if (install->request.sha256 &&
        memcmp(install->request.sha256, install->sha256, AG_SHA256_SIZE) != 0)
        return AG_ERR_FILE_SHA256;
    if (ag_store_is_quarantined(install->store, install->sha256, NULL)) {
        status = install->request.pardons ? ag_store_pardon(install->store, install->sha256)
                                          : AG_ERR_QUARANTINED;
        if (status != AG_OK)
            return status;
    }
    install->state = AG_INSTALL_TRANSLATION;
    return AG_OK;
}

static enum ag_status write_code(void *context, const void *bytes, uint32_t size)
{
    struct ag_install *install = context;
    return ag_store_append_code(install->store, &install->writer, bytes, size);
}

static enum ag_status translate(struct ag_install *install)
{
    uint32_t scratch_size = ag_ram_largest(install->ram, NULL);
    if (scratch_size > AG_WASM_SCRATCH)
        scratch_size = AG_WASM_SCRATCH;
    void *scratch =
        scratch_size < AG_WASM_SCRATCH_MIN ? NULL : ag_ram_take(install->ram, scratch_size);
    if (!scratch)
        return AG_ERR_FILE_MEMORY;
    struct ag_wasm_translation translation = { .write = write_code,
                                               .resolve = ag_instance_resolve,
                                               .context = install,
                                               .scratch = scratch,
                                               .scratch_size = scratch_size };
    struct ag_wasm_report report;
    enum ag_status status =
        ag_wasm_translate(install->proof.bytes, install->total, &translation, &report);
    ag_ram_give(install->ram, scratch);
    if (status >= AG_ERR_WASM_MAGIC && status < AG_TRAP_STACK) // proven, and yet not acceptable
        (void)!ag_store_quarantine(install->store, install->sha256, status);
    if (status != AG_OK)
        return status;
    return ag_store_seal(install->store, &install->writer, install->sha256, AG_WASM_ENGINE_VERSION);
}

// The failure of a step: what is kept of it, and what can be tried at once.
static enum ag_status handle_failure(struct ag_install *install, enum ag_status status,
                                     uint64_t now_ms)
{
    bool was_translating = install->state == AG_INSTALL_TRANSLATION;
    if (install->state == AG_INSTALL_PROOF)
        (void)ag_file_proof_finish(&install->proof, 0, NULL);
    ag_fetch_close(&install->fetch);
    if (install->state == AG_INSTALL_REST && is_of_network(status) &&
        status != AG_ERR_HTTP_CHANGED && status != AG_ERR_HTTP_RANGE) {
        install->state = AG_INSTALL_BROKEN; // the bytes so far are good
        return status;
    }
    drop_slot(install);
    if (was_translating && status == AG_ERR_STORE_FULL && install->code_factor < CODE_FACTOR_MAX) {
        install->code_factor *= 2;
        enum ag_status again = begin_anew(install, now_ms);
        return again == AG_OK ? AG_ERR_AGAIN : again;
    }
    install->state = AG_INSTALL_IDLE;
    return status;
}

static enum ag_status work(struct ag_install *install, uint64_t now_ms)
{
    switch (install->state) {
    case AG_INSTALL_IDLE:
    case AG_INSTALL_BROKEN:
        return AG_ERR_AGAIN;
    case AG_INSTALL_HEAD:
    case AG_INSTALL_REST:
        return download(install, now_ms);
    case AG_INSTALL_PROOF:
        return prove(install);
    case AG_INSTALL_TRANSLATION:
        return translate(install);
    }
    return AG_ERR_INTERNAL;
}

enum ag_status ag_install_step(struct ag_install *install, uint64_t now_ms)
{
    bool was_translating = install->state == AG_INSTALL_TRANSLATION;
    enum ag_status status = work(install, now_ms);
    if (status != AG_OK && status != AG_ERR_AGAIN)
        return handle_failure(install, status, now_ms);
    if (status == AG_OK && was_translating) {
        install->state = AG_INSTALL_IDLE;
        return AG_OK;
    }
    return AG_ERR_AGAIN;
}

uint64_t ag_install_deadline(const struct ag_install *install)
{
    if (ag_install_is_verifying(install))
        return 0;
    return ag_fetch_deadline(&install->fetch);
}

bool ag_install_is_verifying(const struct ag_install *install)
{
    return install->state == AG_INSTALL_PROOF || install->state == AG_INSTALL_TRANSLATION;
}

bool ag_install_may_retry(enum ag_status status)
{
    bool is_room = status == AG_ERR_STORE_FULL || status == AG_ERR_FLASH;
    return is_room || (is_of_network(status) && status != AG_ERR_HTTP_REDIRECT);
}

void ag_install_cancel(struct ag_install *install)
{
    if (install->state == AG_INSTALL_PROOF)
        (void)ag_file_proof_finish(&install->proof, 0, NULL);
    drop_slot(install);
    if (install->fetch.state != AG_FETCH_IDLE)
        ag_fetch_close(&install->fetch);
    install->state = AG_INSTALL_IDLE;
}
