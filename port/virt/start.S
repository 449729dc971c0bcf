/* SPDX-License-Identifier: Apache-2.0 */
/* The first instructions, and the way into a trap. */
    .option arch, +zicsr
    .section .start, "ax"
    .globl ag_start
ag_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la t0, enter
    csrw mtvec, t0
    la sp, ag_stack_top
    j ag_runtime_start

/* Interrupts return. Faults do not, so that they take the stack from its top. */
    .balign 4
enter:
    csrw mscratch, t0
    csrr t0, mcause
    bgez t0, fault
    csrr t0, mscratch
    csrw mscratch, ra /* who had called, for the watchdog */
    j ag_trap_interrupt
fault:
    la sp, ag_stack_top
    mv a0, ra
    j ag_trap_fault
