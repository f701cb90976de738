/* What whoever gave an order should know of it: told beside the answer, and keeping nothing back. The same
 * event from a sender is told nothing. */
#pragma once

#include <jansson.h>

#include "daemon/state.h"

/* [{path, text}] about an order that was just carried out; empty when there is nothing to say. */
json_t *act_remarks(const struct state *state, const struct event *event);
