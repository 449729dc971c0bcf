// SPDX-License-Identifier: Apache-2.0
// Quicksort of 500 integers, with insertion sort for what is short, and a binary search for each.
#include "kernel.h"

enum {
    COUNT = 500,
    SHORT = 8,
};

static int32_t items[COUNT];

static void insertion_sort(int32_t low, int32_t high)
{
    for (int32_t i = low + 1; i <= high; i++) {
        const int32_t item = items[i];
        int32_t j = i;
        for (; j > low && items[j - 1] > item; j--)
            items[j] = items[j - 1];
        items[j] = item;
    }
}

static void sort(int32_t low, int32_t high)
{
    while (high - low > SHORT) {
        const int32_t pivot = items[low + (high - low) / 2];
        int32_t i = low;
        int32_t j = high;
        while (i <= j) {
            while (items[i] < pivot)
                i++;
            while (items[j] > pivot)
                j--;
            if (i <= j) {
                const int32_t item = items[i];
                items[i++] = items[j];
                items[j--] = item;
            }
        }
        sort(low, j);
        low = i;
    }
    insertion_sort(low, high);
}

static int32_t position(int32_t item)
{
    int32_t low = 0;
    int32_t high = COUNT;
    while (low < high) {
        const int32_t middle = (low + high) / 2;
        if (items[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t kernel_quicksort(uint32_t rounds)
{
    uint32_t seed = 314159265u;
    uint32_t sum = 1;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++)
            items[i] = (int32_t)kernel_random(&seed);
        const int32_t first = items[0];
        sort(0, COUNT - 1);
        sum = kernel_mix(sum, (uint32_t)position(first));
        for (int i = 0; i < COUNT; i++)
            sum = kernel_mix(sum, (uint32_t)items[i] + (uint32_t)position(items[i]));
    }
    return sum;
}
