/* The parts of dispatch: what they share, and what each does for the others (dispatch.c says who is
 * there). */
#pragma once

#include "daemon/io/dispatch.h"
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

/* --- one worker: dispatch_worker.c --- */

/* NULL when the worker does not hold it; when nobody does. */
struct lease *dispatch_find_lease(struct worker *worker, uint64_t task);
struct worker *dispatch_find_owner(struct dispatch *dispatch, uint32_t task);
void dispatch_add_lease(struct worker *worker, uint32_t task, uint64_t token);
void dispatch_end_lease(struct worker *worker, uint32_t task);

/* What is submitted is the engine's until its verdict, whose function ends the errand. */
struct errand *dispatch_new_errand(struct worker *worker, enum event_kind kind);
void dispatch_submit(struct errand *errand, verdict_fn *fn);
void dispatch_end_errand(struct errand *errand);
/* Frees one that is gone, once nothing of it is under way. */
void dispatch_release_worker(struct worker *worker);

/* Answers to it; nothing when it is gone. */
void dispatch_refuse(struct worker *worker, uint32_t msgid, const struct fault *fault);
void dispatch_accept(struct worker *worker, uint32_t msgid);
/* Parameters of a request; a mistake in them is answered. */
enum err dispatch_decode(struct worker *worker, const struct rpc *rpc, const struct record *record,
			 struct arena *arena, void *object) must_use;

/* --- tasks out: dispatch_tasks.c --- */

/* Tells the engine that a lease ended without an answer. */
void dispatch_lose(struct worker *worker, uint32_t task, uint64_t token);

/* --- results in: dispatch_results.c --- */

void dispatch_on_start(struct worker *worker, const struct rpc *rpc);
void dispatch_on_done(struct worker *worker, const struct rpc *rpc);
void dispatch_on_failed(struct worker *worker, const struct rpc *rpc);
