/* A plan tried out: its request, built piece by piece, and its answer. Monday 12 January 2015 is the
 * first day, Sunday 1 February the last, unless a test says otherwise. */
#pragma once

#include "proto/message.h"

enum {
	TRIAL_EVERY_HALF_DAY = 0x3ff,
	TRIAL_PAIRS_MAX = 4, /* of a random request */
	TRIAL_ABSENCES_MAX = 8,
};

struct trial {
	struct arena arena;
	struct plan_request request;
	struct plan_answer answer, by_list;
	struct plan_pair pairs[POLICY_PAIRS_MAX];
	struct plan_absence absences[POLICY_PAIRS_MAX][TRIAL_ABSENCES_MAX];
	struct plan_booking bookings[PLAN_CASES_MAX];
	struct plan_case cases[PLAN_CASES_MAX];
};

int trial_set_up(void **state);
int trial_tear_down(void **state);

day_t of_2015(int month, int day);

/* --- the request --- */

struct plan_pair *trial_add_pair(struct trial *trial, const char *name, uint32_t half_days,
				 uint64_t visits_a_week);
void trial_add_sector(struct plan_pair *pair, const char *sector);
void trial_add_absence(struct plan_pair *pair, day_t from, day_t to);
struct plan_booking *trial_add_booking(struct trial *trial, uint64_t number, const char *pair,
				       day_t day, enum half half);
struct plan_case *trial_add_case(struct trial *trial, uint64_t number, enum tier tier,
				 const char *sector);
void trial_add_cases(struct trial *trial, uint32_t count); /* normal, in Dole: 1, 2, 3 … */

/* Where somebody lives, of booking and case alike. */
#define trial_live_at(item, where)                                                                 \
	((item)->lat = trial_places[where].lat, (item)->lon = trial_places[where].lon)

enum where { DOLE, TAVAUX, LONS, MOREZ, SAINT_CLAUDE, NOWHERE, WHERE_END };

extern const struct trial_place {
	int64_t lat, lon;
} trial_places[WHERE_END];

uint32_t trial_random_below(uint32_t limit);

/* Any request; the same for the same seed. Cases stand in the order of their tiers. */
void trial_make_random(struct trial *trial, uint64_t seed);

/* --- the answer --- */

/* Makes both plans; the request must be sound. */
void trial_make(struct trial *trial);

const struct planned_visit *trial_visit_at(const struct trial *trial, uint32_t index);
const struct planned_visit *trial_visit_of(const struct trial *trial,
					   uint64_t number); /* or NULL */
void trial_expect(const struct trial *trial, uint64_t number, const char *pair, day_t day,
		  enum half half);

/* What of a plan is open to a pair, given the rest of the answer: sector and closed sectors; the days
 * and half-days it works. */
bool trial_may_serve(const struct plan_pair *pair, const struct plan_case *item);
bool trial_works_on(const struct trial *trial, const struct plan_pair *pair, day_t day,
		    enum half half);
const struct plan_pair *trial_pair_of(const struct trial *trial, struct str name);
