/* The plan that a worker is asked for: found at the moment it takes the task, from the state. Not stored
 * anywhere. */
#pragma once

#include "daemon/engine.h"

/* Every working half-day of the weeks ahead, the visits that stay where they are, the cases to be
 * visited in the order of the list. Everything lies in `arena`. */
void handout_plan(const struct state *state, struct arena *arena, struct plan_request *request);
