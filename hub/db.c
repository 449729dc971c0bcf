// SPDX-License-Identifier: Apache-2.0
// The hub's SQLite database.
#include "db.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hub_log.h"

#define SCHEMA_VERSION 1

// Times are milliseconds since 1970. Ordinary rowid tables: WITHOUT ROWID with JSON in the rows was
// measured three times slower and three times larger.
static const char schema[] =
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE devices ("
    "  id TEXT PRIMARY KEY, generation TEXT NOT NULL, etag INTEGER NOT NULL,"
    "  enabled INTEGER NOT NULL, status_reason TEXT NOT NULL, status_updated INTEGER NOT NULL,"
    "  authentication INTEGER NOT NULL, primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL,"
    "  primary_thumbprint TEXT NOT NULL, secondary_thumbprint TEXT NOT NULL,"
    "  connection_updated INTEGER NOT NULL, last_activity INTEGER NOT NULL,"
    "  model_id TEXT NOT NULL, subscriptions INTEGER);" // NULL: no session is kept
    "CREATE TABLE twins ("
    "  device_id TEXT PRIMARY KEY REFERENCES devices(id) ON DELETE CASCADE,"
    "  version INTEGER NOT NULL, etag INTEGER NOT NULL, tags TEXT NOT NULL,"
    "  desired TEXT NOT NULL, desired_metadata TEXT NOT NULL, desired_version INTEGER NOT NULL,"
    "  reported TEXT NOT NULL, reported_metadata TEXT NOT NULL, reported_version INTEGER NOT NULL);"
    "CREATE TABLE enrollments ("
    "  kind INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, etag INTEGER NOT NULL,"
    "  enabled INTEGER NOT NULL, primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL,"
    "  created INTEGER NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (kind, id));"
    "CREATE TABLE registrations ("
    "  id TEXT PRIMARY KEY, registration_id TEXT NOT NULL, operation TEXT NOT NULL,"
    "  device_id TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,"
    "  etag TEXT NOT NULL);"
    "CREATE TABLE blobs ("
    "  container TEXT NOT NULL, name TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,"
    "  md5 TEXT NOT NULL, content_type TEXT NOT NULL, etag TEXT NOT NULL,"
    "  modified INTEGER NOT NULL, PRIMARY KEY (container, name));"
    "CREATE TABLE containers (name TEXT PRIMARY KEY, created INTEGER NOT NULL);";

static enum ag_status log_error(struct ag_db *db, const char *what)
{
    ag_hub_log_write(AG_HUB_LOG_ERROR, "database: %s: %s", what, sqlite3_errmsg(db->handle));
    return AG_ERR_IO;
}

static enum ag_status execute(struct ag_db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? AG_OK
                                                                        : log_error(db, "sql");
}

static enum ag_status make_schema(struct ag_db *db)
{
    sqlite3_stmt *statement = ag_db_read(db, "PRAGMA user_version", "");
    if (!ag_db_next(db, statement))
        return log_error(db, "user_version");
    int version = sqlite3_column_int(statement, 0);
    ag_db_finish(statement);
    if (version == SCHEMA_VERSION)
        return AG_OK;
    if (version != 0) {
        ag_hub_log_write(AG_HUB_LOG_ERROR, "database: made by another version of the hub (%d)",
                         version);
        return AG_ERR_UNSUPPORTED;
    }
    enum ag_status status = execute(db, "BEGIN IMMEDIATE");
    if (status == AG_OK)
        status = execute(db, schema);
    if (status == AG_OK)
        status = execute(db, "PRAGMA user_version = 1");
    return status == AG_OK ? execute(db, "COMMIT") : status;
}

enum ag_status ag_db_open(struct ag_db *db, const char *path, void (*schedule)(void *),
                          void *context)
{
    memset(db, 0, sizeof *db);
    db->schedule = schedule;
    db->schedule_context = context;
    enum ag_status status = AG_OK;
    if (sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK)
        status = log_error(db, path);
    // FULL: a commit is on the disk when it returns, not only safe from a crash of this program.
    if (status == AG_OK)
        status = execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                             "PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;");
    if (status == AG_OK)
        status = make_schema(db);
    if (status != AG_OK)
        ag_db_close(db);
    return status;
}

void ag_db_close(struct ag_db *db)
{
    ag_db_commit(db);
    for (size_t i = 0; i < db->statement_count; i++)
        sqlite3_finalize(db->statements[i].handle);
    db->statement_count = 0;
    sqlite3_close(db->handle);
    db->handle = NULL;
}

// The prepared statement of this literal, or NULL when SQLite refuses it.
static sqlite3_stmt *find_statement(struct ag_db *db, const char *sql)
{
    for (size_t i = 0; i < db->statement_count; i++) {
        if (db->statements[i].sql == sql) {
            sqlite3_reset(db->statements[i].handle);
            return db->statements[i].handle;
        }
    }
    assert(db->statement_count < AG_DB_STATEMENT_MAX);
    sqlite3_stmt *handle = NULL;
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL) !=
        SQLITE_OK) {
        log_error(db, sql);
        return NULL;
    }
    db->statements[db->statement_count].sql = sql;
    db->statements[db->statement_count++].handle = handle;
    return handle;
}

static void bind(sqlite3_stmt *statement, const char *kinds, va_list arguments)
{
    for (int i = 0; kinds[i] != '\0'; i++) {
        assert(kinds[i] == 't' || kinds[i] == 'i');
        if (kinds[i] == 'i')
            sqlite3_bind_int64(statement, i + 1, va_arg(arguments, int64_t));
        else
            sqlite3_bind_text(statement, i + 1, va_arg(arguments, const char *), -1,
                              SQLITE_TRANSIENT);
    }
}

// Opens the transaction that the next commit closes.
static bool begin(struct ag_db *db)
{
    if (db->in_transaction)
        return true;
    if (execute(db, "BEGIN IMMEDIATE") != AG_OK)
        db->failed = true;
    db->in_transaction = true;
    if (db->schedule != NULL)
        db->schedule(db->schedule_context);
    return !db->failed;
}

enum ag_status ag_db_write(struct ag_db *db, const char *sql, const char *kinds, ...)
{
    if (!begin(db))
        return AG_ERR_IO;
    sqlite3_stmt *statement = find_statement(db, sql);
    if (statement == NULL) {
        db->failed = true;
        return AG_ERR_IO;
    }
    va_list arguments;
    va_start(arguments, kinds);
    bind(statement, kinds, arguments);
    va_end(arguments);
    int result = sqlite3_step(statement);
    enum ag_status status = sqlite3_changes(db->handle) > 0 ? AG_OK : AG_ERR_NOT_FOUND;
    if (result != SQLITE_DONE) {
        status = log_error(db, sql);
        db->failed = true;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

sqlite3_stmt *ag_db_read(struct ag_db *db, const char *sql, const char *kinds, ...)
{
    sqlite3_stmt *statement = find_statement(db, sql);
    if (statement == NULL)
        return NULL;
    va_list arguments;
    va_start(arguments, kinds);
    bind(statement, kinds, arguments);
    va_end(arguments);
    return statement;
}

bool ag_db_next(struct ag_db *db, sqlite3_stmt *statement)
{
    if (statement == NULL)
        return false;
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        log_error(db, sqlite3_sql(statement));
    sqlite3_reset(statement);
    return false;
}

void ag_db_finish(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
}

const char *ag_db_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text == NULL ? "" : (const char *)text;
}

void ag_db_copy_text(sqlite3_stmt *statement, int column, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s", ag_db_text(statement, column));
}

void ag_db_when_durable(struct ag_db *db, struct ag_db_waiter *waiter)
{
    waiter->next = NULL;
    if (!db->in_transaction) {
        waiter->done(waiter, true);
        return;
    }
    if (db->first_waiter == NULL)
        db->first_waiter = waiter;
    else
        db->last_waiter->next = waiter;
    db->last_waiter = waiter;
}

void ag_db_commit(struct ag_db *db)
{
    if (!db->in_transaction)
        return;
    bool durable = !db->failed && execute(db, "COMMIT") == AG_OK;
    if (!durable && sqlite3_get_autocommit(db->handle) == 0)
        (void)execute(db, "ROLLBACK");
    db->in_transaction = false;
    db->failed = false;
    struct ag_db_waiter *waiter = db->first_waiter;
    db->first_waiter = NULL;
    db->last_waiter = NULL;
    while (waiter != NULL) {
        struct ag_db_waiter *next = waiter->next;
        waiter->done(waiter, durable);
        waiter = next;
    }
}
