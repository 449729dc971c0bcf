// SPDX-License-Identifier: Apache-2.0
// The hub's private certificate authority and its server certificate.
#include "pki.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "encoding.h"
#include "hub_log.h"
#include "memory.h"

#define DAY_S       86400L
#define CA_DAYS     7300
#define SERVER_DAYS 365
#define RENEW_DAYS  30

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static enum ag_status fail(const char *what)
{
    char reason[160];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    ag_hub_log_write(AG_HUB_LOG_ERROR, "certificates: %s: %s", what, reason);
    return AG_ERR_IO;
}

static void clear(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
    identity->key = NULL;
    identity->certificate = NULL;
}

// A new file that only its owner can read, put in place of an older one when it is complete.
static bool write_pem(const char *folder, const char *name, const struct identity *identity,
                      bool key)
{
    char *path = ag_memory_format("%s/%s", folder, name);
    char *fresh = ag_memory_format("%s/%s.new", folder, name);
    (void)unlink(fresh);
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, key ? 0600 : 0644);
    FILE *stream = file < 0 ? NULL : fdopen(file, "w");
    bool done = stream != NULL;
    if (done && key)
        done = PEM_write_PrivateKey(stream, identity->key, NULL, NULL, 0, NULL, NULL) == 1;
    if (done && !key)
        done = PEM_write_X509(stream, identity->certificate) == 1;
    if (stream != NULL) {
        done = fflush(stream) == 0 && fsync(fileno(stream)) == 0 && done;
        done = fclose(stream) == 0 && done;
    }
    done = done && rename(fresh, path) == 0;
    if (!done)
        ag_hub_log_write(AG_HUB_LOG_ERROR, "certificates: cannot write %s", path);
    free(fresh);
    free(path);
    return done;
}

// Reads NAME.key and NAME.pem; false when one is missing, broken, or they do not belong together.
static bool read_identity(const char *folder, const char *name, struct identity *identity)
{
    char *key_path = ag_memory_format("%s/%s.key", folder, name);
    char *certificate_path = ag_memory_format("%s/%s.pem", folder, name);
    FILE *key = fopen(key_path, "re");
    FILE *certificate = fopen(certificate_path, "re");
    if (key != NULL)
        identity->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
    if (certificate != NULL)
        identity->certificate = PEM_read_X509(certificate, NULL, NULL, NULL);
    bool good = identity->key != NULL && identity->certificate != NULL &&
                X509_check_private_key(identity->certificate, identity->key) == 1;
    if (!good)
        clear(identity);
    if (certificate != NULL)
        fclose(certificate);
    if (key != NULL)
        fclose(key);
    free(certificate_path);
    free(key_path);
    return good;
}

static bool add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

// A key and a certificate without extensions and signature. Begins a day ago, for clocks differ.
static bool begin_identity(struct identity *identity, const char *common_name, int days)
{
    unsigned char serial[16];
    identity->key = EVP_EC_gen("P-256");
    identity->certificate = X509_new();
    if (identity->key == NULL || identity->certificate == NULL || RAND_bytes(serial, 16) != 1)
        return false;
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    X509_NAME *name = X509_get_subject_name(identity->certificate);
    bool done = number != NULL && X509_set_version(identity->certificate, X509_VERSION_3) == 1 &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(identity->certificate)) != NULL &&
                X509_gmtime_adj(X509_getm_notBefore(identity->certificate), -DAY_S) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(identity->certificate), days * DAY_S) != NULL &&
                X509_set_pubkey(identity->certificate, identity->key) == 1 &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)common_name, -1, -1, 0) == 1;
    BN_free(number);
    return done;
}

static bool make_ca(struct identity *ca)
{
    char name[40] = "airgraft hub CA ";
    ag_encoding_new_hex(4, name + strlen(name));
    return begin_identity(ca, name, CA_DAYS) &&
           X509_set_issuer_name(ca->certificate, X509_get_subject_name(ca->certificate)) == 1 &&
           add_extension(ca->certificate, ca->certificate, NID_basic_constraints,
                         "critical,CA:TRUE,pathlen:0") &&
           add_extension(ca->certificate, ca->certificate, NID_key_usage,
                         "critical,keyCertSign,cRLSign") &&
           add_extension(ca->certificate, ca->certificate, NID_subject_key_identifier, "hash") &&
           X509_sign(ca->certificate, ca->key, EVP_sha256()) > 0;
}

static bool is_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

// A name goes into OpenSSL's small configuration language: only what host names consist of.
static bool name_is_plain(const char *name)
{
    return name[0] != '\0' && strlen(name) < 254 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:_") ==
               strlen(name);
}

static bool make_server(struct identity *server, const struct identity *ca, const char *host_name,
                        const char *address)
{
    if (!name_is_plain(host_name) || (address != NULL && !name_is_plain(address)))
        return false;
    char *extra = address == NULL
                      ? ag_memory_text("", 0)
                      : ag_memory_format(",%s:%s", is_address(address) ? "IP" : "DNS", address);
    char *names = ag_memory_format("%s:%s,DNS:localhost,IP:127.0.0.1,IP:::1%s",
                                   is_address(host_name) ? "IP" : "DNS", host_name, extra);
    bool done =
        begin_identity(server, strlen(host_name) <= 64 ? host_name : "airgraft hub", SERVER_DAYS) &&
        X509_set_issuer_name(server->certificate, X509_get_subject_name(ca->certificate)) == 1 &&
        add_extension(server->certificate, ca->certificate, NID_basic_constraints,
                      "critical,CA:FALSE") &&
        add_extension(server->certificate, ca->certificate, NID_key_usage,
                      "critical,digitalSignature") &&
        add_extension(server->certificate, ca->certificate, NID_ext_key_usage, "serverAuth") &&
        add_extension(server->certificate, ca->certificate, NID_subject_key_identifier, "hash") &&
        add_extension(server->certificate, ca->certificate, NID_authority_key_identifier,
                      "keyid") &&
        add_extension(server->certificate, ca->certificate, NID_subject_alt_name, names) &&
        X509_sign(server->certificate, ca->key, EVP_sha256()) > 0;
    free(names);
    free(extra);
    return done;
}

static bool names(X509 *certificate, const char *name)
{
    return name == NULL || (is_address(name) ? X509_check_ip_asc(certificate, name, 0) == 1
                                             : X509_check_host(certificate, name, 0, 0, NULL) == 1);
}

// True when the certificate on disk can be used as it is.
static bool server_is_good(X509 *certificate, const struct identity *ca, const char *host_name,
                           const char *address)
{
    time_t soon = time(NULL) + RENEW_DAYS * DAY_S;
    return X509_verify(certificate, ca->key) == 1 &&
           X509_cmp_time(X509_get0_notAfter(certificate), &soon) > 0 &&
           names(certificate, host_name) && names(certificate, address);
}

static bool file_exists(const char *folder, const char *name)
{
    char *path = ag_memory_format("%s/%s", folder, name);
    bool exists = access(path, F_OK) == 0;
    free(path);
    return exists;
}

static enum ag_status prepare_ca(const char *folder, struct identity *ca, bool *made_ca)
{
    *made_ca = false;
    if (read_identity(folder, "ca", ca))
        return AG_OK;
    // Never replace a CA that clients may trust already, for a mere error of reading.
    if (file_exists(folder, "ca.pem"))
        return fail("ca.key or ca.pem is damaged; move both away to make new ones");
    if (!make_ca(ca))
        return fail("cannot make the certificate authority");
    *made_ca = true;
    return write_pem(folder, "ca.key", ca, true) && write_pem(folder, "ca.pem", ca, false)
               ? AG_OK
               : AG_ERR_IO;
}

static enum ag_status prepare_server(const char *folder, const struct identity *ca,
                                     const char *host_name, const char *address)
{
    struct identity server = { NULL, NULL };
    enum ag_status status = AG_OK;
    bool good = read_identity(folder, "server", &server) &&
                server_is_good(server.certificate, ca, host_name, address);
    ERR_clear_error();
    if (!good) {
        clear(&server);
        if (!make_server(&server, ca, host_name, address))
            status = fail("cannot make the server certificate");
        else if (!write_pem(folder, "server.key", &server, true) ||
                 !write_pem(folder, "server.pem", &server, false))
            status = AG_ERR_IO;
    }
    clear(&server);
    return status;
}

enum ag_status ag_pki_prepare(const char *folder, const char *host_name, const char *address,
                              bool *made_ca)
{
    struct identity ca = { NULL, NULL };
    enum ag_status status = prepare_ca(folder, &ca, made_ca);
    if (status == AG_OK)
        status = prepare_server(folder, &ca, host_name, address);
    clear(&ca);
    return status;
}
