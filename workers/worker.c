#include "workers/worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/peer.h"
#include "proto/rpc.h"
#include "workers/pool.h"

enum {
	CONNECT_FIRST_MS = 100,
	CONNECT_MAX_MS = 5000,
	REPEAT_MS = 1000, /* until an answer that the core would not take just now is said again */
};

/* A task in our hands, from its arrival until the core has confirmed the answer. */
struct job {
	struct pool_item item;    /* must be first: the pool hands it back */
	struct worker_task task;  /* the loop's: token and attempt follow the lease that holds */
	struct worker_task given; /* the handler's: as it came */
	char *body;               /* what both bodies lie in */
	struct worker_answer answer;
	bool is_finished;
	bool is_abandoned; /* nobody waits for it: ends unanswered */
	uint32_t msgid; /* of the unconfirmed `done` or `failed`; 0: not said on this connection */
};

struct worker {
	const struct worker_options *options;
	struct loop *loop;
	struct pool *pool; /* NULL with options->in_loop */
	struct timer *connect_timer, *heartbeat_timer, *repeat_timer, *stop_timer;

	struct peer *peer; /* NULL when there is no connection */
	bool is_lost;      /* nothing is said to it or heard from it: it will be connected anew */
	bool is_stopping;
	uint32_t ready_msgid, last_msgid;
	int64_t heard_at_ms;
	int64_t connect_delay_ms;

	struct job *jobs[WORKER_SLOTS_MAX];
	uint32_t job_count;
	struct buf frame; /* the one being written */
	struct arena arena;
};

static void connect_to_core(void *context);
static void connect_later(struct worker *worker);
static void on_frame(void *context, struct peer *peer, struct str bytes);
static void on_closed(void *context, struct peer *peer);
static void on_heartbeat(void *context);
static void send_frame(struct worker *worker);

static void say_ready(struct worker *worker);
static uint32_t list_leases(const struct worker *worker, struct worker_lease *leases);
static struct worker_lease lease_of(const struct job *job);
static void say_start(struct worker *worker, const struct job *job);
static void say_renew(struct worker *worker);
static void say_answer(struct worker *worker, struct job *job);
static void begin_done(struct worker *worker, const struct job *job);
static void begin_failed(struct worker *worker, const struct job *job);

static void on_answer(struct worker *worker, const struct rpc *rpc);
static void on_ready_answer(struct worker *worker, const struct rpc *rpc);
static void on_job_answer(struct worker *worker, struct job *job, const struct rpc *rpc);
static void on_repeat(void *context);
static void say_unconfirmed(struct worker *worker);

static void on_task(struct worker *worker, const struct rpc *rpc);
static void adopt_lease(struct worker *worker, struct job *job, const struct worker_task *task);
static bool is_same_task(const struct job *job, const struct worker_task *task);
static void abandon_job(struct worker *worker, struct job *job);
static void begin_job(struct worker *worker, const struct worker_task *task);
static void run_job(void *context, struct pool_item *item);
static void on_job_finished(void *context, struct pool_item *item);
static void drop_job(struct worker *worker, struct job *job);
static struct job *find_by_id(struct worker *worker, uint64_t id);
static struct job *find_by_msgid(struct worker *worker, uint32_t msgid);

static void on_stop(void *context);
static void stop_when_idle(struct worker *worker);
static void on_stopped_too_late(void *context);

static const struct peer_handler peer_handler = {.on_frame = on_frame, .on_closed = on_closed};

void worker_fail(struct worker_answer *answer, enum failure failure, const char *code,
		 const char *format, ...)
{
	va_list arguments;

	answer->failure = failure;
	snprintf(answer->code, sizeof(answer->code), "%s", code);
	va_start(arguments, format);
	vsnprintf(answer->text, sizeof(answer->text), format, arguments);
	va_end(arguments);
}

static void worker_init(struct worker *worker, const struct worker_options *options)
{
	*worker = (struct worker){
		.options = options, .is_lost = true, .connect_delay_ms = CONNECT_FIRST_MS};
	worker->loop = loop_new();
	worker->connect_timer = timer_new(worker->loop, connect_to_core, worker);
	worker->heartbeat_timer = timer_new(worker->loop, on_heartbeat, worker);
	worker->repeat_timer = timer_new(worker->loop, on_repeat, worker);
	worker->stop_timer = timer_new(worker->loop, on_stopped_too_late, worker);
	if (!options->in_loop)
		worker->pool =
			pool_new(worker->loop, options->slots, run_job, on_job_finished, worker);
}

static void worker_done(struct worker *worker)
{
	pool_free(&worker->pool);
	while (worker->job_count)
		drop_job(worker, worker->jobs[0]);
	peer_close(&worker->peer);
	timer_free(&worker->connect_timer);
	timer_free(&worker->heartbeat_timer);
	timer_free(&worker->repeat_timer);
	timer_free(&worker->stop_timer);
	loop_free(&worker->loop);
	buf_done(&worker->frame);
	arena_done(&worker->arena);
}

void worker_run(const struct worker_options *options)
{
	struct worker worker;

	assert(options->slots >= 1 && options->slots <= WORKER_SLOTS_MAX);
	worker_init(&worker, options);
	timer_set(worker.connect_timer, 0);
	timer_set(worker.heartbeat_timer, HEARTBEAT_MS);
	loop_run(worker.loop, on_stop, NULL, &worker);
	worker_done(&worker);
}

/* Begins again: gives up the peer that was lost, waits a little, connects. Always called by its
 * timer, never from inside a call of the peer, which may not be closed there. */
static void connect_to_core(void *context)
{
	struct worker *worker = context;
	int fd;

	if (worker->peer) {
		peer_close(&worker->peer);
		connect_later(worker);
		return;
	}
	if (peer_connect(worker->options->socket, &fd) != ERR_OK) {
		connect_later(worker);
		return;
	}
	worker->peer = peer_new(worker->loop, fd, &peer_handler, worker);
	worker->is_lost = false;
	worker->heard_at_ms = clock_boot_ms();
	say_ready(worker);
}

static void connect_later(struct worker *worker)
{
	timer_set(worker->connect_timer, worker->connect_delay_ms);
	worker->connect_delay_ms = min_u64(worker->connect_delay_ms * 2, CONNECT_MAX_MS);
}

static void lose_core(struct worker *worker, const char *why)
{
	if (worker->is_lost)
		return;
	log_warn("worker.core_lost", "why=%s jobs=%u", why, worker->job_count);
	worker->is_lost = true;
	worker->ready_msgid = 0;
	for (uint32_t i = 0; i < worker->job_count; i++)
		worker->jobs[i]->msgid = 0;
	if (worker->peer)
		timer_set(worker->connect_timer, 0);
	else
		connect_later(worker);
}

static void on_closed(void *context, struct peer *peer)
{
	struct worker *worker = context;

	(void)peer;
	worker->peer = NULL; /* its module frees it after this call */
	lose_core(worker, "closed");
}

static void on_heartbeat(void *context)
{
	struct worker *worker = context;
	int64_t silence_ms = clock_boot_ms() - worker->heard_at_ms;

	timer_set(worker->heartbeat_timer, HEARTBEAT_MS);
	if (worker->job_count == 0 && worker->options->on_idle)
		worker->options->on_idle(worker->options->context);
	if (worker->is_lost)
		return;
	if (silence_ms >= (int64_t)HEARTBEAT_MS * HEARTBEATS_MISSED_MAX) {
		lose_core(worker, "silent");
		return;
	}
	rpc_begin_notification(&worker->frame, "heartbeat");
	write_array(&worker->frame, 0);
	send_frame(worker);
	if (worker->job_count)
		say_renew(worker);
}

static void send_frame(struct worker *worker)
{
	peer_send(worker->peer, buf_str(&worker->frame));
	buf_reset(&worker->frame);
}

static uint32_t begin_request(struct worker *worker, const char *method)
{
	worker->last_msgid = worker->last_msgid == UINT32_MAX ? 1 : worker->last_msgid + 1;
	rpc_begin_request(&worker->frame, worker->last_msgid, method);
	return worker->last_msgid;
}

/* What we say: each a request that the core answers. */

static void say_ready(struct worker *worker)
{
	const struct worker_options *options = worker->options;
	struct worker_lease leases[WORKER_SLOTS_MAX];
	struct worker_ready ready;

	record_clear(&record_worker_ready, &ready);
	for (uint32_t kind = 1; kind < TASK_KIND_END; kind++) {
		if (options->kinds & (1u << (kind - 1)))
			ready.kinds.item[ready.kinds.count++] =
				str_from(words_name(&words_task_kind, kind));
	}
	ready.slots = options->slots;
	ready.name = str_from(options->name);
	ready.version = STR(VIGIE_VERSION);
	ready.leases.items = leases;
	ready.leases.count = list_leases(worker, leases);
	worker->ready_msgid = begin_request(worker, "ready");
	write_array(&worker->frame, 1);
	codec_encode(&record_worker_ready, &ready, 0, 0, &worker->frame);
	send_frame(worker);
}

static uint32_t list_leases(const struct worker *worker, struct worker_lease *leases)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < worker->job_count; i++) {
		if (!worker->jobs[i]->is_abandoned)
			leases[count++] = lease_of(worker->jobs[i]);
	}
	return count;
}

static struct worker_lease lease_of(const struct job *job)
{
	return (struct worker_lease){.is_set = true, .id = job->task.id, .token = job->task.token};
}

static void say_start(struct worker *worker, const struct job *job)
{
	struct worker_lease lease = lease_of(job);

	if (worker->is_lost)
		return;
	begin_request(worker, "start");
	write_array(&worker->frame, 1);
	codec_encode(&record_worker_lease, &lease, 0, 0, &worker->frame);
	send_frame(worker);
}

static void say_renew(struct worker *worker)
{
	struct worker_lease leases[WORKER_SLOTS_MAX];
	uint32_t count = list_leases(worker, leases);

	begin_request(worker, "renew");
	write_array(&worker->frame, 1);
	write_array(&worker->frame, count);
	for (uint32_t i = 0; i < count; i++)
		codec_encode(&record_worker_lease, &leases[i], 0, 0, &worker->frame);
	send_frame(worker);
}

static void say_answer(struct worker *worker, struct job *job)
{
	if (worker->is_lost)
		return;
	if (job->answer.failure)
		begin_failed(worker, job);
	else
		begin_done(worker, job);
	job->msgid = worker->last_msgid;
	send_frame(worker);
}

static void begin_done(struct worker *worker, const struct job *job)
{
	struct worker_done done;

	record_clear(&record_worker_done, &done);
	done.id = job->task.id;
	done.token = job->task.token;
	if (job->answer.result.size)
		done.result = buf_str(&job->answer.result);
	begin_request(worker, "done");
	write_array(&worker->frame, 1);
	codec_encode(&record_worker_done, &done, 0, 0, &worker->frame);
}

static void begin_failed(struct worker *worker, const struct job *job)
{
	const struct worker_answer *answer = &job->answer;
	struct worker_failed failed;

	record_clear(&record_worker_failed, &failed);
	failed.id = job->task.id;
	failed.token = job->task.token;
	failed.class = answer->failure;
	if (answer->retry_after_ms)
		failed.retry_after_ms = answer->retry_after_ms;
	failed.code = str_from(answer->code);
	failed.text = str_from(answer->text);
	begin_request(worker, "failed");
	write_array(&worker->frame, 1);
	codec_encode(&record_worker_failed, &failed, 0, 0, &worker->frame);
}

/* What the core says. */

static void on_frame(void *context, struct peer *peer, struct str bytes)
{
	struct worker *worker = context;
	struct fault fault;
	struct rpc rpc;

	(void)peer;
	if (worker->is_lost)
		return;
	worker->heard_at_ms = clock_boot_ms();
	if (rpc_parse(bytes, &rpc, &fault) != ERR_OK)
		lose_core(worker, "bad_frame");
	else if (rpc.type == RPC_ANSWER)
		on_answer(worker, &rpc);
	else if (rpc.type == RPC_NOTIFICATION && str_is(rpc.method, "task"))
		on_task(worker, &rpc);
	/* Anything else, heartbeats among it, only shows that the core is alive. */
}

static void on_answer(struct worker *worker, const struct rpc *rpc)
{
	struct job *job;

	if (rpc->msgid == 0)
		return; /* never used by us */
	if (rpc->msgid == worker->ready_msgid)
		on_ready_answer(worker, rpc);
	else if ((job = find_by_msgid(worker, rpc->msgid)))
		on_job_answer(worker, job, rpc);
	else if (rpc->error.code != ERR_OK)
		log_info("worker.refused", "code=%s", err_name(rpc->error.code)); /* start, renew */
}

static void on_ready_answer(struct worker *worker, const struct rpc *rpc)
{
	if (rpc->error.code != ERR_OK) {
		lose_core(worker, err_name(rpc->error.code));
		return;
	}
	log_info("worker.ready", "jobs=%u", worker->job_count);
	worker->ready_msgid = 0;
	worker->connect_delay_ms = CONNECT_FIRST_MS;
	say_unconfirmed(worker);
}

/* The answer to `done` or `failed`: only a confirmation, or a reason why it will never be taken, lets
 * go of the job. */
static void on_job_answer(struct worker *worker, struct job *job, const struct rpc *rpc)
{
	job->msgid = 0;
	switch (rpc->error.code) {
	case ERR_OK:
		drop_job(worker, job);
		return;
	case ERR_BUSY:
	case ERR_DRAINING:
	case ERR_STORAGE_FULL:
	case ERR_INTERNAL:
		timer_set(worker->repeat_timer, max_u64(rpc->error.retry_after_ms, REPEAT_MS));
		return;
	default:
		log_warn("worker.answer_refused", "task=%llu code=%s",
			 (unsigned long long)job->task.id, err_name(rpc->error.code));
		drop_job(worker, job);
		return;
	}
}

static void on_repeat(void *context)
{
	say_unconfirmed(context);
}

static void say_unconfirmed(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->job_count; i++) {
		struct job *job = worker->jobs[i];

		if (job->is_finished && !job->msgid)
			say_answer(worker, job);
	}
}

/* Jobs: from a task's arrival until its answer is confirmed. */

static void on_task(struct worker *worker, const struct rpc *rpc)
{
	struct worker_task task;
	struct fault fault;
	struct job *job;

	arena_reset(&worker->arena);
	if (rpc_params(rpc, &record_worker_task, &worker->arena, &task, &fault) != ERR_OK) {
		log_error("worker.bad_task", "code=%s", err_name(fault.code));
		lose_core(worker, "bad_task");
		return;
	}
	if (worker->is_stopping)
		return; /* the core gets it back when the connection ends */

	job = find_by_id(worker, task.id);
	if (job && is_same_task(job, &task)) {
		adopt_lease(worker, job, &task);
		return;
	}
	if (job)
		abandon_job(worker, job);
	if (worker->job_count == WORKER_SLOTS_MAX) {
		lose_core(worker, "too_many_tasks");
		return;
	}
	begin_job(worker, &task);
}

/* The same task again under another lease: the core had given us up meanwhile. It runs once, and is
 * answered under the lease that holds now. */
static void adopt_lease(struct worker *worker, struct job *job, const struct worker_task *task)
{
	job->task.token = task->token;
	job->task.attempt = task->attempt;
	say_start(worker, job);
	if (job->is_finished)
		say_answer(worker, job);
}

static bool is_same_task(const struct job *job, const struct worker_task *task)
{
	return job->task.kind == task->kind && str_equal(job->task.body, task->body);
}

/* The core means another task by that number (its journal began anew): nobody waits for this one. */
static void abandon_job(struct worker *worker, struct job *job)
{
	if (job->is_finished)
		drop_job(worker, job);
	else
		job->is_abandoned = true;
}

static void begin_job(struct worker *worker, const struct worker_task *task)
{
	struct job *job = mem_new(sizeof(*job));

	job->task = *task;
	job->body = mem_copy(task->body);
	job->task.body.data = job->body;
	job->given = job->task;
	worker->jobs[worker->job_count++] = job;
	say_start(worker, job);
	if (worker->pool) {
		pool_put(worker->pool, &job->item);
		return;
	}
	run_job(worker, &job->item);
	on_job_finished(worker, &job->item);
}

/* In a thread of the pool: touches only what the loop leaves alone meanwhile. */
static void run_job(void *context, struct pool_item *item)
{
	const struct worker *worker = context;
	struct job *job = (struct job *)item;

	worker->options->handler(worker->options->context, &job->given, &job->answer);
}

static void on_job_finished(void *context, struct pool_item *item)
{
	struct worker *worker = context;
	struct job *job = (struct job *)item;

	job->is_finished = true;
	if (job->is_abandoned)
		drop_job(worker, job);
	else
		say_answer(worker, job);
	stop_when_idle(worker);
}

static void drop_job(struct worker *worker, struct job *job)
{
	for (uint32_t i = 0; i < worker->job_count; i++) {
		if (worker->jobs[i] == job)
			worker->jobs[i] = worker->jobs[--worker->job_count];
	}
	buf_done(&job->answer.result);
	free(job->body);
	free(job);
	stop_when_idle(worker);
}

static struct job *find_by_id(struct worker *worker, uint64_t id)
{
	for (uint32_t i = 0; i < worker->job_count; i++) {
		if (worker->jobs[i]->task.id == id && !worker->jobs[i]->is_abandoned)
			return worker->jobs[i];
	}
	return NULL;
}

static struct job *find_by_msgid(struct worker *worker, uint32_t msgid)
{
	for (uint32_t i = 0; i < worker->job_count; i++) {
		if (worker->jobs[i]->msgid == msgid)
			return worker->jobs[i];
	}
	return NULL;
}

/* The end. */

static void on_stop(void *context)
{
	struct worker *worker = context;

	log_info("worker.stopping", "jobs=%u", worker->job_count);
	worker->is_stopping = true;
	timer_set(worker->stop_timer, WORKER_STOP_MS);
	stop_when_idle(worker);
}

static void stop_when_idle(struct worker *worker)
{
	if (worker->is_stopping && worker->job_count == 0)
		loop_stop(worker->loop);
}

static void on_stopped_too_late(void *context)
{
	struct worker *worker = context;

	log_warn("worker.left_behind", "jobs=%u", worker->job_count);
	_exit(EXIT_SUCCESS);
}
