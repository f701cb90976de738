/* The plan of visits: which case is visited by which pair, on which half-day. A function of its
 * request alone: no clock, no file, integers only, and the same request always gives the same plan.
 *
 * First the list. Cases take their turn in its order, tiers cut and critical before all others. Each
 * one takes the earliest half-day that a pair serving it has left; of several pairs free at that
 * moment, the first in the order of the request goes. A pair has a half-day left when
 *   - it works that half-day of the week, on a day that is neither a holiday nor in an absence,
 *   - nothing is booked or planned for it then, and
 *   - its visits of that ISO week, bookings included, are fewer than it makes in a week; a cut or
 *     critical case takes the first half-day that exists, also beyond that number (but for a pair
 *     that makes none).
 * A case of a closed sector goes only to pairs that serve closed sectors. What finds no half-day is
 * left out of the answer.
 *
 * Then the map: inside each week, cases close to one another share a day (week.h). Nobody is overtaken
 * by it. Every case is visited in the very week that the list gave it; cut and critical keep pair and
 * half-day; a case of tier urgent never gives its half-day to one of tier normal; and of two cases that
 * could stand for each other, of one tier, commune and sector, the higher in the list goes first.
 *
 * A case with a booking on `today` or later isn't planned again; an earlier booking only counts for
 * its week: that visit is over, and the case stands in the list because it needs another.
 *
 * Cost: for the list, cases x pairs and pairs x half-days; for the map, the square of the half-days in
 * one week, up to thirty times a week and mostly three. The largest request (PLAN_CASES_MAX cases,
 * POLICY_PAIRS_MAX pairs, PLAN_WEEKS_MAX weeks) takes less than a second: bench/kilometres. */
#pragma once

#include "proto/message.h"

/* `request` passed record_check(). Weeks after PLAN_WEEKS_MAX whole ones are not looked at. Visits
 * lie in `arena`, in the order of the list; names of pairs borrow from the request. */
void plan_make(const struct plan_request *request, struct arena *arena, struct plan_answer *answer);

/* The same by the list alone, to compare with. */
void plan_make_by_list(const struct plan_request *request, struct arena *arena,
		       struct plan_answer *answer);
