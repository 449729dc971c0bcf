// SPDX-License-Identifier: Apache-2.0
// Tests of the pins of a real GPIO chip, over a libgpiod that is made up here: machines that build
// have no GPIO chip. It refuses what the kernel refuses.
#include <errno.h>
#include <gpiod.h>
#include <string.h>

#include "port/linux/gpio_chip.h"
#include "test/harness.h"

enum {
    LINE_COUNT = 4,
    BUSY_LINE = 3
};

struct gpiod_line {
    bool is_requested;
    int direction;
    int flags;
    int value;
    int request_count;
};

struct gpiod_chip {
    struct gpiod_line lines[LINE_COUNT];
    bool is_open;
};

static struct gpiod_chip fake;

void ag_board_log(enum ag_log_level level, const char *source, const char *text, size_t size)
{
    (void)level;
    (void)source;
    (void)text;
    (void)size;
}

struct gpiod_chip *gpiod_chip_open_lookup(const char *name)
{
    errno = ENOENT;
    if (strcmp(name, "gpiochip0") != 0)
        return NULL;
    memset(&fake, 0, sizeof fake);
    fake.is_open = true;
    return &fake;
}

void gpiod_chip_close(struct gpiod_chip *chip)
{
    memset(chip, 0, sizeof *chip);
}

unsigned int gpiod_chip_num_lines(struct gpiod_chip *chip)
{
    CHECK(chip->is_open);
    return LINE_COUNT;
}

struct gpiod_line *gpiod_chip_get_line(struct gpiod_chip *chip, unsigned int offset)
{
    CHECK(chip->is_open && offset < LINE_COUNT);
    return &chip->lines[offset];
}

bool gpiod_line_is_requested(struct gpiod_line *line)
{
    return line->is_requested;
}

int gpiod_line_direction(struct gpiod_line *line)
{
    return line->direction;
}

void gpiod_line_release(struct gpiod_line *line)
{
    CHECK(line->is_requested);
    line->is_requested = false;
}

static int request(struct gpiod_line *line, const char *consumer, int direction, int flags)
{
    CHECK(!line->is_requested);
    CHECK_TEXT(consumer, "airgraft");
    errno = EBUSY;
    if (line == &fake.lines[BUSY_LINE])
        return -1;
    line->is_requested = true;
    line->direction = direction;
    line->flags = flags;
    line->request_count++;
    return 0;
}

int gpiod_line_request_output(struct gpiod_line *line, const char *consumer, int value)
{
    line->value = value;
    return request(line, consumer, GPIOD_LINE_DIRECTION_OUTPUT, 0);
}

int gpiod_line_request_input_flags(struct gpiod_line *line, const char *consumer, int flags)
{
    return request(line, consumer, GPIOD_LINE_DIRECTION_INPUT, flags);
}

int gpiod_line_set_value(struct gpiod_line *line, int value)
{
    CHECK(line->is_requested);
    line->value = value;
    return 0;
}

int gpiod_line_get_value(struct gpiod_line *line)
{
    CHECK(line->is_requested);
    return line->value;
}

static void an_output_is_written_and_read_back(void)
{
    bool level = false;
    CHECK_EQUAL(ag_gpio_chip_open("gpiochip0"), AG_OK);
    CHECK_EQUAL(ag_gpio_chip_count(), LINE_COUNT);
    CHECK_EQUAL(ag_gpio_chip_configure(2, AG_PIN_OUTPUT), AG_OK);
    CHECK_EQUAL(ag_gpio_chip_write(2, true), AG_OK);
    CHECK_EQUAL(fake.lines[2].value, 1);
    CHECK_EQUAL(ag_gpio_chip_read(2, &level), AG_OK);
    CHECK(level);
    ag_gpio_chip_close();
}

static void an_output_configured_again_keeps_its_level(void)
{
    CHECK_EQUAL(ag_gpio_chip_open("gpiochip0"), AG_OK);
    CHECK_EQUAL(ag_gpio_chip_configure(0, AG_PIN_OUTPUT), AG_OK);
    CHECK_EQUAL(ag_gpio_chip_write(0, true), AG_OK);
    CHECK_EQUAL(ag_gpio_chip_configure(0, AG_PIN_OUTPUT), AG_OK);
    CHECK_EQUAL(fake.lines[0].value, 1);
    CHECK_EQUAL(fake.lines[0].request_count, 1);
    ag_gpio_chip_close();
}

static void an_input_has_the_bias_that_is_asked_for(void)
{
    static const struct {
        enum ag_pin_mode mode;
        int flags;
    } modes[] = {
        { AG_PIN_INPUT, GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE },
        { AG_PIN_INPUT_PULL_UP, GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP },
        { AG_PIN_INPUT_PULL_DOWN, GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN },
    };
    bool level = true;
    CHECK_EQUAL(ag_gpio_chip_open("gpiochip0"), AG_OK);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        CHECK_EQUAL(ag_gpio_chip_configure(1, modes[i].mode), AG_OK);
        CHECK_EQUAL(fake.lines[1].flags, modes[i].flags);
        fake.lines[1].value = (int)i & 1;
        CHECK_EQUAL(ag_gpio_chip_read(1, &level), AG_OK);
        CHECK_EQUAL(level, i & 1);
        CHECK_EQUAL(ag_gpio_chip_write(1, true), AG_ERR_PIN);
    }
    CHECK_EQUAL(ag_gpio_chip_configure(1, AG_PIN_OUTPUT), AG_OK); // and now the other way round
    CHECK_EQUAL(ag_gpio_chip_write(1, true), AG_OK);
    ag_gpio_chip_close();
}

static void what_is_not_there_busy_or_not_configured_is_refused(void)
{
    bool level;
    CHECK_EQUAL(ag_gpio_chip_open("gpiochip9"), AG_ERR_PIN);
    CHECK_EQUAL(ag_gpio_chip_count(), 0);
    CHECK_EQUAL(ag_gpio_chip_configure(0, AG_PIN_OUTPUT), AG_ERR_PIN);
    CHECK_EQUAL(ag_gpio_chip_write(0, true), AG_ERR_PIN);
    CHECK_EQUAL(ag_gpio_chip_read(0, &level), AG_ERR_PIN);
    ag_gpio_chip_close();

    CHECK_EQUAL(ag_gpio_chip_open("gpiochip0"), AG_OK);
    CHECK_EQUAL(ag_gpio_chip_configure(LINE_COUNT, AG_PIN_OUTPUT), AG_ERR_PIN);
    CHECK_EQUAL(ag_gpio_chip_configure(UINT32_MAX, AG_PIN_INPUT), AG_ERR_PIN);
    CHECK_EQUAL(ag_gpio_chip_configure(BUSY_LINE, AG_PIN_OUTPUT), AG_ERR_PIN);
    CHECK_EQUAL(ag_gpio_chip_write(BUSY_LINE, true), AG_ERR_PIN);
    CHECK_EQUAL(ag_gpio_chip_write(0, true), AG_ERR_PIN);
    CHECK_EQUAL(ag_gpio_chip_read(0, &level), AG_ERR_PIN);
    ag_gpio_chip_close();
}

static const struct test_case cases[] = {
    TEST(an_output_is_written_and_read_back),
    TEST(an_output_configured_again_keeps_its_level),
    TEST(an_input_has_the_bias_that_is_asked_for),
    TEST(what_is_not_there_busy_or_not_configured_is_refused),
};
TEST_MAIN(cases)
