// SPDX-License-Identifier: Apache-2.0
// The knobs of src/base/config.h as boards without an operating system have them: sized for 96 to
// 160 KB of RAM.
#ifndef AG_BARE_CONFIG_H
#define AG_BARE_CONFIG_H

#ifndef AG_CFG_PLUGIN_MAX
#define AG_CFG_PLUGIN_MAX 8
#endif

// A URL with a shared access signature has 250 to 500 characters; a hub's name about 40.
#ifndef AG_CFG_URL_MAX
#define AG_CFG_URL_MAX 640
#endif
#ifndef AG_CFG_FETCH_BUFFER
#define AG_CFG_FETCH_BUFFER 1152
#endif
#ifndef AG_CFG_HOST_MAX
#define AG_CFG_HOST_MAX 127
#endif
#ifndef AG_CFG_SETTINGS_MAX
#define AG_CFG_SETTINGS_MAX 512
#endif

// What goes to the hub at a time. Reports and answers that are larger go in pieces.
#ifndef AG_CFG_LINK_SEND
#define AG_CFG_LINK_SEND 2560
#endif
#ifndef AG_CFG_LINK_READ
#define AG_CFG_LINK_READ 1024
#endif
#ifndef AG_CFG_REPORT_SIZE
#define AG_CFG_REPORT_SIZE 1536
#endif
#ifndef AG_CFG_METHOD_ANSWER
#define AG_CFG_METHOD_ANSWER 1280
#endif
#ifndef AG_CFG_METHOD_PAYLOAD
#define AG_CFG_METHOD_PAYLOAD 512
#endif
#ifndef AG_CFG_TELEMETRY_SIZE
#define AG_CFG_TELEMETRY_SIZE 1024
#endif
#ifndef AG_CFG_PROPERTY_COUNT
#define AG_CFG_PROPERTY_COUNT 16
#endif

// The last lines in RAM; what belongs to a failure goes to flash.
#ifndef AG_CFG_LOG_SIZE
#define AG_CFG_LOG_SIZE 1200
#endif

// Seldom more than one plug-in's settings are refused at a time, or two calls under way.
#ifndef AG_CFG_FAULT_MAX
#define AG_CFG_FAULT_MAX 2
#endif
#ifndef AG_CFG_METHOD_MAX
#define AG_CFG_METHOD_MAX 3
#endif

#ifndef AG_CFG_PIN_MAX
#define AG_CFG_PIN_MAX 16
#endif

#endif
