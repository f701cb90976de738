#include "daemon/io/dispatch_parts.h"

#include <stdlib.h>

/* --- leases ----------------------------------------------------------------------------------- */

struct lease *dispatch_find_lease(struct worker *worker, uint64_t task)
{
	for (uint32_t i = 0; i < worker->lease_count; i++)
		if (worker->leases[i].task == task)
			return &worker->leases[i];
	return NULL;
}

struct worker *dispatch_find_owner(struct dispatch *dispatch, uint32_t task)
{
	for (struct worker *worker = dispatch->workers; worker; worker = worker->next)
		if (dispatch_find_lease(worker, task))
			return worker;
	return NULL;
}

void dispatch_add_lease(struct worker *worker, uint32_t task, uint64_t token)
{
	assert(worker->lease_count < WORKER_SLOTS_MAX);
	worker->leases[worker->lease_count++] = (struct lease){task, token};
}

void dispatch_end_lease(struct worker *worker, uint32_t task)
{
	struct lease *lease = dispatch_find_lease(worker, task);

	if (lease)
		*lease = worker->leases[--worker->lease_count];
}

/* --- errands ---------------------------------------------------------------------------------- */

struct errand *dispatch_new_errand(struct worker *worker, enum event_kind kind)
{
	struct errand *errand = mem_new(sizeof(*errand));

	errand->worker = worker;
	event_clear(&errand->event, kind);
	errand->event.source = STR(CORE_SOURCE);
	errand->event.id = STR("task");
	errand->event.time = engine_now(worker->dispatch->core->engine);
	return errand;
}

void dispatch_submit(struct errand *errand, verdict_fn *fn)
{
	struct core *core = errand->worker->dispatch->core;

	errand->worker->pending++;
	engine_submit(core->engine, AUTHORITY_SYSTEM, &errand->event, fn, errand);
	turns_wake(core->turns);
}

void dispatch_release_worker(struct worker *worker)
{
	struct worker **at = &worker->dispatch->workers;

	if (worker->peer || worker->pending)
		return;
	while (*at != worker)
		at = &(*at)->next;
	*at = worker->next;
	free(worker);
}

void dispatch_end_errand(struct errand *errand)
{
	struct worker *worker = errand->worker;

	arena_done(&errand->arena);
	free(errand);
	worker->pending--;
	dispatch_release_worker(worker);
}

/* --- requests and answers --------------------------------------------------------------------- */

void dispatch_refuse(struct worker *worker, uint32_t msgid, const struct fault *fault)
{
	struct buf *out = &worker->dispatch->out;

	if (!worker->peer)
		return;
	buf_reset(out);
	rpc_error(out, msgid, fault);
	peer_send(worker->peer, buf_str(out));
}

void dispatch_accept(struct worker *worker, uint32_t msgid)
{
	struct buf *out = &worker->dispatch->out;

	if (!worker->peer)
		return;
	buf_reset(out);
	rpc_begin_answer(out, msgid);
	write_map(out, 0);
	peer_send(worker->peer, buf_str(out));
}

enum err dispatch_decode(struct worker *worker, const struct rpc *rpc, const struct record *record,
			 struct arena *arena, void *object)
{
	struct fault fault = {0};
	enum err err = rpc_params(rpc, record, arena, object, &fault);

	if (err)
		dispatch_refuse(worker, rpc->msgid, &fault);
	return err;
}
