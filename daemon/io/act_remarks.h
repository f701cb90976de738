/* What whoever gave an order should know of it: told beside the answer, and keeping nothing back. The same
 * event from a sender is told nothing. */
#pragma once

#include <jansson.h>

#include "daemon/state.h"

/* How it was with the case that an order is about. */
struct act_before {
	uint64_t case_number; /* as it was given; 0: about none */
	bool is_eligible, wants_derogation;
};
struct act_before act_look(const struct state *state, uint64_t case_number);

/* [{path, text}] about an order that was just carried out; empty when there is nothing to say. */
json_t *act_remarks(const struct state *state, const struct event *event,
		    const struct act_before *before);
