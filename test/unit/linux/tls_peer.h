// SPDX-License-Identifier: Apache-2.0
// A TLS server in a thread, with certificates made on the spot, that behaves as a test needs it.
#ifndef TEST_TLS_PEER_H
#define TEST_TLS_PEER_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_identity {
    X509 *certificate;
    EVP_PKEY *key;
};

struct tls_identity_options {
    const char *name; // common name
    const char *san;  // subjectAltName in OpenSSL's notation ("DNS:localhost,IP:::1"); NULL: none
    const char *key;  // "P-384", or "RSA:2048" for its bits; NULL: P-256
    bool is_sha384;   // the issuer signs with SHA-384
    bool is_ca;
    const struct tls_identity *issuer; // NULL: signs itself
    long not_before_s, not_after_s;    // relative to now
};

struct tls_identity tls_identity_make(const struct tls_identity_options *options);
void tls_identity_free(struct tls_identity *identity);
// The certificate in DER; free() it.
uint8_t *tls_identity_der(const struct tls_identity *identity, size_t *size);

enum tls_peer_behaviour {
    TLS_PEER_ECHO,        // sends back what it reads until the client closes
    TLS_PEER_SEND,        // sends `amount` patterned bytes in odd pieces, then closes in order
    TLS_PEER_RECEIVE,     // reads `amount` patterned bytes, counts the right ones, answers "!"
    TLS_PEER_CUT,         // sends `amount` bytes, then ends TCP without saying goodbye in TLS
    TLS_PEER_RESET,       // sends `amount` bytes, then resets TCP
    TLS_PEER_SILENT,      // accepts TCP and never says anything
    TLS_PEER_NOT_TLS,     // answers in plain text
    TLS_PEER_HANG_UP,     // closes TCP at once
    TLS_PEER_RENEGOTIATE, // asks for another handshake, then as ECHO
};

struct tls_peer {
    enum tls_peer_behaviour behaviour;
    const struct tls_identity *identity;
    const struct tls_identity *intermediate; // sent along; NULL: none
    const struct tls_identity *more;         // sent after it, `more_count` of them
    size_t more_count;
    int max_version;           // TLS1_1_VERSION …; 0: the newest
    int max_fragment;          // bytes of a record, 512 to 16384; 0: the most
    bool asks_for_certificate; // and goes on without one
    bool has_no_tickets;
    size_t amount;
    bool on_ipv6;

    uint16_t port; // set by start
    int listener;
    pthread_t thread;
    atomic_bool stops;
    atomic_size_t right_bytes;
    atomic_uint handshake_count;
    atomic_uint resumed_count;
};

uint8_t tls_peer_pattern(size_t offset);
// Returns false when the address family is not there.
bool tls_peer_start(struct tls_peer *peer);
void tls_peer_stop(struct tls_peer *peer);

#endif
