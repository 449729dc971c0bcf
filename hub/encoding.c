// SPDX-License-Identifier: Apache-2.0
// Text forms of bytes, names and times.
#include "encoding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ag_encoding_base64(const void *bytes, size_t size, char *text)
{
    const uint8_t *in = bytes;
    while (size > 0) {
        uint32_t group = (uint32_t)in[0] << 16;
        if (size > 1)
            group |= (uint32_t)in[1] << 8;
        if (size > 2)
            group |= in[2];
        *text++ = alphabet[group >> 18];
        *text++ = alphabet[group >> 12 & 63];
        *text++ = size > 1 ? alphabet[group >> 6 & 63] : '=';
        *text++ = size > 2 ? alphabet[group & 63] : '=';
        size_t taken = size < 3 ? size : 3;
        in += taken;
        size -= taken;
    }
    *text = '\0';
}

static int digit_of(char letter)
{
    const char *at = letter == '\0' ? NULL : strchr(alphabet, letter);
    return at == NULL ? -1 : (int)(at - alphabet);
}

// One group of four characters into `bytes`; the number of bytes, or 0 when it is malformed.
static size_t decode_group(const char *text, bool is_last, uint8_t bytes[3])
{
    size_t count = 3;
    if (is_last && text[3] == '=')
        count = text[2] == '=' ? 1 : 2;
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i <= count ? digit_of(text[i]) : 0;
        if (digit < 0)
            return 0;
        group = group << 6 | (uint32_t)digit;
    }
    if ((count == 1 && (group & 0xffff) != 0) || (count == 2 && (group & 0xff) != 0))
        return 0; // bits that no encoder writes
    bytes[0] = (uint8_t)(group >> 16);
    bytes[1] = (uint8_t)(group >> 8);
    bytes[2] = (uint8_t)group;
    return count;
}

bool ag_encoding_unbase64(const char *text, size_t length, uint8_t *bytes, size_t capacity,
                          size_t *size)
{
    if (length % 4 != 0 || length / 4 * 3 > capacity + 2)
        return false;
    size_t written = 0;
    for (size_t at = 0; at < length; at += 4) {
        uint8_t group[3];
        size_t count = decode_group(text + at, at + 4 == length, group);
        if (count == 0 || count > capacity - written)
            return false;
        memcpy(bytes + written, group, count);
        written += count;
    }
    *size = written;
    return true;
}

static int hex_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F')
        return letter - 'A' + 10;
    return -1;
}

bool ag_encoding_percent_decode(const char *encoded, size_t length, char *text, size_t capacity)
{
    size_t written = 0;
    for (size_t at = 0; at < length; at++) {
        char letter = encoded[at];
        if (letter == '%') {
            if (length - at < 3)
                return false;
            int high = hex_of(encoded[at + 1]);
            int low = hex_of(encoded[at + 2]);
            if (high < 0 || low < 0)
                return false;
            letter = (char)(high << 4 | low);
            at += 2;
        }
        if (letter == '\0' || capacity - written < 2)
            return false;
        text[written++] = letter;
    }
    if (capacity == 0)
        return false;
    text[written] = '\0';
    return true;
}

static bool is_unreserved(char letter)
{
    return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= 'a' && letter <= 'z') || strchr("-._~", letter) != NULL;
}

void ag_encoding_percent_encode(const char *text, char *encoded)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text)) {
            *encoded++ = *text;
            continue;
        }
        *encoded++ = '%';
        *encoded++ = digits[(uint8_t)*text >> 4];
        *encoded++ = digits[(uint8_t)*text & 15];
    }
    *encoded = '\0';
}

bool ag_encoding_hmac(const char *key, const void *bytes, size_t size,
                      uint8_t mac[AG_ENCODING_SHA256])
{
    uint8_t secret[AG_ENCODING_KEY_MAX];
    size_t secret_size;
    if (!ag_encoding_unbase64(key, strlen(key), secret, sizeof secret, &secret_size) ||
        secret_size == 0)
        return false;
    bool done = HMAC(EVP_sha256(), secret, (int)secret_size, bytes, size, mac, NULL) != NULL;
    OPENSSL_cleanse(secret, sizeof secret);
    return done;
}

bool ag_encoding_key_is_good(const char *text)
{
    uint8_t secret[AG_ENCODING_KEY_MAX];
    size_t size;
    bool good =
        ag_encoding_unbase64(text, strlen(text), secret, sizeof secret, &size) && size >= 16;
    OPENSSL_cleanse(secret, sizeof secret);
    return good;
}

static void random_bytes(uint8_t *bytes, size_t size)
{
    if (RAND_bytes(bytes, (int)size) == 1)
        return;
    fputs("airgraft-hub: the system has no random numbers\n", stderr);
    abort();
}

void ag_encoding_new_key(char key[AG_ENCODING_KEY_TEXT])
{
    uint8_t secret[32];
    random_bytes(secret, sizeof secret);
    ag_encoding_base64(secret, sizeof secret, key);
    OPENSSL_cleanse(secret, sizeof secret);
}

void ag_encoding_new_hex(size_t count, char *text)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t byte;
        random_bytes(&byte, 1);
        sprintf(text + 2 * i, "%02x", byte);
    }
}

void ag_encoding_iso_time(int64_t ms, char text[AG_ENCODING_TIME_TEXT])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t size = strftime(text, AG_ENCODING_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + size, AG_ENCODING_TIME_TEXT - size, ".%03dZ", (int)(ms % 1000));
}

void ag_encoding_http_time(int64_t ms, char text[AG_ENCODING_TIME_TEXT])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, AG_ENCODING_TIME_TEXT, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

bool ag_encoding_parse_iso_time(const char *text, int64_t *seconds)
{
    static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm parts = { 0 };
        const char *rest = strptime(text, forms[i], &parts);
        if (rest == NULL)
            continue;
        if (i == 0 && *rest == '.')
            rest += 1 + strspn(rest + 1, "0123456789");
        if (strcmp(rest, i == 2 ? "" : "Z") != 0)
            continue;
        *seconds = (int64_t)timegm(&parts);
        return true;
    }
    return false;
}
