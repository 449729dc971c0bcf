// SPDX-License-Identifier: Apache-2.0
// The last lines of the log, of each source some: the host and every plug-in.
//
// Room is shared by need: where there is none for a new line, the oldest line of whoever holds the
// most bytes goes. So one plug-in that writes without end drives out its own lines only. What is
// held of a source is always its newest lines without a gap.
//
// Text goes in harmless: control characters, marks of writing direction and whatever is not UTF-8
// become \xNN, and a line that is too long is cut between characters.
#ifndef AG_HOST_LOG_RING_H
#define AG_HOST_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/text.h"
#include "base/writer.h"
#include "platform/board.h"

// A line as it is found; its texts are borrowed until the ring changes.
struct ag_log_ring_line {
    uint32_t sequence; // counts lines, also over resets; 0: none
    uint32_t time_s;   // since 1970 UTC; 0: the clock was not known to be right
    enum ag_log_level level;
    struct ag_text source; // "host" or a plug-in's name, at most AG_CFG_NAME_MAX bytes
    struct ag_text text;   // at most AG_CFG_LOG_LINE bytes
};

struct ag_log_ring {
    uint32_t size;     // bytes in use, from the start of `bytes`
    uint32_t sequence; // of the next line
    uint32_t lost;     // lines that went without having been kept
    uint8_t bytes[AG_CFG_LOG_SIZE];
};

// `sequence`: of the first line, at least 1.
void ag_log_ring_init(struct ag_log_ring *ring, uint32_t sequence);

// Adds a line; its sequence is the ring's, and its text may be anything.
void ag_log_ring_add(struct ag_log_ring *ring, const struct ag_log_ring_line *line);

// Walks the lines, oldest first: *at is 0 at first. False at the end. `source` empty: of all.
bool ag_log_ring_next(const struct ag_log_ring *ring, struct ag_text source, uint32_t *at,
                      struct ag_log_ring_line *line);

// The source whose oldest line would be the next to go; empty when nothing is held.
struct ag_text ag_log_ring_largest(const struct ag_log_ring *ring);

// Bytes of the lines of a source that have not been kept, as ag_log_ring_write writes them.
uint32_t ag_log_ring_unkept(const struct ag_log_ring *ring, struct ag_text source);

// Writes the oldest lines of a source that have not been kept, as many as fit, in the form of
// ag_log_ring_read, and marks them as kept.
void ag_log_ring_write(struct ag_log_ring *ring, struct ag_text source, struct ag_writer *out);

// Reads one line of that form from *bytes on, and moves both behind it. False: no more, or broken.
bool ag_log_ring_read(const uint8_t **bytes, size_t *size, struct ag_log_ring_line *line);

#endif
