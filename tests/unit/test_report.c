/* What the report counts: hand-made histories, with the figures worked out beside them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "daemon/report.h"
#include "tests/lib/story.h"

/* Rows of the report: positions in the policy of story.h plus 1, and the totals. */
enum { NOWHERE = 0, NORD = 1, SUD = 2, EVERYWHERE = 3 };

static const uint32_t DEPARTMENT = REPORT_KIND_DEPARTMENT_SOCIAL_WORKER;
static const uint32_t STRUCTURE = REPORT_KIND_PARTNER_STRUCTURE;
static const uint32_t UNKNOWN = REPORT_KIND_UNKNOWN;
static const uint32_t ALL = REPORT_KIND_ALL;

static uint32_t counted(const struct report *report, uint32_t what, int year, uint32_t sector,
			uint32_t kind)
{
	const struct report_cell *cell = report_at(report, year, sector, kind);

	return cell ? cell->counts[what] : 0;
}

#define assert_counted(report, what, year, sector, kind, expected)                                 \
	assert_int_equal(counted(report, REPORT_##what, year, sector, kind), expected)

static void begin(struct story *story, const char *day)
{
	struct event event;

	story_begin(story, day);
	story_giver(story, "TS1");
	event_clear(&event, EVENT_GIVER_REGISTERED);
	event.data.giver_registered.giver = STR("PS1");
	event.data.giver_registered.kind = GIVER_KIND_PARTNER_STRUCTURE;
	event.data.giver_registered.structure = STR("Association");
	event.data.giver_registered.name = STR("Prénom Nom");
	event.data.giver_registered.email = STR("ps1@exemple.test");
	story_tell(story, &event);
}

static void end(struct story *story, struct report *report)
{
	report_done(report);
	story_holds(story);
	story_end(story);
}

static void refer(struct story *story, const char *form, const char *giver, const char *subject,
		  const char *insee)
{
	(void)story_referral(story, form, giver, subject, insee, form, form);
}

/* The last visit planned, confirmed, and recorded on its day. */
static uint32_t visit(struct story *story, uint32_t result, bool second, uint32_t onward)
{
	uint32_t number = story_state(story)->visits.count - 1;
	char day[DAY_TEXT_SIZE];
	struct event event;

	(void)story_visit(story, EVENT_VISIT_CONFIRMED, number);
	story_goes_to(story, day_print(story_state(story)->visits.items[number].day, day));
	event_clear(&event, EVENT_VISIT_RECORDED);
	event.data.visit_recorded.visit = number;
	event.data.visit_recorded.result = result;
	event.data.visit_recorded.second_visit = second ? SAID_YES : SAID_NO;
	event.data.visit_recorded.onward = onward;
	story_tell(story, &event);
	return number;
}

static void withdraw(struct story *story, const char *subject)
{
	struct event event;

	event_clear(&event, EVENT_REFERRAL_WITHDRAWN);
	event.subject = str_from(subject);
	event.data.referral_withdrawn.by = WITHDRAWER_HOUSEHOLD;
	event.data.referral_withdrawn.reason = WITHDRAWAL_SOLVED;
	story_tell(story, &event);
}

/* Monday's referral is planned on Tuesday for Wednesday: two days. Answered the same day; the first of
 * its sector, which had been open since 1 January: 32 days. */
static void test_a_visit_counts_in_its_cell_and_the_totals(void **unused)
{
	uint32_t onward = 1u << (ONWARD_FSL - 1) | 1u << (ONWARD_LEGAL - 1);
	struct report report;
	struct story story;

	begin(&story, "2015-02-02");
	refer(&story, "F1", "TS1", "H1", "39001");
	story_goes_to(&story, "2015-02-03");
	(void)visit(&story, RESULT_DONE, false, onward);

	report_make(story_state(&story), &report);

	for (uint32_t i = 0; i < 4; i++) {
		uint32_t sector = i & 1 ? NORD : EVERYWHERE, kind = i & 2 ? DEPARTMENT : ALL;
		const struct report_cell *cell = report_at(&report, 2015, sector, kind);

		assert_int_equal(cell->counts[REPORT_REFERRALS], 1);
		assert_int_equal(cell->counts[REPORT_ANSWERED], 1);
		assert_int_equal(cell->counts[REPORT_VISITS], 1);
		assert_int_equal(cell->counts[REPORT_SECOND_VISITS], 0);
		assert_int_equal(cell->counts[REPORT_ONWARD + ONWARD_FSL - 1], 1);
		assert_int_equal(cell->counts[REPORT_ONWARD + ONWARD_HEALTH - 1], 0);
		assert_int_equal(cell->days[REPORT_TO_VISIT].median, 2);
		assert_int_equal(cell->days[REPORT_TO_ANSWER].median, 0);
		assert_int_equal(cell->days[REPORT_TO_REFERRAL].median, 32);
	}
	assert_counted(&report, REFERRALS, 2015, SUD, ALL, 0);
	assert_counted(&report, REFERRALS, 2015, EVERYWHERE, STRUCTURE, 0);
	assert_counted(&report, REFERRALS, 2016, EVERYWHERE, ALL, 0);
	assert_int_equal(report_households(&report, NORD), 1000);
	assert_int_equal(report_households(&report, EVERYWHERE), 2000);
	end(&story, &report);
}

/* Two referred to a closed sector in 2015 are put off in 2015. One is visited when it opens in 2016, one
 * withdraws before: both are told of 2015, the visit and the withdrawal of their own year. */
static void test_put_off_and_what_became_of_it(void **unused)
{
	struct report report;
	struct story story;

	begin(&story, "2015-10-01");
	refer(&story, "F1", "TS1", "H1", "39003");
	refer(&story, "F2", "PS1", "H2", "39003");
	story_goes_to(&story, "2015-11-02");
	withdraw(&story, "H2");
	story_goes_to(&story, "2016-01-05");
	(void)visit(&story, RESULT_DONE, false, 0);

	report_make(story_state(&story), &report);

	assert_counted(&report, DEFERRED, 2015, SUD, ALL, 2);
	assert_counted(&report, DEFERRED, 2015, SUD, DEPARTMENT, 1);
	assert_counted(&report, DEFERRED, 2016, EVERYWHERE, ALL, 0);
	assert_counted(&report, CARRIED_OVER, 2015, EVERYWHERE, ALL, 0);
	assert_counted(&report, VISITED_AFTER_DEFERRAL, 2015, SUD, DEPARTMENT, 1);
	assert_counted(&report, LOST_AFTER_DEFERRAL, 2015, SUD, STRUCTURE, 1);
	assert_counted(&report, LOST_AFTER_DEFERRAL, 2015, SUD, DEPARTMENT, 0);
	assert_counted(&report, WITHDRAWN, 2015, SUD, STRUCTURE, 1);
	assert_counted(&report, VISITS, 2015, EVERYWHERE, ALL, 0);
	assert_counted(&report, VISITS, 2016, SUD, DEPARTMENT, 1);
	end(&story, &report);
}

/* Nord closes for good on 31 December 2016 with a case that waits. It may be visited for 52 weeks, to 30
 * December 2017; so it is deferred on the 31st, and put off, as a whole, since 2016. */
static void test_carried_over_then_deferred_when_the_year_is_over(void **unused)
{
	struct report report;
	struct story story;

	begin(&story, "2016-12-01");
	story_absence(&story, d("2016-12-01"), d("2018-12-31"));
	refer(&story, "F1", "TS1", "H1", "39001");
	story_goes_to(&story, "2017-12-30");
	report_make(story_state(&story), &report);
	assert_counted(&report, CARRIED_OVER, 2016, NORD, DEPARTMENT, 1);
	assert_counted(&report, DEFERRED, 2017, NORD, DEPARTMENT, 0);
	report_done(&report);

	story_goes_to(&story, "2018-02-01");
	withdraw(&story, "H1");

	report_make(story_state(&story), &report);
	assert_counted(&report, CARRIED_OVER, 2016, NORD, DEPARTMENT, 1);
	assert_counted(&report, DEFERRED, 2017, NORD, DEPARTMENT, 1);
	assert_counted(&report, LOST_AFTER_DEFERRAL, 2016, NORD, DEPARTMENT, 1);
	assert_counted(&report, LOST_AFTER_DEFERRAL, 2017, NORD, DEPARTMENT, 0);
	assert_counted(&report, WITHDRAWN, 2018, NORD, DEPARTMENT, 1);
	end(&story, &report);
}

static void reopen_nord_in_february(struct story *story)
{
	struct policy_sector *nord = list_at(&story->policy.sectors, struct policy_sector, 0);
	struct policy_opening openings[] = {
		{true, d("2015-01-01"), d("2015-12-31")},
		{true, d("2016-02-01"), d("2016-12-31")},
	};
	struct buf bytes = {0};
	struct event event;

	nord->openings = (struct list){2, openings};
	policy_encode(&story->policy, &bytes);
	event_clear(&event, EVENT_POLICY_APPLIED);
	event.data.policy_applied.policy = buf_str(&bytes);
	story_tell(story, &event);
	buf_done(&bytes);
}

/* What a closing puts off is told of its last open day: it was put off to the next year. */
static void test_a_closing_defers_in_the_year_it_ends(void **unused)
{
	struct report report;
	struct story story;

	begin(&story, "2015-12-01");
	reopen_nord_in_february(&story);
	story_absence(&story, d("2015-12-01"), d("2016-01-31"));
	refer(&story, "F1", "TS1", "H1", "39001");
	story_goes_to(&story, "2016-01-04");
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_DEFERRED);

	report_make(story_state(&story), &report);

	assert_counted(&report, CARRIED_OVER, 2015, NORD, ALL, 1);
	assert_counted(&report, DEFERRED, 2015, NORD, ALL, 1);
	assert_counted(&report, DEFERRED, 2016, NORD, ALL, 0);
	end(&story, &report);
}

/* Visited before the sector closed and recorded the week after: nothing was put off. */
static void test_a_late_record_puts_nothing_off(void **unused)
{
	struct report report;
	struct story story;
	struct event event;

	begin(&story, "2015-12-28");
	reopen_nord_in_february(&story);
	refer(&story, "F1", "TS1", "H1", "39001");
	story_goes_to(&story, "2015-12-29");
	(void)story_visit(&story, EVENT_VISIT_CONFIRMED, 1); /* for the 30th */
	story_goes_to(&story, "2016-01-05");
	event_clear(&event, EVENT_VISIT_RECORDED);
	event.data.visit_recorded.visit = 1;
	event.data.visit_recorded.result = RESULT_DONE;
	event.data.visit_recorded.second_visit = SAID_NO;
	story_tell(&story, &event);

	report_make(story_state(&story), &report);

	assert_counted(&report, VISITS, 2015, NORD, DEPARTMENT, 1);
	assert_counted(&report, CARRIED_OVER, 2015, NORD, DEPARTMENT, 0);
	assert_counted(&report, DEFERRED, 2015, NORD, DEPARTMENT, 0);
	assert_counted(&report, VISITED_AFTER_DEFERRAL, 2015, NORD, DEPARTMENT, 0);
	end(&story, &report);
}

/* In a closed sector a cut makes the case eligible at once: it was never put off. */
static void test_a_cut_is_not_deferred(void **unused)
{
	struct report report;
	struct story story;

	begin(&story, "2015-03-02");
	(void)story_supply(&story, EVENT_SUPPLIER_CUT, "H1", ENERGY_GAS, "2015-03-02");
	refer(&story, "F1", "TS1", "H1", "39003");
	refer(&story, "F2", "TS1", "H2", "39003");

	report_make(story_state(&story), &report);

	assert_counted(&report, REFERRALS, 2015, SUD, ALL, 2);
	assert_counted(&report, DEFERRED, 2015, SUD, ALL, 1);
	end(&story, &report);
}

/* Visited, closed after thirty days, and referred again by another giver within the year: two stays, each
 * with its own wait and its own giver. */
static void test_a_reopened_case_counts_twice(void **unused)
{
	struct report report;
	struct story story;

	begin(&story, "2015-11-02");
	refer(&story, "F1", "TS1", "H1", "39001");
	story_goes_to(&story, "2015-11-03");
	(void)visit(&story, RESULT_DONE, false, 0); /* on the 4th: 2 days */
	story_goes_to(&story, "2016-03-07");
	refer(&story, "F2", "PS1", "H1", NULL);
	story_absence(&story, d("2016-03-07"), d("2016-03-20"));
	story_goes_to(&story, "2016-03-21");
	(void)visit(&story, RESULT_DONE, false, 0); /* Tuesday the 22nd: 15 days */

	report_make(story_state(&story), &report);

	assert_int_equal(story_state(&story)->cases.count, 2);
	assert_counted(&report, VISITS, 2015, NORD, DEPARTMENT, 1);
	assert_counted(&report, VISITS, 2016, NORD, STRUCTURE, 1);
	assert_counted(&report, SECOND_VISITS, 2016, EVERYWHERE, ALL, 0);
	assert_int_equal(report_at(&report, 2015, NORD, ALL)->days[REPORT_TO_VISIT].median, 2);
	assert_int_equal(report_at(&report, 2016, NORD, ALL)->days[REPORT_TO_VISIT].median, 15);
	end(&story, &report);
}

/* A second visit of the same stay is a visit, but no second wait. A no-show is neither. */
static void test_second_visits_and_no_shows(void **unused)
{
	const struct report_cell *cell;
	struct report report;
	struct story story;

	begin(&story, "2015-02-02");
	refer(&story, "F1", "TS1", "H1", "39001");
	story_goes_to(&story, "2015-02-03");
	(void)visit(&story, RESULT_NO_SHOW, false, 0); /* the 4th */
	story_goes_to(&story, "2015-02-05");
	(void)visit(&story, RESULT_DONE, true, 0); /* the 6th: 4 days */
	story_goes_to(&story, "2015-02-09");
	(void)visit(&story, RESULT_DONE, false, 0);

	report_make(story_state(&story), &report);
	cell = report_at(&report, 2015, NORD, DEPARTMENT);

	assert_int_equal(cell->counts[REPORT_NO_SHOWS], 1);
	assert_int_equal(cell->counts[REPORT_VISITS], 2);
	assert_int_equal(cell->counts[REPORT_SECOND_VISITS], 1);
	assert_int_equal(cell->days[REPORT_TO_VISIT].count, 1);
	assert_int_equal(cell->days[REPORT_TO_VISIT].median, 4);
	end(&story, &report);
}

/* Two cases that turn out to be one household: both referrals count, each under its giver; the stay
 * belongs to the first. What was said by mistake never was. */
static void test_merged_once_and_retracted_never(void **unused)
{
	uint64_t mistake;
	struct report report;
	struct story story;
	struct event event;

	begin(&story, "2015-02-02");
	story_absence(&story, d("2015-02-02"), d("2015-12-31"));
	refer(&story, "F1", "TS1", "H1", "39001");
	refer(&story, "F2", "PS1", "H2", "39001");
	mistake = story_referral(&story, "F3", "PS1", "H3", "39001", "Erreur", "0384000009");
	event_clear(&event, EVENT_HOUSEHOLD_SAME_AS);
	event.subject = STR("H2");
	event.data.household_same_as.other = (struct reference){true, STR("urn:test"), STR("H1")};
	story_tell(&story, &event);
	story_retract(&story, mistake);
	withdraw(&story, "H1");

	report_make(story_state(&story), &report);

	assert_counted(&report, REFERRALS, 2015, NORD, ALL, 2);
	assert_counted(&report, REFERRALS, 2015, NORD, DEPARTMENT, 1);
	assert_counted(&report, REFERRALS, 2015, NORD, STRUCTURE, 1);
	assert_counted(&report, WITHDRAWN, 2015, NORD, DEPARTMENT, 1);
	assert_counted(&report, WITHDRAWN, 2015, NORD, STRUCTURE, 0);
	end(&story, &report);
}

/* What stays in clear of an erased household goes on counting, without a name. */
static void test_an_erased_household_still_counts(void **unused)
{
	struct report report;
	struct story story;
	struct event event;

	begin(&story, "2015-10-01");
	refer(&story, "F1", "TS1", "H1", "39003");
	story_goes_to(&story, "2015-10-15");
	event_clear(&event, EVENT_PRIVACY_ERASE);
	event.subject = STR("H1");
	story_tell(&story, &event);
	story_goes_to(&story, "2016-06-01");

	report_make(story_state(&story), &report);

	assert_counted(&report, REFERRALS, 2015, SUD, DEPARTMENT, 1);
	assert_counted(&report, DEFERRED, 2015, SUD, DEPARTMENT, 1);
	assert_counted(&report, LOST_AFTER_DEFERRAL, 2015, SUD, DEPARTMENT, 1);
	assert_counted(&report, WITHDRAWN, 2015, SUD, DEPARTMENT, 0);
	end(&story, &report);
}

/* A giver nobody registered is unknown, and is answered when somebody does: seven days. From then on its
 * earlier referrals are of its kind too. */
static void test_who_registers_late(void **unused)
{
	struct report report;
	struct story story;

	story_begin(&story, "2015-02-02");
	refer(&story, "F1", "TS1", "H1", "39001");
	refer(&story, "F2", "X", "H2", "39001");
	story_goes_to(&story, "2015-02-09");
	(void)story_giver(&story, "TS1");

	report_make(story_state(&story), &report);

	assert_counted(&report, REFERRALS, 2015, NORD, DEPARTMENT, 1);
	assert_counted(&report, REFERRALS, 2015, NORD, UNKNOWN, 1);
	assert_counted(&report, ANSWERED, 2015, NORD, ALL, 1);
	assert_int_equal(report_at(&report, 2015, NORD, ALL)->days[REPORT_TO_ANSWER].median, 7);
	end(&story, &report);
}

/* Who wants to be written to once a week is answered on Monday, all in one. */
static void test_a_digest_is_an_answer(void **unused)
{
	const struct report_days *days;
	struct report report;
	struct story story;
	struct event event;

	begin(&story, "2015-02-06");
	event_clear(&event, EVENT_GIVER_MOVED);
	event.data.giver_moved.giver = STR("TS1");
	event.data.giver_moved.pace = PACE_WEEKLY;
	story_tell(&story, &event);
	refer(&story, "F1", "TS1", "H1", "39001");
	refer(&story, "F2", "TS1", "H2", "39001");
	story_goes_to(&story, "2015-02-16");

	report_make(story_state(&story), &report);
	days = &report_at(&report, 2015, NORD, ALL)->days[REPORT_TO_ANSWER];

	assert_int_equal(story_mails(&story, TEMPLATE_ACK), 0);
	assert_int_equal(days->count, 2);
	assert_int_equal(days->median, 3); /* from Friday to Monday */
	end(&story, &report);
}

/* Who changes counts as what it was on the day. */
static void test_who_becomes_something_else(void **unused)
{
	struct report report;
	struct story story;
	struct event event;

	begin(&story, "2015-02-02");
	refer(&story, "F1", "TS1", "H1", "39001");
	story_goes_to(&story, "2015-03-02");
	event_clear(&event, EVENT_GIVER_MOVED);
	event.data.giver_moved.giver = STR("TS1");
	event.data.giver_moved.kind = GIVER_KIND_PARTNER_STRUCTURE;
	story_tell(&story, &event);
	story_goes_to(&story, "2015-03-03");
	refer(&story, "F2", "TS1", "H2", "39001");

	report_make(story_state(&story), &report);

	assert_counted(&report, REFERRALS, 2015, NORD, DEPARTMENT, 1);
	assert_counted(&report, REFERRALS, 2015, NORD, STRUCTURE, 1);
	end(&story, &report);
}

/* A commune of no sector; and a household counts where it lived on the day. */
static void test_where_a_household_lived(void **unused)
{
	struct report report;
	struct story story;
	struct event event;

	begin(&story, "2015-02-02");
	story_absence(&story, d("2015-02-02"), d("2016-12-31"));
	refer(&story, "F1", "TS1", "H1", "39999");
	refer(&story, "F2", "TS1", "H2", "39001");
	story_goes_to(&story, "2016-03-01");
	event_clear(&event, EVENT_HOUSEHOLD_MOVED);
	event.subject = STR("H2");
	assert_true(insee_parse(STR("39003"), &event.data.household_moved.insee));
	event.data.household_moved.on = d("2016-03-01");
	story_tell(&story, &event);
	story_goes_to(&story, "2016-04-01");
	withdraw(&story, "H2");

	report_make(story_state(&story), &report);

	assert_counted(&report, REFERRALS, 2015, NOWHERE, DEPARTMENT, 1);
	assert_counted(&report, REFERRALS, 2015, NORD, DEPARTMENT, 1);
	assert_counted(&report, WITHDRAWN, 2016, NORD, ALL, 0);
	assert_counted(&report, WITHDRAWN, 2016, SUD, ALL, 1);
	end(&story, &report);
}

/* Ten waits of 1 to 10 days: half are at most 5, nine in ten at most 9. */
static void test_median_and_ninth_tenth(void **unused)
{
	const struct report_days *days;
	struct report report;
	struct story story;
	char form[] = "F0";

	begin(&story, "2015-02-02");
	for (int i = 0; i < 10; i++) { /* unregistered: answered when they are registered */
		char day[DAY_TEXT_SIZE];

		form[1] = (char)('0' + i);
		refer(&story, form, "X", form, "39001");
		story_goes_to(&story, day_print(d("2015-02-03") + i, day));
	}
	(void)story_giver(&story, "X"); /* on the 12th */

	report_make(story_state(&story), &report);
	days = &report_at(&report, 2015, NORD, ALL)->days[REPORT_TO_ANSWER];

	assert_int_equal(days->count, 10);
	assert_int_equal(days->median, 5);
	assert_int_equal(days->ninety, 9);
	end(&story, &report);
}

/* Sud opens on 1 January 2016. Two givers referred from there before; one refers again within 42 days, by
 * 12 February, the other after: it was quiet. A third never referred: there is no silence. */
static void test_quiet_givers(void **unused)
{
	struct report report;
	struct story story;

	begin(&story, "2015-11-02");
	refer(&story, "F1", "TS1", "H1", "39003");
	refer(&story, "F2", "PS1", "H2", "39003");
	story_goes_to(&story, "2016-02-12");
	refer(&story, "F3", "TS1", "H3", "39003");
	report_make(story_state(&story), &report);
	assert_counted(&report, QUIET_GIVERS, 2016, SUD, ALL, 1);
	report_done(&report);
	story_goes_to(&story, "2016-02-15");
	refer(&story, "F4", "PS1", "H4", "39003");

	report_make(story_state(&story), &report);

	assert_counted(&report, QUIET_GIVERS, 2016, SUD, STRUCTURE, 1);
	assert_counted(&report, QUIET_GIVERS, 2016, SUD, DEPARTMENT, 0);
	assert_counted(&report, QUIET_GIVERS, 2016, EVERYWHERE, ALL, 1);
	assert_counted(&report, QUIET_GIVERS, 2015, EVERYWHERE, ALL, 0);
	end(&story, &report);
}

/* Four are hidden, five are shown; and what is hidden hides its median. */
static void test_small_counts_are_hidden(void **unused)
{
	static const char *const forms[] = {"F1", "F2", "F3", "F4", "F5"};
	const struct report_cell *nord;
	struct report report;
	struct story story;

	begin(&story, "2015-02-02");
	for (int i = 0; i < 4; i++)
		refer(&story, forms[i], "TS1", forms[i], "39001");
	report_make(story_state(&story), &report);
	report_hide(&report);
	nord = report_at(&report, 2015, NORD, ALL);
	assert_true(nord->hidden[REPORT_REFERRALS]);
	assert_true(nord->days[REPORT_TO_ANSWER].is_hidden);
	assert_true(nord->days[REPORT_TO_REFERRAL].is_hidden);
	report_done(&report);

	refer(&story, forms[4], "TS1", forms[4], "39001");

	report_make(story_state(&story), &report);
	report_hide(&report);
	nord = report_at(&report, 2015, NORD, ALL);
	assert_false(nord->hidden[REPORT_REFERRALS]);
	assert_false(nord->days[REPORT_TO_ANSWER].is_hidden);
	assert_false(nord->days[REPORT_TO_REFERRAL].is_hidden);
	assert_true(nord->hidden[REPORT_VISITS]);
	assert_true(nord->days[REPORT_TO_VISIT].is_hidden);
	end(&story, &report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_visit_counts_in_its_cell_and_the_totals),
		cmocka_unit_test(test_put_off_and_what_became_of_it),
		cmocka_unit_test(test_carried_over_then_deferred_when_the_year_is_over),
		cmocka_unit_test(test_a_closing_defers_in_the_year_it_ends),
		cmocka_unit_test(test_a_late_record_puts_nothing_off),
		cmocka_unit_test(test_a_cut_is_not_deferred),
		cmocka_unit_test(test_a_reopened_case_counts_twice),
		cmocka_unit_test(test_second_visits_and_no_shows),
		cmocka_unit_test(test_merged_once_and_retracted_never),
		cmocka_unit_test(test_an_erased_household_still_counts),
		cmocka_unit_test(test_who_registers_late),
		cmocka_unit_test(test_a_digest_is_an_answer),
		cmocka_unit_test(test_who_becomes_something_else),
		cmocka_unit_test(test_where_a_household_lived),
		cmocka_unit_test(test_median_and_ninth_tenth),
		cmocka_unit_test(test_quiet_givers),
		cmocka_unit_test(test_small_counts_are_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
