// SPDX-License-Identifier: Apache-2.0
// Tries what a board provides (port/bare/machine.h), on the board: a firmware that prints TAP on
// the console. The order is that in which a port is brought up, so that the first failure is the
// one to look at. It resets the board several times, mostly by faults of its own; how far it came
// is kept in the memory that survives.
//
// The last block of the flash is erased. Typing "0123456789" within half a minute is part of it.
#include <string.h>

#include "base/writer.h"
#include "platform/board.h"
#include "platform/flash.h"
#include "port/bare/board.h"
#include "port/bare/machine.h"
#include "port/bare/net.h"
#include "port/bare/runtime.h"

#define STARTED 0x54455354u
#define NOTHING ((volatile uint32_t *)0x90000000u) // no memory and no device, on either board

enum {
    SLOT = 77, // of a plug-in that is said to run
    TYPING_MS = 30000,
    NETWORK_MS = 20000,
    NEAR = 64, // bytes: as long as any of the functions that fault
    PATTERN_SIZE = 3 * AG_FLASH_UNIT
};

// Kept over resets.
static struct {
    uint32_t started; // STARTED
    uint32_t step;    // index of the fault that was caused last, counted from 1; 0: none yet
    uint32_t number;  // of the last test
    uint32_t failed;
} progress __attribute__((section(".preserve")));

static volatile uint32_t initialised = 0x12345678;
static volatile uint32_t zeroed;
static uint8_t pattern[PATTERN_SIZE];

static void say(const char *text)
{
    ag_machine_console_write(text, strlen(text));
}

static void say_number(int64_t number)
{
    char text[24];
    struct ag_writer out;
    ag_writer_init(&out, text, sizeof text);
    ag_writer_decimal(&out, number);
    say(ag_writer_finish_text(&out));
}

static bool check(bool is_right, const char *name)
{
    say(is_right ? "ok " : "not ok ");
    say_number(++progress.number);
    say(" - ");
    say(name);
    say("\r\n");
    progress.failed += !is_right;
    return is_right;
}

static void skip(const char *name, const char *reason)
{
    say("ok ");
    say_number(++progress.number);
    say(" - ");
    say(name);
    say(" # SKIP ");
    say(reason);
    say("\r\n");
}

// ---- What needs no reset -----------------------------------------------------------------------

static void try_memory(void)
{
    check(initialised == 0x12345678 && zeroed == 0, "C's data has its first values");
    check(ag_machine_stack_peak() > 0 && ag_machine_stack_peak() < ag_machine_stack_size() / 2,
          "the stack is painted, and mostly unused");
}

static void try_time(void)
{
    const uint64_t start_ms = ag_machine_uptime_ms();
    uint64_t last_ms = start_ms;
    uint32_t turns = 0;
    bool goes_back = false;
    while (last_ms - start_ms < 100) {
        ag_machine_wait(20);
        const uint64_t now_ms = ag_machine_uptime_ms();
        goes_back |= now_ms < last_ms;
        last_ms = now_ms;
        turns++;
    }
    check(!goes_back, "time goes on while the board waits, and never back");
    check(turns < 1000, "waiting sleeps");
    ag_machine_wait(0);
    check(true, "waiting for nothing returns");
}

static void try_entropy(void)
{
    uint8_t first[32] = { 0 };
    uint8_t second[32] = { 0 };
    ag_machine_entropy(first, sizeof first);
    ag_machine_entropy(second, sizeof second);
    check(memcmp(first, second, sizeof first) != 0, "entropy differs each time");
    uint32_t kinds[8] = { 0 };
    for (uint32_t i = 0; i < sizeof first; i++)
        kinds[first[i] / 32] |= 1u << first[i] % 32;
    uint32_t count = 0;
    for (uint32_t i = 0; i < 256; i++)
        count += kinds[i / 32] >> i % 32 & 1;
    check(count >= 16, "entropy fills every byte"); // of 32, 30 differ on average
}

static void try_console(void)
{
    static const char wanted[] = "0123456789";
    const uint64_t start_ms = ag_machine_uptime_ms();
    uint32_t count = 0;
    bool is_right = true;
    say("# type 0123456789\r\n");
    while (wanted[count] && ag_machine_uptime_ms() - start_ms < TYPING_MS) {
        const int byte = ag_machine_console_read();
        if (byte >= 0)
            is_right &= byte == wanted[count++];
        else
            ag_machine_wait(100);
        ag_net_poll(); // frames that nobody takes would end each wait
        ag_machine_feed_watchdog();
    }
    check(is_right && !wanted[count], "what is typed arrives, in order");
    check(ag_machine_console_read() < 0, "reading the console does not wait");
}

static void try_pins(void)
{
    bool is_right = true;
    bool level = false;
    for (uint32_t pin = 0; pin < 4; pin++) {
        is_right &= ag_board_pin_configure(pin, AG_PIN_OUTPUT) == AG_OK;
        is_right &= ag_board_pin_write(pin, true) == AG_OK;
        is_right &= ag_board_pin_read(pin, &level) == AG_OK && level;
        is_right &= ag_board_pin_write(pin, false) == AG_OK;
    }
    check(is_right, "LEDs go on and off");
    is_right = ag_board_pin_configure(4, AG_PIN_INPUT) == AG_OK;
    check(is_right && ag_board_pin_read(4, &level) == AG_OK && !level, "a switch can be read");
    check(ag_board_pin_configure(4, AG_PIN_OUTPUT) == AG_ERR_PIN &&
              ag_board_pin_write(4, true) == AG_ERR_PIN &&
              ag_board_pin_configure(ag_board_pin_count(), AG_PIN_INPUT) == AG_ERR_PIN,
          "a pin does only what it can");
}

// ---- Flash -------------------------------------------------------------------------------------

static uint32_t last_block(void)
{
    return ag_machine_flash()->size - AG_FLASH_BLOCK;
}

static bool is_erased(uint32_t from)
{
    const uint8_t *block = ag_machine_flash()->base + last_block();
    while (from < AG_FLASH_BLOCK && block[from] == 0xFF)
        from++;
    return from == AG_FLASH_BLOCK;
}

static void make_pattern(void)
{
    for (uint32_t i = 0; i < PATTERN_SIZE; i++)
        pattern[i] = (uint8_t)(i * 37 + 1);
}

static void try_flash(void)
{
    const struct ag_machine_flash *flash = ag_machine_flash();
    make_pattern();
    check(flash->size % AG_FLASH_BLOCK == 0 && flash->provisioning_size % AG_FLASH_BLOCK == 0 &&
              flash->provisioning_size < flash->size,
          "the flash is whole blocks");
    check(ag_machine_flash_erase(last_block()) == AG_OK && is_erased(0), "a block is erased");
    check(ag_machine_flash_program(last_block(), pattern, PATTERN_SIZE) == AG_OK &&
              memcmp(flash->base + last_block(), pattern, PATTERN_SIZE) == 0,
          "units are programmed");
    check(is_erased(PATTERN_SIZE), "units beside them are not");
}

// ---- Network -----------------------------------------------------------------------------------

static void try_network(void)
{
    const struct ag_net_config config = { .host_name = "machine-test" };
    struct ag_net_status status;
    const uint64_t start_ms = ag_machine_uptime_ms();
    if (!check(ag_net_start(&config) == AG_OK, "the network starts"))
        return;
    do {
        ag_net_poll();
        ag_machine_feed_watchdog();
        ag_machine_wait(ag_net_wait_ms() < 100 ? ag_net_wait_ms() : 100);
        ag_net_status(&status);
    } while (status.state != AG_NET_UP && ag_machine_uptime_ms() - start_ms < NETWORK_MS);
    check(status.state == AG_NET_UP, "an address comes by DHCP");
    check(status.sent > 0 && status.received > 0 && status.dropped == 0, "no frame is lost");
}

// ---- Faults ------------------------------------------------------------------------------------

static void store_to_null(void)
{
    *(volatile uint32_t *)(uintptr_t)(zeroed + 4) = 1;
}

static void load_from_nothing(void)
{
    (void)*NOTHING;
}

static void store_to_code(void)
{
    *(volatile uint32_t *)(uintptr_t)ag_code_start = 1;
}

static void run_undefined(void)
{
    __asm__ volatile(".short 0\n.short 0xde00"); // RISC-V stops at the first, Thumb at the second
}

static void run_data(void)
{
    ((void (*)(void))((uintptr_t)&pattern | (*ag_board_name() == 'm')))();
}

static uint32_t overflow(const volatile uint32_t *before)
{
    volatile uint32_t frame[16];
    frame[0] = before[0] + 1;
    if (frame[0] == 0)
        return 0; // never: memory ends first
    return overflow(frame) + frame[0];
}

static void overflow_stack(void)
{
    volatile uint32_t first = 0;
    first = overflow(&first);
}

static void store_to_flash(void)
{
    *(volatile uint32_t *)((uintptr_t)ag_machine_flash()->base + last_block()) = 0;
}

static void divide_by_zero(void)
{
    zeroed = initialised / zeroed;
}

static void hang(void)
{
    for (;;)
        __asm__ volatile("" ::: "memory");
}

static const struct fault {
    const char *name;
    void (*cause)(void);
    const char *word;  // of the cause's text
    const char *board; // on that alone; NULL: on all
} faults[] = {
    { "a store to NULL's neighbour", store_to_null, "fault", NULL },
    { "a load from nothing", load_from_nothing, "fault", NULL },
    { "a store to code", store_to_code, "fault", NULL },
    { "an undefined instruction", run_undefined, "instruction", NULL },
    { "a jump into data", run_data, "fault", NULL },
    { "a stack that overflows", overflow_stack, "stack overflow", NULL },
    { "a store to flash without its driver", store_to_flash, "fault", "mps2" },
    { "a division by zero", divide_by_zero, "division", "mps2" },
    { "a loop that never ends", hang, "watchdog", NULL },
};

enum {
    FAULTS = sizeof faults / sizeof faults[0],
    TESTS = 19 + 4 + 4 * FAULTS
};

static bool contains(const char *text, const char *word)
{
    const size_t size = strlen(word);
    for (; *text; text++) {
        if (strncmp(text, word, size) == 0)
            return true;
    }
    return false;
}

// Where the program counter must have been.
static uintptr_t place_of(const struct fault *fault)
{
    if (fault->cause == run_data)
        return (uintptr_t)pattern;
    if (fault->cause == overflow_stack)
        return (uintptr_t)overflow & ~(uintptr_t)1;
    return (uintptr_t)fault->cause & ~(uintptr_t)1;
}

static bool is_near(uintptr_t at, uintptr_t place)
{
    return at >= place && at - place < NEAR;
}

// What overflows the stack may be the compiler's routine that saves registers, called from the
// function; or the place went with the stack.
static void judge(const struct fault *fault, const struct ag_machine_retained *record)
{
    const bool is_hang = fault->cause == hang;
    say("# ");
    say(fault->name);
    say(": ");
    say(ag_machine_fault_text(record->fault_cause));
    say("\r\n");
    check((is_hang || record->fault_cause != 0) &&
              contains(ag_machine_fault_text(record->fault_cause), fault->word),
          "its cause is recorded");
    check((record->fault_is_watchdog != 0) == is_hang, "so is whether the watchdog bit");
    check(record->fault_running == SLOT, "so is the plug-in that ran");
    const uintptr_t place = place_of(fault);
    check(is_near(record->fault_pc, place) ||
              (fault->cause == overflow_stack &&
               (record->fault_pc == 0 || is_near(record->fault_lr, place))),
          "so is the place");
}

static bool is_of_this_board(const struct fault *fault)
{
    return !fault->board || strcmp(fault->board, ag_board_name()) == 0;
}

_Noreturn static void go_on(void)
{
    while (progress.step < FAULTS && !is_of_this_board(&faults[progress.step])) {
        for (int i = 0; i < 4; i++)
            skip(faults[progress.step].name, "this board cannot tell");
        progress.step++;
    }
    if (progress.step < FAULTS) {
        ag_board_note_running(SLOT);
        progress.step++;
        faults[progress.step - 1].cause();
        check(false, faults[progress.step - 1].name);
    }
    ag_machine_exit(progress.failed > 0);
}

_Noreturn static void try_everything(void)
{
    say("1..");
    say_number(TESTS);
    say("\r\n");
    memset(&progress, 0, sizeof progress);
    progress.started = STARTED;
    try_memory();
    try_time();
    try_entropy();
    try_pins();
    try_flash();
    try_network();
    try_console();
    ag_machine_retained()->restarts = 41;
    ag_machine_retained()->running = SLOT;
    ag_machine_reset();
}

static void judge_reset(const struct ag_machine_retained *record)
{
    make_pattern();
    check(record->magic == AG_MACHINE_RETAINED && record->restarts == 41 && record->running == SLOT,
          "the retained words survive a reset");
    check(record->fault_cause == 0 && !record->fault_is_watchdog, "a reset is no fault");
    check(initialised == 0x12345678 && zeroed == 0, "C's data has its first values again");
    check(memcmp(ag_machine_flash()->base + last_block(), pattern, PATTERN_SIZE) == 0,
          "the flash keeps what was programmed");
    ag_machine_retained()->restarts = 0;
}

int main(void)
{
    ag_machine_start();
    const struct ag_machine_retained record = *ag_machine_retained();
    ag_board_start();
    if (progress.started != STARTED)
        try_everything();
    if (progress.step == 0)
        judge_reset(&record);
    else
        judge(&faults[progress.step - 1], &record);
    initialised = 1;
    go_on();
}
