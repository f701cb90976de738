/* Plans: asked for every working morning and when a cut appears; the answer is checked again against
 * the state as it is now, visit by visit, and then holds as a whole. */
#include "daemon/apply.h"
#include "daemon/tasks.h"

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
		tasks_move(state, state->plan_task, TASK_STATE_CANCELLED);
	state->plan_task = tasks_create(state, task);
}

/* --- which placements can hold ---------------------------------------------------------------- */

struct placing {
	struct state *state;
	const struct cause *cause;
	const struct planned_visit *wanted;
	uint32_t count;
	struct planned_visit *kept; /* those that hold */
	uint32_t kept_count;
	struct map slots; /* half-days of pairs that are taken */
	struct map cases; /* those of `kept` */
};

/* One to one, and well mixed, as a map wants its keys. */
static uint64_t mix(uint64_t key)
{
	key = (key ^ (key >> 33)) * 0xff51afd7ed558ccdu;
	key = (key ^ (key >> 33)) * 0xc4ceb9fe1a85ec53u;
	return key ^ (key >> 33);
}

static uint64_t slot_key(uint32_t pair, day_t day, uint32_t half)
{
	return mix((uint64_t)pair << 34 | (uint64_t)(uint32_t)day << 2 | half);
}

static bool is_in(const struct map *map, uint64_t key)
{
	struct map_cursor cursor = {0};
	uint32_t value;

	return map_next(map, key, &cursor, &value);
}

/* Position in the policy plus 1, or 0: a pair that never visited has no name among the state's yet. */
static uint32_t pair_number(const struct state *state, struct str id)
{
	const struct policy_pair *pair = policy_find_pair(&state->policy, id);

	return pair ? (uint32_t)(pair - list_at(&state->policy.pairs, struct policy_pair, 0)) + 1
		    : 0;
}

static void take_left_alone(struct placing *placing)
{
	const struct state *state = placing->state;

	for (uint32_t i = 1; i < state->active_visits.count; i++) {
		const struct visit *visit = &state->visits.items[state->active_visits.items[i]];

		uint32_t pair = pair_number(state, names_get(&state->names, visit->pair));

		if (visit_is_left_alone(visit, state->today))
			map_put(&placing->slots, slot_key(pair, visit->day, visit->half), 1);
	}
}

static uint64_t wanted_slot(const struct placing *placing, const struct planned_visit *wanted)
{
	return slot_key(pair_number(placing->state, wanted->pair), wanted->day, wanted->half);
}

static bool case_is_free(const struct placing *placing, uint64_t case_number)
{
	uint32_t number = case_resolve(placing->state, (uint32_t)case_number);
	const struct case_record *record;

	if (!number || is_in(&placing->cases, mix(number)))
		return false;
	record = &placing->state->cases.items[number];
	if (record->state == CASE_STATE_WAITING)
		return record->is_eligible;
	return record->state == CASE_STATE_PLANNED && record->is_eligible &&
	       !visit_is_left_alone(&placing->state->visits.items[record->visit],
				    placing->state->today);
}

static bool can_hold(const struct placing *placing, const struct planned_visit *wanted)
{
	return wanted->day > placing->state->today &&
	       policy_find_pair(&placing->state->policy, wanted->pair) &&
	       case_is_free(placing, wanted->case_number) &&
	       !is_in(&placing->slots, wanted_slot(placing, wanted));
}

static void keep_what_holds(struct placing *placing)
{
	for (uint32_t i = 0; i < placing->count; i++) {
		struct planned_visit visit = placing->wanted[i];

		if (!can_hold(placing, &visit))
			continue;
		visit.case_number = case_resolve(placing->state, (uint32_t)visit.case_number);
		placing->kept[placing->kept_count++] = visit;
		map_put(&placing->cases, mix(visit.case_number), 1);
		map_put(&placing->slots, wanted_slot(placing, &visit), 1);
	}
}

/* --- placing ---------------------------------------------------------------------------------- */

/* Planned before and not any more: the machine takes the visit back. Settling changes the table of
 * active visits, so its end is where the next one is looked for. */
static void lift_others(struct placing *placing)
{
	struct state *state = placing->state;

	for (uint32_t at = state->active_visits.count; at-- > 1;) {
		uint32_t number = state->active_visits.items[at];
		struct visit *visit = &state->visits.items[number];
		uint32_t owner = case_resolve(state, visit->case_number);

		if (visit_is_left_alone(visit, state->today) || is_in(&placing->cases, mix(owner)))
			continue;
		visit->lifted = placing->cause->seq;
		settle_household(state, state_get(state, cases, owner)->household, placing->cause);
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
	tasks_move(state, (uint32_t)made->task, TASK_STATE_DONE);
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
	take_left_alone(&placing);
	keep_what_holds(&placing);
	lift_others(&placing);
	for (uint32_t i = 0; i < placing.kept_count; i++)
		place(&placing, &placing.kept[i]);
	free(placing.kept);
	map_done(&placing.slots);
	map_done(&placing.cases);
}
