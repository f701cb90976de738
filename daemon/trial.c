#include "daemon/trial.h"

#include "daemon/snapshot.h"

static void keep_bytes(void *context, const void *bytes, size_t size)
{
	buf_add(context, bytes, size);
}

/* By way of a snapshot: what a restart reads is the whole state. */
static void copy_state(const struct state *state, struct state *copy)
{
	struct buf bytes = {0};
	enum err err;

	snapshot_write(state, keep_bytes, &bytes);
	state_init(copy);
	err = snapshot_read(buf_str(&bytes), copy);
	assert(!err);
	buf_done(&bytes);
}

void trial_policy(const struct state *state, struct str policy, ms_t now, struct state *after)
{
	struct effects effects = {0};
	struct event event;

	copy_state(state, after);
	event_clear(&event, EVENT_POLICY_APPLIED);
	event.source = STR("urn:vigie:trial");
	event.id = STR("policy");
	event.seq = state->seq + 1;
	event.time = event.accepted = now > state->now ? now : state->now;
	event.data.policy_applied.policy = policy;
	apply(after, &event, &effects);
	effects_done(&effects);
}
