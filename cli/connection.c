// SPDX-License-Identifier: Apache-2.0
// Connection strings, hub.json, and the choice among them.
#include "cli/connection.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/cli.h"

// One part that a connection string may have, and where its value goes.
struct part {
    const char *name;
    char *value;
    size_t capacity;
};

__attribute__((format(printf, 2, 3))) static enum ag_status
complain(struct ag_connection_problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return AG_ERR_CONFIG;
}

static const struct part *find_part(const struct part *parts, size_t count, const char *name,
                                    size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(parts[i].name) == size && strncasecmp(parts[i].name, name, size) == 0)
            return &parts[i];
    }
    return NULL;
}

static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7F)
            return false;
    }
    return true;
}

static enum ag_status take_part(const struct part *part, const char *value, size_t size,
                                struct ag_connection_problem *problem)
{
    if (part->value[0] != 0)
        return complain(problem, "%s stands in it twice", part->name);
    if (size == 0)
        return complain(problem, "%s is empty", part->name);
    if (size >= part->capacity)
        return complain(problem, "%s is longer than %zu characters", part->name,
                        part->capacity - 1);
    if (!is_plain(value, size))
        return complain(problem, "%s holds a blank or control character", part->name);
    memcpy(part->value, value, size);
    part->value[size] = 0;
    return AG_OK;
}

// Splits `NAME=VALUE;NAME=VALUE…`. Values may hold '='.
static enum ag_status take_parts(const char *text, const struct part *parts, size_t count,
                                 struct ag_connection_problem *problem)
{
    for (size_t i = 0; i < count; i++)
        parts[i].value[0] = 0;
    while (*text) {
        const size_t size = strcspn(text, ";");
        const size_t name_size = strcspn(text, "=;");
        if (size > 0 && (name_size == size || name_size == 0))
            return complain(problem, "a part of it is not NAME=VALUE");
        const struct part *part = find_part(parts, count, text, name_size);
        if (size > 0 && part) {
            const enum ag_status status =
                take_part(part, text + name_size + 1, size - name_size - 1, problem);
            if (status != AG_OK)
                return status;
        }
        text += size + (text[size] == ';');
    }
    return AG_OK;
}

// A host name or address literal, with :PORT where `port` says so.
static bool is_host(const char *text, bool port)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    size_t size = 0;
    uint64_t number;
    if (port && text[0] == '[') {
        size = strcspn(text, "]");
        if (text[size] != ']' || strspn(text + 1, "0123456789abcdefABCDEF:.") + 1 != size)
            return false;
        size++;
    } else {
        size = strspn(text, allowed);
    }
    if (size == 0)
        return false;
    if (text[size] == 0)
        return true;
    return port && text[size] == ':' && ag_options_number(text + size + 1, &number) &&
           number >= 1 && number <= UINT16_MAX;
}

static bool is_base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t size = strlen(text);
    const size_t body = strspn(text, digits);
    const size_t padding = strspn(text + body, "=");
    return size > 0 && size % 4 == 0 && body + padding == size && padding <= 2;
}

enum ag_status ag_connection_parse(const char *text, struct ag_connection *connection,
                                   struct ag_connection_problem *problem)
{
    char device[AG_CONNECTION_HOST_MAX + 1];
    const struct part parts[] = {
        { "HostName", connection->host_name, sizeof connection->host_name },
        { "SharedAccessKeyName", connection->key_name, sizeof connection->key_name },
        { "SharedAccessKey", connection->key, sizeof connection->key },
        { "GatewayHostName", connection->gateway, sizeof connection->gateway },
        { "DeviceId", device, sizeof device },
    };
    const enum ag_status status = take_parts(text, parts, sizeof parts / sizeof parts[0], problem);
    connection->ca_file[0] = 0;
    if (status != AG_OK)
        return status;
    if (device[0])
        return complain(problem, "it is a device's (DeviceId), not the hub's");
    if (!connection->host_name[0])
        return complain(problem, "HostName is missing");
    if (!connection->key_name[0])
        return complain(problem, "SharedAccessKeyName is missing");
    if (!connection->key[0])
        return complain(problem, "SharedAccessKey is missing");
    if (!is_host(connection->host_name, false))
        return complain(problem, "HostName is no host name");
    if (connection->gateway[0] && !is_host(connection->gateway, true))
        return complain(problem, "GatewayHostName is neither HOST nor HOST:PORT");
    if (!is_base64(connection->key))
        return complain(problem, "SharedAccessKey is not base64");
    return AG_OK;
}

static enum ag_status check_storage(struct ag_storage *storage, const char *protocol,
                                    const char *suffix, struct ag_connection_problem *problem)
{
    const bool named = storage->endpoint[0] != 0;
    size_t size = strlen(storage->endpoint);
    if (protocol[0] && strcasecmp(protocol, "https") != 0 && !named)
        return complain(problem, "DefaultEndpointsProtocol is not https");
    if (named && strncasecmp(storage->endpoint, "https://", 8) != 0)
        return complain(problem, "BlobEndpoint does not begin with https://");
    while (size > 8 && storage->endpoint[size - 1] == '/')
        storage->endpoint[--size] = 0;
    if (named && size <= 8)
        return complain(problem, "BlobEndpoint has no host name");
    if (storage->sas[0] && named) {
        storage->key[0] = 0;
        return AG_OK;
    }
    if (!storage->account[0])
        return complain(problem, "AccountName is missing");
    if (!storage->key[0])
        return complain(problem, "AccountKey is missing");
    if (!is_base64(storage->key))
        return complain(problem, "AccountKey is not base64");
    if (strspn(storage->account, "abcdefghijklmnopqrstuvwxyz0123456789") !=
        strlen(storage->account))
        return complain(problem, "AccountName holds more than small letters and digits");
    if (!named)
        snprintf(storage->endpoint, sizeof storage->endpoint, "https://%s.blob.%s",
                 storage->account, suffix[0] ? suffix : "core.windows.net");
    return AG_OK;
}

enum ag_status ag_connection_parse_storage(const char *text, struct ag_storage *storage,
                                           struct ag_connection_problem *problem)
{
    char protocol[16];
    char suffix[128];
    char development[16];
    const struct part parts[] = {
        { "DefaultEndpointsProtocol", protocol, sizeof protocol },
        { "AccountName", storage->account, sizeof storage->account },
        { "AccountKey", storage->key, sizeof storage->key },
        { "SharedAccessSignature", storage->sas, sizeof storage->sas },
        { "BlobEndpoint", storage->endpoint, sizeof storage->endpoint },
        { "EndpointSuffix", suffix, sizeof suffix },
        { "UseDevelopmentStorage", development, sizeof development },
    };
    const enum ag_status status = take_parts(text, parts, sizeof parts / sizeof parts[0], problem);
    storage->ca_file[0] = 0;
    if (status != AG_OK)
        return status;
    if (development[0])
        return complain(problem, "UseDevelopmentStorage means plain http; name a BlobEndpoint");
    if (storage->sas[0] == '?')
        memmove(storage->sas, storage->sas + 1, strlen(storage->sas));
    return check_storage(storage, protocol, suffix, problem);
}

static const char *non_empty(const char *text)
{
    return text && text[0] ? text : NULL;
}

const char *ag_connection_hub_folder(const struct ag_connection_source *source)
{
    return source->hub ? non_empty(source->hub) : non_empty(getenv("AIRGRAFT_HUB"));
}

// The CA file that the person named, checked to be readable, into `ca_file`. Where none is named,
// `ca_file` stays as it is.
static bool override_ca(const struct ag_connection_source *source, char ca_file[PATH_MAX])
{
    const char *named = source->ca ? source->ca : non_empty(getenv("AIRGRAFT_CA"));
    if (named)
        snprintf(ca_file, PATH_MAX, "%s", named);
    if (ca_file[0] == 0 || access(ca_file, R_OK) == 0)
        return true;
    ag_output_fail("name a file with certificates in PEM form",
                   "cannot read the certificates in %s: %s", ca_file, strerror(errno));
    return false;
}

// Copies a member of hub.json. False when it is missing, no text, or too long.
static bool take_text(const json_t *root, const char *name, char *value, size_t capacity)
{
    const char *text = json_string_value(json_object_get(root, name));
    if (!text || strlen(text) >= capacity)
        return false;
    snprintf(value, capacity, "%s", text);
    return true;
}

static bool take_port(const json_t *root, const char *name, uint16_t *port)
{
    const json_int_t number = json_integer_value(json_object_get(root, name));
    if (number < 1 || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

// Everything hub.json says; false with `problem` when it does not hold together.
static bool take_local(const json_t *root, struct ag_local_hub *hub,
                       struct ag_connection *connection, struct ag_storage *storage,
                       struct ag_connection_problem *problem)
{
    if (!take_text(root, "connectionString", hub->connection_string,
                   sizeof hub->connection_string) ||
        !take_text(root, "blobConnectionString", hub->blob_connection_string,
                   sizeof hub->blob_connection_string) ||
        !take_text(root, "idScope", hub->id_scope, sizeof hub->id_scope) ||
        !take_text(root, "groupId", hub->group_id, sizeof hub->group_id) ||
        !take_text(root, "groupKey", hub->group_key, sizeof hub->group_key) ||
        !take_port(root, "mqttPort", &hub->mqtt_port) ||
        !take_port(root, "httpsPort", &hub->https_port)) {
        complain(problem, "a member is missing or of a wrong type");
        return false;
    }
    return ag_connection_parse(hub->connection_string, connection, problem) == AG_OK &&
           ag_connection_parse_storage(hub->blob_connection_string, storage, problem) == AG_OK;
}

static bool fail_local(const char *path, const char *why)
{
    ag_output_fail("start the hub again with this folder: it writes the file anew",
                   "%s is not what a hub writes: %s", path, why);
    return false;
}

bool ag_connection_open_local(const struct ag_connection_source *source, struct ag_local_hub *hub,
                              struct ag_connection *connection, struct ag_storage *storage)
{
    const char *folder = ag_connection_hub_folder(source);
    char path[PATH_MAX];
    char ca_file[PATH_MAX] = "";
    uint8_t *bytes;
    size_t size;
    json_error_t error;
    struct ag_connection_problem problem;
    if (!folder) {
        ag_output_fail("give --hub DIR, or set AIRGRAFT_HUB", "no local hub is named");
        return false;
    }
    snprintf(path, sizeof path, "%s/hub.json", folder);
    if (access(path, F_OK) != 0) {
        ag_output_fail("airgraft hub --data DIR starts a hub; name its folder",
                       "there is no %s: no hub runs with this folder", path);
        return false;
    }
    if (!ag_input_read(path, AG_INPUT_TEXT_MAX, &bytes, &size))
        return false;
    json_t *root = json_loadb((const char *)bytes, size, 0, &error);
    free(bytes);
    if (!root)
        return fail_local(path, "not JSON");
    const bool taken = take_local(root, hub, connection, storage, &problem);
    json_decref(root);
    if (!taken)
        return fail_local(path, problem.text);
    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
    if (!override_ca(source, ca_file))
        return false;
    memcpy(connection->ca_file, ca_file, sizeof ca_file);
    memcpy(storage->ca_file, ca_file, sizeof ca_file);
    return true;
}

static bool open_string(const struct ag_connection_source *source, const char *text,
                        struct ag_connection *connection)
{
    struct ag_connection_problem problem;
    if (ag_connection_parse(text, connection, &problem) == AG_OK)
        return override_ca(source, connection->ca_file);
    ag_output_fail("it looks like HostName=NAME.azure-devices.net;SharedAccessKeyName=iothubowner;"
                   "SharedAccessKey=...",
                   "the IoT Hub connection string cannot be used: %s (%s, %d)", problem.text,
                   ag_status_name(AG_ERR_CONFIG), AG_ERR_CONFIG);
    return false;
}

bool ag_connection_open(const struct ag_connection_source *source, struct ag_connection *connection)
{
    const char *variable = non_empty(getenv("AIRGRAFT_CONNECTION"));
    struct ag_local_hub hub;
    struct ag_storage storage;
    if (source->connection)
        return open_string(source, source->connection, connection);
    if (!source->hub && variable)
        return open_string(source, variable, connection);
    if (ag_connection_hub_folder(source))
        return ag_connection_open_local(source, &hub, connection, &storage);
    ag_output_fail("for a local hub give --hub DIR or set AIRGRAFT_HUB; for Azure set "
                   "AIRGRAFT_CONNECTION to the IoT Hub's connection string",
                   "no hub is named");
    return false;
}

bool ag_connection_open_storage(const struct ag_connection_source *source,
                                struct ag_storage *storage)
{
    const char *variable = non_empty(getenv("AZURE_STORAGE_CONNECTION_STRING"));
    struct ag_local_hub hub;
    struct ag_connection connection;
    struct ag_connection_problem problem;
    if (!variable || source->hub) {
        if (ag_connection_hub_folder(source))
            return ag_connection_open_local(source, &hub, &connection, storage);
        ag_output_fail("give --to URL?SAS, or --hub DIR for a local hub, or set "
                       "AZURE_STORAGE_CONNECTION_STRING",
                       "no blob storage is named");
        return false;
    }
    if (ag_connection_parse_storage(variable, storage, &problem) == AG_OK)
        return override_ca(source, storage->ca_file);
    ag_output_fail("it looks like DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...;"
                   "EndpointSuffix=core.windows.net",
                   "AZURE_STORAGE_CONNECTION_STRING cannot be used: %s (%s, %d)", problem.text,
                   ag_status_name(AG_ERR_CONFIG), AG_ERR_CONFIG);
    return false;
}

bool ag_connection_find_ca(const struct ag_connection_source *source, char ca_file[PATH_MAX])
{
    struct ag_local_hub hub;
    struct ag_connection connection;
    struct ag_storage storage;
    const bool named = source->ca || non_empty(getenv("AIRGRAFT_CA"));
    ca_file[0] = 0;
    if (named || !ag_connection_hub_folder(source))
        return override_ca(source, ca_file);
    if (!ag_connection_open_local(source, &hub, &connection, &storage))
        return false;
    memcpy(ca_file, connection.ca_file, sizeof connection.ca_file);
    return true;
}
