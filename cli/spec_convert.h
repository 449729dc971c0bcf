// SPDX-License-Identifier: Apache-2.0
// Test scripts in the text format, made into what ag-spec plays by wabt's wast2json.
#ifndef AG_CLI_SPEC_CONVERT_H
#define AG_CLI_SPEC_CONVERT_H

#include <stdbool.h>
#include <stddef.h>

// The scripts and folders that a person named, as files in order; a folder stands for the .wast
// and .json files in it. NULL when one cannot be read: the reason was printed.
struct spec_files {
    char **paths;
    size_t count;
};
bool spec_files_open(char **names, int count, struct spec_files *files);
void spec_files_close(struct spec_files *files);

// Whether a file must be converted first.
bool spec_is_text(const char *path);

// Converts a .wast file into `folder`; `json` is the result's path then. On failure `reason` is
// what the converter said first.
bool spec_convert(const char *path, const char *folder, char *json, size_t json_size, char *reason,
                  size_t reason_size);

// A folder to convert into, and its removal with all that is in it.
bool spec_folder_open(char *folder, size_t size);
void spec_folder_close(const char *folder);

#endif
