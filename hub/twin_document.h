// SPDX-License-Identifier: Apache-2.0
// What a twin may hold and how it changes: limits, merge (RFC 7396), metadata. Pure functions on
// JSON.
//
// A twin section (tags, desired, reported) is kept without `$version` and `$metadata`. Metadata is
// a tree beside the section: every object node and every value has `$lastUpdated`, in desired also
// `$lastUpdatedVersion`; inside arrays there is none.
#ifndef AG_HUB_TWIN_DOCUMENT_H
#define AG_HUB_TWIN_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "problem.h"

#define AG_TWIN_PROPERTIES_MAX 32768 // bytes of desired or reported, by the count of `..._size`
#define AG_TWIN_TAGS_MAX       8192
#define AG_TWIN_DEPTH_MAX      10 // objects and arrays below the root

// Parses JSON of a request strictly: one object, no NUL in texts, nothing behind it. NULL, with the
// problem set, for anything else. The result is the caller's.
json_t *ag_twin_document_parse(const char *bytes, size_t size, struct ag_problem *problem);

// Removes `$version` and `$metadata` from the root of a patch: clients send them back as read.
void ag_twin_document_strip(json_t *patch);

// True when every key, text, number, array and the depth of a patch is within Azure's limits.
bool ag_twin_document_check(const json_t *patch, struct ag_problem *problem);

// Size as Azure counts: keys and texts in UTF-8 bytes, numbers 8, booleans 4.
size_t ag_twin_document_size(const json_t *section);

// Merges a checked patch into a section and its metadata. `now` is the ISO time; `version` is
// written as $lastUpdatedVersion unless it is 0.
void ag_twin_document_merge(json_t *section, json_t *metadata, const json_t *patch, const char *now,
                            int64_t version);

// The patch that turns `section` into `wanted`: all of `wanted`, and null for what is gone from it.
json_t *ag_twin_document_replacing_patch(const json_t *section, const json_t *wanted);

#endif
