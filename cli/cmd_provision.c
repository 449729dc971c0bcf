// SPDX-License-Identifier: Apache-2.0
// `airgraft provision`: writes identity, servers, network and the first trust store object into the
// provisioning partition at the beginning of a flash image, and shows what is there.
//
// An image that exists is replaced in one step by one with another partition, so that a device that
// runs from it never sees half of one. Secrets come from files, and none is ever printed.
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "azure/connection_string.h"
#include "base/base64.h"
#include "base/config.h"
#include "cli/buffer.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/plugin_check.h"
#include "platform/flash.h"
#include "provisioning/provisioning.h"

enum {
    IMAGE_MIN = 65536, // the partition, and ten blocks of a store
    IMAGE_MAX = 256 << 20,
    IMAGE_DEFAULT = 16 << 20,
    SECRET_MAX = 1023,
    SECRET_COUNT = 3, // key or connection string, Wi-Fi password
};

struct options {
    const char *image;
    const char *size;
    size_t wanted_size; // what `size` says; 0: nothing
    const char *trust;
    const char *key_file;
    const char *group_key_file;
    const char *connection_string_file;
    const char *wifi_password_file;
    const char *dns;
    const char *time_server;
    uint64_t dps_port;
    uint64_t hub_port;
    bool shows;
    struct ag_provisioning values; // what is taken as it is given
};

// What the values borrow from.
struct storage {
    uint8_t *trust;
    char *secrets[SECRET_COUNT];
    size_t secret_count;
    char dns[64];
    char time_server[256];
};

static const char hint_image[] = "name the device's own flash image, or a file that does not exist";

// ---- values ------------------------------------------------------------------------------------

// The whole file without blanks around it; NULL when it is unfit. It is told how, never what.
static char *read_secret(struct storage *storage, const char *path)
{
    uint8_t *bytes;
    size_t size;
    if (!ag_input_read(path, AG_INPUT_TEXT_MAX, &bytes, &size))
        return NULL;
    char *text = (char *)bytes;
    storage->secrets[storage->secret_count++] = text;
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = 0;
    while (isspace((unsigned char)*text)) {
        text++;
        size--;
    }
    bool is_text = size > 0 && size <= SECRET_MAX && strlen(text) == size;
    for (size_t i = 0; i < size; i++)
        is_text = is_text && !iscntrl((unsigned char)text[i]);
    if (is_text)
        return text;
    ag_output_fail("one line of text, nothing else", "%s is empty, too long or no text", path);
    return NULL;
}

static bool read_key(struct storage *storage, const char *path, const char **key)
{
    uint8_t raw[SECRET_MAX];
    size_t size;
    *key = read_secret(storage, path);
    if (!*key)
        return false;
    const enum ag_status status = ag_base64_decode(ag_text_of(*key), raw, sizeof raw, &size);
    explicit_bzero(raw, sizeof raw);
    if (status == AG_OK)
        return true;
    ag_output_fail("the key as the provisioning service shows it", "%s holds no key in base64",
                   path);
    return false;
}

static bool read_connection_string(struct storage *storage, const char *path, const char **text)
{
    struct ag_connection_string parts;
    *text = read_secret(storage, path);
    if (!*text)
        return false;
    if (ag_connection_string_parse(ag_text_of(*text), &parts) == AG_OK && parts.device_id.size > 0)
        return true;
    ag_output_fail("HostName=…;DeviceId=…;SharedAccessKey=…",
                   "%s holds no connection string of a device", path);
    return false;
}

static bool is_address(const char *text)
{
    struct in_addr address;
    return inet_pton(AF_INET, text, &address) == 1;
}

// "192.168.1.7/24"
static bool is_network_address(const char *text)
{
    const char *slash = strchr(text, '/');
    char address[16];
    uint64_t bits;
    if (!slash || (size_t)(slash - text) >= sizeof address ||
        !ag_options_number(slash + 1, &bits) || bits < 1 || bits > 30)
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = 0;
    return is_address(address);
}

// HOST[:PORT]; the port stays 0 where none is given.
static bool split_port(const char *text, char *host, size_t capacity, uint16_t *port)
{
    const char *colon = strchr(text, ':');
    const size_t size = colon ? (size_t)(colon - text) : strlen(text);
    uint64_t number = 0;
    if (size == 0 || size >= capacity ||
        (colon && (!ag_options_number(colon + 1, &number) || number < 1 || number > UINT16_MAX)))
        return false;
    memcpy(host, text, size);
    host[size] = 0;
    *port = (uint16_t)number;
    return true;
}

// Names and ids: printable ASCII without blanks. Of Wi-Fi also blanks and UTF-8.
static bool is_plain(const char *text, bool takes_blanks)
{
    for (; text && *text; text++) {
        const unsigned char character = (unsigned char)*text;
        if (character < 0x20 || character == 0x7F ||
            (!takes_blanks && (character == ' ' || character > 0x7E)))
            return false;
    }
    return true;
}

static bool take_network(const struct options *options, struct storage *storage,
                         struct ag_provisioning *values)
{
    const bool is_named =
        is_plain(values->id_scope, false) && is_plain(values->registration_id, false) &&
        is_plain(values->dps_host, false) && is_plain(values->host_name, false) &&
        is_plain(options->time_server, false) && is_plain(values->wifi_name, true);
    if (!is_named)
        return ag_output_misuse("printable ASCII without blanks", "a name has odd characters"),
               false;
    if (values->registration_id && strlen(values->registration_id) > AG_CFG_DEVICE_ID_MAX)
        return ag_output_misuse("at most 128 characters", "--registration-id is too long"), false;
    if (values->address && !is_network_address(values->address))
        return ag_output_misuse("like 192.168.1.7/24", "--address is no address with its network"),
               false;
    if (values->gateway && !is_address(values->gateway))
        return ag_output_misuse("like 192.168.1.1", "--gateway is no address"), false;
    if (values->gateway && !values->address)
        return ag_output_misuse("DHCP tells the gateway, too", "--gateway needs --address"), false;
    if (options->dns) {
        if (!split_port(options->dns, storage->dns, sizeof storage->dns, &values->dns_port) ||
            !is_address(storage->dns))
            return ag_output_misuse("like 192.168.1.1 or 192.168.1.1:53",
                                    "--dns is no address of a server"),
                   false;
        values->dns = storage->dns;
    }
    if (options->time_server) {
        if (!split_port(options->time_server, storage->time_server, sizeof storage->time_server,
                        &values->time_port))
            return ag_output_misuse("like pool.ntp.org or pool.ntp.org:123",
                                    "--time-server is no name of a server"),
                   false;
        values->time_server = storage->time_server;
    }
    return true;
}

static bool is_one_identity(const struct options *options)
{
    const int ways =
        !!options->key_file + !!options->group_key_file + !!options->connection_string_file;
    if (ways > 1)
        ag_output_misuse("a device has one identity",
                         "one of --key-file, --group-key-file and --connection-string-file");
    return ways <= 1;
}

static bool take_secrets(const struct options *options, struct storage *storage,
                         struct ag_provisioning *values)
{
    values->key_is_group = options->group_key_file != NULL;
    const char *key_file = values->key_is_group ? options->group_key_file : options->key_file;
    if (key_file && !read_key(storage, key_file, &values->key))
        return false;
    if (options->connection_string_file &&
        !read_connection_string(storage, options->connection_string_file,
                                &values->connection_string))
        return false;
    if (options->wifi_password_file) {
        values->wifi_password = read_secret(storage, options->wifi_password_file);
        return values->wifi_password != NULL;
    }
    return true;
}

static bool take_trust(const char *path, struct storage *storage, struct ag_provisioning *values)
{
    struct ag_trust trust;
    if (!path)
        return true;
    if (!ag_plugin_check_open_trust(path, &storage->trust, &trust))
        return false;
    values->trust = storage->trust;
    values->trust_size = (uint32_t)(trust.signatures - storage->trust) +
                         (uint32_t)trust.signature_count * AG_TRUST_SIGNATURE_SIZE;
    if (trust.root_count == 0)
        ag_output_note("%s has no TLS root: the device will connect to nobody", path);
    return true;
}

// Which option gives what is missing.
static bool is_complete(const struct ag_provisioning *values)
{
    static const struct {
        const char *missing;
        const char *hint;
    } hints[] = {
        { "id scope", "--id-scope, or --connection-string-file" },
        { "registration id", "--registration-id" },
        { "key", "--key-file or --group-key-file" },
        { "trust store object", "--trust; airgraft trust new makes one" },
    };
    const char *missing = ag_provisioning_missing(values);
    for (size_t i = 0; missing && i < sizeof hints / sizeof hints[0]; i++) {
        if (strcmp(missing, hints[i].missing) == 0)
            ag_output_misuse(hints[i].hint, "the %s is missing", missing);
    }
    return !missing;
}

// ---- image -------------------------------------------------------------------------------------

// Bytes, or with K or M behind the number.
static bool parse_size(const char *text, size_t *size)
{
    char digits[24];
    uint64_t number;
    const size_t length = strlen(text);
    const char unit = length > 0 ? text[length - 1] : 0;
    const size_t digit_count = unit == 'K' || unit == 'M' ? length - 1 : length;
    if (digit_count >= sizeof digits)
        return false;
    memcpy(digits, text, digit_count);
    digits[digit_count] = 0;
    if (!ag_options_number(digits, &number) || number > IMAGE_MAX)
        return false;
    number <<= unit == 'M' ? 20 : unit == 'K' ? 10 : 0;
    *size = (size_t)number;
    return number >= IMAGE_MIN && number <= IMAGE_MAX && number % AG_FLASH_BLOCK == 0;
}

// The image that is there and has a partition, or a blank one. NULL: it was said why.
static uint8_t *open_image(const struct options *options, size_t *size)
{
    const size_t wanted = options->wanted_size;
    uint8_t *image;
    if (access(options->image, F_OK) != 0 && errno == ENOENT && !options->shows) {
        *size = wanted ? wanted : IMAGE_DEFAULT;
        image = ag_buffer_allocate(1, *size);
        memset(image, 0xFF, *size);
        return image;
    }
    if (!ag_input_read(options->image, IMAGE_MAX, &image, size))
        return NULL;
    struct ag_provisioning there;
    bool is_fit = *size >= IMAGE_MIN && *size % AG_FLASH_BLOCK == 0;
    const bool is_ours = is_fit && memcmp(image, "AGPV", 4) == 0;
    is_fit = is_fit && (is_ours || ag_provisioning_read(image, AG_PROVISIONING_SIZE, &there) !=
                                       AG_ERR_MALFORMED);
    if (!is_fit)
        ag_output_fail(hint_image, "%s is no flash image with a provisioning partition",
                       options->image);
    else if (wanted && wanted != *size)
        ag_output_fail("leave --size out; the store keeps the size it was made with",
                       "%s exists and has %zu bytes", options->image, *size);
    else
        return image;
    free(image);
    return NULL;
}

static int write_image(const struct options *options, const struct ag_provisioning *values)
{
    size_t size;
    uint8_t *image = open_image(options, &size);
    int code = AG_EXIT_FAILED;
    if (!image)
        return code;
    const enum ag_status status = ag_provisioning_write(values, image, AG_PROVISIONING_SIZE);
    if (status != AG_OK)
        ag_output_fail(
            status == AG_ERR_ARGUMENT ? "a text has at most 255 bytes, a connection string 1023"
                                      : "a trust store object with fewer TLS roots needs less room",
            "the provisioning partition of %u bytes cannot hold this", AG_PROVISIONING_SIZE);
    else if (ag_input_write(options->image, 0600, AG_INPUT_REPLACE, image, size)) {
        printf("%s: provisioned: %u KB at the beginning of %zu KB\n", options->image,
               AG_PROVISIONING_SIZE >> 10, size >> 10);
        code = AG_EXIT_OK;
    }
    explicit_bzero(image, AG_PROVISIONING_SIZE);
    free(image);
    return code;
}

// ---- showing -----------------------------------------------------------------------------------

static void print_row(const char *name, const char *value, uint16_t port)
{
    if (!value && port == 0)
        return;
    printf("%-18s ", name);
    for (; value && *value; value++)
        putchar(isprint((unsigned char)*value) ? *value : '?');
    if (value && port)
        putchar(':');
    if (port)
        printf("%u", port);
    putchar('\n');
}

static void print_identity(const struct ag_provisioning *values)
{
    struct ag_connection_string parts;
    if (values->connection_string) {
        if (ag_connection_string_parse(ag_text_of(values->connection_string), &parts) != AG_OK)
            print_row("connection string", "malformed", 0);
        else
            printf("%-18s %.*s of %.*s, with its key\n", "connection string",
                   (int)parts.device_id.size, parts.device_id.at, (int)parts.host_name.size,
                   parts.host_name.at);
    }
    print_row("id scope", values->id_scope, 0);
    print_row("registration id", values->registration_id, 0);
    if (values->key)
        print_row("key", values->key_is_group ? "there, of the group" : "there, of the device", 0);
}

static void print_values(const struct ag_provisioning *values)
{
    struct ag_trust trust;
    const char *missing = ag_provisioning_missing(values);
    print_identity(values);
    print_row("dps", values->dps_host, values->dps_port);
    print_row("hub port", NULL, values->hub_port);
    print_row("connections", values->one_connection ? "one at a time" : "two", 0);
    print_row("address", values->address ? values->address : "by DHCP", 0);
    print_row("gateway", values->gateway, 0);
    print_row("dns", values->dns, values->dns_port);
    print_row("time server", values->time_server, values->time_port);
    print_row("host name", values->host_name, 0);
    print_row("wi-fi", values->wifi_name, 0);
    if (values->wifi_password)
        print_row("wi-fi password", "there", 0);
    if (values->trust_size > 0) {
        const enum ag_status status = ag_trust_read(values->trust, values->trust_size, &trust);
        if (status == AG_OK)
            printf("%-18s epoch %u, %zu plug-in keys, %zu TLS roots, %u bytes\n", "trust store",
                   trust.epoch, trust.plugin_keys.count, trust.root_count, values->trust_size);
        else
            print_row("trust store", ag_status_text(status), 0);
    }
    print_row("missing", missing, 0);
}

static int show(const struct options *options)
{
    struct ag_provisioning values;
    size_t size;
    uint8_t *image = open_image(options, &size);
    if (!image)
        return AG_EXIT_FAILED;
    int code = AG_EXIT_OK;
    const enum ag_status status = ag_provisioning_read(image, AG_PROVISIONING_SIZE, &values);
    if (status == AG_OK)
        print_values(&values);
    else if (status == AG_ERR_NOT_FOUND)
        code =
            ag_output_fail("airgraft provision --help", "%s was never provisioned", options->image);
    else
        code = ag_output_fail("provision it again", "the provisioning partition of %s is damaged",
                              options->image);
    free(image);
    return code;
}

// ---- command -----------------------------------------------------------------------------------

static int provision(const struct options *options)
{
    struct storage storage = { 0 };
    struct ag_provisioning values = options->values;
    int code = AG_EXIT_USAGE;
    values.dps_port = (uint16_t)options->dps_port;
    values.hub_port = (uint16_t)options->hub_port;
    if (is_one_identity(options) && take_network(options, &storage, &values)) {
        code = AG_EXIT_FAILED;
        if (take_secrets(options, &storage, &values) &&
            take_trust(options->trust, &storage, &values))
            code = is_complete(&values) ? write_image(options, &values) : AG_EXIT_USAGE;
    }
    for (size_t i = 0; i < storage.secret_count; i++) {
        explicit_bzero(storage.secrets[i], strlen(storage.secrets[i]));
        free(storage.secrets[i]);
    }
    free(storage.trust);
    return code;
}

int cmd_provision(int argc, char **argv)
{
    struct options options = { 0 };
    struct ag_provisioning *values = &options.values;
    const struct ag_option rows[] = {
        { "image", 'i', AG_OPTION_TEXT, &options.image, "FILE",
          "the device's flash; made if it is not there", 0, 0 },
        { "size", 0, AG_OPTION_TEXT, &options.size, "SIZE",
          "of a new image: bytes, or with K or M (default: 16M)", 0, 0 },
        { "show", 0, AG_OPTION_FLAG, &options.shows, NULL,
          "only show what is there, without its secrets", 0, 0 },
        { "id-scope", 0, AG_OPTION_TEXT, &values->id_scope, "ID",
          "of the provisioning service (DPS)", 0, 0 },
        { "registration-id", 0, AG_OPTION_TEXT, &values->registration_id, "ID",
          "of the device, with the provisioning service", 0, 0 },
        { "key-file", 0, AG_OPTION_TEXT, &options.key_file, "FILE",
          "holds the device's key, in base64", 0, 0 },
        { "group-key-file", 0, AG_OPTION_TEXT, &options.group_key_file, "FILE",
          "holds its group's key, of which the device derives its own;\n"
          "for trying out: whoever has the device has the group's key",
          0, 0 },
        { "connection-string-file", 0, AG_OPTION_TEXT, &options.connection_string_file, "FILE",
          "holds a device's connection string, instead of DPS", 0, 0 },
        { "dps-host", 0, AG_OPTION_TEXT, &values->dps_host, "NAME",
          "the provisioning service (default: Azure's)", 0, 0 },
        { "dps-port", 0, AG_OPTION_NUMBER, &options.dps_port, "PORT", "its port (default: 8883)", 1,
          UINT16_MAX },
        { "hub-port", 0, AG_OPTION_NUMBER, &options.hub_port, "PORT",
          "the hub's port (default: 8883)", 1, UINT16_MAX },
        { "trust", 't', AG_OPTION_TEXT, &options.trust, "FILE",
          "the first trust store object; airgraft trust new makes one", 0, 0 },
        { "one-connection", 0, AG_OPTION_FLAG, &values->one_connection, NULL,
          "leave the hub while a file is fetched: half the RAM for TLS", 0, 0 },
        { "address", 0, AG_OPTION_TEXT, &values->address, "CIDR",
          "like 192.168.1.7/24 (default: by DHCP)", 0, 0 },
        { "gateway", 0, AG_OPTION_TEXT, &values->gateway, "ADDRESS", "with --address", 0, 0 },
        { "dns", 0, AG_OPTION_TEXT, &options.dns, "ADDRESS[:PORT]",
          "a DNS server that is asked before DHCP's", 0, 0 },
        { "time-server", 0, AG_OPTION_TEXT, &options.time_server, "NAME[:PORT]",
          "an SNTP server (default: the hub's and the file server's time)", 0, 0 },
        { "host-name", 0, AG_OPTION_TEXT, &values->host_name, "NAME", "told to DHCP", 0, 0 },
        { "wifi-name", 0, AG_OPTION_TEXT, &values->wifi_name, "NAME",
          "of the Wi-Fi, where the board has a radio", 0, 0 },
        { "wifi-password-file", 0, AG_OPTION_TEXT, &options.wifi_password_file, "FILE",
          "holds its password", 0, 0 },
    };
    const struct ag_usage usage = {
        .name = "provision",
        .synopsis = "--image FILE --id-scope ID --registration-id ID --key-file FILE --trust FILE "
                    "[OPTION...]\n--image FILE --connection-string-file FILE --trust FILE "
                    "[OPTION...]\n--image FILE --show",
        .summary = "Writes what a microcontroller must know before it was ever connected into its\n"
                   "flash image: identity, servers, network and the first trust store object.\n"
                   "Of an image that exists only this partition is replaced; the store behind it\n"
                   "stays. The image holds secrets: it gets mode 0600.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .examples = "airgraft provision --image flash.bin --id-scope 0ne000A1B2C "
                    "--registration-id device-1 --key-file device-1.key --trust trust.bin\n"
                    "airgraft provision --image flash.bin --show",
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    if (!options.image)
        return ag_output_misuse("airgraft provision --help", "--image is missing");
    if (options.size && !parse_size(options.size, &options.wanted_size))
        return ag_output_misuse("64K to 256M, a multiple of 4K",
                                "--size is not the size of a flash");
    return options.shows ? show(&options) : provision(&options);
}
