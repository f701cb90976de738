/* A worker: takes tasks from the core, runs them, answers. It speaks the workers' protocol of
 * proto/PROTOCOL.md and keeps every answer until the core has confirmed it, also across a restart of
 * the core: the leases it holds are presented in `ready` when it comes back.
 *
 * A program fills in struct worker_options and calls worker_run(). Its handler runs one task to the
 * end and says how it went. Unless `in_loop` is set, each slot has its own thread, so a handler may
 * block (on a mail server, on a disk) while heartbeats and other tasks go on; handlers that share
 * something must then guard it. */
#pragma once

#include "proto/message.h"

/* How long a worker that was asked to stop waits for what it runs. */
enum { WORKER_STOP_MS = 10000 };

struct worker_answer {
	uint32_t failure;        /* enum failure; 0: done */
	uint32_t retry_after_ms; /* 0: the core decides */
	char code[IDENT_SIZE_MAX + 1];
	char text[TEXT_SIZE_MAX + 1];
	struct buf result; /* msgpack, when the kind has one */
};

/* `task` and its body are borrowed until the call returns; `answer` is zeroed: done, no result. */
typedef void worker_fn(void *context, const struct worker_task *task, struct worker_answer *answer);

/* To end a handler: the task failed. Neither code nor text may hold anything personal. */
void worker_fail(struct worker_answer *answer, enum failure failure, const char *code,
		 const char *format, ...) printf_like(4, 5);

struct worker_options {
	const char *socket; /* the core's worker_socket */
	const char *name;   /* for operators: "notify" */
	uint32_t kinds;     /* a set of enum task_kind: bit n-1 for kind n */
	uint32_t slots;     /* tasks at once, 1 … WORKER_SLOTS_MAX */
	bool in_loop;       /* the handler never blocks: run it without threads */
	worker_fn *handler;
	/* Where set: called in the loop at each heartbeat while no task is in hand; must not block. */
	void (*on_idle)(void *context);
	void *context;
};

/* Works until SIGTERM or SIGINT: then takes nothing more, lets what runs end, and returns. What has
 * not ended after WORKER_STOP_MS is left behind: the process exits with status 0 from in here, and
 * the core gives the task to another worker. */
void worker_run(const struct worker_options *options);
