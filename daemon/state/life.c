#include "daemon/state/life.h"

#include <string.h>

struct living {
	const struct policy *policy;
	const struct standing *facts;
	uint32_t count;
	const struct life_visit *visits;
	uint32_t visit_count;
	struct life *life;
	struct life_case *open; /* NULL: no open case */
	uint32_t at;            /* the fact being told */
};

const struct life_case *life_open_case(const struct life *life)
{
	if (!life->case_count || life->cases[life->case_count - 1].is_closed)
		return NULL;
	return &life->cases[life->case_count - 1];
}

static const struct standing *now(const struct living *living)
{
	return &living->facts[living->at];
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* Its active visit is left without a case; whoever keeps the visits sees that and cancels it. */
static void close_case(struct living *living, uint32_t closing, day_t on)
{
	struct life_case *open = living->open;

	open->visit = 0;
	open->is_closed = true;
	open->closing = closing;
	open->closed_on = on;
	living->open = NULL;
}

static void join_case(struct living *living)
{
	if (living->open)
		living->life->joined[living->at] =
			(uint32_t)(living->open - living->life->cases) + 1;
}

static void open_case(struct living *living, day_t first_date)
{
	struct life *life = living->life;

	assert(life->case_count < living->count);
	living->open = &life->cases[life->case_count++];
	*living->open = (struct life_case){
		.opening = living->at,
		.order_seq = now(living)->seq,
		.first_date = first_date,
		.contact_on = DAY_NONE,
		.visited_on = DAY_NONE,
		.waited_until = DAY_MAX,
	};
	join_case(living);
}

static bool may_reopen(const struct living *living, day_t day)
{
	const struct life *life = living->life;
	int months = (int)living->policy->rules.reopen_months;

	return life->case_count &&
	       day <= day_add_months(life->cases[life->case_count - 1].closed_on, months);
}

/* The new date, and what was said before still counts. */
static void reopen_case(struct living *living, day_t first_date)
{
	struct life *life = living->life;
	struct life_case *last = &life->cases[life->case_count - 1];

	last->order_seq = now(living)->seq;
	last->first_date = first_date;
	last->is_closed = false;
	last->visited_on = DAY_NONE;
	last->waited_until = DAY_MAX;
	last->derogation = NULL;
	living->open = last;
}

/* --- one function a kind of fact -------------------------------------------------------------- */

static void tell_referral(struct living *living)
{
	const struct standing *referral = now(living);
	day_t day = referral->day < referral->accepted ? referral->day : referral->accepted;

	if (!living->open && may_reopen(living, day))
		reopen_case(living, day);
	else if (!living->open)
		open_case(living, day);
	if (!living->open->has_referral)
		living->open->contact_on = day;
	living->open->has_referral = true;
	living->open->reasons |= referral->fact->referral.reasons;
	living->open->energies |= referral->fact->referral.energies;
	living->open->vulnerable |= referral->fact->referral.vulnerable;
	join_case(living);
}

static void tell_withdrawal(struct living *living)
{
	join_case(living);
	if (living->open)
		close_case(living, CLOSING_WITHDRAWN, now(living)->day);
}

static void tell_closing(struct living *living)
{
	join_case(living);
	if (living->open)
		close_case(living, now(living)->fact->closing.reason, now(living)->day);
}

/* A move to another department closes the case, when it is the latest that is known of where the
 * household lives. */
static void tell_move(struct living *living)
{
	const struct move_fact *move = &now(living)->fact->move;

	if (!living->open || !season_is_abroad(living->policy, move->insee))
		return;
	for (uint32_t i = 0; i < living->at; i++) {
		day_t since;

		if (fact_commune(&living->facts[i], &since) && since > move->on)
			return;
	}
	join_case(living);
	close_case(living, CLOSING_MOVED_AWAY, now(living)->day);
}

static void tell_derogation(struct living *living)
{
	join_case(living);
	if (living->open)
		living->open->derogation = now(living);
}

/* Filed within the window that ends on a day, or one day ahead of it: such a request is told today and never
 * again, and counts at once. A correction may date it later still; then it was none of that day's. */
static bool is_recent(const struct living *living, const struct fact *fact, day_t today)
{
	int months = (int)living->policy->rules.fsl_window_months;

	return fact->kind == EVENT_FSL_REQUEST_FILED &&
	       fact->request.filed_on > day_add_months(today, -months) &&
	       fact->request.filed_on <= today + 1;
}

/* Is this a request that makes a recurrence: one of at least two that were recent when it came, in whatever
 * order they were told? */
static bool is_recurrence(const struct living *living)
{
	day_t today = now(living)->accepted;
	uint32_t filed = 0;

	if (!is_recent(living, now(living)->fact, today))
		return false;
	for (uint32_t i = 0; i <= living->at; i++)
		filed += is_recent(living, living->facts[i].fact, today);
	return filed >= 2;
}

/* Opens a case where the policy says so; what opened one once does so for good, whatever the policy says
 * since. In a case that is open already its number leads there. */
static void open_without_referral(struct living *living, enum answer policy, day_t first_date)
{
	if (living->open && now(living)->fact->opened)
		join_case(living);
	else if (!living->open && (policy == SAID_YES || now(living)->fact->opened))
		open_case(living, first_date);
}

static void tell_request(struct living *living)
{
	if (is_recurrence(living))
		open_without_referral(living, living->policy->rules.open_on_recurrence,
				      now(living)->fact->request.filed_on);
}

static void tell_threat(struct living *living)
{
	const struct fact *fact = now(living)->fact;
	bool is_notice = fact->kind == EVENT_SUPPLIER_NOTICE;

	if (energy_is_cuttable(is_notice ? fact->notice.energy : fact->supply.energy))
		open_without_referral(living, living->policy->rules.open_on_cutoff,
				      is_notice ? fact->notice.issued_on : fact->supply.on);
}

/* --- visits ----------------------------------------------------------------------------------- */

static uint32_t find_visit(const struct living *living, uint32_t number)
{
	for (uint32_t i = 0; i < living->visit_count; i++)
		if (living->visits[i].number == number)
			return i + 1;
	return 0;
}

static void reset_visit(struct visit *visit)
{
	visit->state = VISIT_STATE_PLANNED;
	visit->pair = visit->plan_pair;
	visit->day = visit->plan_day;
	visit->half = visit->plan_half;
	visit->is_pinned = false;
	visit->was_confirmed = false;
	visit->sequence = visit->sequence_base;
}

static void place_visit(struct visit *visit, const struct visit_fact *fact)
{
	if (fact->day == DAY_NONE)
		return;
	visit->sequence +=
		visit->was_confirmed && (visit->day != fact->day || visit->half != fact->half);
	visit->day = fact->day;
	visit->half = fact->half;
	visit->is_pinned = true;
}

static void end_visit(struct living *living, uint32_t position, uint32_t state)
{
	struct visit *visit = living->visits[position - 1].visit;

	visit->state = state;
	if (living->open && living->open->visit == position)
		living->open->visit = 0;
}

static const struct {
	uint32_t state;
	uint32_t closing; /* of the case; 0: it stays open */
} result_rows[] = {
	[RESULT_DONE] = {VISIT_STATE_DONE, 0},
	[RESULT_NO_SHOW] = {VISIT_STATE_NO_SHOW, 0},
	[RESULT_DECLINED] = {VISIT_STATE_DECLINED, CLOSING_WITHDRAWN},
	[RESULT_MOVED_AWAY] = {VISIT_STATE_MOVED_AWAY, CLOSING_MOVED_AWAY},
	[RESULT_UNSAFE] = {VISIT_STATE_UNSAFE, 0},
};

static void visit_case(struct living *living)
{
	struct life_case *open = living->open;

	if (open->visited_on == DAY_NONE)
		open->waited_until = now(living)->day;
	open->visited_on = now(living)->day;
}

static void record_visit(struct living *living, uint32_t position, const struct visit_fact *fact)
{
	assert(fact->result < ARRAY_SIZE(result_rows) && result_rows[fact->result].state);
	end_visit(living, position, result_rows[fact->result].state);
	if (!living->open)
		return;
	if (fact->result == RESULT_NO_SHOW)
		living->open->no_shows++;
	if (fact->result == RESULT_DONE && fact->second_visit != SAID_YES)
		visit_case(living);
	if (result_rows[fact->result].closing)
		close_case(living, result_rows[fact->result].closing, now(living)->day);
}

/* After a merge a case may have two visits: the confirmed one is kept. */
static void hold_confirmed(struct living *living, uint32_t position)
{
	struct life_case *open = living->open;

	if (!open || open->visit == position)
		return;
	if (!open->visit || living->visits[open->visit - 1].visit->state != VISIT_STATE_CONFIRMED)
		open->visit = position;
}

static void tell_visit(struct living *living)
{
	const struct visit_fact *fact = &now(living)->fact->visit;
	uint32_t position = find_visit(living, fact->visit);
	struct visit *visit;

	join_case(living);
	if (!position)
		return;
	visit = living->visits[position - 1].visit;
	switch (now(living)->fact->kind) {
	case EVENT_VISIT_CONFIRMED:
		place_visit(visit, fact);
		visit->state = VISIT_STATE_CONFIRMED;
		visit->was_confirmed = true;
		hold_confirmed(living, position);
		break;
	case EVENT_VISIT_MOVED:
		place_visit(visit, fact);
		break;
	case EVENT_VISIT_CANCELLED:
		visit->sequence += visit->was_confirmed;
		end_visit(living, position, VISIT_STATE_CANCELLED);
		break;
	case EVENT_VISIT_RECORDED:
		record_visit(living, position, fact);
		break;
	}
}

/* A visit enters the story at the place of the plan that made it. */
static void tell_placements(struct living *living, uint64_t until_seq)
{
	for (uint32_t i = 0; i < living->visit_count; i++) {
		struct visit *visit = living->visits[i].visit;

		if (living->open && !living->open->visit && visit_is_active(visit) &&
		    visit->placed < until_seq)
			living->open->visit = i + 1;
	}
}

/* What the machine took back: cancelled, whoever had confirmed it, or left out by a later plan. */
static void tell_lifts(struct living *living, uint64_t until_seq)
{
	for (uint32_t i = 0; i < living->visit_count; i++) {
		struct visit *visit = living->visits[i].visit;

		if (!visit->lifted || visit->lifted >= until_seq || !visit_is_active(visit))
			continue;
		if (visit->is_cancelled) {
			visit->sequence += visit->was_confirmed;
			end_visit(living, i + 1, VISIT_STATE_CANCELLED);
		} else if (visit->state == VISIT_STATE_PLANNED) {
			end_visit(living, i + 1, VISIT_STATE_DROPPED);
		}
	}
}

/* A planned visit that nobody confirmed is dropped when its day has passed. */
static void drop_passed_visits(struct living *living, struct horizon *horizon)
{
	for (uint32_t i = 0; i < living->visit_count; i++) {
		struct visit *visit = living->visits[i].visit;

		if (visit->state == VISIT_STATE_PLANNED && horizon_reached(horizon, visit->day + 1))
			end_visit(living, i + 1, VISIT_STATE_DROPPED);
	}
}

/* --- the fold --------------------------------------------------------------------------------- */

typedef void tell_fn(struct living *living);

static tell_fn *const tellers[EVENT_KIND_END] = {
	[EVENT_REFERRAL_RECEIVED] = tell_referral,    [EVENT_REFERRAL_WITHDRAWN] = tell_withdrawal,
	[EVENT_SUPPLIER_NOTICE] = tell_threat,        [EVENT_SUPPLIER_CUT] = tell_threat,
	[EVENT_FSL_REQUEST_FILED] = tell_request,     [EVENT_HOUSEHOLD_MOVED] = tell_move,
	[EVENT_VISIT_CONFIRMED] = tell_visit,         [EVENT_VISIT_MOVED] = tell_visit,
	[EVENT_VISIT_CANCELLED] = tell_visit,         [EVENT_VISIT_RECORDED] = tell_visit,
	[EVENT_DEROGATION_DECIDED] = tell_derogation, [EVENT_CASE_CLOSED] = tell_closing,
};

/* Lets time pass up to a fact: what ends by itself has ended before it is told. */
static void pass_time(struct living *living, struct horizon *horizon, uint64_t until_seq)
{
	day_t days = (day_t)living->policy->rules.visited_closes_after;
	struct life_case *open = living->open;

	if (open && open->visited_on != DAY_NONE &&
	    horizon_reached(horizon, open->visited_on + days))
		close_case(living, CLOSING_DONE, open->visited_on + days);
	tell_lifts(living, until_seq); /* what was lifted had not passed */
	drop_passed_visits(living, horizon);
	tell_placements(living, until_seq);
}

/* A case waits from its first referral until it is visited or closed. */
static void carry_over(struct living *living, struct life_case *life_case, struct horizon *horizon)
{
	day_t from = life_case->first_date, until = life_case->waited_until;

	life_case->carry.closing = DAY_NONE;
	if (!life_case->has_referral)
		return;
	if (life_case->contact_on > from)
		from = life_case->contact_on;
	if (life_case->is_closed && life_case->closed_on < until)
		until = life_case->closed_on;
	life_case->carry =
		season_carry(living->policy, living->facts, living->count, from, until, horizon);
}

/* An earlier referral may come to a case, and leave it again: its number is with whoever brought it. */
static void number_cases(struct living *living)
{
	struct life *life = living->life;

	for (uint32_t i = 0; i < life->case_count; i++)
		life->cases[i].number = living->facts[life->cases[i].opening].fact->opened;
	for (uint32_t i = 0; i < living->count; i++) {
		uint32_t its = life->joined[i];

		if (its && !life->cases[its - 1].number)
			life->cases[its - 1].number = living->facts[i].fact->opened;
	}
}

void life_compute(const struct policy *policy, const struct standing *facts, uint32_t count,
		  const struct life_visit *visits, uint32_t visit_count, struct horizon *horizon,
		  struct life *life)
{
	struct living living = {policy, facts, count, visits, visit_count, life, NULL, 0};

	life->case_count = 0;
	life->insee = season_commune(policy, facts, count, DAY_MAX);
	memset(life->joined, 0, count * sizeof(*life->joined));
	for (uint32_t i = 0; i < visit_count; i++)
		reset_visit(visits[i].visit);

	for (living.at = 0; living.at < count; living.at++) {
		struct horizon then = horizon_on(facts[living.at].accepted);

		pass_time(&living, &then, facts[living.at].seq);
		if (tellers[facts[living.at].fact->kind])
			tellers[facts[living.at].fact->kind](&living);
	}
	pass_time(&living, horizon, UINT64_MAX);
	drop_passed_visits(&living, horizon);
	number_cases(&living);
	for (uint32_t i = 0; i < life->case_count; i++)
		carry_over(&living, &life->cases[i], horizon);
}
