// SPDX-License-Identifier: Apache-2.0
// Files of sdk/ as constant data. AG_SDK is that folder, given by CMake.
#include "cli/embedded.h"

#define EMBED(symbol, file)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global " #symbol "\n"                                                                \
            ".type " #symbol ", STT_OBJECT\n" #symbol ":\n"                                        \
            ".incbin \"" AG_SDK "/" file "\"\n"                                                    \
            ".byte 0\n"                                                                            \
            ".size " #symbol ", . - " #symbol "\n"                                                 \
            ".popsection\n");

EMBED(ag_embedded_header, "airgraft.h")
EMBED(ag_embedded_string, "string.h")
EMBED(ag_embedded_template_json, "template/plugin.json")
EMBED(ag_embedded_template_source, "template/plugin.c.in")
EMBED(ag_embedded_template_readme, "template/README.md")
EMBED(ag_embedded_template_ignored, "template/gitignore")
