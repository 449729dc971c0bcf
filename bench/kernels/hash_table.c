// SPDX-License-Identifier: Apache-2.0
// A hash table with open addressing: words are hashed, counted, found and removed, as a table of
// topics or settings would be used.
#include "kernel.h"

enum {
    CAPACITY = 256, // a power of two
    KEY_MAX = 12,
    WORDS = 120,
};

struct entry {
    char key[KEY_MAX]; // ends with 0; empty: free
    uint32_t hash;
    uint32_t count;
};

static struct entry entries[CAPACITY];
static uint32_t used;

static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key; key++)
        hash = (hash ^ (uint8_t)*key) * 16777619u;
    return hash;
}

static int is_same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

// The entry with this key, or the free one where it would go.
static struct entry *find(const char *key, uint32_t hash)
{
    for (uint32_t i = hash;; i++) {
        struct entry *entry = &entries[i & (CAPACITY - 1)];
        if (!entry->key[0] || (entry->hash == hash && is_same(entry->key, key)))
            return entry;
    }
}

static uint32_t count_word(const char *key)
{
    const uint32_t hash = hash_of(key);
    struct entry *entry = find(key, hash);
    if (!entry->key[0]) {
        for (uint32_t i = 0; i < KEY_MAX && (i == 0 || key[i - 1]); i++)
            entry->key[i] = key[i];
        entry->hash = hash;
        entry->count = 0;
        used++;
    }
    return ++entry->count;
}

// Closes the gap: later entries of the same run move up where they may.
static void remove_word(const char *key)
{
    struct entry *gap = find(key, hash_of(key));
    if (!gap->key[0])
        return;
    uint32_t at = (uint32_t)(gap - entries);
    uint32_t free_at = at;
    used--;
    for (;;) {
        at = (at + 1) & (CAPACITY - 1);
        const struct entry *entry = &entries[at];
        if (!entry->key[0])
            break;
        const uint32_t home = entry->hash & (CAPACITY - 1);
        if (((at - home) & (CAPACITY - 1)) >= ((at - free_at) & (CAPACITY - 1))) {
            entries[free_at] = *entry;
            free_at = at;
        }
    }
    entries[free_at].key[0] = 0;
}

static void make_word(char *word, uint32_t number)
{
    static const char letters[] = "aeioulnrstmdkpgb";
    uint32_t size = 0;
    do {
        word[size++] = letters[number & 15];
        number >>= 4;
    } while (number > 0 && size < KEY_MAX - 1);
    word[size] = 0;
}

uint32_t kernel_hash_table(uint32_t rounds)
{
    char word[KEY_MAX];
    uint32_t seed = 161803398u;
    uint32_t sum = 1;
    used = 0;
    for (uint32_t i = 0; i < CAPACITY; i++)
        entries[i].key[0] = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < WORDS; i++) {
            const uint32_t random = kernel_random(&seed);
            make_word(word, (random >> 8 & 0xFF) * 0x1021 + 0x100);
            if ((random & 3) == 0 || used > CAPACITY * 3 / 4)
                remove_word(word);
            else
                sum = kernel_mix(sum, count_word(word));
        }
        sum = kernel_mix(sum, used);
    }
    return sum;
}
