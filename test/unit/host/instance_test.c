// SPDX-License-Identifier: Apache-2.0
// One plug-in alone: its budget, its slices, and the capability functions under hostile arguments.
#include "host/instance.h"

#include <stdlib.h>
#include <string.h>

#include "host/abi.h"
#include "platform/board.h"
#include "plugin/capabilities.h"
#include "test/harness.h"
#include "test/unit/host/board.h"
#include "test/unit/host/modules.h"

#define STACK_SIZE 256u

struct fixture {
    struct ag_buffer file;
    struct ag_buffer code;
    uint8_t *aligned_code;
    void *block;
    uint32_t block_size;
    struct ag_pins pins;
    struct ag_instance_services services;
    uint64_t data[16];
    struct ag_instance instance;
    struct ag_property last; // set by the plug-in; its texts are copied below
    char last_key[64];
    char last_text[128];
    uint8_t last_owner;
    size_t telemetry_size;
    uint32_t line_count;
    char line[64]; // the last
};

static struct fixture fixture;

static enum ag_status write_code(void *context, const void *bytes, uint32_t size)
{
    ag_buffer_append(context, bytes, size);
    return AG_OK;
}

static enum ag_status set_property(void *context, uint8_t owner, const struct ag_property *property)
{
    struct fixture *to = context;
    to->last = *property;
    to->last_owner = owner;
    memcpy(to->last_key, property->key.at, property->key.size);
    to->last_key[property->key.size] = 0;
    memcpy(to->last_text, property->text.at ? property->text.at : "", property->text.size);
    to->last_text[property->text.size] = 0;
    return AG_OK;
}

static enum ag_status send_telemetry(void *context, uint8_t owner, const void *bytes, size_t size)
{
    struct fixture *to = context;
    to->last_owner = owner;
    to->telemetry_size = size;
    return memchr(bytes, 0xEE, size) ? AG_ERR_NO_SPACE : AG_OK;
}

static void translate(const struct module *module, struct ag_wasm_image *image)
{
    static uint64_t scratch[AG_WASM_SCRATCH / 8];
    struct ag_wasm_translation translation = { .write = write_code,
                                               .resolve = ag_instance_resolve,
                                               .context = &fixture.code,
                                               .scratch = scratch,
                                               .scratch_size = sizeof scratch };
    struct ag_wasm_report report;
    module_build(&fixture.file, module);
    CHECK_EQUAL(
        ag_wasm_translate(fixture.file.bytes, (uint32_t)fixture.file.size, &translation, &report),
        AG_OK);
    fixture.aligned_code = aligned_alloc(16, fixture.code.size);
    memcpy(fixture.aligned_code, fixture.code.bytes, fixture.code.size);
    CHECK_EQUAL(ag_wasm_image_open(image, fixture.file.bytes, (uint32_t)fixture.file.size,
                                   fixture.aligned_code, (uint32_t)fixture.code.size),
                AG_OK);
}

static void open_fixture(const struct module *module, uint64_t fuel_per_run, const char *settings)
{
    struct ag_wasm_image image;
    board_reset();
    memset(&fixture, 0, sizeof fixture);
    struct module made = *module;
    made.name = "probe";
    made.version = 1;
    translate(&made, &image);
    ag_pins_init(&fixture.pins);
    fixture.services.context = &fixture;
    fixture.services.pins = &fixture.pins;
    fixture.services.set_property = set_property;
    fixture.services.send_telemetry = send_telemetry;
    struct ag_instance_options options = { .name = "probe",
                                           .owner = 3,
                                           .fuel_per_run = fuel_per_run,
                                           .data = ag_data_init(fixture.data, 48),
                                           .settings = ag_text_of(settings),
                                           .services = &fixture.services };
    CHECK_EQUAL(ag_instance_size(&image, STACK_SIZE, &fixture.block_size), AG_OK);
    fixture.block = aligned_alloc(8, (fixture.block_size + 7) / 8 * 8);
    CHECK_EQUAL(ag_instance_make(&fixture.instance, fixture.block, fixture.block_size, &image,
                                 STACK_SIZE, &options),
                AG_OK);
}

static void close_fixture(void)
{
    free(fixture.block);
    free(fixture.aligned_code);
    ag_buffer_clear(&fixture.file);
    ag_buffer_clear(&fixture.code);
}

static enum ag_status run_whole(enum ag_abi_function function, uint32_t slice)
{
    CHECK_EQUAL(ag_instance_begin(&fixture.instance, function), AG_OK);
    enum ag_status status;
    while ((status = ag_instance_run(&fixture.instance, slice)) == AG_ERR_AGAIN)
        CHECK(fixture.instance.is_busy);
    CHECK(!fixture.instance.is_busy);
    return status;
}

static void initialize_and_execute_run_and_the_optional_functions_are_optional(void)
{
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, NULL);
    CHECK_EQUAL(run_whole(AG_ABI_INITIALIZE, 100000), AG_OK);
    CHECK_EQUAL(board.modes[0], AG_PIN_OUTPUT);
    CHECK_EQUAL(run_whole(AG_ABI_EXECUTE, 100000), AG_OK);
    CHECK(board.levels[0]);
    CHECK_EQUAL(ag_instance_begin(&fixture.instance, AG_ABI_SHUTDOWN), AG_ERR_NOT_FOUND);
    CHECK_EQUAL(ag_instance_begin(&fixture.instance, AG_ABI_ON_SETTINGS), AG_ERR_NOT_FOUND);
    close_fixture();
}

static void a_call_in_slices_uses_the_fuel_of_one_in_one_piece(void)
{
    const struct module module = { .behaviour = MODULE_COMPUTES, .argument = 5000 };
    uint64_t whole = 0;
    static const uint32_t slices[] = { 1000000, 1, 7, 1000 };
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        open_fixture(&module, 1000000, NULL);
        CHECK_EQUAL(run_whole(AG_ABI_INITIALIZE, slices[i]), AG_OK);
        CHECK_EQUAL(run_whole(AG_ABI_EXECUTE, slices[i]), AG_OK);
        if (whole == 0)
            whole = ag_instance_fuel(&fixture.instance);
        CHECK_EQUAL(ag_instance_fuel(&fixture.instance), whole);
        close_fixture();
    }
    CHECK(whole > 5000);
}

static void a_call_that_uses_up_its_budget_is_a_trap_and_the_next_one_has_its_own(void)
{
    open_fixture(&(struct module){ .behaviour = MODULE_COMPUTES, .argument = 1000 }, 100000, NULL);
    CHECK_EQUAL(run_whole(AG_ABI_INITIALIZE, 100), AG_OK);
    CHECK_EQUAL(run_whole(AG_ABI_EXECUTE, 100), AG_OK);
    uint64_t need = ag_instance_fuel(&fixture.instance);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(run_whole(AG_ABI_EXECUTE, 100), AG_OK);
    close_fixture();
    open_fixture(&(struct module){ .behaviour = MODULE_COMPUTES, .argument = 1000 }, need / 2,
                 NULL);
    CHECK_EQUAL(run_whole(AG_ABI_INITIALIZE, 100), AG_OK);
    CHECK_EQUAL(fixture.instance.stopped_at, 0);
    CHECK_EQUAL(run_whole(AG_ABI_EXECUTE, 100), AG_TRAP_FUEL);
    CHECK(fixture.instance.stopped_at != 0);
    CHECK(ag_instance_fuel(&fixture.instance) < need / 2 + 100);
    close_fixture();
}

static void count_line(void *context, enum ag_log_level level, const char *source,
                       struct ag_text text)
{
    struct fixture *at = context;
    (void)level, (void)source;
    at->line_count++;
    const size_t size = text.size < sizeof at->line ? text.size : sizeof at->line - 1;
    memcpy(at->line, text.at, size);
    at->line[size] = 0;
}

static void a_plugin_that_logs_without_end_is_stopped_as_soon_as_one_that_computes(void)
{
    const uint32_t slice = 200000;
    open_fixture(&(struct module){ .behaviour = MODULE_FLOODS }, 5 * slice, NULL);
    fixture.services.log = count_line;
    CHECK_EQUAL(run_whole(AG_ABI_INITIALIZE, slice), AG_OK);
    CHECK_EQUAL(ag_instance_begin(&fixture.instance, AG_ABI_EXECUTE), AG_OK);
    CHECK_EQUAL(ag_instance_run(&fixture.instance, slice), AG_ERR_AGAIN);
    CHECK(fixture.line_count > 0 && fixture.line_count <= slice / AG_ABI_LINE + 1);
    enum ag_status status;
    while ((status = ag_instance_run(&fixture.instance, slice)) == AG_ERR_AGAIN)
        ;
    CHECK_EQUAL(status, AG_TRAP_FUEL);
    CHECK(fixture.line_count <= 5 * (slice / AG_ABI_LINE + 1));
    close_fixture();
}

// What the host call that is made now has charged, besides what every such call costs.
static uint32_t charge_of(uint16_t id, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t slots[4] = { a, b, c, d };
    fixture.instance.wasm->charged = 0;
    CHECK_EQUAL(ag_abi_find(id)->call(&fixture.instance, slots), AG_OK);
    return fixture.instance.wasm->charged;
}

static void host_calls_cost_fuel_by_the_bytes_that_they_handle(void)
{
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD, .memory_size = 8192 }, 100000,
                 "{\"a\":1}");
    CHECK_EQUAL(charge_of(AG_CALL_RANDOM_FILL, 0, 8192, 0, 0), 8192);
    CHECK_EQUAL(charge_of(AG_CALL_WASI_RANDOM_GET, 0, 100, 0, 0), 100);
    CHECK_EQUAL(charge_of(AG_CALL_LOG_WRITE, 0, 0, 8192, 0), AG_ABI_LINE + 256);
    CHECK_EQUAL(charge_of(AG_CALL_SETTINGS_GET_INT, 0, 1, 0, 0), strlen("{\"a\":1}"));
    CHECK_EQUAL(charge_of(AG_CALL_CLOCK_UPTIME_MS, 0, 0, 0, 0), 0);
    CHECK(ag_abi_find(AG_CALL_GPIO_WRITE)->fuel > ag_abi_find(AG_CALL_CLOCK_UPTIME_MS)->fuel);
    close_fixture();
}

static void initialize_that_says_no_is_told_apart_from_a_trap(void)
{
    open_fixture(&(struct module){ .behaviour = MODULE_REFUSES }, 100000, NULL);
    fixture.services.log = count_line;
    CHECK_EQUAL(run_whole(AG_ABI_INITIALIZE, 100), AG_ERR_INITIALIZE);
    CHECK_TEXT(fixture.line, "initialize answered 1");
    CHECK_EQUAL(fixture.instance.stopped_at, 0);
    close_fixture();
    open_fixture(&(struct module){ .behaviour = MODULE_TRAPS_AT_START }, 100000, NULL);
    CHECK_EQUAL(run_whole(AG_ABI_INITIALIZE, 100), AG_TRAP_UNREACHABLE);
    CHECK(fixture.instance.stopped_at != 0);
    close_fixture();
}

// ---- Capability functions ----------------------------------------------------------------------

static enum ag_status call(uint16_t id, uint32_t a, uint32_t b, uint32_t c, uint32_t d,
                           int32_t *result)
{
    uint32_t slots[6] = { a, b, c, d, 0, 0 };
    enum ag_status status = ag_abi_find(id)->call(&fixture.instance, slots);
    *result = (int32_t)slots[0];
    return status;
}

static void put(uint32_t address, const void *bytes, uint32_t size)
{
    void *to;
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, address, size, &to), AG_OK);
    memcpy(to, bytes, size);
}

static void every_function_of_the_table_is_there(void)
{
    for (size_t i = 0; i < ag_capabilities_count; i++)
        for (size_t j = 0; j < ag_capabilities[i].function_count; j++) {
            test_note("%s.%s", ag_capabilities[i].name, ag_capabilities[i].functions[j].name);
            CHECK(ag_abi_find(ag_capabilities[i].functions[j].id) != NULL);
        }
    CHECK(ag_abi_find(0) == NULL);
    CHECK(ag_abi_find(UINT16_MAX) == NULL);
}

static void no_argument_whatever_makes_a_function_reach_outside_of_the_memory(void)
{
    static const uint32_t odd[] = { 0,   1,          2,          8,          200,        255,
                                    256, 257,        0x7FFFFFFF, 0x80000000, 0xFFFFFF00, 0xFFFFFFF0,
                                    7,   0xFFFFFFFF, 64,         31 };
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, "{\"a\":1}");
    uint64_t random = 1;
    uint32_t traps = 0;
    for (uint32_t round = 0; round < 60000; round++) {
        const struct ag_capability *capability = &ag_capabilities[round % ag_capabilities_count];
        uint32_t slots[8];
        for (int i = 0; i < 8; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            slots[i] = odd[random >> 60];
        }
        uint16_t id = capability->functions[(random >> 33) % capability->function_count].id;
        test_note("call %u round %u", (unsigned)id, (unsigned)round);
        enum ag_status status = ag_abi_find(id)->call(&fixture.instance, slots);
        CHECK(status == AG_OK || status == AG_TRAP_HOST || status == AG_TRAP_EXIT);
        traps += status == AG_TRAP_HOST;
        if (round % 1000 == 0)
            board_reset(); // the log grows
    }
    CHECK(traps > 10000);
    close_fixture();
}

static void settings_are_read_by_key_and_type(void)
{
    uint32_t slots[4];
    char text[8];
    void *memory;
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000,
                 "{\"other\":{\"n\":9},\"n\":-5,\"on\":true,\"name\":\"b\\u00e4r\",\"f\":1.5}");
    put(0, "nonnamef", 8);
    static const struct {
        uint32_t at;
        uint32_t size;
        int64_t value;
    } rows[] = {
        { 0, 1, -5 }, { 1, 2, 1 }, { 3, 4, 77 }, { 7, 1, 77 }, { 0, 8, 77 }, { 0, 0, 77 }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_note("row %zu", i);
        slots[0] = rows[i].at;
        slots[1] = rows[i].size;
        ag_wasm_set_u64(slots + 2, 77);
        CHECK_EQUAL(ag_abi_settings_get_int(&fixture.instance, slots), AG_OK);
        CHECK_EQUAL((int64_t)ag_wasm_get_u64(slots), rows[i].value);
    }
    int32_t result;
    CHECK_EQUAL(call(AG_CALL_SETTINGS_GET_TEXT, 3, 4, 100, 8, &result), AG_OK);
    CHECK_EQUAL(result, 4);
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, 100, 8, &memory), AG_OK);
    memcpy(text, memory, 4);
    CHECK_BYTES(text, "b\xC3\xA4r", 4);
    CHECK_EQUAL(call(AG_CALL_SETTINGS_GET_TEXT, 3, 4, 100, 2, &result), AG_OK);
    CHECK_EQUAL(result, 4);
    CHECK_EQUAL(call(AG_CALL_SETTINGS_GET_TEXT, 0, 1, 100, 8, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_NOT_FOUND);
    close_fixture();
}

static void what_the_settings_lack_comes_from_the_schema(void)
{
    // n: integer, default -3; on: boolean, default true; name: string, default "abc"; bare: integer
    static const char schema[] = "\1\0\1n\x82\x7D\2on\x81\1\4name\x83\3abc\4bare\2";
    uint32_t slots[4];
    int32_t result;
    void *memory;
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, "{\"n\":\"text\"}");
    fixture.instance.options.schema = (const uint8_t *)schema;
    fixture.instance.options.schema_size = sizeof schema - 1;
    put(0, "onnamebaren", 11);
    static const struct {
        uint32_t at;
        uint32_t size;
        int64_t value;
    } rows[] = { { 0, 2, 1 }, { 2, 4, 77 }, { 6, 4, 77 }, { 10, 1, 77 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_note("row %zu", i);
        slots[0] = rows[i].at;
        slots[1] = rows[i].size;
        ag_wasm_set_u64(slots + 2, 77);
        CHECK_EQUAL(ag_abi_settings_get_int(&fixture.instance, slots), AG_OK);
        CHECK_EQUAL((int64_t)ag_wasm_get_u64(slots), rows[i].value);
    }
    CHECK_EQUAL(call(AG_CALL_SETTINGS_GET_TEXT, 2, 4, 100, 2, &result), AG_OK);
    CHECK_EQUAL(result, 3);
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, 100, 3, &memory), AG_OK);
    CHECK_BYTES(memory, "ab\0", 3);
    CHECK_EQUAL(call(AG_CALL_SETTINGS_GET_TEXT, 0, 2, 100, 2, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_NOT_FOUND);
    fixture.instance.options.settings = ag_text_of("{}");
    slots[0] = 10;
    slots[1] = 1;
    ag_wasm_set_u64(slots + 2, 77);
    CHECK_EQUAL(ag_abi_settings_get_int(&fixture.instance, slots), AG_OK);
    CHECK_EQUAL((int64_t)ag_wasm_get_u64(slots), -3);
    close_fixture();
}

static void reports_and_telemetry_reach_the_host_and_their_limits_hold(void)
{
    uint32_t slots[4] = { 0, 3, 0, 0 };
    int32_t result;
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, NULL);
    put(0, "keytext", 7);
    ag_wasm_set_u64(slots + 2, (uint64_t)-12);
    CHECK_EQUAL(ag_abi_report_set_int(&fixture.instance, slots), AG_OK);
    CHECK_EQUAL(slots[0], 0);
    CHECK_EQUAL(fixture.last.number, -12);
    CHECK_EQUAL(fixture.last_owner, 3);
    CHECK_EQUAL(call(AG_CALL_REPORT_SET_TEXT, 0, 3, 3, 4, &result), AG_OK);
    CHECK_TEXT(fixture.last_key, "key");
    CHECK_TEXT(fixture.last_text, "text");
    CHECK_EQUAL(call(AG_CALL_REPORT_REMOVE, 0, 3, 0, 0, &result), AG_OK);
    CHECK_EQUAL(fixture.last.type, AG_PROPERTY_REMOVED);
    CHECK_EQUAL(call(AG_CALL_REPORT_SET_BOOL, 0, 0, 1, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_ARGUMENT);
    CHECK_EQUAL(call(AG_CALL_REPORT_SET_BOOL, 0, AG_CFG_PROPERTY_KEY_MAX + 1, 1, 0, &result),
                AG_OK);
    CHECK_EQUAL(result, -AG_ERR_ARGUMENT);
    CHECK_EQUAL(call(AG_CALL_REPORT_SET_TEXT, 0, 3, 0, AG_CFG_PROPERTY_TEXT_MAX + 1, &result),
                AG_OK);
    CHECK_EQUAL(result, -AG_ERR_ARGUMENT);
    CHECK_EQUAL(call(AG_CALL_TELEMETRY_SEND, 0, 7, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, 0);
    CHECK_EQUAL(fixture.telemetry_size, 7);
    fixture.services.send_telemetry = NULL;
    fixture.services.set_property = NULL;
    CHECK_EQUAL(call(AG_CALL_TELEMETRY_SEND, 0, 7, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_UNSUPPORTED);
    CHECK_EQUAL(call(AG_CALL_REPORT_REMOVE, 0, 3, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_UNSUPPORTED);
    close_fixture();
}

static void own_data_is_set_got_listed_and_removed(void)
{
    int32_t result;
    void *memory;
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, NULL);
    CHECK(ag_data_ram(48) <= sizeof fixture.data);
    put(0, "keyvalue", 8);
    CHECK_EQUAL(call(AG_CALL_STORE_GET, 0, 3, 100, 8, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_NOT_FOUND);
    CHECK_EQUAL(call(AG_CALL_STORE_SET, 0, 3, 3, 5, &result), AG_OK);
    CHECK_EQUAL(result, 0);
    CHECK_EQUAL(call(AG_CALL_STORE_PENDING, 0, 0, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, 1);
    CHECK_EQUAL(call(AG_CALL_STORE_ROOM, 0, 0, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, 48 - 3 - 3 - 5);
    CHECK_EQUAL(call(AG_CALL_STORE_GET, 0, 3, 100, 2, &result), AG_OK);
    CHECK_EQUAL(result, 5);
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, 100, 3, &memory), AG_OK);
    CHECK_BYTES(memory, "va\0", 3); // no more than there is room for
    CHECK_EQUAL(call(AG_CALL_STORE_KEY, 0, 110, 8, 0, &result), AG_OK);
    CHECK_EQUAL(result, 3);
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, 110, 4, &memory), AG_OK);
    CHECK_BYTES(memory, "key\0", 4);
    CHECK_EQUAL(call(AG_CALL_STORE_KEY, 1, 110, 8, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_NOT_FOUND);
    CHECK_EQUAL(call(AG_CALL_STORE_SET, 3, 1, 0, 49, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_DATA_QUOTA);
    CHECK_EQUAL(call(AG_CALL_STORE_SET, 0, 0, 0, 1, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_ARGUMENT);
    CHECK_EQUAL(call(AG_CALL_STORE_REMOVE, 0, 3, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, 0);
    CHECK_EQUAL(call(AG_CALL_STORE_REMOVE, 0, 3, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_NOT_FOUND);
    CHECK_EQUAL(call(AG_CALL_STORE_GET, 0, 3, 250, 8, &result), AG_TRAP_HOST);
    CHECK_EQUAL(call(AG_CALL_STORE_KEY, 0, 250, 8, 0, &result), AG_TRAP_HOST);
    close_fixture();
}

static void without_own_data_the_store_is_unsupported(void)
{
    int32_t result;
    const struct ag_capability *store = ag_capabilities_find_id(AG_CAPABILITY_STORE);
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, NULL);
    fixture.instance.options.data = NULL;
    for (size_t i = 0; i < store->function_count; i++) {
        CHECK_EQUAL(call(store->functions[i].id, 0, 1, 8, 1, &result), AG_OK);
        CHECK_EQUAL(result, -AG_ERR_UNSUPPORTED);
    }
    close_fixture();
}

static void a_pin_belongs_to_whoever_configured_it_until_it_is_released(void)
{
    int32_t result;
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, NULL);
    CHECK_EQUAL(call(AG_CALL_GPIO_WRITE, 2, 1, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_PIN); // not configured
    CHECK_EQUAL(ag_pins_claim(&fixture.pins, 2, 9), AG_OK);
    CHECK_EQUAL(call(AG_CALL_GPIO_CONFIGURE, 2, AG_PIN_OUTPUT, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_PIN); // somebody else's
    CHECK_EQUAL(call(AG_CALL_GPIO_READ, 2, 0, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_PIN);
    ag_pins_release(&fixture.pins, 9);
    CHECK_EQUAL(call(AG_CALL_GPIO_CONFIGURE, 2, AG_PIN_OUTPUT, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, 0);
    CHECK_EQUAL(call(AG_CALL_GPIO_WRITE, 2, 5, 0, 0, &result), AG_OK);
    CHECK_EQUAL(call(AG_CALL_GPIO_READ, 2, 0, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, 1);
    CHECK_EQUAL(call(AG_CALL_GPIO_CONFIGURE, 2, 17, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_ARGUMENT);
    CHECK_EQUAL(call(AG_CALL_GPIO_CONFIGURE, BOARD_PINS, AG_PIN_INPUT, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, -AG_ERR_PIN);
    close_fixture();
}

static void what_toolchains_emit_of_wasi_does_its_little(void)
{
    int32_t result;
    void *memory;
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, NULL);
    put(100, "one\ntwo\n three", 14);
    put(0, "\x64\0\0\0\x05\0\0\0\x69\0\0\0\x09\0\0\0", 16); // two pieces: 5 and 9 bytes
    CHECK_EQUAL(call(AG_CALL_WASI_FD_WRITE, 1, 0, 2, 16, &result), AG_OK);
    CHECK_EQUAL(result, 0);
    CHECK(board_logged("probe: one\nprobe: two\nprobe:  three\n"));
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, 16, 4, &memory), AG_OK);
    CHECK_BYTES(memory, "\x0E\0\0\0", 4);
    CHECK_EQUAL(call(AG_CALL_WASI_FD_WRITE, 5, 0, 2, 16, &result), AG_OK);
    CHECK_EQUAL(result, 8); // EBADF
    CHECK_EQUAL(call(AG_CALL_WASI_PROC_EXIT, 0, 0, 0, 0, &result), AG_TRAP_EXIT);
    CHECK_EQUAL(call(AG_CALL_WASI_ENVIRON_SIZES_GET, 32, 36, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, 0);
    CHECK_EQUAL(call(AG_CALL_WASI_CLOCK_TIME_GET, 1, 0, 0, 40, &result), AG_OK);
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, 40, 8, &memory), AG_OK);
    CHECK_BYTES(memory, "\x00\xCA\x9A\x3B\0\0\0\0", 8); // 1000 ms
    CHECK_EQUAL(call(AG_CALL_WASI_CLOCK_TIME_GET, 9, 0, 0, 40, &result), AG_OK);
    CHECK_EQUAL(result, 28); // EINVAL
    CHECK_EQUAL(call(AG_CALL_WASI_RANDOM_GET, 40, 8, 0, 0, &result), AG_OK);
    CHECK_EQUAL(result, 0);
    close_fixture();
}

static void one_write_to_standard_output_is_bounded_and_says_how_much_it_took(void)
{
    int32_t result;
    void *memory;
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD, .memory_size = 8192 }, 100000, NULL);
    fixture.services.log = count_line;
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, 1024, 7168, &memory), AG_OK);
    memset(memory, 'x', 7168);
    for (uint32_t piece = 0; piece < 4; piece++) // 7000 bytes from 1024 on, four times
        put(8 * piece, "\0\4\0\0\x58\x1B\0\0", 8);
    CHECK_EQUAL(call(AG_CALL_WASI_FD_WRITE, 1, 0, 4, 64, &result), AG_OK);
    CHECK_EQUAL(result, 0);
    CHECK_EQUAL(ag_wasm_memory_at(fixture.instance.wasm, 64, 4, &memory), AG_OK);
    CHECK_BYTES(memory, "\0\1\0\0", 4); // 256
    CHECK_EQUAL(fixture.line_count, 2);
    close_fixture();
}

static void the_clock_says_when_it_does_not_know(void)
{
    uint32_t slots[2];
    open_fixture(&(struct module){ .behaviour = MODULE_GOOD }, 100000, NULL);
    CHECK_EQUAL(ag_abi_clock_unix_time(&fixture.instance, slots), AG_OK);
    CHECK_EQUAL(ag_wasm_get_u64(slots), 1893456001);
    board.clock_is_known = false;
    CHECK_EQUAL(ag_abi_clock_unix_time(&fixture.instance, slots), AG_OK);
    CHECK((int64_t)ag_wasm_get_u64(slots) < 0);
    close_fixture();
}

static void an_import_of_another_type_is_not_linked(void)
{
    static const uint8_t right[] = { AG_WASM_I32, AG_WASM_I32 };
    static const uint8_t wrong[] = { AG_WASM_I32, AG_WASM_I64 };
    struct ag_wasm_import import = { .module = { "gpio", 4 },
                                     .field = { "write", 5 },
                                     .type = { .kind = AG_WASM_FUNCTION } };
    struct ag_wasm_function_type *type = &import.type.function;
    uint16_t id;
    *type = (struct ag_wasm_function_type){ right, right, 2, 1 };
    CHECK_EQUAL(ag_instance_resolve(NULL, &import, &id), AG_OK);
    CHECK_EQUAL(id, AG_CALL_GPIO_WRITE);
    type->params = wrong;
    CHECK_EQUAL(ag_instance_resolve(NULL, &import, &id), AG_ERR_WASM_IMPORT);
    type->params = right;
    type->param_count = 1;
    CHECK_EQUAL(ag_instance_resolve(NULL, &import, &id), AG_ERR_WASM_IMPORT);
    type->param_count = 2;
    type->result_count = 0;
    CHECK_EQUAL(ag_instance_resolve(NULL, &import, &id), AG_ERR_WASM_IMPORT);
}

static const struct test_case cases[] = {
    TEST(an_import_of_another_type_is_not_linked),
    TEST(initialize_and_execute_run_and_the_optional_functions_are_optional),
    TEST(a_call_in_slices_uses_the_fuel_of_one_in_one_piece),
    TEST(a_call_that_uses_up_its_budget_is_a_trap_and_the_next_one_has_its_own),
    TEST(a_plugin_that_logs_without_end_is_stopped_as_soon_as_one_that_computes),
    TEST(host_calls_cost_fuel_by_the_bytes_that_they_handle),
    TEST(initialize_that_says_no_is_told_apart_from_a_trap),
    TEST(every_function_of_the_table_is_there),
    TEST(no_argument_whatever_makes_a_function_reach_outside_of_the_memory),
    TEST(settings_are_read_by_key_and_type),
    TEST(what_the_settings_lack_comes_from_the_schema),
    TEST(reports_and_telemetry_reach_the_host_and_their_limits_hold),
    TEST(own_data_is_set_got_listed_and_removed),
    TEST(without_own_data_the_store_is_unsupported),
    TEST(a_pin_belongs_to_whoever_configured_it_until_it_is_released),
    TEST(what_toolchains_emit_of_wasi_does_its_little),
    TEST(one_write_to_standard_output_is_bounded_and_says_how_much_it_took),
    TEST(the_clock_says_when_it_does_not_know),
};
TEST_MAIN(cases)
