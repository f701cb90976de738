#include "daemon/io/dispatch_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

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
	    dispatch_find_owner(worker->dispatch, (uint32_t)lease->id) ||
	    worker->lease_count == WORKER_SLOTS_MAX)
		return;
	dispatch_add_lease(worker, (uint32_t)lease->id, lease->token);
}

static void on_ready(struct worker *worker, const struct rpc *rpc)
{
	struct arena arena = {0};
	struct worker_ready ready;
	scoped(buf_done) struct buf known = {0};
	struct fault fault = {0};
	uint32_t kinds;

	if (dispatch_decode(worker, rpc, &record_worker_ready, &arena, &ready)) {
		arena_done(&arena);
		return;
	}
	if (!read_kinds(&ready.kinds, &kinds)) {
		words_print(&words_task_kind, &known);
		(void)fault_set(&fault, ERR_UNSUPPORTED, "kinds",
				"no task has such a kind; there are: %.*s", (int)known.size,
				known.data);
		dispatch_refuse(worker, rpc->msgid, &fault);
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
	dispatch_accept(worker, rpc->msgid);
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
			dispatch_lose(worker, lease.task, lease.token);
	}
	worker->pending--;
	dispatch_release_worker(worker);
}

static const struct {
	const char *method;
	void (*fn)(struct worker *worker, const struct rpc *rpc);
} methods[] = {
	{"ready", on_ready},
	{"start", dispatch_on_start},
	{"done", dispatch_on_done},
	{"failed", dispatch_on_failed},
};

static void on_request(struct worker *worker, const struct rpc *rpc)
{
	struct fault fault = {0};

	if (str_is(rpc->method, "renew")) {
		dispatch_accept(worker, rpc->msgid); /* being heard is what renews */
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (str_is(rpc->method, methods[i].method)) {
			methods[i].fn(worker, rpc);
			return;
		}
	(void)fault_set(&fault, ERR_UNSUPPORTED, "method",
			"ready, start, renew, done and failed are spoken here");
	dispatch_refuse(worker, rpc->msgid, &fault);
}

static void on_frame(void *context, struct peer *peer, struct str bytes)
{
	struct worker *worker = context;
	struct fault fault = {0};
	struct rpc rpc = {0};

	(void)peer;
	worker->heard_ms = clock_boot_ms();
	if (rpc_parse(bytes, &rpc, &fault))
		dispatch_refuse(worker, rpc.msgid, &fault);
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
	dispatch_release_worker(worker);
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
		if (state->tasks.items[i].state == TASK_STATE_LEASED &&
		    !dispatch_find_owner(dispatch, i))
			dispatch_lose(nobody, i, state->tasks.items[i].token);
	nobody->pending--;
	dispatch_release_worker(nobody);
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
