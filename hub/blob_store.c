// SPDX-License-Identifier: Apache-2.0
// Blobs: their rows in the database and their files.
#include "blob_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub_log.h"
#include "memory.h"

static char *file_path(const struct ag_hub *hub, const char *file)
{
    return ag_memory_format("%s/blobs/%s", hub->data_path, file);
}

static enum ag_status fail(const char *what, const char *path)
{
    ag_hub_log_write(AG_HUB_LOG_ERROR, "blobs: cannot %s %s: %s", what, path, strerror(errno));
    return AG_ERR_IO;
}

static bool is_known(struct ag_hub *hub, const char *file)
{
    sqlite3_stmt *row = ag_db_read(&hub->db, "SELECT 1 FROM blobs WHERE file = ?", "t", file);
    bool known = ag_db_next(&hub->db, row);
    if (known)
        ag_db_finish(row);
    return known;
}

enum ag_status ag_blob_store_prepare(struct ag_hub *hub)
{
    char *path = file_path(hub, "");
    enum ag_status status = AG_OK;
    DIR *folder = NULL;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        status = fail("make", path);
    else if ((folder = opendir(path)) == NULL)
        status = fail("read", path);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.' && !is_known(hub, entry->d_name))
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder != NULL)
        closedir(folder);
    free(path);
    return status;
}

enum ag_status ag_blob_store_get(struct ag_hub *hub, const char *container, const char *name,
                                 struct ag_blob *blob)
{
    sqlite3_stmt *row = ag_db_read(&hub->db,
                                   "SELECT file, size, md5, content_type, etag, modified FROM blobs"
                                   " WHERE container = ? AND name = ?",
                                   "tt", container, name);
    if (!ag_db_next(&hub->db, row))
        return AG_ERR_NOT_FOUND;
    memset(blob, 0, sizeof *blob);
    ag_db_copy_text(row, 0, blob->file, sizeof blob->file);
    blob->size = sqlite3_column_int64(row, 1);
    ag_db_copy_text(row, 2, blob->md5, sizeof blob->md5);
    ag_db_copy_text(row, 3, blob->content_type, sizeof blob->content_type);
    ag_db_copy_text(row, 4, blob->etag, sizeof blob->etag);
    blob->modified_ms = sqlite3_column_int64(row, 5);
    ag_db_finish(row);
    return AG_OK;
}

static bool write_all(int file, struct evbuffer *bytes)
{
    struct evbuffer_ptr at;
    struct evbuffer_iovec piece;
    if (evbuffer_get_length(bytes) == 0)
        return true;
    evbuffer_ptr_set(bytes, &at, 0, EVBUFFER_PTR_SET);
    while (evbuffer_peek(bytes, -1, &at, &piece, 1) > 0) {
        for (size_t done = 0; done < piece.iov_len;) {
            ssize_t count = write(file, (char *)piece.iov_base + done, piece.iov_len - done);
            if (count < 0 && errno == EINTR)
                continue;
            if (count <= 0)
                return false;
            done += (size_t)count;
        }
        if (evbuffer_ptr_set(bytes, &at, piece.iov_len, EVBUFFER_PTR_ADD) != 0)
            break;
    }
    return true;
}

static bool sync_folder(const struct ag_hub *hub)
{
    char *path = file_path(hub, "");
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(path);
    bool done = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return done;
}

static enum ag_status write_file(const struct ag_hub *hub, const char *name, struct evbuffer *bytes)
{
    char *path = file_path(hub, name);
    enum ag_status status = AG_OK;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 || !write_all(file, bytes) || fsync(file) != 0 || !sync_folder(hub))
        status = fail("write", path);
    if (file >= 0)
        close(file);
    if (status != AG_OK && file >= 0)
        (void)unlink(path);
    free(path);
    return status;
}

// A file to be removed when the row that named it is durably gone.
struct removal {
    struct ag_db_waiter waiter;
    char path[];
};

static void remove_file(struct ag_db_waiter *waiter, bool durable)
{
    struct removal *removal = (struct removal *)waiter;
    if (durable)
        (void)unlink(removal->path);
    free(removal);
}

static void remove_later(struct ag_hub *hub, const char *file)
{
    char *path = file_path(hub, file);
    size_t size = strlen(path) + 1;
    struct removal *removal = ag_memory_zeroed(sizeof *removal + size);
    memcpy(removal->path, path, size);
    removal->waiter.done = remove_file;
    free(path);
    ag_db_when_durable(&hub->db, &removal->waiter);
}

enum ag_status ag_blob_store_put(struct ag_hub *hub, const char *container, const char *name,
                                 struct evbuffer *bytes, struct ag_blob *blob)
{
    struct ag_blob older;
    bool replaces = ag_blob_store_get(hub, container, name, &older) == AG_OK;
    char random[17];
    ag_encoding_new_hex(16, blob->file);
    ag_encoding_new_hex(7, random);
    snprintf(blob->etag, sizeof blob->etag, "0x8%.14s", random);
    for (char *at = blob->etag + 2; *at != '\0'; at++)
        *at = *at >= 'a' ? (char)(*at - 'a' + 'A') : *at;
    blob->size = (int64_t)evbuffer_get_length(bytes);
    blob->modified_ms = ag_hub_wall_ms(hub);
    enum ag_status status = write_file(hub, blob->file, bytes);
    if (status != AG_OK)
        return status;
    status = ag_db_write(&hub->db, "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                         "tttittti", container, name, blob->file, blob->size, blob->md5,
                         blob->content_type, blob->etag, blob->modified_ms);
    if (status == AG_OK && replaces)
        remove_later(hub, older.file);
    return status;
}

enum ag_status ag_blob_store_remove(struct ag_hub *hub, const char *container, const char *name)
{
    struct ag_blob blob;
    if (ag_blob_store_get(hub, container, name, &blob) != AG_OK)
        return AG_ERR_NOT_FOUND;
    enum ag_status status = ag_db_write(
        &hub->db, "DELETE FROM blobs WHERE container = ? AND name = ?", "tt", container, name);
    if (status == AG_OK)
        remove_later(hub, blob.file);
    return status;
}

int ag_blob_store_open(const struct ag_hub *hub, const struct ag_blob *blob)
{
    char *path = file_path(hub, blob->file);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        (void)fail("open", path);
    free(path);
    return file;
}

enum ag_status ag_blob_store_add_container(struct ag_hub *hub, const char *container)
{
    return ag_db_write(&hub->db, "INSERT OR IGNORE INTO containers VALUES (?, ?)", "ti", container,
                       ag_hub_wall_ms(hub));
}
