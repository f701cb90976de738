#include "daemon/io/dispatch_parts.h"

#include "base/log.h"
#include "daemon/handout.h"
#include "daemon/letter.h"

/* --- what a worker is sent -------------------------------------------------------------------- */

static enum err write_body(struct dispatch *dispatch, uint32_t number)
{
	struct core *core = dispatch->core;
	const struct state *state = engine_state(core->engine);
	struct plan_request request;
	struct mail_body mail;
	enum err err = ERR_OK;

	buf_reset(&dispatch->body);
	switch (state->tasks.items[number].kind) {
	case TASK_KIND_PLAN:
		handout_plan(state, &dispatch->arena, &request);
		codec_encode(&record_plan_request, &request, 0, 0, &dispatch->body);
		break;
	case TASK_KIND_MAIL:
		err = letter_write(core->engine, number, &dispatch->arena, &mail);
		if (!err)
			codec_encode(&record_mail_body, &mail, 0, 0, &dispatch->body);
		break;
	}
	arena_reset(&dispatch->arena);
	return err;
}

static void send_task(struct worker *worker, uint32_t number)
{
	struct dispatch *dispatch = worker->dispatch;
	const struct task *task = &engine_state(dispatch->core->engine)->tasks.items[number];
	struct worker_task message;

	record_clear(&record_worker_task, &message);
	message.id = number;
	message.kind = task->kind;
	message.token = task->token;
	message.attempt = task->attempts;
	message.lease_ms = HEARTBEAT_MS * HEARTBEATS_MISSED_MAX;
	message.body = buf_str(&dispatch->body);
	buf_reset(&dispatch->out);
	rpc_begin_notification(&dispatch->out, "task");
	write_array(&dispatch->out, 1);
	codec_encode(&record_worker_task, &message, 0, 0, &dispatch->out);
	peer_send(worker->peer, buf_str(&dispatch->out));
}

/* --- leases that come to nothing -------------------------------------------------------------- */

static void on_lost_kept(void *context, const struct verdict *verdict)
{
	struct errand *errand = context;

	if (verdict->fault.code && verdict->fault.code != ERR_STALE_LEASE)
		log_warn("dispatch.lost", "task=%u code=%s", errand->task,
			 err_name(verdict->fault.code));
	dispatch_end_errand(errand);
}

void dispatch_lose(struct worker *worker, uint32_t task, uint64_t token)
{
	struct errand *errand = dispatch_new_errand(worker, EVENT_TASK_LOST);

	errand->task = task;
	errand->event.data.task_lost.task = task;
	errand->event.data.task_lost.token = token;
	dispatch_submit(errand, on_lost_kept);
}

/* The task cannot be told: nobody to write to any more. */
static void fail_unsendable(struct worker *worker, uint32_t task, uint64_t token, enum err why)
{
	struct errand *errand = dispatch_new_errand(worker, EVENT_TASK_FAILED);

	log_warn("dispatch.unsendable", "task=%u code=%s", task, err_name(why));
	errand->task = task;
	errand->event.data.task_failed.task = task;
	errand->event.data.task_failed.token = token;
	errand->event.data.task_failed.class = FAILURE_NEVER;
	errand->event.data.task_failed.code = why == ERR_ERASED ? STR("erased") : STR("no_address");
	dispatch_submit(errand, on_lost_kept);
}

/* --- handing out ------------------------------------------------------------------------------ */

static void on_leased(void *context, const struct verdict *verdict)
{
	struct errand *errand = context;
	struct worker *worker = errand->worker;
	struct lease *lease = dispatch_find_lease(worker, errand->task);
	enum err err;

	worker->dispatch->asked[errand->task] = false;
	if (verdict->fault.code) {
		dispatch_end_lease(worker, errand->task);
	} else if (!worker->peer || !lease) {
		dispatch_end_lease(worker, errand->task);
		dispatch_lose(worker, errand->task, verdict->seq);
	} else if ((err = write_body(worker->dispatch, errand->task))) {
		dispatch_end_lease(worker, errand->task);
		fail_unsendable(worker, errand->task, verdict->seq, err);
	} else {
		lease->token = verdict->seq;
		send_task(worker, errand->task);
	}
	dispatch_end_errand(errand);
}

static void lease_task(struct worker *worker, uint32_t task)
{
	struct errand *errand = dispatch_new_errand(worker, EVENT_TASK_LEASED);

	errand->task = task;
	errand->event.data.task_leased.task = task;
	worker->dispatch->asked[task] = true;
	dispatch_add_lease(worker, task, 0);
	dispatch_submit(errand, on_leased);
}

static void reserve_asked(struct dispatch *dispatch, uint32_t count)
{
	uint32_t old = dispatch->asked_capacity;

	while (dispatch->asked_capacity < count)
		dispatch->asked = mem_grow(dispatch->asked, mem_next(&dispatch->asked_capacity));
	if (dispatch->asked_capacity > old)
		memset(dispatch->asked + old, 0, dispatch->asked_capacity - old);
}

static void fill_worker(struct dispatch *dispatch, struct worker *worker)
{
	const struct state *state = engine_state(dispatch->core->engine);

	reserve_asked(dispatch, state->tasks.count);

	for (uint32_t kind = 1; kind < TASK_KIND_END; kind++) {
		if (!(worker->kinds & 1u << (kind - 1)))
			continue;
		for (uint32_t task = state->ready[kind].first;
		     task && worker->lease_count < worker->slots;
		     task = state->tasks.items[task].next)
			if (!dispatch->asked[task])
				lease_task(worker, task);
	}
}

void dispatch_wake(struct dispatch *dispatch)
{
	for (struct worker *worker = dispatch->workers; worker; worker = worker->next)
		if (worker->peer && worker->is_ready && !dispatch->core->is_draining)
			fill_worker(dispatch, worker);
}
