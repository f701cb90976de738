/* Plans: asked for every working morning and when a cut appears; the answer is checked again against
 * the state as it is now, visit by visit, and then holds as a whole. */
#include "daemon/apply.h"

#include <stdlib.h>

enum { PLAN_HOUR = 6 };

ms_t plan_next_due(const struct state *state, ms_t after)
{
	bool alsace_moselle = state->policy.planning.alsace_moselle == SAID_YES;
	day_t day = time_paris_day(after);
	ms_t due = time_at_paris(day, PLAN_HOUR, 0);

	if (due <= after || !day_is_working(day, alsace_moselle))
		day = day_next_working(day, alsace_moselle);
	return time_at_paris(day, PLAN_HOUR, 0);
}

void plan_ask(struct state *state)
{
	struct task *running = state->plan_task ? &state->tasks.items[state->plan_task] : NULL;
	struct task task = {.kind = TASK_KIND_PLAN, .due = MS_NONE};

	if (running && !task_state_is_over(running->state))
		state_move_task(state, state->plan_task, TASK_STATE_CANCELLED);
	state->plan_task = task_create(state, task);
}

/* --- which placements can hold ---------------------------------------------------------------- */

struct placing {
	struct state *state;
	const struct cause *cause;
	const struct planned_visit *wanted;
	uint32_t count;
	struct planned_visit *kept; /* those that hold */
	uint32_t kept_count;
};

static bool half_day_is_taken(const struct placing *placing, const struct planned_visit *wanted)
{
	const struct state *state = placing->state;
	uint32_t booked = state_find_booking(state, names_find(&state->names, wanted->pair),
					     wanted->day, wanted->half);

	for (uint32_t i = 0; i < placing->kept_count; i++)
		if (str_equal(placing->kept[i].pair, wanted->pair) &&
		    placing->kept[i].day == wanted->day && placing->kept[i].half == wanted->half)
			return true;
	return booked && visit_is_fixed(&state->visits.items[booked]);
}

static bool case_is_free(const struct placing *placing, uint64_t case_number)
{
	uint32_t number = case_resolve(placing->state, (uint32_t)case_number);
	const struct case_record *record;

	if (!number)
		return false;
	for (uint32_t i = 0; i < placing->kept_count; i++)
		if (placing->kept[i].case_number == number)
			return false;
	record = &placing->state->cases.items[number];
	if (record->state == CASE_STATE_WAITING)
		return record->is_eligible;
	return record->state == CASE_STATE_PLANNED && record->is_eligible &&
	       !visit_is_fixed(&placing->state->visits.items[record->visit]);
}

static bool can_hold(const struct placing *placing, const struct planned_visit *wanted)
{
	return wanted->day > placing->state->today &&
	       policy_find_pair(&placing->state->policy, wanted->pair) &&
	       case_is_free(placing, wanted->case_number) && !half_day_is_taken(placing, wanted);
}

static void keep_what_holds(struct placing *placing)
{
	for (uint32_t i = 0; i < placing->count; i++) {
		struct planned_visit visit = placing->wanted[i];

		if (!can_hold(placing, &visit))
			continue;
		visit.case_number = case_resolve(placing->state, (uint32_t)visit.case_number);
		placing->kept[placing->kept_count++] = visit;
	}
}

/* --- placing ---------------------------------------------------------------------------------- */

static bool is_kept(const struct placing *placing, uint32_t case_number)
{
	for (uint32_t i = 0; i < placing->kept_count; i++)
		if (placing->kept[i].case_number == case_number)
			return true;
	return false;
}

/* Planned before and not any more: the machine takes the visit back. Settling changes the table of
 * active visits, so its end is where the next one is looked for. */
static void lift_others(struct placing *placing)
{
	struct state *state = placing->state;

	for (uint32_t at = state->active_visits.count; at-- > 1;) {
		uint32_t number = state->active_visits.items[at];
		struct visit *visit = &state->visits.items[number];
		uint32_t owner = case_resolve(state, visit->case_number);

		if (visit_is_fixed(visit) || is_kept(placing, owner))
			continue;
		visit->lifted = placing->cause->seq;
		settle_household(state, state->cases.items[owner].household, placing->cause);
	}
}

static void place(struct placing *placing, const struct planned_visit *planned)
{
	struct state *state = placing->state;
	uint32_t number = (uint32_t)planned->case_number;
	struct case_record *record = state_get(state, cases, number);
	uint32_t pair = names_add(&state->names, planned->pair);

	if (record->visit) {
		struct visit *visit = state_get(state, visits, record->visit);

		visit->plan_pair = pair;
		visit->plan_day = planned->day;
		visit->plan_half = (uint8_t)planned->half;
	} else {
		(void)state_add_visit(state, (struct visit){
						     .case_number = number,
						     .placed = placing->cause->seq,
						     .plan_pair = pair,
						     .plan_day = planned->day,
						     .plan_half = (uint8_t)planned->half,
					     });
	}
	settle_household(state, record->household, placing->cause);
}

static bool task_is_answered(struct state *state, const struct plan_made *made)
{
	struct task *task =
		made->task < state->tasks.count ? &state->tasks.items[made->task] : NULL;

	if (!task || task->state != TASK_STATE_LEASED || task->token != made->token)
		return false;
	state_move_task(state, (uint32_t)made->task, TASK_STATE_DONE);
	return true;
}

void on_plan_made(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct plan_made *made = &event->data.plan_made;
	struct placing placing = {
		.state = state,
		.cause = cause,
		.wanted = made->visits.items,
		.count = made->visits.count,
	};

	if (!task_is_answered(state, made))
		return;
	placing.kept = mem_new((made->visits.count + 1) * sizeof(*placing.kept));
	keep_what_holds(&placing);
	lift_others(&placing);
	for (uint32_t i = 0; i < placing.kept_count; i++)
		place(&placing, &placing.kept[i]);
	free(placing.kept);
}
