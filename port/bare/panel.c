// SPDX-License-Identifier: Apache-2.0
// The LEDs, switches and the heated room of an emulated board.
#include "port/bare/panel.h"

#include "base/writer.h"
#include "platform/board.h"
#include "port/bare/machine.h"
#include "port/shared/room.h"

enum {
    PIN_COUNT = AG_PANEL_LEDS + AG_PANEL_SWITCHES
};

static uint32_t leds;       // that are on
static uint32_t toggled;    // switches, by key
static uint32_t configured; // pins
static struct ag_room room;

void ag_panel_start(void)
{
    ag_room_init(&room, ag_machine_uptime_ms());
    ag_panel_show(leds);
}

static bool is_led(uint32_t pin)
{
    return pin < AG_PANEL_LEDS;
}

static uint32_t switches(void)
{
    return ag_panel_switches() ^ toggled;
}

static void tell(const char *kind, uint32_t number, bool is_on)
{
    char text[32];
    struct ag_writer writer;
    ag_writer_init(&writer, text, sizeof text);
    ag_writer_text(&writer, "board: ");
    ag_writer_text(&writer, kind);
    ag_writer_decimal(&writer, number);
    ag_writer_text(&writer, is_on ? " on\r\n" : " off\r\n");
    ag_machine_console_write(text, writer.size);
}

bool ag_panel_take_key(uint8_t byte)
{
    const uint32_t number = (uint32_t)byte - AG_PANEL_FIRST_KEY;
    if (number >= AG_PANEL_SWITCHES)
        return false;
    toggled ^= 1u << number;
    tell("switch ", number + 1, switches() >> number & 1);
    return true;
}

uint32_t ag_board_pin_count(void)
{
    return PIN_COUNT;
}

enum ag_status ag_board_pin_configure(uint32_t pin, enum ag_pin_mode mode)
{
    if (pin >= PIN_COUNT || is_led(pin) != (mode == AG_PIN_OUTPUT))
        return AG_ERR_PIN;
    configured |= 1u << pin;
    return AG_OK;
}

enum ag_status ag_board_pin_write(uint32_t pin, bool level)
{
    if (pin >= PIN_COUNT || !is_led(pin) || !(configured >> pin & 1))
        return AG_ERR_PIN;
    if ((leds >> pin & 1) == level)
        return AG_OK;
    leds ^= 1u << pin;
    ag_panel_show(leds);
    if (pin == AG_PANEL_HEATER)
        ag_room_set_heater(&room, level, ag_machine_uptime_ms());
    tell("led ", pin, level);
    return AG_OK;
}

enum ag_status ag_board_pin_read(uint32_t pin, bool *level)
{
    if (pin >= PIN_COUNT || !(configured >> pin & 1))
        return AG_ERR_PIN;
    *level = is_led(pin) ? leds >> pin & 1 : switches() >> (pin - AG_PANEL_LEDS) & 1;
    return AG_OK;
}

uint32_t ag_board_adc_count(void)
{
    return 1;
}

enum ag_status ag_board_adc_read(uint32_t channel, int32_t *value)
{
    if (channel > 0)
        return AG_ERR_PIN;
    *value = ag_room_milli_degrees(&room, ag_machine_uptime_ms());
    return AG_OK;
}
