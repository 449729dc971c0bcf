// SPDX-License-Identifier: Apache-2.0
// `airgraft trust`: makes, shows, compares and rolls out trust store objects.
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/plugin_check.h"
#include "cli/trust_deploy.h"
#include "cli/trustfile.h"

// ---- new ---------------------------------------------------------------------------------------

struct new_options {
    struct ag_option_list keys;
    struct ag_option_list authorities;
    struct ag_option_list signers;
    struct ag_option_list plugin_keys;
    struct ag_option_list roots;
    uint64_t threshold;
    uint64_t epoch;
    const char *output;
};

// What the options name, opened.
struct parts {
    struct ag_keyfile signers[AG_TRUST_SIGNATURE_MAX];
    size_t signer_count;
    uint8_t authority_keys[AG_TRUST_KEY_MAX][AG_ED25519_KEY_SIZE];
    size_t authority_count;
    uint8_t plugin_keys[AG_TRUST_KEY_MAX][AG_ED25519_KEY_SIZE];
    size_t plugin_count;
    struct ag_buffer roots[AG_TRUST_ROOT_MAX];
    size_t root_count;
};

static bool add_key(const char *path, const uint8_t key[AG_ED25519_KEY_SIZE],
                    uint8_t keys[AG_TRUST_KEY_MAX][AG_ED25519_KEY_SIZE], size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        if (memcmp(keys[i], key, AG_ED25519_KEY_SIZE) == 0) {
            ag_output_fail("name it once", "%s is given twice", path);
            return false;
        }
    }
    if (*count == AG_TRUST_KEY_MAX) {
        ag_output_fail("leave some out", "more than %u keys of one kind", AG_TRUST_KEY_MAX);
        return false;
    }
    memcpy(keys[(*count)++], key, AG_ED25519_KEY_SIZE);
    return true;
}

static bool add_public_keys(const struct ag_option_list *paths,
                            uint8_t keys[AG_TRUST_KEY_MAX][AG_ED25519_KEY_SIZE], size_t *count)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct ag_keyfile key;
        if (!ag_keyfile_open_public(paths->items[i], &key))
            return false;
        const bool added = add_key(paths->items[i], key.public_, keys, count);
        ag_keyfile_close(&key);
        if (!added)
            return false;
    }
    return true;
}

static bool add_signers(const struct ag_option_list *paths, struct parts *parts, bool is_authority)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (parts->signer_count == AG_TRUST_SIGNATURE_MAX) {
            ag_output_fail("leave some out", "more than %u signers", AG_TRUST_SIGNATURE_MAX);
            return false;
        }
        struct ag_keyfile *key = &parts->signers[parts->signer_count];
        if (!ag_keyfile_open_private(paths->items[i], key))
            return false;
        parts->signer_count++;
        if (is_authority &&
            !add_key(paths->items[i], key->public_, parts->authority_keys, &parts->authority_count))
            return false;
    }
    return true;
}

static bool gather(const struct new_options *options, struct parts *parts)
{
    bool done =
        add_signers(&options->keys, parts, true) && add_signers(&options->signers, parts, false) &&
        add_public_keys(&options->authorities, parts->authority_keys, &parts->authority_count) &&
        add_public_keys(&options->plugin_keys, parts->plugin_keys, &parts->plugin_count);
    for (size_t i = 0; done && i < options->roots.count; i++)
        done = ag_trustfile_read_roots(options->roots.items[i], parts->roots, &parts->root_count);
    return done;
}

static void release(struct parts *parts)
{
    for (size_t i = 0; i < parts->root_count; i++)
        ag_buffer_clear(&parts->roots[i]);
    for (size_t i = 0; i < parts->signer_count; i++)
        ag_keyfile_close(&parts->signers[i]);
}

// Proves what was made with the device's own code before anybody relies on it.
static int make(const struct new_options *options, const struct parts *parts)
{
    const struct ag_trustfile_plan plan = {
        .epoch = (uint32_t)options->epoch,
        .threshold = (uint32_t)options->threshold,
        .authority_keys = parts->authority_keys[0],
        .authority_count = parts->authority_count,
        .plugin_keys = parts->plugin_keys[0],
        .plugin_count = parts->plugin_count,
        .roots = parts->roots,
        .root_count = parts->root_count,
        .signers = parts->signers,
        .signer_count = parts->signer_count,
    };
    struct ag_buffer object = { 0 };
    struct ag_trust trust;
    int code = AG_EXIT_FAILED;
    ag_trustfile_make(&plan, &object);
    const enum ag_status status = ag_trust_read(object.bytes, object.size, &trust);
    if (status == AG_ERR_TRUST_MALFORMED && object.size > AG_CFG_TRUST_SIZE_MAX)
        code = ag_output_fail("leave some TLS roots out",
                              "%zu bytes are more than the %d a device takes", object.size,
                              AG_CFG_TRUST_SIZE_MAX);
    else if (status != AG_OK)
        code = ag_output_fail_status(status, "%s", options->output);
    else if (ag_input_write(options->output, 0644, AG_INPUT_REPLACE, object.bytes, object.size)) {
        printf("%s: epoch %u, %zu plug-in keys, %zu TLS roots, %u of %zu authority keys replace "
               "it, %zu bytes\n",
               options->output, trust.epoch, trust.plugin_keys.count, trust.root_count,
               trust.threshold, trust.authority_keys.count, object.size);
        code = AG_EXIT_OK;
    }
    ag_buffer_clear(&object);
    return code;
}

static int run_new(int argc, char **argv)
{
    struct new_options options = { .threshold = 1, .epoch = 1 };
    const struct ag_option rows[] = {
        { "key", 'k', AG_OPTION_LIST, &options.keys, "FILE",
          "private key of an authority of the new object, which signs it", 0, 0 },
        { "authority", 0, AG_OPTION_LIST, &options.authorities, "PUB",
          "public key of a further authority that does not sign now", 0, 0 },
        { "signer", 0, AG_OPTION_LIST, &options.signers, "FILE",
          "private key that signs without being an authority from now on:\n"
          "one of the object that this one replaces",
          0, 0 },
        { "plugin-key", 'p', AG_OPTION_LIST, &options.plugin_keys, "PUB",
          "public key that may sign plug-ins", 0, 0 },
        { "tls-root", 'r', AG_OPTION_LIST, &options.roots, "PEM",
          "root certificates of servers; a file may hold several", 0, 0 },
        { "threshold", 't', AG_OPTION_NUMBER, &options.threshold, "K",
          "how many authority keys must sign its successor (default: 1)", 1, AG_TRUST_KEY_MAX },
        { "epoch", 'e', AG_OPTION_NUMBER, &options.epoch, "N",
          "a higher one replaces a lower one (default: 1)", 0, UINT32_MAX },
        { "output", 'o', AG_OPTION_TEXT, &options.output, "FILE", "where it goes", 0, 0 },
    };
    const struct ag_usage usage = {
        .name = "trust new",
        .synopsis = "[OPTION...] --key FILE --output FILE",
        .summary = "Makes a trust store object: the keys and TLS roots that a device believes.\n"
                   "Options that name files may be given more than once.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .examples = "airgraft trust new --key root.key --plugin-key release.pub --tls-root ca.pem "
                    "-o trust.bin",
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    if (options.keys.count == 0 || !options.output)
        return ag_output_misuse("airgraft trust new --help", "%s is missing",
                                options.output ? "--key" : "--output");
    struct parts parts = { 0 };
    const int code = gather(&options, &parts) ? make(&options, &parts) : AG_EXIT_FAILED;
    release(&parts);
    return code;
}

// ---- show --------------------------------------------------------------------------------------

static void format_key(const uint8_t *key, char id[9], char text[65])
{
    uint8_t raw[AG_KEYS_ID_SIZE];
    ag_keys_id(key, raw);
    snprintf(id, 9, "%02x%02x%02x%02x", raw[0], raw[1], raw[2], raw[3]);
    for (size_t i = 0; i < AG_ED25519_KEY_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", key[i]);
}

static json_t *keys_json(const struct ag_key_list *keys)
{
    json_t *list = json_array();
    for (size_t i = 0; i < keys->count; i++) {
        char id[9];
        char text[65];
        format_key(ag_keys_at(keys, i), id, text);
        json_array_append_new(list, json_pack("{s:s, s:s}", "id", id, "key", text));
    }
    return list;
}

// The subject of a certificate as text; what a file says is made harmless for a terminal.
static void format_subject(const uint8_t *der, size_t size, char *text, size_t capacity)
{
    X509 *certificate = d2i_X509(NULL, &der, (long)size);
    snprintf(text, capacity, "(not a certificate)");
    if (certificate)
        X509_NAME_oneline(X509_get_subject_name(certificate), text, (int)capacity);
    X509_free(certificate);
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7F)
            *c = '?';
    }
}

static json_t *roots_json(const struct ag_trust *trust)
{
    json_t *list = json_array();
    const uint8_t *der;
    size_t size;
    for (size_t i = 0; ag_trust_root(trust, i, &der, &size) == AG_OK; i++) {
        char subject[200];
        format_subject(der, size, subject, sizeof subject);
        json_array_append_new(list, json_pack("{s:s, s:i}", "subject", subject, "size", (int)size));
    }
    return list;
}

static json_t *trust_json(const struct ag_trust *trust)
{
    json_t *document = json_object();
    json_object_set_new(document, "epoch", json_integer(trust->epoch));
    json_object_set_new(document, "threshold", json_integer(trust->threshold));
    json_object_set_new(document, "authorityKeys", keys_json(&trust->authority_keys));
    json_object_set_new(document, "pluginKeys", keys_json(&trust->plugin_keys));
    json_object_set_new(document, "tlsRoots", roots_json(trust));
    json_object_set_new(document, "signatures", json_integer((json_int_t)trust->signature_count));
    return document;
}

static void print_keys(const char *title, const struct ag_key_list *keys)
{
    printf("%s:%s\n", title, keys->count == 0 ? " none" : "");
    for (size_t i = 0; i < keys->count; i++) {
        char id[9];
        char text[65];
        format_key(ag_keys_at(keys, i), id, text);
        printf("  %s  %s\n", id, text);
    }
}

static void print_trust(const struct ag_trust *trust)
{
    const uint8_t *der;
    size_t size;
    printf("epoch %u, replaced by %u of %zu authority keys, %zu signatures\n", trust->epoch,
           trust->threshold, trust->authority_keys.count, trust->signature_count);
    print_keys("authority keys", &trust->authority_keys);
    print_keys("plug-in keys", &trust->plugin_keys);
    printf("TLS roots:%s\n", trust->root_count == 0 ? " none" : "");
    for (size_t i = 0; ag_trust_root(trust, i, &der, &size) == AG_OK; i++) {
        char subject[200];
        format_subject(der, size, subject, sizeof subject);
        printf("  %5zu bytes  %s\n", size, subject);
    }
}

static int run_show(int argc, char **argv)
{
    bool as_json = false;
    const struct ag_option rows[] = {
        { "json", 0, AG_OPTION_FLAG, &as_json, NULL, "print it as JSON", 0, 0 },
    };
    const struct ag_usage usage = {
        .name = "trust show",
        .synopsis = "[--json] FILE",
        .summary = "Checks a trust store object as a device does, and shows what is in it.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .operand_min = 1,
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    uint8_t *bytes;
    struct ag_trust trust;
    int code = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (code != AG_OPTIONS_GO)
        return code;
    if (!ag_plugin_check_open_trust(operands[0], &bytes, &trust))
        return AG_EXIT_FAILED;
    code = AG_EXIT_OK;
    if (as_json)
        code = ag_output_json(trust_json(&trust));
    else
        print_trust(&trust);
    free(bytes);
    return code;
}

// ---- check -------------------------------------------------------------------------------------

static int run_check(int argc, char **argv)
{
    static const struct ag_usage usage = {
        .name = "trust check",
        .synopsis = "CURRENT NEW",
        .summary = "Says whether a device with the object CURRENT accepts NEW in its place.",
        .operand_min = 2,
        .operand_max = 2,
    };
    char **operands;
    size_t count;
    uint8_t *current_bytes;
    uint8_t *new_bytes;
    struct ag_trust current;
    struct ag_trust candidate;
    int code = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (code != AG_OPTIONS_GO)
        return code;
    code = AG_EXIT_FAILED;
    if (!ag_plugin_check_open_trust(operands[0], &current_bytes, &current))
        return code;
    if (ag_plugin_check_open_trust(operands[1], &new_bytes, &candidate)) {
        const enum ag_status status = ag_trust_replaces(&current, &candidate);
        if (status == AG_OK) {
            printf("%s replaces %s: epoch %u to %u\n", operands[1], operands[0], current.epoch,
                   candidate.epoch);
            code = AG_EXIT_OK;
        } else {
            code =
                ag_output_fail_status(status, "%s does not replace %s", operands[1], operands[0]);
        }
        free(new_bytes);
    }
    free(current_bytes);
    return code;
}

// ---- choice ------------------------------------------------------------------------------------

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} actions[] = {
    { "new", run_new },
    { "show", run_show },
    { "check", run_check },
    { "deploy", ag_trust_deploy_run },
};
enum {
    ACTION_COUNT = sizeof actions / sizeof actions[0]
};

int cmd_trust(int argc, char **argv)
{
    static const struct ag_usage usage = {
        .name = "trust",
        .synopsis =
            "new [OPTION...]\nshow [--json] FILE\ncheck CURRENT NEW\ndeploy [OPTION...] DEVICE FILE",
        .summary =
            "Makes, shows, compares and rolls out trust store objects: the keys and TLS roots that\n"
            "a device believes. Each action has its own --help.",
        .operand_min = 1,
        .operand_max = 1,
    };
    const char *names[ACTION_COUNT];
    char hint[64];
    char **operands;
    size_t count;
    for (size_t i = 0; argc > 1 && i < ACTION_COUNT; i++) {
        if (strcmp(argv[1], actions[i].name) == 0)
            return actions[i].run(argc - 1, argv + 1);
    }
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    for (size_t i = 0; i < ACTION_COUNT; i++)
        names[i] = actions[i].name;
    const char *meant = ag_options_suggest(operands[0], names, ACTION_COUNT);
    snprintf(hint, sizeof hint, "%s airgraft trust %s", meant ? "did you mean" : "see",
             meant ? meant : "--help");
    return ag_output_misuse(hint, "there is no action \"%s\"", operands[0]);
}
