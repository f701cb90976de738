/* What a policy says that is no mistake, but seldom meant: told by who checks one, and refused by
 * nobody. The policy is one that holds together. */
#pragma once

#include "config/policy.h"

void policy_remark(const struct policy *policy, policy_report_fn *report, void *context);
