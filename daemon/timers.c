#include "daemon/timers.h"

static const struct {
	enum timer_kind kind;
	int hour;
} daily[] = {
	{TIMER_NIGHT, 0},
	{TIMER_FORECAST, FORECAST_HOUR},
	{TIMER_MORNING, MORNING_HOUR},
};

void timers_set_daily(struct state *state, enum timer_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(daily); i++) {
		ms_t at = time_at_paris(state->today, daily[i].hour, 0);

		if (daily[i].kind != kind)
			continue;
		if (at <= state->now)
			at = time_at_paris(state->today + 1, daily[i].hour, 0);
		timers_set(state, at, kind, 0);
	}
}

void timers_set(struct state *state, ms_t at, enum timer_kind kind, uint32_t id)
{
	heap_push(&state->timers, (struct heap_item){at, kind, id});
}

void timers_rebuild(struct state *state)
{
	for (uint32_t i = 1; i < state->households.count; i++)
		if (state->households.items[i].turns_on < DAY_MAX)
			timers_set(state, time_at_paris(state->households.items[i].turns_on, 0, 0),
				   TIMER_HOUSEHOLD, i);
	for (uint32_t i = 1; i < state->givers.count; i++)
		if (state->givers.items[i].left_on != DAY_NONE &&
		    state->givers.items[i].left_on >= state->today)
			timers_set(state, time_at_paris(state->givers.items[i].left_on + 1, 0, 0),
				   TIMER_GIVER, i);
	for (uint32_t i = 1; i < state->tasks.count; i++)
		if (state->tasks.items[i].state == TASK_STATE_RETRYING ||
		    state->tasks.items[i].state == TASK_STATE_SCHEDULED ||
		    state->tasks.items[i].state == TASK_STATE_HELD)
			timers_set(state, state->tasks.items[i].due, TIMER_TASK, i);
	if (state->plan_due != MS_NONE)
		timers_set(state, state->plan_due, TIMER_PLAN, 0);
	for (size_t i = 0; state->has_policy && i < ARRAY_SIZE(daily); i++)
		timers_set_daily(state, daily[i].kind);
	if (state->import.first)
		timers_set(state, state->import.due, TIMER_IMPORT, 0);
}
