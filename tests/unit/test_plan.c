/* The plan of visits: what it promises, on small cases and on random ones. Dates are of 2015: Monday
 * 12 January is the first day unless a test says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "tests/lib/trial.h"

/* --- the order --- */

/* The list's order is the order of the half-days. */
static void test_cases_are_visited_in_the_order_of_the_list(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_case(trial, 7, TIER_URGENT, "dole");
	trial_add_case(trial, 3, TIER_NORMAL, "champagnole");
	trial_add_case(trial, 5, TIER_NORMAL, "dole");

	trial_make(trial);

	assert_int_equal(trial->answer.visits.count, 3);
	trial_expect(trial, 7, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 5, "p1", of_2015(1, 13), HALF_AM);
}

/* A cut is first even where somebody handed over a list that isn't in order. */
static void test_cut_and_critical_take_the_first_half_days(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_case(trial, 1, TIER_NORMAL, "dole");
	trial_add_case(trial, 2, TIER_CRITICAL, "dole");
	trial_add_case(trial, 3, TIER_URGENT, "dole");
	trial_add_case(trial, 4, TIER_CUT, "dole");

	trial_make(trial);

	trial_expect(trial, 2, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 4, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 1, "p1", of_2015(1, 13), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 13), HALF_PM);
}

/* --- what half-days there are --- */

/* Tuesday mornings and Friday afternoons are all that this pair has. */
static void test_a_pair_goes_on_its_own_half_days_only(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", 1 << (HALF_DAY_TUE_AM - 1) | 1 << (HALF_DAY_FRI_PM - 1), 10);
	trial_add_cases(trial, 3);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 13), HALF_AM);
	trial_expect(trial, 2, "p1", of_2015(1, 16), HALF_PM);
	trial_expect(trial, 3, "p1", of_2015(1, 20), HALF_AM);
}

/* May 2015 has 1 May (a Friday), 8 May (a Friday) and Ascension on Thursday the 14th. */
static void test_nobody_goes_on_a_public_holiday(void **state)
{
	struct trial *trial = *state;
	trial->request.today = of_2015(4, 24);
	trial->request.first = of_2015(4, 27);
	trial->request.last = of_2015(5, 17);
	trial_add_pair(trial, "p1", 1 << (HALF_DAY_THU_PM - 1) | 1 << (HALF_DAY_FRI_AM - 1), 10);
	trial_add_cases(trial, 9);

	trial_make(trial);

	assert_int_equal(trial->answer.visits.count, 3);
	trial_expect(trial, 1, "p1", of_2015(4, 30), HALF_PM);
	trial_expect(trial, 2, "p1", of_2015(5, 7), HALF_PM);
	trial_expect(trial, 3, "p1", of_2015(5, 15), HALF_AM);
}

/* 3 April 2015 is Good Friday: a working day in Dole, none in Metz. */
static void test_good_friday_depends_on_the_department(void **state)
{
	struct trial *trial = *state;
	trial->request.today = of_2015(3, 27);
	trial->request.first = of_2015(3, 30);
	trial->request.last = of_2015(4, 5);
	trial_add_pair(trial, "p1", 1 << (HALF_DAY_FRI_AM - 1), 10);
	trial_add_cases(trial, 1);

	trial_make(trial);
	trial_expect(trial, 1, "p1", of_2015(4, 3), HALF_AM);
	trial->request.alsace_moselle = SAID_YES;
	trial_make(trial);

	assert_int_equal(trial->answer.visits.count, 0);
}

/* Both ends of an absence are days away. */
static void test_an_absence_is_kept_with_both_its_ends(void **state)
{
	struct trial *trial = *state;
	struct plan_pair *pair = trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_absence(pair, of_2015(1, 13), of_2015(1, 14));
	trial_add_absence(pair, of_2015(1, 16), of_2015(1, 16));
	trial_add_cases(trial, 5);

	trial_make(trial);

	trial_expect(trial, 2, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 3, "p1", of_2015(1, 15), HALF_AM);
	trial_expect(trial, 5, "p1", of_2015(1, 19), HALF_AM);
}

/* --- how many in a week --- */

/* Four a week, three weeks: twelve visits, and the thirteenth case waits for a later plan. */
static void test_a_week_holds_no_more_than_the_pair_makes(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	trial_add_cases(trial, 13);

	trial_make(trial);

	assert_int_equal(trial->answer.visits.count, 12);
	trial_expect(trial, 4, "p1", of_2015(1, 13), HALF_PM);
	trial_expect(trial, 5, "p1", of_2015(1, 19), HALF_AM);
	trial_expect(trial, 12, "p1", of_2015(1, 27), HALF_PM);
}

/* The week has its two visits; a household that is cut off doesn't wait for the next one, and counts
 * for those behind. A pair that makes no visits makes none for it either. */
static void test_cut_and_critical_go_beyond_the_week(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p0", TRIAL_EVERY_HALF_DAY, 0);
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 2);
	trial_add_booking(trial, 100, "p1", of_2015(1, 12), HALF_AM);
	trial_add_case(trial, 1, TIER_CUT, "dole");
	trial_add_case(trial, 2, TIER_CRITICAL, "dole");
	trial_add_case(trial, 3, TIER_URGENT, "dole");

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 2, "p1", of_2015(1, 13), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 19), HALF_AM);
}

/* A confirmed visit keeps its half-day and takes one of the week's four. */
static void test_confirmed_visits_stay_and_count(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 4);
	trial_add_booking(trial, 100, "p1", of_2015(1, 12), HALF_AM);
	trial_add_booking(trial, 101, "p1", of_2015(1, 16), HALF_PM);
	trial_add_cases(trial, 3);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_PM);
	trial_expect(trial, 2, "p1", of_2015(1, 13), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 19), HALF_AM);
}

/* The plan begins on a Thursday; Monday's visit is over, but it was one of this week's two. */
static void test_a_visit_held_this_week_counts_although_it_is_over(void **state)
{
	struct trial *trial = *state;
	trial->request.today = of_2015(1, 14);
	trial->request.first = of_2015(1, 15);
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 2);
	trial_add_booking(trial, 100, "p1", of_2015(1, 12), HALF_AM);
	trial_add_cases(trial, 2);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 15), HALF_AM);
	trial_expect(trial, 2, "p1", of_2015(1, 19), HALF_AM);
}

/* Put on a Saturday by hand: it counts for the week, and no more than that. */
static void test_a_booking_on_a_saturday_counts_for_its_week(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 1);
	trial_add_booking(trial, 100, "p1", of_2015(1, 17), HALF_AM);
	trial_add_cases(trial, 1);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 19), HALF_AM);
}

/* Bookings of pairs that left the policy, and of weeks outside the plan, touch nobody. */
static void test_bookings_elsewhere_change_nothing(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 1);
	trial_add_booking(trial, 100, "gone", of_2015(1, 12), HALF_AM);
	trial_add_booking(trial, 101, "p1", of_2015(1, 5), HALF_AM);
	trial_add_booking(trial, 102, "p1", of_2015(12, 31), HALF_AM);
	trial_add_cases(trial, 1);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
}

/* One visit ahead is enough; one that is over (nobody was at home, or a second is needed) isn't. */
static void test_a_case_is_planned_again_only_after_its_visit(void **state)
{
	struct trial *trial = *state;
	trial->request.today = of_2015(1, 14);
	trial->request.first = of_2015(1, 15);
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_booking(trial, 1, "p1", of_2015(1, 13), HALF_AM);
	trial_add_booking(trial, 2, "p1", of_2015(1, 14), HALF_AM);
	trial_add_booking(trial, 3, "gone", of_2015(1, 30), HALF_AM);
	trial_add_cases(trial, 4);

	trial_make(trial);

	assert_int_equal(trial->answer.visits.count, 2);
	trial_expect(trial, 1, "p1", of_2015(1, 15), HALF_AM);
	trial_expect(trial, 4, "p1", of_2015(1, 15), HALF_PM);
}

/* Nothing lies before `first` or after `last`, even when these cut a week. */
static void test_a_plan_stays_within_its_days(void **state)
{
	struct trial *trial = *state;
	trial->request.today = of_2015(1, 14);
	trial->request.first = of_2015(1, 15);
	trial->request.last = of_2015(1, 20);
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_cases(trial, 20);

	trial_make(trial);

	assert_int_equal(trial->answer.visits.count, 8);
	trial_expect(trial, 1, "p1", of_2015(1, 15), HALF_AM);
	trial_expect(trial, 8, "p1", of_2015(1, 20), HALF_PM);
}

/* --- who goes --- */

/* Two pairs free at once: the first of the request; then the other. */
static void test_pairs_share_the_work_in_their_order(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_pair(trial, "p2", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_cases(trial, 3);

	trial_make(trial);

	trial_expect(trial, 1, "p1", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 2, "p2", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 3, "p1", of_2015(1, 12), HALF_PM);
}

/* Each pair keeps to its sectors; one without any serves all; a case whose sector nobody knows is
 * for the latter. */
static void test_a_pair_serves_its_sectors(void **state)
{
	struct trial *trial = *state;
	trial_add_sector(trial_add_pair(trial, "north", TRIAL_EVERY_HALF_DAY, 10), "dole");
	struct plan_pair *south = trial_add_pair(trial, "south", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_sector(south, "lons-le-saunier");
	trial_add_sector(south, "saint-claude");
	trial_add_pair(trial, "all", 1 << (HALF_DAY_FRI_PM - 1), 10);
	trial_add_case(trial, 1, TIER_NORMAL, "saint-claude");
	trial_add_case(trial, 2, TIER_NORMAL, "dole");
	trial_add_case(trial, 3, TIER_NORMAL, "");
	trial_add_case(trial, 4, TIER_NORMAL, "champagnole");

	trial_make(trial);

	trial_expect(trial, 1, "south", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 2, "north", of_2015(1, 12), HALF_AM);
	trial_expect(trial, 3, "all", of_2015(1, 16), HALF_PM);
	trial_expect(trial, 4, "all", of_2015(1, 23), HALF_PM);
}

/* Closed sectors are for the pairs that go there, though another would be free sooner. */
static void test_closed_sectors_are_for_the_pairs_that_serve_them(void **state)
{
	struct trial *trial = *state;
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 10);
	trial_add_pair(trial, "p2", 1 << (HALF_DAY_WED_AM - 1), 10)->closed_sectors = SAID_YES;
	trial_add_case(trial, 1, TIER_CUT, "dole")->closed = SAID_YES;
	trial_add_case(trial, 2, TIER_NORMAL, "dole");

	trial_make(trial);

	trial_expect(trial, 1, "p2", of_2015(1, 14), HALF_AM);
	trial_expect(trial, 2, "p1", of_2015(1, 12), HALF_AM);
}

/* A case that nobody can visit doesn't hold up those behind it. */
static void test_a_case_nobody_serves_is_left_out(void **state)
{
	struct trial *trial = *state;
	trial_add_sector(trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 10), "dole");
	trial_add_case(trial, 1, TIER_CUT, "saint-claude");
	trial_add_case(trial, 2, TIER_NORMAL, "dole");

	trial_make(trial);

	assert_int_equal(trial->answer.visits.count, 1);
	trial_expect(trial, 2, "p1", of_2015(1, 12), HALF_AM);
}

/* --- nothing at all --- */

/* No pair, no case, no visits a week, or no day but a Saturday: an empty plan. */
static void test_empty_requests_give_empty_plans(void **state)
{
	struct trial *trial = *state;

	trial_make(trial);
	assert_int_equal(trial->answer.visits.count, 0);
	trial_add_cases(trial, 3);
	trial_make(trial);
	assert_int_equal(trial->answer.visits.count, 0);
	trial_add_pair(trial, "p1", TRIAL_EVERY_HALF_DAY, 0);
	trial_make(trial);
	assert_int_equal(trial->answer.visits.count, 0);
	trial->pairs[0].visits_a_week = 4;
	trial->request.first = trial->request.last = of_2015(1, 17);
	trial_make(trial);
	assert_int_equal(trial->answer.visits.count, 0);
}

/* --- any request --- */

/* The rules said anew, slowly: is (day, half) open to `pair` for a case of that tier, given its
 * bookings and the first `count` visits of the answer? */
static bool is_open(const struct trial *trial, const struct plan_pair *pair, enum tier tier,
		    day_t day, enum half half, uint32_t count)
{
	uint32_t in_week = 0;
	struct iso_week week = day_iso_week(day);

	if (!trial_works_on(trial, pair, day, half))
		return false;
	for (uint32_t i = 0; i < trial->request.bookings.count + count; i++) {
		bool booked = i < trial->request.bookings.count;
		const struct planned_visit *visit =
			booked ? NULL : trial_visit_at(trial, i - trial->request.bookings.count);
		struct str who = booked ? trial->bookings[i].pair : visit->pair;
		day_t at = booked ? trial->bookings[i].day : visit->day;
		uint32_t at_half = booked ? trial->bookings[i].half : visit->half;
		struct iso_week at_week = day_iso_week(at);

		if (!str_equal(who, pair->pair))
			continue;
		if (at == day && at_half == half)
			return false;
		in_week += at_week.week == week.week && at_week.year == week.year;
	}
	return in_week < pair->visits_a_week || (tier <= TIER_CRITICAL && pair->visits_a_week > 0);
}

/* Nothing earlier than `limit` was open to a pair that serves this case. */
static void check_nothing_sooner(const struct trial *trial, const struct plan_case *item,
				 day_t limit, enum half limit_half, uint32_t count)
{
	for (uint32_t p = 0; p < trial->request.pairs.count; p++) {
		const struct plan_pair *pair = &trial->pairs[p];

		if (!trial_may_serve(pair, item))
			continue;
		for (day_t day = trial->request.first; day <= trial->request.last; day++) {
			for (enum half half = HALF_AM; half <= HALF_PM; half++) {
				if (day < limit || (day == limit && half < limit_half))
					assert_false(
						is_open(trial, pair, item->tier, day, half, count));
			}
		}
	}
}

static bool has_booking_ahead(const struct trial *trial, uint64_t number)
{
	for (uint32_t i = 0; i < trial->request.bookings.count; i++) {
		if (trial->bookings[i].case_number == number &&
		    trial->bookings[i].day >= trial->request.today)
			return true;
	}
	return false;
}

/* Cases stand in tier order here, so visits must come in the order of cases. */
static void check_list_is_followed(struct trial *trial)
{
	uint32_t made = 0;

	for (uint32_t i = 0; i < trial->request.cases.count; i++) {
		const struct plan_case *item = &trial->cases[i];
		const struct planned_visit *visit = trial_visit_of(trial, item->case_number);

		if (has_booking_ahead(trial, item->case_number)) {
			assert_null(visit);
			continue;
		}
		if (!visit) {
			check_nothing_sooner(trial, item, DAY_MAX, HALF_AM, made);
			continue;
		}
		assert_ptr_equal(visit, trial_visit_at(trial, made));
		assert_true(trial_may_serve(trial_pair_of(trial, visit->pair), item));
		assert_in_range(visit->day, trial->request.first, trial->request.last);
		assert_true(is_open(trial, trial_pair_of(trial, visit->pair), item->tier,
				    visit->day, visit->half, made));
		check_nothing_sooner(trial, item, visit->day, visit->half, made);
		made++;
	}
	assert_int_equal(trial->answer.visits.count, made);
}

/* Whatever is asked for: by the list alone every visit is allowed, and none could have been sooner
 * without taking the half-day of a case before it. */
static void test_no_case_could_be_visited_sooner(void **state)
{
	struct trial *trial = *state;

	for (uint64_t seed = 1; seed <= 400; seed++) {
		trial_make_random(trial, seed);
		trial_make(trial);
		trial->answer = trial->by_list;
		check_list_is_followed(trial);
		arena_reset(&trial->arena);
	}
}

/* The same request, the same bytes. */
static void test_the_same_request_gives_the_same_plan(void **state)
{
	struct trial *trial = *state;
	struct buf once = {0}, again = {0};
	trial_make_random(trial, 3);

	trial_make(trial);
	codec_encode(&record_plan_answer, &trial->answer, 0, 0, &once);
	trial_make(trial);
	codec_encode(&record_plan_answer, &trial->answer, 0, 0, &again);

	assert_true(trial->answer.visits.count > 0);
	assert_true(str_equal(buf_str(&once), buf_str(&again)));
	buf_done(&once);
	buf_done(&again);
}

/* The largest request there can be is filled to the end: all cases, all pairs, all weeks. */
static void test_the_largest_request_is_planned(void **state)
{
	struct trial *trial = *state;
	static char pair_names[POLICY_PAIRS_MAX][8];
	trial->request.last = trial->request.first + 7 * PLAN_WEEKS_MAX - 1;
	for (uint32_t i = 0; i < POLICY_PAIRS_MAX; i++) {
		snprintf(pair_names[i], sizeof(pair_names[i]), "p%u", i);
		trial_add_pair(trial, pair_names[i], TRIAL_EVERY_HALF_DAY, 10);
	}
	trial_add_cases(trial, PLAN_CASES_MAX);

	trial_make(trial);

	assert_int_equal(trial->answer.visits.count, PLAN_CASES_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trial_set_up, trial_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cases_are_visited_in_the_order_of_the_list),
		TEST(test_cut_and_critical_take_the_first_half_days),
		TEST(test_a_pair_goes_on_its_own_half_days_only),
		TEST(test_nobody_goes_on_a_public_holiday),
		TEST(test_good_friday_depends_on_the_department),
		TEST(test_an_absence_is_kept_with_both_its_ends),
		TEST(test_a_week_holds_no_more_than_the_pair_makes),
		TEST(test_cut_and_critical_go_beyond_the_week),
		TEST(test_confirmed_visits_stay_and_count),
		TEST(test_a_visit_held_this_week_counts_although_it_is_over),
		TEST(test_a_booking_on_a_saturday_counts_for_its_week),
		TEST(test_bookings_elsewhere_change_nothing),
		TEST(test_a_case_is_planned_again_only_after_its_visit),
		TEST(test_a_plan_stays_within_its_days),
		TEST(test_pairs_share_the_work_in_their_order),
		TEST(test_a_pair_serves_its_sectors),
		TEST(test_closed_sectors_are_for_the_pairs_that_serve_them),
		TEST(test_a_case_nobody_serves_is_left_out),
		TEST(test_empty_requests_give_empty_plans),
		TEST(test_no_case_could_be_visited_sooner),
		TEST(test_the_same_request_gives_the_same_plan),
		TEST(test_the_largest_request_is_planned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
