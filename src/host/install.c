// SPDX-License-Identifier: Apache-2.0
// Brings one version from its URL to a sealed slot: head, decision, rest, proof, translation.
#include "host/install.h"

#include <string.h>

#include "host/fallback.h"
#include "host/instance.h"
#include "host/origin.h"
#include "platform/board.h"
#include "plugin/capabilities.h"
#include "wasm/wasm.h"

// Code expected per byte of file at first, and at most. What is reserved too much is given back
// when the slot is sealed; where it is too little, the store takes what is free behind it, and
// where that does not do either, the file is fetched again with twice the room.
#define CODE_FACTOR_FIRST 2u
#define CODE_FACTOR_MAX   32u

// No file is larger: what is reserved for it must be countable.
#define FILE_MAX (UINT32_MAX / (2 * CODE_FACTOR_MAX))

// Code of any file has at least so much beside it.
#define CODE_EXTRA 512u

_Static_assert(AG_CFG_ETAG_MAX <= AG_STORE_TAG_MAX, "an ETag is a tag of the store");

void ag_install_init(struct ag_install *install, struct ag_store *store, struct ag_ram *ram,
                     const struct ag_key_list *keys, struct ag_stream *stream, uint32_t timeout_ms)
{
    memset(install, 0, sizeof *install);
    install->store = store;
    install->ram = ram;
    install->keys = keys;
    ag_fetch_init(&install->fetch, stream, timeout_ms);
}

static bool is_of_network(enum ag_status status)
{
    return status >= AG_ERR_CLOSED && status < AG_ERR_FLASH;
}

// ---- What is in the store ----------------------------------------------------------------------

static void drop_slot(struct ag_install *install)
{
    if (install->has_slot)
        (void)!ag_store_drop(install->store, install->writer.slot); // at worst superseded later
    install->has_slot = false;
    install->received = 0;
    install->resumed = 0;
    install->noted = 0;
}

// Records how far the file has come, if at least `least` bytes are new.
static enum ag_status note_progress(struct ag_install *install, uint32_t least, uint64_t now_ms)
{
    uint32_t is_new = install->received - install->noted;
    if (!install->has_slot || install->total < AG_CFG_FETCH_NOTE || is_new < least ||
        install->etag[0] == 0)
        return AG_OK;
    enum ag_status status =
        ag_store_progress(install->store, &install->writer, install->etag, strlen(install->etag));
    install->noted_ms = now_ms;
    if (status == AG_ERR_STORE_FULL) // of the journal: then a reset costs more
        return AG_OK;
    if (status == AG_OK)
        install->noted = install->received;
    return status;
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
static enum ag_status judge_history(const struct ag_install *install, const uint8_t *head_bytes)
{
    struct ag_store_slot slot;
    const uint8_t *bytes;
    size_t size;
    if (ag_store_find(install->store, AG_STORE_PLUGIN, install->request.name, AG_STORE_REJECTED,
                      &slot) != AG_OK ||
        ag_store_open_file(install->store, slot.id, &bytes, &size) != AG_OK)
        return AG_OK;
    bool is_same = size >= install->head.size && memcmp(bytes, head_bytes, install->head.size) == 0;
    return is_same ? AG_ERR_QUARANTINED : AG_OK;
}

// The head in these bytes: is it proven, and does it belong here?
static enum ag_status judge_head(struct ag_install *install, const uint8_t *bytes, uint32_t size)
{
    enum ag_status status = ag_file_head_check(bytes, size, install->keys, &install->head);
    if (status == AG_OK)
        status = judge_metadata(install);
    return status == AG_OK ? judge_history(install, bytes) : status;
}

// Gives up what is left of another version's download. False: there is none.
static bool drop_a_part(struct ag_install *install)
{
    struct ag_store_slot slot;
    uint32_t id = 0;
    while (ag_store_next(install->store, &id, &slot))
        if (slot.kind == AG_STORE_PLUGIN && slot.state < AG_STORE_SEALED)
            return ag_store_drop(install->store, slot.id) == AG_OK;
    return false;
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
    enum ag_status status = ag_store_reserve(install->store, &reservation, &install->writer);
    // What comes now goes before what came in part: that may never become whole.
    while (status == AG_ERR_STORE_FULL && drop_a_part(install))
        status = ag_store_reserve(install->store, &reservation, &install->writer);
    install->has_slot = status == AG_OK;
    return status;
}

// ---- Beginning ---------------------------------------------------------------------------------

static void begin_proof(struct ag_install *install, const uint8_t *bytes)
{
    ag_file_proof_init(&install->proof, bytes, &install->head);
    install->is_hashing_md5 = install->has_md5 && ag_crypto_md5_init(&install->md5_hash);
    install->state = AG_INSTALL_PROOF;
}

static void abandon_proof(struct ag_install *install)
{
    (void)ag_file_proof_finish(&install->proof, 0, NULL);
    if (install->is_hashing_md5)
        ag_crypto_md5_finish(&install->md5_hash, NULL);
}

// From the first byte on.
static void begin_anew(struct ag_install *install)
{
    drop_slot(install);
    install->state = AG_INSTALL_ASKING;
    install->total = 0;
    install->is_pieced = false;
    install->has_md5 = false;
    install->etag[0] = 0;
}

// Takes over the part of this version that the store holds, if it can go on. Nothing is believed of
// it but what its head proves; its bytes are proven with all the others at the end.
static bool pick_up(struct ag_install *install, const struct ag_store_slot *slot)
{
    uint8_t tag[AG_STORE_TAG_MAX];
    size_t tag_size;
    const uint8_t *bytes;
    if (ag_store_resume(install->store, slot->id, &install->writer, &install->received, tag,
                        &tag_size) != AG_OK)
        return false;
    install->has_slot = true;
    install->total = slot->file_size;
    install->noted = install->received;
    install->resumed = install->received;
    bool is_whole = install->received == install->total;
    bool is_named = tag_size > 0 && tag_size <= AG_CFG_ETAG_MAX;
    if (slot->version != install->request.version || install->received == 0 ||
        (!is_whole && !is_named) ||
        ag_store_place(install->store, &install->writer, &bytes) != AG_OK ||
        judge_head(install, bytes, install->received) != AG_OK ||
        install->head.metadata.epoch != slot->epoch)
        return false;
    memcpy(install->etag, tag, is_named ? tag_size : 0);
    install->etag[is_named ? tag_size : 0] = 0;
    install->is_pieced = true;
    install->state = AG_INSTALL_ASKING;
    if (is_whole)
        begin_proof(install, bytes);
    return true;
}

void ag_install_begin(struct ag_install *install, const struct ag_install_request *request,
                      uint64_t now_ms)
{
    struct ag_store_slot slot;
    ag_install_leave(install);
    install->request = *request;
    install->code_factor = CODE_FACTOR_FIRST;
    install->is_again = false;
    install->noted_ms = now_ms;
    begin_anew(install);
    if (ag_store_find(install->store, AG_STORE_PLUGIN, request->name, AG_STORE_NEXT, &slot) ==
            AG_OK &&
        slot.state < AG_STORE_SEALED && !pick_up(install, &slot))
        begin_anew(install);
}

void ag_install_resume(struct ag_install *install, const struct ag_install_request *request)
{
    install->request = *request;
    install->is_again = false;
    install->resumed = install->received;
    install->state = AG_INSTALL_ASKING;
}

// Asks for what is behind `received`: of the head first, of a file known to be new all at once.
static enum ag_status ask(struct ag_install *install, uint64_t now_ms)
{
    struct ag_fetch_range range = { .first = install->received, .last = AG_INSTALL_FIRST - 1 };
    if (install->has_slot || install->received >= AG_INSTALL_FIRST)
        range.last = install->total - 1;
    else if (install->is_again)
        range.last = FILE_MAX - 1;
    range.if_match = install->received > 0 ? install->etag : "";
    install->state = install->has_slot ? AG_INSTALL_REST : AG_INSTALL_HEAD;
    return ag_fetch_begin(&install->fetch, install->request.url, &range, now_ms);
}

// ---- Bytes of the file -------------------------------------------------------------------------

// Whether the download takes long enough to be worth a record.
static bool is_slow(const struct ag_install *install, uint64_t now_ms)
{
    return now_ms - install->noted_ms >= AG_CFG_FETCH_NOTE_MS;
}

static uint32_t head_room(const struct ag_install *install)
{
    return install->total < AG_FILE_HEAD_MAX ? install->total : AG_FILE_HEAD_MAX;
}

// The head may be here: decides, and keeps its bytes.
static enum ag_status take_head(struct ag_install *install, uint64_t now_ms)
{
    enum ag_status status = judge_head(install, install->head_bytes, install->received);
    if (status == AG_ERR_TRUNCATED && install->received < head_room(install))
        return AG_ERR_AGAIN;
    if (status == AG_OK)
        status = reserve(install);
    if (status != AG_OK)
        return status;
    install->state = AG_INSTALL_REST;
    install->noted_ms = now_ms;
    return ag_store_append(install->store, &install->writer, install->head_bytes,
                           install->received);
}

// A piece of the file.
static enum ag_status take_bytes(struct ag_install *install, const uint8_t *bytes, size_t size,
                                 uint64_t now_ms)
{
    if (size > install->total - install->received)
        return AG_ERR_FILE_SIZE;
    if (install->state == AG_INSTALL_HEAD) {
        uint32_t room = head_room(install) - install->received;
        uint32_t part = size < room ? (uint32_t)size : room;
        memcpy(install->head_bytes + install->received, bytes, part);
        install->received += part;
        enum ag_status status = take_head(install, now_ms);
        if (status != AG_OK)
            return status == AG_ERR_AGAIN ? AG_OK : status;
        bytes += part;
        size -= part;
    }
    if (size == 0)
        return AG_OK;
    enum ag_status status = ag_store_append(install->store, &install->writer, bytes, size);
    if (status != AG_OK)
        return status;
    install->received += (uint32_t)size;
    return is_slow(install, now_ms) ? note_progress(install, AG_CFG_FETCH_NOTE, now_ms) : AG_OK;
}

// The server has answered: this is how large the file is, and where the body begins.
static enum ag_status take_answer(struct ag_install *install, const struct ag_fetch_event *event)
{
    if (event->total > FILE_MAX)
        return AG_ERR_FILE_TOO_LARGE;
    if (event->start == 0 && install->received > 0) {
        begin_anew(install); // the whole instead of the rest: then that
        install->state = AG_INSTALL_HEAD;
    }
    bool is_more = install->received > 0;
    if (is_more && (install->total != event->total || strcmp(install->etag, event->etag) != 0))
        return AG_ERR_HTTP_CHANGED;
    install->is_pieced = install->is_pieced || (is_more && event->etag[0] == 0);
    install->total = (uint32_t)event->total;
    memcpy(install->etag, event->etag, strlen(event->etag) + 1);
    install->has_md5 = install->has_md5 || event->md5;
    if (event->md5)
        memcpy(install->md5, event->md5, sizeof install->md5);
    return AG_OK;
}

// The response is complete: was it the file?
static enum ag_status take_end(struct ag_install *install, uint64_t now_ms)
{
    if (install->received < install->total) {
        install->state = AG_INSTALL_ASKING;
        return AG_OK;
    }
    if (!install->has_slot) // all of the file, and its head is not complete
        return AG_ERR_TRUNCATED;
    const uint8_t *bytes;
    enum ag_status status = ag_store_finish_file(install->store, &install->writer, &bytes);
    if (status == AG_OK && (install->noted > 0 || is_slow(install, now_ms)))
        status = note_progress(install, 1, now_ms); // to be verified also after a reset
    if (status == AG_OK)
        begin_proof(install, bytes);
    return status;
}

static enum ag_status download(struct ag_install *install, uint64_t now_ms)
{
    while (ag_install_wants_network(install)) {
        struct ag_fetch_event event;
        enum ag_status status = AG_OK;
        if (install->state == AG_INSTALL_ASKING)
            status = ask(install, now_ms);
        if (status == AG_OK)
            status = ag_fetch_next(&install->fetch, now_ms, &event);
        if (status != AG_OK)
            return status;
        switch (event.type) {
        case AG_FETCH_HEAD:
            status = take_answer(install, &event);
            break;
        case AG_FETCH_BODY:
            status = take_bytes(install, event.bytes, event.size, now_ms);
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

// ---- Proof -------------------------------------------------------------------------------------

// The whole file is hashed: is it what the server, the signature and the twin say?
static enum ag_status judge_file(struct ag_install *install)
{
    uint8_t md5[AG_MD5_SIZE];
    bool is_as_sent = true;
    if (install->is_hashing_md5) {
        ag_crypto_md5_finish(&install->md5_hash, md5);
        is_as_sent = memcmp(md5, install->md5, sizeof md5) == 0;
    }
    enum ag_status status = ag_file_proof_finish(&install->proof, install->total, install->sha256);
    if (!is_as_sent) // damaged on the way: no fault of the file, whatever else is wrong with it
        return AG_ERR_HTTP_MD5;
    if (status == AG_OK && install->request.sha256 &&
        memcmp(install->request.sha256, install->sha256, AG_SHA256_SIZE) != 0)
        status = AG_ERR_FILE_SHA256;
    if (status != AG_OK)
        return install->is_pieced ? AG_ERR_HTTP_CHANGED : status;
    if (ag_store_is_quarantined(install->store, install->sha256, NULL)) {
        status = install->request.pardons ? ag_store_pardon(install->store, install->sha256)
                                          : AG_ERR_QUARANTINED;
        if (status != AG_OK)
            return status;
    }
    install->state = AG_INSTALL_TRANSLATION;
    return AG_OK;
}

// Hashes some more; at the end the file is proven and known by its hash.
static enum ag_status prove(struct ag_install *install)
{
    size_t from = install->proof.done;
    bool is_done = ag_file_proof_step(&install->proof, install->total, AG_INSTALL_HASH_STEP);
    if (install->is_hashing_md5)
        ag_crypto_md5_update(&install->md5_hash, install->proof.bytes + from,
                             install->proof.done - from);
    if (!is_done)
        return AG_ERR_AGAIN;
    install->state = AG_INSTALL_REST; // the proof is over, whatever it says
    return judge_file(install);
}

// ---- Resets in the middle of a translation -----------------------------------------------------

// Resets while a file was being translated, as a value: format, count, hash of the file. The first
// one is anonymous, since nothing is written about a translation before one has come: it has zeros
// in place of the hash, and makes the next translation leave its own.
#define RESETS_FORMAT 1u
#define RESETS_SIZE   (2u + AG_SHA256_SIZE)

struct resets {
    uint8_t count; // of the file below
    uint8_t sha256[AG_SHA256_SIZE];
};

static bool read_resets(const struct ag_store *store, const char *name, struct resets *resets)
{
    uint8_t value[RESETS_SIZE];
    size_t size;
    memset(resets, 0, sizeof *resets);
    if (ag_store_get(store, AG_STORE_TRANSLATION, name, value, sizeof value, &size) != AG_OK ||
        size != RESETS_SIZE || value[0] != RESETS_FORMAT)
        return false;
    resets->count = value[1];
    memcpy(resets->sha256, value + 2, sizeof resets->sha256);
    return true;
}

static enum ag_status store_resets(struct ag_store *store, const char *name,
                                   const struct resets *resets)
{
    uint8_t value[RESETS_SIZE] = { RESETS_FORMAT, resets->count };
    memcpy(value + 2, resets->sha256, sizeof resets->sha256);
    return ag_store_put(store, AG_STORE_TRANSLATION, name, value, sizeof value);
}

enum ag_status ag_install_note_reset(struct ag_store *store, const char *name)
{
    struct resets resets;
    if (read_resets(store, name, &resets) && resets.count < UINT8_MAX)
        resets.count++;
    return store_resets(store, name, &resets);
}

// Before a translation of a name for which there was a reset in one: has this file had its share?
static enum ag_status judge_resets(struct ag_install *install)
{
    const char *name = install->request.name;
    struct resets resets;
    if (!read_resets(install->store, name, &resets))
        return AG_OK;
    if (memcmp(resets.sha256, install->sha256, AG_SHA256_SIZE) != 0) {
        resets.count = 0;
        memcpy(resets.sha256, install->sha256, AG_SHA256_SIZE);
        return store_resets(install->store, name, &resets);
    }
    if (resets.count < AG_FALLBACK_TRIAL_RESETS_MAX)
        return AG_OK;
    enum ag_status status =
        ag_store_quarantine(install->store, install->sha256, AG_ERR_RESET_WHILE_RUNNING);
    return status == AG_OK ? AG_ERR_RESET_WHILE_RUNNING : status;
}

void ag_install_forget_resets(struct ag_store *store, const char *name)
{
    (void)!ag_store_delete(store, AG_STORE_TRANSLATION, name); // at worst a later file tells
}

// ---- Translation -------------------------------------------------------------------------------

static enum ag_status write_code(void *context, const void *bytes, uint32_t size)
{
    struct ag_install *install = context;
    return ag_store_append_code(install->store, &install->writer, bytes, size);
}

// A plug-in gets what its head lists, and no more: the head is what was judged.
static enum ag_status resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    const struct ag_install *install = context;
    const struct ag_capability *capability =
        ag_capabilities_find(import->module.text, import->module.size);
    if (!capability || !ag_capabilities_needs(&install->head.metadata, capability->id))
        return AG_ERR_WASM_IMPORT;
    return ag_instance_resolve(NULL, import, id);
}

// Translates, and seals the slot.
static enum ag_status make_code(struct ag_install *install, void *scratch, uint32_t scratch_size)
{
    struct ag_wasm_translation translation = { .write = write_code,
                                               .resolve = resolve,
                                               .context = install,
                                               .scratch = scratch,
                                               .scratch_size = scratch_size };
    struct ag_wasm_report report;
    enum ag_status status =
        ag_wasm_translate(install->proof.bytes, install->total, &translation, &report);
    if (status != AG_OK)
        return status;
    ag_origin_note(install->store, install->writer.slot, install->request.url);
    return ag_store_seal(install->store, &install->writer, install->sha256, AG_WASM_ENGINE_VERSION);
}

// The board remembers which slot is being translated: a reset in it counts at the next start.
static enum ag_status translate(struct ag_install *install)
{
    enum ag_status status = judge_resets(install);
    if (status != AG_OK) {
        if (status == AG_ERR_RESET_WHILE_RUNNING)
            ag_install_forget_resets(install->store, install->request.name);
        return status;
    }
    uint32_t scratch_size = ag_ram_largest(install->ram, NULL);
    if (scratch_size > AG_WASM_SCRATCH)
        scratch_size = AG_WASM_SCRATCH;
    void *scratch =
        scratch_size < AG_WASM_SCRATCH_MIN ? NULL : ag_ram_take(install->ram, scratch_size);
    if (!scratch)
        return AG_ERR_FILE_MEMORY;
    ag_board_note_running(install->writer.slot);
    status = make_code(install, scratch, scratch_size);
    ag_board_note_running(0);
    ag_ram_give(install->ram, scratch);
    if (status >= AG_ERR_WASM_MAGIC && status < AG_TRAP_STACK) // proven, and yet not acceptable
        (void)!ag_store_quarantine(install->store, install->sha256, status);
    if (status != AG_ERR_STORE_FULL) // with more room it begins once more
        ag_install_forget_resets(install->store, install->request.name);
    return status;
}

// ---- The step ----------------------------------------------------------------------------------

// Whether the file, or what came of it, cannot be gone on with, but fetched again.
static bool is_of_other_bytes(enum ag_status status)
{
    return status == AG_ERR_HTTP_CHANGED || status == AG_ERR_HTTP_RANGE ||
           status == AG_ERR_HTTP_MD5;
}

// The failure of a step: what is kept of it, and what can be tried at once.
static enum ag_status handle_failure(struct ag_install *install, enum ag_status status,
                                     uint64_t now_ms)
{
    bool was_translating = install->state == AG_INSTALL_TRANSLATION;
    if (install->state == AG_INSTALL_PROOF)
        abandon_proof(install);
    ag_fetch_close(&install->fetch);
    bool can_go_on = install->has_slot && install->etag[0] != 0;
    if (is_of_network(status) && !is_of_other_bytes(status) && can_go_on &&
        note_progress(install, AG_FLASH_BLOCK, now_ms) == AG_OK) {
        install->state = AG_INSTALL_BROKEN; // the bytes so far are good
        return status;
    }
    bool lacks_room =
        was_translating && status == AG_ERR_STORE_FULL && install->code_factor < CODE_FACTOR_MAX;
    bool is_other = is_of_other_bytes(status) && status != AG_ERR_HTTP_MD5 &&
                    install->received > 0 && !install->is_again;
    begin_anew(install);
    if (lacks_room)
        install->code_factor *= 2;
    install->is_again = install->is_again || is_other;
    if (lacks_room || is_other)
        return AG_ERR_AGAIN;
    install->state = AG_INSTALL_IDLE;
    return status;
}

static enum ag_status work(struct ag_install *install, uint64_t now_ms)
{
    switch (install->state) {
    case AG_INSTALL_IDLE:
    case AG_INSTALL_BROKEN:
        return AG_ERR_AGAIN;
    case AG_INSTALL_ASKING:
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
        install->has_slot = false;
        return AG_OK;
    }
    return AG_ERR_AGAIN;
}

// ---- From outside ------------------------------------------------------------------------------

void ag_install_move(struct ag_install *install, struct ag_text url, const uint8_t *sha256,
                     struct ag_text settings)
{
    struct ag_text before = install->request.url;
    bool is_same = before.size == url.size && memcmp(before.at, url.at, url.size) == 0;
    install->request.url = url;
    install->request.sha256 = sha256;
    install->request.settings = settings;
    if (install->state != AG_INSTALL_HEAD && install->state != AG_INSTALL_REST)
        return;
    if (is_same) {
        ag_fetch_move(&install->fetch, url);
        return;
    }
    ag_fetch_close(&install->fetch);
    install->state = AG_INSTALL_ASKING;
    if (!install->has_slot || install->etag[0] == 0)
        begin_anew(install);
}

bool ag_install_takes_settings(const struct ag_install *install)
{
    const struct ag_plugin_metadata *metadata = &install->head.metadata;
    struct ag_schema_fault fault;
    return !install->has_slot || // a head is judged before its slot is reserved
           ag_schema_judge(metadata->schema, metadata->schema_size, install->request.settings,
                           &fault) == AG_OK;
}

uint64_t ag_install_deadline(const struct ag_install *install)
{
    if (ag_install_is_verifying(install) || install->state == AG_INSTALL_ASKING)
        return 0;
    return ag_fetch_deadline(&install->fetch);
}

bool ag_install_is_verifying(const struct ag_install *install)
{
    return install->state == AG_INSTALL_PROOF || install->state == AG_INSTALL_TRANSLATION;
}

bool ag_install_wants_network(const struct ag_install *install)
{
    return install->state == AG_INSTALL_ASKING || install->state == AG_INSTALL_HEAD ||
           install->state == AG_INSTALL_REST;
}

bool ag_install_may_retry(enum ag_status status)
{
    bool is_room = status == AG_ERR_STORE_FULL || status == AG_ERR_FLASH;
    return is_room || (is_of_network(status) && status != AG_ERR_HTTP_REDIRECT);
}

bool ag_install_has_come_far(const struct ag_install *install)
{
    return install->state == AG_INSTALL_BROKEN &&
           install->received - install->resumed >= AG_CFG_FETCH_NOTE;
}

static void end(struct ag_install *install)
{
    if (install->state == AG_INSTALL_PROOF)
        abandon_proof(install);
    if (ag_install_wants_network(install)) // otherwise it may be somebody else's
        ag_fetch_close(&install->fetch);
    install->state = AG_INSTALL_IDLE;
}

void ag_install_cancel(struct ag_install *install)
{
    end(install);
    drop_slot(install);
}

void ag_install_leave(struct ag_install *install)
{
    end(install);
    bool is_recorded = note_progress(install, AG_FLASH_BLOCK, install->noted_ms) == AG_OK;
    if (is_recorded && install->noted > 0)
        install->has_slot = false;
    else
        drop_slot(install);
}
