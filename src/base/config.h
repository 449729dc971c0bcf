// SPDX-License-Identifier: Apache-2.0
// Every compile-time knob of the device code: meaning, range, default, cost.
//
// A build overrides a knob with -DAG_CFG_X=value; impossible values do not compile.
#ifndef AG_BASE_CONFIG_H
#define AG_BASE_CONFIG_H

// Longest plug-in name, bytes without NUL. 1 to 64. Costs that many bytes per desired entry.
#ifndef AG_CFG_NAME_MAX
#define AG_CFG_NAME_MAX 32
#endif
_Static_assert(AG_CFG_NAME_MAX >= 1 && AG_CFG_NAME_MAX <= 64, "AG_CFG_NAME_MAX is 1 to 64");

// Plug-ins a host can hold at once, installed or desired. 1 to 255.
#ifndef AG_CFG_PLUGIN_MAX
#define AG_CFG_PLUGIN_MAX 32
#endif
_Static_assert(AG_CFG_PLUGIN_MAX >= 1 && AG_CFG_PLUGIN_MAX <= 255, "AG_CFG_PLUGIN_MAX is 1 to 255");

#endif
