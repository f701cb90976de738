/* Where a case stands in the list: its tier, and the days that rules grant, each with its reason.
 * Tier first, then effective date, then number of the opening event. */
#pragma once

#include "daemon/state/cutoff.h"

enum { REASONS_MAX = RANK_CODE_END };

struct reason_given {
	uint32_t code; /* enum rank_code */
	int32_t days;  /* granted (earlier) or, negative, taken; 0: only the tier is meant */
	uint32_t tier; /* that it gives; TIER_NORMAL: none */
};

/* What a case brings to its rank besides the household's facts. */
struct rank_case {
	day_t first_date;    /* the day it waits since */
	uint32_t vulnerable; /* set of enum vulnerable */
	uint32_t no_shows;
	bool is_carried_over;
	bool is_carried_for_long; /* that sector does not open again soon */
	bool is_closing;          /* its sector is about to close, for long */
};

struct rank {
	uint32_t tier; /* enum tier */
	day_t effective_date;
	uint32_t reason_count; /* in the order of the codes */
	struct reason_given reasons[REASONS_MAX];
	bool has_stale_supply; /* cut or limited, as far as anybody said, but long ago */
	uint32_t cutoff_count; /* by energy, then supplier; those without a date left out */
	struct cutoff cutoffs[CUTOFFS_MAX];
};

void rank_compute(const struct policy *policy, const struct standing *facts, uint32_t count,
		  const struct rank_case *of, struct horizon *horizon, struct rank *rank);
