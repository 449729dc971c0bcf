// SPDX-License-Identifier: Apache-2.0
// The hub's private certificate authority and its server certificate, made at the first start.
//
// Files in the data folder: ca.key, ca.pem, server.key, server.pem; keys are readable only by their
// owner. The CA lasts 20 years. The server certificate lasts a year and is made anew at a start
// when it ends within 30 days or does not name the host.
#ifndef AG_HUB_PKI_H
#define AG_HUB_PKI_H

#include <stdbool.h>

#include "base/status.h"

// Makes what is missing. Names in the certificate: `host_name` and `address` (each a DNS name or an
// IP address; `address` may be NULL), localhost, 127.0.0.1, ::1. `made_ca` says that a new CA must
// be trusted. AG_ERR_IO with a line in the log when a file cannot be written or is damaged.
AG_MUST_CHECK enum ag_status ag_pki_prepare(const char *folder, const char *host_name,
                                            const char *address, bool *made_ca);

#endif
