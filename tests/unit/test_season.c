/* What closings do to cases, told in dates. In 2017 both sectors are closed, and stay so. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/lib/story.h"

/* A pair that never comes: whoever is referred waits. */
static void begin(struct story *story, const char *day)
{
	story_begin(story, day);
	story_giver(story, "TS1");
	for (uint32_t i = 0; i < 4; i++) {
		static const char *const from[] = {"2015-01-01", "2016-01-01", "2017-01-01",
						   "2018-01-01"};

		story_absence(story, d(from[i]), d(from[i]) + 365);
	}
}

/* From 70 days before its sector closes for long, a case counts 90 days more; from the day after the
 * closing it is carried over instead, urgent, and may be visited for 52 weeks. */
static void test_closing_then_carried_over(void **unused)
{
	struct story story;
	const struct case_record *record;

	(void)unused;
	begin(&story, "2016-09-01");
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", NULL);
	record = story_case(&story, 1);

	story_goes_to(&story, "2016-10-21");
	assert_int_equal(record->effective_date, d("2016-09-01"));
	story_goes_to(&story, "2016-10-22");
	assert_int_equal(record->effective_date, d("2016-09-01") - 90);
	assert_int_equal(record->tier, TIER_NORMAL);
	story_goes_to(&story, "2016-12-31");
	assert_int_equal(record->effective_date, d("2016-09-01") - 90);
	story_goes_to(&story, "2017-01-01");
	assert_int_equal(record->effective_date, d("2016-09-01") - 120);
	assert_int_equal(record->tier, TIER_URGENT);
	assert_int_equal(record->state, CASE_STATE_WAITING);
	assert_int_equal(record->carry.closing, d("2016-12-31"));
	story_goes_to(&story, "2017-12-30");
	assert_int_equal(record->state, CASE_STATE_WAITING);
	story_goes_to(&story, "2017-12-31");
	assert_int_equal(record->state, CASE_STATE_DEFERRED);
	assert_int_equal(record->tier, TIER_URGENT);
	story_holds(&story);
	story_end(&story);
}

/* Who was referred while the sector was closed did not live through its closing. */
static void test_referred_while_closed(void **unused)
{
	struct story story;

	(void)unused;
	begin(&story, "2016-12-31");
	story_goes_to(&story, "2017-01-01");
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", NULL);

	story_goes_to(&story, "2017-02-01");

	assert_int_equal(story_case(&story, 1)->carry.closing, DAY_NONE);
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_DEFERRED);
	story_holds(&story);
	story_end(&story);
}

/* A referral of December that comes in January: the household was referred while its sector was open, and
 * waited when that closed. */
static void test_referred_before_and_told_after(void **unused)
{
	struct story story;
	const struct case_record *record;

	(void)unused;
	begin(&story, "2017-01-05");
	story.told_on = "2016-12-30";

	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", NULL);
	record = story_case(&story, 1);

	assert_int_equal(record->first_date, d("2016-12-30"));
	assert_int_equal(record->carry.closing, d("2016-12-31"));
	assert_int_equal(record->state, CASE_STATE_WAITING);
	story_holds(&story);
	story_end(&story);
}

/* The sector that closed is the one lived in on that day; a move told later, but dated before it,
 * counts. */
static void test_moved_before_the_closing(void **unused)
{
	struct story story;
	struct event event;

	(void)unused;
	begin(&story, "2015-11-02");
	story_referral(&story, "F1", "TS1", "h1", "39001", "Jean Dupont", NULL);
	story_goes_to(&story, "2017-02-01");
	assert_int_equal(story_case(&story, 1)->carry.sector, 1);

	event_clear(&event, EVENT_HOUSEHOLD_MOVED);
	event.subject = STR("h1");
	assert_true(insee_parse(STR("39003"), &event.data.household_moved.insee));
	event.data.household_moved.on = d("2016-06-01");
	story_tell(&story, &event);

	assert_int_equal(story_case(&story, 1)->carry.sector, 2);
	story_holds(&story);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closing_then_carried_over),
		cmocka_unit_test(test_referred_while_closed),
		cmocka_unit_test(test_referred_before_and_told_after),
		cmocka_unit_test(test_moved_before_the_closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
