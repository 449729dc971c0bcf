// SPDX-License-Identifier: Apache-2.0
// Trimming of heap and code pages.
//
// Only segments that are loaded without write permission are dropped: relocations never changed
// them, so the file has the same bytes.
#include "port/linux/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void ag_memory_set_up(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 64 * 1024);
    mallopt(M_TOP_PAD, 16 * 1024);
}

static int drop_code(struct dl_phdr_info *object, size_t size, void *context)
{
    const uintptr_t page = *(const uintptr_t *)context;
    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
            continue;
        const uintptr_t from = object->dlpi_addr + segment->p_vaddr;
        const uintptr_t start = from & ~(page - 1);
        const uintptr_t end = (from + segment->p_memsz + page - 1) & ~(page - 1);
        // A refusal changes nothing but the figure.
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

static int has_text_relocations(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *entry =
            (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_TEXTREL ||
                (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
                return 1;
        }
    }
    return 0;
}

void ag_memory_trim(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    malloc_trim(0);
    // Code that was relocated in place would lose it; nobody builds such objects any more.
    if (dl_iterate_phdr(has_text_relocations, NULL) == 0)
        dl_iterate_phdr(drop_code, &page);
}
