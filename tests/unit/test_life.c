/* Cases from first referral to last, told in dates. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/lib/story.h"

#define ELECTRICITY_BIT (1u << (ENERGY_ELECTRICITY - 1))

/* A referral opens a case that waits in its open sector, and its giver is answered. */
static void test_referral_opens_a_case(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");

	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", "0384000001");

	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_WAITING);
	assert_int_equal(story_case(&story, 1)->first_date, d("2015-02-02"));
	assert_int_equal(story_mails(&story, TEMPLATE_ACK), 1);
	assert_int_equal(story_mails(&story, TEMPLATE_DEFERRED), 0);
	story_holds(&story);
	story_end(&story);
}

/* In a closed sector it is put off, and its giver is told until when. */
static void test_closed_sector_defers(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");

	story_referral(&story, "F1", "TS1", NULL, "39003", "Jean Dupont", "0384000001");

	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_DEFERRED);
	assert_int_equal(story_mails(&story, TEMPLATE_DEFERRED), 1);
	story_goes_to(&story, "2016-01-01");
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_WAITING);
	story_holds(&story);
	story_end(&story);
}

/* Mails to a giver nobody registered are held, then sent when somebody does. */
static void test_placeholder_mails_are_held(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", "0384000001");
	assert_int_equal(story_mails(&story, TEMPLATE_ACK), 0);
	assert_int_equal(story_state(&story)->task_states[TASK_STATE_HELD], 1);

	story_goes_to(&story, "2015-02-10");
	story_giver(&story, "TS1");

	assert_int_equal(story_mails(&story, TEMPLATE_ACK), 1);
	assert_int_equal(story_state(&story)->task_states[TASK_STATE_HELD], 0);
	story_holds(&story);
	story_end(&story);
}

/* After thirty days nobody expects them any more. */
static void test_held_mails_expire(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", "0384000001");

	story_goes_to(&story, "2015-03-05");

	assert_int_equal(story_state(&story)->task_states[TASK_STATE_EXPIRED], 1);
	story_holds(&story);
	story_end(&story);
}

/* A corrected form keeps its place in the list and is not answered again. */
static void test_correction_keeps_the_place(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", "0384000001");
	story_goes_to(&story, "2015-03-02");

	story_referral(&story, "F1", "TS1", NULL, "39002", "Jean Dupont", "0384000009");

	assert_int_equal(story_state(&story)->cases.count, 2);
	assert_int_equal(story_case(&story, 1)->first_date, d("2015-02-02"));
	assert_int_equal(story_mails(&story, TEMPLATE_ACK), 1);
	story_holds(&story);
	story_end(&story);
}

/* Two agreeing fingerprints join; one alone is only told to the coordinator. */
static void test_two_likenesses_join(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "03 84 00 00 01");

	story_referral(&story, "F2", "TS1", NULL, "39001", "DUPONT Jean", "+33384000001");
	story_referral(&story, "F3", "TS1", NULL, "39001", "Zoé Autre", "0384000001");

	assert_int_equal(story_case(&story, 1)->household, 1);
	assert_int_equal(queue_count(&story_state(&story)->queue), 2);
	assert_int_equal(story_state(&story)->links.count, 3);
	story_holds(&story);
	story_end(&story);
}

/* What was merged by mistake is parted again as if it had never been. */
static void test_not_same_parts(void **unused)
{
	struct story story;
	struct event event;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");
	story_referral(&story, "F2", "TS1", "H2", "39001", "Zoé Autre", "0384000002");
	event_clear(&event, EVENT_HOUSEHOLD_SAME_AS);
	event.subject = STR("H1");
	event.data.household_same_as.other = (struct reference){true, STR("urn:test"), STR("H2")};
	story_tell(&story, &event);
	assert_int_equal(queue_count(&story_state(&story)->queue), 1);
	assert_int_equal(case_resolve(story_state(&story), 2), 1);

	event_clear(&event, EVENT_HOUSEHOLD_NOT_SAME);
	event.subject = STR("H2");
	event.data.household_not_same.other = (struct reference){true, STR("urn:test"), STR("H1")};
	story_tell(&story, &event);

	assert_int_equal(queue_count(&story_state(&story)->queue), 2);
	assert_int_equal(case_resolve(story_state(&story), 2), 2);
	story_holds(&story);
	story_end(&story);
}

/* Planned, confirmed, done, closed after thirty days; each step is told to whom it concerns. */
static void test_visit_to_the_end(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", "0384000001");
	story_goes_to(&story, "2015-02-03");
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_PLANNED);

	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);
	assert_int_equal(story_mails(&story, TEMPLATE_VISIT_CONFIRMED), 2); /* giver and pair */
	story_goes_to(&story, "2015-02-05");
	story_record(&story, 1, RESULT_DONE);

	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_VISITED);
	assert_int_equal(story_mails(&story, TEMPLATE_OUTCOME), 1);
	story_goes_to(&story, "2015-03-06");
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_VISITED);
	story_goes_to(&story, "2015-03-07");
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_CLOSED);
	assert_int_equal(story_mails(&story, TEMPLATE_OUTCOME), 1);
	story_holds(&story);
	story_end(&story);
}

/* A planned visit nobody confirmed is dropped when its day has passed, and planned anew. */
static void test_unconfirmed_visit_is_dropped(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", "0384000001");
	story_goes_to(&story, "2015-02-03"); /* planned for the fourth */

	story_goes_to(&story, "2015-02-20");

	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_PLANNED);
	assert_true(story_state(&story)->visits.items[story_case(&story, 1)->visit].day >
		    d("2015-02-20"));
	story_holds(&story);
	story_end(&story);
}

/* Closing a case cancels its confirmed visit: givers and pair are told, and told the outcome. */
static void test_closing_cancels_the_visit(void **unused)
{
	struct story story;
	struct event event;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", "0384000001");
	story_goes_to(&story, "2015-02-03");
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);

	event_clear(&event, EVENT_CASE_CLOSED);
	event.subject = STR("1");
	event.subject_source = STR("urn:vigie");
	event.data.case_closed.reason = CLOSING_UNREACHABLE;
	story_tell(&story, &event);

	assert_int_equal(story_state(&story)->visits.items[1].state, VISIT_STATE_CANCELLED);
	assert_int_equal(story_mails(&story, TEMPLATE_VISIT_CHANGED), 2);
	assert_int_equal(story_mails(&story, TEMPLATE_OUTCOME), 1);
	story_holds(&story);
	story_end(&story);
}

/* A referral that is taken back never was: nobody waits for it. */
static void test_retracted_referral_never_was(void **unused)
{
	struct story story;
	uint64_t seq;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	seq = story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");

	story_retract(&story, seq);

	assert_int_equal(case_resolve(story_state(&story), 1), 0);
	assert_int_equal(queue_count(&story_state(&story)->queue), 0);
	story_holds(&story);
	story_end(&story);
}

/* The half-day to which a visit would come back is another's by now: it is planned anew. */
static void test_retracted_move_finds_its_place_taken(void **unused)
{
	const struct visit *visits;
	struct story story;
	struct visit first;
	uint64_t moved;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");
	story_referral(&story, "F2", "TS1", "H2", "39001", "Zoé Autre", "0384000002");
	story_goes_to(&story, "2015-02-03");
	first = story_state(&story)->visits.items[1];
	moved = story_move(&story, 1, first.day + 7, first.half);
	story_move(&story, 2, first.day, first.half);

	story_retract(&story, moved);

	visits = story_state(&story)->visits.items;
	assert_int_equal(visits[1].state, VISIT_STATE_CANCELLED);
	assert_int_equal(visits[2].state, VISIT_STATE_PLANNED);
	assert_int_equal(visits[2].day, first.day);
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_WAITING);
	story_holds(&story);
	story_end(&story);
}

/* A closing that never was: the visit is on again, and calendars that took it out take it in again. */
static void test_retracted_closing_revives_the_visit(void **unused)
{
	const struct visit *visit;
	struct story story;
	struct event event;
	uint64_t closing;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");
	story_goes_to(&story, "2015-02-03");
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);
	event_clear(&event, EVENT_CASE_CLOSED);
	event.subject = STR("H1");
	event.data.case_closed.reason = CLOSING_UNREACHABLE;
	story_tell(&story, &event);
	closing = story.verdict.seq;
	visit = &story_state(&story)->visits.items[1];
	assert_int_equal(visit->state, VISIT_STATE_CANCELLED);
	assert_int_equal(visit->sequence, 1);

	story_retract(&story, closing);

	visit = &story_state(&story)->visits.items[1];
	assert_int_equal(visit->state, VISIT_STATE_CONFIRMED);
	assert_int_equal(visit->sequence, 2);
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_PLANNED);
	assert_int_equal(story_mails(&story, TEMPLATE_VISIT_CONFIRMED),
			 4); /* giver and pair, twice */
	story_holds(&story);
	story_end(&story);
}

/* Requests for help bring a household forward, and stop counting after two years. */
static void test_requests_count_for_two_years(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");
	story_request(&story, "H1", "R1", ELECTRICITY_BIT, "2014-12-01");
	story_request(&story, "H1", "R2", ELECTRICITY_BIT, "2015-01-10");

	assert_int_equal(story_case(&story, 1)->effective_date, d("2015-01-03"));
	/* 90 days more: the sector is about to close */
	story_goes_to(&story, "2016-11-30");
	assert_int_equal(story_case(&story, 1)->effective_date, d("2015-01-03") - 90);
	story_goes_to(&story, "2016-12-01");
	assert_int_equal(story_case(&story, 1)->effective_date, d("2015-02-02") - 90);
	story_holds(&story);
	story_end(&story);
}

/* A cut goes first of all, even where the sector is closed, and asks for a plan at once. */
static void test_cut_goes_first(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");
	story_referral(&story, "F2", "TS1", "H2", "39003", "Zoé Autre", "0384000002");
	assert_int_equal(story_case(&story, 2)->state, CASE_STATE_DEFERRED);

	story_supply(&story, EVENT_SUPPLIER_CUT, "H2", ENERGY_ELECTRICITY, "2015-02-02");

	assert_int_equal(story_case(&story, 2)->tier, TIER_CUT);
	assert_int_equal(queue_rank(&story_state(&story)->queue, 2), 1);
	assert_int_equal(story_case(&story, 2)->state, CASE_STATE_PLANNED);
	story_supply(&story, EVENT_SUPPLIER_RESTORED, "H2", ENERGY_ELECTRICITY, "2015-02-03");
	assert_int_equal(story_case(&story, 2)->tier, TIER_NORMAL);
	assert_int_equal(story_case(&story, 2)->state, CASE_STATE_DEFERRED);
	story_holds(&story);
	story_end(&story);
}

static void tell_same(struct story *story, const char *subject, const char *other)
{
	struct event event;

	event_clear(&event, EVENT_HOUSEHOLD_SAME_AS);
	event.subject = str_from(subject);
	event.subject_source = STR("urn:test");
	event.data.household_same_as.other =
		(struct reference){true, STR("urn:test"), str_from(other)};
	story_tell(story, &event);
}

/* What opened the first of two cases that became one opens nothing any more, once a date is corrected: the
 * other goes on, with the visit, and the first one's number leads there. */
static void test_request_that_opens_nothing_hands_over(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	story_giver(&story, "TS1");
	story.policy.rules.open_on_recurrence = SAID_YES;
	story_applies(&story);
	story_request(&story, "H1", "R1", ELECTRICITY_BIT, "2015-01-10");
	story_request(&story, "H1", "R2", ELECTRICITY_BIT, "2015-02-02");
	story_referral(&story, "F1", "TS1", "H2", "39001", "Jean Dupont", "0384000001");
	tell_same(&story, "H1", "H2");
	assert_int_equal(case_resolve(story_state(&story), 2), 1);
	story_goes_to(&story, "2015-02-03");
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);

	story_request(&story, "H1", "R1", ELECTRICITY_BIT, "2012-01-10");

	assert_int_equal(case_resolve(story_state(&story), 1), 2);
	assert_int_equal(story_case(&story, 2)->state, CASE_STATE_PLANNED);
	assert_int_equal(story_case(&story, 2)->visit, 1);
	assert_int_equal(story_state(&story)->visits.items[1].state, VISIT_STATE_CONFIRMED);
	story_goes_to(&story, "2015-02-04");
	story_holds(&story);
	story_end(&story);
}

/* The same event again is a duplicate; the same identity with other content a conflict. */
static void test_duplicates_and_conflicts(void **unused)
{
	struct story story;
	struct event event;
	uint64_t first;

	(void)unused;
	story_begin(&story, "2015-02-02");
	event_clear(&event, EVENT_FSL_REQUEST_FILED);
	event.id = STR("same");
	event.subject = STR("H1");
	event.data.fsl_request_filed.request = STR("R1");
	event.data.fsl_request_filed.energies = ELECTRICITY_BIT;
	event.data.fsl_request_filed.filed_on = d("2015-02-01");
	story_tell(&story, &event);
	first = story.verdict.seq;

	story_tell(&story, &event);
	assert_true(story.verdict.is_duplicate);
	assert_int_equal(story.verdict.seq, first);
	event.data.fsl_request_filed.filed_on = d("2015-02-02");
	story_refused(&story, &event, ERR_CONFLICT, "id");
	story_holds(&story);
	story_end(&story);
}

/* Old facts change the state and write to nobody. */
static void test_old_facts_are_silent(void **unused)
{
	struct story story;
	struct event event;

	(void)unused;
	story_begin(&story, "2015-03-02");
	story_giver(&story, "TS1");
	event_clear(&event, EVENT_REFERRAL_RECEIVED);
	event.time = time_at_paris(d("2015-02-02"), 12, 0);
	event.data.referral_received.form = STR("F1");
	event.data.referral_received.giver = STR("TS1");
	event.data.referral_received.reasons = 1;
	event.data.referral_received.consent_on = d("2015-02-02");
	event.data.referral_received.person.is_set = true;
	event.data.referral_received.person.name = STR("Jean Dupont");
	assert_true(insee_parse(STR("39001"), &event.data.referral_received.insee));

	story_tell(&story, &event);

	assert_int_equal(story_case(&story, 1)->first_date, d("2015-02-02"));
	assert_int_equal(story_mails(&story, TEMPLATE_ACK), 0);
	story_holds(&story);
	story_end(&story);
}

/* Two pairs that never went anywhere are each given the first half-day there is. */
static void test_two_new_pairs_go_at_the_same_time(void **unused)
{
	struct policy_pair pairs[2];
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	pairs[0] = pairs[1] = *list_at(&story.policy.pairs, struct policy_pair, 0);
	pairs[1].id = STR("p2");
	story.policy.pairs = (struct list){2, pairs};
	story_applies(&story);
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", "0384000001");
	story_referral(&story, "F2", "TS1", NULL, "39001", "Zoé Autre", "0384000002");

	story_goes_to(&story, "2015-02-03");

	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_PLANNED);
	assert_int_equal(story_case(&story, 2)->state, CASE_STATE_PLANNED);
	assert_int_equal(story_state(&story)->visits.items[1].day, d("2015-02-04"));
	assert_int_equal(story_state(&story)->visits.items[2].day, d("2015-02-04"));
	story_holds(&story);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_referral_opens_a_case),
		cmocka_unit_test(test_closed_sector_defers),
		cmocka_unit_test(test_placeholder_mails_are_held),
		cmocka_unit_test(test_held_mails_expire),
		cmocka_unit_test(test_correction_keeps_the_place),
		cmocka_unit_test(test_two_likenesses_join),
		cmocka_unit_test(test_not_same_parts),
		cmocka_unit_test(test_visit_to_the_end),
		cmocka_unit_test(test_unconfirmed_visit_is_dropped),
		cmocka_unit_test(test_closing_cancels_the_visit),
		cmocka_unit_test(test_retracted_referral_never_was),
		cmocka_unit_test(test_retracted_move_finds_its_place_taken),
		cmocka_unit_test(test_retracted_closing_revives_the_visit),
		cmocka_unit_test(test_requests_count_for_two_years),
		cmocka_unit_test(test_cut_goes_first),
		cmocka_unit_test(test_request_that_opens_nothing_hands_over),
		cmocka_unit_test(test_duplicates_and_conflicts),
		cmocka_unit_test(test_old_facts_are_silent),
		cmocka_unit_test(test_two_new_pairs_go_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
