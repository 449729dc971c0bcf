// SPDX-License-Identifier: Apache-2.0
// The hub's SQLite database: schema, prepared statements, and group commit.
//
// A write opens a transaction that collects all writes of one turn of the event loop. Answers to
// clients wait as `ag_db_waiter`s until it is committed, so nobody is told of a write that a power
// cut could undo. Answers to reads wait behind it as well: they may show what is not yet durable.
#ifndef AG_HUB_DB_H
#define AG_HUB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/status.h"

#define AG_DB_STATEMENT_MAX 64

struct ag_db_waiter {
    // Called once, `durable` false when the writes were lost; may free the waiter.
    void (*done)(struct ag_db_waiter *waiter, bool durable);
    struct ag_db_waiter *next;
};

struct ag_db {
    sqlite3 *handle;
    bool in_transaction;
    bool failed; // a write of the open transaction failed: it is rolled back
    struct ag_db_waiter *first_waiter;
    struct ag_db_waiter *last_waiter;
    void (*schedule)(void *context); // asked once per transaction to call ag_db_commit soon
    void *schedule_context;
    struct {
        const char *sql; // identified by its address: one literal, one statement
        sqlite3_stmt *handle;
    } statements[AG_DB_STATEMENT_MAX];
    size_t statement_count;
};

// Opens or makes the database in `path`. AG_ERR_IO with a line in the log when that fails,
// AG_ERR_UNSUPPORTED when the file is from a newer hub. `schedule` may be NULL: the caller commits.
AG_MUST_CHECK enum ag_status ag_db_open(struct ag_db *db, const char *path,
                                        void (*schedule)(void *), void *context);
// Commits what is open, answers all waiters, closes.
void ag_db_close(struct ag_db *db);

// Runs a statement that writes. `kinds` has one letter per following argument: `t` const char *
// (NULL allowed), `i` int64_t. A failure is logged and rolls back the whole transaction, which its
// waiters then hear; AG_ERR_NOT_FOUND when no row was changed.
enum ag_status ag_db_write(struct ag_db *db, const char *sql, const char *kinds, ...);

// Starts a statement that reads; step it with ag_db_next. It is reset by the next use of its text.
sqlite3_stmt *ag_db_read(struct ag_db *db, const char *sql, const char *kinds, ...);
// True while there is a row; resets the statement at the end.
bool ag_db_next(struct ag_db *db, sqlite3_stmt *statement);
// Stops reading before the end.
void ag_db_finish(sqlite3_stmt *statement);
// A column's text, never NULL; valid until the next step. And a bounded copy of it.
const char *ag_db_text(sqlite3_stmt *statement, int column);
void ag_db_copy_text(sqlite3_stmt *statement, int column, char *text, size_t capacity);

// Calls the waiter when everything written so far is durable: at once if it is already.
void ag_db_when_durable(struct ag_db *db, struct ag_db_waiter *waiter);
// Commits the open transaction, if any, and calls its waiters.
void ag_db_commit(struct ag_db *db);

#endif
