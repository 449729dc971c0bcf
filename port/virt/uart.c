// SPDX-License-Identifier: Apache-2.0
// The console: a 16550. What is typed goes through a ring that the interrupt fills, so that none is
// lost while the main loop is busy; when the ring is full the newest is.
#include "port/bare/machine.h"
#include "port/bare/panel.h"
#include "port/bare/ring.h"
#include "port/virt/hardware.h"

enum {
    LINE_8N1 = 3,
    FIFO_ON = 7, // and emptied
    INTERRUPT_RX = 1,
    HAS_BYTE = 1,
    HAS_ROOM = 0x20
};

static struct ag_ring ring;

void ag_uart_start(void)
{
    AG_UART_LCR = LINE_8N1; // the emulator has no baud rate to set
    AG_UART_FCR = FIFO_ON;
    AG_UART_IER = INTERRUPT_RX;
    ag_trap_enable(AG_IRQ_UART);
}

void ag_uart_interrupt(void)
{
    while (AG_UART_LSR & HAS_BYTE)
        ag_ring_put(&ring, AG_UART_DATA);
}

bool ag_uart_has_input(void)
{
    return !ag_ring_is_empty(&ring);
}

void ag_machine_console_write(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        while (!(AG_UART_LSR & HAS_ROOM))
            continue;
        AG_UART_DATA = (uint8_t)text[i];
    }
}

int ag_machine_console_read(void)
{
    int byte = ag_ring_take(&ring);
    while (byte >= 0 && ag_panel_take_key((uint8_t)byte))
        byte = ag_ring_take(&ring);
    return byte;
}
