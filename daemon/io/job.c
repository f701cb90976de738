#include "daemon/io/job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/io/child.h"
#include "daemon/io/journal.h"
#include "daemon/io/verify.h"

enum {
	PIECE_SIZE = 64 * 1024,
	FEED_SIZE = 512 * 1024, /* sent to a child in one pass of the loop, at most */
	NICENESS = 10,          /* the core comes first */
	RETRY_MS = 1000,
};

/* From the child: the number of the first event it wants, 0 for none, then whether this is an answer or
 * a fault, as JSON up to the end. To the child: turns, each behind its head. Both are the same program:
 * raw bytes. */
enum { IS_ANSWER = 'a', IS_FAULT = 'f' };

struct turn_head {
	uint64_t first;
	uint32_t count, size;
};

/* --- the child -------------------------------------------------------------------------------- */

struct job_feed {
	int fd;
	bool has_asked;
	struct buf record;
};

static bool send_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		at += sent;
		size -= (size_t)sent;
	}
	return true;
}

static bool receive_all(int fd, void *bytes, size_t size)
{
	char *at = bytes;

	while (size) {
		ssize_t got = recv(fd, at, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		size -= (size_t)got;
	}
	return true;
}

static void ask_from(struct job_feed *feed, uint64_t from)
{
	assert(!feed->has_asked);
	feed->has_asked = true;
	if (!send_all(feed->fd, &from, sizeof(from)))
		_exit(EXIT_FAILURE); /* nobody is there any more */
}

/* ERR_CLOSED: the journal has no more. */
static enum err receive_turn(struct job_feed *feed, struct turn_head *head)
{
	if (!receive_all(feed->fd, head, sizeof(*head)))
		return ERR_CLOSED;
	buf_reset(&feed->record);
	if (!receive_all(feed->fd, buf_room(&feed->record, head->size), head->size))
		return ERR_CLOSED;
	return ERR_OK;
}

/* ERR_NOT_FOUND: it goes further than was asked. */
static enum err replay_turn(const struct job_feed *feed, const struct turn_head *head,
			    struct engine *engine, uint64_t last, ms_t until)
{
	struct str record = buf_str(&feed->record), event;
	enum err err = ERR_OK;

	for (uint64_t seq = head->first; seq < head->first + head->count && !err; seq++) {
		if (!journal_next_event(&record, &event))
			return ERR_CORRUPT;
		if (seq <= engine_state(engine)->seq)
			continue; /* in the snapshot already */
		err = seq > last ? ERR_NOT_FOUND : engine_replay_until(engine, event, until);
	}
	return err;
}

enum err job_replay(struct job_feed *feed, struct engine *engine, uint64_t last, ms_t until)
{
	struct turn_head head;
	enum err err = ERR_OK;

	if (engine_state(engine)->seq >= last)
		return ERR_OK;
	ask_from(feed, engine_state(engine)->seq + 1);
	while (!err && engine_state(engine)->seq < last) {
		err = receive_turn(feed, &head);
		if (!err)
			err = replay_turn(feed, &head, engine, last, until);
	}
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* When memory runs out it is the child that goes, not the core. */
static void go_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4); /* a wish: without it nothing else is lost */
	close(fd);
}

static json_t *pack_fault(const struct fault *fault)
{
	return json_pack("{s:i, s:s, s:s}", "code", (int)fault->code, "path", fault->path, "text",
			 fault->text);
}

static bool say(const struct job_feed *feed, char kind, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	assert(text);
	return send_all(feed->fd, &kind, sizeof(kind)) && send_all(feed->fd, text, strlen(text));
}

static _Noreturn void run_child(job_fn *fn, void *context)
{
	struct job_feed feed = {.fd = CHILD_FD};
	struct fault fault = {0};
	json_t *answer = NULL;
	bool is_refused, is_said;

	go_first();
	(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	is_refused = fn(&feed, context, &answer, &fault);
	if (!feed.has_asked)
		ask_from(&feed, 0);
	is_said = is_refused ? say(&feed, IS_FAULT, pack_fault(&fault))
			     : say(&feed, IS_ANSWER, answer);
	_exit(is_said ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* --- the core's side -------------------------------------------------------------------------- */

struct job {
	struct jobs *jobs;
	struct job *next;
	job_end_fn *ended;     /* NULL: nobody wants to know */
	struct rpc_call *call; /* NULL once answered: only the child's end is waited for */
	pid_t child;
	int fd;
	struct watch *readable;
	struct watch *writable;        /* while it is fed */
	struct journal_reader *reader; /* NULL until it has said from where */
	struct buf turn;               /* being sent, up to `sent` */
	size_t sent;
	struct buf said;
};

struct jobs {
	struct core *core;
	struct job *list;
	uint32_t count;
};

static void release(struct job *job)
{
	struct job **at = &job->jobs->list;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	job->jobs->count--;
	watch_free(&job->readable);
	watch_free(&job->writable);
	journal_reader_free(&job->reader);
	close(job->fd);
	buf_done(&job->turn);
	buf_done(&job->said);
	free(job);
}

/* Its place stays taken until the child is gone: the memory is in use so long. */
static void abandon(struct job *job, const struct fault *fault)
{
	kill(job->child, SIGKILL);
	watch_free(&job->writable);
	rpc_refuse(&job->call, fault);
}

/* --- feeding --- */

static enum err load_turn(struct job *job)
{
	struct turn_head head;
	struct str record;
	enum err err = journal_reader_next(job->reader, &head.first, &head.count, &record);

	if (err)
		return err;
	head.size = (uint32_t)record.size;
	buf_reset(&job->turn);
	buf_add(&job->turn, &head, sizeof(head));
	buf_add_str(&job->turn, record);
	job->sent = 0;
	return ERR_OK;
}

static void stop_feeding(struct job *job)
{
	watch_free(&job->writable);
	(void)shutdown(job->fd, SHUT_WR);
}

static void on_journal_end(struct job *job, enum err err)
{
	struct fault fault = {0};

	if (err == ERR_NOT_FOUND) {
		stop_feeding(job);
		return;
	}
	verify_note(job->jobs->core, false);
	(void)fault_set(&fault, ERR_INTERNAL, "", "the journal does not hold from event %llu on",
			(unsigned long long)journal_reader_next_seq(job->reader));
	abandon(job, &fault);
}

/* False when the child takes no more for now. */
static bool send_some(struct job *job, size_t *budget)
{
	ssize_t sent = send(job->fd, job->turn.data + job->sent, job->turn.size - job->sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		stop_feeding(job); /* it has all it wanted */
	if (sent <= 0)
		return false;
	job->sent += (size_t)sent;
	*budget -= (size_t)sent < *budget ? (size_t)sent : *budget;
	return true;
}

static void on_writable(void *context, int fd, bool can_read, bool can_write)
{
	struct job *job = context;
	struct fault fault = {.code = ERR_CLOSED};
	size_t budget = FEED_SIZE;

	(void)fd;
	(void)can_read;
	(void)can_write;
	if (!rpc_is_awaited(job->call)) {
		abandon(job, &fault);
		return;
	}
	while (budget) {
		enum err err = job->sent < job->turn.size ? ERR_OK : load_turn(job);

		if (err)
			on_journal_end(job, err);
		if (err || !send_some(job, &budget))
			return;
	}
}

static void start_feeding(struct job *job)
{
	uint64_t from;

	if (job->reader || job->said.size < sizeof(from))
		return;
	memcpy(&from, job->said.data, sizeof(from));
	job->reader = journal_reader_new(job->jobs->core->journal, from ? from : 1);
	if (from)
		job->writable =
			watch_new(job->jobs->core->loop, job->fd, false, true, on_writable, job);
}

/* --- the answer --- */

static void refuse_with(struct job *job, struct str text)
{
	json_t *said = json_loadb(text.data, text.size, 0, NULL);
	struct fault fault = {0};

	assert(said);
	(void)fault_set(&fault, (enum err)json_integer_value(json_object_get(said, "code")),
			json_string_value(json_object_get(said, "path")), "%s",
			json_string_value(json_object_get(said, "text")));
	rpc_refuse(&job->call, &fault);
	json_decref(said);
}

static void refuse_broken(struct job *job, int status)
{
	struct fault fault = {0};

	log_warn("job.broken", "status=%d", status);
	(void)fault_set(&fault, ERR_INTERNAL, "",
			"the copy of the core that worked on this ended without an answer");
	rpc_refuse(&job->call, &fault);
}

static void tell_ended(const struct job *job, bool is_fault, struct str text)
{
	json_t *answer;

	if (!job->ended)
		return;
	answer = is_fault ? NULL : json_loadb(text.data, text.size, 0, NULL);
	job->ended(job->jobs->core, answer);
	json_decref(answer);
}

/* The child has closed its end, and with it is gone but for its status. What it said is whole when that
 * is 0. */
static void on_end(struct job *job)
{
	size_t head = sizeof(uint64_t);
	bool is_fault = job->said.size > head && job->said.data[head] == IS_FAULT;
	int status = 0;

	(void)waitpid(job->child, &status, 0);
	if (job->call && !status) {
		struct str text = {job->said.data + head + 1, job->said.size - head - 1};

		tell_ended(job, is_fault, text);
		if (is_fault)
			refuse_with(job, text);
		else
			rpc_answer_text(&job->call, text);
	} else if (job->call) {
		refuse_broken(job, status);
	}
	release(job);
}

static void on_readable(void *context, int fd, bool can_read, bool can_write)
{
	struct job *job = context;
	char piece[PIECE_SIZE];
	ssize_t size = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

	(void)can_read;
	(void)can_write;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		on_end(job);
		return;
	}
	buf_add(&job->said, piece, (size_t)size);
	start_feeding(job);
}

/* --- beginning and end --- */

static pid_t fork_child(int pair[2], job_fn *fn, void *context)
{
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	child = child_fork(pair[1]);
	if (!child)
		run_child(fn, context);
	close(pair[1]);
	if (child < 0)
		close(pair[0]);
	return child;
}

static void refuse_busy(struct rpc_call **call, const char *text)
{
	struct fault fault = {0};

	(void)fault_set(&fault, ERR_BUSY, "", "%s", text);
	fault.retry_after_ms = RETRY_MS;
	rpc_refuse(call, &fault);
}

void jobs_begin(struct jobs *jobs, struct rpc_call **call, job_fn *fn, void *context,
		job_end_fn *ended)
{
	struct job *job;
	pid_t child;
	int pair[2];

	if (jobs->count == CONTROL_JOBS_MAX) {
		refuse_busy(call, "other long questions are being worked on; ask again soon");
		return;
	}
	child = fork_child(pair, fn, context);
	if (child < 0) {
		log_warn("job.fork", "errno=%d", errno);
		refuse_busy(call, "the machine has no room for a long question now");
		return;
	}
	job = mem_new(sizeof(*job));
	*job = (struct job){jobs, jobs->list, ended, *call, child, pair[0]};
	job->readable = watch_new(jobs->core->loop, job->fd, true, false, on_readable, job);
	jobs->list = job;
	jobs->count++;
	*call = NULL;
}

struct jobs *jobs_new(struct core *core)
{
	struct jobs *jobs = mem_new(sizeof(*jobs));

	jobs->core = core;
	return jobs;
}

static void stop(struct job *job)
{
	struct fault fault = {0};

	(void)fault_set(&fault, ERR_DRAINING, "", "%s", err_meaning(ERR_DRAINING));
	if (job->call)
		abandon(job, &fault);
	(void)waitpid(job->child, NULL, 0);
	release(job);
}

void jobs_free(struct jobs **jobs)
{
	if (!*jobs)
		return;
	for (struct job *job = (*jobs)->list, *next; job; job = next) {
		next = job->next;
		stop(job);
	}
	free(*jobs);
	*jobs = NULL;
}
