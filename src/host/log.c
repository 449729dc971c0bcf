// SPDX-License-Identifier: Apache-2.0
// Lines of the host's own log. They never hold a URL or a key: whoever writes one has names,
// versions and statuses at hand, and these only.
#include "host/core.h"
#include "platform/board.h"

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
    ag_board_log(level, "host", line->text, line->out.size);
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
