// SPDX-License-Identifier: Apache-2.0
// Runs clang and wasm-ld.
//
// The linker rounds memory up to 64 KiB pages and does not tell what it needed, so it runs
// twice: once exporting where C stack and data end and where a heap may begin, and once without.
// It links once more for the file that is kept for debugging, since it leaves debug information
// only in a module whose numbers are padded: too large to be published.
#include "cli/build/compile.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/build/stack.h"
#include "cli/cli.h"
#include "cli/embedded.h"
#include "cli/module.h"

// A command line that grows; its texts are owned.
struct command {
    char **words;
    size_t count;
};

static void add(struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct command *command, const char *format, ...)
{
    va_list arguments;
    char *word;
    va_start(arguments, format);
    if (vasprintf(&word, format, arguments) < 0)
        word = NULL;
    va_end(arguments);
    command->words = realloc(command->words, (command->count + 2) * sizeof *command->words);
    if (!command->words || !word)
        exit(ag_output_fail("close other programs", "out of memory"));
    command->words[command->count++] = word;
    command->words[command->count] = NULL;
}

static void clear(struct command *command)
{
    for (size_t i = 0; i < command->count; i++)
        free(command->words[i]);
    free(command->words);
    *command = (struct command){ 0 };
}

static const char *tool(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);
    return value && value[0] ? value : otherwise;
}

// What a child that could not start its program exits with, as shells do.
enum {
    EXIT_NOT_STARTED = 127
};

// Runs the command to its end. Its output is the user's to see. As with system(3), Ctrl-C ends the
// command and not this program, which then still removes its scratch folder.
static bool run(const struct command *command, bool verbose, const char *purpose)
{
    int outcome = 0;
    for (size_t i = 0; verbose && i < command->count; i++)
        fprintf(stderr, "%s%s", command->words[i], i + 1 < command->count ? " " : "\n");
    fflush(NULL);
    void (*const before)(int) = signal(SIGINT, SIG_IGN);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, before);
        dup2(STDERR_FILENO, STDOUT_FILENO); // stdout is for our own results
        execvp(command->words[0], command->words);
        _exit(EXIT_NOT_STARTED);
    }
    while (child > 0 && waitpid(child, &outcome, 0) < 0 && errno == EINTR)
        continue;
    signal(SIGINT, before);
    if (child > 0 && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0)
        return true;
    if (child < 0 || (WIFEXITED(outcome) && WEXITSTATUS(outcome) == EXIT_NOT_STARTED))
        ag_output_fail("install it (Debian: apt install clang lld), or set AIRGRAFT_CLANG and "
                       "AIRGRAFT_WASM_LD",
                       "cannot start %s", command->words[0]);
    else
        ag_output_fail("see its messages above", "%s failed (%s)", purpose, command->words[0]);
    return false;
}

static void add_list(struct command *command, const char *prefix, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        add(command, "%s%s", prefix, json_string_value(json_array_get(list, i)));
}

// Removes the folder with the files that this program makes in it: the header, objects, modules.
static void close_scratch(char *scratch, size_t object_count)
{
    char path[4096];
    for (size_t i = 0; i < object_count; i++) {
        snprintf(path, sizeof path, "%s/%zu.o", scratch, i);
        unlink(path);
    }
    static const char *const names[] = { "airgraft.h", "string.h", "module.wasm" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", scratch, names[i]);
        unlink(path);
    }
    rmdir(scratch);
    free(scratch);
}

static bool write_header(const char *scratch, const char *name, const char *content)
{
    char *path;
    if (asprintf(&path, "%s/%s", scratch, name) < 0)
        exit(ag_output_fail("close other programs", "out of memory"));
    const bool written = ag_input_write(path, 0644, AG_INPUT_KEEP, content, strlen(content));
    free(path);
    return written;
}

// A scratch folder with the SDK's headers in it.
static bool open_scratch(char **scratch)
{
    if (asprintf(scratch, "%s/airgraft-XXXXXX", tool("TMPDIR", "/tmp")) < 0)
        exit(ag_output_fail("close other programs", "out of memory"));
    if (!mkdtemp(*scratch)) {
        ag_output_fail("set TMPDIR to a folder that can be written", "cannot make %s: %s", *scratch,
                       strerror(errno));
        free(*scratch);
        return false;
    }
    const bool written = write_header(*scratch, "airgraft.h", ag_embedded_header) &&
                         write_header(*scratch, "string.h", ag_embedded_string);
    if (!written)
        close_scratch(*scratch, 0);
    return written;
}

static bool compile(const struct ag_project *project, const char *const *defines,
                    size_t define_count, const char *scratch, size_t index, bool verbose)
{
    static const char *const flags[] = {
        "--target=wasm32",
        "-std=c11",
        "-Os",
        "-ffreestanding",
        "-nostdlib",
        "-mbulk-memory",
        "-msign-ext",
        "-mnontrapping-fptoint",
        "-ffunction-sections",
        "-fdata-sections",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra",
    };
    const char *source = json_string_value(json_array_get(project->sources, index));
    struct command command = { 0 };
    add(&command, "%s", tool("AIRGRAFT_CLANG", "clang"));
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        add(&command, "%s", flags[i]);
    add(&command, "-I%s", tool("AIRGRAFT_SDK", scratch));
    // Sources are named in the debug information as seen from the project's folder, wherever it is.
    add(&command, "-g");
    add(&command, "-fdebug-compilation-dir=.");
    add(&command, "-fdebug-prefix-map=%s=sdk", scratch);
    add(&command, "-fdebug-prefix-map=%s=.", project->folder);
    add_list(&command, "-D", project->defines);
    for (size_t i = 0; i < define_count; i++)
        add(&command, "-D%s", defines[i]);
    add_list(&command, "", project->cflags);
    add(&command, "-c");
    if (source[0] == '/')
        add(&command, "%s", source);
    else
        add(&command, "%s/%s", project->folder, source);
    add(&command, "-o");
    add(&command, "%s/%zu.o", scratch, index);
    const bool done = run(&command, verbose, "the compiler");
    clear(&command);
    return done;
}

enum link_purpose {
    LINK_ENDS,    // to read where C stack and data end
    LINK_PUBLISH, // what goes into the file
    LINK_DEBUG,   // the same code with debug information
};

// Links into SCRATCH/module.wasm and reads that.
static bool link_module(const struct ag_project *project, const char *scratch, uint32_t data_stack,
                        enum link_purpose purpose, bool verbose, uint8_t **bytes, size_t *size)
{
    static const char *const flags[] = {
        "--no-entry", "--gc-sections", "--stack-first", "-O2", "--fatal-warnings",
    };
    static const char *const short_flags[] = { "--strip-debug", "--compress-relocations" };
    struct command command = { 0 };
    add(&command, "%s", tool("AIRGRAFT_WASM_LD", "wasm-ld"));
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        add(&command, "%s", flags[i]);
    for (size_t i = 0; purpose != LINK_DEBUG && i < sizeof short_flags / sizeof short_flags[0]; i++)
        add(&command, "%s", short_flags[i]);
    add(&command, "-zstack-size=%u", data_stack);
    for (size_t i = 0; purpose == LINK_ENDS && i < 2; i++)
        add(&command, "--export=%s", i == 0 ? "__data_end" : "__heap_base");
    for (size_t i = 0; i < json_array_size(project->sources); i++)
        add(&command, "%s/%zu.o", scratch, i);
    add(&command, "-o");
    add(&command, "%s/module.wasm", scratch);
    char *path = command.words[command.count - 1];
    const size_t limit = purpose == LINK_DEBUG ? AG_INPUT_DEBUG_MAX : AG_INPUT_PLUGIN_MAX;
    const bool done =
        run(&command, verbose, "the linker") && ag_input_read(path, limit, bytes, size);
    clear(&command);
    return done;
}

static bool read_end(const struct ag_module *module, const char *name, uint32_t *end)
{
    const struct ag_module_export *found = ag_module_find_export(module, name);
    return found && found->kind == AG_MODULE_GLOBAL &&
           ag_module_constant(module, found->index, end);
}

// How much C stack the code takes.
struct stack_need {
    bool is_known;
    uint32_t size;
};

static struct stack_need stack_need(const struct ag_module *module)
{
    struct stack_need need = { .is_known = true };
    // The stack pointer is the only global of a linked module that is ever written.
    if (module->uses & (AG_MODULE_USES_GLOBALS | AG_MODULE_USES_UNKNOWN))
        need.is_known = ag_stack_data(module, &need.size);
    return need;
}

// Links with the ends exported and reads them; tells how much C stack the code takes.
static bool measure(const struct ag_project *project, const char *scratch, bool verbose,
                    struct ag_compile_output *output, struct stack_need *need)
{
    uint8_t *bytes;
    size_t size;
    struct ag_module module;
    if (!link_module(project, scratch, output->data_stack, LINK_ENDS, verbose, &bytes, &size))
        return false;
    bool found = false;
    if (ag_module_open(&module, bytes, size) == AG_OK) {
        found = read_end(&module, "__data_end", &output->data_end) &&
                read_end(&module, "__heap_base", &output->heap_base);
        *need = stack_need(&module);
        ag_module_clear(&module);
    }
    free(bytes);
    if (!found)
        ag_output_fail("use wasm-ld of LLVM 14 or later", "the linker's module is not understood");
    return found;
}

// The linker wants multiples of 16. At least that much stays below the data, so that no
// object has the address of NULL.
static uint32_t round_stack(uint32_t size)
{
    const uint32_t limit = UINT32_MAX - 15;
    if (size < 16)
        return 16;
    return size > limit ? limit & ~15u : (size + 15) & ~15u;
}

static bool refuse_stack(uint32_t given, uint32_t needed)
{
    ag_output_fail("leave \"data_stack\" out of plugin.json",
                   "plugin.json: \"data_stack\" is %u, but the plug-in takes up to %u bytes", given,
                   needed);
    return false;
}

static bool link_all(const struct ag_project *project, const char *scratch, bool verbose,
                     struct ag_compile_output *output)
{
    const uint32_t given = project->data_stack;
    struct stack_need need;
    output->data_stack = round_stack(given > 0 ? given : AG_PROJECT_DATA_STACK);
    if (!measure(project, scratch, verbose, output, &need))
        return false;
    if (need.is_known && given > 0 && given < need.size)
        return refuse_stack(given, need.size);
    const uint32_t least = need.is_known ? round_stack(need.size) : output->data_stack;
    if ((given == 0 || need.size == 0) && least != output->data_stack) {
        output->data_stack = least;
        if (!measure(project, scratch, verbose, output, &need))
            return false;
    }
    output->data_stack_is_known = need.is_known;
    return link_module(project, scratch, output->data_stack, LINK_PUBLISH, verbose, &output->bytes,
                       &output->size) &&
           link_module(project, scratch, output->data_stack, LINK_DEBUG, verbose, &output->debug,
                       &output->debug_size);
}

bool ag_compile_project(const struct ag_project *project, const char *const *defines,
                        size_t define_count, bool verbose, struct ag_compile_output *output)
{
    const size_t source_count = json_array_size(project->sources);
    char *scratch;
    *output = (struct ag_compile_output){ 0 };
    if (!open_scratch(&scratch))
        return false;
    bool done = true;
    for (size_t i = 0; done && i < source_count; i++)
        done = compile(project, defines, define_count, scratch, i, verbose);
    done = done && link_all(project, scratch, verbose, output);
    close_scratch(scratch, source_count);
    return done;
}
