/* The journal's beginning, time, and policy. */
#include "daemon/apply.h"
#include "daemon/network.h"
#include "daemon/timers.h"

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

/* A case knows its sector by its place in the policy. Settling finds the new one, but of an erased
 * household nothing is derived any more: there the commune says it. */
static void replace_sectors(struct state *state)
{
	for (uint32_t i = 1; i < state->cases.count; i++) {
		struct case_record *record = &state->cases.items[i];
		const struct policy_commune *commune =
			policy_find_commune(&state->policy, record->insee);

		record->sector = commune ? (uint32_t)commune->sector + 1 : 0;
	}
}

void on_policy_applied(struct state *state, const struct event *event, const struct cause *cause)
{
	state_load_policy(state, event->data.policy_applied.policy);
	state->policy_seq = event->seq;
	replace_sectors(state);
	settle_all(state, cause);
	network_policy_changed(state, cause);
	if (state->plan_due == MS_NONE) {
		state->plan_due = plan_next_due(state, state->now);
		timers_set(state, state->plan_due, TIMER_PLAN, 0);
		timers_set_daily(state, TIMER_NIGHT);
		timers_set_daily(state, TIMER_FORECAST);
		timers_set_daily(state, TIMER_MORNING);
	}
}
