// SPDX-License-Identifier: Apache-2.0
// The shell on the console: a line, a table of commands, answers of a few lines.
//
// What is typed may be anything: only printable ASCII gets into the line, an escape sequence is
// passed over whole, what does not fit is not taken. One command is done in a turn of the main
// loop; the longest answer is the log in RAM.
#include "port/bare/shell.h"

#include <string.h>

#include "base/config.h"
#include "base/text.h"
#include "base/writer.h"
#include "host/host.h"
#include "host/log_ring.h"
#include "port/bare/board.h"
#include "port/bare/flash_window.h"
#include "port/bare/heap.h"
#include "port/bare/machine.h"
#include "port/bare/net.h"

enum {
    LINE_SIZE = 64,
    ANSWER_SIZE = 240,    // one line of an answer
    BYTES_IN_A_TURN = 64, // so that a torrent does not hold up the rest
};

enum {
    CTRL_C = 0x03,
    BACKSPACE = 0x08,
    CTRL_U = 0x15,
    ESCAPE = 0x1B,
    DELETE = 0x7F,
};

enum escape {
    ESCAPE_NONE,
    ESCAPE_BEGUN,    // ESC
    ESCAPE_SEQUENCE, // ESC [ or ESC O; ends with a letter or ~
};

static struct ag_host *shell_host;
static const char *shell_reason;
static char line[LINE_SIZE];
static uint32_t line_size;
static enum escape escape;
static bool last_was_return; // so that CR LF is one line end

// ---- Answers -----------------------------------------------------------------------------------

struct answer {
    struct ag_writer out;
    char text[ANSWER_SIZE];
};

static void begin(struct answer *answer, const char *name)
{
    ag_writer_init(&answer->out, answer->text, sizeof answer->text - 2);
    ag_writer_text(&answer->out, name);
    while (name[0] && answer->out.size < 11)
        ag_writer_u8(&answer->out, ' ');
}

static void end(struct answer *answer)
{
    answer->text[answer->out.size] = '\r';
    answer->text[answer->out.size + 1] = '\n';
    ag_machine_console_write(answer->text, answer->out.size + 2);
}

static void add_text(struct answer *answer, const char *text)
{
    ag_writer_text(&answer->out, text);
}

static void add_number(struct answer *answer, const char *before, int64_t number, const char *after)
{
    ag_writer_text(&answer->out, before);
    ag_writer_decimal(&answer->out, number);
    ag_writer_text(&answer->out, after);
}

static void add_status(struct answer *answer, const char *before, enum ag_status status)
{
    ag_writer_text(&answer->out, before);
    ag_writer_text(&answer->out, ag_status_name(status));
    add_number(answer, " (", status, ")");
}

static void say(const char *name, const char *text)
{
    struct answer answer;
    begin(&answer, name);
    add_text(&answer, text);
    end(&answer);
}

// ---- Commands ----------------------------------------------------------------------------------

static void show_board(void)
{
    const struct ag_machine_retained *fault = ag_board_last_fault();
    struct answer answer;
    int64_t now_s;
    begin(&answer, "board");
    add_text(&answer, ag_board_name());
    add_number(&answer, ", up ", (int64_t)(ag_board_uptime_ms() / 1000), " s");
    add_number(&answer, ", restarted ", ag_machine_retained()->restarts, " times");
    end(&answer);
    begin(&answer, "time");
    if (ag_board_unix_time(&now_s))
        ag_board_write_time(&answer.out, now_s);
    else
        add_text(&answer, "not known");
    end(&answer);
    if (fault->fault_cause != 0 || fault->fault_is_watchdog) {
        begin(&answer, "last life");
        ag_board_write_fault(&answer.out, fault);
        end(&answer);
    }
}

static void show_status(const char *argument)
{
    static const char *const links[] = {
        [AG_HOST_LINK_WAITING] = "waiting",
        [AG_HOST_LINK_PROVISIONING] = "provisioning",
        [AG_HOST_LINK_CONNECTING] = "connecting",
        [AG_HOST_LINK_ONLINE] = "online",
    };
    struct ag_host_status status;
    struct answer answer;
    (void)argument;
    show_board();
    if (!shell_host) {
        say("host", shell_reason);
        return;
    }
    ag_host_status(shell_host, &status);
    begin(&answer, "link");
    add_text(&answer, links[status.link]);
    if (status.link_error != AG_OK)
        add_status(&answer, ", last ended by ", status.link_error);
    end(&answer);
    begin(&answer, "twin");
    add_number(&answer, "desired version ", (int64_t)status.desired_version,
               status.is_idle ? ", nothing to do" : ", updating");
    add_text(&answer, status.is_reported ? ", reported" : ", not all reported yet");
    end(&answer);
    begin(&answer, "RAM");
    add_number(&answer, "", status.memory_free, " bytes free for plug-ins; TLS ");
    add_number(&answer, "", (int64_t)ag_heap_used(), " of ");
    add_number(&answer, "", (int64_t)ag_heap_size(), " bytes, at most ");
    add_number(&answer, "", (int64_t)ag_heap_peak(), "");
    end(&answer);
    begin(&answer, "stack");
    add_number(&answer, "at most ", (int64_t)ag_machine_stack_peak(), " of ");
    add_number(&answer, "", (int64_t)ag_machine_stack_size(), " bytes");
    end(&answer);
}

static void show_plugins(const char *argument)
{
    struct ag_host_plugin_status plugin;
    struct answer answer;
    uint32_t count = 0;
    (void)argument;
    while (shell_host && ag_host_plugin_at(shell_host, count, &plugin) == AG_OK) {
        begin(&answer, plugin.name);
        ag_writer_u8(&answer.out, ' ');
        add_text(&answer, ag_transition_state_name(plugin.state));
        add_number(&answer, ", version ", plugin.version, "");
        if (plugin.previous != 0)
            add_number(&answer, " (before it ", plugin.previous, ")");
        add_number(&answer, ", ", plugin.runs, " runs");
        if (plugin.error != AG_OK) {
            add_status(&answer, "; ", plugin.error);
            if (plugin.error_version != 0)
                add_number(&answer, " of version ", plugin.error_version, "");
        }
        end(&answer);
        count++;
    }
    if (count == 0)
        say("", "none");
}

static void show_line(void *context, const struct ag_log_ring_line *kept)
{
    static const char letters[] = "EWID";
    struct answer answer;
    (void)context;
    begin(&answer, "");
    if (kept->time_s != 0)
        ag_board_write_time(&answer.out, kept->time_s);
    else
        add_number(&answer, "#", kept->sequence, "");
    ag_writer_u8(&answer.out, ' ');
    ag_writer_u8(&answer.out, (uint8_t)letters[kept->level & 3]);
    ag_writer_u8(&answer.out, ' ');
    ag_board_write_harmless(&answer.out, kept->source.at, kept->source.size);
    ag_writer_text(&answer.out, ": ");
    ag_board_write_harmless(&answer.out, kept->text.at, kept->text.size);
    end(&answer);
    ag_machine_feed_watchdog(); // a slow console
}

static void show_log(const char *argument)
{
    if (!shell_host)
        say("", shell_reason);
    else if (strcmp(argument, "debug") == 0 || strcmp(argument, "info") == 0)
        ag_board_set_log_level(argument[0] == 'd' ? AG_LOG_DEBUG : AG_LOG_INFO);
    else
        ag_host_log(shell_host, argument[0] ? argument : NULL, show_line, NULL);
}

static void show_net(const char *argument)
{
    static const char *const states[] = {
        [AG_NET_DOWN] = "no cable",
        [AG_NET_WAITS] = "waits for an address",
        [AG_NET_UP] = "up",
    };
    struct ag_net_status net;
    struct answer answer;
    (void)argument;
    ag_net_status(&net);
    begin(&answer, "net");
    add_text(&answer, states[net.state]);
    end(&answer);
    if (net.state == AG_NET_UP) {
        begin(&answer, "address");
        add_text(&answer, net.address);
        add_text(&answer, ", gateway ");
        add_text(&answer, net.gateway);
        add_text(&answer, ", DNS ");
        add_text(&answer, net.dns);
        end(&answer);
    }
    begin(&answer, "frames");
    add_number(&answer, "", net.received, " received, ");
    add_number(&answer, "", net.sent, " sent, ");
    add_number(&answer, "", net.dropped, " dropped");
    end(&answer);
    begin(&answer, "RAM");
    add_number(&answer, "", net.heap_used, " bytes of the heap and ");
    add_number(&answer, "", net.buffers_used, " of receive buffers; at most ");
    add_number(&answer, "", net.heap_peak, " and ");
    add_number(&answer, "", net.buffers_peak, "");
    end(&answer);
}

static void show_flash(const char *argument)
{
    const struct ag_machine_flash *machine = ag_machine_flash();
    const struct ag_flash_window_counts *counts = ag_flash_window_counts();
    struct answer answer;
    struct ag_host_status status;
    (void)argument;
    begin(&answer, "flash");
    add_number(&answer, "", machine->size >> 10, " KB, of which ");
    add_number(&answer, "", machine->provisioning_size >> 10, " KB are the provisioning partition");
    end(&answer);
    if (shell_host) {
        ag_host_status(shell_host, &status);
        begin(&answer, "store");
        add_number(&answer, "", status.store_free >> 10, " KB free");
        end(&answer);
    }
    begin(&answer, "since start");
    add_number(&answer, " ", counts->erases, " erases, ");
    add_number(&answer, "", counts->programs, " programs of ");
    add_number(&answer, "", counts->program_bytes, " bytes, ");
    add_number(&answer, "", counts->failures, " failures");
    end(&answer);
}

static void reboot(const char *argument)
{
    (void)argument;
    say("", "restarting");
    ag_board_restart();
}

static void show_help(const char *argument);

static const struct {
    const char *name;
    const char *help;
    void (*run)(const char *argument);
} commands[] = {
    { "status", "the host, its link and its memory", show_status },
    { "plugins", "what is installed, and how it fares", show_plugins },
    { "log", "the last lines; `log NAME`: of one plug-in, also from flash; `log debug`, `log info`",
      show_log },
    { "net", "the network", show_net },
    { "flash", "the flash, and how it was used", show_flash },
    { "reboot", "restart in order", reboot },
    { "help", "this list", show_help },
};
enum {
    COMMAND_COUNT = sizeof commands / sizeof commands[0]
};

static void show_help(const char *argument)
{
    (void)argument;
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        say(commands[i].name, commands[i].help);
}

// ---- The line ----------------------------------------------------------------------------------

// There is no prompt: the log would stand behind it.
static void run_line(void)
{
    struct ag_text rest = { line, line_size };
    ag_machine_console_write("\r\n", 2);
    line[line_size] = 0;
    line_size = 0;
    struct ag_text name = ag_text_split(&rest, ' ');
    for (uint32_t i = 0; i < COMMAND_COUNT; i++) {
        if (!ag_text_equals(name, commands[i].name))
            continue;
        commands[i].run(rest.at ? rest.at : "");
        return;
    }
    if (name.size > 0)
        say("", "there is no such command; `help` lists them");
}

// True when the byte belongs to an escape sequence: cursor keys and the like.
static bool is_of_escape(uint8_t byte)
{
    switch (escape) {
    case ESCAPE_NONE:
        if (byte == ESCAPE)
            escape = ESCAPE_BEGUN;
        return byte == ESCAPE;
    case ESCAPE_BEGUN:
        escape = byte == '[' || byte == 'O' ? ESCAPE_SEQUENCE : ESCAPE_NONE;
        return byte >= 0x20;
    case ESCAPE_SEQUENCE:
        if (byte < 0x20 || byte >= 0x40)
            escape = ESCAPE_NONE;
        return byte >= 0x20;
    }
    return false;
}

static void take_byte(uint8_t byte)
{
    const bool ends_pair = byte == '\n' && last_was_return;
    last_was_return = byte == '\r';
    if (is_of_escape(byte) || ends_pair)
        return;
    if (byte == '\r' || byte == '\n') {
        run_line();
    } else if (byte == CTRL_C || byte == CTRL_U) {
        line_size = 0;
        ag_machine_console_write("\r\n", 2);
    } else if ((byte == BACKSPACE || byte == DELETE) && line_size > 0) {
        line_size--;
        ag_machine_console_write("\b \b", 3);
    } else if (byte >= 0x20 && byte < DELETE && line_size < LINE_SIZE - 1) {
        line[line_size++] = (char)byte;
        ag_machine_console_write(line + line_size - 1, 1);
    }
}

void ag_shell_start(struct ag_host *host, const char *reason)
{
    shell_host = host;
    shell_reason = reason;
}

void ag_shell_poll(void)
{
    for (uint32_t i = 0; i < BYTES_IN_A_TURN; i++) {
        const int byte = ag_machine_console_read();
        if (byte < 0)
            return;
        take_byte((uint8_t)byte);
    }
}
