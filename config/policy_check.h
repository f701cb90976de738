/* What a policy's parts must agree on, beyond the bounds of each field (policy.def). policy_check()
 * serves what was decoded, which must have none of these mistakes, and what a person wrote, who is told
 * all of them. Absent fields are passed over: somebody else has complained of them. */
#pragma once

#include "config/policy.h"

void policy_check(const struct policy *policy, policy_report_fn *report, void *context);

/* Order: communes by code, openings by day and merged, laws by day. A person may write them in any. */
void policy_check_order(const struct policy *policy, policy_report_fn *report, void *context);

/* month*100+day of a real day, 29 February among them. */
bool month_day_is_real(uint64_t month_day);

/* Has every sector its id? While one has none, nobody can say that a name means no sector. */
bool policy_sectors_are_known(const struct policy *policy);
