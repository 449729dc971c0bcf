// SPDX-License-Identifier: Apache-2.0
// `airgraft new`: a plug-in project from the template.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/buffer.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/embedded.h"
#include "plugin/metadata.h"

// A name that is at once a plug-in's, a folder's and a file's, and no work to type.
static bool is_plain(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const size_t size = strlen(name);
    return size >= 1 && size <= AG_CFG_NAME_MAX && name[strspn(name, allowed)] == 0 &&
           name[0] != '-';
}

static void fill_in(const char *template, const char *name, struct ag_buffer *out)
{
    static const char placeholder[] = "@NAME@";
    const char *next;
    while ((next = strstr(template, placeholder))) {
        ag_buffer_append(out, template, (size_t)(next - template));
        ag_buffer_append(out, name, strlen(name));
        template = next + sizeof placeholder - 1;
    }
    ag_buffer_append(out, template, strlen(template));
}

static bool write_file(const char *folder, const char *file, const char *template, const char *name)
{
    struct ag_buffer content = { 0 };
    char *path;
    if (asprintf(&path, "%s/%s", folder, file) < 0)
        exit(ag_output_fail("close other programs", "out of memory"));
    fill_in(template, name, &content);
    const bool written = ag_input_write(path, 0644, AG_INPUT_KEEP, content.bytes, content.size);
    ag_buffer_clear(&content);
    free(path);
    return written;
}

static int create(const char *folder)
{
    const char *slash = strrchr(folder, '/');
    const char *name = slash ? slash + 1 : folder;
    char source[AG_CFG_NAME_MAX + 3];
    if (!is_plain(name))
        return ag_output_misuse("use letters, digits, - and _, at most 32",
                                "\"%s\" cannot be a plug-in's name", name);
    if (mkdir(folder, 0777) != 0)
        return ag_output_fail(errno == EEXIST ? "choose another name, or remove it first"
                                              : "check the path",
                              "cannot make the folder %s: %s", folder, strerror(errno));
    snprintf(source, sizeof source, "%s.c", name);
    if (!write_file(folder, "plugin.json", ag_embedded_template_json, name) ||
        !write_file(folder, source, ag_embedded_template_source, name) ||
        !write_file(folder, "README.md", ag_embedded_template_readme, name) ||
        !write_file(folder, ".gitignore", ag_embedded_template_ignored, name))
        return AG_EXIT_FAILED;
    printf("%s: a plug-in project. Next:\n  cd %s\n  airgraft build\n  airgraft run %s-1.wasm\n",
           folder, folder, name);
    return AG_EXIT_OK;
}

int cmd_new(int argc, char **argv)
{
    bool header = false;
    const struct ag_option rows[] = {
        { "header", 0, AG_OPTION_FLAG, &header, NULL,
          "print airgraft.h, which says what a plug-in may call", 0, 0 },
    };
    const struct ag_usage usage = {
        .name = "new",
        .synopsis = "NAME\n--header",
        .summary = "Makes the folder NAME with a plug-in project: plugin.json, NAME.c, README.md.",
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .examples = "airgraft new hello",
        .operand_max = 1,
    };
    char **operands;
    size_t count;
    const int parsed = ag_options_parse(&usage, argc, argv, &operands, &count);
    if (parsed != AG_OPTIONS_GO)
        return parsed;
    if (header) {
        printf("%s", ag_embedded_header);
        return AG_EXIT_OK;
    }
    if (count == 0)
        return ag_output_misuse("see airgraft new --help", "an operand is missing");
    return create(operands[0]);
}
