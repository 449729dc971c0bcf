// SPDX-License-Identifier: Apache-2.0
// Tests of plugin/trust.h.
#include "plugin/trust.h"

#include <stdlib.h>
#include <string.h>

#include "cli/trustfile.h"
#include "test/harness.h"
#include "test/unit/plugin/plugin_fixture.h"

enum {
    KEY_COUNT = 6
};

static struct ag_keyfile keys[KEY_COUNT];
static uint8_t public_keys[KEY_COUNT][AG_ED25519_KEY_SIZE];
static struct ag_buffer root;

static void open_keys(void)
{
    if (keys[0].key)
        return;
    for (uint8_t i = 0; i < KEY_COUNT; i++) {
        keys[i] = fixture_key(10 + i);
        memcpy(public_keys[i], keys[i].public_, sizeof public_keys[i]);
    }
    ag_buffer_append(&root, "\x30\x82\x01\x00", 4);
    for (int i = 0; i < 256; i++)
        ag_buffer_append_u8(&root, (uint8_t)i);
}

// Authorities: keys 0 to authorities - 1. Plug-in keys: 3, 4. One root. Signers: from `first`.
static struct ag_buffer make(uint32_t epoch, uint32_t threshold, size_t first_authority,
                             size_t authorities, size_t first_signer, size_t signers)
{
    struct ag_buffer object = { 0 };
    open_keys();
    const struct ag_trustfile_plan plan = {
        .epoch = epoch,
        .threshold = threshold,
        .authority_keys = public_keys[first_authority],
        .authority_count = authorities,
        .plugin_keys = public_keys[3],
        .plugin_count = 2,
        .roots = &root,
        .root_count = 1,
        .signers = &keys[first_signer],
        .signer_count = signers,
    };
    ag_trustfile_make(&plan, &object);
    return object;
}

static enum ag_status read(const uint8_t *bytes, size_t size)
{
    struct ag_trust trust;
    uint8_t *exact = malloc(size > 0 ? size : 1);
    memcpy(exact, bytes, size);
    const enum ag_status status = ag_trust_read(exact, size, &trust);
    free(exact);
    return status;
}

static enum ag_status read_and_clear(struct ag_buffer object)
{
    const enum ag_status status = read(object.bytes, object.size);
    ag_buffer_clear(&object);
    return status;
}

static void what_is_made_is_read_back(void)
{
    struct ag_buffer object = make(7, 2, 0, 3, 0, 2);
    struct ag_trust trust;
    const uint8_t *der;
    size_t size;
    CHECK_EQUAL(ag_trust_read(object.bytes, object.size, &trust), AG_OK);
    CHECK_EQUAL(trust.epoch, 7);
    CHECK_EQUAL(trust.threshold, 2);
    CHECK_EQUAL(trust.authority_keys.count, 3);
    CHECK_EQUAL(trust.plugin_keys.count, 2);
    CHECK_BYTES(ag_keys_at(&trust.authority_keys, 2), public_keys[2], sizeof public_keys[2]);
    CHECK_BYTES(ag_keys_at(&trust.plugin_keys, 1), public_keys[4], sizeof public_keys[4]);
    CHECK_EQUAL(ag_trust_root(&trust, 0, &der, &size), AG_OK);
    CHECK_EQUAL(size, root.size);
    CHECK_BYTES(der, root.bytes, size);
    CHECK_EQUAL(ag_trust_root(&trust, 1, &der, &size), AG_ERR_NOT_FOUND);
    ag_buffer_clear(&object);
}

static void what_was_proven_before_is_read_without_its_signatures(void)
{
    struct ag_buffer object = make(7, 2, 0, 3, 0, 2);
    struct ag_trust trust;
    for (size_t size = 0; size < object.size; size++) { // as strict in all else
        uint8_t *exact = malloc(size > 0 ? size : 1);
        memcpy(exact, object.bytes, size);
        const enum ag_status status = ag_trust_read_proven(exact, size, &trust);
        free(exact);
        CHECK_EQUAL(status, read(object.bytes, size));
    }
    object.bytes[object.size - 1] ^= 1;
    CHECK_EQUAL(read(object.bytes, object.size), AG_ERR_TRUST_FORGED);
    CHECK_EQUAL(ag_trust_read_proven(object.bytes, object.size, &trust), AG_OK);
    CHECK_EQUAL(trust.epoch, 7);
    CHECK_BYTES(ag_keys_at(&trust.plugin_keys, 1), public_keys[4], sizeof public_keys[4]);
    ag_buffer_clear(&object);
}

static void the_threshold_of_its_own_keys_must_have_signed(void)
{
    CHECK_EQUAL(read_and_clear(make(1, 2, 0, 3, 0, 2)), AG_OK);
    CHECK_EQUAL(read_and_clear(make(1, 2, 0, 3, 1, 2)), AG_OK);
    CHECK_EQUAL(read_and_clear(make(1, 2, 0, 3, 0, 3)), AG_OK);
    CHECK_EQUAL(read_and_clear(make(1, 2, 0, 3, 0, 1)), AG_ERR_TRUST_THRESHOLD);
    CHECK_EQUAL(read_and_clear(make(1, 1, 0, 3, 3, 3)), AG_ERR_TRUST_THRESHOLD); // strangers
    CHECK_EQUAL(read_and_clear(make(1, 2, 0, 3, 2, 3)), AG_ERR_TRUST_THRESHOLD); // one of three
}

static void one_key_that_signs_twice_counts_once(void)
{
    struct ag_buffer object = make(1, 2, 0, 3, 0, 2);
    // The second signature becomes a copy of the first.
    memcpy(object.bytes + object.size - AG_TRUST_SIGNATURE_SIZE,
           object.bytes + object.size - 2 * AG_TRUST_SIGNATURE_SIZE, AG_TRUST_SIGNATURE_SIZE);
    CHECK_EQUAL(read_and_clear(object), AG_ERR_TRUST_THRESHOLD);
}

static void impossible_counts_are_refused(void)
{
    CHECK_EQUAL(read_and_clear(make(1, 0, 0, 3, 0, 2)), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_and_clear(make(1, 4, 0, 3, 0, 3)), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_and_clear(make(1, 1, 0, 0, 0, 1)), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_and_clear(make(1, 1, 0, 1, 0, 0)), AG_ERR_TRUST_MALFORMED);
}

// The same authority key twice, signed by it: the copy must not count for a second one.
static void an_authority_key_that_stands_there_twice_is_refused(void)
{
    struct ag_buffer object = { 0 };
    open_keys();
    uint8_t twice[2][AG_ED25519_KEY_SIZE];
    memcpy(twice[0], public_keys[0], sizeof twice[0]);
    memcpy(twice[1], public_keys[0], sizeof twice[1]);
    const struct ag_trustfile_plan plan = {
        .epoch = 1,
        .threshold = 2,
        .authority_keys = twice[0],
        .authority_count = 2,
        .signers = keys,
        .signer_count = 1,
    };
    ag_trustfile_make(&plan, &object);
    CHECK_EQUAL(read_and_clear(object), AG_ERR_TRUST_MALFORMED);
}

static void every_truncation_is_refused(void)
{
    struct ag_buffer object = make(1, 2, 0, 3, 0, 2);
    for (size_t size = 0; size < object.size; size++) {
        test_note("%zu bytes", size);
        CHECK_EQUAL(read(object.bytes, size), AG_ERR_TRUNCATED);
    }
    ag_buffer_append(&object, "", 1);
    CHECK_EQUAL(read(object.bytes, object.size), AG_ERR_TRUST_MALFORMED);
    ag_buffer_clear(&object);
}

static void every_flipped_bit_is_refused(void)
{
    struct ag_buffer object = make(1, 2, 0, 3, 0, 2);
    for (size_t bit = 0; bit < 8 * object.size; bit++) {
        object.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        test_note("bit %zu of byte %zu", bit % 8, bit / 8);
        const enum ag_status status = read(object.bytes, object.size);
        CHECK(status == AG_ERR_TRUNCATED || status == AG_ERR_TRUST_MALFORMED ||
              status == AG_ERR_TRUST_FORGED || status == AG_ERR_TRUST_THRESHOLD);
        object.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_EQUAL(read(object.bytes, object.size), AG_OK);
    ag_buffer_clear(&object);
}

static void a_spoilt_signature_of_an_authority_is_told_from_a_missing_one(void)
{
    struct ag_buffer object = make(1, 1, 0, 3, 0, 2); // one is enough, two signed
    object.bytes[object.size - 1] ^= 1;
    CHECK_EQUAL(read_and_clear(object), AG_ERR_TRUST_FORGED);
}

static void an_object_over_the_limit_is_refused(void)
{
    struct ag_buffer object = { 0 };
    open_keys();
    struct ag_buffer large = { 0 };
    ag_buffer_append(&large, "\x30\x82\x40\x00", 4);
    for (size_t i = 0; i < 0x4000; i++)
        ag_buffer_append_u8(&large, 0);
    const struct ag_trustfile_plan plan = {
        .epoch = 1,
        .threshold = 1,
        .authority_keys = public_keys[0],
        .authority_count = 1,
        .roots = &large,
        .root_count = 1,
        .signers = keys,
        .signer_count = 1,
    };
    ag_trustfile_make(&plan, &object);
    CHECK(object.size > AG_CFG_TRUST_SIZE_MAX);
    CHECK_EQUAL(read_and_clear(object), AG_ERR_TRUST_MALFORMED);
    ag_buffer_clear(&large);
}

// An object with one root of these bytes.
static enum ag_status read_with_root(const char *bytes, size_t size)
{
    struct ag_buffer object = { 0 };
    struct ag_buffer other = { 0 };
    open_keys();
    ag_buffer_append(&other, bytes, size);
    const struct ag_trustfile_plan plan = {
        .threshold = 1,
        .authority_keys = public_keys[0],
        .authority_count = 1,
        .roots = &other,
        .root_count = 1,
        .signers = keys,
        .signer_count = 1,
    };
    ag_trustfile_make(&plan, &object);
    ag_buffer_clear(&other);
    return read_and_clear(object);
}

static void a_root_is_one_der_sequence(void)
{
    CHECK_EQUAL(read_with_root("\x30\x81\3abc", 6), AG_OK);
    CHECK_EQUAL(read_with_root("\x30\x82\0\3abc", 7), AG_OK);
    CHECK_EQUAL(read_with_root("\x30\x82\0\4abc", 7), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_with_root("\x30\x82\0\2abc", 7), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_with_root("\x30\x81\2abc", 6), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_with_root("\x31\x81\3abc", 6), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_with_root("\x30\x83\0\0\3abc", 8), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_with_root("\x30\x81", 2), AG_ERR_TRUST_MALFORMED);
    CHECK_EQUAL(read_with_root("", 0), AG_ERR_TRUST_MALFORMED);
}

static enum ag_status replaces(struct ag_buffer current_object, struct ag_buffer candidate_object)
{
    struct ag_trust current;
    struct ag_trust candidate;
    CHECK_EQUAL(ag_trust_read(current_object.bytes, current_object.size, &current), AG_OK);
    CHECK_EQUAL(ag_trust_read(candidate_object.bytes, candidate_object.size, &candidate), AG_OK);
    const enum ag_status status = ag_trust_replaces(&current, &candidate);
    ag_buffer_clear(&current_object);
    ag_buffer_clear(&candidate_object);
    return status;
}

static void an_object_replaces_another_when_its_keys_say_so(void)
{
    CHECK_EQUAL(replaces(make(1, 2, 0, 3, 0, 2), make(2, 2, 0, 3, 1, 2)), AG_OK);
    CHECK_EQUAL(replaces(make(1, 2, 0, 3, 0, 2), make(3, 1, 2, 3, 0, 3)), AG_OK); // other keys
}

static void a_lower_or_equal_epoch_never_replaces(void)
{
    CHECK_EQUAL(replaces(make(2, 1, 0, 3, 0, 1), make(2, 1, 0, 3, 0, 3)), AG_ERR_TRUST_EPOCH);
    CHECK_EQUAL(replaces(make(2, 1, 0, 3, 0, 1), make(1, 1, 0, 3, 0, 3)), AG_ERR_TRUST_EPOCH);
}

static void the_threshold_of_the_old_keys_must_have_signed(void)
{
    // Signed by keys 2 to 4, all of its own authorities; only key 2 is one of the old ones.
    CHECK_EQUAL(replaces(make(1, 2, 0, 3, 0, 2), make(2, 2, 2, 3, 2, 3)), AG_ERR_TRUST_THRESHOLD);
    // A stranger's own object with a high epoch.
    CHECK_EQUAL(replaces(make(1, 1, 0, 1, 0, 1), make(UINT32_MAX, 1, 3, 1, 3, 1)),
                AG_ERR_TRUST_THRESHOLD);
}

static void losing_one_key_of_two_is_survivable(void)
{
    CHECK_EQUAL(replaces(make(1, 1, 0, 2, 0, 1), make(2, 1, 1, 2, 1, 1)), AG_OK); // key 0 is lost
}

static const struct test_case cases[] = {
    TEST(what_is_made_is_read_back),
    TEST(what_was_proven_before_is_read_without_its_signatures),
    TEST(the_threshold_of_its_own_keys_must_have_signed),
    TEST(one_key_that_signs_twice_counts_once),
    TEST(impossible_counts_are_refused),
    TEST(an_authority_key_that_stands_there_twice_is_refused),
    TEST(every_truncation_is_refused),
    TEST(every_flipped_bit_is_refused),
    TEST(a_spoilt_signature_of_an_authority_is_told_from_a_missing_one),
    TEST(an_object_over_the_limit_is_refused),
    TEST(a_root_is_one_der_sequence),
    TEST(an_object_replaces_another_when_its_keys_say_so),
    TEST(a_lower_or_equal_epoch_never_replaces),
    TEST(the_threshold_of_the_old_keys_must_have_signed),
    TEST(losing_one_key_of_two_is_survivable),
};

TEST_MAIN(cases)
