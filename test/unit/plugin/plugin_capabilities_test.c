// SPDX-License-Identifier: Apache-2.0
// Tests of plugin/capabilities.h and plugin/abi.h: the tables keep what their headers promise.
#include "plugin/capabilities.h"

#include <string.h>

#include "plugin/abi.h"
#include "test/harness.h"

static bool type_is_well_formed(const char *type)
{
    const char *colon = strchr(type, ':');
    return colon && !strchr(colon + 1, ':') && strspn(type, "iIfF:") == strlen(type) &&
           strlen(colon + 1) <= 1;
}

static void the_table_is_in_order_and_its_ids_fit_together(void)
{
    for (size_t i = 0; i < ag_capabilities_count; i++) {
        const struct ag_capability *capability = &ag_capabilities[i];
        uint16_t newest = 0;
        test_note("%s", capability->name);
        CHECK(capability->id > 0 && capability->id < 64);
        CHECK(i == 0 || capability->id > ag_capabilities[i - 1].id);
        for (size_t j = 0; j < capability->function_count; j++) {
            const struct ag_capability_function *function = &capability->functions[j];
            CHECK_EQUAL(function->id >> 8, capability->id);
            CHECK_EQUAL(function->id & 0xFF, j);
            CHECK(type_is_well_formed(function->type));
            newest = function->since > newest ? function->since : newest;
        }
        CHECK_EQUAL(capability->version, newest);
    }
}

static void everything_is_found_by_its_name_and_nothing_else(void)
{
    for (size_t i = 0; i < ag_capabilities_count; i++) {
        const struct ag_capability *capability = &ag_capabilities[i];
        CHECK(ag_capabilities_find(capability->name, strlen(capability->name)) == capability);
        CHECK(ag_capabilities_find_id(capability->id) == capability);
        for (size_t j = 0; j < capability->function_count; j++) {
            const char *name = capability->functions[j].name;
            CHECK(ag_capabilities_find_function(capability, name, strlen(name)) ==
                  &capability->functions[j]);
        }
    }
    CHECK(!ag_capabilities_find("gpi", 3));
    CHECK(!ag_capabilities_find("gpioo", 5));
    CHECK(!ag_capabilities_find("", 0));
    CHECK(!ag_capabilities_find_id(0));
    CHECK(!ag_capabilities_find_function(&ag_capabilities[0], "writ", 4));
}

static enum ag_status check_need(uint16_t id, uint16_t version, uint64_t offered)
{
    const struct ag_plugin_metadata metadata = {
        .capability_count = 2,
        .capabilities = { { AG_CAPABILITY_LOG, 1 }, { id, version } },
    };
    return ag_capabilities_check(&metadata, offered);
}

static void a_need_is_met_by_what_is_offered_in_that_version(void)
{
    const uint64_t without_adc = AG_CAPABILITIES_ALL & ~AG_CAPABILITIES_BIT(AG_CAPABILITY_ADC);
    CHECK_EQUAL(check_need(AG_CAPABILITY_ADC, 1, AG_CAPABILITIES_ALL), AG_OK);
    CHECK_EQUAL(check_need(AG_CAPABILITY_ADC, 1, without_adc), AG_ERR_FILE_CAPABILITY);
    CHECK_EQUAL(check_need(AG_CAPABILITY_GPIO, 1, without_adc), AG_OK);
    CHECK_EQUAL(check_need(AG_CAPABILITY_GPIO, 2, AG_CAPABILITIES_ALL), AG_ERR_FILE_CAPABILITY);
    CHECK_EQUAL(check_need(63, 1, AG_CAPABILITIES_ALL), AG_ERR_FILE_CAPABILITY);
    CHECK_EQUAL(check_need(64, 1, AG_CAPABILITIES_ALL), AG_ERR_FILE_CAPABILITY);
    CHECK_EQUAL(check_need(UINT16_MAX, 1, AG_CAPABILITIES_ALL), AG_ERR_FILE_CAPABILITY);
}

static void each_required_export_has_its_own_refusal(void)
{
    CHECK(ag_abi_exports[AG_ABI_INITIALIZE].required);
    CHECK(ag_abi_exports[AG_ABI_EXECUTE].required);
    CHECK_EQUAL(ag_abi_exports[AG_ABI_INITIALIZE].refusal, AG_ERR_FILE_INITIALIZE);
    CHECK_EQUAL(ag_abi_exports[AG_ABI_EXECUTE].refusal, AG_ERR_FILE_EXECUTE);
    for (size_t i = 0; i < AG_ABI_FUNCTION_COUNT; i++)
        CHECK(type_is_well_formed(ag_abi_exports[i].type));
}

static const struct test_case cases[] = {
    TEST(the_table_is_in_order_and_its_ids_fit_together),
    TEST(everything_is_found_by_its_name_and_nothing_else),
    TEST(a_need_is_met_by_what_is_offered_in_that_version),
    TEST(each_required_export_has_its_own_refusal),
};

TEST_MAIN(cases)
