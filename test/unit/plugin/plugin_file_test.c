// SPDX-License-Identifier: Apache-2.0
// Tests of plugin/file.h: what is signed is accepted, and nothing else. AG_TEST_BLINKY is the file
// that `airgraft build` made of plugins/blinky.
#include "plugin/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/signing.h"
#include "plugin/abi.h"
#include "test/harness.h"
#include "test/unit/plugin/plugin_fixture.h"

static struct ag_keyfile key_a;
static struct ag_keyfile key_b;

static void open_keys(void)
{
    if (!key_a.key) {
        key_a = fixture_key(1);
        key_b = fixture_key(2);
    }
}

static struct ag_key_list list_of(const struct ag_keyfile *key)
{
    return (struct ag_key_list){ key->public_, 1 };
}

static struct ag_buffer signed_fixture(void)
{
    struct ag_buffer file = { 0 };
    open_keys();
    fixture_plain(&file);
    fixture_sign(&file, &key_a);
    return file;
}

static struct ag_buffer signed_blinky(void)
{
    struct ag_buffer file = { 0 };
    uint8_t bytes[4096];
    open_keys();
    FILE *stream = fopen(AG_TEST_BLINKY, "rb");
    CHECK(stream);
    ag_buffer_append(&file, bytes, fread(bytes, 1, sizeof bytes, stream));
    fclose(stream);
    fixture_sign(&file, &key_a);
    return file;
}

// Checks a copy of exactly this size, so that the sanitizer sees every byte read too many.
static enum ag_status check_with(const uint8_t *bytes, size_t size, const struct ag_key_list *keys)
{
    struct ag_plugin_head head;
    uint8_t sha256[AG_SHA256_SIZE];
    uint8_t *exact = malloc(size > 0 ? size : 1);
    memcpy(exact, bytes, size);
    const enum ag_status status = ag_file_check(exact, size, keys, &head, sha256);
    free(exact);
    return status;
}

static enum ag_status check(const struct ag_buffer *file)
{
    const struct ag_key_list keys = list_of(&key_a);
    return check_with(file->bytes, file->size, &keys);
}

static void a_signed_file_is_proven_and_its_metadata_read(void)
{
    struct ag_buffer file = signed_fixture();
    const struct ag_key_list keys = list_of(&key_a);
    const struct ag_plugin_metadata want = fixture_metadata();
    struct ag_plugin_head head;
    struct ag_sha256 hash;
    uint8_t sha256[AG_SHA256_SIZE];
    uint8_t expected[AG_SHA256_SIZE];
    CHECK_EQUAL(ag_file_check(file.bytes, file.size, &keys, &head, sha256), AG_OK);
    CHECK_BYTES(&head.metadata, &want, sizeof want);
    CHECK_BYTES(head.signer, key_a.id, sizeof key_a.id);
    ag_crypto_sha256_init(&hash);
    ag_crypto_sha256_update(&hash, file.bytes, file.size);
    ag_crypto_sha256_finish(&hash, expected);
    CHECK_BYTES(sha256, expected, sizeof expected);
    ag_buffer_clear(&file);
}

static void signature_and_metadata_of_blinky_take_at_most_200_bytes(void)
{
    struct ag_buffer file = signed_blinky();
    const struct ag_key_list keys = list_of(&key_a);
    struct ag_plugin_head head;
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &head), AG_OK);
    CHECK_EQUAL(check(&file), AG_OK);
    CHECK_TEXT(head.metadata.name, "blinky");
    CHECK(head.size - 8 - 38 <= 200); // without the module's magic and the delimiter
    ag_buffer_clear(&file);
}

static void the_head_asks_for_more_bytes_until_it_is_there(void)
{
    struct ag_buffer file = signed_blinky();
    const struct ag_key_list keys = list_of(&key_a);
    struct ag_plugin_head head;
    struct ag_plugin_head whole;
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &whole), AG_OK);
    CHECK(whole.size <= AG_FILE_HEAD_MAX);
    for (size_t size = 0; size <= file.size; size++) {
        uint8_t *exact = malloc(size > 0 ? size : 1);
        memcpy(exact, file.bytes, size);
        test_note("%zu bytes", size);
        const enum ag_status status = ag_file_head_check(exact, size, &keys, &head);
        free(exact);
        CHECK_EQUAL(status, size < whole.size ? AG_ERR_TRUNCATED : AG_OK);
    }
    ag_buffer_clear(&file);
}

static void every_truncation_is_refused(void)
{
    struct ag_buffer file = signed_blinky();
    const struct ag_key_list keys = list_of(&key_a);
    for (size_t size = 0; size < file.size; size++) {
        test_note("%zu bytes", size);
        CHECK_EQUAL(check_with(file.bytes, size, &keys), AG_ERR_TRUNCATED);
    }
    ag_buffer_clear(&file);
}

static void every_flipped_bit_is_refused_with_a_status(void)
{
    struct ag_buffer file = signed_blinky();
    for (size_t bit = 0; bit < 8 * file.size; bit++) {
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        test_note("bit %zu of byte %zu", bit % 8, bit / 8);
        const enum ag_status status = check(&file);
        CHECK(status == AG_ERR_TRUNCATED || status == AG_ERR_WASM_MAGIC ||
              (status >= AG_ERR_FILE_UNSIGNED && status <= AG_ERR_FILE_SIZE));
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_EQUAL(check(&file), AG_OK);
    ag_buffer_clear(&file);
}

static void a_flipped_bit_in_the_code_is_a_wrong_hash(void)
{
    struct ag_buffer file = signed_fixture();
    file.bytes[file.size - 40] ^= 1; // the last byte of the code section
    CHECK_EQUAL(check(&file), AG_ERR_FILE_HASH);
    ag_buffer_clear(&file);
}

static void a_changed_head_is_a_wrong_hash_before_it_is_read(void)
{
    struct ag_buffer file = signed_fixture();
    const struct ag_key_list keys = list_of(&key_a);
    struct ag_plugin_head head;
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &head), AG_OK);
    file.bytes[head.hashed_from + 11] = 9; // the format of the metadata
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &head), AG_ERR_FILE_HASH);
    ag_buffer_clear(&file);
}

static void bytes_behind_the_last_delimiter_are_refused(void)
{
    struct ag_buffer file = signed_fixture();
    ag_buffer_append(&file, "", 1);
    CHECK_EQUAL(check(&file), AG_ERR_FILE_SIZE);
    ag_buffer_clear(&file);
}

static void an_unsigned_file_is_refused(void)
{
    struct ag_buffer file = { 0 };
    open_keys();
    fixture_plain(&file);
    CHECK_EQUAL(check(&file), AG_ERR_FILE_UNSIGNED);
    ag_buffer_clear(&file);
    ag_buffer_append(&file, "\0asm\1\0\0\0\1\4\1\x60\0\0", 14); // a module without custom sections
    CHECK_EQUAL(check(&file), AG_ERR_FILE_UNSIGNED);
    ag_buffer_clear(&file);
}

static void something_else_than_a_module_is_refused_from_its_first_byte(void)
{
    struct ag_plugin_head head;
    const struct ag_key_list keys = { NULL, 0 };
    CHECK_EQUAL(ag_file_head_check("<html>", 6, &keys, &head), AG_ERR_WASM_MAGIC);
    CHECK_EQUAL(ag_file_head_check("<", 1, &keys, &head), AG_ERR_WASM_MAGIC);
    CHECK_EQUAL(ag_file_head_check("\0asm\2\0\0\0", 8, &keys, &head), AG_ERR_WASM_MAGIC);
    CHECK_EQUAL(ag_file_head_check("", 0, &keys, &head), AG_ERR_TRUNCATED);
}

static void an_unknown_key_is_told_from_a_forged_signature(void)
{
    struct ag_buffer file = signed_fixture();
    const struct ag_key_list other = list_of(&key_b);
    const struct ag_key_list none = { NULL, 0 };
    CHECK_EQUAL(check_with(file.bytes, file.size, &other), AG_ERR_FILE_KEY);
    CHECK_EQUAL(check_with(file.bytes, file.size, &none), AG_ERR_FILE_KEY);
    // The signature is the last thing in its section, which `hashed_from` ends.
    struct ag_plugin_head head;
    const struct ag_key_list keys = list_of(&key_a);
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &head), AG_OK);
    file.bytes[head.hashed_from - 1] ^= 0x10;
    CHECK_EQUAL(check(&file), AG_ERR_FILE_FORGED);
    ag_buffer_clear(&file);
}

static void one_known_signer_of_several_is_enough(void)
{
    struct ag_buffer file = signed_fixture();
    const struct ag_key_list second = list_of(&key_b);
    struct ag_plugin_head head;
    fixture_sign(&file, &key_b);
    CHECK_EQUAL(check(&file), AG_OK);
    CHECK_EQUAL(check_with(file.bytes, file.size, &second), AG_OK);
    uint8_t both[2][AG_ED25519_KEY_SIZE];
    memcpy(both[0], key_b.public_, sizeof both[0]);
    memcpy(both[1], key_a.public_, sizeof both[1]);
    const struct ag_key_list keys = { both[0], 2 };
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &head), AG_OK);
    CHECK_BYTES(head.signer, key_a.id, sizeof key_a.id); // the first one in the file
    ag_buffer_clear(&file);
}

static void a_known_signer_that_did_not_sign_spoils_the_file(void)
{
    struct ag_buffer file = signed_fixture();
    struct ag_plugin_head head;
    fixture_sign(&file, &key_b);
    uint8_t both[2][AG_ED25519_KEY_SIZE];
    memcpy(both[0], key_a.public_, sizeof both[0]);
    memcpy(both[1], key_b.public_, sizeof both[1]);
    const struct ag_key_list keys = { both[0], 2 };
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &head), AG_OK);
    file.bytes[head.hashed_from - 1] ^= 1; // of the second signature
    CHECK_EQUAL(check_with(file.bytes, file.size, &keys), AG_ERR_FILE_FORGED);
    ag_buffer_clear(&file);
}

static void as_many_signers_as_allowed_fit_and_no_more(void)
{
    struct ag_buffer file = signed_fixture();
    struct ag_signing_file opened;
    struct ag_buffer out = { 0 };
    for (uint8_t i = 1; i < AG_CFG_SIGNER_MAX; i++) {
        struct ag_keyfile key = fixture_key(100 + i);
        fixture_sign(&file, &key);
        ag_keyfile_close(&key);
    }
    CHECK_EQUAL(check(&file), AG_OK);
    struct ag_keyfile key = fixture_key(99);
    CHECK_EQUAL(ag_signing_open(file.bytes, file.size, &opened), AG_OK);
    CHECK_EQUAL(ag_signing_add(&opened, &key, &out), AG_ERR_NO_SPACE);
    CHECK_EQUAL(ag_signing_add(&opened, &key_a, &out), AG_ERR_NO_SPACE);
    ag_keyfile_close(&key);
    ag_buffer_clear(&file);
}

static void signing_refuses_a_key_twice_and_a_changed_file(void)
{
    struct ag_buffer file = signed_fixture();
    struct ag_signing_file opened;
    struct ag_buffer out = { 0 };
    CHECK_EQUAL(ag_signing_open(file.bytes, file.size, &opened), AG_OK);
    CHECK_EQUAL(ag_signing_add(&opened, &key_a, &out), AG_ERR_ARGUMENT);
    file.bytes[file.size - 40] ^= 1;
    CHECK_EQUAL(ag_signing_open(file.bytes, file.size, &opened), AG_OK);
    CHECK_EQUAL(ag_signing_add(&opened, &key_b, &out), AG_ERR_FILE_HASH);
    ag_buffer_clear(&file);
}

// A file whose metadata section has this payload, signed by key_a.
static enum ag_status check_metadata(const void *payload, size_t size)
{
    struct ag_buffer file = { 0 };
    struct ag_signing_file opened;
    struct ag_buffer out = { 0 };
    uint8_t valid[] = "\1\3\1x\4\1\x08\1";
    open_keys();
    // The signer refuses bad metadata, so sign good metadata and put the hashes of the bad in.
    fixture_unsigned(&file, valid, sizeof valid - 1, fixture_sections, fixture_sections_size);
    CHECK_EQUAL(ag_signing_open(file.bytes, file.size, &opened), AG_OK);
    struct ag_buffer bad = { 0 };
    fixture_unsigned(&bad, payload, size, fixture_sections, fixture_sections_size);
    opened.covered = bad.bytes + 8;
    opened.covered_size = bad.size - 8;
    opened.head_size = 1 + 1 + 1 + 8 + size + 38;
    struct ag_sha256 hash;
    ag_crypto_sha256_init(&hash);
    ag_crypto_sha256_update(&hash, opened.covered, opened.head_size);
    ag_crypto_sha256_peek(&hash, opened.hashes);
    ag_crypto_sha256_update(&hash, opened.covered + opened.head_size,
                            opened.covered_size - opened.head_size);
    ag_crypto_sha256_finish(&hash, opened.hashes + AG_SHA256_SIZE);
    CHECK_EQUAL(ag_signing_add(&opened, &key_a, &out), AG_OK);
    const enum ag_status status = check(&out);
    ag_buffer_clear(&out);
    ag_buffer_clear(&bad);
    ag_buffer_clear(&file);
    return status;
}

static void signed_metadata_that_is_broken_or_of_another_abi_is_refused(void)
{
    CHECK_EQUAL(check_metadata("\1\3\1x\4\1\x08\1", 8), AG_OK);
    CHECK_EQUAL(check_metadata("\1\3\1x\4\1\x08\2", 8), AG_ERR_FILE_ABI);
    CHECK_EQUAL(check_metadata("\1\3\1\n\4\1\x08\1", 8), AG_ERR_FILE_METADATA);
    CHECK_EQUAL(check_metadata("", 0), AG_ERR_FILE_METADATA);
}

// A file with other standard sections, signed by key_a.
static enum ag_status check_sections(const void *sections, size_t size)
{
    struct ag_buffer file = { 0 };
    open_keys();
    fixture_unsigned(&file, "\1\3\1x\4\1\x08\1", 8, sections, size);
    fixture_sign(&file, &key_a);
    const enum ag_status status = check(&file);
    ag_buffer_clear(&file);
    return status;
}

static void signed_sections_that_are_out_of_order_are_refused(void)
{
    CHECK_EQUAL(check_sections("", 0), AG_OK);
    CHECK_EQUAL(check_sections("\1\1\0\3\1\0\14\1\0\12\1\0\13\1\0", 15), AG_OK); // 12 before 10
    CHECK_EQUAL(check_sections("\3\1\0\1\1\0", 6), AG_ERR_WASM_MALFORMED);
    CHECK_EQUAL(check_sections("\1\1\0\1\1\0", 6), AG_ERR_WASM_MALFORMED);
    CHECK_EQUAL(check_sections("\15\1\0", 3), AG_ERR_WASM_MALFORMED);
    CHECK_EQUAL(check_sections("\0\12\11signature", 12), AG_ERR_WASM_MALFORMED);
    CHECK_EQUAL(check_sections("\0\11\10airgraft", 11), AG_ERR_WASM_MALFORMED);
    CHECK_EQUAL(check_sections("\0\5\4name", 7), AG_OK); // other custom sections stay
}

static void a_valid_signature_over_nonsense_code_is_left_to_the_engine(void)
{
    CHECK_EQUAL(check_sections("\12\4\377\377\377\377", 6), AG_OK);
}

// Signature sections with one byte changed each, in every place of the fixed parts.
static void every_other_form_of_the_signature_section_is_refused(void)
{
    struct ag_buffer file = signed_fixture();
    struct ag_signing_file opened;
    CHECK_EQUAL(ag_signing_open(file.bytes, file.size, &opened), AG_OK);
    const size_t size = opened.signature_size;
    uint8_t *payload = malloc(size + 1);
    memcpy(payload, opened.signature, size);
    static const size_t fixed[] = { 0, 1, 2, 3, 4, 69, 70, 75, 76 };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        for (int value = 0; value < 256; value++) {
            const uint8_t before = payload[fixed[i]];
            if (value == before)
                continue;
            payload[fixed[i]] = (uint8_t)value;
            fixture_replace_signature(&file, payload, size);
            test_note("byte %zu is %d", fixed[i], value);
            CHECK_EQUAL(check(&file), AG_ERR_FILE_SIGNATURE);
            payload[fixed[i]] = before;
        }
    }
    for (size_t cut = 0; cut < size; cut++) {
        fixture_replace_signature(&file, payload, cut);
        test_note("cut to %zu bytes", cut);
        CHECK_EQUAL(check(&file), AG_ERR_FILE_SIGNATURE);
    }
    payload[size] = 0;
    fixture_replace_signature(&file, payload, size + 1);
    CHECK_EQUAL(check(&file), AG_ERR_FILE_SIGNATURE);
    free(payload);
    ag_buffer_clear(&file);
}

static void a_head_that_claims_to_be_long_is_refused_early(void)
{
    struct ag_plugin_head head;
    const struct ag_key_list keys = { NULL, 0 };
    // A signature section of 1 MB: refused from its header.
    CHECK_EQUAL(ag_file_head_check("\0asm\1\0\0\0\0\200\200\100", 12, &keys, &head),
                AG_ERR_FILE_UNSIGNED);
    // A length in more bytes than it needs.
    CHECK_EQUAL(ag_file_head_check("\0asm\1\0\0\0\0\212\0\11signature", 20, &keys, &head),
                AG_ERR_FILE_UNSIGNED);
}

// Eight signers, seven of them strangers with long key ids, and as much metadata as allowed.
static void the_longest_head_is_within_its_bound(void)
{
    struct ag_buffer file = { 0 };
    struct ag_buffer payload = { 0 };
    struct ag_signing_file opened;
    uint8_t metadata[AG_METADATA_SIZE_MAX] = "\1\3\1x\4\1\x08\1\x7F\xF5\3";
    open_keys();
    fixture_unsigned(&file, metadata, sizeof metadata, "", 0);
    fixture_sign(&file, &key_a);
    CHECK_EQUAL(ag_signing_open(file.bytes, file.size, &opened), AG_OK);
    ag_buffer_append(&payload, opened.signature, opened.signature_size);
    payload.bytes[69] = AG_CFG_SIGNER_MAX;
    for (int i = 1; i < AG_CFG_SIGNER_MAX; i++) {
        uint8_t stranger[1 + 32 + 2 + 64] = { 32 };
        stranger[33] = 1;
        stranger[34] = 64;
        ag_buffer_append(&payload, stranger, sizeof stranger);
    }
    fixture_replace_signature(&file, payload.bytes, payload.size);
    struct ag_plugin_head head;
    const struct ag_key_list keys = list_of(&key_a);
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &head), AG_OK);
    CHECK_EQUAL(head.size + 32 - AG_KEYS_ID_SIZE, AG_FILE_HEAD_MAX);
    CHECK_EQUAL(check(&file), AG_OK);
    ag_buffer_clear(&payload);
    ag_buffer_clear(&file);
}

static void a_proof_in_steps_is_the_same_as_in_one(void)
{
    struct ag_buffer file = signed_blinky();
    const struct ag_key_list keys = list_of(&key_a);
    struct ag_plugin_head head;
    uint8_t whole[AG_SHA256_SIZE];
    CHECK_EQUAL(ag_file_check(file.bytes, file.size, &keys, &head, whole), AG_OK);
    for (size_t step = 1; step < 70; step += 3) {
        struct ag_file_proof proof;
        uint8_t sha256[AG_SHA256_SIZE];
        test_note("steps of %zu", step);
        ag_file_proof_init(&proof, file.bytes, &head);
        for (size_t available = 0; available < file.size; available += 2 * step) {
            while (!ag_file_proof_step(&proof, available, step))
                continue;
        }
        CHECK_EQUAL(ag_file_proof_finish(&proof, file.size, sha256), AG_OK);
        CHECK_BYTES(sha256, whole, sizeof whole);
    }
    ag_buffer_clear(&file);
}

static void a_proof_can_be_abandoned(void)
{
    struct ag_buffer file = signed_fixture();
    const struct ag_key_list keys = list_of(&key_a);
    struct ag_plugin_head head;
    struct ag_file_proof proof;
    CHECK_EQUAL(ag_file_head_check(file.bytes, file.size, &keys, &head), AG_OK);
    ag_file_proof_init(&proof, file.bytes, &head);
    CHECK(ag_file_proof_step(&proof, 100, 1000));
    CHECK_EQUAL(ag_file_proof_finish(&proof, 0, NULL), AG_ERR_TRUNCATED);
    ag_buffer_clear(&file);
}

static const struct test_case cases[] = {
    TEST(a_signed_file_is_proven_and_its_metadata_read),
    TEST(signature_and_metadata_of_blinky_take_at_most_200_bytes),
    TEST(the_head_asks_for_more_bytes_until_it_is_there),
    TEST(every_truncation_is_refused),
    TEST(every_flipped_bit_is_refused_with_a_status),
    TEST(a_flipped_bit_in_the_code_is_a_wrong_hash),
    TEST(a_changed_head_is_a_wrong_hash_before_it_is_read),
    TEST(bytes_behind_the_last_delimiter_are_refused),
    TEST(an_unsigned_file_is_refused),
    TEST(something_else_than_a_module_is_refused_from_its_first_byte),
    TEST(an_unknown_key_is_told_from_a_forged_signature),
    TEST(one_known_signer_of_several_is_enough),
    TEST(a_known_signer_that_did_not_sign_spoils_the_file),
    TEST(as_many_signers_as_allowed_fit_and_no_more),
    TEST(signing_refuses_a_key_twice_and_a_changed_file),
    TEST(signed_metadata_that_is_broken_or_of_another_abi_is_refused),
    TEST(signed_sections_that_are_out_of_order_are_refused),
    TEST(a_valid_signature_over_nonsense_code_is_left_to_the_engine),
    TEST(every_other_form_of_the_signature_section_is_refused),
    TEST(a_head_that_claims_to_be_long_is_refused_early),
    TEST(the_longest_head_is_within_its_bound),
    TEST(a_proof_in_steps_is_the_same_as_in_one),
    TEST(a_proof_can_be_abandoned),
};

TEST_MAIN(cases)
