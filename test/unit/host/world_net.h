// SPDX-License-Identifier: Apache-2.0
// The network of the world, for world.c.
#ifndef AG_TEST_HOST_WORLD_NET_H
#define AG_TEST_HOST_WORLD_NET_H

#include "test/unit/host/world.h"

void world_net_open_pipe(struct world_pipe *pipe);
void world_net_close_pipe(struct world_pipe *pipe);
// Answers what has come in.
void world_net_serve_hub(void);
void world_net_serve_files(void);
// A message to the device.
void world_net_publish(const char *topic, const char *payload);

#endif
