// SPDX-License-Identifier: Apache-2.0
// What main and shell must know of the board beside platform/board.h.
#ifndef AG_BARE_BOARD_H
#define AG_BARE_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/writer.h"
#include "platform/board.h"
#include "port/bare/machine.h"

// Seeds the generator and looks at the words of the last life: a fault is logged, and forgotten
// but for ag_board_last_fault.
void ag_board_start(void);

// ag_board_restart has been called.
bool ag_board_wants_restart(void);

// The fault that ended the last life; fault_cause and fault_is_watchdog 0: it ended without one.
const struct ag_machine_retained *ag_board_last_fault(void);
// "usage fault: … at 0x… (from 0x…)", plug-in and all.
void ag_board_write_fault(struct ag_writer *out, const struct ag_machine_retained *fault);

// Lines of more importance than that are shown, and it itself; default AG_LOG_INFO.
void ag_board_set_log_level(enum ag_log_level level);

// Text that may be anything, as printable ASCII: other bytes become \xNN. Writes what fits.
void ag_board_write_harmless(struct ag_writer *out, const char *text, size_t size);

// "2026-11-23T08:00:00Z"
void ag_board_write_time(struct ag_writer *out, int64_t seconds);

#endif
