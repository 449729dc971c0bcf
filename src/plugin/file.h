// SPDX-License-Identifier: Apache-2.0
// The plug-in file: proof of its head from the first bytes, and of the whole file in place.
//
// A file is a WebAssembly module (FORMATS.md 1): signature section, `airgraft` section, delimiter,
// standard sections, delimiter. The signature covers two hashes: one up to the first delimiter,
// one up to the last. So the head can be proven before the rest is fetched, and every byte of
// the file is proven by the end: nothing of a file is looked at before it is proven, but for the
// lengths and names of sections that are needed to find it.
#ifndef AG_PLUGIN_FILE_H
#define AG_PLUGIN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "platform/crypto.h"
#include "plugin/keys.h"
#include "plugin/metadata.h"
#include "plugin/signature.h"

// No head is longer: with this many bytes the check never answers AG_ERR_TRUNCATED.
#define AG_FILE_HEAD_MAX (8u + AG_SIGNATURE_SECTION_MAX + AG_METADATA_SECTION_MAX + 38u)

// A head that was proven.
struct ag_plugin_head {
    struct ag_plugin_metadata metadata;
    size_t size;                        // bytes of the file that the head takes
    size_t hashed_from;                 // offset where hashing starts: behind the signature section
    uint8_t whole_hash[AG_SHA256_SIZE]; // what hashing from there to the end of the file must give
    uint8_t signer[AG_KEYS_ID_SIZE];    // id of the first known key that signed
};

// Proves the head from the first `size` bytes of a file. `keys` are those that may sign plug-ins:
// &trust.plugin_keys. On failure *head is undefined:
//   AG_ERR_TRUNCATED       no fault so far, but more bytes are needed (unless this is all there is)
//   AG_ERR_WASM_MAGIC      not a WebAssembly binary of version 1
//   AG_ERR_FILE_UNSIGNED   the first section is not a signature section
//   AG_ERR_FILE_SIGNATURE  the signature section is broken, or not of the form used here
//   AG_ERR_FILE_KEY        none of the signers is in `keys`
//   AG_ERR_FILE_FORGED     a signer is in `keys`, but the signature is not its own
//   AG_ERR_FILE_HASH       the head was changed after signing
//   AG_ERR_FILE_METADATA   no `airgraft` section, or a broken one
//   AG_ERR_FILE_ABI        the plug-in is for another ABI than AG_ABI_VERSION
// Cost: one Ed25519 verification per signer that is known; below 1 KB of stack on a Cortex-M, the
// port's cryptography aside.
AG_MUST_CHECK enum ag_status ag_file_head_check(const void *bytes, size_t size,
                                                const struct ag_key_list *keys,
                                                struct ag_plugin_head *head);

// The proof of a whole file that lies at its final place, in as many steps as the caller likes.
struct ag_file_proof {
    const uint8_t *bytes; // the file; borrowed until finish
    size_t hashed_from;
    size_t head_size;
    size_t done;              // bytes hashed so far
    struct ag_sha256 whole;   // of all bytes: the file's name in quarantine and reports
    struct ag_sha256 covered; // of what the signature covers
    uint8_t want[AG_SHA256_SIZE];
};

// Begins. `bytes` is where the file lies (or is being written); `head` came out of
// ag_file_head_check over the same bytes. Each init is paired with one finish.
void ag_file_proof_init(struct ag_file_proof *proof, const void *bytes,
                        const struct ag_plugin_head *head);

// Hashes up to `available`, the bytes that are there by now, but at most `budget` bytes. Call it
// as the file arrives, or in steps afterwards. True when `available` is reached.
bool ag_file_proof_step(struct ag_file_proof *proof, size_t available, size_t budget);

// Ends, whatever came before: `size` is the whole file's. What was not hashed yet, is.
//   AG_OK              the file is what was signed, to the last byte
//   AG_ERR_TRUNCATED   the file ends within a section, or its last delimiter is missing
//   AG_ERR_FILE_SIZE   bytes follow the last delimiter
//   AG_ERR_FILE_HASH   something was changed after signing
//   AG_ERR_WASM_MALFORMED  proven, but the sections are out of order, or not of the form used here
// `sha256` receives the hash of the whole file in every case; NULL if not wanted. To abandon a
// proof, call this with size 0 and ignore the answer.
enum ag_status ag_file_proof_finish(struct ag_file_proof *proof, size_t size,
                                    uint8_t sha256[AG_SHA256_SIZE]);

// Head and whole file in one call. `sha256` as above, but untouched when the head fails.
AG_MUST_CHECK enum ag_status ag_file_check(const void *bytes, size_t size,
                                           const struct ag_key_list *keys,
                                           struct ag_plugin_head *head,
                                           uint8_t sha256[AG_SHA256_SIZE]);

#endif
