/* What an event may tell and an order may not: a slip that whoever orders can put right at once. A sender
 * is not asked. */
#pragma once

#include "daemon/state.h"

enum err act_check(const struct state *state, const struct event *event,
		   struct fault *fault) must_use;
