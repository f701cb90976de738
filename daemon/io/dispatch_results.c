#include "daemon/io/dispatch_parts.h"

/* A worker repeats its answer until it hears that it was kept. */
static bool is_repeated(const struct state *state, uint64_t task, uint64_t token)
{
	return task < state->tasks.count && state->tasks.items[task].token == token &&
	       state->tasks.items[task].state != TASK_STATE_LEASED;
}

static void on_answer_kept(void *context, const struct verdict *verdict)
{
	struct errand *errand = context;
	struct worker *worker = errand->worker;

	if (errand->ends_lease)
		dispatch_end_lease(worker, errand->task);
	if (verdict->fault.code)
		dispatch_refuse(worker, errand->msgid, &verdict->fault);
	else
		dispatch_accept(worker, errand->msgid);
	dispatch_end_errand(errand);
}

static bool read_plan(struct str result, struct arena *arena, struct plan_answer *plan)
{
	struct reader reader = reader_from(result);

	return !codec_walk(result, NULL) &&
	       !codec_decode(&record_plan_answer, &reader, "result", 0, arena, plan, NULL);
}

/* A plan that cannot be read is a failed task, to be tried again. */
static void fill_plan(struct errand *errand, const struct worker_done *done)
{
	struct event *event = &errand->event;
	struct plan_answer plan;
	ms_t time = event->time;

	if (read_plan(arena_copy(&errand->arena, done->result), &errand->arena, &plan)) {
		event->data.plan_made.task = done->id;
		event->data.plan_made.token = done->token;
		event->data.plan_made.visits = plan.visits;
		return;
	}
	event_clear(event, EVENT_TASK_FAILED);
	event->source = STR(CORE_SOURCE);
	event->id = STR("task");
	event->time = time;
	event->data.task_failed.task = done->id;
	event->data.task_failed.token = done->token;
	event->data.task_failed.class = FAILURE_LATER;
	event->data.task_failed.code = STR("bad_result");
}

void dispatch_on_done(struct worker *worker, const struct rpc *rpc)
{
	const struct state *state = engine_state(worker->dispatch->core->engine);
	struct arena arena = {0};
	struct worker_done done;
	struct errand *errand;
	bool is_plan;

	if (dispatch_decode(worker, rpc, &record_worker_done, &arena, &done)) {
		arena_done(&arena);
		return;
	}
	if (is_repeated(state, done.id, done.token)) {
		dispatch_end_lease(worker, (uint32_t)done.id);
		dispatch_accept(worker, rpc->msgid);
		arena_done(&arena);
		return;
	}
	is_plan =
		done.id < state->tasks.count && state->tasks.items[done.id].kind == TASK_KIND_PLAN;
	errand = dispatch_new_errand(worker, is_plan ? EVENT_PLAN_MADE : EVENT_TASK_DONE);
	errand->msgid = rpc->msgid;
	errand->task = (uint32_t)done.id;
	errand->ends_lease = true;
	if (is_plan) {
		fill_plan(errand, &done);
	} else {
		errand->event.data.task_done.task = done.id;
		errand->event.data.task_done.token = done.token;
	}
	dispatch_submit(errand, on_answer_kept);
	arena_done(&arena);
}

void dispatch_on_failed(struct worker *worker, const struct rpc *rpc)
{
	const struct state *state = engine_state(worker->dispatch->core->engine);
	struct arena arena = {0};
	struct worker_failed failed;
	struct errand *errand;

	if (dispatch_decode(worker, rpc, &record_worker_failed, &arena, &failed)) {
		arena_done(&arena);
		return;
	}
	if (is_repeated(state, failed.id, failed.token)) {
		dispatch_end_lease(worker, (uint32_t)failed.id);
		dispatch_accept(worker, rpc->msgid);
		arena_done(&arena);
		return;
	}
	errand = dispatch_new_errand(worker, EVENT_TASK_FAILED);
	errand->msgid = rpc->msgid;
	errand->task = (uint32_t)failed.id;
	errand->ends_lease = true;
	errand->event.data.task_failed.task = failed.id;
	errand->event.data.task_failed.token = failed.token;
	errand->event.data.task_failed.class = failed.class;
	errand->event.data.task_failed.retry_after_ms = failed.retry_after_ms;
	errand->event.data.task_failed.code = arena_copy(&errand->arena, failed.code);
	dispatch_submit(errand, on_answer_kept);
	arena_done(&arena);
}

void dispatch_on_start(struct worker *worker, const struct rpc *rpc)
{
	struct arena arena = {0};
	struct worker_lease lease;
	struct errand *errand;

	if (!dispatch_decode(worker, rpc, &record_worker_lease, &arena, &lease)) {
		errand = dispatch_new_errand(worker, EVENT_TASK_STARTED);
		errand->msgid = rpc->msgid;
		errand->task = (uint32_t)lease.id;
		errand->event.data.task_started.task = lease.id;
		errand->event.data.task_started.token = lease.token;
		dispatch_submit(errand, on_answer_kept);
	}
	arena_done(&arena);
}
