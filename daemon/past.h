/* The past of a household, as reports count it: each stay of its cases in the list, from the
 * referral that opened or reopened it to its end. Derived from the facts that stand now, by the policy
 * in force now: a retracted fact never was, a merged case is part of the one it joined, and what stays
 * in clear of an erased household still counts. */
#pragma once

#include "daemon/settle.h"

struct stay {
	uint32_t number;    /* of the case, 0: it never had one */
	uint64_t order_seq; /* place of the fact that opened or reopened it */
	uint32_t start;     /* that fact: its position among the facts */
	uint32_t referral;  /* its first referral: position plus 1; 0: none */
	day_t first_date;
	struct carry carry; /* by the first closing it waited through */
	day_t deferred_on;  /* first day on which it might not be visited; DAY_NONE: always might */
	uint32_t visit;     /* the first that took place: position plus 1; 0: none */
	day_t visited_on;   /* its day, or DAY_NONE */
	day_t closed_on;    /* DAY_NONE: not closed */
	uint32_t closing;   /* enum closing */
};

struct past {
	const struct standing *facts;
	uint32_t fact_count;
	const uint32_t *joined; /* as in struct life */
	const struct life_visit *visits;
	uint32_t visit_count;
	struct stay *stays;
	uint32_t stay_count;
};

/* Of the group of a head. Everything lies in `arena`, but for the visits themselves. */
void past_make(const struct state *state, uint32_t head, struct arena *arena, struct past *past);

/* The stay that a visit (position) belongs to, NULL when its case never was. */
const struct stay *past_stay_of(const struct state *state, const struct past *past, uint32_t visit);
