// SPDX-License-Identifier: Apache-2.0
// The configuration file of airgraft-host: lines of `key = value`, comments after `#`.
//
// Every problem of a file is reported, each as "FILE:LINE: what (name, code)" and a hint. An
// unknown key is an error with a suggestion. Values of secret keys never appear in a message.
#ifndef AG_LINUX_CONFIG_FILE_H
#define AG_LINUX_CONFIG_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "platform/board.h"
#include "port/linux/board_setup.h"

#define AG_CONFIG_FILE_TEXT_MAX 512u // longest value, bytes

#define AG_CONFIG_FILE_WIFI_MAX 3u // networks

struct ag_config_file_wifi {
    char name[AG_CONFIG_FILE_TEXT_MAX + 1];
    char password[AG_CONFIG_FILE_TEXT_MAX + 1];
};

// The values, with the defaults where the file says nothing; "" for texts that are not set.
struct ag_config_file {
    char connection_string[AG_CONFIG_FILE_TEXT_MAX + 1]; // HostName=…;DeviceId=…;SharedAccessKey=…
    char id_scope[AG_CONFIG_FILE_TEXT_MAX + 1];
    char registration_id[AG_CONFIG_FILE_TEXT_MAX + 1];
    char symmetric_key[AG_CONFIG_FILE_TEXT_MAX + 1]; // base64
    char group_key[AG_CONFIG_FILE_TEXT_MAX + 1];     // base64
    char dps_host[AG_CONFIG_FILE_TEXT_MAX + 1];
    uint32_t dps_port;
    uint32_t hub_port;
    char trust[AG_CONFIG_FILE_TEXT_MAX + 1];
    char store[AG_CONFIG_FILE_TEXT_MAX + 1];
    uint32_t store_size; // bytes
    uint32_t memory;     // bytes for plug-ins
    uint32_t twin_interval_s;
    uint32_t one_connection; // 0 or 1
    uint32_t download_spread_s;
    uint32_t trial_runs;
    uint32_t trial_time_ms;
    uint32_t log_level; // enum ag_log_level
    uint32_t clock;     // enum ag_board_clock
    char gpio_chip[AG_CONFIG_FILE_TEXT_MAX + 1];
    char sensor[AG_CONFIG_FILE_TEXT_MAX + 1];
    char wifi_device[AG_CONFIG_FILE_TEXT_MAX + 1];
    uint32_t wifi_hidden;                                     // 0 or 1
    struct ag_config_file_wifi wifi[AG_CONFIG_FILE_WIFI_MAX]; // the most wanted first
};

// Reads `path`, resolving relative paths in it against its own folder. Errors and warnings go to
// `messages`. AG_ERR_CONFIG when anything is wrong, AG_ERR_IO when the file cannot be read;
// *config is undefined then.
AG_MUST_CHECK enum ag_status ag_config_file_read(const char *path, struct ag_config_file *config,
                                                 FILE *messages);

// Prints the reference of all keys with their defaults, as --help shows it.
void ag_config_file_print_keys(FILE *out);

#endif
