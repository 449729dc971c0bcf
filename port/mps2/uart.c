// SPDX-License-Identifier: Apache-2.0
// The console: UART 0 at 115200 baud. What is typed goes through a ring that the interrupt fills,
// so that none is lost while the main loop is busy; when the ring is full the newest is.
#include "port/bare/machine.h"
#include "port/bare/panel.h"
#include "port/bare/ring.h"
#include "port/mps2/hardware.h"

enum {
    STATE_TX_FULL = 1,
    STATE_RX_FULL = 2,
    CTRL_TX = 1,
    CTRL_RX = 2,
    CTRL_RX_INTERRUPT = 8,
    INTERRUPT_RX = 2
};

static struct ag_ring ring;

void ag_uart_start(void)
{
    AG_UART0_BAUDDIV = AG_MPS2_CLOCK_HZ / 115200u;
    AG_UART0_CTRL = CTRL_TX | CTRL_RX | CTRL_RX_INTERRUPT;
    AG_NVIC_ENABLE = 1u << AG_IRQ_UART0_RX;
}

void ag_uart_interrupt(void)
{
    AG_UART0_CLEAR = INTERRUPT_RX; // before reading: what comes meanwhile interrupts again
    while (AG_UART0_STATE & STATE_RX_FULL)
        ag_ring_put(&ring, (uint8_t)AG_UART0_DATA);
}

bool ag_uart_has_input(void)
{
    return !ag_ring_is_empty(&ring);
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
    int byte = ag_ring_take(&ring);
    while (byte >= 0 && ag_panel_take_key((uint8_t)byte))
        byte = ag_ring_take(&ring);
    return byte;
}
