// SPDX-License-Identifier: Apache-2.0
// Test scripts in the text format, made into what ag-spec plays by wabt's wast2json.
#include "spec_convert.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text);
    return size > strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

bool spec_is_text(const char *path)
{
    return ends_with(path, ".wast");
}

static bool add_file(struct spec_files *files, const char *folder, const char *name)
{
    char **larger = realloc(files->paths, (files->count + 1) * sizeof *larger);
    if (!larger)
        return false;
    files->paths = larger;
    return asprintf(&files->paths[files->count], "%s%s", folder, name) >= 0 && ++files->count > 0;
}

static int is_script(const struct dirent *entry)
{
    return spec_is_text(entry->d_name) || ends_with(entry->d_name, ".json");
}

static bool add_folder(struct spec_files *files, const char *path)
{
    struct dirent **entries;
    char folder[4096];
    const int count = scandir(path, &entries, is_script, alphasort);
    bool is_added = count >= 0 && snprintf(folder, sizeof folder, "%s/", path) < 4096;
    for (int i = 0; i < count; i++) {
        is_added = is_added && add_file(files, folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return is_added;
}

bool spec_files_open(char **names, int count, struct spec_files *files)
{
    memset(files, 0, sizeof *files);
    for (int i = 0; i < count; i++) {
        struct stat info;
        errno = 0;
        if (stat(names[i], &info) == 0 &&
            (S_ISDIR(info.st_mode) ? add_folder(files, names[i]) : add_file(files, "", names[i])))
            continue;
        fprintf(stderr, "ag-spec: %s: %s\n", names[i], strerror(errno));
        spec_files_close(files);
        return false;
    }
    return true;
}

void spec_files_close(struct spec_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
    memset(files, 0, sizeof *files);
}

bool spec_folder_open(char *folder, size_t size)
{
    const char *parent = getenv("TMPDIR");
    const int length = snprintf(folder, size, "%s/ag-spec-XXXXXX", parent ? parent : "/tmp");
    return length > 0 && (size_t)length < size && mkdtemp(folder) != NULL;
}

void spec_folder_close(const char *folder)
{
    char path[4096];
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.' &&
            (size_t)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < sizeof path)
            unlink(path);
    }
    if (stream)
        closedir(stream);
    rmdir(folder);
}

// Runs the converter with its messages going to a file; `option` may be NULL.
static bool run_converter(const char *path, const char *json, const char *errors,
                          const char *option)
{
    char *const arguments[] = {
        (char[]){ "wast2json" },        strdup(path), (char[]){ "-o" }, strdup(json),
        option ? strdup(option) : NULL, NULL
    };
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const bool is_started =
        arguments[1] && arguments[3] &&
        posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ) == 0;
    if (is_started && waitpid(child, &status, 0) != child)
        status = -1;
    posix_spawn_file_actions_destroy(&actions);
    free(arguments[1]);
    free(arguments[3]);
    free(arguments[4]);
    return is_started && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The first line of a file.
static void read_reason(const char *path, char *reason, size_t size)
{
    FILE *file = fopen(path, "r");
    snprintf(reason, size, "wast2json cannot be run");
    if (file) {
        if (fgets(reason, (int)size, file))
            reason[strcspn(reason, "\n")] = 0;
        fclose(file);
    }
}

bool spec_convert(const char *path, const char *folder, char *json, size_t json_size, char *reason,
                  size_t reason_size)
{
    char errors[4096];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const int length = (int)strlen(name) - (int)strlen(".wast");
    if ((size_t)snprintf(json, json_size, "%s/%.*s.json", folder, length, name) >= json_size ||
        (size_t)snprintf(errors, sizeof errors, "%s/errors", folder) >= sizeof errors) {
        snprintf(reason, reason_size, "the path is too long");
        return false;
    }
    if (run_converter(path, json, errors, NULL))
        return true;
    read_reason(errors, reason, reason_size); // what it says without options is plainer
    return run_converter(path, json, errors, "--enable-all");
}
