// SPDX-License-Identifier: Apache-2.0
// The one table of status codes: symbol, number, name, text, hint.
//
// The thousands are all 1 so that codes cannot be mistaken for HTTP statuses; the hundreds group:
//   10xx general   11xx wasm module   12xx traps       13xx plug-in file, trust   14xx twin
//   15xx network   16xx store, flash  17xx trial, host 18xx ports, tools
#ifndef AG_BASE_STATUS_TABLE_H
#define AG_BASE_STATUS_TABLE_H

// clang-format off
#define AG_STATUS_TABLE(X) \
    X(OK,                         0, "ok", "success", "") \
    \
    X(ERR_UNKNOWN,             1000, "unknown", "unknown status", "report this: a code outside the table was used") \
    X(ERR_TRUNCATED,           1001, "truncated", "the input ends too early", "transfer the data again and compare its size") \
    X(ERR_MALFORMED,           1002, "malformed", "the input breaks its format", "check the producer against FORMATS.md") \
    X(ERR_NO_SPACE,            1003, "no_space", "a fixed buffer is full", "make the input smaller, or raise the limit in src/base/config.h") \
    X(ERR_NOT_FOUND,           1004, "not_found", "no such item", "check the name") \
    X(ERR_AGAIN,               1005, "again", "not ready yet", "wait for the event and call again") \
    X(ERR_ARGUMENT,            1006, "argument", "an argument is outside its range", "see the range in the documentation") \
    X(ERR_UNSUPPORTED,         1007, "unsupported", "not supported here", "use another form of the request, or a newer host") \
    X(ERR_INTERNAL,            1008, "internal", "an unexpected condition inside airgraft", "report this with the log") \
    \
    /* 11xx: a WebAssembly module that cannot be accepted */ \
    X(ERR_WASM_MAGIC,          1101, "wasm_magic", "not a WebAssembly binary of version 1", "publish the .wasm file itself, not its text or an archive") \
    X(ERR_WASM_MALFORMED,      1102, "wasm_malformed", "the module's binary encoding is broken", "build the plug-in again; check it with wasm-validate") \
    X(ERR_WASM_INVALID,        1103, "wasm_invalid", "the module fails validation", "check it with wasm-validate") \
    X(ERR_WASM_LIMIT,          1104, "wasm_limit", "the module exceeds a limit of this engine", "see the limits in src/wasm/README.md") \
    X(ERR_WASM_IMPORT,         1105, "wasm_import", "the module imports something this host does not offer", "compare airgraft inspect with the host's reported capabilities") \
    X(ERR_WASM_EXPORT,         1106, "wasm_export", "the module does not export what is asked for", "export initialize and execute with the signatures of sdk/airgraft.h") \
    X(ERR_WASM_MEMORY,         1107, "wasm_memory", "the module asks for more memory than there is", "reduce its linear memory or stack") \
    X(ERR_WASM_STALE,          1108, "wasm_stale", "the translated code is from another engine version or damaged", "it is translated again from the signed file") \
    X(ERR_WASM_SIMD,           1110, "wasm_simd", "the module uses SIMD", "compile with -mno-simd128") \
    X(ERR_WASM_THREADS,        1111, "wasm_threads", "the module uses threads or atomics", "compile with -mno-atomics") \
    X(ERR_WASM_EXCEPTIONS,     1112, "wasm_exceptions", "the module uses exception handling", "compile with -fno-exceptions") \
    X(ERR_WASM_TAIL_CALL,      1113, "wasm_tail_call", "the module uses tail calls", "compile with -mno-tail-call") \
    X(ERR_WASM_MEMORY64,       1114, "wasm_memory64", "the module uses 64-bit memory", "compile for wasm32") \
    X(ERR_WASM_MULTI_MEMORY,   1115, "wasm_multi_memory", "the module has more than one memory", "use one linear memory") \
    X(ERR_WASM_GC,             1116, "wasm_gc", "the module uses garbage-collected or typed references", "compile for WebAssembly 2.0") \
    X(ERR_WASM_FLOAT,          1117, "wasm_float", "the module uses floating point, which this engine was built without", "use integers or a host with floats") \
    \
    /* 12xx: traps */ \
    X(TRAP_STACK,              1201, "trap_stack_overflow", "the call stack is exhausted", "reduce recursion or raise stack in plugin.json") \
    X(TRAP_MEMORY,             1202, "trap_out_of_bounds_memory", "a memory access was out of bounds", "check pointers and array indexes") \
    X(TRAP_TABLE,              1203, "trap_out_of_bounds_table", "a table access was out of bounds", "check function pointers") \
    X(TRAP_DIVIDE_BY_ZERO,     1204, "trap_divide_by_zero", "an integer was divided by zero", "check the divisor") \
    X(TRAP_OVERFLOW,           1205, "trap_integer_overflow", "an integer operation overflowed", "check the range of the division") \
    X(TRAP_CONVERSION,         1206, "trap_invalid_conversion", "a float has no integer value", "check for NaN and range before converting") \
    X(TRAP_UNREACHABLE,        1207, "trap_unreachable", "the plug-in reached unreachable code", "abort(), assert() or undefined behaviour in the plug-in") \
    X(TRAP_SIGNATURE,          1208, "trap_indirect_call_type", "an indirect call met a function of another type", "check function pointer types") \
    X(TRAP_UNINITIALIZED,      1209, "trap_uninitialized_element", "an indirect call met an empty table element", "check for NULL function pointers") \
    X(TRAP_FUEL,               1210, "trap_fuel_exhausted", "the plug-in used more instructions than its budget", "raise FuelPerRun, or compute less in one run") \
    X(TRAP_HOST,               1211, "trap_host_call", "a host function refused its arguments", "see the log for the call and its reason") \
    X(TRAP_EXIT,               1212, "trap_exit", "the plug-in called exit", "return from execute instead") \
    X(TRAP_CODE,               1213, "trap_code", "the translated code is damaged", "it is translated again; check the flash") \
    \
    /* 13xx: the plug-in file */ \
    X(ERR_FILE_UNSIGNED,       1301, "file_unsigned", "the file has no signature section", "sign it with airgraft sign") \
    X(ERR_FILE_SIGNATURE,      1302, "file_signature_malformed", "the signature section is broken", "sign the file again with airgraft sign") \
    X(ERR_FILE_KEY,            1303, "file_key_unknown", "no signer is in this device's trust store", "sign with a key that the device trusts") \
    X(ERR_FILE_FORGED,         1304, "file_signature_invalid", "the signature does not match", "the file was changed after signing, or the key is wrong") \
    X(ERR_FILE_HASH,           1305, "file_hash", "a part of the file does not match its signed hash", "publish the file again: it is damaged or was changed") \
    X(ERR_FILE_METADATA,       1306, "file_metadata", "the airgraft metadata section is missing or broken", "build the plug-in with airgraft build") \
    X(ERR_FILE_SIZE,           1307, "file_size", "the file is larger or smaller than announced", "publish the file again") \
    X(ERR_FILE_NAME,           1308, "file_name", "the file carries another name than the twin says", "make Name in the twin and in plugin.json agree") \
    X(ERR_FILE_VERSION,        1309, "file_version", "the file carries another version than the twin says", "make Version in the twin and in plugin.json agree") \
    X(ERR_FILE_SHA256,         1310, "file_sha256", "the file's SHA-256 is not the one in the twin", "publish the file again or correct Sha256 in the twin") \
    X(ERR_FILE_ABI,            1311, "file_abi", "the file needs another plug-in ABI", "rebuild it with the SDK of this host's version") \
    X(ERR_FILE_CAPABILITY,     1312, "file_capability", "the file needs a capability that this host lacks", "compare airgraft inspect with the host's reported capabilities") \
    X(ERR_FILE_EPOCH,          1313, "file_epoch", "the file's security epoch is lower than one seen before", "build it with a current epoch") \
    X(ERR_FILE_MEMORY,         1314, "file_memory", "the plug-in needs more memory than this host has left", "reduce memory and stack, or remove another plug-in") \
    X(ERR_FILE_TOO_LARGE,      1315, "file_too_large", "the file does not fit in the store", "make it smaller, or remove another plug-in") \
    X(ERR_FILE_INITIALIZE,     1316, "file_no_initialize", "the plug-in does not export initialize as a function () -> i32", "define int32_t initialize(void) as in sdk/airgraft.h") \
    X(ERR_FILE_EXECUTE,        1317, "file_no_execute", "the plug-in does not export execute as a function () -> ()", "define void execute(void) as in sdk/airgraft.h") \
    X(ERR_FILE_EXPORT,         1318, "file_export_type", "an optional export of the plug-in has another type than the ABI says", "define shutdown, on_settings and on_method as void f(void)") \
    X(ERR_FILE_DISAGREES,      1319, "file_disagrees", "the module's memory or imports are not those that its metadata says", "build the plug-in with airgraft build") \
    X(ERR_TRUST_MALFORMED,     1320, "trust_malformed", "the trust store object is broken", "make it again with airgraft trust new") \
    X(ERR_TRUST_FORGED,        1321, "trust_signature_invalid", "a signature of the trust store object does not match", "it was changed after signing: take the original") \
    X(ERR_TRUST_THRESHOLD,     1322, "trust_threshold", "too few authority keys signed the trust store object", "sign it with as many authority keys as its threshold, and that of the one it replaces, says") \
    X(ERR_TRUST_EPOCH,         1323, "trust_epoch", "the trust store object is not newer than the one in use", "give it a higher epoch") \
    X(ERR_TRUST_UNREACHABLE,   1324, "trust_unreachable", "the hub could not be reached with the new trust store object, but with the one before", "put the TLS root of the hub's certificate into it") \
    \
    /* 14xx: the twin */ \
    X(ERR_TWIN_JSON,           1401, "twin_json", "the twin document is not valid JSON", "the hub sent it so; nothing was changed") \
    X(ERR_TWIN_TYPE,           1402, "twin_type", "firmware_modules is neither a list nor an object", "make it a list of entries or an object of entries by name") \
    X(ERR_TWIN_ENTRY,          1403, "twin_entry", "an entry is not an object with Url, Name and Version", "give Url (text), Name (text) and Version (whole number)") \
    X(ERR_TWIN_NAME,           1404, "twin_name", "the entry's name is missing, empty or too long", "use 1 to 32 bytes of UTF-8 without control characters") \
    X(ERR_TWIN_DUPLICATE,      1405, "twin_duplicate", "the name stands in the list more than once", "keep one entry per name; the first one counts") \
    X(ERR_TWIN_VERSION,        1406, "twin_version", "the entry's version is not a whole number from 1 to 4294967295", "give Version as a number") \
    X(ERR_TWIN_URL,            1407, "twin_url", "the entry's URL is not an https URL that this host can hold", "use https:// and at most 1024 bytes (640 on a microcontroller)") \
    X(ERR_TWIN_TOO_MANY,       1408, "twin_too_many", "the list has more entries than this host can hold", "remove entries; the first ones count") \
    X(ERR_TWIN_SPACE,          1409, "twin_space", "the entries together need more memory than this host has for them", "shorten URLs and settings") \
    X(ERR_TWIN_MEMBER,         1410, "twin_member", "an optional member of the entry has a wrong type or value", "see docs/updates.md") \
    X(ERR_TWIN_DOWNGRADE,      1411, "twin_downgrade", "the version is older than the installed one", "raise Version, or set AllowDowngrade") \
    X(ERR_SETTINGS_SCHEMA,     1412, "settings_schema", "the settings are not what the plug-in's schema asks for", "correct the member that is named; airgraft inspect shows the schema") \
    X(ERR_TWIN_WINDOW,         1413, "twin_window", "the entry's Window is malformed", "give From and To as HH:MM; see docs/updates.md") \
    X(ERR_TWIN_HOST,           1414, "twin_host", "a member of the desired object airgraft has a wrong type or value", "see docs/updates.md; what is wrong in it counts as absent") \
    \
    /* 15xx: network */ \
    X(ERR_CLOSED,              1501, "closed", "the peer closed the connection", "it is tried again") \
    X(ERR_DNS,                 1502, "dns", "the host name cannot be resolved", "check the name and the DNS server") \
    X(ERR_CONNECT,             1503, "connect", "the server cannot be reached", "check address, port and firewall") \
    X(ERR_TLS,                 1504, "tls", "the TLS handshake failed", "see the log; the server must offer TLS 1.2 or 1.3") \
    X(ERR_TLS_UNTRUSTED,       1505, "tls_untrusted", "the server's certificate is not signed by a trusted root", "add the right root certificate to the trust store") \
    X(ERR_TLS_NAME,            1506, "tls_name", "the server's certificate is for another host name", "connect by the name in the certificate") \
    X(ERR_TLS_EXPIRED,         1507, "tls_expired", "the server's certificate is expired or not yet valid", "renew the certificate, or set the device's clock") \
    X(ERR_TIMEOUT,             1508, "timeout", "no answer in time", "check the network; it is tried again") \
    X(ERR_RESET,               1509, "reset", "the connection broke", "it is tried again") \
    X(ERR_HTTP_MALFORMED,      1510, "http_malformed", "the server's answer is not HTTP/1.1", "check the URL and what answers there") \
    X(ERR_HTTP_REDIRECT,       1511, "http_redirect", "the server redirects to another host", "put the final URL into the twin") \
    X(ERR_HTTP_FORBIDDEN,      1512, "http_forbidden", "the server refuses access (401 or 403)", "the URL's SAS is wrong or expired: publish with a fresh one") \
    X(ERR_HTTP_NOT_FOUND,      1513, "http_not_found", "the file is not there (404 or 410)", "publish the file, or correct Url") \
    X(ERR_HTTP_RANGE,          1514, "http_range", "the server answered with another range than asked for", "the download starts again") \
    X(ERR_HTTP_CHANGED,        1515, "http_changed", "the file changed on the server during the download", "the download starts again") \
    X(ERR_HTTP_SERVER,         1516, "http_server", "the server failed (5xx or 429)", "it is tried again later") \
    X(ERR_HTTP_STATUS,         1517, "http_status", "the server answered with an unexpected status", "check the URL") \
    X(ERR_HTTP_MD5,            1518, "http_md5", "the file is not the one whose MD5 the server states", "it is fetched again; a Content-MD5 that was set by hand may be wrong") \
    X(ERR_HTTP_LENGTH,         1519, "http_length", "the server does not say how large the file is", "let it answer ranges (206), or give a Content-Length") \
    X(ERR_MQTT_MALFORMED,      1520, "mqtt_malformed", "the server broke the MQTT 3.1.1 protocol", "check what answers on the MQTT port") \
    X(ERR_MQTT_REFUSED,        1521, "mqtt_refused", "the hub refused the connection", "check device id, key and clock; the device may be disabled") \
    X(ERR_MQTT_DEAD,           1522, "mqtt_dead", "the hub no longer answers", "it is connected again") \
    X(ERR_DPS_REFUSED,         1523, "dps_refused", "the provisioning service refused the device", "check id scope, registration id and key") \
    X(ERR_DPS_DISABLED,        1524, "dps_disabled", "the enrolment is disabled", "enable it in the provisioning service") \
    X(ERR_DPS_ANSWER,          1525, "dps_answer", "the provisioning service sent an answer that is not understood", "see the log") \
    X(ERR_HUB_REQUEST,         1526, "hub_request", "the hub refused a twin request", "see the log for its reason") \
    X(ERR_METHOD,              1527, "method", "the direct method's payload is not what the method takes", "see docs/methods.md; the payload is a JSON object, or nothing") \
    X(ERR_METHOD_UNKNOWN,      1528, "method_unknown", "there is no such direct method", "status, restart, logs and retry are the host's; PLUGIN.METHOD calls a plug-in that has on_method") \
    X(ERR_METHOD_PLUGIN,       1529, "method_plugin", "the device has no plug-in of that name", "the method status lists what it has") \
    X(ERR_METHOD_STATE,        1530, "method_state", "not while the plug-in is on trial, stopped or not installed", "wait for the end of the trial, or enable it; the method status shows its state") \
    X(ERR_METHOD_SIZE,         1531, "method_size", "the direct method's payload is too large", "send at most 1024 bytes (512 to a microcontroller)") \
    X(ERR_METHOD_BUSY,         1532, "method_busy", "other direct methods are under way", "call again when they are answered") \
    X(ERR_METHOD_DOWN,         1533, "method_down", "the plug-in does not run, or was stopped before it answered", "the method status shows its state; call again when it runs") \
    X(ERR_METHOD_TIME,         1534, "method_time", "the plug-in did not answer in time", "it goes on; see its log for what it does") \
    X(ERR_WIFI_SERVICE,        1540, "wifi_service", "what manages the radio does not answer", "start NetworkManager; it is waited for") \
    X(ERR_WIFI_DEVICE,         1541, "wifi_device", "there is no such Wi-Fi device", "see nmcli device; check wifi_device") \
    X(ERR_WIFI_OFF,            1542, "wifi_off", "the radio is off or not managed", "nmcli radio wifi on, rfkill unblock wifi, nmcli device set DEVICE managed yes") \
    X(ERR_WIFI_DENIED,         1543, "wifi_denied", "the use of the radio is not permitted", "permit it by polkit: docs/airgraft-host.md") \
    X(ERR_WIFI_RANGE,          1544, "wifi_range", "no known network is in range", "check its name and the access point") \
    X(ERR_WIFI_PASSWORD,       1545, "wifi_password", "the network refused the password", "correct the password") \
    X(ERR_WIFI_SECURITY,       1546, "wifi_security", "the network is open where a password is configured, or the reverse, or asks for more", "give a password for WPA2 or WPA3, none for an open network") \
    X(ERR_WIFI_JOIN,           1547, "wifi_join", "the network could not be joined", "see the log of NetworkManager") \
    X(ERR_WIFI_ADDRESS,        1548, "wifi_address", "the network gave no address", "check its DHCP server") \
    X(ERR_WIFI_LOST,           1549, "wifi_lost", "the connection to the network ended", "it is joined again") \
    \
    /* 16xx: store and flash */ \
    X(ERR_FLASH,               1601, "flash", "the flash could not be programmed or erased", "check the medium; replace it if this stays") \
    X(ERR_STORE_FULL,          1602, "store_full", "no room in the store", "remove a plug-in or enlarge the store") \
    X(ERR_STORE_FORMAT,        1603, "store_format", "the flash holds no store of this version", "it is formatted when it is blank; otherwise use another image") \
    X(ERR_STORE_SIZE,          1604, "store_size", "the image has another size than the store in it", "use the image with its original size") \
    X(ERR_STORE_DAMAGED,       1605, "store_damaged", "stored data fails its checksum", "the item is fetched or made again") \
    \
    /* 17xx: trial and host */ \
    X(ERR_QUARANTINED,         1701, "quarantined", "this exact file failed before and is not tried again", "publish a corrected file; a file with another hash is tried") \
    X(ERR_TRIAL_RESET,         1702, "trial_reset", "the device restarted while the new version was on trial", "see what the plug-in did last") \
    X(ERR_INITIALIZE,          1703, "initialize_failed", "the plug-in's initialize reported an error", "see its log") \
    X(ERR_DATA_QUOTA,          1709, "data_quota", "the plug-in has or wants more own data than it may keep", "raise data in plugin.json; a host has a limit of its own, too") \
    X(ERR_REMOVED,             1704, "removed", "the plug-in was removed by the twin", "") \
    X(ERR_UNHEALTHY,           1705, "unhealthy", "the plug-in's healthy said that it is not, when its trial was over", "see its log") \
    X(ERR_TRIAL_HUB,           1706, "trial_hub", "the hub could not be reached while the new version ran", "see what the plug-in does to the network") \
    X(ERR_RESET_WHILE_RUNNING, 1707, "reset_while_running", "the device was reset in the middle of a run of the plug-in, or of its translation", "see what the plug-in did last; a watchdog bites a host that does not go on") \
    X(ERR_GAVE_UP,             1708, "gave_up", "the plug-in failed again and again, and there is no version before it to run", "see the cause; it is tried again after a long pause, when its entry changes, or on retry") \
    X(ERR_TRIAL_TIME,          1710, "trial_time", "the trial of the new version did not come to an end", "ask for fewer runs or less time, or run it more often") \
    \
    /* 18xx: ports and tools */ \
    X(ERR_PIN,                 1801, "pin", "the board has no such pin or the pin cannot do this", "see the board's pins in the host's configuration") \
    X(ERR_CONFIG,              1802, "config", "the configuration is wrong", "see the line named; airgraft-host --help lists the keys") \
    X(ERR_IO,                  1803, "io", "a file cannot be read or written", "check its path, its permissions and the disk")

// clang-format on

#endif
