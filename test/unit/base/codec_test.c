// SPDX-License-Identifier: Apache-2.0
// Tests of base/text.h, base/base64.h, base/percent.h and base/url.h.
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/percent.h"
#include "base/text.h"
#include "base/url.h"
#include "base/utf8.h"
#include "test/harness.h"

static void text_is_split_and_compared(void)
{
    struct ag_text rest = ag_text_of("a;;b");
    CHECK(ag_text_equals(ag_text_split(&rest, ';'), "a"));
    CHECK(ag_text_equals(ag_text_split(&rest, ';'), ""));
    CHECK(ag_text_equals(ag_text_split(&rest, ';'), "b"));
    CHECK(rest.at == NULL && rest.size == 0);
    rest = ag_text_of("a;");
    CHECK(ag_text_equals(ag_text_split(&rest, ';'), "a"));
    CHECK(rest.at != NULL && rest.size == 0);
    CHECK_EQUAL(ag_text_of(NULL).size, 0);
    CHECK(ag_text_starts_with(ag_text_of("abc"), "ab"));
    CHECK(!ag_text_starts_with(ag_text_of("a"), "ab"));
    CHECK_EQUAL(ag_text_after(ag_text_of("abc"), 4).size, 0);
    CHECK(ag_text_is_same(ag_text_of("abc"), (struct ag_text){ "abcd", 3 }));
    CHECK(!ag_text_is_same(ag_text_of("abc"), ag_text_of("abd")));
    CHECK(!ag_text_is_same(ag_text_of("abc"), ag_text_of("ab")));
    CHECK(ag_text_is_same(ag_text_of(""), ag_text_of(NULL))); // one of them lies nowhere
    CHECK(!ag_text_is_same(ag_text_of("a"), ag_text_of(NULL)));
}

static void decimal_text_is_bounded(void)
{
    uint64_t value = 7;
    CHECK(ag_text_decimal(ag_text_of("0"), 9, &value) && value == 0);
    CHECK(ag_text_decimal(ag_text_of("18446744073709551615"), UINT64_MAX, &value));
    CHECK(value == UINT64_MAX);
    CHECK(ag_text_decimal(ag_text_of("65535"), 65535, &value) && value == 65535);
    static const char *const wrong[] = { "", "-1", "+1", " 1", "1 ", "1a", "65536", "100000" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_note("%s", wrong[i]);
        CHECK(!ag_text_decimal(ag_text_of(wrong[i]), 65535, &value) && value == 65535);
    }
    CHECK(!ag_text_decimal(ag_text_of("18446744073709551616"), UINT64_MAX, &value));
    CHECK(!ag_text_decimal(ag_text_of("5"), 4, &value));
}

static void base64_gives_the_published_vectors(void)
{
    // RFC 4648, section 10.
    static const char *const texts[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
    static const char *const codes[] = { "",         "Zg==",     "Zm8=",    "Zm9v",
                                         "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    for (size_t i = 0; i < 7; i++) {
        char code[16];
        uint8_t bytes[16];
        size_t size = 99;
        struct ag_writer out;
        ag_writer_init(&out, code, sizeof code);
        ag_base64_encode(&out, texts[i], strlen(texts[i]));
        CHECK_TEXT(ag_writer_finish_text(&out), codes[i]);
        CHECK_EQUAL(out.size, AG_BASE64_SIZE(strlen(texts[i])));
        CHECK_EQUAL(ag_base64_decode(ag_text_of(codes[i]), bytes, strlen(texts[i]), &size), AG_OK);
        CHECK_EQUAL(size, strlen(texts[i]));
        CHECK_BYTES(bytes, texts[i], size);
        if (size > 0)
            CHECK_EQUAL(ag_base64_decode(ag_text_of(codes[i]), bytes, size - 1, &size),
                        AG_ERR_NO_SPACE);
    }
}

static void base64_decodes_what_it_encoded_for_every_pair_of_bytes(void)
{
    for (unsigned i = 0; i < 65536; i++) {
        const uint8_t bytes[2] = { (uint8_t)(i >> 8), (uint8_t)i };
        char code[8];
        uint8_t back[2];
        size_t size;
        struct ag_writer out;
        ag_writer_init(&out, code, sizeof code);
        ag_base64_encode(&out, bytes, 2);
        CHECK_EQUAL(ag_base64_decode(ag_text_of(ag_writer_finish_text(&out)), back, 2, &size),
                    AG_OK);
        CHECK_EQUAL(size, 2);
        CHECK_BYTES(back, bytes, 2);
    }
}

static void base64_refuses_what_is_not_canonical(void)
{
    static const char *const wrong[] = { "Z",    "Zg",     "Zg=",      "Zg===",   "Zh==", "Zm9=",
                                         "=",    "====",   "Z===",     "Zm9v=",   "Zm-v", "Zm_v",
                                         "Zm 9", "Zm9v\n", "Zg==Zg==", "Zm9v====" };
    uint8_t bytes[16];
    size_t size = 99;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_note("%s", wrong[i]);
        CHECK_EQUAL(ag_base64_decode(ag_text_of(wrong[i]), bytes, sizeof bytes, &size),
                    AG_ERR_MALFORMED);
        CHECK_EQUAL(size, 99);
    }
}

static void percent_coding_keeps_what_it_is_told_to(void)
{
    char storage[64];
    struct ag_writer out;
    ag_writer_init(&out, storage, sizeof storage);
    ag_percent_encode(&out, ag_text_of("a-._~ +/=%\xC3\xA9"), AG_PERCENT_URI);
    CHECK_TEXT(ag_writer_finish_text(&out), "a-._~%20%2B%2F%3D%25%C3%A9");
    ag_writer_init(&out, storage, sizeof storage);
    ag_percent_encode(&out, ag_text_of("a.b"), "");
    CHECK_TEXT(ag_writer_finish_text(&out), "a%2Eb");
    ag_writer_init(&out, storage, sizeof storage);
    CHECK_EQUAL(ag_percent_decode(&out, ag_text_of("a%2e%2E+%c3%A9")), AG_OK);
    CHECK_TEXT(ag_writer_finish_text(&out), "a..+\xC3\xA9");
    ag_writer_init(&out, storage, sizeof storage);
    ag_percent_encode(&out, ag_text_of("AZaz09@[`{/:"), "");
    CHECK_TEXT(ag_writer_finish_text(&out), "AZaz09%40%5B%60%7B%2F%3A");
    ag_writer_init(&out, storage, sizeof storage);
    ag_percent_encode(&out, (struct ag_text){ "\0", 1 }, AG_PERCENT_URI);
    CHECK_TEXT(ag_writer_finish_text(&out), "%00");
    ag_writer_init(&out, storage, sizeof storage);
    CHECK_EQUAL(ag_percent_decode(&out, ag_text_of("%aF%fA%09%90")), AG_OK);
    CHECK_TEXT(ag_writer_finish_text(&out), "\xAF\xFA\x09\x90");
    static const char *const wrong[] = {
        "%2G", "%@2", "%2`", "%", "%2", "%2g", "%g2", "a%", "%%20"
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ag_writer_init(&out, storage, sizeof storage);
        CHECK_EQUAL(ag_percent_decode(&out, ag_text_of(wrong[i])), AG_ERR_MALFORMED);
    }
}

static void percent_coding_is_undone_for_every_byte(void)
{
    for (unsigned i = 0; i < 256; i++) {
        const char byte = (char)i;
        char code[8];
        char back[8];
        struct ag_writer out;
        struct ag_writer decoded;
        ag_writer_init(&out, code, sizeof code);
        ag_writer_init(&decoded, back, sizeof back);
        ag_percent_encode(&out, (struct ag_text){ &byte, 1 }, AG_PERCENT_URI);
        CHECK_EQUAL(ag_percent_decode(&decoded, (struct ag_text){ code, out.size }), AG_OK);
        CHECK_EQUAL(decoded.size, 1);
        CHECK_EQUAL(back[0], byte);
    }
}

static void an_https_url_is_taken_apart(void)
{
    static const struct {
        const char *url;
        const char *host;
        uint16_t port;
        const char *target;
        bool is_ipv6;
    } urls[] = {
        { "https://a", "a", 443, "", false },
        { "https://a/", "a", 443, "/", false },
        { "HTTPS://Acct.Blob.core.windows.net/c/b-1.wasm?sv=2021&sig=a%2Fb%3D",
          "acct.blob.core.windows.net", 443, "/c/b-1.wasm?sv=2021&sig=a%2Fb%3D", false },
        { "https://localhost:8443/airgraft/c/b", "localhost", 8443, "/airgraft/c/b", false },
        { "https://127.0.0.1:1?x", "127.0.0.1", 1, "?x", false },
        { "https://[::1]:65535/a", "::1", 65535, "/a", true },
        { "https://[fe80::ABCD]", "fe80::abcd", 443, "", true },
        { "https://a:/b", "a", 443, "/b", false },
        { "https://AZ.az:9", "az.az", 9, "", false },
        { "https://a/b#c?d", "a", 443, "/b", false },
        { "https://a#/b", "a", 443, "", false },
        { "https://a/b:c@d[e]", "a", 443, "/b:c@d[e]", false },
        { "https://a_b.c-d.", "a_b.c-d.", 443, "", false },
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct ag_url url;
        test_note("%s", urls[i].url);
        CHECK_EQUAL(ag_url_parse(ag_text_of(urls[i].url), &url), AG_OK);
        CHECK_TEXT(url.host, urls[i].host);
        CHECK_EQUAL(url.port, urls[i].port);
        CHECK_EQUAL(url.is_ipv6, urls[i].is_ipv6);
        CHECK(ag_text_equals(url.target, urls[i].target));
    }
}

static void a_hostile_url_is_refused(void)
{
    static const char *const wrong[] = {
        "",
        "https://",
        "https:///x",
        "https:/a",
        "http://a/b",
        "hxxxx://a/b",
        "https:",
        "ftp://a",
        "file:///etc/passwd",
        "a/b",
        "//a/b",
        "https://user@a/",
        "https://user:pass@a/",
        "https://a:0/",
        "https://a:65536/",
        "https://a:99999999999999999999/",
        "https://a:-1/",
        "https://a:1x/",
        "https://a:1:2/",
        "https://:443/",
        "https://a b/",
        "https://a/b c",
        "https://a/\r\nHost: b",
        "https://a/\x01",
        "https://a/\x7F",
        "https://\xC3\xA9/",
        "https://a/\xC3\xA9",
        "https://a%00b/",
        "https://a..b/",
        "https://.a/",
        "https://-a/",
        "https://a\\b/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[]/",
        "https://[abc]/",
        "https://[fe80::1%25eth0]/",
        "https://::1/",
        " https://a/",
    };
    struct ag_url url;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_note("%s", wrong[i]);
        CHECK_EQUAL(ag_url_parse(ag_text_of(wrong[i]), &url), AG_ERR_MALFORMED);
    }
    CHECK_EQUAL(ag_url_parse((struct ag_text){ "https://a\0b/", 12 }, &url), AG_ERR_MALFORMED);
}

static void url_and_host_are_limited_in_length(void)
{
    char text[AG_CFG_URL_MAX + 2];
    struct ag_url url;
    memset(text, 'a', sizeof text);
    memcpy(text, "https://a/", 10);
    CHECK_EQUAL(ag_url_parse((struct ag_text){ text, AG_CFG_URL_MAX }, &url), AG_OK);
    CHECK_EQUAL(ag_url_parse((struct ag_text){ text, AG_CFG_URL_MAX + 1 }, &url), AG_ERR_NO_SPACE);
    text[9] = 'a';
    CHECK_EQUAL(ag_url_parse((struct ag_text){ text, 8 + AG_CFG_HOST_MAX }, &url), AG_OK);
    CHECK_EQUAL(strlen(url.host), AG_CFG_HOST_MAX);
    CHECK_EQUAL(ag_url_parse((struct ag_text){ text, 9 + AG_CFG_HOST_MAX }, &url), AG_ERR_NO_SPACE);
}

static void urls_know_their_host(void)
{
    struct ag_url a;
    struct ag_url b;
    CHECK_EQUAL(ag_url_parse(ag_text_of("https://A/x"), &a), AG_OK);
    CHECK_EQUAL(ag_url_parse(ag_text_of("https://a:443/y"), &b), AG_OK);
    CHECK(ag_url_same_host(&a, &b));
    CHECK_EQUAL(ag_url_parse(ag_text_of("https://a:444/y"), &b), AG_OK);
    CHECK(!ag_url_same_host(&a, &b));
    CHECK_EQUAL(ag_url_parse(ag_text_of("https://b/x"), &b), AG_OK);
    CHECK(!ag_url_same_host(&a, &b));
}

// Whether these bytes are one character, and which: by value, not by a table of forms.
static bool is_character(const uint8_t *bytes, size_t size)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    static const uint8_t leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    uint32_t code = bytes[0] & (0x7Fu >> size);
    if (size == 1)
        return bytes[0] < 0x80;
    if ((bytes[0] & (0xFFu << (7 - size) & 0xFF)) != leads[size])
        return false;
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return false;
        code = code << 6 | (bytes[i] & 63u);
    }
    return code >= least[size] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

static void check_utf8(const uint8_t *bytes, size_t size)
{
    const size_t got = ag_utf8_character_size((const char *)bytes, size);
    test_note("%02x %02x, %zu bytes", bytes[0], bytes[1], size);
    for (size_t length = 1; length <= size; length++)
        CHECK_EQUAL(got == length, is_character(bytes, length));
}

static void utf8_is_exactly_the_characters_of_unicode(void)
{
    static const uint8_t borders[] = { 0x7F, 0x80, 0xBF, 0xC0 };
    for (uint32_t first = 0; first < 256; first++) {
        for (uint32_t second = 0; second < 256; second++) {
            for (size_t i = 0; i < sizeof borders * sizeof borders; i++) {
                const uint8_t bytes[4] = { (uint8_t)first, (uint8_t)second,
                                           borders[i % sizeof borders],
                                           borders[i / sizeof borders] };
                for (size_t size = i == 0 ? 1 : 4; size <= 4; size++)
                    check_utf8(bytes, size);
            }
        }
    }
}

static const struct test_case cases[] = {
    TEST(utf8_is_exactly_the_characters_of_unicode),
    TEST(text_is_split_and_compared),
    TEST(decimal_text_is_bounded),
    TEST(base64_gives_the_published_vectors),
    TEST(base64_decodes_what_it_encoded_for_every_pair_of_bytes),
    TEST(base64_refuses_what_is_not_canonical),
    TEST(percent_coding_keeps_what_it_is_told_to),
    TEST(percent_coding_is_undone_for_every_byte),
    TEST(an_https_url_is_taken_apart),
    TEST(a_hostile_url_is_refused),
    TEST(url_and_host_are_limited_in_length),
    TEST(urls_know_their_host),
};
TEST_MAIN(cases)
