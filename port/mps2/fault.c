// SPDX-License-Identifier: Apache-2.0
// Faults, and the watchdog's last word: written into the words that survive, then a reset. The next
// start tells them, and counts them against the plug-in that was running.
//
// The three configurable faults stay disabled, so that each becomes a HardFault and there is one
// way in. The words of the processor's own status (CFSR) use bits 0 to 25; the rest is ours.
#include <stdbool.h>
#include <stdint.h>

#include "port/bare/machine.h"
#include "port/bare/runtime.h"
#include "port/mps2/hardware.h"

enum {
    CAUSE_STACK_OVERFLOW = 1 << 28,
    CAUSE_WATCHDOG = 1 << 29,
    CAUSE_INTERRUPT = 1 << 30,
};

#define MEMORY_ADDRESS_VALID 0x80u
#define STACKING_REFUSED     0x10u
#define BUS_ADDRESS_VALID    0x8000u
#define SEMIHOSTING          0xBEABu // bkpt 0xab
#define TRAP_DIVISION        (1u << 4)

// What the processor pushes.
struct frame {
    uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

__attribute__((section(".preserve"))) static struct ag_machine_retained retained;

struct ag_machine_retained *ag_machine_retained(void)
{
    return &retained;
}

void ag_fault_start(void)
{
    AG_SCB_CCR |= TRAP_DIVISION;
}

static bool frame_is_there(const struct frame *frame)
{
    return (uintptr_t)frame >= (uintptr_t)ag_stack_bottom &&
           (uintptr_t)(frame + 1) <= (uintptr_t)ag_stack_top;
}

static bool is_code(uint32_t pc)
{
    return pc >= (uintptr_t)ag_code_start && pc < (uintptr_t)ag_code_end;
}

static uint32_t cause_of(const struct frame *frame, uint32_t status, uint32_t exception)
{
    if (exception == 2)
        return CAUSE_WATCHDOG;
    if (exception > 3)
        return CAUSE_INTERRUPT | exception;
    if (!frame_is_there(frame) || (status & STACKING_REFUSED) ||
        ((status & MEMORY_ADDRESS_VALID) && AG_SCB_MMFAR < (uintptr_t)ag_stack_bottom &&
         AG_SCB_MMFAR >= (uintptr_t)ag_stack_bottom - AG_STACK_GUARD))
        return status | CAUSE_STACK_OVERFLOW;
    return status ? status : 1u << 31;
}

static void record(const struct frame *frame)
{
    const uint32_t status = AG_SCB_CFSR;
    const uint32_t exception = AG_SCB_ICSR & 0x1FF;
    const bool has_frame = frame_is_there(frame);
    retained.fault_cause = cause_of(frame, status, exception);
    retained.fault_pc = has_frame ? frame->pc : 0;
    retained.fault_lr = has_frame ? frame->lr : 0;
    retained.fault_address = 0;
    if (status & MEMORY_ADDRESS_VALID)
        retained.fault_address = AG_SCB_MMFAR;
    else if (status & BUS_ADDRESS_VALID)
        retained.fault_address = AG_SCB_BFAR;
    retained.fault_running = retained.running;
    retained.fault_is_watchdog = exception == 2;
}

// Called by the two ways in, on a stack that has room. Returns only after a call for semihosting
// that nobody answered: the answer is -1 then.
__attribute__((used)) void ag_fault_take(struct frame *frame);
void ag_fault_take(struct frame *frame)
{
    if (frame_is_there(frame) && (AG_SCB_ICSR & 0x1FF) == 3 && is_code(frame->pc) &&
        *(const uint16_t *)(uintptr_t)frame->pc == SEMIHOSTING) {
        frame->r0 = UINT32_MAX;
        frame->pc += 2;
        return;
    }
    record(frame);
    ag_machine_reset();
}

// After an overflow there is no stack left; nothing is returned to then, so its top is free.
__attribute__((naked)) void ag_fault_enter(void)
{
    __asm__ volatile("mrs r0, msp\n"
                     "ldr r1, =ag_stack_bottom + 256\n"
                     "cmp r0, r1\n"
                     "it lo\n"
                     "ldrlo sp, =ag_stack_top\n"
                     "push {r4, lr}\n"
                     "bl ag_fault_take\n"
                     "pop {r4, pc}\n"
                     ".ltorg");
}

const char *ag_machine_fault_text(uint32_t cause)
{
    // The order is that of telling: what says most first.
    static const struct {
        uint32_t bits;
        const char *text;
    } table[] = {
        { CAUSE_WATCHDOG, "watchdog: the main loop did not come round" },
        { CAUSE_STACK_OVERFLOW, "stack overflow" },
        { CAUSE_INTERRUPT, "interrupt that nobody asked for" },
        { 1u << 25, "usage fault: division by zero" },
        { 1u << 24, "usage fault: unaligned access" },
        { 1u << 19, "usage fault: no coprocessor" },
        { 1u << 18, "usage fault: invalid return" },
        { 1u << 17, "usage fault: not Thumb code" },
        { 1u << 16, "usage fault: undefined instruction" },
        { 1u << 8, "bus fault: instruction fetch" },
        { 0xFF00u, "bus fault: data access" },
        { 1u << 0, "memory fault: code that may not be run" },
        { 0xFFu, "memory fault: protected address" },
    };
    for (uint32_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (cause & table[i].bits)
            return table[i].text;
    }
    return "hard fault";
}
