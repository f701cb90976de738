/* The plan of visits: what it promises, on small cases and on random ones. Dates are of 2015: Monday
 * 12 January is the first day unless a test says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "workers/schedule/plan.h"

/* --- building requests --- */

enum { PAIRS_MAX = 4, ITEMS_MAX = PLAN_CASES_MAX, ABSENCES_MAX = 8 };

struct bench {
	struct arena arena;
	struct plan_request request;
	struct plan_answer answer;
	struct plan_pair pairs[POLICY_PAIRS_MAX];
	struct plan_absence absences[POLICY_PAIRS_MAX][ABSENCES_MAX];
	struct plan_booking bookings[ITEMS_MAX];
	struct plan_case cases[ITEMS_MAX];
};

static day_t of_2015(int month, int day)
{
	return day_from_ymd(2015, month, day);
}

static int set_up(void **state)
{
	struct bench *bench = mem_new(sizeof(*bench));

	record_clear(&record_plan_request, &bench->request);
	bench->request.today = of_2015(1, 9);
	bench->request.first = of_2015(1, 12);
	bench->request.last = of_2015(2, 1);
	bench->request.alsace_moselle = SAID_NO;
	bench->request.pairs.items = bench->pairs;
	bench->request.bookings.items = bench->bookings;
	bench->request.cases.items = bench->cases;
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	arena_done(&bench->arena);
	free(bench);
	return 0;
}

static const uint32_t every_half_day = 0x3ff;

static struct plan_pair *add_pair(struct bench *bench, const char *name, uint32_t half_days,
				  uint64_t visits_a_week)
{
	uint32_t at = bench->request.pairs.count++;
	struct plan_pair *pair = &bench->pairs[at];

	record_clear(&record_plan_pair, pair);
	pair->pair = str_from(name);
	pair->half_days = half_days;
	pair->visits_a_week = visits_a_week;
	pair->closed_sectors = SAID_NO;
	pair->absences.items = bench->absences[at];
	return pair;
}

static void add_sector(struct plan_pair *pair, const char *sector)
{
	pair->sectors.item[pair->sectors.count++] = str_from(sector);
}

static void add_absence(struct plan_pair *pair, day_t from, day_t to)
{
	struct plan_absence absence = {.is_set = true, .from = from, .to = to};

	*list_at(&pair->absences, struct plan_absence, pair->absences.count++) = absence;
}

static void add_booking(struct bench *bench, uint64_t number, const char *pair, day_t day,
			enum half half)
{
	struct plan_booking *booking = &bench->bookings[bench->request.bookings.count++];

	record_clear(&record_plan_booking, booking);
	booking->case_number = number;
	booking->pair = str_from(pair);
	booking->day = day;
	booking->half = half;
}

static struct plan_case *add_case(struct bench *bench, uint64_t number, enum tier tier,
				  const char *sector)
{
	struct plan_case *item = &bench->cases[bench->request.cases.count++];

	record_clear(&record_plan_case, item);
	item->case_number = number;
	item->tier = tier;
	item->sector = str_from(sector);
	item->closed = SAID_NO;
	return item;
}

static void add_cases(struct bench *bench, uint32_t count)
{
	for (uint32_t i = 1; i <= count; i++)
		add_case(bench, i, TIER_NORMAL, "dole");
}

/* --- reading answers --- */

static void make(struct bench *bench)
{
	struct fault fault = {0};

	if (record_check(&record_plan_request, &bench->request, "", &fault) != ERR_OK)
		fail_msg("%s: %s", fault.path, fault.text);
	plan_make(&bench->request, &bench->arena, &bench->answer);
}

static const struct planned_visit *visit_at(const struct bench *bench, uint32_t index)
{
	assert_true(index < bench->answer.visits.count);
	return list_at(&bench->answer.visits, struct planned_visit, index);
}

static const struct planned_visit *visit_of(const struct bench *bench, uint64_t number)
{
	for (uint32_t i = 0; i < bench->answer.visits.count; i++) {
		if (visit_at(bench, i)->case_number == number)
			return visit_at(bench, i);
	}
	return NULL;
}

static void expect(const struct bench *bench, uint64_t number, const char *pair, day_t day,
		   enum half half)
{
	const struct planned_visit *visit = visit_of(bench, number);
	char found[DAY_TEXT_SIZE], wanted[DAY_TEXT_SIZE];

	assert_non_null(visit);
	assert_true(str_is(visit->pair, pair));
	assert_string_equal(day_print(visit->day, found), day_print(day, wanted));
	assert_int_equal(visit->half, half);
}

/* --- the order --- */

/* The list's order is the order of the half-days. */
static void test_cases_are_visited_in_the_order_of_the_list(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", every_half_day, 10);
	add_case(bench, 7, TIER_URGENT, "dole");
	add_case(bench, 3, TIER_NORMAL, "champagnole");
	add_case(bench, 5, TIER_NORMAL, "dole");

	make(bench);

	assert_int_equal(bench->answer.visits.count, 3);
	expect(bench, 7, "p1", of_2015(1, 12), HALF_AM);
	expect(bench, 3, "p1", of_2015(1, 12), HALF_PM);
	expect(bench, 5, "p1", of_2015(1, 13), HALF_AM);
}

/* A cut is first even where somebody handed over a list that isn't in order. */
static void test_cut_and_critical_take_the_first_half_days(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", every_half_day, 10);
	add_case(bench, 1, TIER_NORMAL, "dole");
	add_case(bench, 2, TIER_CRITICAL, "dole");
	add_case(bench, 3, TIER_URGENT, "dole");
	add_case(bench, 4, TIER_CUT, "dole");

	make(bench);

	expect(bench, 2, "p1", of_2015(1, 12), HALF_AM);
	expect(bench, 4, "p1", of_2015(1, 12), HALF_PM);
	expect(bench, 1, "p1", of_2015(1, 13), HALF_AM);
	expect(bench, 3, "p1", of_2015(1, 13), HALF_PM);
}

/* --- what half-days there are --- */

/* Tuesday mornings and Friday afternoons are all that this pair has. */
static void test_a_pair_goes_on_its_own_half_days_only(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", 1 << (HALF_DAY_TUE_AM - 1) | 1 << (HALF_DAY_FRI_PM - 1), 10);
	add_cases(bench, 3);

	make(bench);

	expect(bench, 1, "p1", of_2015(1, 13), HALF_AM);
	expect(bench, 2, "p1", of_2015(1, 16), HALF_PM);
	expect(bench, 3, "p1", of_2015(1, 20), HALF_AM);
}

/* May 2015 has 1 May (a Friday), 8 May (a Friday) and Ascension on Thursday the 14th. */
static void test_nobody_goes_on_a_public_holiday(void **state)
{
	struct bench *bench = *state;
	bench->request.today = of_2015(4, 24);
	bench->request.first = of_2015(4, 27);
	bench->request.last = of_2015(5, 17);
	add_pair(bench, "p1", 1 << (HALF_DAY_THU_PM - 1) | 1 << (HALF_DAY_FRI_AM - 1), 10);
	add_cases(bench, 9);

	make(bench);

	assert_int_equal(bench->answer.visits.count, 3);
	expect(bench, 1, "p1", of_2015(4, 30), HALF_PM);
	expect(bench, 2, "p1", of_2015(5, 7), HALF_PM);
	expect(bench, 3, "p1", of_2015(5, 15), HALF_AM);
}

/* 3 April 2015 is Good Friday: a working day in Dole, none in Metz. */
static void test_good_friday_depends_on_the_department(void **state)
{
	struct bench *bench = *state;
	bench->request.today = of_2015(3, 27);
	bench->request.first = of_2015(3, 30);
	bench->request.last = of_2015(4, 5);
	add_pair(bench, "p1", 1 << (HALF_DAY_FRI_AM - 1), 10);
	add_cases(bench, 1);

	make(bench);
	expect(bench, 1, "p1", of_2015(4, 3), HALF_AM);
	bench->request.alsace_moselle = SAID_YES;
	make(bench);

	assert_int_equal(bench->answer.visits.count, 0);
}

/* Both ends of an absence are days away. */
static void test_an_absence_is_kept_with_both_its_ends(void **state)
{
	struct bench *bench = *state;
	struct plan_pair *pair = add_pair(bench, "p1", every_half_day, 10);
	add_absence(pair, of_2015(1, 13), of_2015(1, 14));
	add_absence(pair, of_2015(1, 16), of_2015(1, 16));
	add_cases(bench, 5);

	make(bench);

	expect(bench, 2, "p1", of_2015(1, 12), HALF_PM);
	expect(bench, 3, "p1", of_2015(1, 15), HALF_AM);
	expect(bench, 5, "p1", of_2015(1, 19), HALF_AM);
}

/* --- how many in a week --- */

/* Four a week, three weeks: twelve visits, and the thirteenth case waits for a later plan. */
static void test_a_week_holds_no_more_than_the_pair_makes(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", every_half_day, 4);
	add_cases(bench, 13);

	make(bench);

	assert_int_equal(bench->answer.visits.count, 12);
	expect(bench, 4, "p1", of_2015(1, 13), HALF_PM);
	expect(bench, 5, "p1", of_2015(1, 19), HALF_AM);
	expect(bench, 12, "p1", of_2015(1, 27), HALF_PM);
}

/* The week has its two visits; a household that is cut off doesn't wait for the next one, and counts
 * for those behind. A pair that makes no visits makes none for it either. */
static void test_cut_and_critical_go_beyond_the_week(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p0", every_half_day, 0);
	add_pair(bench, "p1", every_half_day, 2);
	add_booking(bench, 100, "p1", of_2015(1, 12), HALF_AM);
	add_case(bench, 1, TIER_CUT, "dole");
	add_case(bench, 2, TIER_CRITICAL, "dole");
	add_case(bench, 3, TIER_URGENT, "dole");

	make(bench);

	expect(bench, 1, "p1", of_2015(1, 12), HALF_PM);
	expect(bench, 2, "p1", of_2015(1, 13), HALF_AM);
	expect(bench, 3, "p1", of_2015(1, 19), HALF_AM);
}

/* A confirmed visit keeps its half-day and takes one of the week's four. */
static void test_confirmed_visits_stay_and_count(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", every_half_day, 4);
	add_booking(bench, 100, "p1", of_2015(1, 12), HALF_AM);
	add_booking(bench, 101, "p1", of_2015(1, 16), HALF_PM);
	add_cases(bench, 3);

	make(bench);

	expect(bench, 1, "p1", of_2015(1, 12), HALF_PM);
	expect(bench, 2, "p1", of_2015(1, 13), HALF_AM);
	expect(bench, 3, "p1", of_2015(1, 19), HALF_AM);
}

/* The plan begins on a Thursday; Monday's visit is over, but it was one of this week's two. */
static void test_a_visit_held_this_week_counts_although_it_is_over(void **state)
{
	struct bench *bench = *state;
	bench->request.today = of_2015(1, 14);
	bench->request.first = of_2015(1, 15);
	add_pair(bench, "p1", every_half_day, 2);
	add_booking(bench, 100, "p1", of_2015(1, 12), HALF_AM);
	add_cases(bench, 2);

	make(bench);

	expect(bench, 1, "p1", of_2015(1, 15), HALF_AM);
	expect(bench, 2, "p1", of_2015(1, 19), HALF_AM);
}

/* Put on a Saturday by hand: it counts for the week, and no more than that. */
static void test_a_booking_on_a_saturday_counts_for_its_week(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", every_half_day, 1);
	add_booking(bench, 100, "p1", of_2015(1, 17), HALF_AM);
	add_cases(bench, 1);

	make(bench);

	expect(bench, 1, "p1", of_2015(1, 19), HALF_AM);
}

/* Bookings of pairs that left the policy, and of weeks outside the plan, touch nobody. */
static void test_bookings_elsewhere_change_nothing(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", every_half_day, 1);
	add_booking(bench, 100, "gone", of_2015(1, 12), HALF_AM);
	add_booking(bench, 101, "p1", of_2015(1, 5), HALF_AM);
	add_booking(bench, 102, "p1", of_2015(12, 31), HALF_AM);
	add_cases(bench, 1);

	make(bench);

	expect(bench, 1, "p1", of_2015(1, 12), HALF_AM);
}

/* One visit ahead is enough; one that is over (nobody was at home, or a second is needed) isn't. */
static void test_a_case_is_planned_again_only_after_its_visit(void **state)
{
	struct bench *bench = *state;
	bench->request.today = of_2015(1, 14);
	bench->request.first = of_2015(1, 15);
	add_pair(bench, "p1", every_half_day, 10);
	add_booking(bench, 1, "p1", of_2015(1, 13), HALF_AM);
	add_booking(bench, 2, "p1", of_2015(1, 14), HALF_AM);
	add_booking(bench, 3, "gone", of_2015(1, 30), HALF_AM);
	add_cases(bench, 4);

	make(bench);

	assert_int_equal(bench->answer.visits.count, 2);
	expect(bench, 1, "p1", of_2015(1, 15), HALF_AM);
	expect(bench, 4, "p1", of_2015(1, 15), HALF_PM);
}

/* Nothing lies before `first` or after `last`, even when these cut a week. */
static void test_a_plan_stays_within_its_days(void **state)
{
	struct bench *bench = *state;
	bench->request.today = of_2015(1, 14);
	bench->request.first = of_2015(1, 15);
	bench->request.last = of_2015(1, 20);
	add_pair(bench, "p1", every_half_day, 10);
	add_cases(bench, 20);

	make(bench);

	assert_int_equal(bench->answer.visits.count, 8);
	expect(bench, 1, "p1", of_2015(1, 15), HALF_AM);
	expect(bench, 8, "p1", of_2015(1, 20), HALF_PM);
}

/* --- who goes --- */

/* Two pairs free at once: the first of the request; then the other. */
static void test_pairs_share_the_work_in_their_order(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", every_half_day, 10);
	add_pair(bench, "p2", every_half_day, 10);
	add_cases(bench, 3);

	make(bench);

	expect(bench, 1, "p1", of_2015(1, 12), HALF_AM);
	expect(bench, 2, "p2", of_2015(1, 12), HALF_AM);
	expect(bench, 3, "p1", of_2015(1, 12), HALF_PM);
}

/* Each pair keeps to its sectors; one without any serves all; a case whose sector nobody knows is
 * for the latter. */
static void test_a_pair_serves_its_sectors(void **state)
{
	struct bench *bench = *state;
	add_sector(add_pair(bench, "north", every_half_day, 10), "dole");
	struct plan_pair *south = add_pair(bench, "south", every_half_day, 10);
	add_sector(south, "lons-le-saunier");
	add_sector(south, "saint-claude");
	add_pair(bench, "all", 1 << (HALF_DAY_FRI_PM - 1), 10);
	add_case(bench, 1, TIER_NORMAL, "saint-claude");
	add_case(bench, 2, TIER_NORMAL, "dole");
	add_case(bench, 3, TIER_NORMAL, "");
	add_case(bench, 4, TIER_NORMAL, "champagnole");

	make(bench);

	expect(bench, 1, "south", of_2015(1, 12), HALF_AM);
	expect(bench, 2, "north", of_2015(1, 12), HALF_AM);
	expect(bench, 3, "all", of_2015(1, 16), HALF_PM);
	expect(bench, 4, "all", of_2015(1, 23), HALF_PM);
}

/* Closed sectors are for the pairs that go there, though another would be free sooner. */
static void test_closed_sectors_are_for_the_pairs_that_serve_them(void **state)
{
	struct bench *bench = *state;
	add_pair(bench, "p1", every_half_day, 10);
	add_pair(bench, "p2", 1 << (HALF_DAY_WED_AM - 1), 10)->closed_sectors = SAID_YES;
	add_case(bench, 1, TIER_CUT, "dole")->closed = SAID_YES;
	add_case(bench, 2, TIER_NORMAL, "dole");

	make(bench);

	expect(bench, 1, "p2", of_2015(1, 14), HALF_AM);
	expect(bench, 2, "p1", of_2015(1, 12), HALF_AM);
}

/* A case that nobody can visit doesn't hold up those behind it. */
static void test_a_case_nobody_serves_is_left_out(void **state)
{
	struct bench *bench = *state;
	add_sector(add_pair(bench, "p1", every_half_day, 10), "dole");
	add_case(bench, 1, TIER_CUT, "saint-claude");
	add_case(bench, 2, TIER_NORMAL, "dole");

	make(bench);

	assert_int_equal(bench->answer.visits.count, 1);
	expect(bench, 2, "p1", of_2015(1, 12), HALF_AM);
}

/* --- nothing at all --- */

/* No pair, no case, no visits a week, or no day but a Saturday: an empty plan. */
static void test_empty_requests_give_empty_plans(void **state)
{
	struct bench *bench = *state;

	make(bench);
	assert_int_equal(bench->answer.visits.count, 0);
	add_cases(bench, 3);
	make(bench);
	assert_int_equal(bench->answer.visits.count, 0);
	add_pair(bench, "p1", every_half_day, 0);
	make(bench);
	assert_int_equal(bench->answer.visits.count, 0);
	bench->pairs[0].visits_a_week = 4;
	bench->request.first = bench->request.last = of_2015(1, 17);
	make(bench);
	assert_int_equal(bench->answer.visits.count, 0);
}

/* --- any request --- */

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % limit;
}

static const char *const sectors[] = {"dole", "champagnole", "lons-le-saunier", "saint-claude"};
static const char *const names[PAIRS_MAX] = {"p1", "p2", "p3", "p4"};

static void make_random_pair(struct bench *bench)
{
	struct plan_pair *pair = add_pair(bench, names[bench->request.pairs.count],
					  1 + random_below(every_half_day), random_below(8));

	for (uint32_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		if (random_below(3) == 0)
			add_sector(pair, sectors[i]);
	}
	pair->closed_sectors = random_below(2) ? SAID_YES : SAID_NO;
	for (uint32_t i = random_below(3); i > 0; i--) {
		day_t from = bench->request.today + random_below(30);

		add_absence(pair, from, from + random_below(6));
	}
}

/* Half-days that differ, as the daemon guarantees. */
static void make_random_bookings(struct bench *bench)
{
	for (uint32_t i = 0; i < 40; i++) {
		day_t day = bench->request.today - 6 + i / 2;

		if (random_below(3) == 0)
			add_booking(bench, 1 + random_below(80), names[random_below(PAIRS_MAX)],
				    day, HALF_AM + i % 2);
	}
}

static void make_random_request(struct bench *bench)
{
	struct plan_request *request = &bench->request;

	request->pairs.count = request->bookings.count = request->cases.count = 0;
	request->alsace_moselle = random_below(2) ? SAID_YES : SAID_NO;
	request->today = of_2015(1, 1) + random_below(700);
	request->first = day_next_working(request->today, request->alsace_moselle == SAID_YES);
	request->last = request->first + 6 - day_weekday(request->first) + 7 * random_below(4);
	for (uint32_t i = random_below(PAIRS_MAX + 1); i > 0; i--)
		make_random_pair(bench);
	make_random_bookings(bench);
	for (uint32_t i = 1, count = random_below(60); i <= count; i++) {
		enum tier tier = i < 3 ? TIER_CUT : i < 6 ? TIER_CRITICAL : TIER_NORMAL;

		add_case(bench, i, tier, sectors[random_below(4)])->closed =
			random_below(4) ? SAID_NO : SAID_YES;
	}
}

static const struct plan_pair *pair_of(const struct bench *bench, struct str name)
{
	for (uint32_t i = 0; i < bench->request.pairs.count; i++) {
		if (str_equal(bench->pairs[i].pair, name))
			return &bench->pairs[i];
	}
	fail_msg("a visit by a pair that isn't in the request");
	return NULL;
}

static bool serves(const struct plan_pair *pair, const struct plan_case *item)
{
	bool found = pair->sectors.count == 0;

	for (uint32_t i = 0; i < pair->sectors.count; i++)
		found = found || str_equal(pair->sectors.item[i], item->sector);
	return found && (item->closed != SAID_YES || pair->closed_sectors == SAID_YES);
}

/* The rules said anew, slowly: is (day, half) open to `pair` for a case of that tier, given its
 * bookings and the first `count` visits of the answer? */
static bool is_open(const struct bench *bench, const struct plan_pair *pair, enum tier tier,
		    day_t day, enum half half, uint32_t count)
{
	uint32_t in_week = 0;
	struct iso_week week = day_iso_week(day);

	if (!day_is_working(day, bench->request.alsace_moselle == SAID_YES) ||
	    !(pair->half_days & 1u << (day_weekday(day) * 2 + half - 1)))
		return false;
	for (uint32_t i = 0; i < pair->absences.count; i++) {
		const struct plan_absence *away = list_at(&pair->absences, struct plan_absence, i);

		if (away->from <= day && day <= away->to)
			return false;
	}
	for (uint32_t i = 0; i < bench->request.bookings.count + count; i++) {
		bool booked = i < bench->request.bookings.count;
		const struct planned_visit *visit =
			booked ? NULL : visit_at(bench, i - bench->request.bookings.count);
		struct str who = booked ? bench->bookings[i].pair : visit->pair;
		day_t at = booked ? bench->bookings[i].day : visit->day;
		uint32_t at_half = booked ? bench->bookings[i].half : visit->half;
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
static void check_nothing_sooner(const struct bench *bench, const struct plan_case *item,
				 day_t limit, enum half limit_half, uint32_t count)
{
	for (uint32_t p = 0; p < bench->request.pairs.count; p++) {
		const struct plan_pair *pair = &bench->pairs[p];

		if (!serves(pair, item))
			continue;
		for (day_t day = bench->request.first; day <= bench->request.last; day++) {
			for (enum half half = HALF_AM; half <= HALF_PM; half++) {
				if (day < limit || (day == limit && half < limit_half))
					assert_false(
						is_open(bench, pair, item->tier, day, half, count));
			}
		}
	}
}

static bool has_booking_ahead(const struct bench *bench, uint64_t number)
{
	for (uint32_t i = 0; i < bench->request.bookings.count; i++) {
		if (bench->bookings[i].case_number == number &&
		    bench->bookings[i].day >= bench->request.today)
			return true;
	}
	return false;
}

/* Cases stand in tier order here, so visits must come in the order of cases. */
static void check_plan(const struct bench *bench)
{
	uint32_t made = 0;

	for (uint32_t i = 0; i < bench->request.cases.count; i++) {
		const struct plan_case *item = &bench->cases[i];
		const struct planned_visit *visit = visit_of(bench, item->case_number);

		if (has_booking_ahead(bench, item->case_number)) {
			assert_null(visit);
			continue;
		}
		if (!visit) {
			check_nothing_sooner(bench, item, DAY_MAX, HALF_AM, made);
			continue;
		}
		assert_ptr_equal(visit, visit_at(bench, made));
		assert_true(serves(pair_of(bench, visit->pair), item));
		assert_in_range(visit->day, bench->request.first, bench->request.last);
		assert_true(is_open(bench, pair_of(bench, visit->pair), item->tier, visit->day,
				    visit->half, made));
		check_nothing_sooner(bench, item, visit->day, visit->half, made);
		made++;
	}
	assert_int_equal(bench->answer.visits.count, made);
}

/* Whatever is asked for: every visit is allowed, and none could have been sooner without taking the
 * half-day of a case before it. */
static void test_no_case_could_be_visited_sooner(void **state)
{
	struct bench *bench = *state;

	for (uint64_t run = 1; run <= 400; run++) {
		seed = run;
		make_random_request(bench);
		make(bench);
		check_plan(bench);
		arena_reset(&bench->arena);
	}
}

/* The same request, the same bytes. */
static void test_the_same_request_gives_the_same_plan(void **state)
{
	struct bench *bench = *state;
	struct buf once = {0}, again = {0};
	seed = 3;
	make_random_request(bench);

	make(bench);
	codec_encode(&record_plan_answer, &bench->answer, 0, 0, &once);
	make(bench);
	codec_encode(&record_plan_answer, &bench->answer, 0, 0, &again);

	assert_true(bench->answer.visits.count > 0);
	assert_true(str_equal(buf_str(&once), buf_str(&again)));
	buf_done(&once);
	buf_done(&again);
}

/* The largest request there can be is filled to the end: all cases, all pairs, all weeks. */
static void test_the_largest_request_is_planned(void **state)
{
	struct bench *bench = *state;
	static char pair_names[POLICY_PAIRS_MAX][8];
	bench->request.last = bench->request.first + 7 * PLAN_WEEKS_MAX - 1;
	for (uint32_t i = 0; i < POLICY_PAIRS_MAX; i++) {
		snprintf(pair_names[i], sizeof(pair_names[i]), "p%u", i);
		add_pair(bench, pair_names[i], every_half_day, 10);
	}
	add_cases(bench, PLAN_CASES_MAX);

	make(bench);

	assert_int_equal(bench->answer.visits.count, PLAN_CASES_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
