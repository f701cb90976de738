/* What a new policy must leave as it is, because cases and visits of the state as it is refer to it. A
 * sector's identifier is never changed once used: reports of past years name it. */
#pragma once

#include "daemon/state.h"

/* Reports every mistake; nothing is changed. `policy` is whole in itself. */
void policy_fit(const struct state *state, const struct policy *policy, policy_report_fn *report,
		void *context);
