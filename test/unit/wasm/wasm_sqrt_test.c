// SPDX-License-Identifier: Apache-2.0
// The square root by integers, for machines without an instruction for it: compiled here as there,
// it must give what this machine's instruction does, bit by bit.
#include <math.h>

#include "numeric_reference.h"
#include "test/harness.h"
#include "wasm/float.h"

static void check_f32(uint32_t bits)
{
    const uint32_t want = ag_wasm_f32_bits(sqrtf(ag_wasm_f32_of(bits)));
    const uint32_t got = ag_wasm_f32_sqrt(bits);
    if (got != want && !numeric_is_nan('f', want))
        test_fail(__FILE__, __LINE__, "of 0x%x: 0x%x, not 0x%x", bits, got, want);
    if (numeric_is_nan('f', want))
        CHECK(numeric_is_nan('f', got) && numeric_is_quiet('f', got));
}

static void check_f64(uint64_t bits)
{
    const uint64_t want = ag_wasm_f64_bits(sqrt(ag_wasm_f64_of(bits)));
    const uint64_t got = ag_wasm_f64_sqrt(bits);
    if (got != want && !numeric_is_nan('d', want))
        test_fail(__FILE__, __LINE__, "of 0x%llx: 0x%llx, not 0x%llx", (unsigned long long)bits,
                  (unsigned long long)got, (unsigned long long)want);
    if (numeric_is_nan('d', want))
        CHECK(numeric_is_nan('d', got) && numeric_is_quiet('d', got));
}

static void roots_of_edges_are_the_machines(void)
{
    size_t count;
    const uint64_t *edges = numeric_edges('f', &count);
    for (size_t i = 0; i < count; i++)
        check_f32((uint32_t)edges[i]);
    edges = numeric_edges('d', &count);
    for (size_t i = 0; i < count; i++)
        check_f64(edges[i]);
}

static void roots_of_squares_and_their_neighbours_are_the_machines(void)
{
    for (uint32_t i = 1; i < 5000; i++) {
        const uint32_t square32 = ag_wasm_f32_bits((float)i * (float)i);
        const uint64_t square64 = ag_wasm_f64_bits((double)i * (double)i);
        for (uint32_t delta = 0; delta < 3; delta++) {
            check_f32(square32 + delta - 1);
            check_f64(square64 + delta - 1);
        }
    }
}

static void roots_of_anything_are_the_machines(void)
{
    uint64_t seed = 1;
    for (uint32_t i = 0; i < 100000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        check_f32((uint32_t)(seed >> 32));
        check_f64(seed);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        TEST(roots_of_edges_are_the_machines),
        TEST(roots_of_squares_and_their_neighbours_are_the_machines),
        TEST(roots_of_anything_are_the_machines),
    };
    return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
