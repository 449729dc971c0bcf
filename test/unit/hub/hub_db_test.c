// SPDX-License-Identifier: Apache-2.0
// Group commit: answers wait for it, failures reach everybody, and what was answered survives
// SIGKILL.
#include "hub/db.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/harness.h"

static char folder[64];
static char path[96];
static int scheduled;

static void count_schedule(void *context)
{
    (void)context;
    scheduled++;
}

static void begin_folder(void)
{
    strcpy(folder, "/tmp/ag-db-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/hub.db", folder);
    scheduled = 0;
}

static void end_folder(void)
{
    static const char *const names[] = { "hub.db", "hub.db-wal", "hub.db-shm" };
    for (size_t i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        (void)unlink(name);
    }
    (void)rmdir(folder);
}

struct note {
    struct ag_db_waiter waiter;
    int order; // 0: not called
    bool durable;
};
static int called;

static void take_note(struct ag_db_waiter *waiter, bool durable)
{
    struct note *note = (struct note *)waiter;
    note->order = ++called;
    note->durable = durable;
}

static void set(struct ag_db *db, const char *name, const char *value)
{
    CHECK_EQUAL(ag_db_write(db, "INSERT OR REPLACE INTO settings VALUES (?, ?)", "tt", name, value),
                AG_OK);
}

static int64_t count_settings(struct ag_db *db)
{
    sqlite3_stmt *row = ag_db_read(db, "SELECT count(*) FROM settings", "");
    CHECK(ag_db_next(db, row));
    int64_t count = sqlite3_column_int64(row, 0);
    ag_db_finish(row);
    return count;
}

static void answers_wait_for_the_commit_in_their_order(void)
{
    struct ag_db db;
    struct note first = { { take_note, NULL }, 0, false };
    struct note second = first;
    struct note late = first;
    begin_folder();
    called = 0;
    CHECK_EQUAL(ag_db_open(&db, path, count_schedule, NULL), AG_OK);
    set(&db, "a", "1");
    ag_db_when_durable(&db, &first.waiter);
    set(&db, "b", "2");
    ag_db_when_durable(&db, &second.waiter);
    CHECK_EQUAL(called, 0);
    CHECK_EQUAL(scheduled, 1);
    ag_db_commit(&db);
    CHECK(first.order == 1 && first.durable && second.order == 2 && second.durable);
    ag_db_when_durable(&db, &late.waiter); // nothing is open: at once
    CHECK(late.order == 3 && late.durable);
    ag_db_close(&db);
    end_folder();
}

static void a_failed_write_undoes_the_group_and_tells_everybody(void)
{
    struct ag_db db;
    struct note first = { { take_note, NULL }, 0, true };
    struct note second = first;
    begin_folder();
    called = 0;
    CHECK_EQUAL(ag_db_open(&db, path, count_schedule, NULL), AG_OK);
    int64_t before = count_settings(&db);
    set(&db, "a", "1");
    ag_db_when_durable(&db, &first.waiter);
    CHECK_EQUAL(ag_db_write(&db, "INSERT INTO settings VALUES ('a', 'again')", ""), AG_ERR_IO);
    ag_db_when_durable(&db, &second.waiter);
    ag_db_commit(&db);
    CHECK(first.order == 1 && !first.durable && second.order == 2 && !second.durable);
    CHECK_EQUAL(count_settings(&db), before);
    set(&db, "b", "1"); // and it goes on
    ag_db_commit(&db);
    CHECK_EQUAL(count_settings(&db), before + 1);
    ag_db_close(&db);
    end_folder();
}

static void a_write_that_changes_no_row_says_so(void)
{
    struct ag_db db;
    begin_folder();
    CHECK_EQUAL(ag_db_open(&db, path, NULL, NULL), AG_OK);
    CHECK_EQUAL(ag_db_write(&db, "DELETE FROM devices WHERE id = ?", "t", "none"),
                AG_ERR_NOT_FOUND);
    ag_db_close(&db);
    end_folder();
}

static void a_write_behind_a_commit_opens_the_next_group(void)
{
    struct ag_db db;
    begin_folder();
    CHECK_EQUAL(ag_db_open(&db, path, count_schedule, NULL), AG_OK);
    set(&db, "a", "1");
    ag_db_commit(&db);
    set(&db, "a", "2");
    CHECK_EQUAL(scheduled, 2);
    ag_db_close(&db); // commits
    CHECK_EQUAL(ag_db_open(&db, path, count_schedule, NULL), AG_OK);
    sqlite3_stmt *row = ag_db_read(&db, "SELECT value FROM settings WHERE name = 'a'", "");
    CHECK(ag_db_next(&db, row));
    CHECK_TEXT(ag_db_text(row, 0), "2");
    ag_db_finish(row);
    ag_db_close(&db);
    end_folder();
}

static void files_that_are_no_database_or_a_newer_one_are_refused(void)
{
    struct ag_db db;
    begin_folder();
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs("this is not a database, and long enough to be taken for the header of one ......... "
          "..............................................................................",
          file);
    fclose(file);
    CHECK_EQUAL(ag_db_open(&db, path, NULL, NULL), AG_ERR_IO);
    CHECK_EQUAL(unlink(path), 0);
    CHECK_EQUAL(ag_db_open(&db, path, NULL, NULL), AG_OK);
    CHECK_EQUAL(sqlite3_exec(db.handle, "PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
    ag_db_close(&db);
    CHECK_EQUAL(ag_db_open(&db, path, NULL, NULL), AG_ERR_UNSUPPORTED);
    end_folder();
}

// The child writes 1, 2, 3, … and tells each when it is durable; a group has one to four writes.
static void write_until_killed(int pipe_end)
{
    struct ag_db db;
    if (ag_db_open(&db, path, NULL, NULL) != AG_OK)
        _exit(1);
    for (int64_t i = 1;; i++) {
        char value[24];
        snprintf(value, sizeof value, "%lld", (long long)i);
        (void)ag_db_write(&db, "INSERT INTO settings VALUES (?, ?)", "tt", value, value);
        if (i % 4 == 0 || i % 7 == 0) {
            ag_db_commit(&db);
            if (write(pipe_end, &i, sizeof i) != sizeof i)
                _exit(1);
        }
    }
}

static void what_was_answered_survives_sigkill(void)
{
    for (int round = 1; round <= 12; round++) {
        int ends[2];
        begin_folder();
        CHECK_EQUAL(pipe(ends), 0);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            close(ends[0]);
            write_until_killed(ends[1]);
        }
        close(ends[1]);
        int64_t answered = 0;
        int64_t number;
        while (answered < round * 5 && read(ends[0], &number, sizeof number) == sizeof number)
            answered = number;
        kill(child, SIGKILL);
        while (read(ends[0], &number, sizeof number) == sizeof number)
            answered = number;
        close(ends[0]);
        CHECK_EQUAL(waitpid(child, NULL, 0), child);
        struct ag_db db;
        test_note("round %d, answered up to %lld", round, (long long)answered);
        CHECK_EQUAL(ag_db_open(&db, path, NULL, NULL), AG_OK);
        CHECK(answered >= round * 5);
        CHECK(count_settings(&db) >= answered);
        ag_db_close(&db);
        end_folder();
    }
}

static const struct test_case cases[] = {
    TEST(answers_wait_for_the_commit_in_their_order),
    TEST(a_failed_write_undoes_the_group_and_tells_everybody),
    TEST(a_write_that_changes_no_row_says_so),
    TEST(a_write_behind_a_commit_opens_the_next_group),
    TEST(files_that_are_no_database_or_a_newer_one_are_refused),
    TEST(what_was_answered_survives_sigkill),
};
TEST_MAIN(cases)
