/* The life of a household's cases, from its facts: when each opens, whom it joins, what became of its
 * visits, how it ends. A pure fold over standing facts in the order of their places. */
#pragma once

#include "daemon/state/rank.h"
#include "daemon/state/season.h"
#include "daemon/state/visit.h"

/* One case as the facts tell it. */
struct life_case {
	uint32_t opening; /* index in the facts: what opened it first */
	uint32_t
		number; /* its opening's, else that of the first that joined it with one; 0: none */
	uint64_t order_seq; /* place of what opened it, or last reopened it */
	day_t first_date;
	bool has_referral;  /* else it needs contact */
	day_t contact_on;   /* the day of the first referral */
	struct carry carry; /* the first closing it waited through since it (re)opened */
	bool is_closed;
	uint32_t closing; /* enum closing */
	day_t closed_on;
	day_t visited_on;                       /* DAY_NONE: not visited since it (re)opened */
	day_t waited_until;                     /* when it was visited first; DAY_MAX: not yet */
	uint32_t reasons, energies, vulnerable; /* sets, all referrals together */
	uint32_t no_shows;
	const struct standing *derogation; /* the latest since it (re)opened, or NULL */
	uint32_t visit; /* its active visit: position in the visits given, plus 1; 0: none */
};

struct life {
	insee_t insee; /* where the household lives, 0: unknown */
	uint32_t case_count;
	struct life_case *cases; /* room for one a fact, given by the caller */
	uint32_t *joined; /* for each fact: 1 + the case it belongs to, 0: none; the caller's too */
};

/* A visit of the household and its number. */
struct life_visit {
	uint32_t number;
	struct visit *visit; /* its derived part is written */
};

/* `facts` in the order of their places, visits in the order of their numbers. */
void life_compute(const struct policy *policy, const struct standing *facts, uint32_t count,
		  const struct life_visit *visits, uint32_t visit_count, struct horizon *horizon,
		  struct life *life);

/* The open case, or NULL: a household has at most one. */
const struct life_case *life_open_case(const struct life *life);
