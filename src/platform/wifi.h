// SPDX-License-Identifier: Apache-2.0
// The radio of a board whose network needs credentials. A board has one of it: the port defines
// these functions, the linker chooses; a board with a cable defines none of them. None blocks, all
// are called from the main loop.
//
// Who does what: the port looks for networks when told, joins one when told, and says how that
// stands. It never joins by itself and never tries again; what a radio or its library does of that
// by itself (esp_wifi's reconnection, NetworkManager's autoconnect) is switched off. Which of the
// known networks, when to look again, how long to pause: src/wifi/station.h, for all ports alike.
//
// A password is a secret: it goes to the radio and into no message.
#ifndef AG_PLATFORM_WIFI_H
#define AG_PLATFORM_WIFI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define AG_WIFI_NAME_MAX     32u // SSID, bytes
#define AG_WIFI_PASSWORD_MAX 64u // 8 to 63 characters, or 64 hexadecimal digits

enum ag_wifi_security {
    AG_WIFI_OPEN,
    AG_WIFI_WPA,   // a password: WPA, WPA2, also where WPA3 is offered beside them
    AG_WIFI_WPA3,  // a password, and WPA3 (SAE) only
    AG_WIFI_OTHER, // WEP, 802.1X and what else a password alone does not open
};

// What was heard of one access point. Everything in it is from the air: hostile.
struct ag_wifi_found {
    uint8_t name[AG_WIFI_NAME_MAX];
    uint8_t name_size; // 0: it hides its name
    uint8_t signal;    // 0 to 100; where the radio says dBm: 2 * (dBm + 100), cut to that
    enum ag_wifi_security security;
};

struct ag_wifi_credentials {
    const char *name;     // 1 to AG_WIFI_NAME_MAX bytes and a NUL
    const char *password; // NULL: an open network
    enum ag_wifi_security security;
    bool is_hidden; // does not tell its name: has to be asked for by it
};

enum ag_wifi_state {
    AG_WIFI_ABSENT,    // waits for a radio that can be used
    AG_WIFI_IDLE,      // waits for ag_wifi_join
    AG_WIFI_JOINING,   // waits for the access point, and where the port does DHCP for its answer
    AG_WIFI_CONNECTED, // has what JOINING waited for
};

struct ag_wifi_status {
    enum ag_wifi_state state;
    // ABSENT: why: AG_ERR_WIFI_DEVICE, AG_ERR_WIFI_OFF, AG_ERR_WIFI_SERVICE; AG_ERR_AGAIN: not
    // known yet. IDLE: why the last join failed or the connection ended: AG_ERR_WIFI_PASSWORD,
    // AG_ERR_WIFI_RANGE, AG_ERR_WIFI_JOIN, AG_ERR_WIFI_ADDRESS, AG_ERR_WIFI_DENIED,
    // AG_ERR_WIFI_LOST; AG_OK where there was none. Otherwise AG_OK.
    enum ag_status reason;
    // CONNECTED: the network. A port whose connection outlives the program may be CONNECTED before
    // any join.
    uint8_t name[AG_WIFI_NAME_MAX];
    uint8_t name_size;
};

// Takes in what has happened since. Call it in each turn of the main loop, before the others.
void ag_wifi_poll(uint64_t now_ms);
// Milliseconds until ag_wifi_poll is wanted even if nothing happens; UINT32_MAX: never.
uint32_t ag_wifi_wait_ms(uint64_t now_ms);

void ag_wifi_status(struct ag_wifi_status *status);

// Starts to look for networks; what was found before is forgotten. One that is under way goes on.
// AG_ERR_WIFI_DEVICE and the other reasons of ABSENT: there is nothing to look with.
AG_MUST_CHECK enum ag_status ag_wifi_scan(void);

// Calls `take` for each access point that was found, in any order, a name more than once where it
// has several. AG_ERR_AGAIN: the scan is under way. Another status: it failed, or none was started;
// `take` was not called then.
AG_MUST_CHECK enum ag_status
ag_wifi_results(void (*take)(void *context, const struct ag_wifi_found *found), void *context);

// Starts to join a network, leaving any other: JOINING from now on. The texts are used until the
// join has ended. AG_ERR_WIFI_DEVICE and the like: not started.
AG_MUST_CHECK enum ag_status ag_wifi_join(const struct ag_wifi_credentials *credentials);

// Ends a join or a connection: IDLE. Harmless when there is none.
void ag_wifi_leave(void);

// Forgets the credentials that port or radio keep of the last join (NVS, a connection profile). The
// connection ends.
void ag_wifi_forget(void);

#endif
