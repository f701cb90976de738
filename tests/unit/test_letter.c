/* What a worker is told of a mail: the parts of a body that one mail shares with another. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "daemon/letter.h"
#include "tests/lib/story.h"

static void enter(struct story *story, const char *id, uint32_t kind)
{
	struct event event;

	event_clear(&event, EVENT_GIVER_REGISTERED);
	event.data.giver_registered.giver = str_from(id);
	event.data.giver_registered.kind = kind;
	event.data.giver_registered.structure = str_from(id);
	event.data.giver_registered.name = str_from(id);
	event.data.giver_registered.email = STR("quelquun@exemple.test");
	story_tell(story, &event);
}

static void leave(struct story *story, const char *giver)
{
	struct event event;

	event_clear(&event, EVENT_GIVER_LEFT);
	event.data.giver_left.giver = str_from(giver);
	event.data.giver_left.until = time_paris_day(story->ports.now);
	story_tell(story, &event);
}

/* The latest mail of a template to such a recipient. */
static void read_letter(struct story *story, uint32_t template, enum recipient_kind to,
			struct mail_body *body)
{
	const struct state *state = story_state(story);

	for (uint32_t i = state->tasks.count; i-- > 1;) {
		const struct task *task = &state->tasks.items[i];

		if (task->kind != TASK_KIND_MAIL || task->mail.template != template ||
		    task->mail.to != to)
			continue;
		assert_int_equal(letter_write(story->engine, i, &story->arena, body), ERR_OK);
		return;
	}
	fail_msg("there is no mail of template %u", template);
}

/* Givers are told weeks only: a visit that is moved within the one they know changes nothing for them. */
static void test_a_visit_stays_in_its_week(void **unused)
{
	static const struct {
		const char *day;
		enum answer same_week;
	} moves[] = {
		{"2015-03-12", SAID_YES}, {"2015-03-09", SAID_YES}, {"2015-03-16", UNSAID},
		{"2015-03-20", SAID_YES}, {"2015-03-13", UNSAID},
	};
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, "TS1", GIVER_KIND_DEPARTMENT_SOCIAL_WORKER);
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", NULL);
	story_goes_to(&story, "2015-03-03");
	story_move(&story, 1, d("2015-03-10"), HALF_PM);
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		struct mail_body changed = {0};

		story_move(&story, 1, d(moves[i].day), HALF_PM);
		read_letter(&story, TEMPLATE_VISIT_CHANGED, TO_GIVER, &changed);
		assert_int_equal(changed.visit.day, d(moves[i].day));
		assert_int_equal(changed.visit.same_week, moves[i].same_week);
	}
	story_end(&story);
}

/* A calendar finds the entry that the invitation made: the agenda's has its UID and its number. */
static void test_agenda_names_the_visit_as_its_invitation_does(void **unused)
{
	struct story story;
	struct mail_body changed = {0}, agenda = {0};
	const struct mail_stop *stop;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, "TS1", GIVER_KIND_DEPARTMENT_SOCIAL_WORKER);
	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", NULL);
	story_goes_to(&story, "2015-03-03");
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);
	story_move(&story, 1, d("2015-03-10"), HALF_PM);

	story_goes_to(&story, "2015-03-09");

	read_letter(&story, TEMPLATE_VISIT_CHANGED, TO_PAIR, &changed);
	read_letter(&story, TEMPLATE_WEEK_AGENDA, TO_PAIR, &agenda);
	assert_int_equal(agenda.visits.count, 1);
	stop = list_at(&agenda.visits, struct mail_stop, 0);
	assert_true(str_equal(stop->uid, changed.visit.uid));
	assert_int_equal(stop->sequence, 1);
	assert_int_equal(changed.visit.sequence, 1);
	assert_int_equal(stop->day, d("2015-03-10"));
	assert_int_equal(stop->case_number, changed.case_number);
	story_holds(&story);
	story_end(&story);
}

/* What does not fit into a day any more is in the next day's digest whole: the alarms too. */
static void test_digest_holds_the_coordinators_morning(void **unused)
{
	struct story story;
	struct mail_body digest = {0};

	(void)unused;
	story_begin(&story, "2015-03-02");
	story.policy.mails = (struct policy_mails){true, 0, 0, SAID_NO, 1};
	story_applies(&story);
	enter(&story, "GONE", GIVER_KIND_DEPARTMENT_SOCIAL_WORKER);
	leave(&story, "GONE");
	story_goes_to(&story, "2015-03-03");
	story_referral(&story, "F1", "GONE", NULL, "39001", "Jean Dupont", NULL);
	story_referral(&story, "F2", "GONE", NULL, "39001", "Anne Durand", NULL);
	story_referral(&story, "F3", "NOBODY", NULL, "39001", "Paul Martin", NULL);
	story_goes_to(&story, "2015-03-04"); /* the second ack fills the day, the alarms wait */
	story_referral(&story, "F4", "GONE", NULL, "39001", "Lise Petit", NULL);

	story_goes_to(&story, "2015-03-05");

	read_letter(&story, TEMPLATE_DIGEST, TO_COORDINATOR, &digest);
	assert_int_equal(digest.to_coordinator, SAID_YES);
	assert_int_equal(digest.items.count, 1);
	assert_int_equal(digest.alarms.count, 1);
	assert_int_equal(list_at(&digest.alarms, struct mail_alarm, 0)->alarm, ALARM_UNKNOWN_GIVER);
	story_holds(&story);
	story_end(&story);
}

/* A household that referred itself is written to as such, and nobody else is. */
static void test_household_is_told_apart(void **unused)
{
	struct story story;
	struct mail_body body = {0};

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, "TS1", GIVER_KIND_DEPARTMENT_SOCIAL_WORKER);
	enter(&story, "M8", GIVER_KIND_HOUSEHOLD);

	story_referral(&story, "F1", "TS1", NULL, "39001", "Jean Dupont", NULL);
	read_letter(&story, TEMPLATE_ACK, TO_GIVER, &body);
	assert_int_equal(body.to_household, UNSAID);

	story_referral(&story, "F2", "M8", NULL, "39001", "Anne Durand", NULL);
	read_letter(&story, TEMPLATE_ACK, TO_GIVER, &body);
	assert_int_equal(body.to_household, SAID_YES);
	story_end(&story);
}

/* On the day of an opening a giver reads which of its cases are back in line, not which always were. */
static void test_opening_names_the_cases_that_are_back(void **unused)
{
	struct story story;
	struct event event;
	struct mail_body body = {0};

	(void)unused;
	story_begin(&story, "2015-12-02");
	enter(&story, "TS1", GIVER_KIND_DEPARTMENT_SOCIAL_WORKER);
	story_referral(&story, "F1", "TS1", "h1", "39003", "Jean Dupont", NULL);
	story_referral(&story, "F2", "TS1", "h2", "39003", "Anne Durand", NULL);
	event_clear(&event, EVENT_DEROGATION_DECIDED);
	event.subject = STR("h2");
	event.subject_source = STR("urn:test");
	event.data.derogation_decided.allow = SAID_YES;
	event.data.derogation_decided.until = d("2016-03-31");
	story_tell(&story, &event);

	story_goes_to(&story, "2016-01-01");

	read_letter(&story, TEMPLATE_SECTOR_OPENED, TO_GIVER, &body);
	assert_int_equal(body.cases_total, 1);
	assert_int_equal(list_at(&body.cases, struct mail_case, 0)->case_number, 1);
	story_holds(&story);
	story_end(&story);
}

/* Of water that is off the coordinator hears at once, also where the household has no case: by its own
 * number, the supplier, the day and the commune; and no second time in the morning. */
static void test_water_is_told_at_once(void **unused)
{
	const struct mail_water *water;
	struct mail_body body = {0};
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	story_request(&story, "h1", "R1", 1u << (ENERGY_WATER - 1), "2015-03-02");
	story_referral(&story, "F1", "TS1", "h2", "39001", "Jean Dupont", NULL);
	story_supply(&story, EVENT_SUPPLIER_CUT, "h1", ENERGY_WATER, "2015-03-02");

	read_letter(&story, TEMPLATE_COORDINATOR, TO_COORDINATOR, &body);
	assert_int_equal(body.alarms.count, 0);
	assert_int_equal(body.water.count, 1);
	water = list_at(&body.water, struct mail_water, 0);
	assert_int_equal(water->household, 1);
	assert_true(water->case_number == UINT_NONE);
	assert_int_equal(water->on, d("2015-03-02"));
	assert_int_equal(water->limited, SAID_NO);
	assert_true(str_is(water->supplier, "A"));
	assert_int_equal(story_mails(&story, TEMPLATE_COORDINATOR), 1);

	story_supply(&story, EVENT_SUPPLIER_CUT, "h1", ENERGY_WATER, "2015-03-02"); /* corrected */
	story_supply(&story, EVENT_SUPPLIER_RESTORED, "h2", ENERGY_WATER, "2015-03-02");
	assert_int_equal(story_mails(&story, TEMPLATE_COORDINATOR), 1);
	story_supply(&story, EVENT_SUPPLIER_CUT, "h2", ENERGY_WATER, "2015-03-01"); /* is over */
	assert_int_equal(story_mails(&story, TEMPLATE_COORDINATOR), 1);
	story_supply(&story, EVENT_SUPPLIER_LIMITED, "h2", ENERGY_WATER, "2015-03-02");
	assert_int_equal(story_mails(&story, TEMPLATE_COORDINATOR), 2);
	read_letter(&story, TEMPLATE_COORDINATOR, TO_COORDINATOR, &body);
	water = list_at(&body.water, struct mail_water, 0);
	assert_int_equal(water->case_number, 1);
	assert_int_equal(water->limited, SAID_YES);
	assert_true(str_is(water->commune, "39001"));
	story_holds(&story);
	story_end(&story);
}

/* The coordinator's word on the case of h1, until spring. */
static void derogate(struct story *story, enum answer allow)
{
	struct event event;

	event_clear(&event, EVENT_DEROGATION_DECIDED);
	event.subject = STR("h1");
	event.subject_source = STR("urn:test");
	event.data.derogation_decided.allow = allow;
	event.data.derogation_decided.until = d("2015-04-30");
	story_tell(story, &event);
}

/* Why a visit has to wait: a closed sector, the coordinator's word, a commune nobody knows; and that it does
 * not wait any more. */
static void test_deferral_tells_its_cause(void **unused)
{
	struct mail_body body = {0};
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, "TS1", GIVER_KIND_DEPARTMENT_SOCIAL_WORKER);
	story_referral(&story, "F1", "TS1", "h1", "39003", "Jean Dupont", NULL);
	read_letter(&story, TEMPLATE_DEFERRED, TO_GIVER, &body);
	assert_int_equal(body.state, CASE_STATE_DEFERRED);
	assert_int_equal(body.deferral, 0);
	assert_int_equal(body.reopens_on, d("2016-01-01"));

	derogate(&story, SAID_NO);
	read_letter(&story, TEMPLATE_DEFERRED, TO_GIVER, &body);
	assert_int_equal(body.deferral, DEFERRAL_REFUSED);
	derogate(&story, SAID_YES);
	read_letter(&story, TEMPLATE_DEFERRED, TO_GIVER, &body);
	assert_int_equal(body.state, CASE_STATE_WAITING);
	assert_int_equal(body.deferral, 0);

	story_referral(&story, "F2", "TS1", "h2", "39999", "Anne Durand", NULL);
	read_letter(&story, TEMPLATE_DEFERRED, TO_GIVER, &body);
	assert_int_equal(body.deferral, DEFERRAL_NO_SECTOR);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_visit_stays_in_its_week),
		cmocka_unit_test(test_agenda_names_the_visit_as_its_invitation_does),
		cmocka_unit_test(test_digest_holds_the_coordinators_morning),
		cmocka_unit_test(test_household_is_told_apart),
		cmocka_unit_test(test_opening_names_the_cases_that_are_back),
		cmocka_unit_test(test_water_is_told_at_once),
		cmocka_unit_test(test_deferral_tells_its_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
