// SPDX-License-Identifier: Apache-2.0
// Verification of shared access signatures: `SharedAccessSignature sr=R&sig=S&se=E[&skn=P]`.
//
// The signature covers R exactly as it stands in the token, in whichever escaping the client
// chose; only afterwards is R decoded and compared with what is asked for.
#ifndef AG_HUB_SAS_VERIFY_H
#define AG_HUB_SAS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ag_sas_token {
    char resource[512];    // R, verbatim
    uint8_t signature[32]; // S, decoded
    char expiry_text[16];  // E, verbatim
    int64_t expiry_s;      // E, seconds since 1970
    char policy[65];       // P; empty when absent
};

// Takes the fields in any order. False for anything missing, repeated, unknown, too long or broken.
bool ag_sas_verify_parse(const char *text, size_t size, struct ag_sas_token *token);

// True when the token was signed with this base64 key.
bool ag_sas_verify_signed_by(const struct ag_sas_token *token, const char *key);

// True when the decoded R equals `path` or names whole leading segments of it: `HOST` and
// `HOST/devices` cover `HOST/devices/DEV`. The first segment, a host name or an id scope, is
// compared without regard to case, the others exactly.
bool ag_sas_verify_covers(const struct ag_sas_token *token, const char *path);

#endif
