// SPDX-License-Identifier: Apache-2.0
// Tests of the provisioning partition: what is written is read, and nothing else is.
#include "provisioning/provisioning.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "test/harness.h"

enum {
    SIZE = AG_PROVISIONING_SIZE,
    HEAD = 16,
};

static uint8_t partition[SIZE];
static const uint8_t trust[] = { 1, 2, 3, 0xFF, 0, 4 };

static const struct ag_provisioning full = {
    .connection_string = "HostName=h;DeviceId=d;SharedAccessKey=a2V5",
    .id_scope = "0ne00000000",
    .registration_id = "device-1",
    .key = "a2V5",
    .key_is_group = true,
    .dps_host = "dps.example",
    .dps_port = 8884,
    .hub_port = 8885,
    .one_connection = true,
    .address = "10.0.2.15/24",
    .gateway = "10.0.2.2",
    .dns = "10.0.2.3",
    .dns_port = 5353,
    .time_server = "time.example",
    .time_port = 1123,
    .host_name = "box",
    .wifi_name = "net of mine",
    .wifi_password = "s3cret word",
    .trust = trust,
    .trust_size = sizeof trust,
};

static const size_t texts[] = {
    offsetof(struct ag_provisioning, connection_string),
    offsetof(struct ag_provisioning, id_scope),
    offsetof(struct ag_provisioning, registration_id),
    offsetof(struct ag_provisioning, key),
    offsetof(struct ag_provisioning, dps_host),
    offsetof(struct ag_provisioning, address),
    offsetof(struct ag_provisioning, gateway),
    offsetof(struct ag_provisioning, dns),
    offsetof(struct ag_provisioning, time_server),
    offsetof(struct ag_provisioning, host_name),
    offsetof(struct ag_provisioning, wifi_name),
    offsetof(struct ag_provisioning, wifi_password),
};
enum {
    TEXT_COUNT = sizeof texts / sizeof texts[0]
};

static const char *text_of(const struct ag_provisioning *values, size_t offset)
{
    const char *text;
    memcpy(&text, (const char *)values + offset, sizeof text);
    return text;
}

static void check_same(const struct ag_provisioning *got, const struct ag_provisioning *want)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *a = text_of(got, texts[i]);
        const char *b = text_of(want, texts[i]);
        test_note("text %zu", i);
        CHECK(!a == !b);
        if (a)
            CHECK_TEXT(a, b);
    }
    CHECK_EQUAL(got->key_is_group, want->key_is_group);
    CHECK_EQUAL(got->dps_port, want->dps_port);
    CHECK_EQUAL(got->hub_port, want->hub_port);
    CHECK_EQUAL(got->dns_port, want->dns_port);
    CHECK_EQUAL(got->time_port, want->time_port);
    CHECK_EQUAL(got->one_connection, want->one_connection);
    CHECK_EQUAL(got->trust_size, want->trust_size);
    if (want->trust_size > 0)
        CHECK_BYTES(got->trust, want->trust, want->trust_size);
}

static void what_is_written_is_read(void)
{
    struct ag_provisioning got;
    CHECK_EQUAL(ag_provisioning_write(&full, partition, SIZE), AG_OK);
    CHECK_EQUAL(ag_provisioning_read(partition, SIZE, &got), AG_OK);
    check_same(&got, &full);
    CHECK_EQUAL(partition[SIZE - 1], 0xFF);
}

static void each_value_alone_is_read(void)
{
    struct ag_provisioning got;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        struct ag_provisioning one = { 0 };
        const char *text = text_of(&full, texts[i]);
        memcpy((char *)&one + texts[i], &text, sizeof text);
        CHECK_EQUAL(ag_provisioning_write(&one, partition, SIZE), AG_OK);
        CHECK_EQUAL(ag_provisioning_read(partition, SIZE, &got), AG_OK);
        check_same(&got, &one);
    }
    const struct ag_provisioning none = { 0 };
    CHECK_EQUAL(ag_provisioning_write(&none, partition, SIZE), AG_OK);
    CHECK_EQUAL(ag_provisioning_read(partition, SIZE, &got), AG_OK);
    check_same(&got, &none);
}

static void a_blank_partition_was_never_provisioned(void)
{
    struct ag_provisioning got = full;
    memset(partition, 0xFF, SIZE);
    CHECK_EQUAL(ag_provisioning_read(partition, SIZE, &got), AG_ERR_NOT_FOUND);
    memset(partition, 0, SIZE);
    CHECK_EQUAL(ag_provisioning_read(partition, SIZE, &got), AG_ERR_MALFORMED);
    check_same(&got, &full); // untouched
}

static void every_flipped_bit_is_found(void)
{
    struct ag_provisioning got = full;
    CHECK_EQUAL(ag_provisioning_write(&full, partition, SIZE), AG_OK);
    size_t end = SIZE;
    while (partition[end - 1] == 0xFF)
        end--;
    for (size_t bit = 0; bit < end * 8; bit++) {
        test_note("bit %zu", bit);
        partition[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQUAL(ag_provisioning_read(partition, SIZE, &got), AG_ERR_MALFORMED);
        partition[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    check_same(&got, &full);
}

static void every_shorter_partition_is_refused(void)
{
    struct ag_provisioning got;
    CHECK_EQUAL(ag_provisioning_write(&full, partition, SIZE), AG_OK);
    uint32_t end = SIZE;
    while (partition[end - 1] == 0xFF)
        end--;
    for (uint32_t size = 0; size < end; size++) {
        uint8_t *copy = malloc(size + 1u); // of its own size, so that reads beyond it are seen
        memcpy(copy, partition, size);
        const enum ag_status status = ag_provisioning_read(copy, size, &got);
        free(copy);
        CHECK_EQUAL(status, AG_ERR_MALFORMED);
    }
    CHECK_EQUAL(ag_provisioning_read(partition, end, &got), AG_OK);
}

// A partition with exactly this body, its head right.
static enum ag_status read_body(const char *body, uint32_t size, struct ag_provisioning *got)
{
    static const uint8_t head[] = { 'A', 'G', 'P', 'V', 1, 0, 0, 0 };
    const uint32_t crc = ag_crc32_update(0, body, size);
    memset(partition, 0xFF, SIZE);
    memcpy(partition, head, sizeof head);
    for (uint32_t i = 0; i < 4; i++) {
        partition[8 + i] = (uint8_t)(size >> 8 * i);
        partition[12 + i] = (uint8_t)(crc >> 8 * i);
    }
    memcpy(partition + HEAD, body, size);
    return ag_provisioning_read(partition, SIZE, got);
}
#define BODY(text) text, sizeof(text) - 1

static void unknown_fields_are_passed_over(void)
{
    struct ag_provisioning got;
    CHECK_EQUAL(read_body(BODY("\2\3\0ab\0\7\2\0\1\1\63\2\0xy\376\0\0"), &got), AG_OK);
    CHECK_TEXT(got.id_scope, "ab");
    CHECK_EQUAL(got.dps_port, 0x101);
}

static void fields_that_are_wrong_are_refused(void)
{
    static const struct {
        const char *what;
        const char *body;
        uint32_t size;
    } cases[] = {
        { "twice", BODY("\2\3\0ab\0\2\3\0ab\0") },
        { "out of order", BODY("\3\3\0ab\0\2\3\0ab\0") },
        { "tag 0", BODY("\0\0\0") },
        { "two keys", BODY("\4\3\0ab\0\5\3\0ab\0") },
        { "no NUL", BODY("\2\3\0abc") },
        { "NUL inside", BODY("\2\4\0a\0b\0") },
        { "empty text", BODY("\2\1\0\0") },
        { "nothing", BODY("\2\0\0") },
        { "port 0", BODY("\7\2\0\0\0") },
        { "short port", BODY("\7\1\0\1") },
        { "long port", BODY("\7\3\0\1\0\0") },
        { "flag with a value", BODY("\11\1\0\1") },
        { "beyond the end", BODY("\2\4\0ab\0") },
        { "half a head", BODY("\2\3") },
        { "a tag alone", BODY("\2") },
    };
    struct ag_provisioning got;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_note("%s", cases[i].what);
        CHECK_EQUAL(read_body(cases[i].body, cases[i].size, &got), AG_ERR_MALFORMED);
    }
}

static void what_is_missing_is_named(void)
{
    struct ag_provisioning values = { 0 };
    CHECK_TEXT(ag_provisioning_missing(&values), "id scope");
    values.id_scope = "a";
    CHECK_TEXT(ag_provisioning_missing(&values), "registration id");
    values.registration_id = "a";
    CHECK_TEXT(ag_provisioning_missing(&values), "key");
    values.key = "a";
    CHECK_TEXT(ag_provisioning_missing(&values), "trust store object");
    values.trust = trust;
    values.trust_size = sizeof trust;
    CHECK(!ag_provisioning_missing(&values));
    const struct ag_provisioning string = { .connection_string = "s", .trust_size = 1 };
    CHECK(!ag_provisioning_missing(&string));
}

static void texts_have_a_limit(void)
{
    char text[1100];
    struct ag_provisioning got;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const size_t most = i == 0 ? 1023 : 255;
        struct ag_provisioning one = { 0 };
        const char *at = text;
        memcpy((char *)&one + texts[i], &at, sizeof at);
        memset(text, 'x', sizeof text);
        text[most] = 0;
        CHECK_EQUAL(ag_provisioning_write(&one, partition, SIZE), AG_OK);
        CHECK_EQUAL(ag_provisioning_read(partition, SIZE, &got), AG_OK);
        check_same(&got, &one);
        text[most] = 'x';
        text[most + 1] = 0;
        CHECK_EQUAL(ag_provisioning_write(&one, partition, SIZE), AG_ERR_ARGUMENT);
        CHECK(ag_provisioning_read(partition, SIZE, &got) != AG_OK);
    }
}

static void what_does_not_fit_is_refused(void)
{
    struct ag_provisioning got;
    struct ag_provisioning large = full;
    static uint8_t object[70000];
    large.trust = object;
    uint32_t end = SIZE;
    CHECK_EQUAL(ag_provisioning_write(&full, partition, SIZE), AG_OK);
    while (partition[end - 1] == 0xFF)
        end--;
    for (uint32_t size = 0; size < end; size++)
        CHECK_EQUAL(ag_provisioning_write(&full, partition, size), AG_ERR_NO_SPACE);
    CHECK_EQUAL(ag_provisioning_write(&full, partition, end), AG_OK);
    large.trust_size = SIZE - end + sizeof trust;
    CHECK_EQUAL(ag_provisioning_write(&large, partition, SIZE), AG_OK);
    CHECK_EQUAL(ag_provisioning_read(partition, SIZE, &got), AG_OK);
    check_same(&got, &large);
    large.trust_size++;
    CHECK_EQUAL(ag_provisioning_write(&large, partition, SIZE), AG_ERR_NO_SPACE);
    large.trust_size = 65536;
    CHECK_EQUAL(ag_provisioning_write(&large, partition, SIZE), AG_ERR_NO_SPACE);
    CHECK(ag_provisioning_read(partition, SIZE, &got) != AG_OK);
}

static const struct test_case cases[] = {
    TEST(what_is_written_is_read),
    TEST(each_value_alone_is_read),
    TEST(a_blank_partition_was_never_provisioned),
    TEST(every_flipped_bit_is_found),
    TEST(every_shorter_partition_is_refused),
    TEST(unknown_fields_are_passed_over),
    TEST(fields_that_are_wrong_are_refused),
    TEST(what_is_missing_is_named),
    TEST(texts_have_a_limit),
    TEST(what_does_not_fit_is_refused),
};
TEST_MAIN(cases)
