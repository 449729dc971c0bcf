// SPDX-License-Identifier: Apache-2.0
// "settings" in plugin.json: a small subset of JSON Schema, to and from its compact form in a file
// (FORMATS.md 1.6).
#ifndef AG_CLI_BUILD_SETTINGS_SCHEMA_H
#define AG_CLI_BUILD_SETTINGS_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/buffer.h"

// Largest compact form, bytes: it shares the metadata section with all else.
#define AG_SETTINGS_SCHEMA_MAX 300u

// Appends the compact form. Prints what is wrong with `schema`, in `path`, and returns false.
bool ag_settings_schema_compile(const char *path, json_t *schema, struct ag_buffer *out);

// The schema as JSON Schema again, without what a device has no use for. The caller's. The bytes
// are a schema that was checked.
json_t *ag_settings_schema_json(const uint8_t *bytes, size_t size);

#endif
