// SPDX-License-Identifier: Apache-2.0
// Tests of base/json.h and base/json_writer.h: vectors, every cut, every short input, mutations
// compared with jansson as an independent judge.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "test/harness.h"

// What a document told: one letter an event, texts in brackets; then the final status.
struct trace {
    char text[4096];
    size_t size;
    enum ag_status status;
};

static void add_text(struct trace *trace, const char *text, size_t size)
{
    CHECK(size < sizeof trace->text - trace->size);
    memcpy(trace->text + trace->size, text, size);
    trace->size += size;
    trace->text[trace->size] = 0;
}

static void add_event(struct trace *trace, const struct ag_json_event *event)
{
    static const char letters[] = ".{}[]kstTFNc";
    char integer[32] = "";
    add_text(trace, &letters[event->type], 1);
    if (event->text.at) {
        CHECK_EQUAL(event->text.at[event->text.size], 0);
        add_text(trace, event->overflow ? "<" : "(", 1);
        add_text(trace, event->text.at, event->text.size);
        if (event->is_integer)
            snprintf(integer, sizeof integer, "=%" PRId64, event->integer);
        add_text(trace, integer, strlen(integer));
        add_text(trace, ")", 1);
    }
}

// Acts on keys so that skipping and capturing are part of every property below.
static void act_on(struct ag_json *json, const struct ag_json_event *event, char *capture,
                   size_t capacity)
{
    if (event->type == AG_JSON_KEY && ag_text_equals(event->text, "skip"))
        ag_json_skip(json);
    if (event->type == AG_JSON_KEY && ag_text_equals(event->text, "raw"))
        ag_json_capture(json, capture, capacity);
}

// Feeds in pieces of `first` bytes, then of `step` bytes (0: all the rest), each in its own block
// of memory so that a read beyond it is caught.
static void trace_pieces(const char *bytes, size_t size, size_t first, size_t step,
                         struct trace *trace)
{
    struct ag_json json;
    struct ag_json_event event;
    char token[40];
    char capture[40];
    memset(trace, 0, sizeof *trace);
    ag_json_init(&json, token, sizeof token);
    trace->status = AG_ERR_AGAIN;
    for (size_t at = 0; at < size && trace->status == AG_ERR_AGAIN;) {
        size_t piece_size = at == 0 && first > 0 ? first : step;
        if (piece_size == 0 || piece_size > size - at)
            piece_size = size - at;
        char *copy = malloc(piece_size);
        memcpy(copy, bytes + at, piece_size);
        struct ag_reader piece;
        ag_reader_init(&piece, copy, piece_size);
        while ((trace->status = ag_json_next(&json, &piece, &event)) == AG_OK) {
            add_event(trace, &event);
            act_on(&json, &event, capture, sizeof capture);
        }
        free(copy);
        at += piece_size;
    }
    if (trace->status == AG_ERR_AGAIN) {
        trace->status = ag_json_finish(&json, &event);
        if (trace->status == AG_OK && event.type != AG_JSON_NONE)
            add_event(trace, &event);
    }
}

static struct trace trace_of(const char *text)
{
    struct trace trace;
    trace_pieces(text, strlen(text), 0, 0, &trace);
    return trace;
}

static void check_all_cuts(const char *bytes, size_t size)
{
    struct trace whole;
    struct trace cut;
    trace_pieces(bytes, size, 0, 0, &whole);
    for (size_t first = 1; first < size; first++) {
        test_note("cut at %zu", first);
        trace_pieces(bytes, size, first, 0, &cut);
        CHECK_EQUAL(cut.status, whole.status);
        CHECK_TEXT(cut.text, whole.text);
    }
    trace_pieces(bytes, size, 0, 1, &cut);
    CHECK_EQUAL(cut.status, whole.status);
    CHECK_TEXT(cut.text, whole.text);
}

static const char document[] =
    "{\"desired\" : {\"a\":[1,-2.5e3,true,false,null,{},[]],\r\n\t\"b\\u00e9\\\"\\n\":\"\xC3\xA9"
    "\xE2\x82\xAC\xF0\x9F\x98\x80 \\uD83D\\uDE00\", \"skip\":{\"x\":[1,{\"raw\":2}]},\"raw\": "
    "{ \"k\" : [ 1 , \"a b\\u0020\" ] } ,\"$version\":14}}  ";

static void a_document_is_told_event_by_event(void)
{
    const struct trace trace = trace_of(document);
    CHECK_EQUAL(trace.status, AG_OK);
    CHECK_TEXT(trace.text,
               "{k(desired){k(a)[t(1=1)t(-2.5e3=-2500)TFN{}[]]k(b\xC3\xA9\"\n)s(\xC3\xA9"
               "\xE2\x82\xAC\xF0\x9F\x98\x80 \xF0\x9F\x98\x80)k(skip)k(raw)"
               "c({\"k\":[1,\"a b\\u0020\"]})k($version)t(14=14)}}");
}

static void pieces_of_any_size_tell_the_same(void)
{
    check_all_cuts(document, strlen(document));
    check_all_cuts("-120", 4);
    check_all_cuts("[1e5 ,0.0]", 10);
    check_all_cuts("{\"a\" 1}", 7);
}

static void every_truncation_of_a_document_is_noticed(void)
{
    const size_t size = strlen(document) - 2; // white space at its end
    struct trace trace;
    for (size_t i = 0; i < size; i++) {
        test_note("truncated at %zu", i);
        trace_pieces(document, i, 0, 0, &trace);
        CHECK_EQUAL(trace.status, AG_ERR_TRUNCATED);
    }
}

static void what_rfc_8259_allows_is_accepted(void)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "12",
        "1.5",
        "1E+2",
        "1e-2",
        "0e0",
        "true",
        "null",
        "\"\"",
        " [ ] ",
        "{}",
        "\t\r\n{ }\n",
        "[[],[[]]]",
        "{\"\":0,\"\":1}",
        "\"\\u0000\"",
        "\"\\/\"",
        "\"\x7F\"",
        "[0,0.1,-0.0]",
        "\"\\ud800\"",
        "\"\xEF\xBF\xBF\"",
        "\"\xF4\x8F\xBF\xBF\"",
        "\"\xED\x9F\xBF\"",
        "\"\\uFFFF\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_note("%s", texts[i]);
        CHECK_EQUAL(trace_of(texts[i]).status, AG_OK);
    }
}

static void what_rfc_8259_forbids_is_refused(void)
{
    static const char *const texts[] = {
        "01",
        "-01",
        "+1",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "-",
        "--1",
        "0x1",
        "1a",
        "1 2",
        "NaN",
        "Infinity",
        "tru",
        "trues",
        "True",
        "nul",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[",
        "]",
        "[}",
        "{\"a\":1x",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "'a'",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\",
        "\"a",
        "\"\t\"",
        "\"\n\"",
        "{} {}",
        "[]]",
        "// c\n1",
        "/**/1",
        "\xEF\xBB\xBF{}",
        "\"\x80\"",
        "\"\xC0\x80\"",
        "\"\xC1\xBF\"",
        "\"\xE0\x9F\xBF\"",
        "\"\xED\xA0\x80\"",
        "\"\xF0\x8F\xBF\xBF\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xF5\x80\x80\x80\"",
        "\"\xC3\"",
        "\"\xE2\x82\"",
        "\"\xE2\x28\xA1\"",
        "\xFE",
        "[1\x0C]",
        "",
        "  ",
        "[\"a\",\n4\n,1,",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_note("%s", texts[i]);
        const enum ag_status status = trace_of(texts[i]).status;
        CHECK(status == AG_ERR_MALFORMED || status == AG_ERR_TRUNCATED);
    }
}

static void a_lone_surrogate_becomes_the_replacement_character(void)
{
    CHECK_TEXT(trace_of("\"\\uD800\"").text, "s(\xEF\xBF\xBD)");
    CHECK_TEXT(trace_of("\"\\uDC00x\"").text, "s(\xEF\xBF\xBDx)");
    CHECK_TEXT(trace_of("\"\\uD83D\\n\"").text, "s(\xEF\xBF\xBD\n)");
    CHECK_TEXT(trace_of("\"\\uD83Dx\"").text, "s(\xEF\xBF\xBDx)");
    CHECK_TEXT(trace_of("\"\\uD83D\\u0041\"").text, "s(\xEF\xBF\xBD"
                                                    "A)");
    CHECK_TEXT(trace_of("\"\\uD83D\\uD83D\\uDE00\"").text, "s(\xEF\xBF\xBD\xF0\x9F\x98\x80)");
    CHECK_TEXT(trace_of("\"\\uDBFF\\uDFFF\"").text, "s(\xF4\x8F\xBF\xBF)");
}

static void characters_are_encoded_at_every_boundary(void)
{
    CHECK_TEXT(trace_of("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\"").text,
               "s(\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80)");
    CHECK_TEXT(trace_of("\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\"").text,
               "s(\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80)");
}

static void a_captured_value_stays_in_its_place(void)
{
    static const char text[] = "{\"raw\":[1],\"b\":[22222]}";
    struct ag_json json;
    struct ag_json_event event;
    struct ag_reader piece;
    char token[24];
    char capture[16];
    ag_json_init(&json, token, sizeof token);
    ag_reader_init(&piece, text, strlen(text));
    while (ag_json_next(&json, &piece, &event) == AG_OK)
        act_on(&json, &event, capture, sizeof capture);
    CHECK_EQUAL(ag_json_finish(&json, &event), AG_OK);
    CHECK_TEXT(capture, "[1]");
}

static void whole_numbers_are_integers_however_they_are_written(void)
{
    static const struct {
        const char *text;
        bool is_integer;
        int64_t integer;
    } numbers[] = {
        { "0", true, 0 },
        { "-0.0e5", true, 0 },
        { "11", true, 11 },
        { "11.0", true, 11 },
        { "1.10e1", true, 11 },
        { "1100e-2", true, 11 },
        { "1.1", false, 0 },
        { "1e-1", false, 0 },
        { "1e18", true, 1000000000000000000 },
        { "1e19", false, 0 },
        { "1000000000000000000000e-3", true, 1000000000000000000 },
        { "9223372036854775807", true, INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775808", true, INT64_MIN },
        { "-9223372036854775809", false, 0 },
        { "4503599627370495", true, 4503599627370495 },
        { "18446744073709551616", false, 0 },
        { "1e999999999999999999", false, 0 },
        { "1e-999999999999999999", false, 0 },
        { "0e99999999999", true, 0 },
        { "0.00000000000000001e17", true, 1 },
        { "1.0000000000000000000000000000000", true, 1 },
        { "100200300", true, 100200300 },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char want[128];
        char text[64];
        snprintf(text, sizeof text, "[%s]", numbers[i].text);
        test_note("%s", text);
        if (numbers[i].is_integer)
            snprintf(want, sizeof want, "[t(%s=%" PRId64 ")]", numbers[i].text, numbers[i].integer);
        else
            snprintf(want, sizeof want, "[t(%s)]", numbers[i].text);
        CHECK_TEXT(trace_of(text).text, want);
    }
}

static void a_token_that_is_too_long_is_told_cut_between_characters(void)
{
    // The token buffer holds 39 bytes; the 39th would be the first of two.
    CHECK_TEXT(trace_of("[\"1234567890123456789012345678901234567890\",2]").text,
               "[s<123456789012345678901234567890123456789)t(2=2)]");
    CHECK_TEXT(trace_of("[\"12345678901234567890123456789012345678\xC3\xA9z\"]").text,
               "[s<12345678901234567890123456789012345678)]");
    CHECK_TEXT(trace_of("{\"1234567890123456789012345678901234567890\":0}").text,
               "{k<123456789012345678901234567890123456789)t(0=0)}");
    CHECK_TEXT(trace_of("[1234567890123456789012345678901234567890]").text,
               "[t<123456789012345678901234567890123456789)]");
}

static void a_captured_value_that_is_too_long_is_told_as_overflow(void)
{
    struct trace trace = trace_of("{\"raw\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16],\"b\":1}");
    CHECK_EQUAL(trace.status, AG_OK);
    CHECK_TEXT(trace.text, "{k(raw)c<[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16)k(b)t(1=1)}");
    // Exactly as many bytes as fit.
    trace = trace_of("{\"raw\":[ \"2345678901234567890123456789012345\" ]}");
    CHECK_TEXT(trace.text, "{k(raw)c([\"2345678901234567890123456789012345\"])}");
}

static void values_of_every_type_can_be_captured_and_skipped(void)
{
    CHECK_TEXT(trace_of("{\"raw\":12 ,\"raw\":\"a b\",\"raw\" : null,\"raw\":{},\"raw\":-1}").text,
               "{k(raw)c(12)k(raw)c(\"a b\")k(raw)c(null)k(raw)c({})k(raw)c(-1)}");
    CHECK_TEXT(trace_of("{\"skip\":12,\"skip\":\"a\",\"skip\":true,\"skip\":[[]],\"b\":0}").text,
               "{k(skip)k(skip)k(skip)k(skip)k(b)t(0=0)}");
    CHECK_EQUAL(trace_of("{\"skip\":[1,}]}").status, AG_ERR_MALFORMED);
    CHECK_EQUAL(trace_of("{\"raw\":01}").status, AG_ERR_MALFORMED);
}

static void a_container_can_be_skipped_after_its_beginning(void)
{
    static const char text[] = "[[1,[2],{\"a\":3}],4]";
    struct ag_json json;
    struct ag_json_event event;
    struct ag_reader piece;
    char token[32];
    ag_json_init(&json, token, sizeof token);
    ag_reader_init(&piece, text, strlen(text));
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_OK);
    CHECK_EQUAL(event.depth, 0);
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_OK);
    CHECK_EQUAL(event.type, AG_JSON_ARRAY_BEGIN);
    CHECK_EQUAL(event.depth, 1);
    ag_json_skip(&json);
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_OK);
    CHECK_EQUAL(event.type, AG_JSON_NUMBER);
    CHECK_EQUAL(event.integer, 4);
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_OK);
    CHECK_EQUAL(event.type, AG_JSON_ARRAY_END);
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_ERR_AGAIN);
    CHECK_EQUAL(ag_json_finish(&json, &event), AG_OK);
}

static void another_token_buffer_serves_the_next_token(void)
{
    static const char text[] = "{\"Url\":\"https://a\",\"b\":1}";
    struct ag_json json;
    struct ag_json_event event;
    struct ag_reader piece;
    char token[24];
    char url[12];
    ag_json_init(&json, token, sizeof token);
    ag_reader_init(&piece, text, strlen(text));
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_OK);
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_OK);
    ag_json_set_token(&json, url, sizeof url);
    CHECK_TEXT(token, "Url");
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_OK);
    ag_json_set_token(&json, token, sizeof token);
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_OK);
    CHECK_TEXT(url, "https://a");
    CHECK_TEXT(token, "b");
}

static void nesting_is_limited(void)
{
    char text[2 * AG_CFG_JSON_DEPTH + 3];
    struct trace trace;
    memset(text, '[', AG_CFG_JSON_DEPTH + 1);
    memset(text + AG_CFG_JSON_DEPTH, ']', AG_CFG_JSON_DEPTH);
    trace_pieces(text, 2 * AG_CFG_JSON_DEPTH, 0, 0, &trace);
    CHECK_EQUAL(trace.status, AG_OK);
    memset(text, '[', AG_CFG_JSON_DEPTH + 1);
    memset(text + AG_CFG_JSON_DEPTH + 1, ']', AG_CFG_JSON_DEPTH + 1);
    trace_pieces(text, 2 * AG_CFG_JSON_DEPTH + 2, 0, 0, &trace);
    CHECK_EQUAL(trace.status, AG_ERR_NO_SPACE);
}

static void an_error_sticks(void)
{
    struct ag_json json;
    struct ag_json_event event;
    struct ag_reader piece;
    char token[24];
    ag_json_init(&json, token, sizeof token);
    ag_reader_init(&piece, "}", 1);
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_ERR_MALFORMED);
    ag_reader_init(&piece, "{}", 2);
    CHECK_EQUAL(ag_json_next(&json, &piece, &event), AG_ERR_MALFORMED);
    CHECK_EQUAL(ag_json_finish(&json, &event), AG_ERR_MALFORMED);
}

static bool judge_accepts(const char *bytes, size_t size, bool *abstains)
{
    json_error_t error;
    json_t *value = json_loadb(bytes, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    // jansson takes a NUL for the end of the input, and it refuses what RFC 8259 leaves open:
    // numbers beyond its types, lone surrogates, and U+0000 in keys.
    *abstains = !value && (json_error_code(&error) == json_error_numeric_overflow ||
                           json_error_code(&error) == json_error_null_byte_in_key ||
                           strstr(error.text, "invalid Unicode"));
    *abstains = *abstains || memchr(bytes, 0, size);
    json_decref(value);
    return value != NULL;
}

static void check_against_judge(const char *bytes, size_t size)
{
    struct trace whole;
    struct trace split;
    bool abstains;
    const bool accepted = judge_accepts(bytes, size, &abstains);
    trace_pieces(bytes, size, 0, 0, &whole);
    trace_pieces(bytes, size, 0, 1, &split);
    CHECK_EQUAL(split.status, whole.status);
    CHECK_TEXT(split.text, whole.text);
    if (!abstains)
        CHECK_EQUAL(whole.status == AG_OK, accepted);
}

static void every_input_of_up_to_two_bytes_is_judged_as_jansson_does(void)
{
    for (unsigned i = 0; i < 256; i++) {
        char bytes[2] = { (char)i, 0 };
        test_note("byte %02x", i);
        check_against_judge(bytes, 1);
        for (unsigned j = 0; j < 256; j++) {
            bytes[1] = (char)j;
            test_note("bytes %02x %02x", i, j);
            check_against_judge(bytes, 2);
        }
    }
}

static void mutated_documents_are_judged_as_jansson_does(void)
{
    static const char alphabet[] = "{}[]:,\"\\u0019eE+-. \n\ttrfalsn\x80\xC3\xED\xF4";
    uint32_t random = 12345;
    for (unsigned round = 0; round < 8000; round++) {
        char bytes[sizeof document];
        size_t size = strlen(document);
        memcpy(bytes, document, size);
        for (unsigned changes = round % 3 + 1; changes > 0; changes--) {
            random = random * 1664525 + 1013904223;
            const size_t at = (random >> 8) % size;
            const char letter = alphabet[(random >> 20) % (sizeof alphabet - 1)];
            if (random >> 31) {
                bytes[at] = letter;
            } else {
                memmove(bytes + at, bytes + at + 1, size - at - 1);
                size--;
            }
        }
        test_note("round %u: %.*s", round, (int)size, bytes);
        check_against_judge(bytes, size);
    }
}

static void what_the_writer_writes_the_reader_reads(void)
{
    char storage[512];
    struct ag_writer out;
    struct ag_json_writer json;
    ag_writer_init(&out, storage, sizeof storage);
    ag_json_writer_init(&json, &out);
    ag_json_writer_begin_object(&json);
    ag_json_writer_key(&json, "a");
    ag_json_writer_begin_array(&json);
    ag_json_writer_integer(&json, -1);
    ag_json_writer_integer(&json, INT64_MIN);
    ag_json_writer_bool(&json, true);
    ag_json_writer_bool(&json, false);
    ag_json_writer_null(&json);
    ag_json_writer_begin_object(&json);
    ag_json_writer_end_object(&json);
    ag_json_writer_begin_array(&json);
    ag_json_writer_end_array(&json);
    ag_json_writer_end_array(&json);
    ag_json_writer_key(&json, "q\"\\");
    ag_json_writer_string(&json, "\x01\b\t\n\v\f\r\x1F/\xC3\xA9\x7F");
    ag_json_writer_key(&json, "r");
    ag_json_writer_raw(&json, ag_text_of("{\"x\":1}"));
    ag_json_writer_key(&json, "h");
    ag_json_writer_hex(&json, "\x00\x9F\xFA", 3);
    ag_json_writer_end_object(&json);
    const char *text = ag_writer_finish_text(&out);
    CHECK_TEXT(text,
               "{\"a\":[-1,-9223372036854775808,true,false,null,{},[]],\"q\\\"\\\\\":\"\\u0001"
               "\\b\\t\\n\\u000b\\f\\r\\u001f/\xC3\xA9\x7F\",\"r\":{\"x\":1},\"h\":\"009ffa\"}");
    CHECK_EQUAL(trace_of(text).status, AG_OK);
}

static void bytes_that_are_no_text_are_replaced_one_by_one(void)
{
    char storage[64];
    struct ag_writer out;
    struct ag_json_writer json;
    ag_writer_init(&out, storage, sizeof storage);
    ag_json_writer_init(&json, &out);
    ag_json_writer_string(&json, "a \xFF\xC3(\xE2\x82");
    CHECK_TEXT(ag_writer_finish_text(&out), "\"a \\ufffd\\ufffd(\\ufffd\\ufffd\"");
}

static void the_writer_makes_valid_text_of_any_bytes(void)
{
    for (unsigned i = 0; i < 65536; i++) {
        const char bytes[5] = { 'a', (char)(i >> 8), (char)i, (char)(i * 7), 'z' };
        char storage[64];
        struct ag_writer out;
        struct ag_json_writer json;
        bool abstains;
        ag_writer_init(&out, storage, sizeof storage);
        ag_json_writer_init(&json, &out);
        ag_json_writer_text(&json, (struct ag_text){ bytes, sizeof bytes });
        CHECK_EQUAL(out.status, AG_OK);
        test_note("bytes %04x", i);
        CHECK(judge_accepts(storage, out.size, &abstains));
    }
}

static void a_full_buffer_shows_in_the_writers_status(void)
{
    for (size_t capacity = 0; capacity < 9; capacity++) {
        char storage[9];
        struct ag_writer out;
        struct ag_json_writer json;
        ag_writer_init(&out, storage, capacity);
        ag_json_writer_init(&json, &out);
        ag_json_writer_begin_object(&json);
        ag_json_writer_key(&json, "a");
        ag_json_writer_string(&json, "b");
        ag_json_writer_end_object(&json);
        CHECK_EQUAL(out.status, AG_ERR_NO_SPACE);
        CHECK(out.size <= capacity);
    }
}

static const struct test_case cases[] = {
    TEST(a_document_is_told_event_by_event),
    TEST(pieces_of_any_size_tell_the_same),
    TEST(every_truncation_of_a_document_is_noticed),
    TEST(what_rfc_8259_allows_is_accepted),
    TEST(what_rfc_8259_forbids_is_refused),
    TEST(a_lone_surrogate_becomes_the_replacement_character),
    TEST(characters_are_encoded_at_every_boundary),
    TEST(a_captured_value_stays_in_its_place),
    TEST(whole_numbers_are_integers_however_they_are_written),
    TEST(a_token_that_is_too_long_is_told_cut_between_characters),
    TEST(a_captured_value_that_is_too_long_is_told_as_overflow),
    TEST(values_of_every_type_can_be_captured_and_skipped),
    TEST(a_container_can_be_skipped_after_its_beginning),
    TEST(another_token_buffer_serves_the_next_token),
    TEST(nesting_is_limited),
    TEST(an_error_sticks),
    TEST(every_input_of_up_to_two_bytes_is_judged_as_jansson_does),
    TEST(mutated_documents_are_judged_as_jansson_does),
    TEST(what_the_writer_writes_the_reader_reads),
    TEST(bytes_that_are_no_text_are_replaced_one_by_one),
    TEST(the_writer_makes_valid_text_of_any_bytes),
    TEST(a_full_buffer_shows_in_the_writers_status),
};
TEST_MAIN(cases)
