// SPDX-License-Identifier: Apache-2.0
// The console: UART 0 at 115200 baud. What is typed goes through a ring that the interrupt fills,
// so that none is lost while the main loop is busy; when the ring is full the newest is.
#include "port/bare/machine.h"
#include "port/bare/panel.h"
#include "port/mps2/hardware.h"

enum {
    STATE_TX_FULL = 1,
    STATE_RX_FULL = 2,
    CTRL_TX = 1,
    CTRL_RX = 2,
    CTRL_RX_INTERRUPT = 8,
    INTERRUPT_RX = 2,
    RING_SIZE = 128 // a power of two
};

static uint8_t ring[RING_SIZE];
static volatile uint32_t head, tail; // written, read; only their difference counts

void ag_uart_start(void)
{
    AG_UART0_BAUDDIV = AG_MPS2_CLOCK_HZ / 115200u;
    AG_UART0_CTRL = CTRL_TX | CTRL_RX | CTRL_RX_INTERRUPT;
    AG_NVIC_ENABLE = 1u << AG_IRQ_UART0_RX;
}

void ag_uart_interrupt(void)
{
    AG_UART0_CLEAR = INTERRUPT_RX; // before reading: what comes meanwhile interrupts again
    while (AG_UART0_STATE & STATE_RX_FULL) {
        const uint8_t byte = (uint8_t)AG_UART0_DATA;
        if (head - tail < RING_SIZE) {
            ring[head % RING_SIZE] = byte;
            head++;
        }
    }
}

bool ag_uart_has_input(void)
{
    return head != tail;
}

void ag_machine_console_write(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        while (AG_UART0_STATE & STATE_TX_FULL)
            continue;
        AG_UART0_DATA = (uint8_t)text[i];
    }
}

int ag_machine_console_read(void)
{
    while (ag_uart_has_input()) {
        const uint8_t byte = ring[tail % RING_SIZE];
        tail++;
        if (!ag_panel_take_key(byte))
            return byte;
    }
    return -1;
}
