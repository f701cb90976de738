/* The network of alert givers: which sectors each belongs to, what they are told of openings and
 * closings, who has fallen silent, and what came of what they referred. */
#pragma once

#include "daemon/mailing.h"

/* Sets of sectors: bit n stands for the policy's sector n. */
typedef uint64_t sectors_t;
_Static_assert(POLICY_SECTORS_MAX <= 64, "a set of sectors is one word");

/* Which sectors a giver (index) belongs to: those of its cantons and communes, and those it referred
 * from within 24 months; all, when it is registered without any place. None when it has left. */
sectors_t network_sectors(const struct state *state, uint32_t giver);

/* Every 00:00, and when the policy changes: tells the sectors' givers what is due, nudges quiet ones. */
void network_night(struct state *state, const struct cause *cause);
void network_policy_changed(struct state *state, const struct cause *cause);

/* One mail to each giver of these sectors. */
void network_tell(struct state *state, const struct cause *cause, uint32_t template,
		  sectors_t sectors);

/* The open sectors in which a giver is quiet: it referred before they opened, so long ago that it is
 * remarkable, and not since. */
sectors_t network_quiet(const struct state *state, uint32_t giver);

/* Looking back: was a giver quiet in an opening of a sector (position), on the day on which silence gets
 * remarkable? Its places are those of now. */
bool network_was_quiet(const struct state *state, uint32_t giver, uint32_t sector,
		       const struct policy_opening *opening);

/* Cases of a giver, each once, in the order of its referrals. */
struct network_case {
	uint32_t number;   /* of the case it leads to now */
	uint32_t referral; /* fact: the giver's first about it */
};
struct network_case *network_cases(const struct state *state, uint32_t giver, struct arena *arena,
				   uint32_t *count);

/* Is this case what a mail about a sector is about, for its giver: deferred until it opened on `day` and
 * now back in line, or carried over as it closed on the eve of `day`? `sector` is a position plus 1. */
bool network_concerns(const struct state *state, uint32_t template, uint32_t case_number,
		      uint32_t sector, day_t day);

/* Does any commune of the policy lie in this canton? */
bool network_has_canton(const struct state *state, struct str canton);

/* Cantons of the policy in which no registered giver works, in the order of the communes. */
uint32_t network_empty_cantons(const struct state *state, struct arena *arena,
			       struct str **cantons);
