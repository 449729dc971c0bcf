// SPDX-License-Identifier: Apache-2.0
// The configuration file: one table of keys does reading, checking and the reference in --help.
#include "port/linux/config_file.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/flash.h"

enum {
    LINE_SIZE = 1024,
    SECRET_FILE_MAX = 1024,
    WIFI_NAME_MAX = 32, // bytes, of 802.11
};

enum kind {
    KIND_TEXT,
    KIND_PATH,        // relative to the configuration's folder
    KIND_KEY,         // base64, secret
    KIND_SECRET,      // any text, secret
    KIND_KEY_FILE,    // a path: the file's content is the value, as for KIND_KEY
    KIND_SECRET_FILE, // the same, as for KIND_SECRET
    KIND_NUMBER,
    KIND_SIZE, // bytes, with K or M after the number
    KIND_CHOICE,
};

struct key {
    const char *name;
    enum kind kind;
    size_t offset;        // of the member that it sets
    uint32_t least, most; // KIND_NUMBER, KIND_SIZE
    const char *choices;  // KIND_CHOICE: the words in order of their values, each ended by a blank
    const char *fallback; // what holds when the key is not given; NULL: nothing
    const char *help;     // lines are split at '\n'
};

#define AT(member) offsetof(struct ag_config_file, member)

// In the order in which --help shows them.
static const struct key keys[] = {
    { "connection_string", KIND_SECRET, AT(connection_string), 0, 0, NULL, NULL,
      "a device's connection string of IoT Hub:\nHostName=...;DeviceId=...;SharedAccessKey=..." },
    { "connection_string_file", KIND_SECRET_FILE, AT(connection_string), 0, 0, NULL, NULL,
      "a file that holds it" },
    { "id_scope", KIND_TEXT, AT(id_scope), 0, 0, NULL, NULL,
      "instead: the id scope of the Device Provisioning Service" },
    { "registration_id", KIND_TEXT, AT(registration_id), 0, 0, NULL, NULL,
      "with id_scope: this device's registration id" },
    { "symmetric_key", KIND_KEY, AT(symmetric_key), 0, 0, NULL, NULL,
      "with id_scope: the device's key in base64" },
    { "symmetric_key_file", KIND_KEY_FILE, AT(symmetric_key), 0, 0, NULL, NULL,
      "a file that holds it" },
    { "group_key", KIND_KEY, AT(group_key), 0, 0, NULL, NULL,
      "instead of symmetric_key: the key of the enrolment group;\nthe device's is derived from it" },
    { "group_key_file", KIND_KEY_FILE, AT(group_key), 0, 0, NULL, NULL, "a file that holds it" },
    { "dps_host", KIND_TEXT, AT(dps_host), 0, 0, NULL, "global.azure-devices-provisioning.net",
      "the provisioning service" },
    { "dps_port", KIND_NUMBER, AT(dps_port), 1, 65535, NULL, "8883", "its port for MQTT over TLS" },
    { "hub_port", KIND_NUMBER, AT(hub_port), 1, 65535, NULL, "8883",
      "the hub's port for MQTT over TLS" },
    { "trust", KIND_PATH, AT(trust), 0, 0, NULL, NULL,
      "a trust store object (airgraft trust): the keys that sign plug-ins\n"
      "and the root certificates of the servers. Taken into the store when\n"
      "that has none, or an older one that it can prove" },
    { "store", KIND_PATH, AT(store), 0, 0, NULL, "/var/lib/airgraft/store.img",
      "the image that holds the plug-ins; made when it is not there" },
    { "store_size", KIND_SIZE, AT(store_size), 16 * AG_FLASH_BLOCK, 1u << 30, NULL, "4M",
      "its size in bytes, a multiple of 4096 (K, M: times 1024, 1024^2)" },
    { "memory", KIND_SIZE, AT(memory), 1024, 1u << 30, NULL, "256K",
      "memory for all running plug-ins together, in bytes" },
    { "twin_interval_s", KIND_NUMBER, AT(twin_interval_s), 0, 30 * 86400, NULL, "21600",
      "read the whole twin at least this often; 0: only on connecting" },
    { "one_connection", KIND_CHOICE, AT(one_connection), 0, 0, "no yes ", "no",
      "yes: the connection to the hub is closed while a file is fetched,\n"
      "where no two can be afforded at once" },
    { "download_spread_s", KIND_NUMBER, AT(download_spread_s), 0, 86400, NULL, "0",
      "a new version is fetched at a random time within so many seconds,\n"
      "so that a fleet does not fetch it all at once" },
    { "trial_runs", KIND_NUMBER, AT(trial_runs), 1, 1000000, NULL, "5",
      "successful runs that confirm a new version of a plug-in" },
    { "trial_time_ms", KIND_NUMBER, AT(trial_time_ms), 0, 86400000, NULL, "2000",
      "and the least time that it must have run, in milliseconds" },
    { "clock", KIND_CHOICE, AT(clock), 0, 0, "auto trust untrusted ", "auto",
      "auto, trust or untrusted: is the system's clock right? Dates of\n"
      "certificates count only if it is; auto asks the kernel whether the\n"
      "clock is synchronised" },
    { "gpio_chip", KIND_TEXT, AT(gpio_chip), 0, 0, NULL, NULL,
      "the GPIO chip whose lines are the plug-ins' pins (gpiochip0);\n"
      "not given: LEDs and switches on the terminal" },
    { "sensor", KIND_PATH, AT(sensor), 0, 0, NULL, NULL,
      "a file that holds a whole number, for adc channel 0\n"
      "(/sys/class/thermal/thermal_zone0/temp);\nnot given: the terminal board's own" },
    { "wifi_name", KIND_TEXT, AT(wifi[0].name), 0, 0, NULL, NULL,
      "the Wi-Fi network that the host keeps this machine connected to, by\n"
      "NetworkManager; not given: the host leaves Wi-Fi alone" },
    { "wifi_password", KIND_SECRET, AT(wifi[0].password), 0, 0, NULL, NULL,
      "its password, 8 to 63 characters or 64 hexadecimal digits;\n"
      "not given: an open network" },
    { "wifi_password_file", KIND_SECRET_FILE, AT(wifi[0].password), 0, 0, NULL, NULL,
      "a file that holds it" },
    { "wifi_name_2", KIND_TEXT, AT(wifi[1].name), 0, 0, NULL, NULL,
      "a second network, for where the first cannot be had" },
    { "wifi_password_2", KIND_SECRET, AT(wifi[1].password), 0, 0, NULL, NULL, "its password" },
    { "wifi_password_file_2", KIND_SECRET_FILE, AT(wifi[1].password), 0, 0, NULL, NULL,
      "a file that holds it" },
    { "wifi_name_3", KIND_TEXT, AT(wifi[2].name), 0, 0, NULL, NULL, "a third network" },
    { "wifi_password_3", KIND_SECRET, AT(wifi[2].password), 0, 0, NULL, NULL, "its password" },
    { "wifi_password_file_3", KIND_SECRET_FILE, AT(wifi[2].password), 0, 0, NULL, NULL,
      "a file that holds it" },
    { "wifi_hidden", KIND_CHOICE, AT(wifi_hidden), 0, 0, "no yes ", "no",
      "yes: the networks do not tell their names" },
    { "wifi_device", KIND_TEXT, AT(wifi_device), 0, 0, NULL, NULL,
      "the interface (wlan0); not given: the first one with a radio" },
    { "log_level", KIND_CHOICE, AT(log_level), 0, 0, "error warning info debug ", "info",
      "error, warning, info or debug" },
};

enum {
    KEY_COUNT = sizeof keys / sizeof keys[0]
};

struct parse {
    const char *path;
    FILE *messages;
    struct ag_config_file *config;
    uint32_t line;                // of the file; 0: the file as a whole
    uint32_t given_on[KEY_COUNT]; // line of each key, 0: not given
    uint32_t error_count;
};

__attribute__((format(printf, 3, 4))) static void complain(struct parse *parse, const char *hint,
                                                           const char *format, ...)
{
    va_list arguments;
    fprintf(parse->messages, "%s:", parse->path);
    if (parse->line > 0)
        fprintf(parse->messages, "%u:", (unsigned)parse->line);
    fputc(' ', parse->messages);
    va_start(arguments, format);
    vfprintf(parse->messages, format, arguments);
    va_end(arguments);
    fprintf(parse->messages, " (%s, %d)\nhint: %s\n", ag_status_name(AG_ERR_CONFIG),
            (int)AG_ERR_CONFIG, hint);
    parse->error_count++;
}

static bool is_secret(const struct key *key)
{
    return key->kind == KIND_KEY || key->kind == KIND_SECRET;
}

static char *text_at(struct parse *parse, const struct key *key)
{
    return (char *)parse->config + key->offset;
}

static uint32_t *number_at(struct parse *parse, const struct key *key)
{
    return (uint32_t *)(void *)((char *)parse->config + key->offset);
}

// Levenshtein distance, for suggestions; names are short.
static size_t distance(const char *a, const char *b)
{
    size_t row[64];
    const size_t width = strlen(b);
    if (width >= sizeof row / sizeof row[0])
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            const size_t above = row[j];
            const size_t swap = diagonal + (a[i - 1] != b[j - 1]);
            const size_t step = (above < row[j - 1] ? above : row[j - 1]) + 1;
            row[j] = swap < step ? swap : step;
            diagonal = above;
        }
    }
    return row[width];
}

static const char *nearest_key(const char *name)
{
    size_t best = 4; // further away it is another word
    const char *nearest = NULL;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const size_t far = distance(name, keys[i].name);
        if (far < best) {
            best = far;
            nearest = keys[i].name;
        }
    }
    return nearest;
}

static bool is_base64(const char *text)
{
    const size_t size = strlen(text);
    const size_t body = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789+/");
    const size_t padding = strspn(text + body, "=");
    return size > 0 && size % 4 == 0 && body + padding == size && padding <= 2;
}

static void set_text(struct parse *parse, const struct key *key, const char *value)
{
    if (strlen(value) > AG_CONFIG_FILE_TEXT_MAX) {
        complain(parse, "shorten it", "the value of '%s' is longer than %u bytes", key->name,
                 AG_CONFIG_FILE_TEXT_MAX);
        return;
    }
    strcpy(text_at(parse, key), value);
}

static void set_path(struct parse *parse, const struct key *key, const char *value)
{
    char path[2 * AG_CONFIG_FILE_TEXT_MAX];
    const char *slash = strrchr(parse->path, '/');
    const int folder_size = value[0] != '/' && slash ? (int)(slash - parse->path + 1) : 0;
    snprintf(path, sizeof path, "%.*s%s", folder_size, parse->path, value);
    set_text(parse, key, path);
}

static void set_key(struct parse *parse, const struct key *key, const char *value)
{
    if (!is_base64(value)) {
        complain(parse, "copy the primary key as the portal or `airgraft devices` shows it",
                 "the value of '%s' is not base64", key->name);
        return;
    }
    set_text(parse, key, value);
}

static void set_number(struct parse *parse, const struct key *key, const char *value)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    const bool may_scale = key->kind == KIND_SIZE && end != value;
    const unsigned shift = may_scale && *end == 'K' ? 10 : may_scale && *end == 'M' ? 20 : 0;
    if (shift > 0)
        end++;
    if (!isdigit((unsigned char)value[0]) || *end || errno != 0) {
        complain(parse,
                 key->kind == KIND_SIZE ? "write for example 4194304, 4096K or 4M"
                                        : "write decimal digits only",
                 "'%s' needs a whole number, not '%s'", key->name, value);
        return;
    }
    if (number > key->most >> shift || number << shift < key->least) {
        complain(parse, "choose a value in this range", "'%s' must be %u to %u, not %s", key->name,
                 (unsigned)key->least, (unsigned)key->most, value);
        return;
    }
    *number_at(parse, key) = (uint32_t)(number << shift);
}

static void set_choice(struct parse *parse, const struct key *key, const char *value)
{
    const size_t size = strlen(value);
    uint32_t index = 0;
    for (const char *word = key->choices; *word; word = strchr(word, ' ') + 1, index++) {
        if (strncmp(word, value, size) == 0 && word[size] == ' ') {
            *number_at(parse, key) = index;
            return;
        }
    }
    complain(parse, "choose one of these words", "'%s' must be one of: %.*s, not '%s'", key->name,
             (int)strlen(key->choices) - 1, key->choices, value);
}

static void warn_if_open_to_all(struct parse *parse, const char *path, FILE *file)
{
    struct stat info;
    if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & S_IROTH))
        fprintf(parse->messages,
                "%s: warning: holds a secret and every user of this machine can read it\n"
                "hint: chmod 600 %s\n",
                path, path);
}

// The file's content without white space at its ends is the secret.
static void set_from_file(struct parse *parse, const struct key *key, const char *value)
{
    char content[SECRET_FILE_MAX + 1];
    char path[2 * AG_CONFIG_FILE_TEXT_MAX];
    const char *slash = strrchr(parse->path, '/');
    const int folder_size = value[0] != '/' && slash ? (int)(slash - parse->path + 1) : 0;
    snprintf(path, sizeof path, "%.*s%s", folder_size, parse->path, value);
    FILE *file = fopen(path, "re");
    if (!file) {
        complain(parse, "check the path and its permissions", "cannot read %s: %s", path,
                 strerror(errno));
        return;
    }
    size_t size = fread(content, 1, sizeof content, file);
    warn_if_open_to_all(parse, path, file);
    fclose(file);
    while (size > 0 && isspace((unsigned char)content[size - 1]))
        size--;
    if (size == 0 || size > AG_CONFIG_FILE_TEXT_MAX || memchr(content, 0, size)) {
        complain(parse, "the file must hold the secret and nothing else",
                 "%s is empty, too long or not text", path);
        return;
    }
    content[size] = 0;
    const char *start = content + strspn(content, " \t\r\n");
    if (key->kind == KIND_KEY_FILE)
        set_key(parse, key, start);
    else
        set_text(parse, key, start);
    memset(content, 0, sizeof content);
}

static void set_value(struct parse *parse, const struct key *key, const char *value)
{
    switch (key->kind) {
    case KIND_TEXT:
    case KIND_SECRET:
        set_text(parse, key, value);
        break;
    case KIND_PATH:
        set_path(parse, key, value);
        break;
    case KIND_KEY:
        set_key(parse, key, value);
        break;
    case KIND_KEY_FILE:
    case KIND_SECRET_FILE:
        set_from_file(parse, key, value);
        break;
    case KIND_NUMBER:
    case KIND_SIZE:
        set_number(parse, key, value);
        break;
    case KIND_CHOICE:
        set_choice(parse, key, value);
        break;
    }
}

static void take_entry(struct parse *parse, const char *name, const char *value)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, name) != 0)
            continue;
        if (parse->given_on[i] > 0) {
            complain(parse, "keep one of them", "'%s' is given a second time, first on line %u",
                     name, (unsigned)parse->given_on[i]);
            return;
        }
        parse->given_on[i] = parse->line;
        if (value[0] == 0)
            complain(parse, "give a value, or put # before the line", "'%s' has no value", name);
        else if (keys[i].kind <= KIND_SECRET_FILE && keys[i].kind >= KIND_KEY &&
                 text_at(parse, &keys[i])[0])
            complain(parse, "keep the key or its file", "'%s' repeats what another key gave", name);
        else
            set_value(parse, &keys[i], value);
        return;
    }
    char hint[128];
    const char *nearest = nearest_key(name);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest);
    complain(parse, nearest ? hint : "airgraft-host --help lists the keys", "unknown key '%.64s'",
             name);
}

// Cuts white space at both ends.
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        size--;
    text[size] = 0;
    return text;
}

// A comment begins with # at the start of a line or after white space.
static void cut_comment(char *line)
{
    for (char *at = line; (at = strchr(at, '#')); at++) {
        if (at == line || isspace((unsigned char)at[-1])) {
            *at = 0;
            return;
        }
    }
}

static bool is_text(const char *line)
{
    for (; *line; line++) {
        const unsigned char byte = (unsigned char)*line;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

static void take_line(struct parse *parse, char *line)
{
    cut_comment(line);
    char *entry = trim(line);
    char *equals = strchr(entry, '=');
    if (entry[0] == 0)
        return;
    if (!is_text(entry)) {
        complain(parse, "is this the right file?", "the line holds control characters");
        return;
    }
    if (!equals) {
        complain(parse, "write `key = value`; comments begin with #", "no '=' in this line");
        return;
    }
    *equals = 0;
    take_entry(parse, trim(entry), trim(equals + 1));
}

// A line without its end. Returns false at the end of the file.
static bool read_line(struct parse *parse, FILE *file, char *line)
{
    size_t size = 0;
    int byte;
    bool fits = true;
    bool has_nul = false;
    while ((byte = fgetc(file)) != EOF && byte != '\n') {
        if (size == LINE_SIZE - 1)
            fits = false;
        else
            line[size++] = (char)byte;
        has_nul = has_nul || byte == 0;
    }
    if (byte == EOF && size == 0)
        return false;
    parse->line++;
    line[size] = 0;
    if (fits && !has_nul)
        return true;
    complain(parse, "is this the right file?", "the line is too long or not text");
    line[0] = 0;
    return true;
}

static void set_defaults(struct parse *parse)
{
    memset(parse->config, 0, sizeof *parse->config);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].fallback && keys[i].kind == KIND_PATH)
            strcpy(text_at(parse, &keys[i]), keys[i].fallback);
        else if (keys[i].fallback)
            set_value(parse, &keys[i], keys[i].fallback);
    }
}

static void check_connection_string(struct parse *parse)
{
    const char *text = parse->config->connection_string;
    if (strstr(text, "SharedAccessKeyName="))
        complain(parse,
                 "take the device's own: airgraft devices create, or the device in the portal",
                 "connection_string is a service's, not a device's");
    else if (!strstr(text, "HostName=") || !strstr(text, "DeviceId=") ||
             !strstr(text, "SharedAccessKey="))
        complain(parse, "it must hold HostName, DeviceId and SharedAccessKey",
                 "connection_string is incomplete");
}

static bool is_wifi_password(const char *text)
{
    const size_t size = strlen(text);
    for (const char *at = text; *at; at++) {
        if (*at < 0x20 || *at > 0x7e)
            return false;
    }
    return (size >= 8 && size <= 63) ||
           (size == 64 && strspn(text, "0123456789abcdefABCDEF") == size);
}

static void check_wifi_network(struct parse *parse, const struct ag_config_file_wifi *network,
                               const char *number)
{
    if (strlen(network->name) > WIFI_NAME_MAX)
        complain(parse, "take the name as the access point has it",
                 "'wifi_name%s' is longer than %d bytes", number, WIFI_NAME_MAX);
    if (network->password[0] && !network->name[0])
        complain(parse, "give the name of its network", "a password, but no 'wifi_name%s'", number);
    else if (network->password[0] && !is_wifi_password(network->password))
        complain(parse, "8 to 63 characters of ASCII, or 64 hexadecimal digits",
                 "the password of 'wifi_name%s' cannot be one of Wi-Fi", number);
}

static void check_wifi(struct parse *parse)
{
    static const char *const numbers[AG_CONFIG_FILE_WIFI_MAX] = { "", "_2", "_3" };
    const struct ag_config_file *config = parse->config;
    for (size_t i = 0; i < AG_CONFIG_FILE_WIFI_MAX; i++) {
        check_wifi_network(parse, &config->wifi[i], numbers[i]);
        if (i > 0 && config->wifi[i].name[0] && !config->wifi[i - 1].name[0])
            complain(parse, "begin with the network that is wanted most",
                     "'wifi_name%s', but no 'wifi_name%s'", numbers[i], numbers[i - 1]);
    }
    if ((config->wifi_device[0] || config->wifi_hidden) && !config->wifi[0].name[0])
        complain(parse, "give wifi_name, or leave both out", "'%s', but no 'wifi_name'",
                 config->wifi_device[0] ? "wifi_device" : "wifi_hidden");
    if (strlen(config->wifi_device) >= IF_NAMESIZE || strchr(config->wifi_device, '/'))
        complain(parse, "ip link shows them", "'wifi_device' is no name of an interface");
}

// What no single line can be blamed for.
static void check_whole(struct parse *parse)
{
    const struct ag_config_file *config = parse->config;
    const bool has_dps = config->id_scope[0] || config->registration_id[0] ||
                         config->symmetric_key[0] || config->group_key[0];
    parse->line = 0;
    if (config->connection_string[0] && has_dps)
        complain(parse, "keep connection_string, or id_scope with what belongs to it",
                 "two identities: connection_string and id_scope");
    else if (config->connection_string[0])
        check_connection_string(parse);
    else if (!has_dps)
        complain(parse, "give connection_string, or id_scope, registration_id and a key",
                 "no identity of the device");
    else if (!config->id_scope[0] || !config->registration_id[0])
        complain(parse, "both come with the Device Provisioning Service", "'%s' is missing",
                 config->id_scope[0] ? "registration_id" : "id_scope");
    else if (!config->symmetric_key[0] == !config->group_key[0])
        complain(parse, "give one of symmetric_key and group_key", "%s key of the device",
                 config->group_key[0] ? "two sources for the" : "no");
    if (config->store_size % AG_FLASH_BLOCK != 0)
        complain(parse, "round it to whole blocks", "store_size is not a multiple of %u",
                 AG_FLASH_BLOCK);
}

enum ag_status ag_config_file_read(const char *path, struct ag_config_file *config, FILE *messages)
{
    struct parse parse = { .path = path, .messages = messages, .config = config };
    char line[LINE_SIZE];
    bool has_secret = false;
    set_defaults(&parse);
    FILE *file = fopen(path, "re");
    struct stat info;
    if (!file || fstat(fileno(file), &info) != 0 || S_ISDIR(info.st_mode)) {
        fprintf(messages, "%s: cannot be read: %s (%s, %d)\nhint: %s\n", path,
                file ? strerror(EISDIR) : strerror(errno), ag_status_name(AG_ERR_IO),
                (int)AG_ERR_IO, ag_status_hint(AG_ERR_IO));
        if (file)
            fclose(file);
        return AG_ERR_IO;
    }
    while (read_line(&parse, file, line))
        take_line(&parse, line);
    memset(line, 0, sizeof line);
    for (size_t i = 0; i < KEY_COUNT; i++)
        has_secret = has_secret || (is_secret(&keys[i]) && parse.given_on[i] > 0);
    if (has_secret)
        warn_if_open_to_all(&parse, path, file);
    fclose(file);
    if (parse.error_count == 0) {
        check_whole(&parse);
        check_wifi(&parse);
    }
    return parse.error_count == 0 ? AG_OK : AG_ERR_CONFIG;
}

void ag_config_file_print_keys(FILE *out)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const char *line = keys[i].help;
        fprintf(out, "  %-22s  ", keys[i].name);
        for (const char *end; (end = strchr(line, '\n')); line = end + 1)
            fprintf(out, "%.*s\n%26s", (int)(end - line), line, "");
        fprintf(out, "%s", line);
        if (keys[i].fallback)
            fprintf(out, "\n%26sdefault: %s", "", keys[i].fallback);
        fputc('\n', out);
    }
}
