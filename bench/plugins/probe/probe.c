// SPDX-License-Identifier: Apache-2.0
// Toggles LED 0 in its first run, so that each start of a version can be seen from outside, and
// then filters the sensor. About 1 KB signed.
#include <airgraft.h>

enum {
    LED = 0,
    SENSOR = 0,
    TAPS = 16,
};

static uint32_t runs;
static int32_t samples[TAPS];
static int32_t sorted[TAPS];
static const int32_t weights[TAPS] = { 1, 3, 7, 12, 19, 27, 34, 38, 38, 34, 27, 19, 12, 7, 3, 1 };
int32_t filtered;
int32_t median;
uint32_t checksum;
int32_t slope;

static void filter(void)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < TAPS; i++)
        sum += (int64_t)samples[(runs + i) % TAPS] * weights[i];
    filtered = (int32_t)(sum / 282);
}

static void sort(void)
{
    for (uint32_t i = 0; i < TAPS; i++) {
        uint32_t j = i;
        for (; j > 0 && sorted[j - 1] > samples[i]; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = samples[i];
    }
    median = (sorted[TAPS / 2 - 1] + sorted[TAPS / 2]) / 2;
}

static void check(void)
{
    checksum = ~0u;
    for (uint32_t i = 0; i < TAPS; i++) {
        checksum ^= (uint32_t)samples[i];
        for (uint32_t bit = 0; bit < 32; bit++)
            checksum = checksum >> 1 ^ (checksum & 1 ? 0xEDB88320u : 0);
    }
}

static void estimate(void)
{
    const int32_t first = samples[runs % TAPS];
    const int32_t last = samples[(runs + TAPS - 1) % TAPS];
    slope = (last - first) / (TAPS - 1) + (median - filtered) / 4;
}

int32_t initialize(void)
{
    return airgraft_gpio_configure(LED, AIRGRAFT_PIN_OUTPUT);
}

void execute(void)
{
    int32_t value = 0;
    if (runs == 0)
        airgraft_gpio_write(LED, !airgraft_gpio_read(LED));
    if (airgraft_adc_read(SENSOR, &value) == 0)
        samples[runs % TAPS] = value;
    runs++;
    filter();
    sort();
    check();
    estimate();
}
