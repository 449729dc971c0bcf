// SPDX-License-Identifier: Apache-2.0
// Topics of answers: `PREFIX/STATUS/?key=value&key=value`, keys in any order.
#ifndef AG_AZURE_TOPIC_H
#define AG_AZURE_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

// Splits the topic of an answer. False when it does not begin with `prefix` and a status.
bool ag_topic_parse_answer(struct ag_text topic, const char *prefix, uint16_t *status,
                           struct ag_text *properties);

// The first value of that key, as it stands; empty when there is none.
struct ag_text ag_topic_property(struct ag_text properties, const char *key);

#endif
