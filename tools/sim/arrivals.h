/* What arrives in a scenario: households in need and what is told of them, from a seed and nothing else.
 * Every policy is tried on the same arrivals; what a policy changes is which of them are sent. */
#pragma once

#include "tools/sim/dice.h"
#include "tools/sim/scenario_file.h"

enum { PATIENCE_NONE = UINT16_MAX };

struct sim_giver {
	uint32_t kind; /* enum giver_kind */
	insee_t insee; /* a commune of its sector */
};

/* A household that somebody would refer. */
struct need {
	ms_t at; /* when it would be referred */
	uint32_t giver;
	insee_t insee;
	uint32_t vulnerable;
	uint16_t share; /* 0 … 999: sent while fewer than so many in a thousand would be … */
	uint16_t while_closed;    /* … in a closed sector */
	uint16_t while_suspended; /* … while givers are asked for urgent situations only */
	uint16_t
		patience_weeks; /* then it withdraws, unless it was visited; PATIENCE_NONE: never */
	bool is_threatened;     /* a supplier has written */
	uint64_t fate;          /* seed of what it does later */
};

enum telling_kind {
	TELL_VOUCHER = 1,
	TELL_REQUEST,
	TELL_NOTICE_1,
	TELL_NOTICE_2,
	TELL_CUT,
	TELL_RESTORED,
	TELL_REFERRAL,
};

/* One event to come. */
struct telling {
	ms_t at;
	uint32_t need;
	uint8_t kind;
	day_t day; /* what it says happened on, where that was before */
};

struct arrivals {
	struct sim_giver *givers;
	uint32_t giver_count, giver_capacity;
	struct need *needs;
	uint32_t need_count, need_capacity;
	struct telling *tellings; /* in the order of their times */
	uint32_t telling_count, telling_capacity;
};

/* `policy` tells the communes and their sectors: the first that is compared. Until the end of `to`. */
void arrivals_make(const struct scenario *scenario, const struct policy *policy, day_t to,
		   uint64_t seed, struct arrivals *arrivals);
void arrivals_done(struct arrivals *arrivals);
