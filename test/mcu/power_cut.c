// SPDX-License-Identifier: Apache-2.0
// A plugin for QEMU's translator: watches the stores into the flash window of an emulated board,
// and takes the power away at one of them, which no signal from outside does so exactly.
//
//   -plugin FILE,flash=PATH[,base=0x21000000][,at=N,how=before|torn|after][,trace=PATH]
//                [,from=ADDRESS,to=ADDRESS][,counts=PATH]
//
// flash   the file behind the window (a memory backend with share=on)
// at      ends QEMU, with code 99, at the N-th store, the first being 1: it did not happen; it
//         cleared some of the bits that it was to clear, or set some; it happened. A unit of flash
//         is several stores, so a part of a unit's words stands there at most N
// trace   gets a line `OFFSET VALUE` in hexadecimal for each store, for images as a cut at any of
//         them would leave
// counts  gets a line `stores N` at the end, and with from and to, addresses of instructions,
//         `instructions N`: those from the first time that `from` was reached to the first time
//         after it that `to` was; `instructions -` where it was not
//
// The store has happened when a plugin hears of it: what stood there before is kept here.
#include "test/mcu/qemu_plugin.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CUT_CODE 99

int qemu_plugin_version = 1;

enum how {
    BEFORE = 0,
    TORN,
    AFTER,
};

static struct {
    uint64_t base;
    uint64_t size;
    uint8_t *flash;  // the window's file
    uint8_t *before; // as it was before the store in hand
    uint64_t at;
    enum how how;
    FILE *trace;
    const char *counts;
    uint64_t from;
    uint64_t to;
    uint64_t stores;
    uint64_t executed;
    uint64_t started;  // `executed` at `from`
    uint64_t finished; // and at `to`
    bool has_started;
    bool has_finished;
} cut = { .base = 0x21000000 };

static void write_counts(void)
{
    FILE *file = cut.counts ? fopen(cut.counts, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "stores %" PRIu64 "\n", cut.stores);
    if (cut.has_finished)
        fprintf(file, "instructions %" PRIu64 "\n", cut.finished - cut.started);
    else if (cut.to)
        fprintf(file, "instructions -\n");
    fclose(file);
}

static void end(qemu_plugin_id_t id, void *userdata)
{
    (void)id, (void)userdata;
    write_counts();
    if (cut.trace)
        fclose(cut.trace);
}

static _Noreturn void take_power(uint64_t offset, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        const uint8_t old = cut.before[offset + i];
        const uint8_t changed = old ^ cut.flash[offset + i];
        const uint8_t chosen = (uint8_t)((cut.at + i) * 0x9Du); // of the bits that change
        if (cut.how == BEFORE)
            cut.flash[offset + i] = old;
        else if (cut.how == TORN)
            cut.flash[offset + i] = old ^ (changed & chosen);
    }
    write_counts();
    if (cut.trace)
        fflush(cut.trace);
    _exit(CUT_CODE);
}

static void stored(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *userdata)
{
    (void)cpu, (void)userdata;
    if (address - cut.base >= cut.size || !qemu_plugin_mem_is_store(info))
        return;
    const uint64_t offset = address - cut.base;
    const uint32_t size = 1u << qemu_plugin_mem_size_shift(info);
    if (size > cut.size - offset)
        return;
    if (cut.trace) {
        fprintf(cut.trace, "%" PRIx64 " ", offset);
        for (uint32_t i = 0; i < size; i++)
            fprintf(cut.trace, "%02x", cut.flash[offset + i]);
        putc('\n', cut.trace);
    }
    if (++cut.stores == cut.at)
        take_power(offset, size);
    memcpy(cut.before + offset, cut.flash + offset, size);
}

static void reached(unsigned int cpu, void *userdata)
{
    (void)cpu;
    if (userdata == &cut.from && !cut.has_started) {
        cut.has_started = true;
        cut.started = cut.executed;
    } else if (userdata == &cut.to && cut.has_started && !cut.has_finished) {
        cut.has_finished = true;
        cut.finished = cut.executed;
    }
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        if (cut.flash)
            qemu_plugin_register_vcpu_mem_cb(insn, stored, QEMU_PLUGIN_CB_NO_REGS,
                                             QEMU_PLUGIN_MEM_W, NULL);
        if (!cut.to)
            continue;
        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &cut.executed,
                                                   1);
        if (address == cut.from)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, reached, QEMU_PLUGIN_CB_NO_REGS,
                                                   &cut.from);
        if (address == cut.to)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, reached, QEMU_PLUGIN_CB_NO_REGS, &cut.to);
    }
}

// ---- Arguments ---------------------------------------------------------------------------------

static bool open_flash(const char *path)
{
    struct stat info;
    const int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0)
        return false;
    cut.size = (uint64_t)info.st_size;
    cut.flash = mmap(NULL, cut.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    cut.before = malloc(cut.size);
    close(file);
    if (cut.flash == MAP_FAILED || !cut.before)
        return false;
    memcpy(cut.before, cut.flash, cut.size);
    return true;
}

static bool take_how(const char *text)
{
    static const char *const names[] = { [BEFORE] = "before", [TORN] = "torn", [AFTER] = "after" };
    for (cut.how = BEFORE; cut.how <= AFTER; cut.how++)
        if (strcmp(text, names[cut.how]) == 0)
            return true;
    return false;
}

static bool take_number(const char *text, uint64_t *number)
{
    char *rest;
    *number = strtoull(text, &rest, 0);
    return rest != text && *rest == 0;
}

// False for what is not understood: a cut that does not happen would look as one that was survived.
static bool take(const char *argument)
{
    const char *value = strchr(argument, '=');
    const size_t size = value ? (size_t)(value++ - argument) : 0;
#define IS(name) (size == sizeof(name) - 1 && memcmp(argument, name, size) == 0)
    if (IS("flash"))
        return open_flash(value);
    if (IS("base"))
        return take_number(value, &cut.base);
    if (IS("at"))
        return take_number(value, &cut.at) && cut.at > 0;
    if (IS("how"))
        return take_how(value);
    if (IS("from"))
        return take_number(value, &cut.from);
    if (IS("to"))
        return take_number(value, &cut.to);
    if (IS("trace")) {
        cut.trace = fopen(value, "w");
        return cut.trace != NULL;
    }
    if (IS("counts")) {
        cut.counts = strdup(value);
        return cut.counts != NULL;
    }
#undef IS
    return false;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!take(argv[i])) {
            fprintf(stderr, "power_cut: cannot use %s\n", argv[i]);
            return 1;
        }
    }
    if (cut.at && !cut.flash) {
        fprintf(stderr, "power_cut: at= needs flash=\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, end, NULL);
    return 0;
}
