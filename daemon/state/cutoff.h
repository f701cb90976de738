/* The earliest day on which the law lets a supplier cut a household off: one energy, one supplier.
 * Source of the delays: the policy's law table (SPEC: who is next). */
#pragma once

#include "config/policy.h"
#include "daemon/state/fact.h"
#include "daemon/state/horizon.h"

enum cutoff_rule {
	CUTOFF_NOTICE_1,      /* d1 */
	CUTOFF_NOTICE_2,      /* d2 */
	CUTOFF_PROTECTED,     /* told when the longer delay holds; date d0 */
	CUTOFF_NOTICE_ENDS,   /* what the notices alone allow */
	CUTOFF_REDUCED_POWER, /* the days at reduced power are complete */
	CUTOFF_FSL_PENDING,   /* an undecided request holds it back until */
	CUTOFF_FSL_DECIDED,   /* a refusal or partial help gives fresh notice until */
	CUTOFF_TRUCE,         /* moved to the end of the winter truce */
	CUTOFF_RULE_COUNT
};
extern const char *const cutoff_rule_names[CUTOFF_RULE_COUNT];

enum { CUTOFF_STEPS_MAX = 8 };

struct cutoff_step {
	enum cutoff_rule rule;
	day_t date;
};

struct cutoff {
	uint32_t supplier;
	uint32_t energy;
	day_t earliest; /* DAY_NONE: none */
	uint32_t step_count;
	struct cutoff_step steps[CUTOFF_STEPS_MAX];
};

/* From all standing facts of the household, in any order. */
void cutoff_compute(const struct policy *policy, const struct standing *facts, uint32_t count,
		    uint32_t supplier, uint32_t energy, struct horizon *horizon,
		    struct cutoff *cutoff);

/* May this energy be cut at all by a supplier: electricity, gas, heat. */
bool energy_is_cuttable(uint32_t energy);

/* Is a fact dated `day` with place `seq` voided by a restoration of the same supplier and energy? */
bool supply_is_restored_after(const struct standing *facts, uint32_t count, uint32_t supplier,
			      uint32_t energy, day_t day, uint64_t seq);
