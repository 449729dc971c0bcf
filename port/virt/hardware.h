// SPDX-License-Identifier: Apache-2.0
// Registers of QEMU's RISC-V board "virt", as far as they are used here, and what this port's files
// call of each other.
#ifndef AG_VIRT_HARDWARE_H
#define AG_VIRT_HARDWARE_H

#include <stdbool.h>
#include <stdint.h>

#define AG_REG(address)  (*(volatile uint32_t *)(uintptr_t)(address))
#define AG_REG8(address) (*(volatile uint8_t *)(uintptr_t)(address))

// Control and status registers. The libraries are those of a processor without Zicsr by name, which
// every machine mode has all the same.
#define AG_CSR_ASM(line) ".option push\n.option arch, +zicsr\n" line "\n.option pop"
#define AG_CSR_READ(name, value)                                                                   \
    __asm__ volatile(AG_CSR_ASM("csrr %0, " name) : "=r"(value) : : "memory")
#define AG_CSR_WRITE(name, value)                                                                  \
    __asm__ volatile(AG_CSR_ASM("csrw " name ", %0") : : "r"(value) : "memory")
#define AG_CSR_SET(name, bits)                                                                     \
    __asm__ volatile(AG_CSR_ASM("csrs " name ", %0") : : "r"(bits) : "memory")
#define AG_CSR_CLEAR(name, bits)                                                                   \
    __asm__ volatile(AG_CSR_ASM("csrc " name ", %0") : : "r"(bits) : "memory")
#define AG_MSTATUS_MIE 8u
#define AG_MIE_TIMER   (1u << 7)
#define AG_MIE_DEVICES (1u << 11)

// SiFive test device: ends the emulator, or resets.
#define AG_TEST AG_REG(0x00100000u)

// Goldfish clock: nanoseconds since 1970; reading the low word keeps the high one.
#define AG_RTC_LOW  AG_REG(0x00101000u)
#define AG_RTC_HIGH AG_REG(0x00101004u)

// Timer of the CLINT, 10 MHz.
#define AG_TICKS_PER_MS   10000u
#define AG_TIMER_CMP_LOW  AG_REG(0x02004000u)
#define AG_TIMER_CMP_HIGH AG_REG(0x02004004u)
#define AG_TIMER_LOW      AG_REG(0x0200BFF8u)
#define AG_TIMER_HIGH     AG_REG(0x0200BFFCu)

// PLIC, as hart 0 sees it in machine mode.
#define AG_PLIC_PRIORITY(irq) AG_REG(0x0C000000u + 4u * (irq))
#define AG_PLIC_ENABLE        AG_REG(0x0C002000u)
#define AG_PLIC_THRESHOLD     AG_REG(0x0C200000u)
#define AG_PLIC_CLAIM         AG_REG(0x0C200004u)
enum {
    AG_IRQ_VIRTIO = 1, // the first of eight
    AG_IRQ_UART = 10
};

// 16550 UART.
#define AG_UART_DATA AG_REG8(0x10000000u)
#define AG_UART_IER  AG_REG8(0x10000001u)
#define AG_UART_FCR  AG_REG8(0x10000002u)
#define AG_UART_LCR  AG_REG8(0x10000003u)
#define AG_UART_LSR  AG_REG8(0x10000005u)

// uart.c
void ag_uart_start(void);
bool ag_uart_has_input(void);
void ag_uart_interrupt(void);
// timer.c
void ag_timer_start(void);
void ag_timer_interrupt(uint32_t pc, uint32_t ra);
// trap.c
void ag_trap_start(void);
void ag_trap_enable(uint32_t irq);
_Noreturn void ag_trap_bite(uint32_t pc, uint32_t ra); // the watchdog
// flash.c; false: there is none.
bool ag_flash_start(void);
// virtio_net.c
bool ag_virtio_net_has_frames(void);
void ag_virtio_net_interrupt(uint32_t irq);
// virtio_rng.c; false: there is none.
bool ag_virtio_rng_read(uint8_t *bytes, uint32_t size);

#endif
