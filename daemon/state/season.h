/* What the year of a sector does to a household's case: open or closed, about to close for long, and
 * carried over from a closing that left it waiting. */
#pragma once

#include "config/policy.h"
#include "daemon/state/fact.h"
#include "daemon/state/horizon.h"

/* Where a household lived when its sector closed behind it. */
struct carry {
	day_t closing;   /* last open day of the sector, DAY_NONE: not carried over */
	uint32_t sector; /* position in the policy plus 1 */
};

/* The sector a commune lies in, NULL for none. */
const struct policy_sector *season_sector(const struct policy *policy, insee_t insee);

bool season_is_open(const struct policy_sector *sector, struct horizon *horizon);

/* Does an opening begin within the policy's months after `closing`, a last open day? */
bool season_reopens(const struct policy *policy, const struct policy_sector *sector, day_t closing);

/* Is it open, about to close, and then closed for long? */
bool season_is_closing(const struct policy *policy, const struct policy_sector *sector,
		       struct horizon *horizon);

/* The first closing, of the sector the household lived in on that day, in [from, until): the days on
 * which its case waited. Only closings that have passed count. */
struct carry season_carry(const struct policy *policy, const struct standing *facts, uint32_t count,
			  day_t from, day_t until, struct horizon *horizon);

/* Where a household lived on a day; 0: nobody said. A known commune, or a move inside the department wherever it leads, is trusted before any other
 * unknown commune, which may be a slip of the pen. */
insee_t season_commune(const struct policy *policy, const struct standing *facts, uint32_t count,
		       day_t on);

/* Is this commune outside the policy's department? */
bool season_is_abroad(const struct policy *policy, insee_t insee);
