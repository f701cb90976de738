/* Settling: after any change, what follows from a household's facts is derived again and the indexes,
 * the queue and its timer are brought in line. The only place where cases get their state. */
#pragma once

#include "daemon/mailing.h"

/* Of the group a household (index) belongs to. */
void settle_household(struct state *state, uint32_t household, const struct cause *cause);

/* Every household that a version of this fact is about: which of them holds, and since when, may have
 * changed. */
void settle_fact(struct state *state, uint32_t fact, const struct cause *cause);

/* Everyone: a new policy. */
void settle_all(struct state *state, const struct cause *cause);

/* A link was added or voided: the groups of both ends are found again, and settled. */
void settle_link(struct state *state, uint32_t a, uint32_t b, const struct cause *cause);

/* Of a giver (index), from its facts. */
void settle_giver(struct state *state, uint32_t giver);

/* A visit that the machine takes back: whoever was told of it is told again, unless its day has passed. */
void settle_cancel_visit(struct state *state, uint32_t visit, uint32_t case_number,
			 const struct cause *cause);

/* A household was erased: its open case closes, its visit is cancelled, nothing is derived any more. */
void settle_erased(struct state *state, uint32_t head, const struct cause *cause);

/* What is derived for the open case of a group, in full, to be shown. */
struct portrait {
	const struct standing *facts;
	uint32_t fact_count;
	const struct life_visit *visits;
	uint32_t visit_count;
	struct life life;
	struct rank rank; /* of the open case, when there is one */
	struct horizon horizon;
};
void portrait_make(const struct state *state, uint32_t head, struct arena *arena,
		   struct portrait *portrait);

/* The same for any day, of facts and visits that are there already. The derived part of the visits is
 * written: who only looks back brings copies. */
void portrait_draw(const struct state *state, day_t on, struct arena *arena,
		   struct portrait *portrait);

struct life_visit *portrait_copy_visits(struct arena *arena, const struct life_visit *visits,
					uint32_t count);

/* Was the open case of a group (head) deferred on an earlier day, by what is known now? */
bool portrait_was_deferred(const struct state *state, uint32_t head, day_t on);

/* Does the coordinator's refusal of a visit hold for the open case, on the portrait's day? */
bool portrait_is_refused(const struct state *state, struct portrait *portrait);

/* May the open case be visited, on the portrait's day? */
bool portrait_is_eligible(const struct state *state, struct portrait *portrait,
			  const struct life_case *open);
