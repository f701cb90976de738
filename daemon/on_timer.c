/* What time does: rules that turn at midnight, the morning's plan, tasks that are due. */
#include "daemon/apply.h"
#include "daemon/forecast.h"
#include "daemon/network.h"
#include "daemon/redirect.h"
#include "daemon/tasks.h"
#include "daemon/timers.h"

/* A household's timer may have been moved since it was set: only the one it remembers counts. */
static void on_household_timer(struct state *state, uint32_t id, const struct cause *cause)
{
	const struct household *household = state_get(state, households, id);

	if (household->head == id && household->turns_on <= state->today)
		settle_household(state, id, cause);
}

static void on_plan_timer(struct state *state)
{
	if (state->plan_due == MS_NONE || state->plan_due > state->now)
		return;
	plan_ask(state);
	state->plan_due = plan_next_due(state, state->now);
	timers_set(state, state->plan_due, TIMER_PLAN, 0);
}

static void on_task_timer(struct state *state, uint32_t id)
{
	const struct task *task = state_get(state, tasks, id);

	if (task->due == MS_NONE || task->due > state->now)
		return;
	if (task->state == TASK_STATE_HELD)
		tasks_move(state, id, TASK_STATE_EXPIRED);
	else if (task->kind == TASK_KIND_MAIL &&
		 (task->state == TASK_STATE_RETRYING || task->state == TASK_STATE_SCHEDULED))
		redirect_due(state, id);
	else if (task->state == TASK_STATE_RETRYING)
		tasks_make_ready(state, id);
}

void on_timer(struct state *state, enum timer_kind kind, uint32_t id, const struct cause *cause)
{
	switch (kind) {
	case TIMER_HOUSEHOLD:
		on_household_timer(state, id, cause);
		return;
	case TIMER_GIVER: /* gone since midnight: what is due goes to whom it should */
		redirect_giver(state, id);
		return;
	case TIMER_PLAN:
		on_plan_timer(state);
		return;
	case TIMER_TASK:
		on_task_timer(state, id);
		return;
	case TIMER_NIGHT:
		network_night(state, cause);
		break;
	case TIMER_FORECAST:
		forecast_make(state);
		break;
	case TIMER_MORNING:
		on_morning(state, cause);
		break;
	case TIMER_IMPORT:
		on_import_ended(state);
		return;
	}
	timers_set_daily(state, kind);
}
