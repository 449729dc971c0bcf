// SPDX-License-Identifier: Apache-2.0
// Files of sdk/ that the program carries in itself, so that it works wherever it is copied.
#ifndef AG_CLI_EMBEDDED_H
#define AG_CLI_EMBEDDED_H

// NUL-ended texts.
extern const char ag_embedded_header[];           // airgraft.h
extern const char ag_embedded_string[];           // string.h
extern const char ag_embedded_template_json[];    // plugin.json
extern const char ag_embedded_template_source[];  // NAME.c
extern const char ag_embedded_template_readme[];  // README.md
extern const char ag_embedded_template_ignored[]; // .gitignore

#endif
