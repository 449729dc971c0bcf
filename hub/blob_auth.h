// SPDX-License-Identifier: Apache-2.0
// Who may touch a blob: service SAS in the query, or the account's shared key in the header.
#ifndef AG_HUB_BLOB_AUTH_H
#define AG_HUB_BLOB_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#define AG_BLOB_ACCOUNT "airgraft"

// The parameters of a service SAS, decoded; NULL where absent.
struct ag_blob_sas {
    const char *permissions;      // sp
    const char *start;            // st
    const char *expiry;           // se
    const char *identifier;       // si
    const char *address;          // sip
    const char *protocol;         // spr
    const char *version;          // sv
    const char *resource;         // sr
    const char *encryption_scope; // ses
    const char *overrides[5];     // rscc rscd rsce rscl rsct
    const char *signature;        // sig
};

enum ag_blob_sas_verdict {
    AG_BLOB_SAS_GOOD,
    AG_BLOB_SAS_MALFORMED, // a parameter is missing, broken, or of a kind not offered here
    AG_BLOB_SAS_FORGED,    // the signature is not that of these parameters
    AG_BLOB_SAS_EARLY,     // before st
    AG_BLOB_SAS_EXPIRED,
    AG_BLOB_SAS_PROTOCOL,
    AG_BLOB_SAS_ADDRESS,
};

void ag_blob_auth_read_sas(const struct evkeyvalq *query, struct ag_blob_sas *sas);

// What a SAS is asked to open.
struct ag_blob_resource {
    const char *account;
    const char *key; // of the account, base64
    const char *container;
    const char *blob; // NULL: the container itself
};

// The 16 lines (15 before version 2020-12-06) that are signed for the resource, or when sr is `c`
// for its container; NULL for versions before 2018-11-09. The caller's.
char *ag_blob_auth_string_to_sign(const struct ag_blob_sas *sas,
                                  const struct ag_blob_resource *resource);

// Judges everything but the permissions; `peer` is the client's address as text.
enum ag_blob_sas_verdict ag_blob_auth_judge_sas(const struct ag_blob_sas *sas,
                                                const struct ag_blob_resource *resource,
                                                const char *peer, int64_t now_s);

// True when the Authorization header is `SharedKey ACCOUNT:S` with S the key's signature of the
// request's canonical form.
bool ag_blob_auth_shared_key(struct evhttp_request *request, const char *method, const char *path,
                             const struct evkeyvalq *query, const char *account, const char *key);

#endif
