// SPDX-License-Identifier: Apache-2.0
// The log: the host's own lines, and those of plug-ins on their way to the board. Which of them are
// passed on, and what is kept of them: in RAM the last ones, and on flash what came before a
// failure.
//
// The host's own lines never hold a URL or a key: whoever writes one has names, versions and
// statuses at hand, and these only.
//
// Flash does not wear out by it: lines are written when a plug-in fails, a trial ends, the host
// ends in order, or room gets short, and never more than a credit allows that grows with time. A
// start comes with a small credit of its own. Since a device may start again and again without end,
// each piece on flash counts how many before it were written shortly after a start: beyond some in
// a row nothing is written until the device has stayed up long enough to earn it. A record is added
// without an order to anything else, so a cut costs lines and nothing more.
#include <string.h>

#include "host/core.h"
#include "platform/board.h"

// Bytes of lines in one record at most: so that several of a source are kept on a small image.
#define PIECE_SIZE 400u

// What a record costs of the credit besides its lines.
#define PIECE_HEAD (16u + 2u + AG_CFG_NAME_MAX)

// The credit at a start, unless so many pieces in a row were written within that time of a start.
#define CREDIT_AT_START 1024u
#define START_MS        600000u
#define START_PIECES    8u

// What stands before the lines of a piece: format, pieces in a row that were written after a start.
#define PIECE_FORMAT 1u

// Bytes of new lines after which it is asked whether room is short.
#define ADDED_MAX (AG_CFG_LOG_SIZE / 8u)

#define DAY_MS 86400000u

// What the store remembers of the host's options.
#define OPTIONS_NAME   "log"
#define OPTIONS_FORMAT 1u
#define OPTIONS_SIZE   2u

static const char *const level_names[] = {
    [AG_LOG_ERROR] = "error",
    [AG_LOG_WARNING] = "warning",
    [AG_LOG_INFO] = "info",
    [AG_LOG_DEBUG] = "debug",
};

const char *ag_log_level_name(enum ag_log_level level)
{
    return level_names[level];
}

// ---- Lines -------------------------------------------------------------------------------------

void ag_log_take(struct ag_host *host, enum ag_log_level level, const char *source,
                 struct ag_text text)
{
    struct ag_core_log *log = &host->log;
    if (log->has_level && level > log->level)
        return;
    ag_board_log(level, source, text.at, text.size);
    if (!log->has_level && level > AG_LOG_INFO)
        return;
    struct ag_log_ring_line line = { .level = level, .source = ag_text_of(source), .text = text };
    int64_t now_s;
    if (ag_board_unix_time(&now_s) && now_s > 0 && now_s <= UINT32_MAX)
        line.time_s = (uint32_t)now_s;
    uint32_t size = log->ring.size;
    ag_log_ring_add(&log->ring, &line);
    log->added += log->ring.size > size ? log->ring.size - size : ADDED_MAX;
}

void ag_log_begin(struct ag_host *host, struct ag_log_line *line)
{
    line->host = host;
    ag_writer_init(&line->out, line->text, sizeof line->text);
}

void ag_log_text(struct ag_log_line *line, const char *text)
{
    ag_writer_text(&line->out, text);
}

void ag_log_number(struct ag_log_line *line, int64_t number)
{
    ag_writer_decimal(&line->out, number);
}

void ag_log_status(struct ag_log_line *line, enum ag_status status)
{
    ag_log_text(line, ag_status_name(status));
    ag_log_text(line, " (");
    ag_log_number(line, status);
    ag_log_text(line, ")");
}

void ag_log_end(struct ag_log_line *line, enum ag_log_level level)
{
    ag_log_take(line->host, level, AG_LOG_HOST, (struct ag_text){ line->text, line->out.size });
}

void ag_log_begin_plugin(struct ag_host *host, struct ag_log_line *line, const char *name,
                         uint32_t version)
{
    ag_log_begin(host, line);
    ag_log_text(line, name);
    if (version != 0) {
        ag_log_text(line, " ");
        ag_log_number(line, version);
    }
    ag_log_text(line, ": ");
}

void ag_log_plugin(struct ag_host *host, enum ag_log_level level, const char *name,
                   uint32_t version, const char *text, enum ag_status status)
{
    struct ag_log_line line;
    ag_log_begin_plugin(host, &line, name, version);
    ag_log_text(&line, text);
    if (status != AG_OK) {
        ag_log_text(&line, ": ");
        ag_log_status(&line, status);
    }
    ag_log_end(&line, level);
}

// ---- On flash ----------------------------------------------------------------------------------

void ag_log_keep(struct ag_host *host, struct ag_plugin *plugin)
{
    plugin->log_is_due = true;
    host->log.is_due = true;
}

static void renew_credit(struct ag_core_log *log, uint64_t now_ms)
{
    uint64_t passed = now_ms - log->credit_ms;
    uint64_t earned = (passed < DAY_MS ? passed : DAY_MS) * AG_CFG_LOG_DAY / DAY_MS;
    if (earned == 0)
        return; // let it add up
    log->credit_ms = now_ms;
    uint64_t credit = log->credit + earned;
    log->credit = (uint32_t)(credit < AG_CFG_LOG_BURST ? credit : AG_CFG_LOG_BURST);
}

static bool can_afford(const struct ag_core_log *log)
{
    return log->credit >= PIECE_SIZE + PIECE_HEAD;
}

// Writes lines of a source that are not on flash yet. False: some are left, for want of credit.
static bool write_source(struct ag_host *host, struct ag_text source)
{
    struct ag_core_log *log = &host->log;
    char name[AG_CFG_NAME_MAX + 1];
    memcpy(name, source.at, source.size);
    name[source.size] = 0;
    while (ag_log_ring_unkept(&log->ring, source) > 0) {
        uint8_t bytes[PIECE_SIZE];
        struct ag_writer piece;
        if (!can_afford(log))
            return false;
        bool is_fresh = host->now_ms - log->start_ms < START_MS;
        log->start_pieces =
            (uint8_t)(is_fresh ? log->start_pieces + (log->start_pieces < UINT8_MAX) : 0);
        ag_writer_init(&piece, bytes, sizeof bytes);
        ag_writer_u8(&piece, PIECE_FORMAT);
        ag_writer_u8(&piece, log->start_pieces);
        ag_log_ring_write(&log->ring, source, &piece);
        log->credit -= (uint32_t)piece.size + PIECE_HEAD;
        // A store without room or with a broken flash: they stay in RAM, and that is all.
        if (ag_store_add_lines(&host->store, name, bytes, piece.size) == AG_OK)
            log->must_sync = true;
    }
    return true;
}

// The plug-ins that failed or ended their trial, and what the host says of it.
static void write_due(struct ag_host *host)
{
    bool is_done = write_source(host, ag_text_of(AG_LOG_HOST));
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX && is_done; i++) {
        struct ag_plugin *plugin = &host->plugins.plugins[i];
        if (!plugin->is_used || !plugin->log_is_due)
            continue;
        is_done = write_source(host, ag_text_of(plugin->name));
        plugin->log_is_due = !is_done;
    }
    host->log.is_due = !is_done;
}

// Room is short: before lines go that are nowhere else, they are written. Half of the credit stays
// for failures.
static void write_before_they_go(struct ag_host *host)
{
    struct ag_core_log *log = &host->log;
    log->added = 0;
    if (log->ring.size < AG_CFG_LOG_SIZE / 4 * 3 || log->credit < AG_CFG_LOG_BURST / 2)
        return;
    struct ag_text source = ag_log_ring_largest(&log->ring);
    if (ag_log_ring_unkept(&log->ring, source) >= PIECE_SIZE)
        (void)write_source(host, source);
}

static void sync_lines(struct ag_host *host)
{
    if (host->log.must_sync)
        (void)!ag_store_sync_lines(&host->store); // a failure shows at the next change
    host->log.must_sync = false;
}

void ag_log_step(struct ag_host *host)
{
    struct ag_core_log *log = &host->log;
    if (!log->is_due && log->added < ADDED_MAX)
        return;
    renew_credit(log, host->now_ms);
    if (log->is_due && can_afford(log))
        write_due(host);
    if (log->added >= ADDED_MAX)
        write_before_they_go(host);
    sync_lines(host);
}

uint64_t ag_log_deadline(const struct ag_host *host)
{
    const struct ag_core_log *log = &host->log;
    if (!log->is_due)
        return UINT64_MAX;
    uint32_t wanted = PIECE_SIZE + PIECE_HEAD;
    if (log->credit >= wanted)
        return 0;
    return log->credit_ms + (uint64_t)(wanted - log->credit) * DAY_MS / AG_CFG_LOG_DAY + 1;
}

void ag_log_close(struct ag_host *host)
{
    renew_credit(&host->log, host->now_ms);
    (void)write_source(host, ag_text_of(AG_LOG_HOST));
    for (uint32_t i = 0; i < AG_CFG_PLUGIN_MAX; i++)
        if (host->plugins.plugins[i].is_used)
            (void)write_source(host, ag_text_of(host->plugins.plugins[i].name));
    sync_lines(host);
}

// ---- Reading -----------------------------------------------------------------------------------

struct reading {
    uint32_t before; // lines from this one on are in RAM, too
    uint8_t start_pieces;
    ag_log_visit visit;
    void *context;
};

static void visit_piece(void *context, const char *source, const uint8_t *bytes, size_t size)
{
    struct reading *reading = context;
    struct ag_log_ring_line line;
    if (size < 2 || bytes[0] != PIECE_FORMAT)
        return;
    reading->start_pieces = bytes[1];
    bytes += 2;
    size -= 2;
    while (ag_log_ring_read(&bytes, &size, &line)) {
        line.source = ag_text_of(source);
        if (line.sequence < reading->before)
            reading->visit(reading->context, &line);
    }
}

void ag_log_read(const struct ag_host *host, const char *source, ag_log_visit visit, void *context)
{
    struct reading reading = { .before = UINT32_MAX, .visit = visit, .context = context };
    struct ag_log_ring_line line;
    uint32_t at = 0;
    if (ag_log_ring_next(&host->log.ring, ag_text_of(source), &at, &line))
        reading.before = line.sequence;
    ag_store_read_lines(&host->store, source, visit_piece, &reading);
    at = 0;
    while (ag_log_ring_next(&host->log.ring, ag_text_of(source), &at, &line))
        visit(context, &line);
}

void ag_host_log(const struct ag_host *host, const char *source, ag_log_visit visit, void *context)
{
    struct ag_log_ring_line line;
    uint32_t at = 0;
    if (source) {
        ag_log_read(host, source, visit, context);
        return;
    }
    while (ag_log_ring_next(&host->log.ring, ag_text_of(NULL), &at, &line))
        visit(context, &line);
}

// ---- Starting, and the level -------------------------------------------------------------------

static void find_highest(void *context, const struct ag_log_ring_line *line)
{
    uint32_t *highest = context;
    if (line->sequence > *highest)
        *highest = line->sequence;
}

void ag_log_init(struct ag_host *host)
{
    struct ag_core_log *log = &host->log;
    uint32_t highest = 0;
    struct reading reading = { .before = UINT32_MAX, .visit = find_highest, .context = &highest };
    ag_store_read_lines(&host->store, NULL, visit_piece, &reading);
    ag_log_ring_init(&log->ring, highest + 1);
    log->start_pieces = reading.start_pieces;
    log->credit = log->start_pieces < START_PIECES ? CREDIT_AT_START : 0;
    log->start_ms = host->now_ms;
    log->credit_ms = host->now_ms;
    uint8_t value[OPTIONS_SIZE];
    size_t size;
    if (ag_store_get(&host->store, AG_STORE_OPTIONS, OPTIONS_NAME, value, sizeof value, &size) ==
            AG_OK &&
        size == sizeof value && value[0] == OPTIONS_FORMAT && value[1] <= AG_LOG_DEBUG) {
        log->has_level = true;
        log->level = (enum ag_log_level)value[1];
    }
}

static void store_level(struct ag_host *host)
{
    const struct ag_core_log *log = &host->log;
    const uint8_t value[OPTIONS_SIZE] = { OPTIONS_FORMAT, (uint8_t)log->level };
    enum ag_status status =
        log->has_level
            ? ag_store_put(&host->store, AG_STORE_OPTIONS, OPTIONS_NAME, value, sizeof value)
            : ag_store_delete(&host->store, AG_STORE_OPTIONS, OPTIONS_NAME);
    if (status != AG_OK && status != AG_ERR_NOT_FOUND) // for now it holds
        ag_log_plugin(host, AG_LOG_WARNING, "log level", 0, "cannot be stored", status);
}

void ag_log_recovered(struct ag_host *host)
{
    store_level(host);
}

void ag_log_want_level(struct ag_host *host, bool has_level, enum ag_log_level level)
{
    struct ag_core_log *log = &host->log;
    if (log->has_level == has_level && (!has_level || log->level == level))
        return;
    log->has_level = has_level;
    log->level = level;
    store_level(host);
    struct ag_log_line line;
    ag_log_begin(host, &line);
    ag_log_text(&line, "log level: ");
    ag_log_text(&line, has_level ? level_names[level] : "as the board has it");
    ag_log_end(&line, AG_LOG_INFO);
    ag_report_touch(host, NULL);
}
