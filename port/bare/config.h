// SPDX-License-Identifier: Apache-2.0
// The knobs of src/base/config.h as boards without an operating system have them: sized for 96 to
// 160 KB of RAM.
#ifndef AG_BARE_CONFIG_H
#define AG_BARE_CONFIG_H

#ifndef AG_CFG_PLUGIN_MAX
#define AG_CFG_PLUGIN_MAX 8
#endif

#endif
