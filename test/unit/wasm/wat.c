// SPDX-License-Identifier: Apache-2.0
// Modules part by part.
#include "wat.h"

#include "forms.h"

void put(struct bytes *bytes, const uint8_t *more, size_t size)
{
    CHECK(size <= sizeof bytes->at - bytes->size);
    memcpy(bytes->at + bytes->size, more, size);
    bytes->size += (uint32_t)size;
}

void put_number(struct bytes *bytes, uint32_t value)
{
    uint8_t leb[5];
    put(bytes, leb, put_leb(leb, value));
}

static void put_name(struct bytes *bytes, const char *name)
{
    put_number(bytes, (uint32_t)strlen(name));
    put(bytes, (const uint8_t *)name, strlen(name));
}

uint8_t wat_letter(char letter)
{
    static const char letters[] = "xr";
    static const char numbers[] = "dfli";
    const char *at = strchr(numbers, letter);
    if (at)
        return (uint8_t)(F64 + (at - numbers));
    at = strchr(letters, letter);
    CHECK(at != NULL);
    return (uint8_t)(EXTERNREF + (at - letters));
}

static void put_types(struct bytes *bytes, const char *letters, size_t count)
{
    put_number(bytes, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const uint8_t type = wat_letter(letters[i]);
        put(bytes, &type, 1);
    }
}

void wat_begin(struct wat *wat)
{
    for (size_t i = 0; i < sizeof wat->count / sizeof wat->count[0]; i++) {
        wat->count[i] = 0;
        wat->section[i].size = 0;
    }
    wat->functions = 0;
}

uint32_t wat_type(struct wat *wat, const char *signature)
{
    struct bytes *types = &wat->section[1];
    const uint32_t start = types->size;
    const char *colon = strchr(signature, ':');
    CHECK(colon != NULL);
    put(types, BYTES(0x60));
    put_types(types, signature, (size_t)(colon - signature));
    put_types(types, colon + 1, strlen(colon + 1));
    // The same type once more keeps its first index.
    const uint32_t size = types->size - start;
    uint32_t at = 0;
    for (uint32_t i = 0; i < wat->count[1]; i++) {
        const uint32_t params = types->at[at + 1];
        const uint32_t results = types->at[at + 2 + params];
        const uint32_t length = 3 + params + results;
        if (length == size && memcmp(types->at + at, types->at + start, size) == 0) {
            types->size = start;
            return i;
        }
        at += length;
    }
    return wat->count[1]++;
}

void wat_import(struct wat *wat, const char *name, const uint8_t *type, size_t size)
{
    put_name(&wat->section[2], "env");
    put_name(&wat->section[2], name);
    put(&wat->section[2], type, size);
    wat->count[2]++;
}

uint32_t wat_import_function(struct wat *wat, const char *name, const char *signature)
{
    CHECK_EQUAL(wat->count[3], 0);
    wat_import(wat, name, BYTES(0, (uint8_t)wat_type(wat, signature)));
    return wat->functions++;
}

uint32_t wat_function(struct wat *wat, const char *name, const char *signature, const char *locals,
                      const uint8_t *body, size_t size)
{
    struct bytes *code = &wat->section[10];
    const uint32_t local_count = (uint32_t)strlen(locals);
    put_number(&wat->section[3], wat_type(wat, signature));
    wat->count[3]++;
    wat->count[10]++;
    put_number(code, (uint32_t)size + 1 + 2 * local_count);
    CHECK(local_count < 128);
    put(code, BYTES((uint8_t)local_count));
    for (uint32_t i = 0; i < local_count; i++)
        put(code, BYTES(1, wat_letter(locals[i])));
    put(code, body, size);
    if (name)
        wat_export(wat, name, AG_WASM_FUNCTION, wat->functions);
    return wat->functions++;
}

void wat_export(struct wat *wat, const char *name, enum ag_wasm_kind kind, uint32_t index)
{
    put_name(&wat->section[7], name);
    put(&wat->section[7], BYTES((uint8_t)kind));
    put_number(&wat->section[7], index);
    wat->count[7]++;
}

void wat_item(struct wat *wat, uint8_t section, const uint8_t *bytes, size_t size)
{
    put(&wat->section[section], bytes, size);
    wat->count[section]++;
}

void wat_end(struct wat *wat, struct module *module)
{
    static const uint8_t order[] = { 1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11 };
    static struct bytes section;
    module_begin(module);
    for (size_t i = 0; i < sizeof order; i++) {
        const uint8_t id = order[i];
        if (id == 12 && wat->count[11] > 0) {
            section.size = 0;
            put_number(&section, wat->count[11]);
            module_section(module, 12, section.at, section.size);
        }
        if (wat->count[id] == 0)
            continue;
        section.size = 0;
        put_number(&section, wat->count[id]);
        put(&section, wat->section[id].at, wat->section[id].size);
        module_section(module, id, section.at, section.size);
    }
}

enum ag_status wat_load(struct wat *wat, struct engine *engine)
{
    static struct module module;
    wat_end(wat, &module);
    const enum ag_status status = engine_load(engine, &module);
    if (status == AG_OK)
        forms_note(engine);
    return status;
}

enum ag_status wat_run(struct wat *wat, struct engine *engine, const char *name,
                       const uint32_t *args, uint32_t count)
{
    const enum ag_status status = wat_load(wat, engine);
    return status == AG_OK ? engine_call(engine, name, args, count, INT32_MAX) : status;
}
