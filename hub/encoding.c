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

#include "base/base64.h"
#include "base/percent.h"

void ag_encoding_base64(const void *bytes, size_t size, char *text)
{
    struct ag_writer writer;
    ag_writer_init(&writer, text, AG_BASE64_SIZE(size) + 1);
    ag_base64_encode(&writer, bytes, size);
    (void)ag_writer_finish_text(&writer);
}

bool ag_encoding_unbase64(const char *text, size_t length, uint8_t *bytes, size_t capacity,
                          size_t *size)
{
    return ag_base64_decode((struct ag_text){ text, length }, bytes, capacity, size) == AG_OK;
}

bool ag_encoding_percent_decode(const char *encoded, size_t length, char *text, size_t capacity)
{
    struct ag_writer writer;
    ag_writer_init(&writer, text, capacity);
    if (ag_percent_decode(&writer, (struct ag_text){ encoded, length }) != AG_OK)
        return false;
    (void)ag_writer_finish_text(&writer);
    return writer.status == AG_OK && memchr(text, '\0', writer.size) == NULL;
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
