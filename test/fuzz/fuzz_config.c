// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the Linux port's configuration file: the whole input is the file, which lies in a
// folder of its own, so that no path in it leads to anything.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "port/linux/config_file.h"

#define IS_TEXT(text) (memchr((text), 0, sizeof(text)) != NULL)

static void check_config(const struct ag_config_file *config)
{
    FUZZ_CHECK(IS_TEXT(config->connection_string) && IS_TEXT(config->id_scope));
    FUZZ_CHECK(IS_TEXT(config->registration_id) && IS_TEXT(config->symmetric_key));
    FUZZ_CHECK(IS_TEXT(config->group_key) && IS_TEXT(config->dps_host) && config->dps_host[0]);
    FUZZ_CHECK(IS_TEXT(config->trust) && IS_TEXT(config->store) && config->store[0]);
    FUZZ_CHECK(IS_TEXT(config->gpio_chip) && IS_TEXT(config->sensor));
    FUZZ_CHECK(config->dps_port > 0 && config->dps_port <= UINT16_MAX);
    FUZZ_CHECK(config->hub_port > 0 && config->hub_port <= UINT16_MAX);
    FUZZ_CHECK(config->store_size % 4096 == 0 && config->store_size > 0);
    FUZZ_CHECK(config->twin_interval_s <= UINT32_MAX / 1000);
    FUZZ_CHECK(config->log_level <= AG_LOG_DEBUG);
}

static char folder[] = "/tmp/fuzz-config-XXXXXX";
static char path[sizeof folder + 8];

static void clean_up(void)
{
    remove(path);
    rmdir(folder);
}

static void write_file(const uint8_t *bytes, size_t size)
{
    if (!path[0]) {
        FUZZ_CHECK(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/config", folder);
        atexit(clean_up);
    }
    FILE *file = fopen(path, "w");
    FUZZ_CHECK(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct ag_config_file config;
    static char said[65536];
    write_file(bytes, size);
    FILE *messages = fmemopen(said, sizeof said, "w");
    FUZZ_CHECK(messages);
    const enum ag_status status = ag_config_file_read(path, &config, messages);
    fclose(messages);
    if (status == AG_OK)
        check_config(&config);
    else
        FUZZ_CHECK(said[0]); // whoever is refused is told why
    said[0] = 0;
    return 0;
}
