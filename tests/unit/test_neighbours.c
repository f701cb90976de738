/* Cases close to one another share a day, and nobody is overtaken by it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/trial.h"
#include "workers/schedule/spot.h"

/* --- small weeks ------------------------------------------------------------------------------ */

static void add_case_in(struct trial *trial, uint64_t number, enum tier tier, enum where where)
{
	struct plan_case *item = trial_add_case(trial, number, tier, "dole");

	trial_live_at(item, where);
}

static void add_booking_in_dole(struct trial *trial, day_t day, enum half half)
{
	struct plan_booking *booking = trial_add_booking(trial, 100, "p1", day, half);

	trial_live_at(booking, DOLE);
}

/* Dole is 79 km from Saint-Claude: two by two they share a day, and the list's first goes first. */
static void test_neighbours_share_a_day(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	add_case_in(trial, 1, TIER_NORMAL, SAINT_CLAUDE);
	add_case_in(trial, 2, TIER_NORMAL, DOLE);
	add_case_in(trial, 3, TIER_NORMAL, TAVAUX);
	add_case_in(trial, 4, TIER_NORMAL, MOREZ);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 4, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 2, "p1", of_2015(1, 13), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 13), HALF_PM);
}

/* Two a week: the neighbour of the first is the fourth of the list, and waits for its own week. */
static void test_nobody_leaves_the_week_for_a_neighbour(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 2);
	add_case_in(trial, 1, TIER_NORMAL, DOLE);
	add_case_in(trial, 2, TIER_NORMAL, SAINT_CLAUDE);
	add_case_in(trial, 3, TIER_NORMAL, MOREZ);
	add_case_in(trial, 4, TIER_NORMAL, DOLE);

	trial_make(trial);

	trial_expect(trial, 2, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 4, "p1", of_2015(1, 19), HALF_PM);
}

/* A cut keeps its half-day, and who lives near it comes to share its day. */
static void test_neighbours_come_to_a_cut(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	add_case_in(trial, 1, TIER_CUT, DOLE);
	add_case_in(trial, 2, TIER_NORMAL, SAINT_CLAUDE);
	add_case_in(trial, 3, TIER_NORMAL, MOREZ);
	add_case_in(trial, 4, TIER_NORMAL, TAVAUX);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 4, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 2, "p1", of_2015(1, 13), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 13), HALF_PM);
}

/* Each could be near to a visit on the other's day; neither moves. */
static void test_critical_cases_stay_where_they_are(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	add_booking_in_dole(trial, of_2015(1, 12), HALF_AM);
	add_case_in(trial, 1, TIER_CRITICAL, SAINT_CLAUDE);
	add_case_in(trial, 2, TIER_CRITICAL, DOLE);
	add_case_in(trial, 3, TIER_NORMAL, MOREZ);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 2, "p1", of_2015(1, 13), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 13), HALF_PM);
}

/* An urgent case doesn't give way to a normal one, however near that one lives. */
static void test_urgent_cases_give_way_to_no_neighbour(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	add_case_in(trial, 1, TIER_URGENT, DOLE);
	add_case_in(trial, 2, TIER_URGENT, SAINT_CLAUDE);
	add_case_in(trial, 3, TIER_NORMAL, SAINT_CLAUDE);
	add_case_in(trial, 4, TIER_NORMAL, DOLE);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 2, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 3, "p1", of_2015(1, 13), HALF_AM);
}

/* The pair is in Dole on Thursday anyway. Who lives far from there doesn't wait until then. */
static void test_a_confirmed_visit_draws_its_neighbour(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	add_booking_in_dole(trial, of_2015(1, 15), HALF_AM);
	add_case_in(trial, 1, TIER_NORMAL, SAINT_CLAUDE);
	add_case_in(trial, 2, TIER_NORMAL, TAVAUX);
	add_case_in(trial, 3, TIER_NORMAL, LONS);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 2, "p1", of_2015(1, 15), HALF_PM);
}

/* Monday would be the first half-day, and Lons is 45 km from Dole. */
static void test_who_lives_far_goes_to_the_first_half_day(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	add_booking_in_dole(trial, of_2015(1, 15), HALF_AM);
	add_case_in(trial, 1, TIER_NORMAL, LONS);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
}

static void test_an_urgent_case_does_not_wait_for_a_confirmed_visit(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	add_booking_in_dole(trial, of_2015(1, 15), HALF_AM);
	add_case_in(trial, 1, TIER_URGENT, TAVAUX);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
}

/* Where nobody knows the commune, nobody is drawn there, nor from there. */
static void test_unknown_communes_follow_the_list(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	trial_add_booking(trial, 100, "p1", of_2015(1, 15), HALF_AM);
	add_case_in(trial, 1, TIER_NORMAL, DOLE);
	add_case_in(trial, 2, TIER_NORMAL, NOWHERE);
	add_case_in(trial, 3, TIER_NORMAL, SAINT_CLAUDE);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 2, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 3, "p1", of_2015(1, 13), HALF_AM);
}

/* Three days for three communes: days, and the visits of a day, come in the order of the list. */
static void test_what_makes_no_difference_follows_the_list(void **state)
{
	static const enum where homes[] = {DOLE, LONS, MOREZ, DOLE, LONS, MOREZ};
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 6);
	for (uint64_t number = 1; number <= 6; number++)
		add_case_in(trial, number, TIER_NORMAL, homes[number - 1]);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 4, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 2, "p1", of_2015(1, 13), HALF_AM);
	trial_expect(trial, 5, "p1", of_2015(1, 13), HALF_PM);
	trial_expect(trial, 3, "p1", of_2015(1, 14), HALF_AM);
	trial_expect(trial, 6, "p1", of_2015(1, 14), HALF_PM);
}

/* To bring two and two together saves 890 m, then 1,110. */
static void test_nobody_changes_half_day_for_less_than_a_kilometre(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	for (uint64_t number = 1; number <= 4; number++)
		add_case_in(trial, number, TIER_NORMAL, LONS);

	trial->cases[1].lat = trial->cases[3].lat = trial_places[LONS].lat + 4000;
	trial_make(trial);
	trial_expect(trial, 2, "p1", of_2015(1, 12), HALF_PM);
	trial->cases[1].lat = trial->cases[3].lat = trial_places[LONS].lat + 5000;
	trial_make(trial);

	trial_expect(trial, 3, "p1", of_2015(1, 12), HALF_PM);
}

/* One pair goes south, the other north, on the half-days the list gave them; unless one does not go
 * to Saint-Claude. */
static void test_pairs_exchange_what_both_serve(void **state)
{
	struct trial *trial = *state;
	struct plan_pair *second;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 2);
	second = trial_add_pair(trial, "p2", TRIAL_EVERY_HALF_DAY, 2);
	add_case_in(trial, 1, TIER_NORMAL, SAINT_CLAUDE);
	add_case_in(trial, 2, TIER_NORMAL, DOLE);
	add_case_in(trial, 3, TIER_NORMAL, TAVAUX);
	add_case_in(trial, 4, TIER_NORMAL, MOREZ);
	trial->cases[0].sector = trial->cases[2].sector = STR("saint-claude");

	trial_make(trial);
	trial_expect(trial, 4, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 3, "p2", of_2015(1, 12), HALF_PM);
	trial_add_sector(second, "dole");
	trial_make(trial);

	trial_expect(trial, 3, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 4, "p2", of_2015(1, 12), HALF_PM);
}

/* --- any request ------------------------------------------------------------------------------ */

/* A visit or a booking, of either plan. */
struct stop {
	struct str pair;
	day_t day;
	uint32_t half;
	int64_t lat, lon;
	const struct plan_case *item; /* NULL of a booking */
};

struct week {
	const struct trial *trial;
	struct stop stops[256];
	uint32_t count;
};

static day_t monday_of(day_t day)
{
	return day - day_weekday(day);
}

static const struct plan_case *case_of(const struct trial *trial, uint64_t number)
{
	for (uint32_t i = 0; i < trial->request.cases.count; i++) {
		if (trial->cases[i].case_number == number)
			return &trial->cases[i];
	}
	fail_msg("a visit of a case that isn't in the request");
	return NULL;
}

static struct week week_of(const struct trial *trial, const struct plan_answer *answer,
			   day_t monday)
{
	struct week week = {.trial = trial};

	for (uint32_t i = 0; i < trial->request.bookings.count; i++) {
		const struct plan_booking *booking = &trial->bookings[i];

		if (monday_of(booking->day) == monday)
			week.stops[week.count++] =
				(struct stop){booking->pair, booking->day, booking->half,
					      booking->lat,  booking->lon, NULL};
	}
	for (uint32_t i = 0; i < answer->visits.count; i++) {
		const struct planned_visit *visit =
			list_at(&answer->visits, struct planned_visit, i);
		const struct plan_case *item = case_of(trial, visit->case_number);

		if (monday_of(visit->day) == monday)
			week.stops[week.count++] = (struct stop){
				visit->pair, visit->day, visit->half, item->lat, item->lon, item};
	}
	return week;
}

/* Kilometres, by another way than the plan's. */
static double distance(const struct stop *a, const struct stop *b)
{
	double degree = M_PI / 180e6, north, east;

	if (a->lat == SINT_NONE || b->lat == SINT_NONE)
		return 30;
	north = (double)(b->lat - a->lat) * degree;
	east = (double)(b->lon - a->lon) * degree * cos((double)(a->lat + b->lat) / 2 * degree);
	return 6371 * sqrt(north * north + east * east);
}

static bool is_same_day(const struct stop *a, const struct stop *b)
{
	return a->day == b->day && str_equal(a->pair, b->pair);
}

static const struct stop *day_mate(const struct week *week, const struct stop *stop)
{
	for (uint32_t i = 0; i < week->count; i++) {
		if (&week->stops[i] != stop && is_same_day(&week->stops[i], stop))
			return &week->stops[i];
	}
	return NULL;
}

/* From this visit to the other one of its day. */
static double driven(const struct week *week, const struct stop *stop)
{
	const struct stop *mate = day_mate(week, stop);

	return mate ? distance(stop, mate) : 0;
}

static void sum_up(const struct week *week, uint32_t *days, double *km)
{
	uint32_t halves = 0;

	*km = 0;
	for (uint32_t i = 0; i < week->count; i++) {
		halves += day_mate(week, &week->stops[i]) ? 1 : 2;
		*km += driven(week, &week->stops[i]) / 2;
	}
	*days = halves / 2;
}

static bool is_pressing(const struct plan_case *item)
{
	return item->tier == TIER_CUT || item->tier == TIER_CRITICAL;
}

/* Every visit of the one plan is in the other: same case, same place in the answer, same week; cut and
 * critical by the same pair on the same half-day. */
static void check_weeks_are_those_of_the_list(const struct trial *trial)
{
	assert_int_equal(trial->answer.visits.count, trial->by_list.visits.count);
	for (uint32_t i = 0; i < trial->answer.visits.count; i++) {
		const struct planned_visit *visit = trial_visit_at(trial, i);
		const struct planned_visit *listed =
			list_at(&trial->by_list.visits, struct planned_visit, i);

		assert_int_equal(visit->case_number, listed->case_number);
		assert_int_equal(monday_of(visit->day), monday_of(listed->day));
		if (!is_pressing(case_of(trial, visit->case_number)))
			continue;
		assert_true(str_equal(visit->pair, listed->pair));
		assert_int_equal(visit->day, listed->day);
		assert_int_equal(visit->half, listed->half);
	}
}

/* On a half-day that its pair works, for a case that its pair serves, and nobody else is there. */
static void check_visits_are_allowed(const struct week *week)
{
	for (uint32_t i = 0; i < week->count; i++) {
		const struct stop *stop = &week->stops[i];
		const struct plan_pair *pair;

		if (!stop->item)
			continue;
		pair = trial_pair_of(week->trial, stop->pair);
		assert_in_range(stop->day, week->trial->request.first, week->trial->request.last);
		assert_true(trial_works_on(week->trial, pair, stop->day, stop->half));
		assert_true(trial_may_serve(pair, stop->item));
		for (uint32_t j = 0; j < week->count; j++)
			assert_false(i != j && is_same_day(stop, &week->stops[j]) &&
				     stop->half == week->stops[j].half);
	}
}

static uint32_t count_of(const struct week *week, struct str pair)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < week->count; i++)
		count += str_equal(week->stops[i].pair, pair);
	return count;
}

static void check_pairs_keep_their_numbers(const struct week *week, const struct week *listed)
{
	for (uint32_t i = 0; i < listed->count; i++)
		assert_int_equal(count_of(week, listed->stops[i].pair),
				 count_of(listed, listed->stops[i].pair));
}

static bool is_of_tier(const struct stop *stop, enum tier tier)
{
	return stop->item && stop->item->tier == tier;
}

/* What is urgent's by the list is urgent's still. */
static void check_urgent_keep_their_half_days(const struct week *week, const struct week *listed)
{
	for (uint32_t i = 0; i < listed->count; i++) {
		bool is_found = !is_of_tier(&listed->stops[i], TIER_URGENT);

		for (uint32_t j = 0; j < week->count; j++)
			is_found |= is_of_tier(&week->stops[j], TIER_URGENT) &&
				    is_same_day(&listed->stops[i], &week->stops[j]) &&
				    listed->stops[i].half == week->stops[j].half;
		assert_true(is_found);
	}
}

static bool are_alike(const struct plan_case *a, const struct plan_case *b)
{
	return a->tier == b->tier && a->lat == b->lat && a->lon == b->lon &&
	       a->closed == b->closed && str_equal(a->sector, b->sector);
}

/* Stops stand in the order of the list. */
static void check_alike_keep_their_order(const struct week *week)
{
	for (uint32_t i = 0; i < week->count; i++) {
		for (uint32_t j = i + 1; j < week->count; j++) {
			const struct stop *a = &week->stops[i], *b = &week->stops[j];

			if (a->item && b->item && are_alike(a->item, b->item))
				assert_true(a->day * 2 + a->half <= b->day * 2 + b->half);
		}
	}
}

/* Fewer days out, or as many and no kilometre more between the visits of a day. */
static void check_less_is_driven(const struct week *week, const struct week *listed)
{
	uint32_t days, days_by_list;
	double km, km_by_list;

	sum_up(week, &days, &km);
	sum_up(listed, &days_by_list, &km_by_list);
	assert_true(days <= days_by_list);
	if (days == days_by_list)
		assert_true(km < km_by_list + 0.1);
}

static bool may_exchange(const struct week *week, const struct stop *a, const struct stop *b)
{
	return a->item && b->item && a->item->tier == b->item->tier && !is_pressing(a->item) &&
	       !is_same_day(a, b) &&
	       trial_may_serve(trial_pair_of(week->trial, a->pair), b->item) &&
	       trial_may_serve(trial_pair_of(week->trial, b->pair), a->item);
}

/* No two visits are left whose exchange saves a kilometre (and what two ways of measuring differ). */
static void check_no_exchange_is_left(const struct week *week)
{
	for (uint32_t i = 0; i < week->count; i++) {
		for (uint32_t j = i + 1; j < week->count; j++) {
			const struct stop *a = &week->stops[i], *b = &week->stops[j];
			const struct stop *mate_a = day_mate(week, a), *mate_b = day_mate(week, b);
			double before, after;

			if (!may_exchange(week, a, b))
				continue;
			before = driven(week, a) + driven(week, b);
			after = (mate_a ? distance(b, mate_a) : 0) +
				(mate_b ? distance(a, mate_b) : 0);
			assert_true(after > before - 1.6);
		}
	}
}

static void check_week(const struct trial *trial, day_t monday)
{
	struct week week = week_of(trial, &trial->answer, monday);
	struct week listed = week_of(trial, &trial->by_list, monday);

	check_visits_are_allowed(&week);
	check_pairs_keep_their_numbers(&week, &listed);
	check_urgent_keep_their_half_days(&week, &listed);
	check_alike_keep_their_order(&week);
	check_less_is_driven(&week, &listed);
	check_no_exchange_is_left(&week);
}

static void test_nobody_is_overtaken(void **state)
{
	struct trial *trial = *state;

	for (uint64_t seed = 1; seed <= 1000; seed++) {
		trial_make_random(trial, seed);
		trial_make(trial);
		check_weeks_are_those_of_the_list(trial);
		for (day_t monday = monday_of(trial->request.first); monday <= trial->request.last;
		     monday += 7)
			check_week(trial, monday);
		arena_reset(&trial->arena);
	}
}

/* --- distances -------------------------------------------------------------------------------- */

static struct spot spot_of(enum where where)
{
	return (struct spot){where != NOWHERE, trial_places[where].lat, trial_places[where].lon};
}

static void expect_distance(enum where a, enum where b, int64_t metres)
{
	int64_t found = spot_distance(spot_of(a), spot_of(b)) * 1000 / SPOT_KILOMETRE;

	assert_in_range(found, metres * 995 / 1000, metres * 1005 / 1000);
	assert_int_equal(spot_distance(spot_of(a), spot_of(b)),
			 spot_distance(spot_of(b), spot_of(a)));
	assert_true(spot_distance_least(spot_of(a), spot_of(b)) <=
		    spot_distance(spot_of(a), spot_of(b)));
}

/* Great circles, worked out elsewhere. */
static void test_distances_are_those_of_the_map(void **state)
{
	expect_distance(DOLE, TAVAUX, 8531);
	expect_distance(DOLE, LONS, 44764);
	expect_distance(DOLE, SAINT_CLAUDE, 79466);
	expect_distance(TAVAUX, MOREZ, 73655);
	expect_distance(MOREZ, SAINT_CLAUDE, 14911);
	expect_distance(LONS, NOWHERE, 30000);
	assert_int_equal(spot_distance(spot_of(LONS), spot_of(LONS)), 0);
	assert_int_equal(spot_distance_least(spot_of(LONS), spot_of(NOWHERE)),
			 spot_distance(spot_of(LONS), spot_of(NOWHERE)));
}

/* The ends of the earth are no trouble. */
static void test_the_longest_distance_is_a_number(void **state)
{
	struct spot south = {true, -90000000, -180000000}, north = {true, 90000000, 180000000};
	struct spot east = {true, 0, 180000000}, west = {true, 0, -180000000};

	assert_int_equal(spot_distance(south, north) / 1000000, 402);
	assert_int_equal(spot_distance(east, west), 360000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trial_set_up, trial_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_neighbours_share_a_day),
		TEST(test_nobody_leaves_the_week_for_a_neighbour),
		TEST(test_neighbours_come_to_a_cut),
		TEST(test_critical_cases_stay_where_they_are),
		TEST(test_urgent_cases_give_way_to_no_neighbour),
		TEST(test_a_confirmed_visit_draws_its_neighbour),
		TEST(test_who_lives_far_goes_to_the_first_half_day),
		TEST(test_an_urgent_case_does_not_wait_for_a_confirmed_visit),
		TEST(test_unknown_communes_follow_the_list),
		TEST(test_what_makes_no_difference_follows_the_list),
		TEST(test_nobody_changes_half_day_for_less_than_a_kilometre),
		TEST(test_pairs_exchange_what_both_serve),
		TEST(test_nobody_is_overtaken),
		TEST(test_distances_are_those_of_the_map),
		TEST(test_the_longest_distance_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
