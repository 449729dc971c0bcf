// SPDX-License-Identifier: Apache-2.0
// Every compile-time knob of the device code: meaning, range, default, cost.
//
// A build overrides a knob with -DAG_CFG_X=value; impossible values do not compile.
#ifndef AG_BASE_CONFIG_H
#define AG_BASE_CONFIG_H

// A board's own values: -DAG_CONFIG_FILE='"port/bare/config.h"' for all of the device code.
#ifdef AG_CONFIG_FILE
#include AG_CONFIG_FILE
#endif

// Texts and hints of statuses on the device: 0 or 1. Without them reports and answers carry a
// status's number and name, a log line its name, and `airgraft` adds text and hint from its own
// table. 1 costs 11.6 KB of constants.
#ifndef AG_CFG_STATUS_TEXTS
#define AG_CFG_STATUS_TEXTS __STDC_HOSTED__
#endif

// Longest plug-in name, bytes without NUL. 1 to 64. Costs that many bytes per desired entry.
#ifndef AG_CFG_NAME_MAX
#define AG_CFG_NAME_MAX 32
#endif
_Static_assert(AG_CFG_NAME_MAX >= 1 && AG_CFG_NAME_MAX <= 64, "AG_CFG_NAME_MAX is 1 to 64");

// Plug-ins a host can hold at once, installed or desired. 1 to 255.
#ifndef AG_CFG_PLUGIN_MAX
#define AG_CFG_PLUGIN_MAX 32
#endif
_Static_assert(AG_CFG_PLUGIN_MAX >= 1 && AG_CFG_PLUGIN_MAX <= 255, "AG_CFG_PLUGIN_MAX is 1 to 255");

// Hashes of failed plug-in files that the store keeps. 1 to 64. Costs 64 bytes of journal each.
#ifndef AG_CFG_QUARANTINE_MAX
#define AG_CFG_QUARANTINE_MAX 32
#endif
_Static_assert(AG_CFG_QUARANTINE_MAX >= 1 && AG_CFG_QUARANTINE_MAX <= 64,
               "AG_CFG_QUARANTINE_MAX is 1 to 64");

// Blocks for slots that failed and that the store leaves out, an eighth of its blocks at most.
// Beyond that the oldest has another chance. 1 to 64. Costs 2 bytes of RAM and 32 of journal each.
#ifndef AG_CFG_BAD_BLOCKS_MAX
#define AG_CFG_BAD_BLOCKS_MAX 16
#endif
_Static_assert(AG_CFG_BAD_BLOCKS_MAX >= 1 && AG_CFG_BAD_BLOCKS_MAX <= 64,
               "AG_CFG_BAD_BLOCKS_MAX is 1 to 64");

// Sealed versions of which it is known where they came from. 1 to 32. Costs 8 bytes of journal
// each.
#ifndef AG_CFG_ORIGINS
#define AG_CFG_ORIGINS 5
#endif
_Static_assert(AG_CFG_ORIGINS >= 1 && AG_CFG_ORIGINS <= 32, "AG_CFG_ORIGINS is 1 to 32");

// Bytes of a file or of code that are gathered before they are programmed: a power of two, 16 to
// 4096. Costs as many bytes of RAM. The page of a NOR flash is best on a chip; under an operating
// system, where each program is a call of the kernel, all that a block holds.
#ifndef AG_CFG_STORE_GATHER
#if __STDC_HOSTED__
#define AG_CFG_STORE_GATHER 4096
#else
#define AG_CFG_STORE_GATHER 256
#endif
#endif
_Static_assert(AG_CFG_STORE_GATHER >= 16 && AG_CFG_STORE_GATHER <= 4096 &&
                   (AG_CFG_STORE_GATHER & (AG_CFG_STORE_GATHER - 1)) == 0,
               "AG_CFG_STORE_GATHER is a power of two, 16 to 4096");

// Deepest nesting that the JSON reader follows. 8 to 63. A twin nests at most 10 levels below its
// sections. Costs nothing: one bit a level, in 64.
#ifndef AG_CFG_JSON_DEPTH
#define AG_CFG_JSON_DEPTH 24
#endif
_Static_assert(AG_CFG_JSON_DEPTH >= 8 && AG_CFG_JSON_DEPTH <= 63, "AG_CFG_JSON_DEPTH is 8 to 63");

// Longest URL of a plug-in file, bytes. 128 to 4096, which is the twin's limit for one string.
// Costs that many bytes in the twin reader and in each HTTP response.
#ifndef AG_CFG_URL_MAX
#define AG_CFG_URL_MAX 1024
#endif
_Static_assert(AG_CFG_URL_MAX >= 128 && AG_CFG_URL_MAX <= 4096, "AG_CFG_URL_MAX is 128 to 4096");

// Longest host name, bytes without NUL. 63 to 253 (RFC 1035). Costs that many bytes a URL.
#ifndef AG_CFG_HOST_MAX
#define AG_CFG_HOST_MAX 253
#endif
_Static_assert(AG_CFG_HOST_MAX >= 63 && AG_CFG_HOST_MAX <= 253, "AG_CFG_HOST_MAX is 63 to 253");

// Longest device or registration id, bytes without NUL. 128 is Azure's limit.
#ifndef AG_CFG_DEVICE_ID_MAX
#define AG_CFG_DEVICE_ID_MAX 128
#endif
_Static_assert(AG_CFG_DEVICE_ID_MAX >= 16 && AG_CFG_DEVICE_ID_MAX <= 128,
               "AG_CFG_DEVICE_ID_MAX is 16 to 128");

// Longest Settings of one plug-in, bytes of JSON without white space. 64 to 4096. Costs that many
// bytes in the twin reader.
#ifndef AG_CFG_SETTINGS_MAX
#define AG_CFG_SETTINGS_MAX 1024
#endif
_Static_assert(AG_CFG_SETTINGS_MAX >= 64 && AG_CFG_SETTINGS_MAX <= 4096,
               "AG_CFG_SETTINGS_MAX is 64 to 4096");

// Largest own data of one plug-in, bytes, as FORMATS.md 5.1 counts them. 16 to 3072. A
// plug-in that asks for more is refused. Costs what a plug-in asks for, for each that does.
#ifndef AG_CFG_DATA_MAX
#define AG_CFG_DATA_MAX 2048
#endif
_Static_assert(AG_CFG_DATA_MAX >= 16 && AG_CFG_DATA_MAX <= 3072, "AG_CFG_DATA_MAX is 16 to 3072");

// How often own data of one plug-in may be written to flash: once in so many milliseconds on
// average, and so many times at once before that counts. Changes beyond it are gathered in RAM. 0
// to 86400000, 1 to 255. At the default and 2 KB of data, the journal of a 4 MB image (32 blocks)
// has each block erased once in an hour: 100,000 erases last 11 years.
#ifndef AG_CFG_DATA_INTERVAL_MS
#define AG_CFG_DATA_INTERVAL_MS 60000
#endif
#ifndef AG_CFG_DATA_BURST
#define AG_CFG_DATA_BURST 8
#endif
_Static_assert(AG_CFG_DATA_INTERVAL_MS >= 0 && AG_CFG_DATA_INTERVAL_MS <= 86400000 &&
                   AG_CFG_DATA_BURST >= 1 && AG_CFG_DATA_BURST <= 255,
               "AG_CFG_DATA_* are out of range");

// Longest Window of one plug-in, bytes of JSON without white space. 16 to 1024. As above.
#ifndef AG_CFG_WINDOW_MAX
#define AG_CFG_WINDOW_MAX 128
#endif
_Static_assert(AG_CFG_WINDOW_MAX >= 16 && AG_CFG_WINDOW_MAX <= 1024,
               "AG_CFG_WINDOW_MAX is 16 to 1024");

// Longest topic of a received MQTT message that is told whole, bytes. 64 to 1024. Costs that many
// bytes in the session.
#ifndef AG_CFG_MQTT_TOPIC_MAX
#define AG_CFG_MQTT_TOPIC_MAX 256
#endif
_Static_assert(AG_CFG_MQTT_TOPIC_MAX >= 64 && AG_CFG_MQTT_TOPIC_MAX <= 1024,
               "AG_CFG_MQTT_TOPIC_MAX is 64 to 1024");

// Outgoing MQTT packets at once, waiting to be sent or acknowledged. 4 to 64. Costs 24 bytes each.
#ifndef AG_CFG_MQTT_QUEUE
#define AG_CFG_MQTT_QUEUE 8
#endif
_Static_assert(AG_CFG_MQTT_QUEUE >= 4 && AG_CFG_MQTT_QUEUE <= 64, "AG_CFG_MQTT_QUEUE is 4 to 64");

// Bytes of the MQTT send buffer that messages leave free, so that a CONNECT with its token always
// fits. 128 to 4096.
#ifndef AG_CFG_MQTT_RESERVE
#define AG_CFG_MQTT_RESERVE 768
#endif
_Static_assert(AG_CFG_MQTT_RESERVE >= 128 && AG_CFG_MQTT_RESERVE <= 4096,
               "AG_CFG_MQTT_RESERVE is 128 to 4096");

// Longest head of an HTTP response, bytes; more is refused. 1024 to 65535. Costs nothing.
#ifndef AG_CFG_HTTP_HEAD_MAX
#define AG_CFG_HTTP_HEAD_MAX 8192
#endif
_Static_assert(AG_CFG_HTTP_HEAD_MAX >= 1024 && AG_CFG_HTTP_HEAD_MAX <= 65535,
               "AG_CFG_HTTP_HEAD_MAX is 1024 to 65535");

// Longest ETag that is kept, bytes with its quotes. 32 to 96. A longer one counts as absent.
#ifndef AG_CFG_ETAG_MAX
#define AG_CFG_ETAG_MAX 64
#endif
_Static_assert(AG_CFG_ETAG_MAX >= 32 && AG_CFG_ETAG_MAX <= 96, "AG_CFG_ETAG_MAX is 32 to 96");

// Log lines in RAM, bytes for all sources together. 1200 to 65536. Costs as many bytes.
#ifndef AG_CFG_LOG_SIZE
#define AG_CFG_LOG_SIZE 2048
#endif
_Static_assert(AG_CFG_LOG_SIZE >= 1200 && AG_CFG_LOG_SIZE <= 65536,
               "AG_CFG_LOG_SIZE is 1200 to 65536");

// Longest text of a log line that is kept, bytes; the rest is cut off. 80 to 255.
#ifndef AG_CFG_LOG_LINE
#define AG_CFG_LOG_LINE 200
#endif
_Static_assert(AG_CFG_LOG_LINE >= 80 && AG_CFG_LOG_LINE <= 255, "AG_CFG_LOG_LINE is 80 to 255");

// Log lines on flash that a compaction of the journal keeps, bytes: of all sources together, 512 to
// 16384, and of each. On an image with a short journal it is less.
#ifndef AG_CFG_LOG_KEEP
#define AG_CFG_LOG_KEEP 8192
#endif
#ifndef AG_CFG_LOG_KEEP_EACH
#define AG_CFG_LOG_KEEP_EACH 2048
#endif
_Static_assert(AG_CFG_LOG_KEEP >= 512 && AG_CFG_LOG_KEEP <= 16384 && AG_CFG_LOG_KEEP_EACH >= 256 &&
                   AG_CFG_LOG_KEEP_EACH <= AG_CFG_LOG_KEEP,
               "AG_CFG_LOG_KEEP is 512 to 16384, AG_CFG_LOG_KEEP_EACH 256 to that");

// Bytes of log lines written to flash: at most so many a day, 4096 to 16777216, and so many at once
// that nothing was written for before, 1024 to 65536. More lines than that stay in RAM, and are
// lost with it. What it wears: README.md of src/store.
#ifndef AG_CFG_LOG_DAY
#define AG_CFG_LOG_DAY 65536
#endif
#ifndef AG_CFG_LOG_BURST
#define AG_CFG_LOG_BURST 4096
#endif
_Static_assert(AG_CFG_LOG_DAY >= 4096 && AG_CFG_LOG_DAY <= 16777216 && AG_CFG_LOG_BURST >= 1024 &&
                   AG_CFG_LOG_BURST <= 65536,
               "AG_CFG_LOG_DAY is 4096 to 16777216, AG_CFG_LOG_BURST 1024 to 65536");

// Capabilities one plug-in can require. 1 to 64. Costs 4 bytes each in parsed metadata.
#ifndef AG_CFG_CAPABILITY_MAX
#define AG_CFG_CAPABILITY_MAX 16
#endif
_Static_assert(AG_CFG_CAPABILITY_MAX >= 1 && AG_CFG_CAPABILITY_MAX <= 64,
               "AG_CFG_CAPABILITY_MAX is 1 to 64");

// Signers one plug-in file can carry. 1 to 16. Each costs up to 99 bytes of file head.
#ifndef AG_CFG_SIGNER_MAX
#define AG_CFG_SIGNER_MAX 8
#endif
_Static_assert(AG_CFG_SIGNER_MAX >= 1 && AG_CFG_SIGNER_MAX <= 16, "AG_CFG_SIGNER_MAX is 1 to 16");

// Largest trust store object, bytes. 1024 to 65536. Room for it is needed on flash, twice.
#ifndef AG_CFG_TRUST_SIZE_MAX
#define AG_CFG_TRUST_SIZE_MAX 16384
#endif
_Static_assert(AG_CFG_TRUST_SIZE_MAX >= 1024 && AG_CFG_TRUST_SIZE_MAX <= 65536,
               "AG_CFG_TRUST_SIZE_MAX is 1024 to 65536");

// Pins that plug-ins can hold, from number 0 on. 1 to 1024. Costs a byte each.
#ifndef AG_CFG_PIN_MAX
#define AG_CFG_PIN_MAX 64
#endif
_Static_assert(AG_CFG_PIN_MAX >= 1 && AG_CFG_PIN_MAX <= 1024, "AG_CFG_PIN_MAX is 1 to 1024");

// Settings that a schema refused: of how many plug-ins at once the host knows which one it was. 1
// to 255. Costs 44 bytes each.
#ifndef AG_CFG_FAULT_MAX
#define AG_CFG_FAULT_MAX AG_CFG_PLUGIN_MAX
#endif
_Static_assert(AG_CFG_FAULT_MAX >= 1 && AG_CFG_FAULT_MAX <= 255, "AG_CFG_FAULT_MAX is 1 to 255");

// Plug-ins' own reported properties: how many the host keeps for all of them together, 0 to 255;
// longest key, 1 to 64 bytes; longest text, 1 to 255 bytes. Costs the product.
#ifndef AG_CFG_PROPERTY_COUNT
#define AG_CFG_PROPERTY_COUNT 32
#endif
#ifndef AG_CFG_PROPERTY_KEY_MAX
#define AG_CFG_PROPERTY_KEY_MAX 32
#endif
#ifndef AG_CFG_PROPERTY_TEXT_MAX
#define AG_CFG_PROPERTY_TEXT_MAX 64
#endif
_Static_assert(AG_CFG_PROPERTY_COUNT >= 1 && AG_CFG_PROPERTY_COUNT <= 255 &&
                   AG_CFG_PROPERTY_KEY_MAX >= 1 && AG_CFG_PROPERTY_KEY_MAX <= 64 &&
                   AG_CFG_PROPERTY_TEXT_MAX >= 32 && AG_CFG_PROPERTY_TEXT_MAX <= 255,
               "AG_CFG_PROPERTY_* are out of range");

// RAM for telemetry that waits to be sent and acknowledged, bytes. 256 to 65536. The longest
// message is half of it.
#ifndef AG_CFG_TELEMETRY_SIZE
#define AG_CFG_TELEMETRY_SIZE 2048
#endif
_Static_assert(AG_CFG_TELEMETRY_SIZE >= 256 && AG_CFG_TELEMETRY_SIZE <= 65536,
               "AG_CFG_TELEMETRY_SIZE is 256 to 65536");

// RAM for what goes out over MQTT, bytes: a login, a report or a message at a time. 2048 to 65536.
#ifndef AG_CFG_LINK_SEND
#define AG_CFG_LINK_SEND 4096
#endif
_Static_assert(AG_CFG_LINK_SEND >= 2048 && AG_CFG_LINK_SEND <= 65536,
               "AG_CFG_LINK_SEND is 2048 to 65536");

// Direct methods: calls under way at once, 2 to 16; longest name, longest payload of a request and
// of a plug-in's answer, longest answer of the host's own, bytes. Costs about 200 bytes a call, and
// the payload twice and a half.
#ifndef AG_CFG_METHOD_MAX
#define AG_CFG_METHOD_MAX 4
#endif
#ifndef AG_CFG_METHOD_NAME_MAX
#define AG_CFG_METHOD_NAME_MAX 100
#endif
#ifndef AG_CFG_METHOD_PAYLOAD
#define AG_CFG_METHOD_PAYLOAD 1024
#endif
#ifndef AG_CFG_METHOD_ANSWER
#define AG_CFG_METHOD_ANSWER 2048
#endif
_Static_assert(AG_CFG_METHOD_MAX >= 2 && AG_CFG_METHOD_MAX <= 16 &&
                   AG_CFG_METHOD_NAME_MAX >= AG_CFG_NAME_MAX + 2 && AG_CFG_METHOD_NAME_MAX <= 128 &&
                   AG_CFG_METHOD_PAYLOAD >= 256 && AG_CFG_METHOD_ANSWER >= 512 &&
                   AG_CFG_METHOD_PAYLOAD + 512 + AG_CFG_MQTT_RESERVE <= AG_CFG_LINK_SEND &&
                   AG_CFG_METHOD_ANSWER + 512 + AG_CFG_MQTT_RESERVE <= AG_CFG_LINK_SEND,
               "AG_CFG_METHOD_* are out of range, or an answer does not fit AG_CFG_LINK_SEND");

// RAM for one read from a stream, bytes; also where a login is put together. 1024 to 65536.
#ifndef AG_CFG_LINK_READ
#define AG_CFG_LINK_READ 1536
#endif
_Static_assert(AG_CFG_LINK_READ >= 1024 && AG_CFG_LINK_READ <= 65536,
               "AG_CFG_LINK_READ is 1024 to 65536");

// Largest reported patch, bytes. 1024 to 32768. What does not fit goes into the next one.
#ifndef AG_CFG_REPORT_SIZE
#define AG_CFG_REPORT_SIZE 2048
#endif
_Static_assert(AG_CFG_REPORT_SIZE >= 1024 && AG_CFG_REPORT_SIZE + 512 <= AG_CFG_LINK_SEND,
               "AG_CFG_REPORT_SIZE is 1024 to AG_CFG_LINK_SEND - 512");

// RAM for one read of a download, bytes; also where its request is put together, URL included.
// AG_CFG_URL_MAX + 512 to 65536.
#ifndef AG_CFG_FETCH_BUFFER
#define AG_CFG_FETCH_BUFFER 2048
#endif
_Static_assert(AG_CFG_FETCH_BUFFER >= AG_CFG_URL_MAX + 512 && AG_CFG_FETCH_BUFFER <= 65536,
               "AG_CFG_FETCH_BUFFER is AG_CFG_URL_MAX + 512 to 65536");

// How often a download is recorded in the store, so that a reset loses no more of it: after so many
// new bytes (4096 to 1048576), but not before so many milliseconds have passed since the last time
// (0 to 600000). Smaller files are never recorded. Each record is one sync of the flash: what comes
// fast is not worth it.
#ifndef AG_CFG_FETCH_NOTE
#define AG_CFG_FETCH_NOTE 32768
#endif
#ifndef AG_CFG_FETCH_NOTE_MS
#define AG_CFG_FETCH_NOTE_MS 1000
#endif
_Static_assert(AG_CFG_FETCH_NOTE >= 4096 && AG_CFG_FETCH_NOTE <= 1048576 &&
                   AG_CFG_FETCH_NOTE_MS >= 0 && AG_CFG_FETCH_NOTE_MS <= 600000,
               "AG_CFG_FETCH_NOTE* are out of range");

// TLS records of boards without an operating system, bytes: the largest that is taken in, 4096 or
// 16384, and that is sent, 1024 to 16384. 4096 needs a server that honours the maximum fragment
// length extension (RFC 6066); public clouds may not. Each connection costs both, and 2.2 KB
// more.
#ifndef AG_CFG_TLS_IN
#define AG_CFG_TLS_IN 16384
#endif
#ifndef AG_CFG_TLS_OUT
#define AG_CFG_TLS_OUT 4096
#endif
_Static_assert(AG_CFG_TLS_IN >= 4096 && AG_CFG_TLS_IN <= 16384 && AG_CFG_TLS_OUT >= 1024 &&
                   AG_CFG_TLS_OUT <= 16384,
               "AG_CFG_TLS_IN is 4096 to 16384, AG_CFG_TLS_OUT 1024 to 16384");

// TLS connections at once: 2, or 1 for a board that leaves the hub while it fetches a file. With 1
// the port may give the same stream twice; the twin cannot ask for two then.
#ifndef AG_CFG_TLS_CONNECTIONS
#define AG_CFG_TLS_CONNECTIONS 2
#endif
_Static_assert(AG_CFG_TLS_CONNECTIONS == 1 || AG_CFG_TLS_CONNECTIONS == 2,
               "AG_CFG_TLS_CONNECTIONS is 1 or 2");

// Heap of TLS on such a board, bytes, a multiple of 8: 16384 to 131072. It holds the records of all
// connections, and what handshakes need for their time. Too little, and connecting fails with
// no_space. Measured with records of 16384 and 4096 bytes: one connection 24.8 KB with certificates
// of P-256 and 33.0 KB with Azure's (RSA of 2048 and 4096 bits), of which 22.7 KB stay; two
// handshakes at once 49.0 and 59.1 KB; 12.3 KB less for each with records of 4096 and 4096. Two
// connections of 4096 and 4096 have room for P-256, or for one of Azure's at a time.
#ifndef AG_CFG_TLS_HEAP
#define AG_CFG_TLS_HEAP                                                                            \
    (AG_CFG_TLS_CONNECTIONS * (AG_CFG_TLS_IN + AG_CFG_TLS_OUT) +                                   \
     (AG_CFG_TLS_IN < 16384 ? 14336 : 12288 + 4096 * AG_CFG_TLS_CONNECTIONS))
#endif
_Static_assert(AG_CFG_TLS_HEAP >= 16384 && AG_CFG_TLS_HEAP <= 131072 && AG_CFG_TLS_HEAP % 8 == 0,
               "AG_CFG_TLS_HEAP is 16384 to 131072, a multiple of 8");

// RAM of boards without an operating system for the host, the desired state and all plug-ins,
// bytes. 32768 to 1048576.
#ifndef AG_CFG_HOST_RAM
#define AG_CFG_HOST_RAM 39936
#endif
_Static_assert(AG_CFG_HOST_RAM >= 32768 && AG_CFG_HOST_RAM <= 1048576 && AG_CFG_HOST_RAM % 8 == 0,
               "AG_CFG_HOST_RAM is 32768 to 1048576");

// Of it, for URLs and settings of the desired state, bytes, taken twice. 1024 to 65536.
#ifndef AG_CFG_DESIRED_SIZE
#define AG_CFG_DESIRED_SIZE 2048
#endif
_Static_assert(AG_CFG_DESIRED_SIZE >= 1024 && AG_CFG_DESIRED_SIZE <= 65536,
               "AG_CFG_DESIRED_SIZE is 1024 to 65536");

// Wi-Fi: how many networks a device can know, 1 to 16, 8 bytes each; the bound of the first pause
// before networks are looked for again, and that of the longest, milliseconds, 100 to 3600000.
#ifndef AG_CFG_WIFI_KNOWN
#define AG_CFG_WIFI_KNOWN 4
#endif
#ifndef AG_CFG_WIFI_PAUSE_MS
#define AG_CFG_WIFI_PAUSE_MS 1000
#endif
#ifndef AG_CFG_WIFI_PAUSE_MAX_MS
#define AG_CFG_WIFI_PAUSE_MAX_MS 120000
#endif
_Static_assert(AG_CFG_WIFI_KNOWN >= 1 && AG_CFG_WIFI_KNOWN <= 16 && AG_CFG_WIFI_PAUSE_MS >= 100 &&
                   AG_CFG_WIFI_PAUSE_MAX_MS >= AG_CFG_WIFI_PAUSE_MS &&
                   AG_CFG_WIFI_PAUSE_MAX_MS <= 3600000,
               "AG_CFG_WIFI_* are out of range");

// The engine's accumulator: 0 or 1. The result of an instruction stays in a register of the
// processor for the next one, and frequent pairs run under one number. Costs 73 KB of code on
// x86-64 (93 instead of 20) and saves a quarter of the time. Translated code differs, so an image
// of the other kind is stale.
#ifndef AG_CFG_WASM_ACCUMULATOR
#define AG_CFG_WASM_ACCUMULATOR __STDC_HOSTED__
#endif

// Fuel: 1, or 0 for an engine that cannot stop a run. Only for measuring what metering costs.
#ifndef AG_CFG_WASM_METERING
#define AG_CFG_WASM_METERING 1
#endif

// CRC-32 by eight bytes at a time: 0 or 1. Costs 8 KB of constants and saves nine tenths of the
// time: on Linux it was a fifth of the work of an install of 100 KB.
#ifndef AG_CFG_CRC32_FAST
#define AG_CFG_CRC32_FAST 0
#endif

// Floating point in the engine: 0 or 1. Without it the instructions on f32 and f64 are refused when
// a module is translated, and the interpreter needs no soft-float library. 0 saves 4.7 KB of code.
#ifndef AG_CFG_WASM_FLOAT
#define AG_CFG_WASM_FLOAT 1
#endif
_Static_assert(AG_CFG_WASM_FLOAT == 0 || AG_CFG_WASM_FLOAT == 1, "AG_CFG_WASM_FLOAT is 0 or 1");

// Units of 16 bits in the window that translated code leaves through. 256 to 1024. Costs two bytes
// of translation scratch each. A forward branch over more than about half of it takes a detour.
#ifndef AG_CFG_WASM_WINDOW
#define AG_CFG_WASM_WINDOW 512
#endif
_Static_assert(AG_CFG_WASM_WINDOW >= 256 && AG_CFG_WASM_WINDOW <= 1024,
               "AG_CFG_WASM_WINDOW is 256 to 1024");

// The engine's translator: 0 or 1. Without it translated code must be brought to the device; to
// translate and to find the place of a trap is not supported. 0 saves 16.6 KB of code.
#ifndef AG_CFG_WASM_TRANSLATOR
#define AG_CFG_WASM_TRANSLATOR 1
#endif
_Static_assert(AG_CFG_WASM_TRANSLATOR == 0 || AG_CFG_WASM_TRANSLATOR == 1,
               "AG_CFG_WASM_TRANSLATOR is 0 or 1");

#endif
