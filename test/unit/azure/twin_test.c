// SPDX-License-Identifier: Apache-2.0
// Tests of azure/twin.h.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "azure/twin.h"
#include "test/harness.h"

// What a document told, as text: `list[`, then per entry its name, status and members.
struct trace {
    char text[24576];
    size_t size;
    enum ag_status status;
    struct ag_twin_summary summary;
};

__attribute__((format(printf, 2, 3))) static void add(struct trace *trace, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t left = sizeof trace->text - trace->size;
    const int size = vsnprintf(trace->text + trace->size, left, format, arguments);
    va_end(arguments);
    CHECK(size >= 0 && (size_t)size < left);
    trace->size += (size_t)size;
}

static void add_members(struct trace *trace, const struct ag_twin_entry *entry)
{
    add(trace, " %s", entry->url.size > 0 ? entry->url.at : "-");
    if (entry->has_version)
        add(trace, " v%" PRIu32, entry->version);
    for (size_t i = 0; entry->has_sha256 && i < sizeof entry->sha256; i++)
        add(trace, "%s%02x", i ? "" : " sha", entry->sha256[i]);
    if (entry->settings.size > 0)
        add(trace, " settings%s", entry->settings.at);
    if (entry->window.size > 0)
        add(trace, " window%s", entry->window.at);
    if (entry->trial.has_runs)
        add(trace, " runs%" PRIu32, entry->trial.runs);
    if (entry->trial.has_ms)
        add(trace, " trial%" PRIu32 "ms", entry->trial.ms);
    if (entry->trial.has_hub)
        add(trace, " %shub", entry->trial.needs_hub ? "" : "no-");
    if (entry->period_ms)
        add(trace, " %" PRIu32 "ms", entry->period_ms);
    if (entry->fuel_per_run)
        add(trace, " fuel%" PRIu64, entry->fuel_per_run);
    if (entry->allow_downgrade)
        add(trace, " downgrade");
    if (!entry->is_enabled)
        add(trace, " disabled");
}

static void add_host(struct trace *trace, const struct ag_twin_host *host)
{
    static const char *const levels[] = { "error", "warning", "info", "debug" };
    add(trace, "host");
    if (host->status != AG_OK)
        add(trace, " %s", ag_status_name(host->status));
    if (host->has_trust) {
        CHECK_EQUAL(host->trust_url.at[host->trust_url.size], 0);
        add(trace, " trust %s e%" PRIu32, host->trust_url.at, host->trust_epoch);
        if (host->has_trust_sha256)
            add(trace, " sha%02x%02x", host->trust_sha256[0], host->trust_sha256[31]);
    }
    if (host->has_log_level)
        add(trace, " %s", levels[host->log_level]);
    if (host->has_one_connection)
        add(trace, " %s", host->one_connection ? "one" : "two");
    add(trace, ";");
}

static void add_event(struct trace *trace, const struct ag_twin_event *event)
{
    static const char *const names[] = { "missing", "null", "list", "object", "wrong" };
    if (event->type == AG_TWIN_MODULES) {
        add(trace, "%s:", names[event->modules]);
        return;
    }
    if (event->type == AG_TWIN_HOST) {
        add_host(trace, event->host);
        return;
    }
    const struct ag_twin_entry *entry = event->entry;
    CHECK(entry->name.size == 0 || entry->name.at[entry->name.size] == 0);
    add(trace, "%" PRIu32 " '%s'", entry->index, entry->name.size > 0 ? entry->name.at : "");
    if (entry->status != AG_OK)
        add(trace, " %s", ag_status_name(entry->status));
    else if (entry->is_removed)
        add(trace, " removed");
    else
        add_members(trace, entry);
    add(trace, ";");
}

static void trace_pieces(enum ag_twin_source source, const char *bytes, size_t size, size_t first,
                         size_t step, struct trace *trace)
{
    static struct ag_twin twin;
    struct ag_twin_event event;
    trace->size = 0;
    trace->text[0] = 0;
    memset(&trace->summary, 0, sizeof trace->summary);
    ag_twin_init(&twin, source);
    trace->status = AG_ERR_AGAIN;
    for (size_t at = 0; at < size && trace->status == AG_ERR_AGAIN;) {
        size_t piece_size = at == 0 && first > 0 ? first : step;
        if (piece_size == 0 || piece_size > size - at)
            piece_size = size - at;
        char *copy = malloc(piece_size);
        memcpy(copy, bytes + at, piece_size);
        struct ag_reader piece;
        ag_reader_init(&piece, copy, piece_size);
        while ((trace->status = ag_twin_next(&twin, &piece, &event)) == AG_OK)
            add_event(trace, &event);
        free(copy);
        at += piece_size;
    }
    const enum ag_status status = ag_twin_finish(&twin, &trace->summary);
    CHECK(trace->status == AG_ERR_AGAIN || trace->status == status);
    trace->status = status;
}

static struct trace *trace_of(enum ag_twin_source source, const char *text)
{
    static struct trace trace;
    trace_pieces(source, text, strlen(text), 0, 0, &trace);
    return &trace;
}

// The text of what a list of entries, or one member beside a sound Name, Url and Version, tells.
static const char *list_of(const char *entries)
{
    char text[8192];
    snprintf(text, sizeof text, "{\"desired\":{\"firmware_modules\":[%s],\"$version\":1}}",
             entries);
    const struct trace *trace = trace_of(AG_TWIN_DOCUMENT, text);
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK_EQUAL(trace->summary.version, 1);
    return trace->text;
}

static const char *entry_with(const char *members)
{
    char text[8192];
    snprintf(text, sizeof text, "{\"Name\":\"a\",\"Url\":\"https://h/a\",\"Version\":1,%s}",
             members);
    return list_of(text);
}

static const char document[] =
    "{\"desired\":{\"other\":{\"firmware_modules\":[1]},\"firmware_modules\":[{\"Url\":"
    "\"https://acct.blob.core.windows.net/c/blinky-11.wasm?sv=1&sig=a%2Fb\",\"Name\":\"blinky\","
    "\"Version\":11},\n {\"Version\":2.0,\"Unknown\":{\"Name\":[\"x\"]},\"Settings\":{ \"limit\" : "
    "[ 1, 2 ] },\"Name\":\"ther mo.stat\",\"Sha256\":\"00112233445566778899aabbccddeeff"
    "00112233445566778899AABBCCDDEEFF\",\"Url\":\"https://h/t\",\"PeriodMs\":250,\"FuelPerRun\":"
    "100000,\"AllowDowngrade\":true,\"Window\":{\"from\":\"02:00\"},\"Enabled\":false,\"Trial\":{\"Runs\":"
    "3,\"Ms\":60000,\"Hub\":true}},{\"Url\":\"\",\"Name\":\"keep\",\"Version\":1}],\"airgraft\":{"
    "\"Trust\":{\"Url\":\"https://h/trust-2\",\"Epoch\":2,\"Sha256\":\"AB112233445566778899aabbccddeeff"
    "00112233445566778899aabbccddeecd\"},\"LogLevel\":\"debug\",\"OneConnection\":true},\"$metadata\":{},\"$version\":14},\"reported\":{"
    "\"firmware_modules\":{\"blinky\":{\"version\":11}},\"$version\":3}}";

static const char document_trace[] =
    "list:0 'blinky' https://acct.blob.core.windows.net/c/blinky-11.wasm?sv=1&sig=a%2Fb v11;"
    "1 'ther mo.stat' https://h/t v2 sha00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
    "settings{\"limit\":[1,2]} "
    "window{\"from\":\"02:00\"} runs3 trial60000ms hub 250ms fuel100000 downgrade disabled;"
    "2 'keep' - v1;host trust https://h/trust-2 e2 shaabcd debug one;";

static void a_document_in_list_form_is_read(void)
{
    const struct trace *trace = trace_of(AG_TWIN_DOCUMENT, document);
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK_TEXT(trace->text, document_trace);
    CHECK_EQUAL(trace->summary.modules, AG_TWIN_MODULES_LIST);
    CHECK_EQUAL(trace->summary.entry_count, 3);
    CHECK(trace->summary.has_version && trace->summary.version == 14);
    CHECK(!trace->summary.needs_document);
}

static void the_object_form_names_entries_by_escaped_keys(void)
{
    const struct trace *trace = trace_of(
        AG_TWIN_DOCUMENT,
        "{\"desired\":{\"$version\":2,\"firmware_modules\":{\"ther%20mo%2Estat\":{\"Url\":"
        "\"https://h/t\",\"Version\":2},\"$metadata\":{\"x\":1},\"b\":{\"Name\":\"b\",\"Url\":\"\"},"
        "\"c\":{\"Name\":\"other\",\"Url\":\"\"},\"d%2\":{\"Url\":\"\"},\"%00\":{\"Url\":\"\"},"
        "\"%FF\":{\"Url\":\"\"},\"\":{\"Url\":\"\"},\"gone\":null,\"n\":1,\"l\":[{}],\"s\":\"x\"}}}");
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK_TEXT(trace->text,
               "object:0 'ther mo.stat' https://h/t v2;1 'b' -;2 'c' twin_name;"
               "3 '' twin_name;4 '' twin_name;5 '' twin_name;6 '' twin_name;"
               "7 'gone' removed;8 'n' twin_entry;9 'l' twin_entry;10 's' twin_entry;");
    CHECK_EQUAL(trace->summary.entry_count, 11);
    CHECK(!trace->summary.needs_document);
}

static void a_patch_is_read_and_its_object_form_wants_the_document(void)
{
    const struct trace *trace = trace_of(
        AG_TWIN_PATCH,
        "{\"firmware_modules\":[{\"Name\":\"a\",\"Url\":\"https://h\",\"Version\":1}],\"$version\":7}");
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK_TEXT(trace->text, "list:0 'a' https://h v1;");
    CHECK_EQUAL(trace->summary.version, 7);
    CHECK(!trace->summary.needs_document);
    trace = trace_of(AG_TWIN_PATCH, "{\"firmware_modules\":{\"a\":{\"Version\":2},\"b\":null},"
                                    "\"$version\":8}");
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK_TEXT(trace->text, "object:0 'a' twin_entry;1 'b' removed;");
    CHECK(trace->summary.needs_document);
    trace = trace_of(AG_TWIN_PATCH, "{\"other\":1,\"$version\":9}");
    CHECK_EQUAL(trace->summary.modules, AG_TWIN_MODULES_MISSING);
    CHECK(!trace->summary.needs_document);
}

static void missing_null_empty_and_wrong_are_told_apart(void)
{
    static const struct {
        const char *text;
        const char *trace;
        enum ag_twin_modules modules;
    } documents[] = {
        { "{\"desired\":{\"$version\":1}}", "", AG_TWIN_MODULES_MISSING },
        { "{\"desired\":null,\"reported\":{}}", "", AG_TWIN_MODULES_MISSING },
        { "{}", "", AG_TWIN_MODULES_MISSING },
        { "{\"desired\":{\"firmware_modules\":null}}", "null:", AG_TWIN_MODULES_NULL },
        { "{\"desired\":{\"firmware_modules\":[]}}", "list:", AG_TWIN_MODULES_LIST },
        { "{\"desired\":{\"firmware_modules\":{}}}", "object:", AG_TWIN_MODULES_OBJECT },
        { "{\"desired\":{\"firmware_modules\":\"x\"}}", "wrong:", AG_TWIN_MODULES_WRONG },
        { "{\"desired\":{\"firmware_modules\":5}}", "wrong:", AG_TWIN_MODULES_WRONG },
        { "{\"desired\":{\"firmware_modules\":true}}", "wrong:", AG_TWIN_MODULES_WRONG },
        { "{\"firmware_modules\":[1]}", "", AG_TWIN_MODULES_MISSING },
        { "{\"desired\":{\"firmware_modules\":[],\"firmware_modules\":{}}}",
          "list:object:", AG_TWIN_MODULES_OBJECT },
    };
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        test_note("%s", documents[i].text);
        const struct trace *trace = trace_of(AG_TWIN_DOCUMENT, documents[i].text);
        CHECK_EQUAL(trace->status, AG_OK);
        CHECK_TEXT(trace->text, documents[i].trace);
        CHECK_EQUAL(trace->summary.modules, documents[i].modules);
    }
}

static void a_second_firmware_modules_begins_afresh(void)
{
    const struct trace *trace =
        trace_of(AG_TWIN_PATCH, "{\"firmware_modules\":[5,5],\"firmware_modules\":[5]}");
    CHECK_TEXT(trace->text, "list:0 '' twin_entry;1 '' twin_entry;list:0 '' twin_entry;");
    CHECK_EQUAL(trace->summary.entry_count, 1);
}

static void only_the_right_place_counts(void)
{
    const struct trace *trace = trace_of(
        AG_TWIN_DOCUMENT,
        "{\"x\":{\"desired\":{\"firmware_modules\":[1]}},\"y\":[{\"desired\":{}}],\"desired\":{\"z\":"
        "{\"$version\":9},\"$version\":{\"firmware_modules\":[2],\"$version\":8}},\"firmware_modules\":[3]}");
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK_TEXT(trace->text, "");
    CHECK(!trace->summary.has_version);
    trace = trace_of(AG_TWIN_DOCUMENT, "{\"desired\":{\"$version\":0}}");
    CHECK(trace->summary.has_version && trace->summary.version == 0);
    trace = trace_of(AG_TWIN_DOCUMENT, "{\"desired\":{\"$version\":-1}}");
    CHECK(!trace->summary.has_version);
}

static void what_is_not_a_twin_is_refused(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "null",
        "5",
        "[]",
        "\"x\"",
        "{",
        "{\"desired\":5}",
        "{\"desired\":[]}",
        "{\"desired\":\"x\"}",
        "{\"desired\":{}",
        "{\"desired\":{}}}",
        "{\"desired\":{},}",
        "{'desired':{}}",
        "not json",
        "{\"desired\":{\"firmware_modules\":[{\"Name\":\"a\"}}}",
        "{\"desired\":{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_note("%s", texts[i]);
        CHECK_EQUAL(trace_of(AG_TWIN_DOCUMENT, texts[i])->status, AG_ERR_TWIN_JSON);
    }
    CHECK_EQUAL(trace_of(AG_TWIN_PATCH, "[]")->status, AG_ERR_TWIN_JSON);
}

static void a_malformed_entry_is_refused_by_itself(void)
{
    CHECK_TEXT(list_of("5,\"x\",null,true,[{\"Name\":\"in\"}],{},{\"Name\":\"a\"},"
                       "{\"Name\":\"b\",\"Url\":\"https://h\"},{\"Name\":\"c\",\"Version\":1},"
                       "{\"Url\":\"https://h\",\"Version\":1},"
                       "{\"Name\":\"ok\",\"Url\":\"https://h\",\"Version\":1}"),
               "list:0 '' twin_entry;1 '' twin_entry;2 '' twin_entry;3 '' twin_entry;"
               "4 '' twin_entry;5 '' twin_name;6 'a' twin_entry;7 'b' twin_entry;8 'c' twin_entry;"
               "9 '' twin_name;10 'ok' https://h v1;");
}

static void names_are_checked(void)
{
    char text[128];
    char name[AG_CFG_NAME_MAX + 2];
    static const char *const wrong[] = { "\"\"",         "5",           "{}",
                                         "[\"a\"]",      "true",        "\"a\\nb\"",
                                         "\"a\\u0000\"", "\"\\u007f\"", "null" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "{\"Name\":%s,\"Url\":\"https://h\",\"Version\":1}", wrong[i]);
        test_note("%s", text);
        CHECK_TEXT(list_of(text), "list:0 '' twin_name;");
    }
    memset(name, 'n', sizeof name);
    name[AG_CFG_NAME_MAX + 1] = 0;
    snprintf(text, sizeof text, "{\"Name\":\"%s\",\"Url\":\"\"}", name);
    CHECK_TEXT(list_of(text), "list:0 '' twin_name;");
    snprintf(text, sizeof text, "{\"Name\":\"%s\",\"Url\":\"\"}", name + 1);
    CHECK(strstr(list_of(text), "nn' -;"));
    CHECK_TEXT(list_of("{\"Name\":\"\\u00e9 %2E.$#\",\"Url\":\"\"}"),
               "list:0 '\xC3\xA9 %2E.$#' -;");
}

static void urls_are_checked(void)
{
    static const char *const wrong[] = { "\"http://h/a\"",
                                         "\"ftp://h\"",
                                         "\"h\"",
                                         "5",
                                         "{}",
                                         "[]",
                                         "true",
                                         "\"https://\"",
                                         "\"https://u@h/\"",
                                         "\"https://h/a b\"",
                                         "\"https://h\\u0000\"",
                                         "\"https://h/\\r\\nX: y\"",
                                         "\"https://h/\\u00e9\"",
                                         "\" \"" };
    char text[8192];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text,
                 "{\"Url\":%s,\"Name\":\"a\",\"Version\":1},{\"Url\":\"\",\"Name\":\"b\"}",
                 wrong[i]);
        test_note("%s", text);
        CHECK_TEXT(list_of(text), "list:0 'a' twin_url;1 'b' -;");
    }
    CHECK_TEXT(list_of("{\"Url\":null,\"Name\":\"a\",\"Version\":1}"), "list:0 'a' twin_entry;");
}

static void a_url_fits_up_to_its_limit(void)
{
    static char text[8192];
    static char url[4097];
    static const struct {
        size_t size;
        bool fits;
    } sizes[] = { { AG_CFG_URL_MAX, true }, { AG_CFG_URL_MAX + 1, false }, { 4096, false } };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(url, 'u', sizeof url);
        memcpy(url, "https://h/", 10);
        url[sizes[i].size] = 0;
        snprintf(
            text, sizeof text,
            "{\"Name\":\"a\",\"Url\":\"%s\",\"Version\":1},{\"Name\":\"b\",\"Url\":\"https://h\","
            "\"Version\":1}",
            url);
        test_note("%zu bytes", sizes[i].size);
        const char *told = list_of(text);
        CHECK_EQUAL(strstr(told, "0 'a' twin_url;") == NULL, sizes[i].fits);
        CHECK(strstr(told, "1 'b' https://h v1;"));
    }
}

static void versions_are_checked(void)
{
    static const char *const wrong[] = {
        "0", "-1", "1.5", "4294967296", "1e99", "\"1\"", "{}", "[1]", "true", "99999999999999999999"
    };
    char text[128];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "{\"Version\":%s,\"Name\":\"a\",\"Url\":\"https://h\"}",
                 wrong[i]);
        test_note("%s", text);
        CHECK_TEXT(list_of(text), "list:0 'a' twin_version;");
    }
    CHECK_TEXT(list_of("{\"Version\":4294967295,\"Name\":\"a\",\"Url\":\"https://h\"}"),
               "list:0 'a' https://h v4294967295;");
}

static void optional_members_are_checked(void)
{
    static const char *const wrong[] = {
        "\"Sha256\":5",
        "\"Sha256\":\"00\"",
        "\"Sha256\":\"g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"",
        "\"Sha256\":\"000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"",
        "\"Settings\":5",
        "\"Settings\":[]",
        "\"Settings\":\"{}\"",
        "\"PeriodMs\":0",
        "\"PeriodMs\":4294967296",
        "\"PeriodMs\":\"5\"",
        "\"PeriodMs\":{\"a\":1}",
        "\"FuelPerRun\":0",
        "\"FuelPerRun\":-1",
        "\"FuelPerRun\":1.5",
        "\"AllowDowngrade\":1",
        "\"AllowDowngrade\":\"true\"",
        "\"Enabled\":0",
        "\"Enabled\":[true]",
        "\"Trial\":5",
        "\"Trial\":[{}]",
        "\"Trial\":\"x\"",
        "\"Trial\":{\"Runs\":0}",
        "\"Trial\":{\"Runs\":4294967296}",
        "\"Trial\":{\"Runs\":{\"Runs\":1}}",
        "\"Trial\":{\"Ms\":-1}",
        "\"Trial\":{\"Ms\":\"5\"}",
        "\"Trial\":{\"Hub\":1}",
        "\"Trial\":{\"Hub\":[true]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_note("%s", wrong[i]);
        CHECK_TEXT(entry_with(wrong[i]), "list:0 'a' twin_member;");
    }
    CHECK_TEXT(entry_with("\"Sha256\":null,\"Settings\":null,\"PeriodMs\":null,\"FuelPerRun\":null,"
                          "\"AllowDowngrade\":null,\"Enabled\":null,\"Window\":null,\"x\":null,"
                          "\"Trial\":null"),
               "list:0 'a' https://h/a v1;");
    CHECK_TEXT(entry_with("\"Settings\":{},\"Window\":\"02:00-04:00\",\"FuelPerRun\":"
                          "9223372036854775807,\"PeriodMs\":4294967295,\"Enabled\":true"),
               "list:0 'a' https://h/a v1 settings{} window\"02:00-04:00\" 4294967295ms "
               "fuel9223372036854775807;");
}

static void settings_and_window_are_limited(void)
{
    static char text[8192];
    for (size_t size = AG_CFG_SETTINGS_MAX - 1; size <= AG_CFG_SETTINGS_MAX + 1; size++) {
        const size_t filler = size - strlen("{\"a\":\"\"}");
        snprintf(text, sizeof text, "\"Settings\":{\"a\":\"%0*d\"}", (int)filler, 0);
        test_note("%zu bytes", size);
        const char *told = entry_with(text);
        CHECK_EQUAL(strcmp(told, "list:0 'a' twin_space;") == 0, size > AG_CFG_SETTINGS_MAX);
    }
    snprintf(text, sizeof text, "\"Window\":\"%0*d\"", AG_CFG_WINDOW_MAX, 0);
    CHECK_TEXT(entry_with(text), "list:0 'a' twin_window;");
}

static void a_trial_overrides_what_it_gives(void)
{
    CHECK_TEXT(entry_with("\"Trial\":{}"), "list:0 'a' https://h/a v1;");
    CHECK_TEXT(entry_with("\"Trial\":{\"Ms\":0,\"Unknown\":{\"Runs\":[0]},\"Runs\":null}"),
               "list:0 'a' https://h/a v1 trial0ms;");
    CHECK_TEXT(entry_with("\"Trial\":{\"Hub\":false,\"Runs\":4294967295},\"PeriodMs\":5"),
               "list:0 'a' https://h/a v1 runs4294967295 no-hub 5ms;");
    CHECK_TEXT(entry_with("\"Trial\":{\"Ms\":1,\"Hub\":true},\"Trial\":{\"Runs\":2}"),
               "list:0 'a' https://h/a v1 runs2;");
    CHECK_TEXT(entry_with("\"Runs\":0,\"Epoch\":{},\"Trust\":5"), "list:0 'a' https://h/a v1;");
}

// What an object airgraft tells, in a document.
static const char *host_of(const char *value)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"desired\":{\"airgraft\":%s,\"firmware_modules\":[{\"Name\":\"a\",\"Url\":"
             "\"https://h/a\",\"Version\":1}],\"$version\":1},\"reported\":{\"airgraft\":5}}",
             value);
    const struct trace *trace = trace_of(AG_TWIN_DOCUMENT, text);
    test_note("%s", value);
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK(!trace->summary.needs_document);
    const char *rest = strstr(trace->text, "list:0 'a' https://h/a v1;");
    CHECK(rest && strlen(rest) == strlen("list:0 'a' https://h/a v1;"));
    trace_of(AG_TWIN_DOCUMENT, text)->text[rest - trace->text] = 0;
    return trace->text;
}

static void the_last_of_two_equal_members_counts(void)
{
    CHECK_TEXT(list_of("{\"Name\":\"a\",\"Url\":\"https://x\",\"Version\":1,\"Name\":\"b\",\"Url\":"
                       "\"https://y\",\"Version\":2}"),
               "list:0 'b' https://y v2;");
    CHECK_TEXT(list_of("{\"Name\":\"a\",\"Name\":\"\",\"Url\":\"\"}"), "list:0 '' twin_name;");
    CHECK_TEXT(list_of("{\"Name\":\"a\",\"Name\":12345678,\"Url\":\"\"}"), "list:0 '' twin_name;");
    CHECK_TEXT(list_of("{\"Name\":\"a\",\"Name\":\"a name of more than thirty-two bytes\"}"),
               "list:0 '' twin_name;");
    CHECK_TEXT(trace_of(AG_TWIN_PATCH, "{\"firmware_modules\":{\"%00\":null}}")->text,
               "object:0 '' twin_name;");
    CHECK_TEXT(entry_with("\"Settings\":{\"a\":1},\"Settings\":null"),
               "list:0 'a' https://h/a v1;");
    CHECK_TEXT(entry_with("\"Settings\":{\"abc\":1},\"Settings\":{}"),
               "list:0 'a' https://h/a v1 settings{};");
    CHECK_TEXT(entry_with("\"Window\":{\"a\":1},\"Window\":null"), "list:0 'a' https://h/a v1;");
    CHECK_TEXT(entry_with("\"Url\":null"), "list:0 'a' twin_entry;");
    CHECK_TEXT(host_of("{\"Trust\":{\"Url\":\"https://h/t\",\"Epoch\":2,\"Url\":null}}"),
               "host twin_host;");
}

static void what_is_desired_of_the_host_is_told(void)
{
    CHECK_TEXT(host_of("{}"), "host;");
    CHECK_TEXT(host_of("null"), "host;");
    CHECK_TEXT(host_of("{\"Trust\":null,\"LogLevel\":null,\"OneConnection\":null,\"x\":[{}]}"),
               "host;");
    CHECK_TEXT(host_of("{\"LogLevel\":\"error\"}"), "host error;");
    CHECK_TEXT(host_of("{\"LogLevel\":\"warning\",\"OneConnection\":false}"), "host warning two;");
    CHECK_TEXT(
        host_of("{\"LogLevel\":\"info\",\"Trust\":{\"Epoch\":4294967295,\"Other\":{\"Url\":1},"
                "\"Url\":\"https://h/t?sig=a%2Fb\"}}"),
        "host trust https://h/t?sig=a%2Fb e4294967295 info;");
    CHECK_TEXT(host_of("{\"Trust\":{\"Epoch\":5},\"Trust\":{\"Epoch\":6,\"Url\":\"https://h\"}}"),
               "host twin_host trust https://h e6;");
}

static void what_is_wrong_of_the_host_counts_as_absent(void)
{
    static const char *const trusts[] = {
        "5",
        "\"x\"",
        "[]",
        "{}",
        "{\"Epoch\":2}",
        "{\"Url\":\"https://h\"}",
        "{\"Url\":\"http://h\",\"Epoch\":2}",
        "{\"Url\":\"\",\"Epoch\":2}",
        "{\"Url\":5,\"Epoch\":2}",
        "{\"Url\":\"https://h\",\"Epoch\":0}",
        "{\"Url\":\"https://h\",\"Epoch\":-1}",
        "{\"Url\":\"https://h\",\"Epoch\":4294967296}",
        "{\"Url\":\"https://h\",\"Epoch\":\"2\"}",
        "{\"Url\":\"https://h\",\"Epoch\":2,\"Sha256\":\"ab\"}",
        "{\"Url\":\"https://h\",\"Epoch\":2,\"Sha256\":[5]}",
        "{\"Url\":\"https://h\",\"Epoch\":2,\"Url\":{\"Url\":\"https://h\"}}",
    };
    char text[256];
    for (size_t i = 0; i < sizeof trusts / sizeof trusts[0]; i++) {
        snprintf(text, sizeof text, "{\"LogLevel\":\"info\",\"Trust\":%s,\"OneConnection\":true}",
                 trusts[i]);
        CHECK_TEXT(host_of(text), "host twin_host info one;");
    }
    CHECK_TEXT(host_of("5"), "host twin_host;");
    CHECK_TEXT(host_of("[{\"LogLevel\":\"info\"}]"), "host twin_host;");
    CHECK_TEXT(host_of("{\"LogLevel\":\"Info\",\"OneConnection\":true}"), "host twin_host one;");
    CHECK_TEXT(host_of("{\"LogLevel\":2,\"OneConnection\":1}"), "host twin_host;");
    CHECK_TEXT(host_of("{\"LogLevel\":{},\"OneConnection\":[true],\"Trust\":{\"Url\":\"https://h\","
                       "\"Epoch\":1}}"),
               "host twin_host trust https://h e1;");
}

static void a_patch_of_the_host_wants_the_document(void)
{
    const struct trace *trace = trace_of(
        AG_TWIN_PATCH, "{\"airgraft\":{\"LogLevel\":null},\"firmware_modules\":[],\"$version\":2}");
    CHECK_EQUAL(trace->status, AG_OK);
    CHECK_TEXT(trace->text, "host;list:");
    CHECK(trace->summary.needs_document);
}

static void one_entrys_members_do_not_leak_into_the_next(void)
{
    CHECK_TEXT(
        list_of("{\"Name\":\"a\",\"Url\":\"https://h\",\"Version\":1,\"Settings\":{\"x\":1},"
                "\"PeriodMs\":5,\"Enabled\":false,\"AllowDowngrade\":true,\"Window\":1,"
                "\"Trial\":{\"Runs\":2,\"Ms\":3,\"Hub\":true}},"
                "{\"Name\":\"b\",\"Url\":\"\"},{\"Url\":\"\"}"),
        "list:0 'a' https://h v1 settings{\"x\":1} window1 runs2 trial3ms hub 5ms downgrade disabled;"
        "1 'b' -;2 '' twin_name;");
}

static void pieces_of_any_size_tell_the_same(void)
{
    static struct trace trace;
    for (size_t first = 1; first < strlen(document); first++) {
        test_note("cut at %zu", first);
        trace_pieces(AG_TWIN_DOCUMENT, document, strlen(document), first, 0, &trace);
        CHECK_EQUAL(trace.status, AG_OK);
        CHECK_TEXT(trace.text, document_trace);
        CHECK_EQUAL(trace.summary.version, 14);
    }
    trace_pieces(AG_TWIN_DOCUMENT, document, strlen(document), 0, 1, &trace);
    CHECK_TEXT(trace.text, document_trace);
}

static void every_truncation_is_noticed(void)
{
    static struct trace trace;
    for (size_t size = 0; size < strlen(document); size++) {
        test_note("truncated at %zu", size);
        trace_pieces(AG_TWIN_DOCUMENT, document, size, 0, 0, &trace);
        CHECK_EQUAL(trace.status, AG_ERR_TWIN_JSON);
    }
}

static void a_document_of_32_kilobytes_passes_byte_by_byte(void)
{
    static char text[40000];
    static struct trace whole;
    static struct trace split;
    size_t size = (size_t)snprintf(text, sizeof text, "{\"desired\":{\"firmware_modules\":[");
    unsigned count = 0;
    while (size < 32768) {
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "%s{\"Name\":\"plug-in-%u\",\"Version\":%u,"
                                 "\"Url\":\"https://h/%0*u\",\"Unknown\":[\"%0500d\"],"
                                 "\"Settings\":{\"n\":%u}}",
                                 count ? "," : "", count, count + 1, AG_CFG_URL_MAX / 2, count, 0,
                                 count);
        count++;
    }
    size += (size_t)snprintf(text + size, sizeof text - size, "],\"$version\":5}}");
    trace_pieces(AG_TWIN_DOCUMENT, text, size, 0, 0, &whole);
    CHECK_EQUAL(whole.status, AG_OK);
    CHECK_EQUAL(whole.summary.entry_count, count);
    CHECK(count > 20);
    CHECK(!strstr(whole.text, "twin_"));
    trace_pieces(AG_TWIN_DOCUMENT, text, size, 0, 1, &split);
    CHECK_EQUAL(split.status, AG_OK);
    CHECK_TEXT(split.text, whole.text);
}

static void forty_entries_and_duplicates_are_all_told(void)
{
    char text[4096] = "";
    size_t size = 0;
    for (unsigned i = 0; i < 40; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "%s{\"Name\":\"n%u\",\"Url\":\"\"}", i ? "," : "", i / 2);
    const char *told = list_of(text);
    CHECK(strstr(told, "38 'n19' -;39 'n19' -;"));
}

static void every_input_of_up_to_two_bytes_is_refused(void)
{
    static struct trace trace;
    for (unsigned i = 0; i < 65536; i++) {
        const char bytes[2] = { (char)(i >> 8), (char)i };
        test_note("bytes %04x", i);
        trace_pieces(AG_TWIN_DOCUMENT, bytes, 2, 0, 1, &trace);
        CHECK_EQUAL(trace.status, memcmp(bytes, "{}", 2) == 0 ? AG_OK : AG_ERR_TWIN_JSON);
    }
}

static void mutated_documents_tell_the_same_in_pieces(void)
{
    static const char alphabet[] = "{}[]:,\"\\ \n0123eE+-.ntfu\xC3\xA9";
    static struct trace whole;
    static struct trace split;
    uint32_t random = 2026;
    unsigned sound = 0;
    for (unsigned round = 0; round < 4000; round++) {
        char bytes[sizeof document];
        memcpy(bytes, document, sizeof document);
        for (unsigned changes = round % 3 + 1; changes > 0; changes--) {
            random = random * 1664525 + 1013904223;
            bytes[(random >> 8) % (sizeof document - 1)] =
                alphabet[(random >> 22) % (sizeof alphabet - 1)];
        }
        test_note("round %u", round);
        trace_pieces(AG_TWIN_DOCUMENT, bytes, sizeof document - 1, 0, 0, &whole);
        trace_pieces(AG_TWIN_DOCUMENT, bytes, sizeof document - 1, 0, 1 + round % 7, &split);
        CHECK_EQUAL(split.status, whole.status);
        CHECK_TEXT(split.text, whole.text);
        sound += whole.status == AG_OK;
    }
    CHECK(sound > 100);
}

static void a_name_survives_as_a_key(void)
{
    for (unsigned byte = 0x20; byte < 0x7F; byte++) {
        const char name[3] = { 'a', (char)byte, 'b' };
        char text[128];
        char want[64];
        struct ag_writer out;
        struct ag_json_writer json;
        ag_writer_init(&out, text, sizeof text);
        ag_json_writer_init(&json, &out);
        ag_json_writer_begin_object(&json);
        ag_json_writer_key(&json, "firmware_modules");
        ag_json_writer_begin_object(&json);
        ag_twin_write_key(&json, (struct ag_text){ name, 3 });
        ag_json_writer_raw(&json, ag_text_of("{\"Url\":\"\"}"));
        ag_json_writer_end_object(&json);
        ag_json_writer_end_object(&json);
        test_note("%s", ag_writer_finish_text(&out));
        CHECK(!strpbrk(text + 20, ".$# "));
        snprintf(want, sizeof want, "object:0 '%.3s' -;", name);
        CHECK_TEXT(trace_of(AG_TWIN_PATCH, text)->text, want);
    }
}

static const struct test_case cases[] = {
    TEST(a_document_in_list_form_is_read),
    TEST(the_object_form_names_entries_by_escaped_keys),
    TEST(a_patch_is_read_and_its_object_form_wants_the_document),
    TEST(missing_null_empty_and_wrong_are_told_apart),
    TEST(a_second_firmware_modules_begins_afresh),
    TEST(only_the_right_place_counts),
    TEST(what_is_not_a_twin_is_refused),
    TEST(a_malformed_entry_is_refused_by_itself),
    TEST(names_are_checked),
    TEST(the_last_of_two_equal_members_counts),
    TEST(urls_are_checked),
    TEST(a_url_fits_up_to_its_limit),
    TEST(versions_are_checked),
    TEST(optional_members_are_checked),
    TEST(settings_and_window_are_limited),
    TEST(a_trial_overrides_what_it_gives),
    TEST(what_is_desired_of_the_host_is_told),
    TEST(what_is_wrong_of_the_host_counts_as_absent),
    TEST(a_patch_of_the_host_wants_the_document),
    TEST(one_entrys_members_do_not_leak_into_the_next),
    TEST(pieces_of_any_size_tell_the_same),
    TEST(every_truncation_is_noticed),
    TEST(a_document_of_32_kilobytes_passes_byte_by_byte),
    TEST(forty_entries_and_duplicates_are_all_told),
    TEST(every_input_of_up_to_two_bytes_is_refused),
    TEST(mutated_documents_tell_the_same_in_pieces),
    TEST(a_name_survives_as_a_key),
};
TEST_MAIN(cases)
