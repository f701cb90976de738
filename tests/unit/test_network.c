/* The network of givers through the year, told in dates. "nord" is open in 2015 and 2016, "sud" in 2016
 * only; in 2017 both are closed. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "daemon/alarm.h"
#include "daemon/letter.h"
#include "tests/lib/story.h"

struct person_of_trust {
	const char *id, *insee, *structure;
	uint32_t pace;
	const char *canton;
};

static void enter(struct story *story, struct person_of_trust giver)
{
	struct event event;

	event_clear(&event, EVENT_GIVER_REGISTERED);
	event.data.giver_registered.giver = str_from(giver.id);
	event.data.giver_registered.kind = GIVER_KIND_DEPARTMENT_SOCIAL_WORKER;
	event.data.giver_registered.structure =
		str_from(giver.structure ? giver.structure : giver.id);
	event.data.giver_registered.pace = giver.pace;
	event.data.giver_registered.name = str_from(giver.id);
	event.data.giver_registered.email = STR("quelquun@exemple.test");
	if (giver.canton) {
		event.data.giver_registered.cantons.count = 1;
		event.data.giver_registered.cantons.item[0] = str_from(giver.canton);
	}
	if (giver.insee) {
		event.data.giver_registered.insee.count = 1;
		assert_true(insee_parse(str_from(giver.insee),
					&event.data.giver_registered.insee.item[0]));
	}
	story_tell(story, &event);
}

static void leave(struct story *story, const char *giver, const char *successor)
{
	struct event event;

	event_clear(&event, EVENT_GIVER_LEFT);
	event.data.giver_left.giver = str_from(giver);
	event.data.giver_left.until = time_paris_day(story->ports.now);
	if (successor)
		event.data.giver_left.successor = str_from(successor);
	story_tell(story, &event);
}

static bool is_to(const struct state *state, const struct mail *mail, const char *giver)
{
	if (mail->to != TO_GIVER)
		return strcmp(giver, "coordinator") == 0 && mail->to == TO_COORDINATOR;
	return str_is(names_get(&state->names,
				state->givers.items[party_giver(state, mail->recipient)].id),
		      giver);
}

/* Mails of a template that went to a giver, or to "coordinator". */
static uint32_t sent(const struct story *story, uint32_t template, const char *giver)
{
	const struct state *state = story_state(story);
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->tasks.count; i++) {
		const struct task *task = &state->tasks.items[i];

		count += task->kind == TASK_KIND_MAIL && task->state == TASK_STATE_DONE &&
			 task->mail.template == template && is_to(state, &task->mail, giver);
	}
	return count;
}

/* The day that a part of the announcement to a giver speaks of. */
static day_t announced(const struct story *story, const char *giver, uint32_t position)
{
	const struct state *state = story_state(story);

	for (uint32_t i = 1; i < state->tasks.count; i++) {
		const struct mail *mail = &state->tasks.items[i].mail;

		if (mail->template != TEMPLATE_SECTOR_ANNOUNCED || !is_to(state, mail, giver))
			continue;
		while (mail && position--)
			mail = mail->parts  ? &state->parts.items[mail->parts]
			       : mail->next ? &state->parts.items[mail->next]
					    : NULL;
		return mail ? mail->day : DAY_NONE;
	}
	return DAY_NONE;
}

static void move_giver(struct story *story, const char *giver, const char *insee)
{
	struct event event;

	event_clear(&event, EVENT_GIVER_MOVED);
	event.data.giver_moved.giver = str_from(giver);
	event.data.giver_moved.insee.count = 1;
	assert_true(insee_parse(str_from(insee), &event.data.giver_moved.insee.item[0]));
	story_tell(story, &event);
}

static uint32_t in_state(const struct story *story, uint32_t state)
{
	return story_state(story)->task_states[state];
}

static void refer(struct story *story, const char *form, const char *giver, const char *insee)
{
	story_referral(story, form, giver, NULL, insee, form, NULL);
}

/* A policy by which "nord" has never been open. */
static void close_nord(struct story *story)
{
	list_at(&story->policy.sectors, struct policy_sector, 0)->openings.count = 0;
	story_applies(story);
}

/* Four weeks before, on the day, six weeks before the end, and when it is over; to those who belong there. */
static void test_givers_hear_of_their_sector(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-11-01");
	enter(&story, (struct person_of_trust){"NORD", "39001"});
	enter(&story, (struct person_of_trust){"SUD", "39003"});
	enter(&story, (struct person_of_trust){"ALL"});

	story_goes_to(&story, "2015-12-03");
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "SUD"), 0);
	story_goes_to(&story, "2015-12-04");
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "SUD"), 1);
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "ALL"), 1);
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "NORD"), 0);
	story_goes_to(&story, "2016-01-01");
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_OPENED, "SUD"), 1);
	story_goes_to(&story, "2016-11-18");
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_CLOSING, "NORD"), 0);
	story_goes_to(&story, "2016-11-19");
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_CLOSING, "NORD"), 1);
	story_goes_to(&story, "2017-01-01");
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_CLOSED, "NORD"), 1);
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_CLOSED, "SUD"), 1);
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_CLOSED, "ALL"), 1); /* of both, in one */
	story_goes_to(&story, "2017-06-01");
	assert_int_equal(story_mails(&story, TEMPLATE_SECTOR_ANNOUNCED), 2);
	assert_int_equal(story_mails(&story, TEMPLATE_SECTOR_OPENED), 2);
	assert_int_equal(story_mails(&story, TEMPLATE_SECTOR_CLOSING), 3);
	assert_int_equal(story_mails(&story, TEMPLATE_SECTOR_CLOSED), 3);
	story_holds(&story);
	story_end(&story);
}

/* Who refers from elsewhere belongs there too, for 24 months; who left, nowhere. */
static void test_belonging_by_referral(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-02-02");
	enter(&story, (struct person_of_trust){"NORD", "39001"});
	enter(&story, (struct person_of_trust){"GONE", "39003"});
	refer(&story, "F1", "NORD", "39003");
	leave(&story, "GONE", NULL);

	story_goes_to(&story, "2015-12-04");

	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "NORD"), 1);
	assert_int_equal(story_mails(&story, TEMPLATE_SECTOR_ANNOUNCED), 1);
	story_holds(&story);
	story_end(&story);
}

/* A policy that comes late is told at once, but nothing that has begun already is announced. */
static void test_late_notices(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-12-20");
	enter(&story, (struct person_of_trust){"SUD", "39003"});
	story_policy(&story.arena, &story.policy);
	((struct policy_opening *)list_at(&story.policy.sectors, struct policy_sector, 1)
		 ->openings.items)
		->from = d("2015-12-28");
	story_applies(&story);
	story_goes_to(&story, "2015-12-21");
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "SUD"), 1);

	((struct policy_opening *)list_at(&story.policy.sectors, struct policy_sector, 1)
		 ->openings.items)
		->from = d("2015-12-01");
	story_applies(&story);
	story_goes_to(&story, "2015-12-30");

	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "SUD"), 1);
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_OPENED, "SUD"), 0);
	story_holds(&story);
	story_end(&story);
}

/* Openings that follow one another faster than notices: what is late of them goes at once, in one mail. */
static void test_late_notices_go_together(void **unused)
{
	struct policy_opening weeks[] = {
		{true, d("2015-12-28"), d("2015-12-31")},
		{true, d("2016-01-04"), d("2016-01-08")},
	};
	struct story story;

	(void)unused;
	story_begin(&story, "2015-12-20");
	enter(&story, (struct person_of_trust){"SUD", "39003"});
	refer(&story, "F1", "HELD", "39003");
	story_policy(&story.arena, &story.policy);
	((struct policy_sector *)story.policy.sectors.items)[1].openings =
		(struct list){ARRAY_SIZE(weeks), weeks};

	story_applies(&story);

	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "SUD"), 1);
	assert_int_equal(announced(&story, "SUD", 0), d("2015-12-28"));
	assert_int_equal(announced(&story, "SUD", 1), d("2016-01-04"));
	story_goes_to(&story, "2015-12-30");
	assert_int_equal(story_mails(&story, TEMPLATE_SECTOR_ANNOUNCED), 1);
	enter(&story, (struct person_of_trust){"HELD", "39003"}); /* what has begun is not told */
	assert_int_equal(announced(&story, "HELD", 0), d("2016-01-04"));
	assert_int_equal(announced(&story, "HELD", 1), DAY_NONE);
	story_holds(&story);
	story_end(&story);
}

/* 49 cases and four visits a week are 13 weeks: givers are asked to wait, once; at 8 weeks nothing
 * changes yet, at 7 they are asked to go on. */
static void test_outreach(void **unused)
{
	struct story story;
	char form[8];

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, (struct person_of_trust){"NORD", "39001"});
	for (int i = 0; i < 49; i++) {
		snprintf(form, sizeof(form), "F%d", i);
		refer(&story, form, "NORD", "39001");
	}

	story_goes_to(&story, "2015-03-04");
	assert_int_equal(state_find_sector(story_state(&story), STR("nord"))->weeks, 13);
	assert_int_equal(sent(&story, TEMPLATE_OUTREACH_SUSPENDED, "NORD"), 1);
	for (int i = 0; i < 17; i++)
		story_withdraws(&story, (uint32_t)i + 1);
	story_goes_to(&story, "2015-03-06");
	assert_int_equal(state_find_sector(story_state(&story), STR("nord"))->weeks, 8);
	assert_int_equal(sent(&story, TEMPLATE_OUTREACH_RESUMED, "NORD"), 0);
	for (int i = 17; i < 21; i++)
		story_withdraws(&story, (uint32_t)i + 1);
	story_goes_to(&story, "2015-03-08");
	assert_int_equal(sent(&story, TEMPLATE_OUTREACH_RESUMED, "NORD"), 1);
	assert_int_equal(story_mails(&story, TEMPLATE_OUTREACH_SUSPENDED), 1);
	story_holds(&story);
	story_end(&story);
}

/* Ten mails a day; the rest is one mail the next morning, and counts there. */
static void test_ten_a_day(void **unused)
{
	struct story story;
	char form[8];

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, (struct person_of_trust){"NORD", "39001"});
	for (int i = 0; i < 13; i++) {
		snprintf(form, sizeof(form), "F%d", i);
		refer(&story, form, "NORD", "39001");
	}
	story_goes_to(&story, "2015-03-02");
	assert_int_equal(sent(&story, TEMPLATE_ACK, "NORD"), 10);

	story_goes_to(&story, "2015-03-03");

	assert_int_equal(sent(&story, TEMPLATE_ACK, "NORD"), 10);
	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "NORD"), 1);
	assert_int_equal(in_state(&story, TASK_STATE_SCHEDULED), 0);
	story_holds(&story);
	story_end(&story);
}

/* A giver may ask for one mail a week; one that would stand alone in it comes as itself. */
static void test_weekly_pace(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-03"); /* a Tuesday */
	enter(&story, (struct person_of_trust){"W", "39001", .pace = PACE_WEEKLY});
	refer(&story, "F1", "W", "39001");
	refer(&story, "F2", "W", "39001");
	story_goes_to(&story, "2015-03-08");
	assert_int_equal(sent(&story, TEMPLATE_ACK, "W") + sent(&story, TEMPLATE_DIGEST, "W"), 0);
	story_goes_to(&story, "2015-03-09");
	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "W"), 1);
	for (uint32_t i = 1; i < story_state(&story)->tasks.count; i++)
		if (story_state(&story)->tasks.items[i].mail.template == TEMPLATE_DIGEST)
			assert_true(story_state(&story)->tasks.items[i].first_ready ==
				    time_at_paris(d("2015-03-09"), 7, 0));

	refer(&story, "F3", "W", "39001");
	story_goes_to(&story, "2015-03-16");

	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "W"), 1);
	assert_int_equal(sent(&story, TEMPLATE_ACK, "W"), 1);
	story_holds(&story);
	story_end(&story);
}

/* The mails of a digest whose givers come to have different readers part: each goes to its own. */
static void test_digest_of_two_readers(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, (struct person_of_trust){"A", "39001"});
	enter(&story, (struct person_of_trust){"B", "39001"});
	enter(&story, (struct person_of_trust){"NEXT", "39001", .pace = PACE_WEEKLY});
	enter(&story, (struct person_of_trust){"OTHER", "39001"});
	leave(&story, "A", "NEXT");
	leave(&story, "B", "NEXT");
	story_goes_to(&story, "2015-03-04");
	refer(&story, "F1", "A", "39001");
	refer(&story, "F2", "B", "39001");
	leave(&story, "B", "OTHER");

	story_goes_to(&story, "2015-03-09");

	assert_int_equal(sent(&story, TEMPLATE_ACK, "NEXT"), 1);
	assert_int_equal(sent(&story, TEMPLATE_ACK, "OTHER"), 1);
	assert_int_equal(story_mails(&story, TEMPLATE_DIGEST), 0);
	story_holds(&story);
	story_end(&story);
}

/* A giver nobody registered belongs only where it referred from: that it moved makes no notice wait for its
 * address. */
static void test_moved_stranger_belongs_nowhere(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-11-01");
	move_giver(&story, "SUD", "39003");
	story_goes_to(&story, "2015-12-05");
	assert_int_equal(in_state(&story, TASK_STATE_HELD), 0);

	enter(&story, (struct person_of_trust){"SUD", "39003"});
	story_goes_to(&story, "2016-01-01");

	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "SUD"), 0);
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_OPENED, "SUD"), 1);
	story_holds(&story);
	story_end(&story);
}

/* One event that takes two visits back is one mail to the giver of both, and one to the pair. */
static void test_two_visits_by_one_event(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, (struct person_of_trust){"A", "39001"});
	refer(&story, "F1", "A", "39001");
	refer(&story, "F2", "A", "39001");
	story_goes_to(&story, "2015-03-03");
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);
	story_visit(&story, EVENT_VISIT_CONFIRMED, 2);

	close_nord(&story);

	assert_int_equal(story_state(&story)->visits.items[1].state, VISIT_STATE_CANCELLED);
	assert_int_equal(story_state(&story)->visits.items[2].state, VISIT_STATE_CANCELLED);
	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "A"), 1);
	assert_int_equal(story_mails(&story, TEMPLATE_DIGEST), 2);
	assert_int_equal(story_mails(&story, TEMPLATE_VISIT_CHANGED), 0);
	story_holds(&story);
	story_end(&story);
}

static void confirm(struct story *story, enum event_kind kind, const char *day)
{
	struct event event;

	event_clear(&event, kind);
	event.data.visit_confirmed.visit = 1;
	event.data.visit_confirmed.by = CANCELLER_COORDINATOR;
	event.data.visit_confirmed.day = d(day);
	event.data.visit_confirmed.half = HALF_AM;
	story_tell(story, &event);
}

/* A visit that takes place before the next digest is told at once, and what the digest would have said of it
 * before is left out. */
static void test_visits_do_not_wait_for_a_digest(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-03"); /* a Tuesday */
	enter(&story, (struct person_of_trust){"W", "39001", .pace = PACE_WEEKLY});
	refer(&story, "F1", "W", "39001");
	story_goes_to(&story, "2015-03-04");
	confirm(&story, EVENT_VISIT_CONFIRMED, "2015-03-10"); /* after Monday's digest */
	assert_int_equal(sent(&story, TEMPLATE_VISIT_CONFIRMED, "W"), 0);

	confirm(&story, EVENT_VISIT_MOVED, "2015-03-09"); /* its very day */
	assert_int_equal(sent(&story, TEMPLATE_VISIT_CHANGED, "W"), 1);
	confirm(&story, EVENT_VISIT_MOVED, "2015-03-12"); /* far ahead, but the 9th was told */
	assert_int_equal(sent(&story, TEMPLATE_VISIT_CHANGED, "W"), 2);
	story_goes_to(&story, "2015-03-09");

	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "W"), 0);
	assert_int_equal(sent(&story, TEMPLATE_ACK, "W"), 1); /* alone in it */
	assert_int_equal(sent(&story, TEMPLATE_VISIT_CONFIRMED, "W"), 0);
	story_holds(&story);
	story_end(&story);
}

/* A digest that was held until it expired gathers nothing more: what comes later has one of its own. */
static void test_expired_digest_takes_nothing_more(void **unused)
{
	struct story story;
	struct event event;

	(void)unused;
	story_begin(&story, "2015-03-03");
	enter(&story, (struct person_of_trust){"W", "39001", .pace = PACE_WEEKLY});
	refer(&story, "F1", "W", "39001");
	story_goes_to(&story, "2015-03-04");
	story.refuses_mail = true;
	confirm(&story, EVENT_VISIT_CONFIRMED, "2015-03-06");
	story.refuses_mail = false;
	story_goes_to(&story, "2015-04-15");
	assert_int_equal(in_state(&story, TASK_STATE_EXPIRED), 1);
	event_clear(&event, EVENT_GIVER_MOVED);
	event.data.giver_moved.giver = STR("W");
	event.data.giver_moved.email = STR("autre@exemple.test");
	story_tell(&story, &event);

	refer(&story, "F2", "W", "39001");
	story_goes_to(&story, "2015-04-20");

	assert_int_equal(sent(&story, TEMPLATE_ACK, "W"), 1);
	story_holds(&story);
	story_end(&story);
}

/* Four mails and a digest are held for a giver nobody knows yet, until a Saturday: all may go on Monday. */
static void hold_until_saturday(struct story *story, uint64_t a_day)
{
	story_begin(story, "2015-03-02");
	story->policy.mails = (struct policy_mails){true, 0, 0, SAID_YES, a_day};
	story_applies(story);
	refer(story, "F1", "A", "39001");
	refer(story, "F2", "A", "39001");
	story_goes_to(story, "2015-03-03");
	story_visit(story, EVENT_VISIT_CONFIRMED, 1);
	story_visit(story, EVENT_VISIT_CONFIRMED, 2);
	close_nord(story);
	assert_int_equal(in_state(story, TASK_STATE_HELD), 5);
	story_goes_to(story, "2015-03-07");
	enter(story, (struct person_of_trust){"A", "39001"});
	assert_int_equal(in_state(story, TASK_STATE_HELD), 0);
}

/* A digest that was held is one mail of the day on which it goes out. */
static void test_held_digest_counts_once(void **unused)
{
	struct story story;

	(void)unused;
	hold_until_saturday(&story, 6);
	story_goes_to(&story, "2015-03-09");
	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "A"), 1);

	refer(&story, "F3", "A", "39001"); /* the sixth of that day */

	assert_int_equal(sent(&story, TEMPLATE_DEFERRED, "A"), 1);
	refer(&story, "F4", "A", "39001");
	assert_int_equal(sent(&story, TEMPLATE_DEFERRED, "A"), 1);
	story_holds(&story);
	story_end(&story);
}

/* One too many for its day waits for the next morning, as a whole. */
static void test_held_digest_waits_its_turn(void **unused)
{
	struct story story;

	(void)unused;
	hold_until_saturday(&story, 4);
	story_goes_to(&story, "2015-03-09");
	assert_int_equal(sent(&story, TEMPLATE_ACK, "A"), 2);
	assert_int_equal(sent(&story, TEMPLATE_VISIT_CONFIRMED, "A"), 2);
	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "A"), 0);

	story_goes_to(&story, "2015-03-10");

	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "A"), 1);
	story_holds(&story);
	story_end(&story);
}

/* What is left of a held digest is that mail, also when it may go at once. */
static void test_held_digest_of_one(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, (struct person_of_trust){"A", "39001"});
	enter(&story, (struct person_of_trust){"B", "39001"});
	refer(&story, "F1", "A", "39001");
	refer(&story, "F2", "B", "39001");
	leave(&story, "A", "NEXT");
	leave(&story, "B", "NEXT");
	story_goes_to(&story, "2015-03-04");
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);
	story_visit(&story, EVENT_VISIT_CONFIRMED, 2);
	close_nord(&story);
	leave(&story, "A", "NEXT"); /* it is still there today, and reads its mail itself */
	assert_int_equal(sent(&story, TEMPLATE_VISIT_CHANGED, "A"), 1);

	enter(&story, (struct person_of_trust){"NEXT", "39001"});

	assert_int_equal(sent(&story, TEMPLATE_VISIT_CHANGED, "NEXT"), 1);
	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "NEXT"), 0);
	story_holds(&story);
	story_end(&story);
}

/* Two mails of one event that wait for the morning together were counted as the one that they are. */
static void test_joined_digest_counts_once(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, (struct person_of_trust){"A", "39001"});
	refer(&story, "F1", "A", "39001");
	refer(&story, "F2", "A", "39001");
	story_goes_to(&story, "2015-03-03");
	story_move(&story, 1, d("2015-03-12"), HALF_AM);
	story_move(&story, 2, d("2015-03-12"), HALF_PM);
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);
	story_visit(&story, EVENT_VISIT_CONFIRMED, 2);
	story_goes_to(&story, "2015-03-07"); /* a Saturday */
	story.policy.mails = (struct policy_mails){true, 0, 0, SAID_YES, 2};
	close_nord(&story);
	story_goes_to(&story, "2015-03-09");
	assert_int_equal(sent(&story, TEMPLATE_DIGEST, "A"), 1);

	refer(&story, "F3", "A", "39001");

	assert_int_equal(sent(&story, TEMPLATE_DEFERRED, "A"), 1);
	story_holds(&story);
	story_end(&story);
}

/* Nobody hears from us at night, nor on Sundays, where the policy says so; a cut does not wait. */
static void test_quiet_hours(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-06");
	story.policy.mails = (struct policy_mails){true, 12, 8, SAID_YES, 10};
	story_applies(&story);
	enter(&story, (struct person_of_trust){"NORD", "39001"});
	story_referral(&story, "F1", "NORD", "h1", "39001", "Jean Dupont", NULL); /* Friday noon */
	story_supply(&story, EVENT_SUPPLIER_CUT, "h1", ENERGY_ELECTRICITY, "2015-03-06");
	story_goes_to(&story, "2015-03-08");
	assert_int_equal(sent(&story, TEMPLATE_ACK, "NORD"), 0);
	assert_int_equal(sent(&story, TEMPLATE_COORDINATOR, "coordinator"), 1);

	story_goes_to(&story, "2015-03-09");

	assert_int_equal(sent(&story, TEMPLATE_ACK, "NORD"), 1);
	for (uint32_t i = 1; i < story_state(&story)->tasks.count; i++)
		if (story_state(&story)->tasks.items[i].mail.template == TEMPLATE_ACK)
			assert_true(story_state(&story)->tasks.items[i].due ==
				    time_at_paris(d("2015-03-09"), 8, 0));
	story_holds(&story);
	story_end(&story);
}

/* What a giver who left was due goes to the others of the same structure, wherever they work; what it
 * refers after that, to the coordinator. */
static void test_colleagues(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, (struct person_of_trust){"A", "39001", "CCAS"});
	enter(&story, (struct person_of_trust){"NEAR", "39001", "CCAS"});
	enter(&story, (struct person_of_trust){"FAR", "39003", "CCAS"});
	enter(&story, (struct person_of_trust){"OTHER", "39001", "CAF"});
	refer(&story, "F1", "A", "39001");
	leave(&story, "A", NULL);
	story_goes_to(&story, "2015-03-04");
	refer(&story, "F2", "A", "39001");

	story_withdraws(&story, 1);

	assert_int_equal(sent(&story, TEMPLATE_OUTCOME, "NEAR"), 1);
	assert_int_equal(sent(&story, TEMPLATE_OUTCOME, "FAR"), 1);
	assert_int_equal(story_mails(&story, TEMPLATE_OUTCOME), 2);
	assert_int_equal(sent(&story, TEMPLATE_ACK, "coordinator"), 1);
	story_holds(&story);
	story_end(&story);
}

static bool has_alarm(const struct story *story, uint32_t code)
{
	struct arena arena = {0};
	struct alarms alarms;

	alarms_look(story_state(story), &arena, &alarms);
	arena_done(&arena);
	return alarms.of[code].count > 0;
}

/* A confirmed visit of which nobody has said anything for three days. */
static void test_unrecorded_visit(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-03");
	enter(&story, (struct person_of_trust){"A", "39001"});
	refer(&story, "F1", "A", "39001");
	story_goes_to(&story, "2015-03-04");
	confirm(&story, EVENT_VISIT_CONFIRMED, "2015-03-10");
	story_goes_to(&story, "2015-03-12");
	assert_false(has_alarm(&story, ALARM_UNRECORDED_VISIT));

	story_goes_to(&story, "2015-03-13");

	assert_true(has_alarm(&story, ALARM_UNRECORDED_VISIT));
	(void)story_record(&story, 1, RESULT_DONE);
	assert_false(has_alarm(&story, ALARM_UNRECORDED_VISIT));
	story_holds(&story);
	story_end(&story);
}

/* An address that refuses mail for good is marked; what comes waits, and goes out with what was refused
 * when there is another address. */
static void test_refused_address(void **unused)
{
	struct story story;
	struct event event;

	(void)unused;
	story_begin(&story, "2015-03-02");
	enter(&story, (struct person_of_trust){"A", "39001"});
	story.refuses_mail = true;
	refer(&story, "F1", "A", "39001");
	assert_true(has_alarm(&story, ALARM_REFUSED_ADDRESS));
	assert_int_equal(in_state(&story, TASK_STATE_BURIED), 1);
	story.refuses_mail = false;
	refer(&story, "F2", "A", "39001");
	assert_int_equal(in_state(&story, TASK_STATE_HELD), 1);

	event_clear(&event, EVENT_GIVER_MOVED);
	event.data.giver_moved.giver = STR("A");
	event.data.giver_moved.email = STR("autre@exemple.test");
	story_tell(&story, &event);

	assert_int_equal(sent(&story, TEMPLATE_ACK, "A"), 2);
	assert_false(has_alarm(&story, ALARM_REFUSED_ADDRESS));
	assert_int_equal(in_state(&story, TASK_STATE_BURIED), 0);
	story_holds(&story);
	story_end(&story);
}

/* Who referred before an opening and not in the six weeks since is quiet, and nudged once. */
static void test_quiet_giver(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-03-02");
	story.policy.givers.nudge_quiet = SAID_YES;
	story_applies(&story);
	enter(&story, (struct person_of_trust){"QUIET", "39003"});
	enter(&story, (struct person_of_trust){"BUSY", "39003"});
	enter(&story, (struct person_of_trust){"NEW", "39003"});
	refer(&story, "F1", "QUIET", "39003");
	refer(&story, "F2", "BUSY", "39003");
	story_goes_to(&story, "2016-01-20");
	refer(&story, "F3", "BUSY", "39003");
	story_goes_to(&story, "2016-02-11");
	assert_false(has_alarm(&story, ALARM_QUIET_GIVER));

	story_goes_to(&story, "2016-02-12");
	assert_true(has_alarm(&story, ALARM_QUIET_GIVER));
	story_goes_to(&story, "2016-09-01");

	assert_int_equal(sent(&story, TEMPLATE_QUIET, "QUIET"), 1);
	assert_int_equal(story_mails(&story, TEMPLATE_QUIET), 1);
	story_holds(&story);
	story_end(&story);
}

/* What an alarm is about; "" when it is not raised. Borrowed from `arena`. */
static struct str first_about(const struct story *story, uint32_t code, struct arena *arena)
{
	struct alarms alarms;

	alarms_look(story_state(story), arena, &alarms);
	return alarms.of[code].about.count ? alarms.of[code].about.item[0] : STR("");
}

static void assert_about(const struct story *story, uint32_t code, const char *expected)
{
	struct arena arena = {0};

	assert_true(str_is(first_about(story, code, &arena), expected));
	arena_done(&arena);
}

/* A slip in a canton or commune would leave a giver without news: the coordinator is told, in the morning,
 * until it is put right. */
static void test_unknown_place(void **unused)
{
	struct story story;
	struct event event;

	(void)unused;
	story_begin(&story, "2015-03-02");
	((struct policy_commune *)story.policy.communes.items)[0].canton = STR("nord");
	story_applies(&story);
	story_goes_to(&story, "2015-03-03"); /* nobody works there yet */
	enter(&story, (struct person_of_trust){"A", "39001", .canton = "le nord"});
	assert_about(&story, ALARM_UNKNOWN_PLACE, "A (canton le nord)");
	story_goes_to(&story, "2015-03-04");
	assert_int_equal(sent(&story, TEMPLATE_COORDINATOR, "coordinator"), 2);

	event_clear(&event, EVENT_GIVER_MOVED);
	event.data.giver_moved.giver = STR("A");
	event.data.giver_moved.cantons.count = 1;
	event.data.giver_moved.cantons.item[0] = STR("nord");
	story_tell(&story, &event);
	assert_about(&story, ALARM_UNKNOWN_PLACE, "");

	enter(&story, (struct person_of_trust){"B", "39999"});
	assert_about(&story, ALARM_UNKNOWN_PLACE, "B (commune 39999)");
	leave(&story, "B", NULL);
	story_goes_to(&story, "2015-03-05");
	assert_about(&story, ALARM_UNKNOWN_PLACE, "");
	story.told_on = "2014-03-02"; /* history says nothing of today's files */
	enter(&story, (struct person_of_trust){"C", "39999"});
	story.told_on = NULL;
	assert_about(&story, ALARM_UNKNOWN_PLACE, "");
	story_holds(&story);
	story_end(&story);
}

/* A confirmed visit in a pair's absence is told in the morning, until it is elsewhere, cancelled or past, or
 * the pair is there after all. */
static void test_absent_pair(void **unused)
{
	struct story story;
	uint64_t absence;

	(void)unused;
	story_begin(&story, "2015-03-02");
	story_referral(&story, "F1", "A", "H-1", "39001", "Perrine Vuillemin", NULL);
	story_goes_to(&story, "2015-03-03");
	assert_int_equal(story_state(&story)->visits.count, 2);
	story_move(&story, 1, d("2015-03-10"), HALF_AM);
	absence = story_absence(&story, d("2015-03-09"), d("2015-03-10"));
	assert_false(has_alarm(&story, ALARM_ABSENT_PAIR)); /* nobody was promised anything yet */
	story_visit(&story, EVENT_VISIT_CONFIRMED, 1);
	assert_about(&story, ALARM_ABSENT_PAIR, "1");
	story_goes_to(&story, "2015-03-04");
	assert_int_equal(story_state(&story)->told_alarms[ALARM_ABSENT_PAIR], 1);

	story_move(&story, 1, d("2015-03-11"), HALF_AM);
	assert_false(has_alarm(&story, ALARM_ABSENT_PAIR));
	story_move(&story, 1, d("2015-03-09"), HALF_AM);
	assert_true(has_alarm(&story, ALARM_ABSENT_PAIR));
	story_retract(&story, absence);
	assert_false(has_alarm(&story, ALARM_ABSENT_PAIR));

	story_absence(&story, d("2015-03-08"), d("2015-03-09"));
	story_goes_to(&story, "2015-03-09");
	assert_true(has_alarm(&story, ALARM_ABSENT_PAIR));
	story_goes_to(&story, "2015-03-10");
	assert_false(has_alarm(&story, ALARM_ABSENT_PAIR));
	story_holds(&story);
	story_end(&story);
}

/* Years of history fed at once write to nobody, raise no alarm, and are summed up once; the next day's
 * events behave as usual. */
static void test_first_import(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2016-03-02");
	enter(&story, (struct person_of_trust){"A", "39001"});
	story.told_on = "2015-03-02";
	refer(&story, "F1", "A", "39001");
	refer(&story, "F2", "A", "39999");
	refer(&story, "F0", "NOBODY", "39001");
	story.told_on = NULL;
	assert_false(has_alarm(&story, ALARM_NO_SECTOR));
	assert_false(has_alarm(&story, ALARM_UNKNOWN_GIVER));

	story_goes_to(&story, "2016-03-03");
	assert_int_equal(story_mails(&story, TEMPLATE_ACK), 0);
	assert_int_equal(sent(&story, TEMPLATE_COORDINATOR, "coordinator"), 1);
	refer(&story, "F3", "A", "39001");
	assert_int_equal(sent(&story, TEMPLATE_ACK, "A"), 1);
	story_goes_to(&story, "2016-03-10");
	assert_int_equal(sent(&story, TEMPLATE_COORDINATOR, "coordinator"), 1);
	story_holds(&story);
	story_end(&story);
}

/* The day after an outage over midnights, everything has happened on its own day. */
static void test_outage(void **unused)
{
	struct story story;

	(void)unused;
	story_begin(&story, "2015-12-02");
	enter(&story, (struct person_of_trust){"SUD", "39003"});

	story_wakes_on(&story, "2016-01-05");

	assert_int_equal(sent(&story, TEMPLATE_SECTOR_ANNOUNCED, "SUD"), 1);
	assert_int_equal(sent(&story, TEMPLATE_SECTOR_OPENED, "SUD"), 1);
	story_holds(&story);
	story_end(&story);
}

/* A sector the policy never had before gets its place, though the table has to move for it: one that was
 * read from a snapshot has no room to spare. */
static void test_sectors_keep_their_places(void **unused)
{
	const struct sector_record *record;
	struct state state;
	char name[8];

	(void)unused;
	state_init(&state);
	for (uint32_t i = 1; i < 100; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		record = state_sector(&state, str_from(name));
		assert_ptr_equal(record, &state.sectors.items[i]);
	}
	state_done(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_givers_hear_of_their_sector),
		cmocka_unit_test(test_belonging_by_referral),
		cmocka_unit_test(test_late_notices),
		cmocka_unit_test(test_late_notices_go_together),
		cmocka_unit_test(test_outreach),
		cmocka_unit_test(test_ten_a_day),
		cmocka_unit_test(test_weekly_pace),
		cmocka_unit_test(test_visits_do_not_wait_for_a_digest),
		cmocka_unit_test(test_digest_of_two_readers),
		cmocka_unit_test(test_moved_stranger_belongs_nowhere),
		cmocka_unit_test(test_two_visits_by_one_event),
		cmocka_unit_test(test_expired_digest_takes_nothing_more),
		cmocka_unit_test(test_held_digest_counts_once),
		cmocka_unit_test(test_held_digest_waits_its_turn),
		cmocka_unit_test(test_held_digest_of_one),
		cmocka_unit_test(test_joined_digest_counts_once),
		cmocka_unit_test(test_quiet_hours),
		cmocka_unit_test(test_colleagues),
		cmocka_unit_test(test_unrecorded_visit),
		cmocka_unit_test(test_refused_address),
		cmocka_unit_test(test_quiet_giver),
		cmocka_unit_test(test_unknown_place),
		cmocka_unit_test(test_absent_pair),
		cmocka_unit_test(test_first_import),
		cmocka_unit_test(test_outage),
		cmocka_unit_test(test_sectors_keep_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
