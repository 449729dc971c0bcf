// SPDX-License-Identifier: Apache-2.0
// A plug-in project: its folder and what plugin.json in it says.
#ifndef AG_CLI_BUILD_PROJECT_H
#define AG_CLI_BUILD_PROJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/buffer.h"
#include "plugin/metadata.h"

// What a project gets that says nothing else, where the builder cannot see how much it takes;
// bytes.
#define AG_PROJECT_STACK      512u
#define AG_PROJECT_DATA_STACK 1024u
#define AG_PROJECT_DATA       256u // own data, of a project that imports `store`

struct ag_project {
    const char *folder;                 // borrowed
    struct ag_plugin_metadata metadata; // without capabilities and memory, which come out of a
                                        // build; stack_size 0: to be found
    uint32_t data_stack;                // bytes of linear memory for the C stack; 0: to be found
    uint32_t heap;                      // bytes of linear memory behind the data
    struct ag_buffer schema; // of the settings, which metadata.schema points to; empty: none
    json_t *sources;         // texts: C files, relative to the folder; never empty
    json_t *defines;         // texts: NAME or NAME=VALUE
    json_t *cflags;          // texts
};

// Reads FOLDER/plugin.json. Prints the error and returns false when it is missing or wrong; there
// is then nothing to close.
bool ag_project_open(const char *folder, struct ag_project *project);
void ag_project_close(struct ag_project *project);

#endif
