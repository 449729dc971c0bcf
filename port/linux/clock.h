// SPDX-License-Identifier: Apache-2.0
// Whether the time of day is known, and from where.
#ifndef AG_LINUX_CLOCK_H
#define AG_LINUX_CLOCK_H

#include "port/linux/board_setup.h"

void ag_clock_set_policy(enum ag_board_clock policy);

#endif
