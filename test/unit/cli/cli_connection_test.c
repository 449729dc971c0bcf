// SPDX-License-Identifier: Apache-2.0
// Tests of cli/connection.h: connection strings as Azure gives them, and bad ones.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/connection.h"
#include "test/harness.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void the_string_of_an_iot_hub_is_read(void)
{
    struct ag_connection connection;
    struct ag_connection_problem problem;
    CHECK_EQUAL(ag_connection_parse("HostName=h.azure-devices.net;SharedAccessKeyName=iothubowner;"
                                    "SharedAccessKey=" KEY,
                                    &connection, &problem),
                AG_OK);
    CHECK_TEXT(connection.host_name, "h.azure-devices.net");
    CHECK_TEXT(connection.key_name, "iothubowner");
    CHECK_TEXT(connection.key, KEY);
    CHECK_TEXT(connection.gateway, "");
}

static void a_gateway_with_a_port_any_order_and_case_and_unknown_parts_are_taken(void)
{
    struct ag_connection connection;
    struct ag_connection_problem problem;
    CHECK_EQUAL(ag_connection_parse(";sharedaccesskey=" KEY ";GATEWAYHOSTNAME=localhost:8443;"
                                    "HostName=localhost;More=1=2;SharedAccessKeyName=service;",
                                    &connection, &problem),
                AG_OK);
    CHECK_TEXT(connection.gateway, "localhost:8443");
    CHECK_TEXT(connection.key_name, "service");
}

static void bad_hub_strings_are_refused_with_the_part_named_and_no_key_shown(void)
{
    static const struct {
        const char *text;
        const char *part;
    } rows[] = {
        { "", "HostName is missing" },
        { "nonsense", "NAME=VALUE" },
        { "=x", "NAME=VALUE" },
        { "HostName=h", "SharedAccessKeyName is missing" },
        { "HostName=h;SharedAccessKeyName=s", "SharedAccessKey is missing" },
        { "SharedAccessKeyName=s;SharedAccessKey=" KEY, "HostName is missing" },
        { "HostName=;SharedAccessKeyName=s;SharedAccessKey=" KEY, "HostName is empty" },
        { "HostName=h;HostName=i;SharedAccessKeyName=s;SharedAccessKey=" KEY, "twice" },
        { "HostName=h;DeviceId=d;SharedAccessKey=" KEY, "DeviceId" },
        { "HostName=h/x;SharedAccessKeyName=s;SharedAccessKey=" KEY, "HostName" },
        { "HostName=h:1;SharedAccessKeyName=s;SharedAccessKey=" KEY, "HostName" },
        { "HostName=h;SharedAccessKeyName=s;SharedAccessKey=se cret==", "blank" },
        { "HostName=h;SharedAccessKeyName=s;SharedAccessKey=secret!=", "not base64" },
        { "HostName=h;SharedAccessKeyName=s;SharedAccessKey=secret", "not base64" },
        { "HostName=h;SharedAccessKeyName=s;SharedAccessKey=" KEY ";GatewayHostName=g:0",
          "GatewayHostName" },
        { "HostName=h;SharedAccessKeyName=s;SharedAccessKey=" KEY ";GatewayHostName=g:65536",
          "GatewayHostName" },
        { "HostName=h;SharedAccessKeyName=s;SharedAccessKey=" KEY ";GatewayHostName=a@b",
          "GatewayHostName" },
        { "HostName=h;SharedAccessKeyName=s;SharedAccessKey=" KEY ";GatewayHostName=:8",
          "GatewayHostName" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ag_connection connection;
        struct ag_connection_problem problem = { "" };
        test_note("%s", rows[i].text);
        CHECK_EQUAL(ag_connection_parse(rows[i].text, &connection, &problem), AG_ERR_CONFIG);
        if (!strstr(problem.text, rows[i].part))
            CHECK_TEXT(problem.text, rows[i].part);
        CHECK(!strstr(problem.text, "secret"));
        CHECK(!strstr(problem.text, KEY));
    }
}

static void every_prefix_of_a_string_is_read_or_refused_without_harm(void)
{
    static const char whole[] =
        "HostName=h.example;SharedAccessKeyName=iothubowner;SharedAccessKey=" KEY
        ";GatewayHostName=[::1]:8443";
    for (size_t size = 0; size < sizeof whole; size++) {
        char text[sizeof whole];
        struct ag_connection connection;
        struct ag_connection_problem problem;
        snprintf(text, sizeof text, "%.*s", (int)size, whole);
        test_note("%s", text);
        const enum ag_status status = ag_connection_parse(text, &connection, &problem);
        CHECK(status == AG_OK || status == AG_ERR_CONFIG);
        CHECK(status == AG_ERR_CONFIG || strcmp(connection.host_name, "h.example") == 0);
    }
}

static void parts_that_are_too_long_are_refused(void)
{
    char text[2048];
    char host[400];
    struct ag_connection connection;
    struct ag_connection_problem problem;
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = 0;
    snprintf(text, sizeof text, "HostName=%s;SharedAccessKeyName=s;SharedAccessKey=" KEY, host);
    CHECK_EQUAL(ag_connection_parse(text, &connection, &problem), AG_ERR_CONFIG);
    snprintf(text, sizeof text, "HostName=h;SharedAccessKeyName=s;SharedAccessKey=%s=", host);
    CHECK_EQUAL(ag_connection_parse(text, &connection, &problem), AG_ERR_CONFIG);
}

static void the_string_of_a_storage_account_is_read(void)
{
    struct ag_storage storage;
    struct ag_connection_problem problem;
    CHECK_EQUAL(ag_connection_parse_storage("DefaultEndpointsProtocol=https;AccountName=acct;"
                                            "AccountKey=" KEY ";EndpointSuffix=core.windows.net",
                                            &storage, &problem),
                AG_OK);
    CHECK_TEXT(storage.endpoint, "https://acct.blob.core.windows.net");
    CHECK_TEXT(storage.account, "acct");
    CHECK_EQUAL(ag_connection_parse_storage("AccountName=airgraft;AccountKey=" KEY
                                            ";BlobEndpoint=https://localhost:8443/airgraft/",
                                            &storage, &problem),
                AG_OK);
    CHECK_TEXT(storage.endpoint, "https://localhost:8443/airgraft");
    CHECK_EQUAL(ag_connection_parse_storage("BlobEndpoint=https://a.blob.core.windows.net/;"
                                            "SharedAccessSignature=?sv=1&sig=x%3D",
                                            &storage, &problem),
                AG_OK);
    CHECK_TEXT(storage.sas, "sv=1&sig=x%3D");
    CHECK_TEXT(storage.key, "");
}

static void bad_storage_strings_are_refused(void)
{
    static const struct {
        const char *text;
        const char *part;
    } rows[] = {
        { "", "AccountName" },
        { "AccountName=a", "AccountKey" },
        { "AccountKey=" KEY, "AccountName" },
        { "AccountName=a;AccountKey=x", "not base64" },
        { "AccountName=a/../b;AccountKey=" KEY, "AccountName" },
        { "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=" KEY, "https" },
        { "AccountName=a;AccountKey=" KEY ";BlobEndpoint=http://127.0.0.1:10000/a", "https" },
        { "AccountName=a;AccountKey=" KEY ";BlobEndpoint=https://", "host name" },
        { "UseDevelopmentStorage=true", "UseDevelopmentStorage" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ag_storage storage;
        struct ag_connection_problem problem = { "" };
        test_note("%s", rows[i].text);
        CHECK_EQUAL(ag_connection_parse_storage(rows[i].text, &storage, &problem), AG_ERR_CONFIG);
        if (!strstr(problem.text, rows[i].part))
            CHECK_TEXT(problem.text, rows[i].part);
    }
}

// hub.json in a folder of its own, removed at the end.
struct folder {
    char path[64];
};

static void write_file(const struct folder *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0);
    fclose(file);
}

static struct folder make_folder(const char *hub_json)
{
    struct folder folder = { "/tmp/ag-connection-XXXXXX" };
    CHECK(mkdtemp(folder.path));
    write_file(&folder, "hub.json", hub_json);
    write_file(&folder, "ca.pem", "");
    return folder;
}

static void remove_folder(const struct folder *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/hub.json", folder->path);
    unlink(path);
    snprintf(path, sizeof path, "%s/ca.pem", folder->path);
    unlink(path);
    rmdir(folder->path);
}

#define HUB_JSON                                                                                     \
    "{\"hostName\":\"localhost\",\"mqttPort\":8883,\"httpsPort\":8443,\"idScope\":\"0ne1\","         \
    "\"groupId\":\"default\",\"groupKey\":\"" KEY "\",\"ca\":\"ca.pem\","                            \
    "\"connectionString\":\"HostName=localhost;SharedAccessKeyName=iothubowner;SharedAccessKey=" KEY \
    ";GatewayHostName=localhost:8443\",\"blobConnectionString\":\""                                  \
    "DefaultEndpointsProtocol=https;AccountName=airgraft;AccountKey=" KEY                            \
    ";BlobEndpoint=https://localhost:8443/airgraft\",\"blobEndpoint\":\"x\"}"

static void a_local_hub_is_found_by_its_folder(void)
{
    const struct folder folder = make_folder(HUB_JSON);
    const struct ag_connection_source source = { .hub = folder.path };
    struct ag_connection connection;
    struct ag_storage storage;
    struct ag_local_hub hub;
    char ca_file[PATH_MAX];
    const bool opened = ag_connection_open(&source, &connection);
    const bool stored = ag_connection_open_storage(&source, &storage);
    const bool local = ag_connection_open_local(&source, &hub, &connection, &storage);
    const bool trusted = ag_connection_find_ca(&source, ca_file);
    remove_folder(&folder);
    CHECK(opened && stored && local && trusted);
    CHECK_TEXT(connection.gateway, "localhost:8443");
    CHECK_TEXT(storage.endpoint, "https://localhost:8443/airgraft");
    CHECK_TEXT(hub.id_scope, "0ne1");
    CHECK_EQUAL(hub.mqtt_port, 8883);
    CHECK(strncmp(ca_file, folder.path, strlen(folder.path)) == 0);
    CHECK_TEXT(connection.ca_file, ca_file);
}

static void a_broken_hub_json_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "not JSON",
        "[]",
        "{}",
        "{\"hostName\":\"localhost\"}",
        "{\"connectionString\":5,\"blobConnectionString\":\"\",\"idScope\":\"\",\"groupId\":\"\","
        "\"groupKey\":\"\",\"mqttPort\":1,\"httpsPort\":1}",
        "{\"connectionString\":\"x\",\"blobConnectionString\":\"\",\"idScope\":\"\",\"groupId\":"
        "\"\",\"groupKey\":\"\",\"mqttPort\":1,\"httpsPort\":70000}",
        "{\"connectionString\":\"x\",\"blobConnectionString\":\"\",\"idScope\":\"\",\"groupId\":"
        "\"\",\"groupKey\":\"\",\"mqttPort\":1,\"httpsPort\":1}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct folder folder = make_folder(texts[i]);
        const struct ag_connection_source source = { .hub = folder.path };
        struct ag_connection connection;
        const bool opened = ag_connection_open(&source, &connection);
        remove_folder(&folder);
        test_note("%s", texts[i]);
        CHECK(!opened);
    }
}

static void an_option_counts_more_than_the_environment(void)
{
    const struct ag_connection_source nothing = { 0 };
    const struct ag_connection_source option = {
        .connection = "HostName=option;SharedAccessKeyName=s;SharedAccessKey=" KEY,
    };
    struct ag_connection connection;
    struct ag_storage storage;
    unsetenv("AIRGRAFT_HUB");
    unsetenv("AIRGRAFT_CONNECTION");
    unsetenv("AIRGRAFT_CA");
    unsetenv("AZURE_STORAGE_CONNECTION_STRING");
    CHECK(!ag_connection_open(&nothing, &connection));
    CHECK(!ag_connection_open_storage(&nothing, &storage));
    setenv("AIRGRAFT_CONNECTION", "HostName=variable;SharedAccessKeyName=s;SharedAccessKey=" KEY,
           1);
    CHECK(ag_connection_open(&nothing, &connection));
    CHECK_TEXT(connection.host_name, "variable");
    CHECK(ag_connection_open(&option, &connection));
    CHECK_TEXT(connection.host_name, "option");
    setenv("AIRGRAFT_CA", "/nowhere/ca.pem", 1);
    CHECK(!ag_connection_open(&option, &connection));
    unsetenv("AIRGRAFT_CA");
    unsetenv("AIRGRAFT_CONNECTION");
}

static const struct test_case cases[] = {
    TEST(the_string_of_an_iot_hub_is_read),
    TEST(a_gateway_with_a_port_any_order_and_case_and_unknown_parts_are_taken),
    TEST(bad_hub_strings_are_refused_with_the_part_named_and_no_key_shown),
    TEST(every_prefix_of_a_string_is_read_or_refused_without_harm),
    TEST(parts_that_are_too_long_are_refused),
    TEST(the_string_of_a_storage_account_is_read),
    TEST(bad_storage_strings_are_refused),
    TEST(a_local_hub_is_found_by_its_folder),
    TEST(a_broken_hub_json_is_refused),
    TEST(an_option_counts_more_than_the_environment),
};
TEST_MAIN(cases)
