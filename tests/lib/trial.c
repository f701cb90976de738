#include "tests/lib/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "workers/schedule/plan.h"

day_t of_2015(int month, int day)
{
	return day_from_ymd(2015, month, day);
}

const struct trial_place trial_places[] = {
	[DOLE] = {47075400, 5500900},         [TAVAUX] = {47037600, 5402900},
	[LONS] = {46674700, 5557600},         [MOREZ] = {46514300, 5995900},
	[SAINT_CLAUDE] = {46408600, 5876100}, [NOWHERE] = {SINT_NONE, SINT_NONE},
};

int trial_set_up(void **state)
{
	struct trial *trial = mem_new(sizeof(*trial));

	record_clear(&record_plan_request, &trial->request);
	trial->request.today = of_2015(1, 9);
	trial->request.first = of_2015(1, 12);
	trial->request.last = of_2015(2, 1);
	trial->request.alsace_moselle = SAID_NO;
	trial->request.pairs.items = trial->pairs;
	trial->request.bookings.items = trial->bookings;
	trial->request.cases.items = trial->cases;
	*state = trial;
	return 0;
}

int trial_tear_down(void **state)
{
	struct trial *trial = *state;

	arena_done(&trial->arena);
	free(trial);
	return 0;
}

/* --- the request --- */

struct plan_pair *trial_add_pair(struct trial *trial, const char *name, uint32_t half_days,
				 uint64_t visits_a_week)
{
	uint32_t at = trial->request.pairs.count++;
	struct plan_pair *pair = &trial->pairs[at];

	record_clear(&record_plan_pair, pair);
	pair->pair = str_from(name);
	pair->half_days = half_days;
	pair->visits_a_week = visits_a_week;
	pair->closed_sectors = SAID_NO;
	pair->absences.items = trial->absences[at];
	return pair;
}

void trial_add_sector(struct plan_pair *pair, const char *sector)
{
	pair->sectors.item[pair->sectors.count++] = str_from(sector);
}

void trial_add_absence(struct plan_pair *pair, day_t from, day_t to)
{
	struct plan_absence absence = {.is_set = true, .from = from, .to = to};

	*list_at(&pair->absences, struct plan_absence, pair->absences.count++) = absence;
}

struct plan_booking *trial_add_booking(struct trial *trial, uint64_t number, const char *pair,
				       day_t day, enum half half)
{
	struct plan_booking *booking = &trial->bookings[trial->request.bookings.count++];

	record_clear(&record_plan_booking, booking);
	booking->case_number = number;
	booking->pair = str_from(pair);
	booking->day = day;
	booking->half = half;
	return booking;
}

struct plan_case *trial_add_case(struct trial *trial, uint64_t number, enum tier tier,
				 const char *sector)
{
	struct plan_case *item = &trial->cases[trial->request.cases.count++];

	record_clear(&record_plan_case, item);
	item->case_number = number;
	item->tier = tier;
	item->sector = str_from(sector);
	item->closed = SAID_NO;
	return item;
}

void trial_add_cases(struct trial *trial, uint32_t count)
{
	for (uint32_t i = 1; i <= count; i++)
		trial_add_case(trial, i, TIER_NORMAL, "dole");
}

/* --- any request --- */

static uint64_t random_state;

uint32_t trial_random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % limit;
}

static const char *const sectors[] = {"dole", "champagnole", "lons-le-saunier", "saint-claude"};
static const char *const names[TRIAL_PAIRS_MAX] = {"p1", "p2", "p3", "p4"};

static void make_random_pair(struct trial *trial)
{
	struct plan_pair *pair =
		trial_add_pair(trial, names[trial->request.pairs.count],
			       1 + trial_random_below(TRIAL_EVERY_HALF_DAY), trial_random_below(8));

	for (uint32_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		if (trial_random_below(3) == 0)
			trial_add_sector(pair, sectors[i]);
	}
	pair->closed_sectors = trial_random_below(2) ? SAID_YES : SAID_NO;
	for (uint32_t i = trial_random_below(3); i > 0; i--) {
		day_t from = trial->request.today + (day_t)trial_random_below(30);

		trial_add_absence(pair, from, from + (day_t)trial_random_below(6));
	}
}

/* In one of the named communes, in none, or somewhere in the rectangle about them. */
#define live_anywhere(item)                                                                        \
	do {                                                                                       \
		enum where where = trial_random_below(WHERE_END);                                  \
                                                                                                   \
		trial_live_at(item, where);                                                        \
		if (trial_random_below(2)) {                                                       \
			(item)->lat = 46300000 + trial_random_below(900000);                       \
			(item)->lon = 5300000 + trial_random_below(900000);                        \
		}                                                                                  \
	} while (0)

/* Half-days that differ, as the daemon guarantees. */
static void make_random_bookings(struct trial *trial)
{
	for (uint32_t i = 0; i < 40; i++) {
		day_t day = trial->request.today - 6 + (day_t)i / 2;

		if (trial_random_below(3) == 0) {
			struct plan_booking *booking = trial_add_booking(
				trial, 1 + trial_random_below(80),
				names[trial_random_below(TRIAL_PAIRS_MAX)], day, HALF_AM + i % 2);

			live_anywhere(booking);
		}
	}
}

void trial_make_random(struct trial *trial, uint64_t seed)
{
	struct plan_request *request = &trial->request;

	random_state = seed;
	request->pairs.count = request->bookings.count = request->cases.count = 0;
	request->alsace_moselle = trial_random_below(2) ? SAID_YES : SAID_NO;
	request->today = of_2015(1, 1) + (day_t)trial_random_below(700);
	request->first = day_next_working(request->today, request->alsace_moselle == SAID_YES);
	request->last =
		request->first + 6 - day_weekday(request->first) + 7 * (day_t)trial_random_below(4);
	for (uint32_t i = trial_random_below(TRIAL_PAIRS_MAX + 1); i > 0; i--)
		make_random_pair(trial);
	make_random_bookings(trial);
	for (uint32_t i = 1, count = trial_random_below(60); i <= count; i++) {
		enum tier tier = i < 3    ? TIER_CUT
				 : i < 6  ? TIER_CRITICAL
				 : i < 16 ? TIER_URGENT
					  : TIER_NORMAL;
		struct plan_case *item =
			trial_add_case(trial, i, tier, sectors[trial_random_below(4)]);

		live_anywhere(item);
		item->closed = trial_random_below(4) ? SAID_NO : SAID_YES;
	}
}

/* --- the answer --- */

void trial_make(struct trial *trial)
{
	struct fault fault = {0};

	if (record_check(&record_plan_request, &trial->request, "", &fault) != ERR_OK)
		fail_msg("%s: %s", fault.path, fault.text);
	plan_make(&trial->request, &trial->arena, &trial->answer);
	plan_make_by_list(&trial->request, &trial->arena, &trial->by_list);
}

const struct planned_visit *trial_visit_at(const struct trial *trial, uint32_t index)
{
	assert_true(index < trial->answer.visits.count);
	return list_at(&trial->answer.visits, struct planned_visit, index);
}

const struct planned_visit *trial_visit_of(const struct trial *trial, uint64_t number)
{
	for (uint32_t i = 0; i < trial->answer.visits.count; i++) {
		if (trial_visit_at(trial, i)->case_number == number)
			return trial_visit_at(trial, i);
	}
	return NULL;
}

void trial_expect(const struct trial *trial, uint64_t number, const char *pair, day_t day,
		  enum half half)
{
	const struct planned_visit *visit = trial_visit_of(trial, number);
	char found[DAY_TEXT_SIZE], wanted[DAY_TEXT_SIZE];

	assert_non_null(visit);
	assert_true(str_is(visit->pair, pair));
	assert_string_equal(day_print(visit->day, found), day_print(day, wanted));
	assert_int_equal(visit->half, half);
}

const struct plan_pair *trial_pair_of(const struct trial *trial, struct str name)
{
	for (uint32_t i = 0; i < trial->request.pairs.count; i++) {
		if (str_equal(trial->pairs[i].pair, name))
			return &trial->pairs[i];
	}
	fail_msg("a visit by a pair that isn't in the request");
	return NULL;
}

bool trial_may_serve(const struct plan_pair *pair, const struct plan_case *item)
{
	bool found = pair->sectors.count == 0;

	for (uint32_t i = 0; i < pair->sectors.count; i++)
		found = found || str_equal(pair->sectors.item[i], item->sector);
	return found && (item->closed != SAID_YES || pair->closed_sectors == SAID_YES);
}

bool trial_works_on(const struct trial *trial, const struct plan_pair *pair, day_t day,
		    enum half half)
{
	if (!day_is_working(day, trial->request.alsace_moselle == SAID_YES) ||
	    !(pair->half_days & 1u << (day_weekday(day) * 2 + half - 1)))
		return false;
	for (uint32_t i = 0; i < pair->absences.count; i++) {
		const struct plan_absence *away = list_at(&pair->absences, struct plan_absence, i);

		if (away->from <= day && day <= away->to)
			return false;
	}
	return true;
}
