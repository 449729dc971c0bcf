// SPDX-License-Identifier: Apache-2.0
// Texts with a NUL for what src/base codes: base64, percent-encoding; times, HMAC-SHA256, random.
#ifndef AG_HUB_ENCODING_H
#define AG_HUB_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AG_ENCODING_SHA256    32
#define AG_ENCODING_KEY_MAX   64 // bytes of a decoded symmetric key, by Azure's rule 16 to 64
#define AG_ENCODING_KEY_TEXT  89 // base64 of the longest key, with NUL
#define AG_ENCODING_TIME_TEXT 32 // any of the times below, with NUL

// Base64 with padding; `text` must hold 4 * ((size + 2) / 3) + 1 bytes.
void ag_encoding_base64(const void *bytes, size_t size, char *text);

// False, with `bytes` undefined, unless `text` is canonical padded base64 of at most `capacity`
// bytes.
bool ag_encoding_unbase64(const char *text, size_t length, uint8_t *bytes, size_t capacity,
                          size_t *size);

// Decodes %XX into `text` (at most `capacity` bytes with NUL). False for a broken escape, an
// encoded NUL, or too little room. A plus sign stays a plus sign.
bool ag_encoding_percent_decode(const char *encoded, size_t length, char *text, size_t capacity);

// HMAC-SHA256 under a base64 key; false when the key is not base64 of 1 to 64 bytes.
bool ag_encoding_hmac(const char *key, const void *bytes, size_t size,
                      uint8_t mac[AG_ENCODING_SHA256]);

// True when `text` is base64 of 16 to 64 bytes: a key that Azure accepts.
bool ag_encoding_key_is_good(const char *text);

// A new random key of 32 bytes, as base64.
void ag_encoding_new_key(char key[AG_ENCODING_KEY_TEXT]);

// `count` random bytes as lower-case hex with NUL: 2 * count + 1 bytes.
void ag_encoding_new_hex(size_t count, char *text);

// Milliseconds since 1970 as 2026-11-22T19:40:34.123Z, and as HTTP's Sun, 22 Nov 2026 19:40:34 GMT.
void ag_encoding_iso_time(int64_t ms, char text[AG_ENCODING_TIME_TEXT]);
void ag_encoding_http_time(int64_t ms, char text[AG_ENCODING_TIME_TEXT]);

// Reads YYYY-MM-DD, YYYY-MM-DDThh:mmZ or YYYY-MM-DDThh:mm:ss[.fraction]Z as seconds since 1970.
bool ag_encoding_parse_iso_time(const char *text, int64_t *seconds);

#endif
