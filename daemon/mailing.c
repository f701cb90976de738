#include "daemon/mailing.h"

/* --- tasks -------------------------------------------------------------------------------------- */

void task_make_ready(struct state *state, uint32_t number)
{
	state_move_task(state, number, TASK_STATE_READY);
	state->tasks.items[number].due = state->now;
}

uint32_t task_create(struct state *state, struct task task)
{
	uint32_t number;

	task.state = TASK_STATE_SCHEDULED;
	task.created = state->now;
	number = state_add_task(state, task);
	task_make_ready(state, number);
	return number;
}

/* --- who is written to ------------------------------------------------------------------------ */

/* Where a giver's mail goes now. */
struct route {
	enum recipient_kind to;
	uint32_t recipient; /* party number of a giver; 0: the coordinator */
	bool is_held;       /* nobody registered this giver yet */
	bool is_nowhere;    /* a household that gave no address */
};

static bool giver_has_left(const struct state *state, const struct giver *giver)
{
	return giver->left_on != DAY_NONE && state->today > giver->left_on;
}

/* Successors are followed; a circle or an end leads to the coordinator. */
static struct route find_route(const struct state *state, uint32_t party)
{
	const struct giver *giver = state_get(state, givers, party_giver(state, party));

	for (uint32_t hops = 0; giver_has_left(state, giver); hops++) {
		if (!giver->successor || hops == state->givers.count)
			return (struct route){.to = TO_COORDINATOR};
		giver = state_get(state, givers, party_giver(state, giver->successor));
	}
	if (giver->is_erased)
		return (struct route){.to = TO_COORDINATOR};
	return (struct route){
		.to = TO_GIVER,
		.recipient = giver->party,
		.is_held = !giver->kind,
		.is_nowhere = giver->kind && !giver->email_at,
	};
}

/* --- one mail --------------------------------------------------------------------------------- */

static void hold(struct state *state, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	state_move_task(state, number, TASK_STATE_HELD);
	task->due = time_at_paris(state->today + MAIL_HELD_DAYS + 1, 0, 0); /* inclusive */
	state_set_timer(state, task->due, TIMER_TASK, number);
}

static void post(struct state *state, struct mail mail, bool is_held)
{
	struct task task = {.kind = TASK_KIND_MAIL, .mail = mail, .due = MS_NONE};
	uint32_t number;

	if (!is_held) {
		(void)task_create(state, task);
		return;
	}
	task.state = TASK_STATE_SCHEDULED;
	task.created = state->now;
	number = state_add_task(state, task);
	hold(state, number);
}

static struct mail write_mail(const struct state *state, const struct cause *cause,
			      uint32_t template, uint32_t case_number, uint32_t visit_number)
{
	const struct case_record *record = state_get(state, cases, case_number);
	struct mail mail = {
		.about = cause->seq,
		.case_number = case_number,
		.template = (uint8_t) template,
		.case_state = record->state,
		.closing = record->closing,
		.visit = visit_number,
	};

	if (visit_number) {
		const struct visit *visit = state_get(state, visits, visit_number);

		mail.day = visit->day;
		mail.half = visit->half;
		mail.pair = visit->pair;
		mail.sequence = visit->sequence;
		mail.visit_state = visit->state;
		mail.second_visit = visit->state == VISIT_STATE_DONE &&
				    record->state != CASE_STATE_VISITED &&
				    record->state != CASE_STATE_CLOSED;
	}
	return mail;
}

static void post_to_giver(struct state *state, struct mail mail, const struct standing *referral)
{
	struct route route = find_route(state, referral->fact->referral.giver);

	if (route.is_nowhere)
		return;
	mail.to = (uint8_t)route.to;
	mail.recipient = route.recipient;
	mail.giver = referral->fact->referral.giver;
	mail.referral = referral->fact->seq;
	post(state, mail, route.is_held);
}

void mailing_to_giver(struct state *state, const struct cause *cause, uint32_t template,
		      uint32_t case_number, const struct standing *referral)
{
	if (!cause->is_silent)
		post_to_giver(state, write_mail(state, cause, template, case_number, 0), referral);
}

/* --- all givers of a case --------------------------------------------------------------------- */

/* Would this referral's mail go to somebody an earlier one of the same case already wrote to? */
static bool is_repeated(const struct state *state, const struct standing *facts,
			const uint32_t *joined, uint32_t at)
{
	struct route route = find_route(state, facts[at].fact->referral.giver);

	for (uint32_t i = 0; i < at; i++) {
		struct route earlier;

		if (facts[i].fact->kind != EVENT_REFERRAL_RECEIVED || joined[i] != joined[at])
			continue;
		earlier = find_route(state, facts[i].fact->referral.giver);
		if (earlier.to == route.to && earlier.recipient == route.recipient)
			return true;
	}
	return false;
}

static void post_to_pair(struct state *state, struct mail mail)
{
	mail.to = TO_PAIR;
	mail.recipient = mail.pair;
	post(state, mail, false);
}

/* Which case of the life has that number: cases are known by the fact that opened them. */
static uint32_t find_life_case(const struct state *state, const struct life *life,
			       const struct standing *facts, uint32_t number)
{
	for (uint32_t i = 0; i < life->case_count; i++)
		if (state->facts.items[facts[life->cases[i].opening].root].opened == number)
			return i + 1;
	return 0;
}

void mailing_to_all(struct state *state, const struct cause *cause, uint32_t template,
		    uint32_t case_number, uint32_t visit, bool and_pair)
{
	const struct case_record *record = state_get(state, cases, case_number);
	struct horizon horizon = horizon_on(state->today);
	struct arena arena = {0};
	uint32_t count, visit_count, wanted;
	struct standing *facts;
	struct life_visit *visits;
	struct mail mail;
	struct life life;

	if (cause->is_silent)
		return;
	facts = state_gather(state, record->household, &arena, &count);
	visits = state_gather_visits(state, facts, count, &arena, &visit_count);
	life.cases = arena_new(&arena, (count + 1) * sizeof(*life.cases));
	life.joined = arena_new(&arena, (count + 1) * sizeof(*life.joined));
	life_compute(&state->policy, facts, count, visits, visit_count, &horizon, &life);
	wanted = find_life_case(state, &life, facts, case_number);

	mail = write_mail(state, cause, template, case_number, visit);
	for (uint32_t i = 0; i < count && wanted; i++)
		if (facts[i].fact->kind == EVENT_REFERRAL_RECEIVED && life.joined[i] == wanted &&
		    !is_repeated(state, facts, life.joined, i))
			post_to_giver(state, mail, &facts[i]);
	if (and_pair && visit)
		post_to_pair(state, mail);
	arena_done(&arena);
}

/* --- what was held ---------------------------------------------------------------------------- */

void mailing_release(struct state *state, uint32_t giver)
{
	uint32_t party = state_get(state, givers, giver)->party;
	uint32_t next;

	for (uint32_t at = state->held.first; at; at = next) {
		struct task *task = &state->tasks.items[at];
		struct route route;

		next = task->next;
		if (task->mail.recipient != party && task->mail.giver != party)
			continue;
		route = find_route(state, task->mail.giver);
		task->mail.to = (uint8_t)route.to;
		task->mail.recipient = route.recipient;
		if (route.is_nowhere)
			state_move_task(state, at, TASK_STATE_CANCELLED);
		else if (!route.is_held)
			task_make_ready(state, at);
	}
}
