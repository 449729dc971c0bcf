// SPDX-License-Identifier: Apache-2.0
// One running plug-in: made from its image in a block of RAM, called in slices of fuel.
#include "host/instance.h"

#include <string.h>

#include "base/writer.h"
#include "host/abi.h"
#include "platform/board.h"
#include "plugin/capabilities.h"

// Whether a wasm function type is the one written as in plugin/capabilities.h.
static bool values_match(const uint8_t *types, uint32_t count, const char *letters, size_t size)
{
    static const char known[] = "iIfF";
    static const uint8_t values[] = { AG_WASM_I32, AG_WASM_I64, AG_WASM_F32, AG_WASM_F64 };
    if (count != size)
        return false;
    for (size_t i = 0; i < size; i++) {
        const char *letter = strchr(known, letters[i]);
        if (!letter || types[i] != values[letter - known])
            return false;
    }
    return true;
}

static bool type_matches(const struct ag_wasm_function_type *type, const char *text)
{
    struct ag_text results = ag_text_of(text);
    struct ag_text params = ag_text_split(&results, ':');
    return values_match(type->params, type->param_count, params.at, params.size) &&
           values_match(type->results, type->result_count, results.at, results.size);
}

enum ag_status ag_instance_resolve(void *context, const struct ag_wasm_import *import, uint16_t *id)
{
    (void)context;
    const struct ag_capability *capability =
        ag_capabilities_find(import->module.text, import->module.size);
    if (!capability || import->type.kind != AG_WASM_FUNCTION)
        return AG_ERR_WASM_IMPORT;
    const struct ag_capability_function *function =
        ag_capabilities_find_function(capability, import->field.text, import->field.size);
    if (!function || !type_matches(&import->type.function, function->type))
        return AG_ERR_WASM_IMPORT;
    *id = function->id;
    return AG_OK;
}

uint64_t ag_instance_offered(void)
{
    uint64_t offered = AG_CAPABILITIES_ALL;
    if (ag_board_pin_count() == 0)
        offered &= ~AG_CAPABILITIES_BIT(AG_CAPABILITY_GPIO);
    if (ag_board_adc_count() == 0)
        offered &= ~AG_CAPABILITIES_BIT(AG_CAPABILITY_ADC);
    return offered;
}

// The function index of an export of the ABI, or AG_INSTANCE_NO_EXPORT.
static enum ag_status find_export(const struct ag_wasm_image *image,
                                  const struct ag_abi_export *wanted, uint16_t *index)
{
    *index = AG_INSTANCE_NO_EXPORT;
    uint32_t found;
    enum ag_status status = ag_wasm_image_export(
        image, wanted->name, (uint32_t)strlen(wanted->name), AG_WASM_FUNCTION, &found);
    if (status != AG_OK)
        return wanted->required ? wanted->refusal : AG_OK;
    struct ag_wasm_extern type;
    status = ag_wasm_image_type(image, AG_WASM_FUNCTION, found, &type);
    if (status != AG_OK)
        return status;
    if (!type_matches(&type.function, wanted->type))
        return wanted->refusal;
    *index = (uint16_t)found;
    return AG_OK;
}

static enum ag_status find_exports(const struct ag_wasm_image *image,
                                   uint16_t exports[AG_ABI_FUNCTION_COUNT])
{
    for (int i = 0; i < AG_ABI_FUNCTION_COUNT; i++) {
        enum ag_status status = find_export(image, &ag_abi_exports[i], &exports[i]);
        if (status != AG_OK)
            return status;
    }
    return AG_OK;
}

enum ag_status ag_instance_check_exports(const struct ag_wasm_image *image)
{
    uint16_t exports[AG_ABI_FUNCTION_COUNT];
    return find_exports(image, exports);
}

static enum ag_status call_host(void *context, struct ag_wasm_instance *wasm, uint16_t id,
                                uint32_t *slots)
{
    const struct ag_abi_entry *entry = ag_abi_find(id);
    if (!entry)
        return AG_TRAP_CODE;
    ag_wasm_charge(wasm, entry->fuel);
    return entry->call(context, slots);
}

static struct ag_wasm_instance_options wasm_options(struct ag_instance *instance,
                                                    uint32_t stack_size)
{
    struct ag_wasm_instance_options options = { .stack_size = stack_size };
    options.call = call_host;
    options.context = instance;
    return options;
}

enum ag_status ag_instance_size(const struct ag_wasm_image *image, uint32_t stack_size,
                                uint32_t *size)
{
    struct ag_wasm_instance_options options = wasm_options(NULL, stack_size);
    return ag_wasm_instance_size(image, &options, size);
}

uint32_t ag_instance_data_ram(const struct ag_plugin_metadata *metadata)
{
    if (metadata->data_size == 0 || !ag_capabilities_needs(metadata, AG_CAPABILITY_STORE))
        return 0;
    const uint32_t size = ag_data_ram(metadata->data_size);
    return (size + AG_WASM_ALIGN - 1) / AG_WASM_ALIGN * AG_WASM_ALIGN;
}

enum ag_status ag_instance_make(struct ag_instance *instance, void *block, uint32_t size,
                                const struct ag_wasm_image *image, uint32_t stack_size,
                                const struct ag_instance_options *options)
{
    memset(instance, 0, sizeof *instance);
    instance->options = *options;
    instance->image = *image;
    enum ag_status status = find_exports(&instance->image, instance->exports);
    if (status != AG_OK)
        return status;
    struct ag_wasm_instance_options wasm = wasm_options(instance, stack_size);
    return ag_wasm_instance_make(block, size, &instance->image, &wasm, &instance->wasm);
}

void ag_instance_set_settings(struct ag_instance *instance, struct ag_text settings)
{
    instance->options.settings = settings;
}

enum ag_status ag_instance_begin(struct ag_instance *instance, enum ag_abi_function function)
{
    uint32_t index = instance->exports[function];
    if (index == AG_INSTANCE_NO_EXPORT)
        return AG_ERR_NOT_FOUND;
    instance->function = function;
    instance->fuel_at_start = ag_wasm_fuel_used(instance->wasm);
    instance->is_starting = false;
    instance->stopped_at = 0;
    enum ag_status status = AG_ERR_NOT_FOUND;
    if (function == AG_ABI_INITIALIZE) {
        status = ag_wasm_begin_start(instance->wasm);
        instance->is_starting = status == AG_OK;
    }
    if (status == AG_ERR_NOT_FOUND)
        status = ag_wasm_begin(instance->wasm, index, NULL, 0);
    instance->is_busy = status == AG_OK;
    return status;
}

// The module's start function is done: on to initialize itself.
static enum ag_status begin_after_start(struct ag_instance *instance)
{
    instance->is_starting = false;
    enum ag_status status =
        ag_wasm_begin(instance->wasm, instance->exports[instance->function], NULL, 0);
    return status == AG_OK ? AG_ERR_AGAIN : status;
}

// What is not 0 goes into the plug-in's log, too: it is often the code of a call to the host that
// failed.
static enum ag_status judge_answer(const struct ag_instance *instance, const char *function,
                                   enum ag_status failure)
{
    const int32_t answer = (int32_t)ag_wasm_results(instance->wasm)[0];
    char text[48];
    struct ag_writer out;
    if (answer == 0)
        return AG_OK;
    ag_writer_init(&out, text, sizeof text);
    ag_writer_text(&out, function);
    ag_writer_text(&out, " answered ");
    ag_writer_decimal(&out, answer);
    ag_abi_say(instance, AG_LOG_WARNING, text, out.size);
    return failure;
}

static enum ag_status judge_result(const struct ag_instance *instance)
{
    if (instance->function == AG_ABI_INITIALIZE)
        return judge_answer(instance, "initialize", AG_ERR_INITIALIZE);
    if (instance->function == AG_ABI_HEALTHY)
        return judge_answer(instance, "healthy", AG_ERR_UNHEALTHY);
    return AG_OK;
}

enum ag_status ag_instance_run(struct ag_instance *instance, uint32_t fuel)
{
    uint64_t used = ag_instance_fuel(instance);
    uint64_t left =
        instance->options.fuel_per_run > used ? instance->options.fuel_per_run - used : 0;
    if (left == 0) {
        instance->is_busy = false;
        instance->stopped_at = ag_wasm_stopped_at(instance->wasm);
        return AG_TRAP_FUEL;
    }
    uint64_t slice = fuel < left ? fuel : left;
    enum ag_status status =
        ag_wasm_run(instance->wasm, (uint32_t)(slice < INT32_MAX ? slice : INT32_MAX));
    if (status != AG_OK && status != AG_ERR_AGAIN)
        instance->stopped_at = ag_wasm_stopped_at(instance->wasm);
    if (status == AG_OK && instance->is_starting)
        status = begin_after_start(instance);
    else if (status == AG_OK)
        status = judge_result(instance);
    instance->is_busy = status == AG_ERR_AGAIN;
    return status;
}

uint64_t ag_instance_fuel(const struct ag_instance *instance)
{
    return ag_wasm_fuel_used(instance->wasm) - instance->fuel_at_start;
}
