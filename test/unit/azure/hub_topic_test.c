// SPDX-License-Identifier: Apache-2.0
// Tests of azure/hub.h: what is written, and what is made of any topic.
#include <stdlib.h>
#include <string.h>

#include "azure/hub.h"
#include "test/harness.h"

static char storage[512];
static struct ag_writer out;

static struct ag_writer *fresh(void)
{
    ag_writer_init(&out, storage, sizeof storage);
    return &out;
}

static void names_and_topics_are_written_as_azure_wants_them(void)
{
    const struct ag_text host = ag_text_of("hub1.azure-devices.net");
    ag_hub_write_user_name(fresh(), host, ag_text_of("dev-01"), ag_text_of("airgraft/1.0 (x;y)"));
    CHECK_TEXT(ag_writer_finish_text(&out),
               "hub1.azure-devices.net/dev-01/?api-version=2021-04-12&DeviceClientType="
               "airgraft%2F1.0%20%28x%3By%29");
    ag_hub_write_resource(fresh(), host, ag_text_of("a/b#c"));
    CHECK_TEXT(ag_writer_finish_text(&out), "hub1.azure-devices.net%2Fdevices%2Fa%2Fb%23c");
    ag_hub_write_get_topic(fresh(), 7);
    CHECK_TEXT(ag_writer_finish_text(&out), "$iothub/twin/GET/?$rid=7");
    ag_hub_write_report_topic(fresh(), UINT32_MAX);
    CHECK_TEXT(ag_writer_finish_text(&out),
               "$iothub/twin/PATCH/properties/reported/?$rid=4294967295");
    ag_hub_write_telemetry_topic(fresh(), ag_text_of("dev-01"), NULL, ag_text_of(NULL));
    CHECK_TEXT(ag_writer_finish_text(&out),
               "devices/dev-01/messages/events/%24.ct=application%2Fjson&%24.ce=utf-8");
    ag_hub_write_telemetry_topic(fresh(), ag_text_of("d"), "plug in", ag_text_of("a&b"));
    CHECK(strstr(ag_writer_finish_text(&out), "&plug%20in=a%26b"));
    ag_hub_write_method_topic(fresh(), 404, ag_text_of("1f&x"));
    CHECK_TEXT(ag_writer_finish_text(&out), "$iothub/methods/res/404/?$rid=1f&x");
}

static struct ag_hub_topic parse(const char *text)
{
    struct ag_hub_topic topic;
    ag_hub_parse_topic(ag_text_of(text), &topic);
    return topic;
}

static void twin_answers_are_read_in_either_order(void)
{
    struct ag_hub_topic topic = parse("$iothub/twin/res/204/?$rid=5&$version=14");
    CHECK_EQUAL(topic.kind, AG_HUB_TOPIC_TWIN);
    CHECK_EQUAL(topic.status, 204);
    CHECK(topic.has_rid && topic.rid == 5);
    CHECK(topic.has_version && topic.version == 14);
    topic = parse("$iothub/twin/res/204/?$version=9223372036854775807&$rid=4294967295");
    CHECK(topic.has_rid && topic.rid == UINT32_MAX);
    CHECK(topic.has_version && topic.version == INT64_MAX);
    topic = parse("$iothub/twin/res/429/?$rid=5");
    CHECK_EQUAL(topic.status, 429);
    CHECK(!topic.has_version);
    topic = parse("$iothub/twin/res/200/?$rid=not-ours&x=y&$version=");
    CHECK_EQUAL(topic.kind, AG_HUB_TOPIC_TWIN);
    CHECK(!topic.has_rid && !topic.has_version);
    topic = parse("$iothub/twin/res/200/?$rid=4294967296&$rid=1&$version=9223372036854775808");
    CHECK(!topic.has_rid && !topic.has_version);
    CHECK_EQUAL(parse("$iothub/twin/res/200").kind, AG_HUB_TOPIC_TWIN);
    CHECK_EQUAL(parse("$iothub/twin/res/200?$rid=1").rid, 1);
}

static void desired_patches_and_methods_are_read(void)
{
    struct ag_hub_topic topic = parse("$iothub/twin/PATCH/properties/desired/?$version=3");
    CHECK_EQUAL(topic.kind, AG_HUB_TOPIC_DESIRED);
    CHECK(topic.has_version && topic.version == 3);
    CHECK(!parse("$iothub/twin/PATCH/properties/desired/").has_version);
    topic = parse("$iothub/methods/POST/re%20start/?$rid=1f&a=b");
    CHECK_EQUAL(topic.kind, AG_HUB_TOPIC_METHOD);
    CHECK(ag_text_equals(topic.method, "re%20start"));
    CHECK(ag_text_equals(topic.method_rid, "1f&a=b"));
    topic = parse("$iothub/methods/POST/m/?$rid=");
    CHECK(topic.kind == AG_HUB_TOPIC_METHOD && topic.method.size == 1 &&
          topic.method_rid.size == 0);
}

static void other_topics_are_ignored(void)
{
    static const char *const texts[] = {
        "",
        "$iothub/twin/res/",
        "$iothub/twin/res/2x0/?$rid=1",
        "$iothub/twin/res/20/?$rid=1",
        "$iothub/twin/res/2000/?$rid=1",
        "$iothub/twin/res/-01/?$rid=1",
        "$iothub/twin/res//?$rid=1",
        "$iothub/methods/POST/",
        "$iothub/methods/POST/?$rid=1",
        "$iothub/methods/POST//?$rid=1",
        "$iothub/methods/POST/x?$rid=1",
        "$iothub/methods/POST/x/?rid=1",
        "$iothub/twin/PATCH/properties/reported/?$rid=1",
        "devices/d/messages/devicebound/a=b",
        "$IOTHUB/twin/res/200/?$rid=1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_note("%s", texts[i]);
        CHECK_EQUAL(parse(texts[i]).kind, AG_HUB_TOPIC_OTHER);
    }
}

static void every_truncation_and_change_of_a_topic_is_survived(void)
{
    static const char *const texts[] = {
        "$iothub/twin/res/204/?$rid=5&$version=14",
        "$iothub/twin/PATCH/properties/desired/?$version=3",
        "$iothub/methods/POST/restart/?$rid=1f",
    };
    for (size_t i = 0; i < 3; i++) {
        for (size_t size = 0; size <= strlen(texts[i]); size++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char *copy = malloc(size + 1);
                struct ag_hub_topic topic;
                memcpy(copy, texts[i], size);
                copy[size] = (char)byte;
                ag_hub_parse_topic((struct ag_text){ copy, size + 1 }, &topic);
                CHECK(topic.version >= 0);
                CHECK(topic.method.size <= size && topic.method_rid.size <= size);
                free(copy);
            }
        }
    }
}

static void twin_statuses_say_whether_to_try_again(void)
{
    CHECK_EQUAL(ag_hub_twin_status(200), AG_OK);
    CHECK_EQUAL(ag_hub_twin_status(204), AG_OK);
    CHECK_EQUAL(ag_hub_twin_status(300), AG_ERR_HUB_REQUEST);
    CHECK_EQUAL(ag_hub_twin_status(400), AG_ERR_HUB_REQUEST);
    CHECK_EQUAL(ag_hub_twin_status(412), AG_ERR_HUB_REQUEST);
    CHECK_EQUAL(ag_hub_twin_status(429), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_hub_twin_status(500), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_hub_twin_status(503), AG_ERR_AGAIN);
}

static const struct test_case cases[] = {
    TEST(names_and_topics_are_written_as_azure_wants_them),
    TEST(twin_answers_are_read_in_either_order),
    TEST(desired_patches_and_methods_are_read),
    TEST(other_topics_are_ignored),
    TEST(every_truncation_and_change_of_a_topic_is_survived),
    TEST(twin_statuses_say_whether_to_try_again),
};
TEST_MAIN(cases)
