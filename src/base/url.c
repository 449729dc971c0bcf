// SPDX-License-Identifier: Apache-2.0
// URL parser: cut at the delimiters first, then judge each part by its own alphabet.
#include "base/url.h"

#include <string.h>

#define SCHEME "https://"

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static char to_lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

static bool is_name_character(char character)
{
    return is_digit(character) || (to_lower(character) >= 'a' && to_lower(character) <= 'z') ||
           character == '-' || character == '_' || character == '.';
}

// The scope of a link-local address is of no use here.
static bool is_ipv6_character(char character)
{
    return is_digit(character) || (to_lower(character) >= 'a' && to_lower(character) <= 'f') ||
           character == ':' || character == '.';
}

static bool is_printable(struct ag_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] <= ' ' || text.at[i] >= 0x7F)
            return false;
    }
    return true;
}

static bool starts_with_scheme(struct ag_text text)
{
    if (text.size < strlen(SCHEME))
        return false;
    for (size_t i = 0; i < strlen(SCHEME); i++) {
        if (to_lower(text.at[i]) != SCHEME[i])
            return false;
    }
    return true;
}

// Cuts the part before the first of `/ ? #` from *rest, which keeps the delimiter.
static struct ag_text cut_authority(struct ag_text *rest)
{
    struct ag_text authority = *rest;
    size_t size = 0;
    while (size < rest->size && !strchr("/?#", rest->at[size]))
        size++;
    authority.size = size;
    *rest = ag_text_after(*rest, size);
    return authority;
}

// An empty label, as in `a..b`, cannot be resolved and only serves to confuse.
static bool host_is_sound(struct ag_text host, bool is_ipv6)
{
    if (host.size == 0 || (!is_ipv6 && (host.at[0] == '.' || host.at[0] == '-')))
        return false;
    for (size_t i = 0; i < host.size; i++) {
        if (is_ipv6 ? !is_ipv6_character(host.at[i]) : !is_name_character(host.at[i]))
            return false;
        if (!is_ipv6 && i > 0 && host.at[i] == '.' && host.at[i - 1] == '.')
            return false;
    }
    return !is_ipv6 || memchr(host.at, ':', host.size) != NULL;
}

// Splits `host`, `host:port`, `[v6]` or `[v6]:port`; *port is empty when absent. False when the
// brackets are broken.
static bool split_authority(struct ag_text authority, struct ag_text *host, struct ag_text *port,
                            bool *is_ipv6)
{
    *is_ipv6 = authority.size > 0 && authority.at[0] == '[';
    if (!*is_ipv6) {
        *host = ag_text_split(&authority, ':');
        *port = authority;
        return true;
    }
    authority = ag_text_after(authority, 1);
    *host = ag_text_split(&authority, ']');
    if (!authority.at)
        return false;
    *port = ag_text_after(authority, 1);
    return authority.size == 0 || authority.at[0] == ':';
}

enum ag_status ag_url_parse(struct ag_text text, struct ag_url *url)
{
    if (text.size > AG_CFG_URL_MAX)
        return AG_ERR_NO_SPACE;
    if (!is_printable(text) || !starts_with_scheme(text))
        return AG_ERR_MALFORMED;
    struct ag_text rest = ag_text_after(text, strlen(SCHEME));
    struct ag_text host;
    struct ag_text port;
    if (!split_authority(cut_authority(&rest), &host, &port, &url->is_ipv6) ||
        !host_is_sound(host, url->is_ipv6))
        return AG_ERR_MALFORMED;
    if (host.size > AG_CFG_HOST_MAX)
        return AG_ERR_NO_SPACE;
    uint64_t number = 443;
    if (port.size > 0 && (!ag_text_decimal(port, UINT16_MAX, &number) || number == 0))
        return AG_ERR_MALFORMED;
    for (size_t i = 0; i < host.size; i++)
        url->host[i] = to_lower(host.at[i]);
    url->host[host.size] = 0;
    url->port = (uint16_t)number;
    url->target = ag_text_split(&rest, '#');
    return AG_OK;
}

bool ag_url_same_host(const struct ag_url *a, const struct ag_url *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}
