// SPDX-License-Identifier: Apache-2.0
// platform/wifi.h over NetworkManager, by sd-bus.
//
// From the bus to the device there is a ladder of stages; whoever falls (the bus, NetworkManager,
// the device) takes all above it along, calls under way included: a reply that was asked for by a
// life before never arrives. On the last stage a scan and a join each have their own steps, with at
// most one call under way.
//
// Callbacks of sd-bus change the state below and start calls; only `serve` and `ag_wifi_close`
// close the bus, since no callback may.
#include "platform/wifi.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/backoff.h"
#include "platform/board.h"
#include "port/linux/nm_message.h"
#include "port/linux/wifi_setup.h"

#define NM       "org.freedesktop.NetworkManager"
#define NM_PATH  "/org/freedesktop/NetworkManager"
#define SETTINGS NM ".Settings"
#define PROFILE  NM ".Settings.Connection"
#define DEVICE   NM ".Device"
#define WIRELESS NM ".Device.Wireless"

enum {
    CALL_US = 10000000, // longest wait for an answer
    SCAN_MS = 10000,    // for the end of a scan; then what is known counts
    FIND_MS = 30000,    // until a device that is not there is looked for without a sign of it
    BUS_BASE_MS = 1000, // pauses between attempts to reach the bus
    BUS_CAP_MS = 60000,
    SERVE_MAX = 64, // messages in one turn of the loop
};

// NMDeviceState.
enum {
    STATE_UNAVAILABLE = 20, // and below: switched off, not managed
    STATE_DISCONNECTED = 30,
    STATE_PREPARE = 40, // to SECONDARIES: on the way
    STATE_SECONDARIES = 90,
    STATE_ACTIVATED = 100,
    STATE_FAILED = 120,
};

#define REASON_NEW_ACTIVATION 60u // NMDeviceStateReason

enum stage {
    STAGE_CLOSED,     // waits until the bus is tried again
    STAGE_OPENING,    // waits for the bus to say whether NetworkManager is there
    STAGE_NO_SERVICE, // waits for NetworkManager
    STAGE_FINDING,    // waits for its list of objects
    STAGE_NO_DEVICE,  // waits for a device
    STAGE_READY,
};

enum scan {
    SCAN_NONE,
    SCAN_ASKED, // waits for the scan to be accepted
    SCAN_WAITS, // for its end
    SCAN_LISTS, // waits for the list of objects
    SCAN_DONE,  // `found` holds it, or `scan_status` says why not
};

enum join {
    JOIN_NONE,
    JOIN_HELD,      // waits until the profile before is deleted
    JOIN_LOOKS,     // waits for the profile of ours, if there is one
    JOIN_WRITES,    // waits until it is added or updated
    JOIN_ACTIVATES, // waits until its activation is accepted
    JOIN_WAITS,     // for its end
};

static struct {
    struct ag_loop *loop; // NULL: not open
    const char *wanted;   // interface; "": any
    struct ag_loop_watch watch;
    sd_bus *bus;
    bool has_more; // messages were left by the last turn
    enum stage stage;
    enum ag_status absent; // why it is not STAGE_READY
    uint64_t due_ms;       // of the stage; UINT64_MAX: none
    struct ag_backoff backoff;
    sd_bus_slot *find_slot;
    char *device; // path
    char interface[IF_NAMESIZE];
    uint32_t device_state;
    enum scan scan;
    enum ag_status scan_status;
    uint64_t scan_due_ms; // SCAN_WAITS
    sd_bus_slot *scan_slot;
    sd_bus_message *found;
    enum join join;
    struct ag_wifi_credentials credentials; // of the join; its texts are borrowed
    bool has_begun;                         // the device is on its way to the new activation
    bool is_activated;                      // and has arrived
    bool is_connected;                      // by our profile
    enum ag_status reason;                  // why not
    uint8_t name[AG_WIFI_NAME_MAX];         // of the network, where connected
    uint8_t name_size;
    sd_bus_slot *join_slot;
    sd_bus_slot *forget_slot;
    char *profile; // path; NULL: not known
} wifi = { .watch = { .fd = -1 } };

__attribute__((format(printf, 1, 2))) static void log_debug(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ag_board_log(AG_LOG_DEBUG, "wifi", text, strlen(text));
}

// Statuses.

struct error_row {
    const char *name; // the last part of the error's
    enum ag_status status;
};

static const struct error_row error_rows[] = {
    { "PermissionDenied", AG_ERR_WIFI_DENIED },
    { "AccessDenied", AG_ERR_WIFI_DENIED },
    { "NotAuthorized", AG_ERR_WIFI_DENIED },
    { "InteractiveAuthorizationRequired", AG_ERR_WIFI_DENIED },
    { "UnknownDevice", AG_ERR_WIFI_DEVICE },
    { "ConnectionNotAvailable", AG_ERR_WIFI_RANGE },
    { "ServiceUnknown", AG_ERR_WIFI_SERVICE },
    { "NameHasNoOwner", AG_ERR_WIFI_SERVICE },
    { "NoReply", AG_ERR_WIFI_SERVICE },
    { "Timeout", AG_ERR_WIFI_SERVICE },
    { "TimedOut", AG_ERR_WIFI_SERVICE },
    { "Disconnected", AG_ERR_WIFI_SERVICE },
};

// Only the error's name is logged: its text may repeat what was sent.
static enum ag_status status_of_error(const char *call, const sd_bus_error *error)
{
    const char *dot = strrchr(error->name, '.');
    log_debug("%s: %s", call, error->name);
    for (size_t i = 0; dot && i < sizeof error_rows / sizeof error_rows[0]; i++) {
        if (strcmp(dot + 1, error_rows[i].name) == 0)
            return error_rows[i].status;
    }
    return AG_ERR_WIFI_JOIN;
}

// NMDeviceStateReason. A password that is refused makes NetworkManager ask for another one; nobody
// answers, so that the reason is "no secrets".
static enum ag_status status_of_reason(uint32_t reason, enum ag_status otherwise)
{
    switch (reason) {
    case 7: // no secrets
        return AG_ERR_WIFI_PASSWORD;
    case 5: // no address
    case 6: // the address expired
    case 15:
    case 16:
    case 17: // DHCP
        return AG_ERR_WIFI_ADDRESS;
    case 53: // not found
        return AG_ERR_WIFI_RANGE;
    default:
        return otherwise;
    }
}

// The ladder.

static void drop_calls(void)
{
    wifi.find_slot = sd_bus_slot_unref(wifi.find_slot);
    wifi.scan_slot = sd_bus_slot_unref(wifi.scan_slot);
    wifi.join_slot = sd_bus_slot_unref(wifi.join_slot);
    wifi.forget_slot = sd_bus_slot_unref(wifi.forget_slot);
    wifi.found = sd_bus_message_unref(wifi.found);
    wifi.scan = SCAN_NONE;
    wifi.join = JOIN_NONE;
}

// Down to a stage below STAGE_READY, with all that was above it.
static void fall(enum stage stage, enum ag_status why, uint64_t due_ms)
{
    drop_calls();
    free(wifi.device);
    free(wifi.profile);
    wifi.device = NULL;
    wifi.profile = NULL;
    wifi.is_connected = false;
    wifi.reason = AG_OK;
    wifi.stage = stage;
    wifi.absent = why;
    wifi.due_ms = due_ms;
}

static void close_bus(void)
{
    uint32_t random;
    ag_board_random(&random, sizeof random);
    fall(STAGE_CLOSED, AG_ERR_WIFI_SERVICE,
         ag_board_uptime_ms() + ag_backoff_fail(&wifi.backoff, random));
    ag_loop_remove(wifi.loop, &wifi.watch);
    wifi.bus = sd_bus_close_unref(wifi.bus);
    wifi.has_more = false;
}

// A message to NetworkManager; NULL when there is no memory.
static sd_bus_message *make_call(const char *path, const char *interface, const char *member)
{
    sd_bus_message *message = NULL;
    if (sd_bus_message_new_method_call(wifi.bus, &message, NM, path, interface, member) < 0)
        return NULL;
    sd_bus_message_set_auto_start(message, 0);
    return message;
}

// Sends `message` and releases it. False: it could not be sent.
static bool send_call(sd_bus_message *message, sd_bus_slot **slot, sd_bus_message_handler_t handler)
{
    *slot = sd_bus_slot_unref(*slot);
    const bool is_sent =
        message && sd_bus_call_async(wifi.bus, slot, message, handler, NULL, CALL_US) >= 0;
    sd_bus_message_unref(message);
    return is_sent;
}

static bool list_objects(sd_bus_slot **slot, sd_bus_message_handler_t handler)
{
    return send_call(
        make_call("/org/freedesktop", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"),
        slot, handler);
}

static bool is_wanted(const struct ag_nm_object *object)
{
    return object->device_type == AG_NM_MESSAGE_WIFI && object->interface &&
           (!wifi.wanted[0] || strcmp(object->interface, wifi.wanted) == 0);
}

// What is known of the device while the list is read.
struct finding {
    char *device;
    char *active;
    char *active_ap;
    uint32_t state;
    char interface[IF_NAMESIZE];
    bool is_ours;
    char *profile;
    uint8_t name[AG_WIFI_NAME_MAX];
    uint8_t name_size;
};

static void take_device(void *context, const struct ag_nm_object *object)
{
    struct finding *finding = context;
    if (finding->device || !is_wanted(object))
        return;
    finding->device = strdup(object->path);
    finding->active = strdup(object->active ? object->active : "/");
    finding->active_ap = strdup(object->active_ap ? object->active_ap : "/");
    finding->state = object->device_state;
    snprintf(finding->interface, sizeof finding->interface, "%s", object->interface);
}

static void take_active(void *context, const struct ag_nm_object *object)
{
    struct finding *finding = context;
    if (finding->active && strcmp(object->path, finding->active) == 0 && object->uuid &&
        strcmp(object->uuid, AG_NM_MESSAGE_UUID) == 0) {
        finding->is_ours = true;
        if (!finding->profile && object->profile)
            finding->profile = strdup(object->profile);
    }
    if (finding->active_ap && strcmp(object->path, finding->active_ap) == 0 &&
        object->ssid_size <= AG_WIFI_NAME_MAX) {
        memcpy(finding->name, object->ssid, object->ssid_size);
        finding->name_size = (uint8_t)object->ssid_size;
    }
}

static void use_device(struct finding *finding)
{
    wifi.device = finding->device;
    wifi.profile = finding->is_ours ? finding->profile : NULL;
    finding->device = NULL;
    finding->profile = wifi.profile ? NULL : finding->profile;
    memcpy(wifi.interface, finding->interface, sizeof wifi.interface);
    wifi.device_state = finding->state;
    wifi.is_connected =
        finding->is_ours && finding->state == STATE_ACTIVATED && finding->name_size > 0;
    memcpy(wifi.name, finding->name, sizeof wifi.name);
    wifi.name_size = finding->name_size;
    wifi.stage = STAGE_READY;
    wifi.absent = AG_OK;
    wifi.due_ms = UINT64_MAX;
    log_debug("device %s, state %u%s", wifi.interface, (unsigned)wifi.device_state,
              wifi.is_connected ? ", connected by our profile" : "");
}

static int on_objects(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    struct finding finding = { 0 };
    (void)context;
    (void)ignored;
    wifi.find_slot = sd_bus_slot_unref(wifi.find_slot);
    if (sd_bus_message_is_method_error(reply, NULL)) {
        status_of_error("GetManagedObjects", sd_bus_message_get_error(reply));
        fall(STAGE_NO_SERVICE, AG_ERR_WIFI_SERVICE, ag_board_uptime_ms() + FIND_MS);
        return 0;
    }
    const bool is_read = ag_nm_message_objects(reply, take_device, &finding) >= 0 &&
                         ag_nm_message_objects(reply, take_active, &finding) >= 0;
    if (is_read && finding.device)
        use_device(&finding);
    else
        fall(STAGE_NO_DEVICE, is_read ? AG_ERR_WIFI_DEVICE : AG_ERR_WIFI_SERVICE,
             ag_board_uptime_ms() + FIND_MS);
    free(finding.device);
    free(finding.active);
    free(finding.active_ap);
    free(finding.profile);
    return 0;
}

static void find_device(void)
{
    fall(STAGE_FINDING, wifi.absent == AG_OK ? AG_ERR_AGAIN : wifi.absent, UINT64_MAX);
    if (!list_objects(&wifi.find_slot, on_objects))
        fall(STAGE_NO_SERVICE, AG_ERR_WIFI_SERVICE, ag_board_uptime_ms() + FIND_MS);
}

static int on_owner(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    wifi.find_slot = sd_bus_slot_unref(wifi.find_slot);
    wifi.backoff.failures = 0; // the bus is there
    if (sd_bus_message_is_method_error(reply, NULL)) {
        status_of_error("GetNameOwner", sd_bus_message_get_error(reply));
        fall(STAGE_NO_SERVICE, AG_ERR_WIFI_SERVICE, UINT64_MAX);
    } else
        find_device();
    return 0;
}

// Joining.

static void end_join(enum ag_status reason)
{
    wifi.join_slot = sd_bus_slot_unref(wifi.join_slot);
    wifi.join = JOIN_NONE;
    wifi.reason = reason;
    wifi.is_connected = reason == AG_OK;
    if (!wifi.is_connected)
        return;
    wifi.name_size = (uint8_t)strlen(wifi.credentials.name);
    memcpy(wifi.name, wifi.credentials.name, wifi.name_size);
}

static void end_join_if_activated(void)
{
    if (wifi.join == JOIN_WAITS && wifi.is_activated)
        end_join(AG_OK);
}

// True when the join goes on.
static bool join_goes_on(const char *call, sd_bus_message *reply)
{
    wifi.join_slot = sd_bus_slot_unref(wifi.join_slot);
    if (!sd_bus_message_is_method_error(reply, NULL))
        return true;
    end_join(status_of_error(call, sd_bus_message_get_error(reply)));
    return false;
}

static int on_activated(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    if (!join_goes_on("ActivateConnection", reply))
        return 0;
    wifi.join = JOIN_WAITS;
    end_join_if_activated();
    return 0;
}

static void activate(void)
{
    sd_bus_message *call = make_call(NM_PATH, NM, "ActivateConnection");
    const bool is_made = call && wifi.profile &&
                         sd_bus_message_append(call, "ooo", wifi.profile, wifi.device, "/") >= 0;
    wifi.join = JOIN_ACTIVATES;
    wifi.has_begun = false;
    wifi.is_activated = false;
    if (!is_made)
        call = sd_bus_message_unref(call);
    if (!send_call(call, &wifi.join_slot, on_activated))
        end_join(AG_ERR_WIFI_SERVICE);
}

static int on_updated(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    if (join_goes_on("UpdateUnsaved", reply))
        activate();
    return 0;
}

static void keep_profile(sd_bus_message *reply)
{
    const char *path;
    if (sd_bus_message_read_basic(reply, 'o', &path) <= 0)
        return;
    free(wifi.profile);
    wifi.profile = strdup(path);
}

static int on_added(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    if (!join_goes_on("AddConnectionUnsaved", reply))
        return 0;
    keep_profile(reply);
    activate();
    return 0;
}

static void write_profile(void)
{
    sd_bus_message *call = wifi.profile
                               ? make_call(wifi.profile, PROFILE, "UpdateUnsaved")
                               : make_call(NM_PATH "/Settings", SETTINGS, "AddConnectionUnsaved");
    wifi.join = JOIN_WRITES;
    if (call && ag_nm_message_put_profile(call, &wifi.credentials, wifi.interface) < 0)
        call = sd_bus_message_unref(call);
    if (!send_call(call, &wifi.join_slot, wifi.profile ? on_updated : on_added))
        end_join(AG_ERR_WIFI_SERVICE);
}

static int on_profile(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    wifi.join_slot = sd_bus_slot_unref(wifi.join_slot);
    free(wifi.profile);
    wifi.profile = NULL;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        const enum ag_status status =
            status_of_error("GetConnectionByUuid", sd_bus_message_get_error(reply));
        if (status == AG_ERR_WIFI_SERVICE || status == AG_ERR_WIFI_DENIED) {
            end_join(status);
            return 0;
        }
    } else
        keep_profile(reply);
    write_profile();
    return 0;
}

static void look_for_profile(void)
{
    sd_bus_message *call = make_call(NM_PATH "/Settings", SETTINGS, "GetConnectionByUuid");
    wifi.join = JOIN_LOOKS;
    if (call && sd_bus_message_append(call, "s", AG_NM_MESSAGE_UUID) < 0)
        call = sd_bus_message_unref(call);
    if (!send_call(call, &wifi.join_slot, on_profile))
        end_join(AG_ERR_WIFI_SERVICE);
}

// The device's state moves on: from any program's wish, ours among them.
static void follow_join(uint32_t state, uint32_t reason)
{
    if (state == STATE_ACTIVATED) {
        wifi.is_activated = true;
        end_join_if_activated();
    } else if (state >= STATE_PREPARE && state <= STATE_SECONDARIES) {
        wifi.has_begun = true;
        wifi.is_activated = false;
    } else if (state == STATE_FAILED ||
               (state <= STATE_DISCONNECTED && wifi.has_begun && reason != REASON_NEW_ACTIVATION))
        end_join(status_of_reason(reason, AG_ERR_WIFI_JOIN));
}

static int on_state(sd_bus_message *message, void *context, sd_bus_error *ignored)
{
    uint32_t state;
    uint32_t before;
    uint32_t reason;
    (void)context;
    (void)ignored;
    if (wifi.stage != STAGE_READY || strcmp(sd_bus_message_get_path(message), wifi.device) != 0 ||
        sd_bus_message_read(message, "uuu", &state, &before, &reason) < 0)
        return 0;
    log_debug("%s: state %u, reason %u", wifi.interface, (unsigned)state, (unsigned)reason);
    wifi.device_state = state;
    if (wifi.is_connected && state != STATE_ACTIVATED) {
        wifi.is_connected = false;
        wifi.reason = status_of_reason(reason, AG_ERR_WIFI_LOST);
    } else if (wifi.join >= JOIN_ACTIVATES)
        follow_join(state, reason);
    return 0;
}

// Scanning.

static int on_list(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    wifi.scan_slot = sd_bus_slot_unref(wifi.scan_slot);
    wifi.scan = SCAN_DONE;
    wifi.scan_status = AG_OK;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        status_of_error("GetManagedObjects", sd_bus_message_get_error(reply));
        wifi.scan_status = AG_ERR_WIFI_SERVICE;
    } else
        wifi.found = sd_bus_message_ref(reply);
    return 0;
}

static void list_found(void)
{
    wifi.scan = SCAN_LISTS;
    if (list_objects(&wifi.scan_slot, on_list))
        return;
    wifi.scan = SCAN_DONE;
    wifi.scan_status = AG_ERR_WIFI_SERVICE;
}

// A scan may be refused, since there was one just now or since we may not: then what NetworkManager
// knows from its own scans counts.
static int on_scan(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    wifi.scan_slot = sd_bus_slot_unref(wifi.scan_slot);
    if (sd_bus_message_is_method_error(reply, NULL)) {
        status_of_error("RequestScan", sd_bus_message_get_error(reply));
        list_found();
        return 0;
    }
    wifi.scan = SCAN_WAITS;
    wifi.scan_due_ms = ag_board_uptime_ms() + SCAN_MS;
    return 0;
}

// Whether the property LastScan is among those that changed.
static bool has_scanned(sd_bus_message *message)
{
    const char *text;
    bool has = false;
    if (sd_bus_message_read(message, "s", &text) < 0 ||
        sd_bus_message_enter_container(message, 'a', "{sv}") < 0)
        return false;
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        if (sd_bus_message_read(message, "s", &text) < 0 || sd_bus_message_skip(message, "v") < 0 ||
            sd_bus_message_exit_container(message) < 0)
            return has;
        has = has || strcmp(text, "LastScan") == 0;
    }
    return has;
}

static int on_changed(sd_bus_message *message, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    if (wifi.stage == STAGE_READY && (wifi.scan == SCAN_ASKED || wifi.scan == SCAN_WAITS) &&
        strcmp(sd_bus_message_get_path(message), wifi.device) == 0 && has_scanned(message))
        list_found();
    return 0;
}

// Who comes and goes.

static int on_owner_changed(sd_bus_message *message, void *context, sd_bus_error *ignored)
{
    const char *name;
    const char *before;
    const char *after;
    (void)context;
    (void)ignored;
    if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0 || strcmp(name, NM) != 0)
        return 0;
    fall(STAGE_NO_SERVICE, AG_ERR_WIFI_SERVICE, UINT64_MAX);
    if (after[0])
        find_device();
    return 0;
}

static int on_device_added(sd_bus_message *message, void *context, sd_bus_error *ignored)
{
    (void)message;
    (void)context;
    (void)ignored;
    if (wifi.stage == STAGE_NO_DEVICE)
        find_device();
    return 0;
}

static int on_device_removed(sd_bus_message *message, void *context, sd_bus_error *ignored)
{
    const char *path;
    (void)context;
    (void)ignored;
    if (wifi.stage == STAGE_READY && sd_bus_message_read(message, "o", &path) >= 0 &&
        strcmp(path, wifi.device) == 0) {
        wifi.absent = AG_ERR_WIFI_DEVICE;
        find_device();
    }
    return 0;
}

// The bus.

struct match_row {
    const char *rule;
    sd_bus_message_handler_t handler;
};

static const struct match_row match_rows[] = {
    { "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" NM "'",
      on_owner_changed },
    { "type='signal',sender='" NM "',path='" NM_PATH "',interface='" NM "',member='DeviceAdded'",
      on_device_added },
    { "type='signal',sender='" NM "',path='" NM_PATH "',interface='" NM "',member='DeviceRemoved'",
      on_device_removed },
    { "type='signal',sender='" NM "',interface='" DEVICE "',member='StateChanged'", on_state },
    { "type='signal',sender='" NM "',interface='org.freedesktop.DBus.Properties',"
      "member='PropertiesChanged',arg0='" WIRELESS "'",
      on_changed },
};

// What the bus refuses here it answers by closing, or by silence until the call's time is over.
static int on_match(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    if (sd_bus_message_is_method_error(reply, NULL))
        log_debug("AddMatch: %s", sd_bus_message_get_error(reply)->name);
    return 0;
}

static bool start_watching(void)
{
    for (size_t i = 0; i < sizeof match_rows / sizeof match_rows[0]; i++) {
        if (sd_bus_add_match_async(wifi.bus, NULL, match_rows[i].rule, match_rows[i].handler,
                                   on_match, NULL) < 0)
            return false;
    }
    return sd_bus_call_method_async(wifi.bus, &wifi.find_slot, "org.freedesktop.DBus",
                                    "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
                                    on_owner, NULL, "s", NM) >= 0;
}

static void serve(void);

static void bus_is_ready(void *context, uint32_t events)
{
    (void)context;
    (void)events;
    serve();
}

// Follows the descriptor of the bus, which is another one where the first address did not answer.
static bool watch_bus(void)
{
    const int fd = sd_bus_get_fd(wifi.bus);
    if (fd >= 0 && fd == wifi.watch.fd)
        return true;
    ag_loop_remove(wifi.loop, &wifi.watch);
    wifi.watch = (struct ag_loop_watch){ .fd = fd, .ready = bus_is_ready };
    if (fd >= 0 && ag_loop_add(wifi.loop, &wifi.watch, EPOLLIN | EPOLLOUT) == AG_OK)
        return true;
    wifi.watch.fd = -1;
    return false;
}

static void serve(void)
{
    int result = 1;
    for (int i = 0; i < SERVE_MAX && result > 0; i++)
        result = sd_bus_process(wifi.bus, NULL);
    wifi.has_more = result > 0;
    if (result < 0 || sd_bus_is_open(wifi.bus) <= 0 || !watch_bus()) {
        log_debug("the system bus is gone: %s", strerror(result < 0 ? -result : ENOTCONN));
        close_bus();
    }
}

static void open_bus(void)
{
    int result = sd_bus_open_system(&wifi.bus);
    if (result >= 0)
        result = sd_bus_set_method_call_timeout(wifi.bus, CALL_US);
    if (result >= 0 && start_watching()) {
        wifi.stage = STAGE_OPENING;
        wifi.due_ms = UINT64_MAX;
        serve();
        return;
    }
    log_debug("the system bus cannot be reached: %s", strerror(result < 0 ? -result : ENOMEM));
    close_bus();
}

void ag_wifi_open(struct ag_loop *loop, const char *device)
{
    wifi.loop = loop;
    wifi.wanted = device ? device : "";
    wifi.absent = AG_ERR_AGAIN;
    ag_backoff_init(&wifi.backoff, BUS_BASE_MS, BUS_CAP_MS);
    open_bus();
}

void ag_wifi_close(void)
{
    if (!wifi.loop)
        return;
    close_bus();
    wifi.loop = NULL;
}

// platform/wifi.h

// When sd-bus wants to be asked because of a call's time limit; UINT64_MAX: never.
static uint64_t bus_wait_ms(void)
{
    uint64_t until_us;
    struct timespec now;
    if (!wifi.bus || sd_bus_get_timeout(wifi.bus, &until_us) < 0 || until_us == UINT64_MAX)
        return UINT64_MAX;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    return until_us > now_us ? (until_us - now_us + 999) / 1000 : 0;
}

void ag_wifi_poll(uint64_t now_ms)
{
    if (!wifi.loop)
        return;
    if (wifi.bus && (wifi.has_more || bus_wait_ms() == 0))
        serve();
    if (now_ms >= wifi.due_ms && wifi.stage == STAGE_CLOSED)
        open_bus();
    else if (now_ms >= wifi.due_ms)
        find_device();
    if (wifi.stage == STAGE_READY && wifi.scan == SCAN_WAITS && now_ms >= wifi.scan_due_ms)
        list_found();
}

uint32_t ag_wifi_wait_ms(uint64_t now_ms)
{
    if (!wifi.loop)
        return UINT32_MAX;
    uint64_t until_ms = wifi.due_ms;
    if (wifi.scan == SCAN_WAITS && wifi.scan_due_ms < until_ms)
        until_ms = wifi.scan_due_ms;
    uint64_t wait_ms = until_ms == UINT64_MAX ? UINT64_MAX
                       : until_ms > now_ms    ? until_ms - now_ms
                                              : 0;
    const uint64_t bus_ms = wifi.has_more ? 0 : bus_wait_ms();
    wait_ms = bus_ms < wait_ms ? bus_ms : wait_ms;
    return wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX;
}

// Why there is nothing to scan or join with; AG_OK: there is.
static enum ag_status absence(void)
{
    if (wifi.stage != STAGE_READY)
        return wifi.absent;
    return wifi.device_state <= STATE_UNAVAILABLE ? AG_ERR_WIFI_OFF : AG_OK;
}

void ag_wifi_status(struct ag_wifi_status *status)
{
    *status = (struct ag_wifi_status){ .state = AG_WIFI_ABSENT, .reason = absence() };
    if (status->reason != AG_OK)
        return;
    status->state = wifi.join != JOIN_NONE ? AG_WIFI_JOINING
                    : wifi.is_connected    ? AG_WIFI_CONNECTED
                                           : AG_WIFI_IDLE;
    if (status->state == AG_WIFI_IDLE)
        status->reason = wifi.reason;
    if (status->state != AG_WIFI_CONNECTED)
        return;
    memcpy(status->name, wifi.name, wifi.name_size);
    status->name_size = wifi.name_size;
}

enum ag_status ag_wifi_scan(void)
{
    const enum ag_status status = absence();
    if (status != AG_OK || (wifi.scan != SCAN_NONE && wifi.scan != SCAN_DONE))
        return status;
    wifi.found = sd_bus_message_unref(wifi.found);
    sd_bus_message *call = make_call(wifi.device, WIRELESS, "RequestScan");
    if (call && sd_bus_message_append(call, "a{sv}", 0) < 0)
        call = sd_bus_message_unref(call);
    wifi.scan = SCAN_ASKED;
    if (send_call(call, &wifi.scan_slot, on_scan))
        return AG_OK;
    wifi.scan = SCAN_NONE;
    return AG_ERR_WIFI_SERVICE;
}

// The list holds the access points of every device; first those of ours are found.

struct listing {
    void (*take)(void *context, const struct ag_wifi_found *found);
    void *context;
    char **heard; // by our device
};

static void take_heard(void *context, const struct ag_nm_object *object)
{
    struct listing *listing = context;
    if (strcmp(object->path, wifi.device) != 0 || !object->access_points || listing->heard)
        return;
    size_t count = 0;
    while (object->access_points[count])
        count++;
    listing->heard = calloc(count + 1, sizeof *listing->heard);
    for (size_t i = 0; listing->heard && i < count; i++)
        listing->heard[i] = strdup(object->access_points[i]);
}

static bool is_heard(const struct listing *listing, const char *path)
{
    for (char **at = listing->heard; at && *at; at++) {
        if (strcmp(*at, path) == 0)
            return true;
    }
    return false;
}

static void take_access_point(void *context, const struct ag_nm_object *object)
{
    struct listing *listing = context;
    struct ag_wifi_found found = { .security = ag_nm_message_security(object) };
    if (!object->ssid || object->ssid_size > AG_WIFI_NAME_MAX || !is_heard(listing, object->path))
        return;
    memcpy(found.name, object->ssid, object->ssid_size);
    found.name_size = (uint8_t)object->ssid_size;
    found.signal = (uint8_t)(object->strength < 100 ? object->strength : 100);
    log_debug("in range: %.*s, signal %u, security %d", (int)found.name_size,
              (const char *)found.name, (unsigned)found.signal, (int)found.security);
    listing->take(listing->context, &found);
}

enum ag_status ag_wifi_results(void (*take)(void *context, const struct ag_wifi_found *found),
                               void *context)
{
    struct listing listing = { .take = take, .context = context };
    if (absence() != AG_OK)
        return absence();
    if (wifi.scan == SCAN_NONE)
        return AG_ERR_ARGUMENT;
    if (wifi.scan != SCAN_DONE)
        return AG_ERR_AGAIN;
    if (wifi.scan_status != AG_OK)
        return wifi.scan_status;
    if (ag_nm_message_objects(wifi.found, take_heard, &listing) < 0 ||
        ag_nm_message_objects(wifi.found, take_access_point, &listing) < 0)
        wifi.scan_status = AG_ERR_WIFI_SERVICE;
    for (char **at = listing.heard; at && *at; at++)
        free(*at);
    free(listing.heard);
    return wifi.scan_status;
}

enum ag_status ag_wifi_join(const struct ag_wifi_credentials *credentials)
{
    const enum ag_status status = absence();
    if (status != AG_OK)
        return status;
    wifi.credentials = *credentials;
    wifi.is_connected = false;
    wifi.reason = AG_OK;
    if (wifi.forget_slot)
        wifi.join = JOIN_HELD;
    else
        look_for_profile();
    return AG_OK;
}

// Nobody waits for the answer.
static void send_only(sd_bus_message *call)
{
    if (call && sd_bus_message_set_expect_reply(call, 0) >= 0)
        sd_bus_send(wifi.bus, call, NULL);
    sd_bus_message_unref(call);
}

void ag_wifi_leave(void)
{
    if (wifi.stage != STAGE_READY || (wifi.join == JOIN_NONE && !wifi.is_connected))
        return;
    if (wifi.is_connected || wifi.join >= JOIN_ACTIVATES)
        send_only(make_call(wifi.device, DEVICE, "Disconnect"));
    end_join(AG_ERR_WIFI_LOST);
    wifi.reason = AG_OK;
}

static int on_deleted(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    wifi.forget_slot = sd_bus_slot_unref(wifi.forget_slot);
    if (sd_bus_message_is_method_error(reply, NULL))
        status_of_error("Delete", sd_bus_message_get_error(reply));
    if (wifi.join == JOIN_HELD)
        look_for_profile();
    return 0;
}

void ag_wifi_forget(void)
{
    ag_wifi_leave();
    if (wifi.stage != STAGE_READY || !wifi.profile)
        return;
    send_call(make_call(wifi.profile, PROFILE, "Delete"), &wifi.forget_slot, on_deleted);
    free(wifi.profile);
    wifi.profile = NULL;
}
