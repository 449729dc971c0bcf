// SPDX-License-Identifier: Apache-2.0
// DIR/hub.json: how to reach this hub, with its secrets. There exactly while the hub listens.
#ifndef AG_HUB_HUB_FILE_H
#define AG_HUB_HUB_FILE_H

#include <stdint.h>

#include "hub.h"

// Written under another name and put in place whole; readable by its owner only.
AG_MUST_CHECK enum ag_status ag_hub_file_write(struct ag_hub *hub, uint16_t mqtt_port,
                                               uint16_t https_port);
void ag_hub_file_remove(const char *data_path);

#endif
