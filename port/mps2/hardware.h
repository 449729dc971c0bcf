// SPDX-License-Identifier: Apache-2.0
// Registers of Arm's MPS2 board with the Cortex-M3 image (application note AN385), as far as they
// are used here, and what this port's files call of each other.
#ifndef AG_MPS2_HARDWARE_H
#define AG_MPS2_HARDWARE_H

#include <stdbool.h>
#include <stdint.h>

#define AG_MPS2_CLOCK_HZ 25000000u

// Bytes below the stack that nothing may touch.
#define AG_STACK_GUARD 0x1000000u

#define AG_REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

// The processor (ARMv7-M architecture reference manual, B3).
#define AG_NVIC_ENABLE  AG_REG(0xE000E100u)
#define AG_NVIC_DISABLE AG_REG(0xE000E180u)
#define AG_SCB_ICSR     AG_REG(0xE000ED04u)
#define AG_SCB_AIRCR    AG_REG(0xE000ED0Cu)
#define AG_SCB_CCR      AG_REG(0xE000ED14u)
#define AG_SCB_CFSR     AG_REG(0xE000ED28u)
#define AG_SCB_MMFAR    AG_REG(0xE000ED34u)
#define AG_SCB_BFAR     AG_REG(0xE000ED38u)
#define AG_MPU_CTRL     AG_REG(0xE000ED94u)
#define AG_MPU_RBAR     AG_REG(0xE000ED9Cu)
#define AG_MPU_RASR     AG_REG(0xE000EDA0u)

// Interrupts, as numbers of the NVIC.
enum {
    AG_IRQ_UART0_RX = 0,
    AG_IRQ_TIMER0 = 8,
    AG_IRQ_ETHERNET = 13,
    AG_IRQ_COUNT = 32
};

// CMSDK timer 0: counts down at the clock's rate.
#define AG_TIMER0_CTRL   AG_REG(0x40000000u)
#define AG_TIMER0_VALUE  AG_REG(0x40000004u)
#define AG_TIMER0_RELOAD AG_REG(0x40000008u)
#define AG_TIMER0_CLEAR  AG_REG(0x4000000Cu)

// CMSDK UART 0.
#define AG_UART0_DATA    AG_REG(0x40004000u)
#define AG_UART0_STATE   AG_REG(0x40004004u)
#define AG_UART0_CTRL    AG_REG(0x40004008u)
#define AG_UART0_CLEAR   AG_REG(0x4000400Cu)
#define AG_UART0_BAUDDIV AG_REG(0x40004010u)

// CMSDK watchdog: an NMI when the count ends, a reset when it ends again.
#define AG_WATCHDOG_LOAD  AG_REG(0x40008000u)
#define AG_WATCHDOG_CTRL  AG_REG(0x40008008u)
#define AG_WATCHDOG_CLEAR AG_REG(0x4000800Cu)
#define AG_WATCHDOG_LOCK  AG_REG(0x40008C00u)

// FPGA system control: two LEDs, two buttons, a counter behind a prescaler.
#define AG_FPGAIO_LED      AG_REG(0x40028000u)
#define AG_FPGAIO_BUTTON   AG_REG(0x40028008u)
#define AG_FPGAIO_COUNTER  AG_REG(0x40028018u)
#define AG_FPGAIO_PRESCALE AG_REG(0x4002801Cu)

// Serial configuration controller: eight more LEDs and eight switches.
#define AG_SCC_LED    AG_REG(0x4002F004u)
#define AG_SCC_SWITCH AG_REG(0x4002F00Cu)

// uart.c
void ag_uart_start(void);
bool ag_uart_has_input(void);
void ag_uart_interrupt(void);
// lan9118.c
bool ag_lan9118_has_frames(void);
void ag_lan9118_interrupt(void);
// timer.c
void ag_timer_start(void);
void ag_timer_interrupt(void);
// memory_map.c: what may be written and run, and whether stores reach the flash window now.
void ag_memory_map_start(void);
void ag_memory_map_open_flash(bool is_open);
// fault.c
void ag_fault_start(void);
void ag_fault_enter(void);

#endif
