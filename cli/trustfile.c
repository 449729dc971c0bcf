// SPDX-License-Identifier: Apache-2.0
// Makes trust store objects.
#include "cli/trustfile.h"

static void append_le(struct ag_buffer *out, uint32_t value, int size)
{
    for (int i = 0; i < size; i++)
        ag_buffer_append_u8(out, (uint8_t)(value >> (8 * i)));
}

void ag_trustfile_make(const struct ag_trustfile_plan *plan, struct ag_buffer *out)
{
    const size_t start = out->size;
    append_le(out, AG_TRUST_MAGIC, 4);
    append_le(out, AG_TRUST_FORMAT, 1);
    append_le(out, plan->threshold, 1);
    append_le(out, (uint32_t)plan->authority_count, 1);
    append_le(out, (uint32_t)plan->plugin_count, 1);
    append_le(out, (uint32_t)plan->root_count, 1);
    append_le(out, (uint32_t)plan->signer_count, 1);
    append_le(out, 0, 2);
    append_le(out, plan->epoch, 4);
    ag_buffer_append(out, plan->authority_keys, plan->authority_count * AG_ED25519_KEY_SIZE);
    ag_buffer_append(out, plan->plugin_keys, plan->plugin_count * AG_ED25519_KEY_SIZE);
    for (size_t i = 0; i < plan->root_count; i++) {
        append_le(out, (uint32_t)plan->roots[i].size, 2);
        ag_buffer_append(out, plan->roots[i].bytes, plan->roots[i].size);
    }
    uint8_t message[AG_TRUST_MESSAGE_SIZE];
    ag_trust_message(out->bytes + start, out->size - start, message);
    for (size_t i = 0; i < plan->signer_count; i++) {
        uint8_t signature[AG_ED25519_SIGN_SIZE];
        ag_keyfile_sign(&plan->signers[i], message, sizeof message, signature);
        ag_buffer_append(out, plan->signers[i].id, AG_KEYS_ID_SIZE);
        ag_buffer_append(out, signature, sizeof signature);
    }
}
