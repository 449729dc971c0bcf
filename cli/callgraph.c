// SPDX-License-Identifier: Apache-2.0
// The heaviest chain of calls, by depth-first search.
#include "cli/callgraph.h"

#include <stdlib.h>

#include "plugin/abi.h"

enum {
    SECTION_START = 8
};

// What is known of a function on the way through the calls.
struct node {
    uint32_t total; // its weight and that of the heaviest chain below it
    enum {
        UNSEEN,
        IN_PROGRESS, // met again now, it is recursive
        DONE,
    } state;
};

struct search {
    const struct ag_module *module;
    const uint32_t *weights;
    struct node *nodes;
    uint32_t import_count; // functions that are imported
};

static bool visit(struct search *search, uint32_t function, uint32_t *total);

static bool heaviest_callee(struct search *search, uint32_t caller, uint32_t *heaviest)
{
    const struct ag_module_call *calls = (const void *)search->module->calls.bytes;
    const size_t count = search->module->calls.size / sizeof *calls;
    *heaviest = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t total;
        if (calls[i].caller != caller)
            continue;
        if (!visit(search, calls[i].callee, &total))
            return false;
        *heaviest = total > *heaviest ? total : *heaviest;
    }
    return true;
}

// As deep as the chain is, this is deep: this program's own stack has megabytes.
static bool visit(struct search *search, uint32_t function, uint32_t *total)
{
    uint32_t below;
    *total = 0;
    if (function < search->import_count)
        return true;
    const uint32_t index = function - search->import_count;
    if (index >= search->module->function_count)
        return false;
    struct node *node = &search->nodes[index];
    if (node->state == IN_PROGRESS || search->weights[index] == AG_CALLGRAPH_UNKNOWN)
        return false;
    if (node->state == UNSEEN) {
        node->state = IN_PROGRESS;
        if (!heaviest_callee(search, index, &below) || below > UINT32_MAX - search->weights[index])
            return false;
        node->total = search->weights[index] + below;
        node->state = DONE;
    }
    *total = node->total;
    return true;
}

static bool visit_exports(struct search *search, uint32_t *weight)
{
    *weight = 0;
    for (size_t i = 0; i < AG_ABI_FUNCTION_COUNT; i++) {
        uint32_t total;
        const struct ag_module_export *export =
            ag_module_find_export(search->module, ag_abi_exports[i].name);
        if (!export)
            continue;
        if (export->kind != AG_MODULE_FUNCTION || !visit(search, export->index, &total))
            return false;
        *weight = total > *weight ? total : *weight;
    }
    return true;
}

bool ag_callgraph_heaviest(const struct ag_module *module, const uint32_t *weights,
                           uint32_t *weight)
{
    struct search search = { .module = module, .weights = weights };
    if ((module->uses & (AG_MODULE_USES_TABLES | AG_MODULE_USES_UNKNOWN)) ||
        ag_module_section(module, SECTION_START))
        return false;
    for (size_t i = 0; i < module->import_count; i++)
        search.import_count += module->imports[i].kind == AG_MODULE_FUNCTION;
    search.nodes = ag_buffer_allocate(module->function_count, sizeof *search.nodes);
    const bool bounded = visit_exports(&search, weight);
    free(search.nodes);
    return bounded;
}
