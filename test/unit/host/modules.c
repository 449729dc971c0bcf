// SPDX-License-Identifier: Apache-2.0
// Signed plug-in files of every behaviour that the host must cope with, assembled by hand.
#include "test/unit/host/modules.h"

#include <stdbool.h>
#include <string.h>

#include "cli/signing.h"
#include "cli/trustfile.h"
#include "plugin/abi.h"
#include "plugin/capabilities.h"
#include "test/harness.h"
#include "test/unit/plugin/plugin_fixture.h"

// Indices of the imported functions, in the order in which they are imported; the last two by
// MODULE_STORES only.
enum {
    CONFIGURE,
    WRITE,
    LOG,
    SET_INT,
    SEND,
    GET_INT,
    GET,
    SET,
    // MODULE_ANSWERS imports these in the places of others.
    REPLY = SET_INT,
    PAYLOAD = SEND,
};

static uint32_t import_count(const struct module *module)
{
    return module->behaviour == MODULE_STORES ? SET + 1 : GET_INT + 1;
}

static void add_signed_leb(struct ag_buffer *out, int32_t value)
{
    bool more = true;
    while (more) {
        uint8_t byte = (uint8_t)(value & 0x7F);
        value >>= 7;
        more = !((value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40)));
        ag_buffer_append_u8(out, more ? byte | 0x80 : byte);
    }
}

static void add_name(struct ag_buffer *out, const char *name)
{
    ag_buffer_append_leb(out, (uint32_t)strlen(name));
    ag_buffer_append(out, name, strlen(name));
}

// Appends `content` behind its size and empties it.
static void add_sized(struct ag_buffer *out, struct ag_buffer *content)
{
    ag_buffer_append_leb(out, (uint32_t)content->size);
    ag_buffer_append(out, content->bytes, content->size);
    ag_buffer_clear(content);
}

static void add_section(struct ag_buffer *out, uint8_t id, struct ag_buffer *content)
{
    ag_buffer_append_u8(out, id);
    add_sized(out, content);
}

#define ADD(out, ...)                                                                              \
    do {                                                                                           \
        static const uint8_t bytes_[] = { __VA_ARGS__ };                                           \
        ag_buffer_append(out, bytes_, sizeof bytes_);                                              \
    } while (0)

static void add_const(struct ag_buffer *out, int32_t value)
{
    ag_buffer_append_u8(out, 0x41);
    add_signed_leb(out, value);
}

static void add_call(struct ag_buffer *out, uint32_t function)
{
    ag_buffer_append_u8(out, 0x10);
    ag_buffer_append_leb(out, function);
}

static void add_import(struct ag_buffer *out, const char *module, const char *field, uint8_t type)
{
    add_name(out, module);
    add_name(out, field);
    ag_buffer_append_u8(out, 0);
    ag_buffer_append_u8(out, type);
}

static void add_types_and_imports(struct ag_buffer *out, const struct module *module)
{
    struct ag_buffer content = { 0 };
    ADD(&content, 8, 0x60, 0, 1, 0x7F,            // 0: () -> i32
        0x60, 0, 0,                               // 1: () -> ()
        0x60, 2, 0x7F, 0x7F, 1, 0x7F,             // 2: (i32 i32) -> i32
        0x60, 3, 0x7F, 0x7F, 0x7F, 0,             // 3: (i32 i32 i32) -> ()
        0x60, 3, 0x7F, 0x7F, 0x7E, 1, 0x7F,       // 4: (i32 i32 i64) -> i32
        0x60, 3, 0x7F, 0x7F, 0x7E, 1, 0x7E,       // 5: (i32 i32 i64) -> i64
        0x60, 4, 0x7F, 0x7F, 0x7F, 0x7F, 1, 0x7F, // 6: (i32 i32 i32 i32) -> i32
        0x60, 3, 0x7F, 0x7F, 0x7F, 1, 0x7F);      // 7: (i32 i32 i32) -> i32
    add_section(out, 1, &content);
    ag_buffer_append_leb(&content, import_count(module));
    add_import(&content, "gpio", "configure", 2);
    add_import(&content, "gpio", module->behaviour == MODULE_UNKNOWN_IMPORT ? "explode" : "write",
               2);
    add_import(&content, "log", "write", 3);
    if (module->behaviour == MODULE_ANSWERS) {
        add_import(&content, "method", "reply", 7);
        add_import(&content, "method", "payload", 2);
    } else {
        add_import(&content, "report", "set_int", 4);
        add_import(&content, "telemetry", "send", 2);
    }
    add_import(&content, "settings", "get_int", 5);
    if (module->behaviour == MODULE_STORES) {
        add_import(&content, "store", "get", 6);
        add_import(&content, "store", "set", 6);
    }
    add_section(out, 2, &content);
}

// Raises the counter of runs, global 0.
static void add_counting(struct ag_buffer *out)
{
    ADD(out, 0x23, 0, 0x41, 1, 0x6A, 0x24, 0);
}

static void add_good_run(struct ag_buffer *out, const struct module *module)
{
    add_counting(out);
    add_const(out, module->pin);
    add_const(out, (int32_t)(module->version & 1));
    add_call(out, WRITE);
    ADD(out, 0x1A);
}

static void add_initialize(struct ag_buffer *out, const struct module *module)
{
    struct ag_buffer body = { 0 };
    ADD(&body, 0); // no locals
    if (module->behaviour == MODULE_TRAPS_AT_START)
        ADD(&body, 0x00);
    add_const(&body, module->pin);
    add_const(&body, 3); // output
    add_call(&body, CONFIGURE);
    ADD(&body, 0x1A);
    add_const(&body, module->behaviour == MODULE_REFUSES);
    ADD(&body, 0x0B);
    add_sized(out, &body);
}

static void add_reporting_run(struct ag_buffer *body, const struct module *module)
{
    add_counting(body);
    ADD(body, 0x41, 0, 0x41, 1, 0x23, 0, 0xAD); // "n", runs
    add_call(body, SET_INT);
    ADD(body, 0x1A, 0x41, 8, 0x41, 7); // {"a":1}
    add_call(body, SEND);
    ADD(body, 0x1A);
    add_const(body, module->pin);
    ADD(body, 0x41, 1, 0x41, 1, 0x42, 0); // "x", otherwise 0
    add_call(body, GET_INT);
    ADD(body, 0xA7);
    add_call(body, WRITE);
    ADD(body, 0x1A);
}

static void add_storing_run(struct ag_buffer *body, const struct module *module)
{
    ADD(body, 0x41, 16, 0x41, 1, 0x41, 32, 0x41, 4); // "a" to 32
    add_call(body, GET);
    ADD(body, 0x1A, 0x41, 17, 0x41, 1, 0x41, 36, 0x41, 4); // "b" to 36
    add_call(body, GET);
    ADD(body, 0x1A, 0x41, 32, 0x28, 2, 0, 0x41, 36, 0x28, 2, 0, 0x47, 0x04, 0x40, 0x00, 0x0B);
    ADD(body, 0x41, 32, 0x41, 32, 0x28, 2, 0);
    add_const(body, (int32_t)module->argument);
    ADD(body, 0x6A, 0x36, 2, 0, 0x41, 16, 0x41, 1, 0x41, 32, 0x41, 4);
    add_call(body, SET);
    ADD(body, 0x1A, 0x23, 0);
    add_const(body, module->traps_in ? (int32_t)module->traps_in - 1 : INT32_MAX);
    ADD(body, 0x4E, 0x04, 0x40, 0x00, 0x0B); // i32.ge_s, if, unreachable
    ADD(body, 0x41, 17, 0x41, 1, 0x41, 32, 0x41, 4);
    add_call(body, SET);
    ADD(body, 0x1A, 0x41, 0, 0x41, 1, 0x41, 32, 0x28, 2, 0, 0xAD);
    add_call(body, SET_INT);
    ADD(body, 0x1A);
    add_good_run(body, module);
}

static void add_execute(struct ag_buffer *out, const struct module *module)
{
    struct ag_buffer body = { 0 };
    if (module->behaviour == MODULE_COMPUTES)
        ADD(&body, 1, 1, 0x7F); // a counter
    else
        ADD(&body, 0);
    switch (module->behaviour) {
    case MODULE_TRAPS_LATER:
        add_good_run(&body, module);
        ADD(&body, 0x23, 0);
        add_const(&body, (int32_t)module->argument);
        ADD(&body, 0x4E, 0x04, 0x40, 0x00, 0x0B); // i32.ge_s, if, unreachable
        break;
    case MODULE_SPINS:
        ADD(&body, 0x03, 0x40, 0x0C, 0, 0x0B);
        break;
    case MODULE_COMPUTES:
        ADD(&body, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6A, 0x22, 0);
        add_const(&body, (int32_t)module->argument);
        ADD(&body, 0x49, 0x0D, 0, 0x0B);
        add_good_run(&body, module);
        break;
    case MODULE_INVALID:
        ADD(&body, 0x6A);
        break;
    case MODULE_HOSTILE_POINTER:
        ADD(&body, 0x41, 0, 0x41, 0x70, 0x41, 0x20); // level 0, text at -16, 32 bytes
        add_call(&body, LOG);
        break;
    case MODULE_REPORTS:
        add_reporting_run(&body, module);
        break;
    case MODULE_STORES:
        add_storing_run(&body, module);
        break;
    case MODULE_LOGS:
        add_good_run(&body, module);
        ADD(&body, 0x41, 2, 0x41, 8, 0x41, 7); // info, {"a":1}
        add_call(&body, LOG);
        if (module->argument == 0)
            break;
        ADD(&body, 0x23, 0);
        add_const(&body, (int32_t)module->argument);
        ADD(&body, 0x4E, 0x04, 0x40, 0x00, 0x0B); // i32.ge_s, if, unreachable
        break;
    case MODULE_FLOODS:
        ADD(&body, 0x03, 0x40, 0x41, 2, 0x41, 8, 0x41, 7); // loop, info, {"a":1}
        add_call(&body, LOG);
        ADD(&body, 0x0C, 0, 0x0B); // br 0, end
        break;
    case MODULE_GOOD:
    case MODULE_TRAPS_AT_START:
    case MODULE_REFUSES:
    case MODULE_NO_EXECUTE:
    case MODULE_UNKNOWN_IMPORT:
    case MODULE_LARGE:
    case MODULE_VAST:
    case MODULE_HEALTHY:
    case MODULE_ANSWERS:
        add_good_run(&body, module);
        break;
    }
    ADD(&body, 0x0B);
    add_sized(out, &body);
}

static void add_healthy(struct ag_buffer *out, const struct module *module)
{
    struct ag_buffer body = { 0 };
    ADD(&body, 0);
    if (module->argument == 99)
        ADD(&body, 0x00);
    add_const(&body, (int32_t)module->argument);
    ADD(&body, 0x0B);
    add_sized(out, &body);
}

static void add_reply(struct ag_buffer *body, int32_t code, int32_t at)
{
    add_const(body, code);
    add_const(body, at);
}

static void add_on_method(struct ag_buffer *out, const struct module *module)
{
    struct ag_buffer body = { 0 };
    ADD(&body, 0);
    switch ((enum module_answer)module->argument) {
    case MODULE_ECHOES:
        add_reply(&body, 201, 32);
        ADD(&body, 0x41, 32, 0x41, 0xC0, 0x01); // to 32, 192 bytes
        add_call(&body, PAYLOAD);
        add_call(&body, REPLY);
        ADD(&body, 0x1A);
        break;
    case MODULE_ANSWER_TRAPS:
        ADD(&body, 0x00);
        break;
    case MODULE_ANSWER_SPINS:
        ADD(&body, 0x03, 0x40, 0x0C, 0, 0x0B);
        break;
    case MODULE_SAYS_NOTHING:
        break;
    case MODULE_ANSWERS_BADLY:
        add_reply(&body, 200, 0);
        ADD(&body, 0x41, 1);
        add_call(&body, REPLY);
        ADD(&body, 0x1A);
        add_reply(&body, 99, 8);
        ADD(&body, 0x41, 7);
        add_call(&body, REPLY);
        ADD(&body, 0x1A);
        break;
    }
    ADD(&body, 0x0B);
    add_sized(out, &body);
}

static uint32_t memory_of(const struct module *module)
{
    return module->memory_size ? module->memory_size : 256;
}

static void add_sections(struct ag_buffer *out, const struct module *module)
{
    struct ag_buffer content = { 0 };
    add_types_and_imports(out, module);
    bool has_healthy = module->behaviour == MODULE_HEALTHY;
    bool has_on_method = module->behaviour == MODULE_ANSWERS;
    if (has_healthy)
        ADD(&content, 3, 0, 1, 0);
    else if (has_on_method)
        ADD(&content, 3, 0, 1, 1);
    else
        ADD(&content, 2, 0, 1);
    add_section(out, 3, &content);
    if (module->behaviour == MODULE_VAST) {
        ADD(&content, 1, 0x70, 0);
        ag_buffer_append_leb(&content, module->argument);
        add_section(out, 4, &content);
    }
    ADD(&content, 1, 8);
    ag_buffer_append_leb(&content, memory_of(module));
    ADD(&content, 0);
    add_section(out, 5, &content);
    ADD(&content, 1, 0x7F, 1, 0x41, 0, 0x0B);
    add_section(out, 6, &content);
    ag_buffer_append_u8(
        &content, module->behaviour == MODULE_NO_EXECUTE ? 1 : 2 + has_healthy + has_on_method);
    add_name(&content, "initialize");
    ADD(&content, 0);
    ag_buffer_append_leb(&content, import_count(module));
    if (module->behaviour != MODULE_NO_EXECUTE) {
        add_name(&content, "execute");
        ADD(&content, 0);
        ag_buffer_append_leb(&content, import_count(module) + 1);
    }
    if (has_healthy || has_on_method) {
        add_name(&content, has_healthy ? "healthy" : "on_method");
        ADD(&content, 0);
        ag_buffer_append_leb(&content, import_count(module) + 2);
    }
    add_section(out, 7, &content);
    ag_buffer_append_u8(&content, 2 + has_healthy + has_on_method);
    add_initialize(&content, module);
    add_execute(&content, module);
    if (has_healthy)
        add_healthy(&content, module);
    if (has_on_method)
        add_on_method(&content, module);
    add_section(out, 10, &content);
    ADD(&content, 3, 0, 0x41, 0, 0x0B, 2, 'n', 'x', 0, 0x41, 16, 0x0B, 2, 'a', 'b', 0, 0x41, 8,
        0x0B, 7, '{', '"', 'a', '"', ':', '1', '}');
    add_section(out, 11, &content);
    if (module->behaviour == MODULE_LARGE) {
        add_name(&content, "ballast");
        for (uint32_t i = 0; i < module->argument; i++)
            ag_buffer_append_u8(&content, (uint8_t)(i * 2654435761u >> 24));
        add_section(out, 0, &content);
    }
}

// What the imports need, and what the module asks for besides.
static void list_capabilities(const struct module *module, struct ag_plugin_metadata *metadata)
{
    uint64_t needed = AG_CAPABILITIES_BIT(AG_CAPABILITY_GPIO) |
                      AG_CAPABILITIES_BIT(AG_CAPABILITY_LOG) |
                      AG_CAPABILITIES_BIT(AG_CAPABILITY_SETTINGS);
    if (module->behaviour == MODULE_ANSWERS)
        needed |= AG_CAPABILITIES_BIT(AG_CAPABILITY_METHOD);
    else
        needed |= AG_CAPABILITIES_BIT(AG_CAPABILITY_REPORT) |
                  AG_CAPABILITIES_BIT(AG_CAPABILITY_TELEMETRY);
    if (module->behaviour == MODULE_STORES)
        needed |= AG_CAPABILITIES_BIT(AG_CAPABILITY_STORE);
    if (module->capability)
        needed |= AG_CAPABILITIES_BIT(module->capability);
    if (module->hidden)
        needed &= ~AG_CAPABILITIES_BIT(module->hidden);
    for (uint16_t id = 1; id < 64; id++)
        if (needed & AG_CAPABILITIES_BIT(id))
            metadata->capabilities[metadata->capability_count++] =
                (struct ag_capability_need){ id, 1 };
}

static void write_metadata(struct ag_writer *writer, const struct module *module)
{
    struct ag_plugin_metadata metadata = {
        .version = module->version,
        .epoch = module->epoch,
        .abi = AG_ABI_VERSION,
        .memory_size = module->behaviour == MODULE_VAST ? 256 : memory_of(module),
        .stack_size = 256,
        .period_ms = module->period_ms ? module->period_ms : 100,
        .fuel_per_run = module->fuel_per_run ? module->fuel_per_run : 100000,
        .data_size = module->data_size,
        .schema = module->schema,
        .schema_size = module->schema_size,
        .trial_runs = module->trial_runs,
        .trial_ms = module->trial_ms,
        .trial_flags = module->trial_flags,
    };
    memcpy(metadata.name, module->name, strlen(module->name) + 1);
    list_capabilities(module, &metadata);
    ag_metadata_write(writer, &metadata);
    CHECK_EQUAL(writer->status, AG_OK);
}

void module_build(struct ag_buffer *out, const struct module *module)
{
    uint8_t payload[AG_METADATA_SIZE_MAX];
    struct ag_writer writer;
    ag_writer_init(&writer, payload, sizeof payload);
    write_metadata(&writer, module);
    struct ag_buffer sections = { 0 };
    add_sections(&sections, module);
    ag_buffer_clear(out);
    fixture_unsigned(out, payload, writer.size, sections.bytes, sections.size);
    ag_buffer_clear(&sections);
    if (module->unsigned_)
        return;
    struct ag_keyfile key = fixture_key(module->key ? module->key : MODULE_KEY);
    fixture_sign(out, &key);
    ag_keyfile_close(&key);
}

void module_trust_with(struct ag_buffer *out, uint32_t epoch, uint8_t key)
{
    const struct module_trust_plan plan = {
        .epoch = epoch, .authorities = { 1 }, .signers = { 1 }, .plugin_keys = { key }
    };
    module_trust_make(out, &plan);
}

static size_t add_keys(uint8_t keys[4][AG_ED25519_KEY_SIZE], const uint8_t seeds[4])
{
    size_t count = 0;
    for (; count < 4 && seeds[count]; count++) {
        struct ag_keyfile key = fixture_key(seeds[count]);
        memcpy(keys[count], key.public_, AG_ED25519_KEY_SIZE);
        ag_keyfile_close(&key);
    }
    return count;
}

// A DER sequence whose first byte is the seed.
static void make_root(struct ag_buffer *out, uint8_t seed, uint32_t ballast)
{
    uint32_t size = 200 + ballast;
    ag_buffer_append_u8(out, 0x30);
    ag_buffer_append_u8(out, 0x82);
    ag_buffer_append_u8(out, (uint8_t)(size >> 8));
    ag_buffer_append_u8(out, (uint8_t)size);
    for (uint32_t i = 0; i < size; i++)
        ag_buffer_append_u8(out, seed);
}

void module_trust_make(struct ag_buffer *out, const struct module_trust_plan *plan)
{
    uint8_t authorities[4][AG_ED25519_KEY_SIZE];
    uint8_t plugin_keys[4][AG_ED25519_KEY_SIZE];
    struct ag_buffer roots[4] = { 0 };
    struct ag_keyfile signers[4];
    struct ag_trustfile_plan made = { .epoch = plan->epoch,
                                      .threshold = plan->threshold ? plan->threshold : 1,
                                      .authority_keys = authorities[0],
                                      .plugin_keys = plugin_keys[0],
                                      .roots = roots,
                                      .signers = signers };
    made.authority_count = add_keys(authorities, plan->authorities);
    made.plugin_count = add_keys(plugin_keys, plan->plugin_keys);
    for (; made.root_count < 4 && plan->roots[made.root_count]; made.root_count++)
        make_root(&roots[made.root_count],
                  plan->root_is_none && made.root_count == 0 ? 0 : plan->roots[made.root_count],
                  plan->ballast);
    for (; made.signer_count < 4 && plan->signers[made.signer_count]; made.signer_count++)
        signers[made.signer_count] = fixture_key(plan->signers[made.signer_count]);
    ag_buffer_clear(out);
    ag_trustfile_make(&made, out);
    for (size_t i = 0; i < made.signer_count; i++)
        ag_keyfile_close(&signers[i]);
    for (size_t i = 0; i < made.root_count; i++)
        ag_buffer_clear(&roots[i]);
}

bool module_trust_roots(const uint8_t *bytes, size_t size, uint8_t seeds[5])
{
    struct ag_trust trust;
    const uint8_t *der;
    size_t der_size;
    size_t count = 0;
    memset(seeds, 0, 5);
    if (ag_trust_read(bytes, size, &trust) != AG_OK)
        return false;
    for (; count < 4 && ag_trust_root(&trust, count, &der, &der_size) == AG_OK; count++) {
        if (der[4] == 0)
            return false;
        seeds[count] = der[4];
    }
    return true;
}

void module_trust(struct ag_buffer *out)
{
    module_trust_with(out, 1, MODULE_KEY);
}
