// SPDX-License-Identifier: Apache-2.0
// Source lines out of DWARF, by llvm-symbolizer; C++ and Rust names, by llvm-cxxfilt.
#include "cli/debug/symbolizer.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/buffer.h"
#include "cli/debug/names.h"

enum {
    ANSWER_MAX = 1 << 20, // bytes
    FRAME_MAX = 256,
    SECONDS_MAX = 20, // of a tool's time on the processor
    EXIT_NOT_STARTED = 127,
};

// Memory that a tool may map: far more than it needs for the largest plug-in.
#define MEMORY_MAX ((rlim_t)4 << 30)

static void run_child(char *const *words, int output)
{
    const struct rlimit seconds = { SECONDS_MAX, SECONDS_MAX };
    const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
    const struct rlimit core = { 0, 0 };
    const int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || setrlimit(RLIMIT_CPU, &seconds) != 0 ||
        setrlimit(RLIMIT_AS, &memory) != 0 || setrlimit(RLIMIT_CORE, &core) != 0)
        _exit(EXIT_NOT_STARTED);
    unsetenv("DEBUGINFOD_URLS"); // nothing is to be asked of the network
    execvp(words[0], words);
    _exit(EXIT_NOT_STARTED);
}

// All that can be read, up to the limit.
static void read_answer(int input, struct ag_buffer *answer)
{
    uint8_t bytes[4096];
    ssize_t size;
    while (answer->size < ANSWER_MAX &&
           ((size = read(input, bytes, sizeof bytes)) > 0 || (size < 0 && errno == EINTR))) {
        if (size > 0)
            ag_buffer_append(answer, bytes, (size_t)size);
    }
}

// Runs a program to its end and takes what it prints. Returns its exit code, or -1.
static int run(char *const *words, struct ag_buffer *answer)
{
    int ends[2];
    int outcome = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    const pid_t child = fork();
    if (child == 0)
        run_child(words, ends[1]);
    close(ends[1]);
    if (child > 0)
        read_answer(ends[0], answer);
    close(ends[0]); // one that prints too much ends by this
    while (child > 0 && waitpid(child, &outcome, 0) < 0 && errno == EINTR)
        continue;
    return child > 0 && WIFEXITED(outcome) ? WEXITSTATUS(outcome) : -1;
}

static char *take_text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    char *text = strdup(value ? value : "");
    if (text)
        ag_names_make_printable(text);
    return text;
}

static uint32_t take_number(const json_t *object, const char *name)
{
    const json_int_t number = json_integer_value(json_object_get(object, name));
    return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

// Without the "./" that the compiler was told to call the project's folder.
static void shorten(char *path)
{
    size_t skip = 0;
    while (path[skip] == '.' && path[skip + 1] == '/')
        skip += 2;
    memmove(path, path + skip, strlen(path + skip) + 1);
}

static void take_frames(const json_t *symbols, struct ag_symbolizer_frames *frames)
{
    const size_t count = json_array_size(symbols);
    frames->items = ag_buffer_allocate(count, sizeof *frames->items);
    for (size_t i = 0; i < count && i < FRAME_MAX; i++) {
        const json_t *symbol = json_array_get(symbols, i);
        struct ag_symbolizer_frame *frame = &frames->items[i];
        *frame = (struct ag_symbolizer_frame){
            .function = take_text(symbol, "FunctionName"),
            .file = take_text(symbol, "FileName"),
            .line = take_number(symbol, "Line"),
            .column = take_number(symbol, "Column"),
        };
        if (!frame->function || !frame->file) {
            free(frame->function);
            free(frame->file);
            return;
        }
        shorten(frame->file);
        frames->count++;
    }
}

// The answer is [{"Symbol":[{"FunctionName":…,"FileName":…,"Line":…,"Column":…},…]}].
static enum ag_symbolizer_outcome take_answer(const struct ag_buffer *answer,
                                              struct ag_symbolizer_frames *frames)
{
    json_t *document =
        json_loadb((const char *)answer->bytes, answer->size, JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *symbols = json_object_get(json_array_get(document, 0), "Symbol");
    enum ag_symbolizer_outcome outcome = AG_SYMBOLIZER_FAILED;
    if (json_is_array(symbols)) {
        take_frames(symbols, frames);
        outcome = AG_SYMBOLIZER_FOUND;
        if (frames->count == 0 || (!frames->items[0].file[0] && !frames->items[0].line)) {
            ag_symbolizer_clear(frames);
            outcome = AG_SYMBOLIZER_UNKNOWN;
        }
    }
    json_decref(document);
    return outcome;
}

enum ag_symbolizer_outcome ag_symbolizer_find(const char *path, uint32_t address,
                                              struct ag_symbolizer_frames *frames)
{
    const char *given = getenv("AIRGRAFT_SYMBOLIZER");
    char *object = NULL;
    char number[16];
    char style[] = "--output-style=JSON";
    struct ag_buffer answer = { 0 };
    *frames = (struct ag_symbolizer_frames){ 0 };
    char *program = strdup(given && given[0] ? given : "llvm-symbolizer");
    if (!program || asprintf(&object, "--obj=%s", path) < 0) {
        free(program);
        return AG_SYMBOLIZER_FAILED;
    }
    snprintf(number, sizeof number, "0x%x", address);
    char *words[] = { program, object, style, number, NULL };
    const int code = run(words, &answer);
    enum ag_symbolizer_outcome outcome = AG_SYMBOLIZER_FAILED;
    if (code == EXIT_NOT_STARTED)
        outcome = AG_SYMBOLIZER_ABSENT;
    else if (code == 0 && answer.size > 0)
        outcome = take_answer(&answer, frames);
    ag_buffer_clear(&answer);
    free(object);
    free(program);
    return outcome;
}

void ag_symbolizer_clear(struct ag_symbolizer_frames *frames)
{
    for (size_t i = 0; i < frames->count; i++) {
        free(frames->items[i].function);
        free(frames->items[i].file);
    }
    free(frames->items);
    *frames = (struct ag_symbolizer_frames){ 0 };
}

char *ag_symbolizer_demangle(char *name)
{
    char program[] = "llvm-cxxfilt";
    char *words[] = { program, name, NULL };
    struct ag_buffer answer = { 0 };
    if (!name || (strncmp(name, "_Z", 2) != 0 && strncmp(name, "_R", 2) != 0))
        return name;
    char *plain = NULL;
    if (run(words, &answer) == 0 && answer.size > 1)
        plain = strndup((const char *)answer.bytes, answer.size - 1); // without the newline
    ag_buffer_clear(&answer);
    if (!plain)
        return name;
    ag_names_make_printable(plain);
    free(name);
    return plain;
}
