// SPDX-License-Identifier: Apache-2.0
// DIR/hub.json: how to reach this hub.
#include "hub_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob_auth.h"
#include "enrollment_store.h"
#include "hub_log.h"
#include "memory.h"

static void set_text(json_t *json, const char *name, char *text)
{
    json_object_set_new(json, name, json_string(text));
    free(text);
}

static void add_group(struct ag_hub *hub, json_t *json)
{
    struct ag_enrollment group;
    if (ag_enrollment_store_get(&hub->db, AG_ENROLLMENT_GROUP, AG_ENROLLMENT_DEFAULT_GROUP,
                                &group) != AG_OK)
        return; // somebody has removed it
    json_object_set_new(json, "groupId", json_string(group.id));
    json_object_set_new(json, "groupKey", json_string(group.primary_key));
    ag_enrollment_store_clear(&group);
}

static json_t *describe(struct ag_hub *hub, uint16_t mqtt_port, uint16_t https_port)
{
    json_t *json =
        json_pack("{s:s,s:i,s:i,s:s}", "hostName", hub->host_name, "mqttPort", (int)mqtt_port,
                  "httpsPort", (int)https_port, "idScope", hub->id_scope);
    const char *host = hub->host_name;
    bool is_ipv6 = strchr(host, ':') != NULL;
    char *authority = ag_memory_format(is_ipv6 ? "[%s]:%u" : "%s:%u", host, https_port);
    char *endpoint = ag_memory_format("https://%s/" AG_BLOB_ACCOUNT, authority);
    add_group(hub, json);
    set_text(json, "connectionString",
             ag_memory_format("HostName=%s;SharedAccessKeyName=iothubowner;SharedAccessKey=%s;"
                              "GatewayHostName=%s",
                              host, ag_policy_owner_key(&hub->policies), authority));
    set_text(json, "blobConnectionString",
             ag_memory_format("DefaultEndpointsProtocol=https;AccountName=" AG_BLOB_ACCOUNT
                              ";AccountKey=%s;BlobEndpoint=%s",
                              hub->account_key, endpoint));
    set_text(json, "blobEndpoint", endpoint);
    char *folder = realpath(hub->data_path, NULL);
    set_text(json, "ca", ag_memory_format("%s/ca.pem", folder == NULL ? "" : folder));
    free(folder);
    free(authority);
    return json;
}

enum ag_status ag_hub_file_write(struct ag_hub *hub, uint16_t mqtt_port, uint16_t https_port)
{
    json_t *json = describe(hub, mqtt_port, https_port);
    char *path = ag_memory_format("%s/hub.json", hub->data_path);
    char *fresh = ag_memory_format("%s/hub.json.new", hub->data_path);
    (void)unlink(fresh);
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *stream = file < 0 ? NULL : fdopen(file, "w");
    bool done = stream != NULL && json_dumpf(json, stream, JSON_INDENT(2)) == 0 &&
                fputc('\n', stream) != EOF;
    if (stream != NULL)
        done = fclose(stream) == 0 && done;
    done = done && rename(fresh, path) == 0;
    if (!done)
        ag_hub_log_write(AG_HUB_LOG_ERROR, "cannot write %s: %s", path, strerror(errno));
    free(fresh);
    free(path);
    json_decref(json);
    return done ? AG_OK : AG_ERR_IO;
}

void ag_hub_file_remove(const char *data_path)
{
    char *path = ag_memory_format("%s/hub.json", data_path);
    (void)unlink(path);
    free(path);
}
