// SPDX-License-Identifier: Apache-2.0
// Brings one version from its URL to a sealed slot: head, decision, rest, proof, translation.
//
// Nothing is reserved before the head has been proven and found fit for this device, nothing is
// translated before every byte has been proven in place, and nothing of it ever runs here.
//
// After a failure of the network the same request goes on where it was (ag_install_resume), as long
// as the server still has the same file: same size, same ETag. What came of a larger file is
// recorded in the store now and then, so that it goes on likewise after a reset, after another
// file's turn and under another URL; the head is then proven once more from the bytes in the store.
// A file pieced together without an ETag that names it, or over a reset, that turns out wrong is
// fetched once more in one piece before it is judged.
#ifndef AG_HOST_INSTALL_H
#define AG_HOST_INSTALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "base/text.h"
#include "host/fetch.h"
#include "host/ram.h"
#include "plugin/file.h"
#include "plugin/schema.h"
#include "store/store.h"

// Bytes of the file that are asked for first: any head, and all of a small plug-in.
#define AG_INSTALL_FIRST 2048u

// Bytes hashed in one step.
#define AG_INSTALL_HASH_STEP 32768u

struct ag_install_request {
    const char *name; // borrowed until the end
    uint32_t version;
    const uint8_t *sha256;   // borrowed until the end; NULL: not stated
    struct ag_text url;      // borrowed until the end
    struct ag_text settings; // borrowed until the end; judged by the file's schema
    uint32_t memory_limit;   // RAM that its instance may take, bytes
    bool pardons;            // a hash in quarantine is taken off it, not refused
};

enum ag_install_state {
    AG_INSTALL_IDLE,        // nothing to do
    AG_INSTALL_ASKING,      // a request is to be sent, for what is behind `received`
    AG_INSTALL_HEAD,        // bytes of the head
    AG_INSTALL_REST,        // bytes of the rest
    AG_INSTALL_PROOF,       // the whole file is being hashed
    AG_INSTALL_TRANSLATION, // proven; to be translated
    AG_INSTALL_BROKEN,      // the network failed: resume, or begin anew
};

struct ag_install {
    struct ag_store *store;         // borrowed
    struct ag_ram *ram;             // borrowed; scratch for translating comes from here
    const struct ag_key_list *keys; // borrowed; those that may sign plug-ins
    struct ag_install_request request;
    enum ag_install_state state;
    uint32_t code_factor; // code expected per byte of file; grows when it was too little
    uint32_t total;       // size of the file; 0: not known yet
    uint32_t received;    // bytes taken so far
    uint32_t resumed;     // of them here before this attempt
    uint32_t noted;       // of them recorded in the store
    uint64_t noted_ms;    // when that was, or when the slot was reserved
    bool has_slot;        // `writer` stands for a slot of the store
    bool is_pieced;       // from more than one answer, and no ETag vouches that they fit together
    bool is_again;        // begun from the first byte once more for this request
    bool has_md5;         // the server has said `md5` of the whole file
    bool is_hashing_md5;  // `md5_hash` is in use
    char etag[AG_CFG_ETAG_MAX + 1];
    uint8_t md5[AG_MD5_SIZE];
    struct ag_md5 md5_hash;
    struct ag_schema_fault fault;   // after AG_ERR_SETTINGS_SCHEMA
    uint8_t sha256[AG_SHA256_SIZE]; // of the whole file, once it is proven
    struct ag_file_proof proof;
    struct ag_store_writer writer;
    struct ag_plugin_head head;
    uint8_t head_bytes[AG_FILE_HEAD_MAX];
    struct ag_fetch fetch;
};

void ag_install_init(struct ag_install *install, struct ag_store *store, struct ag_ram *ram,
                     const struct ag_key_list *keys, struct ag_stream *stream, uint32_t timeout_ms);

// Begins, leaving what was under way. Where the store holds a part of this version already, it goes
// on behind it: one pass over those bytes, and the proof of their head. Nothing is sent yet.
void ag_install_begin(struct ag_install *install, const struct ag_install_request *request,
                      uint64_t now_ms);

// After a failure of the network: goes on with the same request, whose borrowed texts may be
// others; begins anew where it cannot go on. Nothing is sent yet.
void ag_install_resume(struct ag_install *install, const struct ag_install_request *request);

// The borrowed texts of the request under way have moved, or the same version is to be had at
// another URL: what is still missing is then asked for there.
void ag_install_move(struct ag_install *install, struct ag_text url, const uint8_t *sha256,
                     struct ag_text settings);

// Whether the settings of the request are such as the schema of its file wants them, as far as its
// head is here: for after ag_install_move.
bool ag_install_takes_settings(const struct ag_install *install);

// Whether the next step needs the network.
bool ag_install_wants_network(const struct ag_install *install);

// One step.
//   AG_OK          done: the slot is sealed, to be found as AG_STORE_NEXT
//   AG_ERR_AGAIN   not done; ag_install_deadline says when to call again
//   another        it failed; ag_install_may_retry tells whether trying again can help
AG_MUST_CHECK enum ag_status ag_install_step(struct ag_install *install, uint64_t now_ms);

// When ag_install_step is wanted although the stream is not ready; UINT64_MAX: never; 0: at once.
uint64_t ag_install_deadline(const struct ag_install *install);

// Whether the state is that of a file that is here as a whole.
bool ag_install_is_verifying(const struct ag_install *install);

// Whether a failure may pass by itself: network, server, no room for now.
bool ag_install_may_retry(enum ag_status status);

// After a failure: whether this attempt has brought AG_CFG_FETCH_NOTE bytes that are kept.
bool ag_install_has_come_far(const struct ag_install *install);

// Gives up what is under way, also a slot that was reserved.
void ag_install_cancel(struct ag_install *install);

// After a start of the host: the device was reset while a file of this name was being translated.
// Durable on AG_OK. The third such reset in a row is the file's last: the first makes the next
// translation leave its file's hash on flash, and the AG_FALLBACK_TRIAL_RESETS_MAXth with that hash
// quarantines it, and the install fails with AG_ERR_RESET_WHILE_RUNNING.
AG_MUST_CHECK enum ag_status ag_install_note_reset(struct ag_store *store, const char *name);

// Forgets that there were any, where there were: the file is not wanted, or it is translated.
void ag_install_forget_resets(struct ag_store *store, const char *name);

// Ends what is under way; what came of a larger file stays in the store for ag_install_begin.
void ag_install_leave(struct ag_install *install);

#endif
