// SPDX-License-Identifier: Apache-2.0
// Keys and plug-in files for tests.
#ifndef AG_TEST_PLUGIN_FIXTURE_H
#define AG_TEST_PLUGIN_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/buffer.h"
#include "cli/keyfile.h"
#include "plugin/metadata.h"

// A key pair that is the same in every run. Released by ag_keyfile_close.
struct ag_keyfile fixture_key(uint8_t seed);

// Metadata of a plug-in as `airgraft build` makes it: "blinky", version 10, needing gpio.
struct ag_plugin_metadata fixture_metadata(void);

// Standard sections of a small module with initialize and execute.
extern const uint8_t fixture_sections[];
extern const size_t fixture_sections_size;

// Appends an unsigned plug-in file around the given metadata payload and sections.
void fixture_unsigned(struct ag_buffer *out, const void *metadata, size_t metadata_size,
                      const void *sections, size_t sections_size);

// Appends an unsigned file with fixture_metadata and fixture_sections.
void fixture_plain(struct ag_buffer *out);

// Replaces the file in the buffer by one with a signer more. Ends the test if it cannot be signed.
void fixture_sign(struct ag_buffer *file, const struct ag_keyfile *key);

// Replaces the file by one whose signature section has the given payload; no check of anything.
void fixture_replace_signature(struct ag_buffer *file, const void *payload, size_t size);

#endif
