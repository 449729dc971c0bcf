// SPDX-License-Identifier: Apache-2.0
// Kills a program at its n-th write to a file: runs it under ptrace and counts the system calls
// that change the file or make it durable.
//
//   kill_at N before|torn|after FILE PROGRAM [ARGUMENT...]
//
// before: the call does not happen; torn: half of its bytes are written; after: it happens, and the
// program does not see its answer. N 0: never. When the program has ended, by SIGKILL or by itself,
// the last line on stdout is "writes W", all that were begun. Exits 0 if it was killed here, 1 if
// it ended before, 2 on wrong usage. SIGTERM is passed on to the program.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/elf.h>

static volatile sig_atomic_t program;

static void pass_on(int number)
{
    if (program > 0)
        kill((pid_t)program, number);
}

enum mode {
    BEFORE,
    TORN,
    AFTER,
};

static struct {
    unsigned long at;
    enum mode mode;
    const char *file;
    unsigned long writes;
    bool is_in_call; // the n-th one was let in
} trace;

static bool is_a_write(uint64_t number)
{
    switch (number) {
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_ftruncate:
    case SYS_fallocate:
    case SYS_fdatasync:
    case SYS_fsync:
        return true;
    default:
        return false;
    }
}

static bool is_of_file(pid_t pid, uint64_t fd)
{
    char path[64];
    char target[4096];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, (int)fd);
    const ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0)
        return false;
    target[size] = 0;
    return strcmp(target, trace.file) == 0;
}

// Halves the size of a write that is about to happen. False where this machine's registers are not
// known.
static bool halve(pid_t pid, uint64_t size)
{
#if defined __x86_64__
    const size_t place = 12; // rdx, in the order of struct user_regs_struct
#elif defined __aarch64__
    const size_t place = 2; // x2
#else
    const size_t place = SIZE_MAX;
#endif
    uint64_t registers[64];
    struct iovec vector = { registers, sizeof registers };
    if (place == SIZE_MAX || ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector) != 0)
        return false;
    if (registers[place] != size)
        return false;
    registers[place] = size / 2;
    return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &vector) == 0;
}

// A system call is about to happen or has. True: the program is to die now.
static bool at_call(pid_t pid)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0)
        return false;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        return trace.is_in_call;
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_a_write(info.entry.nr) ||
        !is_of_file(pid, info.entry.args[0]))
        return false;
    if (++trace.writes != trace.at)
        return false;
    if (trace.mode == BEFORE)
        return true;
    if (trace.mode == TORN && (info.entry.nr != SYS_pwrite64 || !halve(pid, info.entry.args[2]))) {
        trace.writes--; // nothing to tear: the next one
        return false;
    }
    trace.is_in_call = true;
    return false;
}

static bool run(pid_t pid)
{
    int state;
    bool is_killed = false;
    int number = 0;
    while (ptrace(PTRACE_SYSCALL, pid, 0, number) == 0) {
        number = 0;
        while (waitpid(pid, &state, 0) < 0)
            if (errno != EINTR)
                return is_killed;
        if (!WIFSTOPPED(state))
            return is_killed;
        if (WSTOPSIG(state) != (SIGTRAP | 0x80)) {
            number = WSTOPSIG(state) == SIGTRAP ? 0 : WSTOPSIG(state);
            continue;
        }
        if (!at_call(pid))
            continue;
        kill(pid, SIGKILL);
        is_killed = true;
    }
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    return is_killed;
}

static bool read_mode(const char *text)
{
    static const char *const names[] = { [BEFORE] = "before", [TORN] = "torn", [AFTER] = "after" };
    for (int mode = BEFORE; mode <= AFTER; mode++) {
        trace.mode = (enum mode)mode;
        if (strcmp(text, names[mode]) == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    int state;
    if (argc < 5 || !read_mode(argv[2])) {
        fprintf(stderr, "usage: kill_at N before|torn|after FILE PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    trace.at = strtoul(argv[1], NULL, 10);
    trace.file = argv[3];
    const pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execv(argv[4], argv + 4);
        perror(argv[4]);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &state, 0) != pid || !WIFSTOPPED(state) ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) {
        perror("kill_at");
        return 2;
    }
    program = pid;
    struct sigaction action = { .sa_handler = pass_on };
    sigaction(SIGTERM, &action, NULL);
    const bool is_killed = run(pid);
    printf("writes %lu\n", trace.writes);
    return is_killed ? 0 : 1;
}
