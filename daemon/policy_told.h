/* What givers were told of openings, and a new policy would make untrue. */
#pragma once

#include "daemon/state.h"

/* Reports each day of an opening that went out by mail, still counts, and is not in `policy`. No mistake: a
 * department may change its mind, but it should know who planned by it. */
void policy_told(const struct state *state, const struct policy *policy, policy_report_fn *report,
		 void *context);
