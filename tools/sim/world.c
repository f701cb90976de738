#include "tools/sim/world.h"

#include "daemon/handout.h"
#include "workers/schedule/plan.h"

/* Submits one event and runs its turn. */
static enum err turn(struct world *world, enum authority authority, const struct event *event,
		     verdict_fn *fn, void *context)
{
	engine_submit(world->engine, authority, event, fn, context);
	return engine_turn(world->engine);
}

static struct event new_event(const struct world *world, enum event_kind kind, const char *id)
{
	struct event event;

	event_clear(&event, kind);
	event.source = STR("urn:vigie:sim");
	event.id = str_from(id);
	event.time = world->ports.now;
	return event;
}

enum err world_init(struct world *world, ms_t start, const struct policy *policy)
{
	static const uint8_t
		salt[DIGEST_SIZE]; /* always the same: so is the digest of the same events */
	struct engine_ports ports;
	struct buf bytes = {0};
	struct event event;
	enum err err;

	*world = (struct world){.ports = {.now = start}};
	ports = memory_ports_get(&world->ports);
	world->engine = engine_new(&ports);
	err = engine_begin(world->engine, true, salt);
	if (err)
		return err;
	policy_encode(policy, &bytes);
	event = new_event(world, EVENT_POLICY_APPLIED, "policy");
	event.data.policy_applied.policy = buf_str(&bytes);
	err = turn(world, AUTHORITY_COORDINATOR, &event, NULL, NULL);
	buf_done(&bytes);
	return err;
}

void world_done(struct world *world)
{
	engine_free(&world->engine);
	memory_ports_done(&world->ports);
}

/* --- the workers ------------------------------------------------------------------------------ */

static enum err make_plan(struct world *world, uint32_t number)
{
	const struct state *state = engine_state(world->engine);
	struct event event = new_event(world, EVENT_PLAN_MADE, "plan");
	struct arena arena = {0};
	struct plan_request request;
	struct plan_answer answer;
	enum err err;

	handout_plan(state, &arena, &request);
	plan_make(&request, &arena, &answer);
	event.data.plan_made.task = number;
	event.data.plan_made.token = state->tasks.items[number].token;
	event.data.plan_made.visits = answer.visits;
	err = turn(world, AUTHORITY_SYSTEM, &event, NULL, NULL);
	arena_done(&arena);
	return err;
}

static enum err finish(struct world *world, uint32_t number)
{
	const struct state *state = engine_state(world->engine);
	struct event event = new_event(world, EVENT_TASK_DONE, "done");

	if (state->tasks.items[number].kind == TASK_KIND_PLAN)
		return make_plan(world, number);
	event.data.task_done.task = number;
	event.data.task_done.token = state->tasks.items[number].token;
	return turn(world, AUTHORITY_SYSTEM, &event, NULL, NULL);
}

static uint32_t next_ready(const struct state *state)
{
	for (uint32_t kind = 1; kind < TASK_KIND_END; kind++)
		if (state->ready[kind].first)
			return state->ready[kind].first;
	return 0;
}

static enum err work(struct world *world)
{
	const struct state *state = engine_state(world->engine);
	uint32_t number;
	enum err err = ERR_OK;

	while (!err && (number = next_ready(state))) {
		struct event event = new_event(world, EVENT_TASK_LEASED, "lease");

		event.data.task_leased.task = number;
		err = turn(world, AUTHORITY_SYSTEM, &event, NULL, NULL);
		if (!err)
			err = finish(world, number);
	}
	return err;
}

/* --- time ------------------------------------------------------------------------------------- */

enum err world_advance(struct world *world, ms_t until)
{
	struct event event;
	ms_t next;
	enum err err;

	while ((next = engine_next_timer(world->engine)) != MS_NONE && next <= until) {
		if (next > world->ports.now)
			world->ports.now = next;
		err = engine_turn(world->engine);
		if (!err)
			err = work(world);
		if (err)
			return err;
	}
	if (until <= engine_state(world->engine)->now)
		return ERR_OK;
	world->ports.now = until;
	event = new_event(world, EVENT_TIME_PASSED, "time");
	return turn(world, AUTHORITY_SYSTEM, &event, NULL, NULL);
}

static void keep_verdict(void *context, const struct verdict *verdict)
{
	*(struct verdict *)context = *verdict;
}

enum err world_accept(struct world *world, const struct event *event, struct verdict *verdict)
{
	enum err err = ERR_OK;

	if (event->time > world->ports.now)
		err = world_advance(world, event->time);
	if (!err)
		err = turn(world, AUTHORITY_COORDINATOR, event, keep_verdict, verdict);
	return err ? err : work(world);
}
