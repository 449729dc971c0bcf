// SPDX-License-Identifier: Apache-2.0
// `airgraft inspect`: what a device will see of a plug-in file, and each of its sections.
//
// One document is made and then either printed as JSON or put into words.
#include <stdlib.h>
#include <string.h>

#include "cli/build/check.h"
#include "cli/build/engine.h"
#include "cli/build/settings_schema.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/module.h"
#include "cli/plugin_check.h"
#include "cli/signing.h"
#include "plugin/capabilities.h"
#include "plugin/file.h"
#include "plugin/trust.h"

enum {
    SECTION_CODE = 10
};

struct options {
    const char *trust;
    struct ag_option_list keys;
    bool json;
};

// Keys against which signers are checked.
struct believed {
    bool asked;           // to check at all; there may be no key to check against
    uint8_t *trust_bytes; // owned
    struct ag_key_list keys;
    uint8_t own[AG_OPTION_LIST_MAX][AG_ED25519_KEY_SIZE];
};

static bool open_believed(const struct options *options, struct believed *believed)
{
    struct ag_trust trust;
    for (size_t i = 0; i < options->keys.count; i++) {
        struct ag_keyfile key;
        if (!ag_keyfile_open_public(options->keys.items[i], &key))
            return false;
        memcpy(believed->own[i], key.public_, sizeof key.public_);
        ag_keyfile_close(&key);
    }
    believed->asked = options->trust || options->keys.count > 0;
    believed->keys = (struct ag_key_list){ believed->own[0], options->keys.count };
    if (!options->trust)
        return true;
    if (!ag_plugin_check_open_trust(options->trust, &believed->trust_bytes, &trust))
        return false;
    believed->keys = trust.plugin_keys;
    return true;
}

static json_t *hex_json(const uint8_t *bytes, size_t size)
{
    char text[2 * AG_SIGNATURE_KEY_ID_MAX + 1] = "";
    for (size_t i = 0; i < size && i < AG_SIGNATURE_KEY_ID_MAX; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return json_string(text);
}

// Text of a file, with everything that is not plain ASCII made harmless.
static json_t *text_json(const char *text, size_t size)
{
    char safe[96];
    size_t used = size < sizeof safe - 1 ? size : sizeof safe - 1;
    for (size_t i = 0; i < used; i++)
        safe[i] = text[i] >= 0x20 && text[i] < 0x7F ? text[i] : '?';
    return json_stringn(safe, used);
}

static json_t *error_json(enum ag_status status)
{
    return json_pack("{s:i, s:s, s:s, s:s}", "code", (int)status, "name", ag_status_name(status),
                     "text", ag_status_text(status), "hint", ag_status_hint(status));
}

// A number of the metadata that need not be stated.
static json_t *limit_json(uint32_t number)
{
    return number > 0 ? json_integer(number) : json_null();
}

// What a trial takes at least; null for what is the host's to choose.
static json_t *trial_json(const struct ag_plugin_metadata *metadata)
{
    json_t *trial = json_object();
    json_object_set_new(trial, "runs", limit_json(metadata->trial_runs));
    json_object_set_new(trial, "ms", limit_json(metadata->trial_ms));
    json_object_set_new(trial, "hub", json_boolean(metadata->trial_flags & AG_TRIAL_HUB));
    return trial;
}

static void add_metadata(json_t *document, const struct ag_plugin_metadata *metadata)
{
    json_t *capabilities = json_object();
    for (size_t i = 0; i < metadata->capability_count; i++) {
        const struct ag_capability_need *need = &metadata->capabilities[i];
        const struct ag_capability *capability = ag_capabilities_find_id(need->id);
        char number[16];
        snprintf(number, sizeof number, "%u", need->id);
        json_object_set_new(capabilities, capability ? capability->name : number,
                            json_integer(need->version));
    }
    json_object_set_new(document, "name", json_string(metadata->name));
    json_object_set_new(document, "version", json_integer(metadata->version));
    json_object_set_new(document, "epoch", json_integer(metadata->epoch));
    json_object_set_new(document, "abi", json_integer(metadata->abi));
    json_object_set_new(document, "memory", json_integer(metadata->memory_size));
    json_object_set_new(document, "stack", json_integer(metadata->stack_size));
    json_object_set_new(document, "periodMs", limit_json(metadata->period_ms));
    json_object_set_new(document, "fuelPerRun", limit_json(metadata->fuel_per_run));
    json_object_set_new(document, "capabilities", capabilities);
    json_object_set_new(document, "trial", trial_json(metadata));
    json_object_set_new(document, "data", json_integer(metadata->data_size));
    json_object_set_new(document, "settings",
                        metadata->schema_size > 0
                            ? ag_settings_schema_json(metadata->schema, metadata->schema_size)
                            : json_null());
}

static const char *verdict_on(const struct ag_signer *signer, const struct believed *believed,
                              const uint8_t message[AG_SIGNATURE_MESSAGE_SIZE])
{
    size_t index;
    switch (ag_keys_verify(&believed->keys, signer->key_id, signer->key_id_size, message,
                           AG_SIGNATURE_MESSAGE_SIZE, signer->signature, &index)) {
    case AG_KEYS_UNKNOWN:
        break;
    case AG_KEYS_FORGED:
        return "forged";
    case AG_KEYS_VALID:
        return "valid";
    }
    return believed->asked ? "unknown" : "unchecked";
}

static void add_signers(json_t *document, const struct ag_signing_file *file,
                        const struct believed *believed)
{
    struct ag_signature signature;
    uint8_t message[AG_SIGNATURE_MESSAGE_SIZE];
    json_t *signers = json_array();
    json_object_set_new(document, "signers", signers);
    if (!file->signature ||
        ag_signature_read(file->signature, file->signature_size, &signature) != AG_OK)
        return;
    ag_signature_message(signature.hashes, message);
    for (size_t i = 0; i < signature.signer_count; i++) {
        const struct ag_signer *signer = &signature.signers[i];
        json_t *one = json_object();
        json_object_set_new(one, "keyId", hex_json(signer->key_id, signer->key_id_size));
        json_object_set_new(one, "verdict", json_string(verdict_on(signer, believed, message)));
        json_array_append_new(signers, one);
    }
    const bool match = memcmp(signature.hashes, file->hashes, sizeof file->hashes) == 0;
    json_object_set_new(document, "hashesMatch", json_boolean(match));
}

static const char *standard_name(uint8_t id)
{
    static const char *const names[] = {
        "custom", "type",  "import",  "function", "table", "memory",     "global",
        "export", "start", "element", "code",     "data",  "data count",
    };
    return id < sizeof names / sizeof names[0] ? names[id] : "unknown";
}

static void add_sections(json_t *document, const struct ag_module *module)
{
    json_t *sections = json_array();
    for (size_t i = 0; i < module->section_count; i++) {
        const struct ag_section *section = &module->sections[i];
        json_t *one = json_object();
        json_object_set_new(one, "id", json_integer(section->id));
        json_object_set_new(one, "name",
                            section->id == 0 ? text_json(section->name, section->name_size)
                                             : json_string(standard_name(section->id)));
        json_object_set_new(one, "offset", json_integer((json_int_t)section->offset));
        json_object_set_new(one, "size", json_integer((json_int_t)section->size));
        json_array_append_new(sections, one);
    }
    json_object_set_new(document, "sections", sections);
}

static void add_module(json_t *document, const struct ag_module *module)
{
    json_t *imports = json_array();
    json_t *exports = json_array();
    for (size_t i = 0; i < module->import_count; i++) {
        const struct ag_module_import *import = &module->imports[i];
        json_t *one = json_object();
        json_object_set_new(one, "module", text_json(import->module, import->module_size));
        json_object_set_new(one, "field", text_json(import->field, import->field_size));
        json_object_set_new(one, "type", json_string(import->type));
        json_array_append_new(imports, one);
    }
    for (size_t i = 0; i < module->export_count; i++) {
        const struct ag_module_export *export = &module->exports[i];
        json_t *one = json_object();
        json_object_set_new(one, "name", text_json(export->name, export->name_size));
        json_object_set_new(one, "type", json_string(export->type));
        json_array_append_new(exports, one);
    }
    const struct ag_section *code = ag_module_section(module, SECTION_CODE);
    json_object_set_new(document, "imports", imports);
    json_object_set_new(document, "exports", exports);
    json_object_set_new(document, "functions", json_integer(module->function_count));
    json_object_set_new(document, "codeSize", json_integer(code ? (json_int_t)code->body_size : 0));
    json_object_set_new(document, "pageSize", json_integer(1 << module->page_shift));
    add_sections(document, module);
}

static void add_sha256(json_t *document, const uint8_t *bytes, size_t size)
{
    uint8_t digest[AG_SHA256_SIZE];
    ag_crypto_sha256(bytes, size, digest);
    json_object_set_new(document, "sha256", hex_json(digest, sizeof digest));
}

// What is wrong with the signatures; without keys, whatever can be told without them.
static enum ag_status judge_signatures(const uint8_t *bytes, size_t size,
                                       const struct believed *believed,
                                       const struct ag_signing_file *file)
{
    struct ag_plugin_head head;
    uint8_t sha256[AG_SHA256_SIZE];
    struct ag_signature signature;
    if (believed->asked)
        return ag_file_check(bytes, size, &believed->keys, &head, sha256);
    if (!file->signature)
        return AG_OK;
    if (ag_signature_read(file->signature, file->signature_size, &signature) != AG_OK)
        return AG_ERR_FILE_SIGNATURE;
    return memcmp(signature.hashes, file->hashes, sizeof file->hashes) == 0 ? AG_OK
                                                                            : AG_ERR_FILE_HASH;
}

// What is wrong with the code behind the signatures.
static enum ag_status judge_module(const uint8_t *bytes, size_t size,
                                   const struct ag_module *module,
                                   const struct ag_plugin_metadata *metadata, uint32_t *code_size)
{
    uint32_t offset;
    const enum ag_status status = ag_engine_check(bytes, size, code_size, &offset);
    return status == AG_OK ? ag_check_agrees(module, metadata) : status;
}

static json_t *describe(const char *path, const uint8_t *bytes, size_t size,
                        const struct ag_module *module, const struct believed *believed,
                        enum ag_status *status)
{
    struct ag_signing_file file;
    json_t *document = json_object();
    uint32_t code_size = 0;
    const enum ag_status opened = ag_signing_open(bytes, size, &file);
    *status = opened;
    if (opened == AG_OK || believed->asked)
        *status = judge_signatures(bytes, size, believed, &file);
    if (*status == AG_OK)
        *status = judge_module(bytes, size, module, &file.metadata, &code_size);
    json_object_set_new(document, "file", json_string(path));
    json_object_set_new(document, "size", json_integer((json_int_t)size));
    add_sha256(document, bytes, size);
    if (opened == AG_OK)
        add_metadata(document, &file.metadata);
    add_signers(document, &file, believed);
    json_object_set_new(document, "verified",
                        believed->asked ? json_boolean(*status == AG_OK) : json_null());
    json_object_set_new(document, "translatedSize",
                        code_size > 0 ? json_integer(code_size) : json_null());
    json_object_set_new(document, "error", *status == AG_OK ? json_null() : error_json(*status));
    add_module(document, module);
    return document;
}

static long long number(const json_t *document, const char *name)
{
    return json_integer_value(json_object_get(document, name));
}

static const char *text(const json_t *document, const char *name)
{
    const char *value = json_string_value(json_object_get(document, name));
    return value ? value : "";
}

static void print_limit(const char *title, const json_t *value, const char *unit)
{
    if (json_is_integer(value))
        printf("  %-13s %lld %s\n", title, (long long)json_integer_value(value), unit);
    else
        printf("  %-13s the host's\n", title);
}

static void print_trial(const json_t *trial)
{
    const bool needs_hub = json_is_true(json_object_get(trial, "hub"));
    const char *lead = " ";
    printf("  %-13s", "trial");
    if (number(trial, "runs") > 0) {
        printf("%s%lld runs", lead, number(trial, "runs"));
        lead = ", ";
    }
    if (number(trial, "ms") > 0) {
        printf("%s%lld ms", lead, number(trial, "ms"));
        lead = ", ";
    }
    if (needs_hub)
        printf("%sthe hub reachable", lead);
    else if (lead[0] == ' ')
        printf(" the host's");
    printf("\n");
}

// One line a member: its name, and what it must be.
static void print_settings(const json_t *schema)
{
    const char *title = "settings";
    const char *name;
    json_t *property;
    const json_t *required = json_object_get(schema, "required");
    json_object_foreach(json_object_get(schema, "properties"), name, property)
    {
        bool must_be = false;
        for (size_t i = 0; i < json_array_size(required); i++)
            must_be |= strcmp(json_string_value(json_array_get(required, i)), name) == 0;
        char *text = json_dumps(property, JSON_COMPACT);
        printf("  %-13s %s%s %s\n", title, name, must_be ? ", required:" : ":", text ? text : "");
        free(text);
        title = "";
    }
}

static void print_metadata(json_t *document)
{
    const char *name;
    json_t *version;
    printf("%s version %lld\n", text(document, "name"), number(document, "version"));
    printf("  %-13s %s, %lld bytes\n", "file", text(document, "file"), number(document, "size"));
    printf("  %-13s %s\n", "sha256", text(document, "sha256"));
    printf("  %-13s %lld\n", "epoch", number(document, "epoch"));
    printf("  %-13s %lld\n", "abi", number(document, "abi"));
    printf("  %-13s %lld bytes, in pages of %lld\n", "memory", number(document, "memory"),
           number(document, "pageSize"));
    printf("  %-13s %lld bytes\n", "call stack", number(document, "stack"));
    print_limit("period", json_object_get(document, "periodMs"), "ms");
    print_limit("fuel per run", json_object_get(document, "fuelPerRun"), "instructions");
    print_trial(json_object_get(document, "trial"));
    if (number(document, "data") > 0)
        printf("  %-13s %lld bytes\n", "own data", number(document, "data"));
    print_settings(json_object_get(document, "settings"));
    printf("  %-13s", "capabilities");
    const char *lead = " ";
    json_object_foreach(json_object_get(document, "capabilities"), name, version)
    {
        printf("%s%s %lld", lead, name, (long long)json_integer_value(version));
        lead = ", ";
    }
    printf("\n");
}

static void print_names(const char *title, const json_t *list, const char *first,
                        const char *second)
{
    printf("  %-13s", title);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        printf("%s%s%s%s", i > 0 ? ", " : " ", text(item, first), second ? "." : "",
               second ? text(item, second) : "");
    }
    printf("%s\n", json_array_size(list) == 0 ? " none" : "");
}

static void print_signers(const json_t *document)
{
    const json_t *signers = json_object_get(document, "signers");
    const json_t *match = json_object_get(document, "hashesMatch");
    for (size_t i = 0; i < json_array_size(signers); i++) {
        const json_t *signer = json_array_get(signers, i);
        printf("  %-13s %s (%s)\n", i == 0 ? "signers" : "", text(signer, "keyId"),
               text(signer, "verdict"));
    }
    if (json_array_size(signers) == 0)
        printf("  %-13s none\n", "signers");
    if (match)
        printf("  %-13s %s\n", "hashes", json_is_true(match) ? "match" : "do not match");
}

static void print_document(json_t *document)
{
    const json_t *sections = json_object_get(document, "sections");
    if (json_object_get(document, "name"))
        print_metadata(document);
    else
        printf("%s: not a plug-in file\n", text(document, "file"));
    print_names("imports", json_object_get(document, "imports"), "module", "field");
    print_names("exports", json_object_get(document, "exports"), "name", NULL);
    printf("  %-13s %lld bytes, %lld functions", "code", number(document, "codeSize"),
           number(document, "functions"));
    if (number(document, "translatedSize") > 0)
        printf(", %lld bytes translated", number(document, "translatedSize"));
    printf("\n");
    print_signers(document);
    printf("sections        offset     size\n");
    for (size_t i = 0; i < json_array_size(sections); i++) {
        const json_t *section = json_array_get(sections, i);
        printf("  %-20.20s %6lld %8lld\n", text(section, "name"), number(section, "offset"),
               number(section, "size"));
    }
}

static int inspect(const char *path, const struct options *options, const struct believed *believed)
{
    uint8_t *bytes;
    size_t size;
    struct ag_module module;
    enum ag_status status;
    if (!ag_input_read(path, AG_INPUT_PLUGIN_MAX, &bytes, &size))
        return AG_EXIT_FAILED;
    status = ag_module_open(&module, bytes, size);
    if (status != AG_OK) {
        free(bytes);
        return ag_output_fail_status(status, "%s", path);
    }
    int code = AG_EXIT_OK;
    json_t *document = describe(path, bytes, size, &module, believed, &status);
    if (options->json) {
        code = ag_output_json(document);
    } else {
        print_document(document);
        json_decref(document);
    }
    if (status != AG_OK)
        code = ag_output_fail_status(status, "%s", path);
    ag_module_clear(&module);
    free(bytes);
    return code;
}

int cmd_inspect(int argc, char **argv)
{
    struct options options = { 0 };
    const struct ag_option rows[] = {
        { "trust", 't', AG_OPTION_TEXT, &options.trust, "FILE",
          "check the signers against the plug-in keys of this trust store object", 0, 0 },
        { "key", 'k', AG_OPTION_LIST, &options.keys, "PUB",
          "check the signers against this public key; may be given more than once", 0, 0 },
        { "json", 0, AG_OPTION_FLAG, &options.json, NULL, "print it as JSON", 0, 0 },
    };
    const struct ag_usage usage = {
        .name = "inspect",
        .synopsis = "[OPTION...] FILE",
        .summary =
            "Shows a plug-in file: what it is and needs, who signed it, each of its sections.\n"
            "With --trust or --key it fails unless a device with these keys would accept the\n"
            "signatures.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .examples = "airgraft inspect blinky-10.wasm --trust trust.bin",
        .operand_min = 1,
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    int code = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (code != AG_OPTIONS_GO)
        return code;
    if (options.trust && options.keys.count > 0)
        return ag_output_misuse("give one of them", "--trust and --key exclude each other");
    struct believed believed = { 0 };
    code = AG_EXIT_FAILED;
    if (open_believed(&options, &believed))
        code = inspect(operands[0], &options, &believed);
    free(believed.trust_bytes);
    return code;
}
