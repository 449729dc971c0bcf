// SPDX-License-Identifier: Apache-2.0
// A mix in the manner of EEMBC's CoreMark, written afresh: a linked list is searched, sorted and
// reversed, small integer matrices are multiplied, a state machine reads numbers out of text, and
// every result goes into a CRC-16. The list's order depends on results of the other two, as there.
#include <stddef.h>

#include "kernel.h"

enum {
    ITEM_COUNT = 64,
    SIZE = 9, // of the matrices
};

static uint16_t crc16_byte(uint16_t crc, uint8_t byte)
{
    for (int bit = 0; bit < 8; bit++) {
        const unsigned carry = (crc ^ byte) & 1u;
        byte >>= 1;
        crc = (uint16_t)(crc >> 1);
        if (carry)
            crc ^= 0xA001u;
    }
    return crc;
}

static uint16_t crc16(uint16_t crc, uint16_t value)
{
    return crc16_byte(crc16_byte(crc, (uint8_t)value), (uint8_t)(value >> 8));
}

// ---- State machine: which kind of number does each word of the text hold? ----

enum state {
    STATE_START,
    STATE_SIGN,
    STATE_INTEGER,
    STATE_POINT,
    STATE_FRACTION,
    STATE_EXPONENT,
    STATE_EXPONENT_SIGN,
    STATE_SCIENTIFIC,
    STATE_INVALID,
    STATE_COUNT,
};

static const char words[] =
    "5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,-87e+832,+0.6e-12,"
    "T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,8,-,.,1e,77.,0x1F,+.5,9e9,";

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum state next_state(enum state state, char c)
{
    switch (state) {
    case STATE_START:
        if (is_digit(c))
            return STATE_INTEGER;
        if (c == '+' || c == '-')
            return STATE_SIGN;
        return c == '.' ? STATE_POINT : STATE_INVALID;
    case STATE_SIGN:
        if (is_digit(c))
            return STATE_INTEGER;
        return c == '.' ? STATE_POINT : STATE_INVALID;
    case STATE_INTEGER:
        if (c == '.')
            return STATE_FRACTION;
        if (c == 'e' || c == 'E')
            return STATE_EXPONENT;
        return is_digit(c) ? STATE_INTEGER : STATE_INVALID;
    case STATE_POINT:
        return is_digit(c) ? STATE_FRACTION : STATE_INVALID;
    case STATE_FRACTION:
        if (c == 'e' || c == 'E')
            return STATE_EXPONENT;
        return is_digit(c) ? STATE_FRACTION : STATE_INVALID;
    case STATE_EXPONENT:
        if (c == '+' || c == '-')
            return STATE_EXPONENT_SIGN;
        return is_digit(c) ? STATE_SCIENTIFIC : STATE_INVALID;
    case STATE_EXPONENT_SIGN:
    case STATE_SCIENTIFIC:
        return is_digit(c) ? STATE_SCIENTIFIC : STATE_INVALID;
    case STATE_INVALID:
    case STATE_COUNT:
        break;
    }
    return STATE_INVALID;
}

static uint16_t run_states(char *text, uint32_t seed, uint16_t crc)
{
    uint32_t ends[STATE_COUNT] = { 0 };
    uint32_t passes[STATE_COUNT] = { 0 };
    const uint32_t step = 3 + seed % 11;
    for (uint32_t i = 0; i < sizeof words - 1; i++)
        text[i] = words[i];
    for (uint32_t i = seed % step; i < sizeof words - 1; i += step) {
        if (text[i] != ',')
            text[i] ^= (char)(seed & 1);
    }
    enum state state = STATE_START;
    for (const char *at = text; *at; at++) {
        if (*at == ',') {
            ends[state]++;
            state = STATE_START;
            continue;
        }
        state = next_state(state, *at);
        passes[state]++;
    }
    for (int i = 0; i < STATE_COUNT; i++)
        crc = crc16(crc16(crc, (uint16_t)ends[i]), (uint16_t)passes[i]);
    return crc;
}

// ---- Matrices of 16-bit numbers with 32-bit results ----

static int16_t left[SIZE][SIZE];
static int16_t right[SIZE][SIZE];
static int32_t product[SIZE][SIZE];

static void fill_matrices(uint32_t seed)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            seed = seed * 1103515245u + 12345u;
            left[i][j] = (int16_t)(seed >> 16 & 0x3FF);
            right[i][j] = (int16_t)((seed >> 20 & 0xFF) - 64);
        }
    }
}

static void add_constant(int16_t constant)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++)
            left[i][j] = (int16_t)(left[i][j] + constant);
    }
}

static void multiply_by_constant(int16_t constant)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++)
            product[i][j] = left[i][j] * constant;
    }
}

static void multiply_by_vector(void)
{
    for (int i = 0; i < SIZE; i++) {
        int32_t sum = 0;
        for (int j = 0; j < SIZE; j++)
            sum += left[i][j] * right[j][0];
        product[i][i] = sum;
    }
}

static void multiply(int has_extract)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            int32_t sum = 0;
            for (int k = 0; k < SIZE; k++) {
                const int32_t term = left[i][k] * right[k][j];
                sum += has_extract ? (term >> 2 & 0x0F) * (term >> 5 & 0x7F) : term;
            }
            product[i][j] = sum;
        }
    }
}

// How often the running sum passes a limit or rises, so that each element counts.
static uint16_t weigh(int32_t limit)
{
    int32_t running = 0;
    int32_t previous = 0;
    uint16_t weight = 0;
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            const int32_t now = product[i][j];
            running += now;
            if (running > limit) {
                weight = (uint16_t)(weight + 10);
                running = 0;
            } else {
                weight = (uint16_t)(weight + (now > previous));
            }
            previous = now;
        }
    }
    return weight;
}

static uint16_t run_matrices(uint32_t seed, uint16_t crc)
{
    const int16_t constant = (int16_t)(seed & 0x1F);
    const int32_t limit = 4096 + (int32_t)(seed & 0xFFF);
    fill_matrices(seed);
    add_constant(constant);
    multiply_by_constant(constant);
    crc = crc16(crc, weigh(limit));
    multiply_by_vector();
    crc = crc16(crc, weigh(limit));
    multiply(0);
    crc = crc16(crc, weigh(limit));
    multiply(1);
    crc = crc16(crc, weigh(limit));
    add_constant((int16_t)-constant);
    return crc16(crc, (uint16_t)left[SIZE - 1][SIZE - 1]);
}

// ---- List ----

struct data {
    uint16_t value; // bit 7: the low bits are a result already; bits 0 to 2 choose the work
    int16_t index;
};

struct item {
    struct item *next;
    struct data *data;
};

static struct item items[ITEM_COUNT];
static struct data datas[ITEM_COUNT];
static char text[sizeof words];

// The value that an item is sorted by: worked out once, then remembered in the item.
static uint16_t item_value(struct data *data, uint16_t crc)
{
    if (data->value & 0x80)
        return data->value & 0x7F;
    const uint32_t seed = data->value;
    uint16_t result;
    if ((data->value & 7) == 0)
        result = run_states(text, seed, crc);
    else if ((data->value & 7) == 1)
        result = run_matrices(seed, crc);
    else
        result = data->value;
    result &= 0x7F;
    data->value = (uint16_t)((data->value & 0xFF00) | 0x80 | result);
    return result;
}

static int by_index(struct data *a, struct data *b, uint16_t crc)
{
    (void)crc;
    a->value = (uint16_t)((a->value & 0xFF00) | (a->value >> 8));
    b->value = (uint16_t)((b->value & 0xFF00) | (b->value >> 8));
    return a->index - b->index;
}

static int by_value(struct data *a, struct data *b, uint16_t crc)
{
    return (int)item_value(a, crc) - (int)item_value(b, crc);
}

static struct item *make_list(uint32_t seed)
{
    for (int i = 0; i < ITEM_COUNT; i++) {
        seed = seed * 69069u + 1u;
        const uint16_t low = (uint16_t)(seed >> 16 & 0x7F);
        datas[i].value = (uint16_t)(low << 8 | low);
        datas[i].index = (int16_t)((i * 37) % ITEM_COUNT);
        items[i].data = &datas[i];
        items[i].next = i + 1 < ITEM_COUNT ? &items[i + 1] : NULL;
    }
    return items;
}

static struct item *find(struct item *list, int16_t index, uint16_t value)
{
    if (index >= 0) {
        while (list && list->data->index != index)
            list = list->next;
        return list;
    }
    while (list && (list->data->value & 0xFF) != value)
        list = list->next;
    return list;
}

static struct item *reverse(struct item *list)
{
    struct item *done = NULL;
    while (list) {
        struct item *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

// Merges two sorted runs; takes from the first on a tie.
static struct item *merge(struct item *a, struct item *b,
                          int (*compare)(struct data *, struct data *, uint16_t), uint16_t crc)
{
    struct item *head = NULL;
    struct item **tail = &head;
    while (a && b) {
        struct item **from = compare(a->data, b->data, crc) <= 0 ? &a : &b;
        *tail = *from;
        tail = &(*tail)->next;
        *from = *tail;
    }
    *tail = a ? a : b;
    return head;
}

static struct item *sort(struct item *list, int (*compare)(struct data *, struct data *, uint16_t),
                         uint16_t crc)
{
    struct item *bins[8] = { NULL }; // bin i holds a sorted run of 2^i items
    while (list) {
        struct item *run = list;
        int i = 0;
        list = list->next;
        run->next = NULL;
        for (; i < 7 && bins[i]; i++) {
            run = merge(bins[i], run, compare, crc);
            bins[i] = NULL;
        }
        bins[i] = run;
    }
    for (int i = 0; i < 8; i++)
        list = merge(bins[i], list, compare, crc);
    return list;
}

static uint16_t run_list(uint32_t round, uint16_t crc)
{
    struct item *list = make_list(round * 977u + 13u);
    for (int i = 0; i < 16; i++) {
        struct item *found = find(list, (int16_t)((i * 5 + (int)(round & 7)) % ITEM_COUNT), 0);
        if (found)
            crc = crc16(crc, found->data->value);
        found = find(list, -1, (uint16_t)(i * 8));
        crc = crc16(crc, found ? (uint16_t)found->data->index : 0xFFFF);
        list = reverse(list);
    }
    list = sort(list, by_value, crc);
    for (const struct item *item = list; item; item = item->next)
        crc = crc16(crc, item->data->value);
    list = sort(list, by_index, crc);
    for (const struct item *item = list; item; item = item->next)
        crc = crc16(crc, (uint16_t)item->data->index);
    return crc;
}

uint32_t kernel_coremark_like(uint32_t rounds)
{
    uint32_t sum = 1;
    uint16_t crc = 0xFFFF;
    for (uint32_t i = 0; i < rounds; i++) {
        crc = run_list(i, crc);
        sum = kernel_mix(sum, crc);
    }
    return sum;
}
