/* The journal's beginning, time, and policy. */
#include "daemon/apply.h"
#include "daemon/network.h"

void on_journal_begun(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct journal_begun *data = &event->data.journal_begun;

	(void)cause;
	assert(data->salt.size == DIGEST_SIZE);
	state->is_rehearsal = data->rehearsal == SAID_YES;
	memcpy(state->salt, data->salt.data, DIGEST_SIZE);
}

/* Timers that were due have fired already: that is all. */
void on_time_passed(struct state *state, const struct event *event, const struct cause *cause)
{
	(void)state;
	(void)event;
	(void)cause;
}

void on_policy_applied(struct state *state, const struct event *event, const struct cause *cause)
{
	state_load_policy(state, event->data.policy_applied.policy);
	state->policy_seq = event->seq;
	settle_all(state, cause);
	network_policy_changed(state, cause);
	if (state->plan_due == MS_NONE) {
		state->plan_due = plan_next_due(state, state->now);
		state_set_timer(state, state->plan_due, TIMER_PLAN, 0);
		state_set_daily_timer(state, TIMER_NIGHT);
		state_set_daily_timer(state, TIMER_FORECAST);
		state_set_daily_timer(state, TIMER_MORNING);
	}
}
