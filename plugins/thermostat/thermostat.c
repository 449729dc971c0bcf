// SPDX-License-Identifier: Apache-2.0
// Keeps a temperature: reads the sensor on analogue input 0 (milli-degrees Celsius), switches a
// heater on an output pin with hysteresis, reports both, and sends telemetry now and then. How
// often the heater was switched on is kept in its own data, across resets and updates: relays wear
// out.
//
// Settings, all optional whole numbers: `target` and `hysteresis` in milli-degrees, `pin`,
// `telemetry_runs` (one message every so many runs; 0: none). Their limits are in plugin.json, and
// no others ever get here.
#include <airgraft.h>

enum {
    SENSOR = 0,
    TARGET = 21000,
    HYSTERESIS = 500,
    PIN = 1,
    TELEMETRY_RUNS = 10,
    MESSAGE_MAX = 64,
};

static int64_t target;
static int64_t hysteresis;
static uint32_t pin;
static int64_t telemetry_runs;
static int64_t runs_to_telemetry;
static bool heating;
static uint32_t switched; // how often it was switched on, in all its life

static bool read_settings(void)
{
    const int64_t wanted = airgraft_setting("pin", PIN);
    target = airgraft_setting("target", TARGET);
    hysteresis = airgraft_setting("hysteresis", HYSTERESIS);
    telemetry_runs = airgraft_setting("telemetry_runs", TELEMETRY_RUNS);
    runs_to_telemetry = telemetry_runs;
    pin = (uint32_t)wanted;
    return airgraft_gpio_configure(pin, AIRGRAFT_PIN_OUTPUT) == 0;
}

int32_t initialize(void)
{
    (void)airgraft_store_get(AIRGRAFT_TEXT("switched"), &switched, sizeof switched); // else 0
    if (read_settings())
        return 0;
    airgraft_log_write(AIRGRAFT_LOG_ERROR, AIRGRAFT_TEXT("settings: the board has no such pin"));
    return -1;
}

AIRGRAFT_ON_SETTINGS void on_settings(void)
{
    airgraft_gpio_write(pin, false); // the heater may be on another pin from now on
    if (!read_settings())
        airgraft_log_write(AIRGRAFT_LOG_ERROR,
                           AIRGRAFT_TEXT("settings: the board has no such pin"));
}

AIRGRAFT_SHUTDOWN void shutdown(void)
{
    airgraft_gpio_write(pin, false);
}

static size_t append(char *message, size_t size, const char *text)
{
    while (*text && size < MESSAGE_MAX)
        message[size++] = *text++;
    return size;
}

static size_t append_number(char *message, size_t size, int32_t number)
{
    char digits[12]; // "-2147483648"
    size_t at = sizeof digits - 1;
    uint32_t rest = number < 0 ? 0 - (uint32_t)number : (uint32_t)number;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        digits[--at] = '-';
    return append(message, size, digits + at);
}

static void send(int32_t temperature)
{
    char message[MESSAGE_MAX];
    size_t size = append(message, 0, "{\"temperature\":");
    size = append_number(message, size, temperature);
    size = append(message, size, ",\"heating\":");
    size = append(message, size, heating ? "true}" : "false}");
    (void)airgraft_telemetry_send(message, size); // a full queue loses a sample, not the control
}

static void switch_on(void)
{
    if (!heating) {
        switched++;
        (void)airgraft_store_set(AIRGRAFT_TEXT("switched"), &switched, sizeof switched);
    }
    heating = true;
}

void execute(void)
{
    int32_t temperature;
    if (airgraft_adc_read(SENSOR, &temperature) != 0) {
        airgraft_gpio_write(pin, false); // blind: rather cold than on fire
        airgraft_log_write(AIRGRAFT_LOG_ERROR, AIRGRAFT_TEXT("the sensor does not answer"));
        return;
    }
    if (temperature < target - hysteresis)
        switch_on();
    else if (temperature > target + hysteresis)
        heating = false;
    airgraft_gpio_write(pin, heating);
    airgraft_report_set_int(AIRGRAFT_TEXT("temperature"), temperature);
    airgraft_report_set_bool(AIRGRAFT_TEXT("heating"), heating);
    airgraft_report_set_int(AIRGRAFT_TEXT("switched"), switched);
    if (telemetry_runs > 0 && --runs_to_telemetry <= 0) {
        runs_to_telemetry = telemetry_runs;
        send(temperature);
    }
}
