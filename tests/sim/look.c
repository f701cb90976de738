#include "tests/sim/look.h"

#include <stdio.h>

#include "daemon/alarm.h"
#include "daemon/letter.h"
#include "daemon/report.h"
#include "daemon/secrecy.h"
#include "daemon/snapshot.h"

struct looking {
	struct engine *engine;
	const struct state *state;
	struct arena *arena;
	struct buf fault;
};

static void complain(struct looking *looking, const char *what, uint32_t number)
{
	if (!looking->fault.size)
		buf_printf(&looking->fault, "%s (%u)", what, number);
}

/* --- a snapshot reads back ---------------------------------------------------------------------------- */

static void add_bytes(void *context, const void *bytes, size_t size)
{
	buf_add(context, bytes, size);
}

static void look_at_snapshot(struct looking *looking)
{
	uint8_t digest[32], restored[32];
	struct buf bytes = {0};
	struct state state;

	snapshot_write(looking->state, add_bytes, &bytes);
	state_init(&state);
	if (snapshot_read(buf_str(&bytes), &state))
		complain(looking, "a snapshot cannot be read", 0);
	snapshot_digest(looking->state, digest);
	snapshot_digest(&state, restored);
	if (memcmp(digest, restored, sizeof(digest)) != 0)
		complain(looking, "a snapshot gives another state", 0);
	state_done(&state);
	buf_done(&bytes);
}

/* --- tasks: each in one state, none lost --------------------------------------------------------------- */

static void look_at_tasks(struct looking *looking)
{
	const struct state *state = looking->state;
	uint32_t counts[TASK_STATE_END] = {0}, ready = 0, listed = 0;

	for (uint32_t i = 1; i < state->tasks.count; i++)
		counts[state->tasks.items[i].state]++;
	for (uint32_t i = 0; i < TASK_STATE_END; i++)
		if (counts[i] != state->task_states[i])
			complain(looking, "tasks are miscounted in state", i);
	for (uint32_t kind = 0; kind < TASK_KIND_END; kind++)
		listed += state->ready[kind].count;
	ready = counts[TASK_STATE_READY];
	if (listed != ready || state->held.count != counts[TASK_STATE_HELD])
		complain(looking, "tasks are missing from the list of their state", ready);
}

/* --- mails: each has its event, none is told twice ------------------------------------------------------ */

static bool is_same_mail(const struct mail *a, const struct mail *b)
{
	return a->about == b->about && a->template == b->template && a->to == b->to &&
	       a->recipient == b->recipient && a->template != TEMPLATE_DIGEST &&
	       a->case_number == b->case_number && a->visit == b->visit;
}

/* The mails that a task stands for: itself, or the parts of a digest. */
static uint32_t list_mails(const struct state *state, const struct mail **mails)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->tasks.count; i++) {
		const struct task *task = &state->tasks.items[i];

		if (task->kind != TASK_KIND_MAIL || task_state_is_void(task->state))
			continue;
		if (task->mail.template != TEMPLATE_DIGEST)
			mails[count++] = &task->mail;
		for (uint32_t at = task->mail.template == TEMPLATE_DIGEST ? task->mail.parts : 0;
		     at; at = state->parts.items[at].next)
			mails[count++] = &state->parts.items[at];
	}
	return count;
}

static void look_at_mails(struct looking *looking)
{
	const struct state *state = looking->state;
	const struct mail **mails = arena_new(
		looking->arena, (state->tasks.count + state->parts.count) * sizeof(*mails));
	uint32_t count = list_mails(state, mails);

	for (uint32_t i = 0; i < count; i++) {
		if (!mails[i]->about || mails[i]->about > state->seq)
			complain(looking, "a mail is about no event", i);
		for (uint32_t j = 0; j < i; j++)
			if (is_same_mail(mails[i], mails[j]))
				complain(looking, "a mail is told twice", mails[i]->case_number);
	}
}

/* Every mail that may still go out can be written as the table says. */
static void look_at_letters(struct looking *looking)
{
	for (uint32_t i = 1; i < looking->state->tasks.count; i++) {
		const struct task *task = &looking->state->tasks.items[i];
		struct fault fault = {0};
		struct mail_body body;

		if (task->kind != TASK_KIND_MAIL || task_state_is_over(task->state) ||
		    letter_write(looking->engine, i, looking->arena, &body))
			continue;
		if (record_check(&record_mail_body, &body, "", &fault))
			complain(looking, fault.path, i);
	}
}

/* --- cases: none lost, in order, explained ---------------------------------------------------------------- */

static void look_at_household(struct looking *looking, uint32_t head)
{
	const struct state *state = looking->state;
	struct portrait portrait;

	if (state->parties.items[state->households.items[head].party].is_erased)
		return;
	portrait_make(state, head, looking->arena, &portrait);
	for (uint32_t i = 0; i < portrait.fact_count; i++)
		if (portrait.facts[i].fact->kind == EVENT_REFERRAL_RECEIVED &&
		    !portrait.life.joined[i])
			complain(looking, "a referral belongs to no case: household", head);
	for (uint32_t i = 0; i < portrait.life.case_count; i++) {
		const struct life_case *its = &portrait.life.cases[i];
		uint32_t number = its->number;

		if (!number || case_resolve(state, number) != number)
			complain(looking, "a case has no number of its own: household", head);
		if (its->is_closed && !its->closing)
			complain(looking, "a case ended without a reason", number);
	}
}

static void look_at_explanation(struct looking *looking, uint32_t number)
{
	const struct state *state = looking->state;
	const struct case_record *record = &state->cases.items[number];
	struct portrait portrait;
	day_t date = record->first_date;
	uint32_t tier = TIER_NORMAL;

	portrait_make(state, record->household, looking->arena, &portrait);
	for (uint32_t i = 0; i < portrait.rank.reason_count; i++) {
		const struct reason_given *reason = &portrait.rank.reasons[i];

		date -= reason->days;
		if (reason->code == RANK_CODE_CUT)
			tier = TIER_CUT;
		else if (tier > TIER_CRITICAL && (reason->code == RANK_CODE_LIMITED ||
						  reason->code == RANK_CODE_CUTOFF_CRITICAL))
			tier = TIER_CRITICAL;
		else if (tier > TIER_URGENT && (reason->code == RANK_CODE_CUTOFF_URGENT ||
						reason->code == RANK_CODE_FSL_URGENT))
			tier = TIER_URGENT;
	}
	if (date != record->effective_date || portrait.rank.effective_date != date)
		complain(looking, "the reasons do not give the date of case", number);
	if (record->tier > tier || portrait.rank.tier != record->tier)
		complain(looking, "the reasons do not give the tier of case", number);
}

static bool comes_before(const struct case_record *a, const struct case_record *b)
{
	if (a->tier != b->tier)
		return a->tier < b->tier;
	if (a->effective_date != b->effective_date)
		return a->effective_date < b->effective_date;
	return a->order_seq < b->order_seq;
}

static void look_at_list(struct looking *looking)
{
	const struct state *state = looking->state;
	uint32_t open = 0, count = queue_count(&state->queue);

	for (uint32_t i = 1; i < state->cases.count; i++) {
		const struct case_record *record = &state->cases.items[i];

		open += case_resolve(state, i) == i && record->state != CASE_STATE_CLOSED;
	}
	if (open != count)
		complain(looking, "open cases are missing from the list", open);
	for (uint32_t rank = 1; rank <= count; rank++) {
		uint32_t number = queue_at(&state->queue, rank);

		look_at_explanation(looking, number);
		if (rank > 1 &&
		    !comes_before(&state->cases.items[queue_at(&state->queue, rank - 1)],
				  &state->cases.items[number]))
			complain(looking, "the list is out of order at case", number);
	}
}

/* --- visits: each that is to come is held by a case, and never two of a pair at once ------------------------ */

static void look_at_visits(struct looking *looking)
{
	const struct state *state = looking->state;

	for (uint32_t i = 1; i < state->visits.count; i++) {
		uint32_t owner = case_resolve(state, state->visits.items[i].case_number);

		if (visit_is_active(&state->visits.items[i]) &&
		    (!owner || state->cases.items[owner].visit != i))
			complain(looking, "no case holds visit", i);
	}
	for (uint32_t i = 1; i < state->active_visits.count; i++)
		for (uint32_t j = 1; j < i; j++) {
			const struct visit *a = &state->visits.items[state->active_visits.items[i]];
			const struct visit *b = &state->visits.items[state->active_visits.items[j]];

			if (a->pair == b->pair && a->day == b->day && a->half == b->half)
				complain(looking, "two visits share a half-day: visit",
					 state->active_visits.items[i]);
		}
}

/* --- the report: everything counts once, and counting changes nothing ---------------------------------- */

static uint32_t count_in_report(const struct report *report, uint32_t what)
{
	uint32_t count = 0;

	for (int year = REPORT_YEAR_MIN; year <= REPORT_YEAR_MAX; year++) {
		const struct report_cell *all =
			report_at(report, year, report->sector_all, REPORT_KIND_ALL);

		count += all ? all->counts[what] : 0;
	}
	return count;
}

static uint32_t count_referrals(const struct state *state)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->facts.count; i++)
		count += state->facts.items[i].kind == EVENT_REFERRAL_RECEIVED &&
			 !state->facts.items[i].is_void && !state->facts.items[i].is_replaced;
	return count;
}

static uint32_t count_visits(const struct state *state, uint32_t visit_state)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->visits.count; i++)
		count += state->visits.items[i].state == visit_state &&
			 case_resolve(state, state->visits.items[i].case_number);
	return count;
}

static void look_at_hidden(struct looking *looking, struct report *report)
{
	report_hide(report);
	for (int year = REPORT_YEAR_MIN; year <= REPORT_YEAR_MAX; year++)
		for (uint32_t sector = 0; sector <= report->sector_all; sector++)
			for (uint32_t what = 0; what < REPORT_COUNT_END; what++) {
				const struct report_cell *cell =
					report_at(report, year, sector, REPORT_KIND_ALL);

				if (cell && !cell->hidden[what] &&
				    cell->counts[what] < SECRET_BELOW)
					complain(looking, "the report shows a small count", what);
			}
}

static void look_at_report(struct looking *looking)
{
	const struct state *state = looking->state;
	uint8_t before[32], after[32];
	struct report report;

	snapshot_digest(state, before);
	report_make(state, &report);
	snapshot_digest(state, after);
	if (memcmp(before, after, sizeof(before)) != 0)
		complain(looking, "the report changes what it reports", 0);
	if (count_in_report(&report, REPORT_REFERRALS) != count_referrals(state))
		complain(looking, "the report does not count every referral once",
			 count_in_report(&report, REPORT_REFERRALS));
	if (count_in_report(&report, REPORT_VISITS) != count_visits(state, VISIT_STATE_DONE))
		complain(looking, "the report does not count every visit once",
			 count_in_report(&report, REPORT_VISITS));
	if (count_in_report(&report, REPORT_NO_SHOWS) != count_visits(state, VISIT_STATE_NO_SHOW))
		complain(looking, "the report does not count every no-show once",
			 count_in_report(&report, REPORT_NO_SHOWS));
	look_at_hidden(looking, &report);
	report_done(&report);
}

const char *look_at(struct engine *engine, struct arena *arena)
{
	struct looking looking = {engine, engine_state(engine), arena, {0}};
	struct alarms alarms;

	look_at_snapshot(&looking);
	look_at_tasks(&looking);
	look_at_mails(&looking);
	look_at_letters(&looking);
	for (uint32_t i = 1; i < looking.state->households.count; i++)
		if (looking.state->households.items[i].head == i)
			look_at_household(&looking, i);
	look_at_list(&looking);
	look_at_visits(&looking);
	look_at_report(&looking);
	alarms_look(looking.state, arena, &alarms);
	if (!looking.fault.size)
		return NULL;
	buf_add(&looking.fault, "", 1);
	return looking.fault.data;
}
