#include "daemon/io/dispatch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/handout.h"
#include "daemon/letter.h"
#include "proto/peer.h"
#include "proto/rpc.h"

#define CORE_SOURCE "urn:vigie:core"

struct lease {
	uint32_t task;
	uint64_t token; /* 0: asked of the engine, not yet durable */
};

/* It outlives its peer while the engine has something of it under way. */
struct worker {
	struct dispatch *dispatch;
	struct peer *peer; /* NULL: gone */
	struct worker *next;
	uint32_t pending; /* events submitted for it */
	int64_t heard_ms; /* boot time */
	bool is_ready;
	char name[IDENT_SIZE_MAX + 1], version[IDENT_SIZE_MAX + 1];
	uint32_t kinds; /* set of enum task_kind */
	uint32_t slots, lease_count;
	struct lease leases[WORKER_SLOTS_MAX];
};

struct dispatch {
	struct core *core;
	struct listener *listener;
	struct worker *workers;
	struct timer *heartbeat, *orphans;
	struct buf out, body;
	struct arena arena;
	bool *asked; /* by task: its lease is asked of the engine, and the task still listed as ready */
	uint32_t asked_capacity;
};

/* An event on its way for a worker: a lease, a start, an answer. */
struct errand {
	struct worker *worker;
	struct arena arena;
	struct event event;
	uint32_t msgid, task;
	bool ends_lease;
};

/* --- leases ----------------------------------------------------------------------------------- */

static struct lease *find_lease(struct worker *worker, uint64_t task)
{
	for (uint32_t i = 0; i < worker->lease_count; i++)
		if (worker->leases[i].task == task)
			return &worker->leases[i];
	return NULL;
}

static struct worker *find_owner(struct dispatch *dispatch, uint32_t task)
{
	for (struct worker *worker = dispatch->workers; worker; worker = worker->next)
		if (find_lease(worker, task))
			return worker;
	return NULL;
}

static void add_lease(struct worker *worker, uint32_t task, uint64_t token)
{
	assert(worker->lease_count < WORKER_SLOTS_MAX);
	worker->leases[worker->lease_count++] = (struct lease){task, token};
}

static void end_lease(struct worker *worker, uint32_t task)
{
	struct lease *lease = find_lease(worker, task);

	if (lease)
		*lease = worker->leases[--worker->lease_count];
}

/* --- errands ---------------------------------------------------------------------------------- */

static struct errand *new_errand(struct worker *worker, enum event_kind kind)
{
	struct errand *errand = mem_new(sizeof(*errand));

	errand->worker = worker;
	event_clear(&errand->event, kind);
	errand->event.source = STR(CORE_SOURCE);
	errand->event.id = STR("task");
	errand->event.time = engine_now(worker->dispatch->core->engine);
	return errand;
}

static void submit(struct errand *errand, verdict_fn *fn)
{
	struct core *core = errand->worker->dispatch->core;

	errand->worker->pending++;
	engine_submit(core->engine, AUTHORITY_SYSTEM, &errand->event, fn, errand);
	turns_wake(core->turns);
}

static void release_worker(struct worker *worker)
{
	struct worker **at = &worker->dispatch->workers;

	if (worker->peer || worker->pending)
		return;
	while (*at != worker)
		at = &(*at)->next;
	*at = worker->next;
	free(worker);
}

static void end_errand(struct errand *errand)
{
	struct worker *worker = errand->worker;

	arena_done(&errand->arena);
	free(errand);
	worker->pending--;
	release_worker(worker);
}

/* --- answers to a worker ---------------------------------------------------------------------- */

static void refuse(struct worker *worker, uint32_t msgid, const struct fault *fault)
{
	struct buf *out = &worker->dispatch->out;

	if (!worker->peer)
		return;
	buf_reset(out);
	rpc_error(out, msgid, fault);
	peer_send(worker->peer, buf_str(out));
}

static void accept(struct worker *worker, uint32_t msgid)
{
	struct buf *out = &worker->dispatch->out;

	if (!worker->peer)
		return;
	buf_reset(out);
	rpc_begin_answer(out, msgid);
	write_map(out, 0);
	peer_send(worker->peer, buf_str(out));
}

static void on_answer_kept(void *context, const struct verdict *verdict)
{
	struct errand *errand = context;
	struct worker *worker = errand->worker;

	if (errand->ends_lease)
		end_lease(worker, errand->task);
	if (verdict->fault.code)
		refuse(worker, errand->msgid, &verdict->fault);
	else
		accept(worker, errand->msgid);
	end_errand(errand);
}

/* --- tasks out -------------------------------------------------------------------------------- */

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

static void on_lost_kept(void *context, const struct verdict *verdict)
{
	struct errand *errand = context;

	if (verdict->fault.code && verdict->fault.code != ERR_STALE_LEASE)
		log_warn("dispatch.lost", "task=%u code=%s", errand->task,
			 err_name(verdict->fault.code));
	end_errand(errand);
}

static void lose(struct worker *worker, uint32_t task, uint64_t token)
{
	struct errand *errand = new_errand(worker, EVENT_TASK_LOST);

	errand->task = task;
	errand->event.data.task_lost.task = task;
	errand->event.data.task_lost.token = token;
	submit(errand, on_lost_kept);
}

/* The task cannot be told: nobody to write to any more. */
static void fail_unsendable(struct worker *worker, uint32_t task, uint64_t token, enum err why)
{
	struct errand *errand = new_errand(worker, EVENT_TASK_FAILED);

	log_warn("dispatch.unsendable", "task=%u code=%s", task, err_name(why));
	errand->task = task;
	errand->event.data.task_failed.task = task;
	errand->event.data.task_failed.token = token;
	errand->event.data.task_failed.class = FAILURE_NEVER;
	errand->event.data.task_failed.code = why == ERR_ERASED ? STR("erased") : STR("no_address");
	submit(errand, on_lost_kept);
}

static void on_leased(void *context, const struct verdict *verdict)
{
	struct errand *errand = context;
	struct worker *worker = errand->worker;
	struct lease *lease = find_lease(worker, errand->task);
	enum err err;

	worker->dispatch->asked[errand->task] = false;
	if (verdict->fault.code) {
		end_lease(worker, errand->task);
	} else if (!worker->peer || !lease) {
		end_lease(worker, errand->task);
		lose(worker, errand->task, verdict->seq);
	} else if ((err = write_body(worker->dispatch, errand->task))) {
		end_lease(worker, errand->task);
		fail_unsendable(worker, errand->task, verdict->seq, err);
	} else {
		lease->token = verdict->seq;
		send_task(worker, errand->task);
	}
	end_errand(errand);
}

static void lease_task(struct worker *worker, uint32_t task)
{
	struct errand *errand = new_errand(worker, EVENT_TASK_LEASED);

	errand->task = task;
	errand->event.data.task_leased.task = task;
	worker->dispatch->asked[task] = true;
	add_lease(worker, task, 0);
	submit(errand, on_leased);
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

/* --- results in ------------------------------------------------------------------------------- */

/* A worker repeats its answer until it hears that it was kept. */
static bool is_repeated(const struct state *state, uint64_t task, uint64_t token)
{
	return task < state->tasks.count && state->tasks.items[task].token == token &&
	       state->tasks.items[task].state != TASK_STATE_LEASED;
}

static enum err decode(struct worker *worker, const struct rpc *rpc, const struct record *record,
		       struct arena *arena, void *object)
{
	struct fault fault = {0};
	enum err err = rpc_params(rpc, record, arena, object, &fault);

	if (err)
		refuse(worker, rpc->msgid, &fault);
	return err;
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

static void on_done(struct worker *worker, const struct rpc *rpc)
{
	const struct state *state = engine_state(worker->dispatch->core->engine);
	struct arena arena = {0};
	struct worker_done done;
	struct errand *errand;
	bool is_plan;

	if (decode(worker, rpc, &record_worker_done, &arena, &done)) {
		arena_done(&arena);
		return;
	}
	if (is_repeated(state, done.id, done.token)) {
		end_lease(worker, (uint32_t)done.id);
		accept(worker, rpc->msgid);
		arena_done(&arena);
		return;
	}
	is_plan =
		done.id < state->tasks.count && state->tasks.items[done.id].kind == TASK_KIND_PLAN;
	errand = new_errand(worker, is_plan ? EVENT_PLAN_MADE : EVENT_TASK_DONE);
	errand->msgid = rpc->msgid;
	errand->task = (uint32_t)done.id;
	errand->ends_lease = true;
	if (is_plan) {
		fill_plan(errand, &done);
	} else {
		errand->event.data.task_done.task = done.id;
		errand->event.data.task_done.token = done.token;
	}
	submit(errand, on_answer_kept);
	arena_done(&arena);
}

static void on_failed(struct worker *worker, const struct rpc *rpc)
{
	const struct state *state = engine_state(worker->dispatch->core->engine);
	struct arena arena = {0};
	struct worker_failed failed;
	struct errand *errand;

	if (decode(worker, rpc, &record_worker_failed, &arena, &failed)) {
		arena_done(&arena);
		return;
	}
	if (is_repeated(state, failed.id, failed.token)) {
		end_lease(worker, (uint32_t)failed.id);
		accept(worker, rpc->msgid);
		arena_done(&arena);
		return;
	}
	errand = new_errand(worker, EVENT_TASK_FAILED);
	errand->msgid = rpc->msgid;
	errand->task = (uint32_t)failed.id;
	errand->ends_lease = true;
	errand->event.data.task_failed.task = failed.id;
	errand->event.data.task_failed.token = failed.token;
	errand->event.data.task_failed.class = failed.class;
	errand->event.data.task_failed.retry_after_ms = failed.retry_after_ms;
	errand->event.data.task_failed.code = arena_copy(&errand->arena, failed.code);
	submit(errand, on_answer_kept);
	arena_done(&arena);
}

static void on_start(struct worker *worker, const struct rpc *rpc)
{
	struct arena arena = {0};
	struct worker_lease lease;
	struct errand *errand;

	if (!decode(worker, rpc, &record_worker_lease, &arena, &lease)) {
		errand = new_errand(worker, EVENT_TASK_STARTED);
		errand->msgid = rpc->msgid;
		errand->task = (uint32_t)lease.id;
		errand->event.data.task_started.task = lease.id;
		errand->event.data.task_started.token = lease.token;
		submit(errand, on_answer_kept);
	}
	arena_done(&arena);
}

/* --- presence --------------------------------------------------------------------------------- */

static void keep_text(char *to, struct str text)
{
	snprintf(to, IDENT_SIZE_MAX + 1, "%.*s", (int)text.size, text.data);
}

static bool read_kinds(const struct texts *names, uint32_t *kinds)
{
	*kinds = 0;
	for (uint32_t i = 0; i < names->count; i++) {
		uint32_t kind = words_find(&words_task_kind, names->item[i]);

		if (!kind)
			return false;
		*kinds |= 1u << (kind - 1);
	}
	return true;
}

/* A lease presented is taken up again when it is still the task's own. */
static void adopt(struct worker *worker, const struct worker_lease *lease)
{
	const struct state *state = engine_state(worker->dispatch->core->engine);

	if (lease->id >= state->tasks.count ||
	    state->tasks.items[lease->id].state != TASK_STATE_LEASED ||
	    state->tasks.items[lease->id].token != lease->token ||
	    find_owner(worker->dispatch, (uint32_t)lease->id) ||
	    worker->lease_count == WORKER_SLOTS_MAX)
		return;
	add_lease(worker, (uint32_t)lease->id, lease->token);
}

static void on_ready(struct worker *worker, const struct rpc *rpc)
{
	struct arena arena = {0};
	struct worker_ready ready;
	scoped(buf_done) struct buf known = {0};
	struct fault fault = {0};
	uint32_t kinds;

	if (decode(worker, rpc, &record_worker_ready, &arena, &ready)) {
		arena_done(&arena);
		return;
	}
	if (!read_kinds(&ready.kinds, &kinds)) {
		words_print(&words_task_kind, &known);
		(void)fault_set(&fault, ERR_UNSUPPORTED, "kinds",
				"no task has such a kind; there are: %.*s", (int)known.size,
				known.data);
		refuse(worker, rpc->msgid, &fault);
		arena_done(&arena);
		return;
	}
	worker->kinds = kinds;
	worker->slots = (uint32_t)ready.slots;
	keep_text(worker->name, ready.name);
	keep_text(worker->version, ready.version);
	for (uint32_t i = 0; i < ready.leases.count; i++)
		adopt(worker, list_at(&ready.leases, struct worker_lease, i));
	worker->is_ready = true;
	log_info("dispatch.worker", "kinds=%#x slots=%u leases=%u", kinds, worker->slots,
		 worker->lease_count);
	accept(worker, rpc->msgid);
	arena_done(&arena);
	dispatch_wake(worker->dispatch);
}

/* Its tasks are given to others. */
static void on_gone(struct worker *worker)
{
	worker->peer = NULL;
	worker->pending++; /* keeps it while its leases end */
	while (worker->lease_count) {
		struct lease lease = worker->leases[--worker->lease_count];

		if (lease.token)
			lose(worker, lease.task, lease.token);
	}
	worker->pending--;
	release_worker(worker);
}

static const struct {
	const char *method;
	void (*fn)(struct worker *worker, const struct rpc *rpc);
} methods[] = {
	{"ready", on_ready},
	{"start", on_start},
	{"done", on_done},
	{"failed", on_failed},
};

static void on_request(struct worker *worker, const struct rpc *rpc)
{
	struct fault fault = {0};

	if (str_is(rpc->method, "renew")) {
		accept(worker, rpc->msgid); /* being heard is what renews */
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (str_is(rpc->method, methods[i].method)) {
			methods[i].fn(worker, rpc);
			return;
		}
	(void)fault_set(&fault, ERR_UNSUPPORTED, "method",
			"ready, start, renew, done and failed are spoken here");
	refuse(worker, rpc->msgid, &fault);
}

static void on_frame(void *context, struct peer *peer, struct str bytes)
{
	struct worker *worker = context;
	struct fault fault = {0};
	struct rpc rpc = {0};

	(void)peer;
	worker->heard_ms = clock_boot_ms();
	if (rpc_parse(bytes, &rpc, &fault))
		refuse(worker, rpc.msgid, &fault);
	else if (rpc.type == RPC_REQUEST)
		on_request(worker, &rpc);
}

static void on_closed(void *context, struct peer *peer)
{
	struct worker *worker = context;

	(void)peer;
	log_info("dispatch.worker_gone", "leases=%u", worker->lease_count);
	on_gone(worker);
}

static uint32_t count_workers(const struct dispatch *dispatch)
{
	uint32_t count = 0;

	for (const struct worker *worker = dispatch->workers; worker; worker = worker->next)
		count += worker->peer != NULL;
	return count;
}

static void on_connect(void *context, int fd)
{
	static const struct peer_handler handler = {on_frame, NULL, on_closed};
	struct dispatch *dispatch = context;
	struct worker *worker = mem_new(sizeof(*worker));

	worker->dispatch = dispatch;
	worker->heard_ms = clock_boot_ms();
	worker->peer = peer_new(dispatch->core->loop, fd, &handler, worker);
	worker->next = dispatch->workers;
	dispatch->workers = worker;
	if (count_workers(dispatch) <= WORKER_COUNT_MAX)
		return;
	log_warn("dispatch.too_many", "workers=%u", count_workers(dispatch));
	peer_close(&worker->peer);
	release_worker(worker);
}

/* --- time ------------------------------------------------------------------------------------- */

static void send_heartbeat(struct worker *worker)
{
	struct buf *out = &worker->dispatch->out;

	buf_reset(out);
	rpc_begin_notification(out, "heartbeat");
	write_array(out, 0);
	peer_send(worker->peer, buf_str(out));
}

static void on_heartbeat(void *context)
{
	struct dispatch *dispatch = context;
	int64_t now = clock_boot_ms();

	for (struct worker *worker = dispatch->workers, *next; worker; worker = next) {
		next = worker->next;
		if (!worker->peer)
			continue;
		if (now - worker->heard_ms < HEARTBEAT_MS * HEARTBEATS_MISSED_MAX) {
			send_heartbeat(worker);
			continue;
		}
		log_warn("dispatch.worker_silent", "leases=%u", worker->lease_count);
		peer_close(&worker->peer);
		on_gone(worker);
	}
	timer_set(dispatch->heartbeat, HEARTBEAT_MS);
}

/* Leases from before this start that nobody presented: a worker that never was takes them to the
 * engine, so that they end like any other. */
static void on_orphans(void *context)
{
	struct dispatch *dispatch = context;
	const struct state *state = engine_state(dispatch->core->engine);
	struct worker *nobody = mem_new(sizeof(*nobody));

	nobody->dispatch = dispatch;
	nobody->next = dispatch->workers;
	dispatch->workers = nobody;
	nobody->pending++;
	for (uint32_t i = 1; i < state->tasks.count; i++)
		if (state->tasks.items[i].state == TASK_STATE_LEASED && !find_owner(dispatch, i))
			lose(nobody, i, state->tasks.items[i].token);
	nobody->pending--;
	release_worker(nobody);
}

/* --- the whole -------------------------------------------------------------------------------- */

json_t *dispatch_view(const struct dispatch *dispatch)
{
	json_t *list = json_array();

	for (const struct worker *worker = dispatch->workers; worker; worker = worker->next) {
		json_t *kinds = json_array();

		if (worker->peer && worker->is_ready) {
			for (uint32_t kind = 1; kind < TASK_KIND_END; kind++)
				if (worker->kinds & 1u << (kind - 1))
					json_array_append_new(
						kinds,
						json_string(words_name(&words_task_kind, kind)));
			json_array_append_new(list,
					      json_pack("{s:s, s:s, s:O, s:i, s:i, s:i}", "name",
							worker->name, "version", worker->version,
							"kinds", kinds, "slots", (int)worker->slots,
							"busy", (int)worker->lease_count, "uid",
							(int)peer_uid(worker->peer)));
		}
		json_decref(kinds);
	}
	return list;
}

enum err dispatch_open(struct core *core, struct dispatch **opened)
{
	struct dispatch *dispatch = mem_new(sizeof(*dispatch));
	enum err err;

	dispatch->core = core;
	err = listener_open(core->loop, core->config->worker_socket, 0660, on_connect, dispatch,
			    &dispatch->listener);
	if (err) {
		free(dispatch);
		return err;
	}
	dispatch->heartbeat = timer_new(core->loop, on_heartbeat, dispatch);
	dispatch->orphans = timer_new(core->loop, on_orphans, dispatch);
	timer_set(dispatch->heartbeat, HEARTBEAT_MS);
	timer_set(dispatch->orphans, LEASE_PRESENT_MS);
	*opened = dispatch;
	return ERR_OK;
}

void dispatch_close(struct dispatch **dispatch)
{
	struct dispatch *old = *dispatch;

	if (!old)
		return;
	listener_close(&old->listener);
	timer_free(&old->heartbeat);
	timer_free(&old->orphans);
	for (struct worker *worker = old->workers, *next; worker; worker = next) {
		next = worker->next;
		peer_close(&worker->peer);
		free(worker);
	}
	buf_done(&old->out);
	buf_done(&old->body);
	free(old->asked);
	arena_done(&old->arena);
	free(old);
	*dispatch = NULL;
}
