/* Visits: placed by plans, then confirmed, moved, cancelled and recorded by the coordinator. What the
 * coordinator said are facts; here is what the machine did, and what follows from
 * both. */
#pragma once

#include "proto/message.h"

struct visit {
	uint32_t case_number;           /* number */
	uint32_t next;                  /* of the same case, later; 0: the last */
	uint32_t first_fact, last_fact; /* what the coordinator said of it */
	uint64_t placed;                /* number of the event with the plan that made it */
	uint64_t lifted;    /* number of the event by which the machine took it back, or 0 */
	uint32_t plan_pair; /* name number; where the last plan put it */
	day_t plan_day;
	uint8_t plan_half;
	uint32_t sequence_base; /* where its sequence begins: what was told and taken back counts */
	bool is_cancelled; /* lifted because its case closed or was deferred; else by a later plan */

	/* derived */
	uint8_t state; /* enum visit_state */
	uint8_t half;
	bool is_pinned; /* moved by hand: plans leave it where it is */
	bool was_confirmed;
	uint32_t pair;
	day_t day;
	uint32_t sequence; /* how often day, half or state changed after confirmation */
};

/* What the coordinator settled: confirmed, or moved by hand. */
static inline bool visit_is_fixed(const struct visit *visit)
{
	return visit->state == VISIT_STATE_CONFIRMED ||
	       (visit->state == VISIT_STATE_PLANNED && visit->is_pinned);
}

/* Plans begin with the next working day, and leave alone what is planned for today: it may still be
 * confirmed until its day has passed. */
static inline bool visit_is_left_alone(const struct visit *visit, day_t today)
{
	return visit_is_fixed(visit) ||
	       (visit->state == VISIT_STATE_PLANNED && visit->day <= today);
}

/* Has it been held, or tried: is there a record of it? */
static inline bool visit_state_is_recorded(uint32_t state)
{
	return state >= VISIT_STATE_DONE && state <= VISIT_STATE_UNSAFE;
}

static inline bool visit_is_active(const struct visit *visit)
{
	return visit->state == VISIT_STATE_PLANNED || visit->state == VISIT_STATE_CONFIRMED;
}
