#include "tools/feed/publisher.h"

#include <stdlib.h>

#include <zmq.h>

#include "proto/loop.h"
#include "proto/rpc.h"
#include "tools/feed/waiting.h"

enum {
	IN_FLIGHT_MAX = 4,             /* requests: enough to keep the core's disk busy */
	REQUEST_SIZE_MAX = 768 * 1024, /* four of them stay below what a sender may have inside */
	RESEND_FIRST_MS = 5000,
	RESEND_MAX_MS = 30000,
	RETRY_FIRST_MS = 100, /* where the core does not say when to come back */
	RETRY_MAX_MS = 30000,
	FRAME_HEAD_SIZE_MAX = 64,
};

_Static_assert(REQUEST_SIZE_MAX + FRAME_HEAD_SIZE_MAX < FRAME_SIZE_MAX, "a request is one frame");
_Static_assert(IN_FLIGHT_MAX *REQUEST_SIZE_MAX < SENDER_INFLIGHT_SIZE_MAX, "all fit in the core");

struct piece {
	size_t offset, size; /* in the request's events */
	struct place place;
};

/* filling → due → sent → free; sent → due when it has to be said again. */
enum request_state { REQUEST_FREE, REQUEST_FILLING, REQUEST_DUE, REQUEST_SENT };

struct request {
	enum request_state state;
	uint32_t msgid;
	uint32_t tries;
	int64_t at_ms; /* due: when to send; sent: when it was sent */
	struct buf events;
	struct piece *pieces;
	uint32_t count, capacity;
};

struct publisher {
	struct publisher_setup setup;
	publisher_answer_fn *on_answer;
	void *context;
	void *zmq, *socket;
	struct request requests[IN_FLIGHT_MAX + 1]; /* one of them may be filling */
	uint32_t last_msgid;
	int64_t resend_ms;
	int64_t heard_ms;       /* when something useful was heard, or waiting began */
	struct waiting waiting; /* for results: a core that is busy for long is told of too */
	struct fault fault;
};

/* --- the socket --- */

static bool set_text(void *socket, int option, const char *text)
{
	return zmq_setsockopt(socket, option, text, strlen(text)) == 0;
}

static bool set_curve(const struct publisher_setup *setup, void *socket)
{
	char public_key[41];

	if (!setup->server_key)
		return true;
	return zmq_curve_public(public_key, setup->secret_key) == 0 &&
	       set_text(socket, ZMQ_CURVE_SERVERKEY, setup->server_key) &&
	       set_text(socket, ZMQ_CURVE_PUBLICKEY, public_key) &&
	       set_text(socket, ZMQ_CURVE_SECRETKEY, setup->secret_key);
}

static enum err socket_open(struct publisher *publisher)
{
	int linger = 0, reconnect_max_ms = 2000;

	publisher->socket = zmq_socket(publisher->zmq, ZMQ_DEALER);
	assert(publisher->socket);
	zmq_setsockopt(publisher->socket, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(publisher->socket, ZMQ_RECONNECT_IVL_MAX, &reconnect_max_ms,
		       sizeof(reconnect_max_ms));
	if (!set_curve(&publisher->setup, publisher->socket))
		return fault_set(&publisher->fault, ERR_USAGE, "", "a key cannot be used");
	if (zmq_connect(publisher->socket, publisher->setup.endpoint) != 0)
		return fault_set(&publisher->fault, ERR_USAGE, "", "no endpoint: %s: %s",
				 publisher->setup.endpoint, zmq_strerror(zmq_errno()));
	return ERR_OK;
}

struct publisher *publisher_new(const struct publisher_setup *setup, publisher_answer_fn *on_answer,
				void *context, struct fault *fault)
{
	struct publisher *publisher = mem_new(sizeof(*publisher));

	*publisher = (struct publisher){
		.setup = *setup,
		.on_answer = on_answer,
		.context = context,
		.zmq = zmq_ctx_new(),
		.resend_ms = RESEND_FIRST_MS,
	};
	if (socket_open(publisher)) {
		*fault = publisher->fault;
		publisher_free(&publisher);
	}
	return publisher;
}

void publisher_free(struct publisher **publisher)
{
	if (!*publisher)
		return;
	zmq_close((*publisher)->socket);
	zmq_ctx_term((*publisher)->zmq);
	for (uint32_t i = 0; i < ARRAY_SIZE((*publisher)->requests); i++) {
		buf_done(&(*publisher)->requests[i].events);
		free((*publisher)->requests[i].pieces);
	}
	free(*publisher);
	*publisher = NULL;
}

const struct fault *publisher_fault(const struct publisher *publisher)
{
	return &publisher->fault;
}

/* --- requests --- */

static struct request *request_find(struct publisher *publisher, enum request_state state)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(publisher->requests); i++)
		if (publisher->requests[i].state == state)
			return &publisher->requests[i];
	return NULL;
}

static uint32_t requests_waiting(const struct publisher *publisher)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(publisher->requests); i++)
		count += publisher->requests[i].state >= REQUEST_DUE;
	return count;
}

static void request_free(struct request *request)
{
	request->state = REQUEST_FREE;
	request->count = 0;
	request->tries = 0;
	buf_reset(&request->events);
}

static void request_put_off(struct request *request, int64_t delay_ms)
{
	request->state = REQUEST_DUE;
	request->at_ms = clock_boot_ms() + delay_ms;
}

/* The pipe is never full with so few requests in flight; if it is, a little later will do. */
static void request_send(struct publisher *publisher, struct request *request)
{
	struct buf frame = {0};

	request->msgid = ++publisher->last_msgid;
	rpc_begin_request(&frame, request->msgid, "publish");
	write_array(&frame, 1);
	write_array(&frame, request->count);
	buf_add_str(&frame, buf_str(&request->events));
	if (zmq_send(publisher->socket, frame.data, frame.size, ZMQ_DONTWAIT) < 0) {
		request_put_off(request, RETRY_FIRST_MS);
	} else {
		request->state = REQUEST_SENT;
		request->at_ms = clock_boot_ms();
	}
	buf_done(&frame);
}

static void send_due(struct publisher *publisher)
{
	int64_t now = clock_boot_ms();

	for (uint32_t i = 0; i < ARRAY_SIZE(publisher->requests); i++) {
		struct request *request = &publisher->requests[i];

		if (request->state == REQUEST_DUE && request->at_ms <= now)
			request_send(publisher, request);
	}
}

static void request_close(struct publisher *publisher)
{
	struct request *filling = request_find(publisher, REQUEST_FILLING);

	if (!filling)
		return;
	if (requests_waiting(publisher) == 0) {
		publisher->heard_ms = clock_boot_ms();
		waiting_begin(&publisher->waiting);
	}
	request_put_off(filling, 0);
}

/* --- answers --- */

static bool is_passing(enum err code)
{
	return code == ERR_BUSY || code == ERR_DRAINING || code == ERR_STORAGE_FULL ||
	       code == ERR_INTERNAL;
}

/* About one event, internal is final: the core has given it up. */
static bool is_passing_for_event(enum err code)
{
	return is_passing(code) && code != ERR_INTERNAL;
}

static int64_t retry_delay(const struct request *request, const struct fault *fault)
{
	uint32_t doublings = request->tries < 8 ? request->tries : 8;

	if (fault->retry_after_ms > 0)
		return (int64_t)min_u64(fault->retry_after_ms, RETRY_MAX_MS);
	return (int64_t)min_u64((uint64_t)RETRY_FIRST_MS << doublings, RETRY_MAX_MS);
}

static void heard(struct publisher *publisher)
{
	publisher->heard_ms = clock_boot_ms();
	publisher->resend_ms = RESEND_FIRST_MS;
}

/* A core that is busy is there; one that drains or has no room may never be useful again. */
static void put_off_for(struct publisher *publisher, struct request *request,
			const struct fault *fault)
{
	if (fault->code == ERR_BUSY)
		heard(publisher);
	publisher->fault = *fault;
	request_put_off(request, retry_delay(request, fault));
	request->tries++;
}

static bool read_number(struct reader *reader, uint32_t *number)
{
	uint64_t value;

	if (!read_uint(reader, &value))
		return false;
	*number = (uint32_t)min_u64(value, UINT32_MAX);
	return true;
}

static bool read_error_member(struct reader *reader, struct str name, struct fault *fault)
{
	struct str text;

	if (str_is(name, "retry_after_ms"))
		return read_number(reader, &fault->retry_after_ms);
	if (!str_is(name, "code") && !str_is(name, "path") && !str_is(name, "text"))
		return read_skip(reader, &text);
	if (!read_str(reader, &text))
		return false;
	if (str_is(name, "code"))
		fault->code = err_from_name(text.data, text.size);
	else if (str_is(name, "path"))
		snprintf(fault->path, sizeof(fault->path), "%.*s", (int)text.size, text.data);
	else
		snprintf(fault->text, sizeof(fault->text), "%.*s", (int)text.size, text.data);
	return true;
}

/* A code of a later version is a refusal all the same. */
static bool read_error(struct reader *reader, struct fault *fault)
{
	uint32_t count;
	struct str name;

	*fault = (struct fault){.code = ERR_BAD_REQUEST};
	if (!read_map(reader, &count))
		return false;
	while (count-- > 0)
		if (!read_str(reader, &name) || !read_error_member(reader, name, fault))
			return false;
	if (fault->code == ERR_OK || fault->code == ERR_COUNT)
		fault->code = ERR_BAD_REQUEST;
	return true;
}

static bool read_result(struct reader *reader, enum answer_kind *kind, struct fault *fault)
{
	uint32_t count;
	struct str name, skipped;
	bool is_duplicate = false, is_well = true;

	*kind = ANSWER_TAKEN;
	if (!read_map(reader, &count))
		return false;
	while (count-- > 0 && is_well) {
		is_well = read_str(reader, &name);
		if (is_well && str_is(name, "error")) {
			*kind = ANSWER_REFUSED;
			is_well = read_error(reader, fault);
		} else if (is_well && str_is(name, "duplicate")) {
			is_well = read_bool(reader, &is_duplicate);
		} else if (is_well) {
			is_well = read_skip(reader, &skipped);
		}
	}
	if (is_duplicate && *kind == ANSWER_TAKEN)
		*kind = ANSWER_DUPLICATE;
	return is_well;
}

/* Leaves only the marked pieces, at the front, in their order. */
static void request_keep(struct request *request, const bool *is_kept)
{
	struct buf events = {0};
	uint32_t kept = 0;

	for (uint32_t i = 0; i < request->count; i++) {
		struct piece piece = request->pieces[i];

		if (!is_kept[i])
			continue;
		request->pieces[kept++] = (struct piece){events.size, piece.size, piece.place};
		buf_add(&events, request->events.data + piece.offset, piece.size);
	}
	request->count = kept;
	buf_done(&request->events);
	request->events = events;
}

/* The results are read a first time to see that they are whole: half an answer is none. */
static bool results_are_whole(const struct request *request, struct str results)
{
	struct reader reader = reader_from(results);
	enum answer_kind kind;
	struct fault fault;
	uint32_t count;

	if (!read_array(&reader, &count) || count != request->count)
		return false;
	while (count-- > 0)
		if (!read_result(&reader, &kind, &fault))
			return false;
	return true;
}

static void on_results(struct publisher *publisher, struct request *request, struct str results)
{
	bool is_kept[REQUEST_EVENTS_MAX] = {false};
	struct reader reader = reader_from(results);
	struct fault fault, passing = {0};
	enum answer_kind kind;
	uint32_t count;
	bool is_read = read_array(&reader, &count);

	for (uint32_t i = 0; i < request->count; i++) {
		is_read = is_read && read_result(&reader, &kind, &fault);
		assert(is_read);
		is_kept[i] = kind == ANSWER_REFUSED && is_passing_for_event(fault.code);
		if (is_kept[i])
			passing = fault;
		else
			publisher->on_answer(publisher->context, request->pieces[i].place, kind,
					     &fault);
	}
	if (!passing.code) {
		request_free(request);
		heard(publisher);
		waiting_begin(&publisher->waiting);
		publisher->fault = (struct fault){0};
		return;
	}
	request_keep(request, is_kept);
	put_off_for(publisher, request, &passing);
}

static struct request *request_answered(struct publisher *publisher, uint32_t msgid)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(publisher->requests); i++)
		if (publisher->requests[i].state == REQUEST_SENT &&
		    publisher->requests[i].msgid == msgid)
			return &publisher->requests[i];
	return NULL;
}

/* An answer to what was said before a new try finds no request: the new try's answer will come. */
static enum err on_frame(struct publisher *publisher, struct str bytes)
{
	struct request *request;
	struct fault fault;
	struct rpc rpc;

	if (rpc_parse(bytes, &rpc, &fault) || rpc.type != RPC_ANSWER)
		return ERR_OK;
	request = request_answered(publisher, rpc.msgid);
	if (!request)
		return ERR_OK;
	if (is_passing(rpc.error.code)) {
		put_off_for(publisher, request, &rpc.error);
		return ERR_OK;
	}
	if (rpc.error.code) {
		publisher->fault = rpc.error;
		return rpc.error.code;
	}
	if (!results_are_whole(request, rpc.result))
		return fault_set(&publisher->fault, ERR_BAD_FRAME, "",
				 "the answer holds no result for each event");
	on_results(publisher, request, rpc.result);
	return ERR_OK;
}

static bool has_more(void *socket)
{
	int more = 0;
	size_t size = sizeof(more);

	return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more;
}

/* An empty delimiter may stand before the payload: it is no frame of ours. */
static enum err receive_all(struct publisher *publisher)
{
	enum err err = ERR_OK;
	zmq_msg_t message;

	zmq_msg_init(&message);
	while (!err && zmq_msg_recv(&message, publisher->socket, ZMQ_DONTWAIT) >= 0)
		if (!has_more(publisher->socket))
			err = on_frame(publisher, (struct str){zmq_msg_data(&message),
							       zmq_msg_size(&message)});
	zmq_msg_close(&message);
	return err;
}

/* --- waiting --- */

static int64_t oldest_sent_ms(const struct publisher *publisher)
{
	int64_t oldest = INT64_MAX;

	for (uint32_t i = 0; i < ARRAY_SIZE(publisher->requests); i++)
		if (publisher->requests[i].state == REQUEST_SENT &&
		    publisher->requests[i].at_ms < oldest)
			oldest = publisher->requests[i].at_ms;
	return oldest;
}

/* What was under way when a connection went is lost without a word: it is said again on a new one. */
static enum err say_again(struct publisher *publisher)
{
	struct request *request;

	while ((request = request_find(publisher, REQUEST_SENT)))
		request_put_off(request, 0);
	publisher->resend_ms = (int64_t)min_u64((uint64_t)publisher->resend_ms * 2, RESEND_MAX_MS);
	zmq_close(publisher->socket);
	return socket_open(publisher);
}

static enum err check_silence(struct publisher *publisher)
{
	int64_t now = clock_boot_ms();
	int64_t sent = oldest_sent_ms(publisher);

	if (requests_waiting(publisher) == 0)
		return ERR_OK;
	waiting_tell(&publisher->waiting, publisher->setup.endpoint,
		     publisher->fault.code ? publisher->fault.text : "no answer yet");
	if (now - publisher->heard_ms >= publisher->setup.timeout_ms) {
		if (!publisher->fault.code)
			fault_set(&publisher->fault, ERR_CLOSED, "", "nobody answers at %s",
				  publisher->setup.endpoint);
		return ERR_CLOSED;
	}
	if (sent != INT64_MAX && now - sent >= publisher->resend_ms)
		return say_again(publisher);
	return ERR_OK;
}

static int64_t wait_ms(const struct publisher *publisher)
{
	int64_t now = clock_boot_ms(), sent = oldest_sent_ms(publisher);
	int64_t until = publisher->heard_ms + publisher->setup.timeout_ms;
	int untold_ms = waiting_left_ms(&publisher->waiting);

	if (untold_ms >= 0 && now + untold_ms < until)
		until = now + untold_ms;
	if (sent != INT64_MAX && sent + publisher->resend_ms < until)
		until = sent + publisher->resend_ms;
	for (uint32_t i = 0; i < ARRAY_SIZE(publisher->requests); i++)
		if (publisher->requests[i].state == REQUEST_DUE &&
		    publisher->requests[i].at_ms < until)
			until = publisher->requests[i].at_ms;
	return until > now ? until - now : 0;
}

static enum err turn(struct publisher *publisher)
{
	zmq_pollitem_t item = {.socket = publisher->socket, .events = ZMQ_POLLIN};
	enum err err;

	send_due(publisher);
	(void)zmq_poll(&item, 1, wait_ms(publisher));
	err = receive_all(publisher);
	return err ? err : check_silence(publisher);
}

/* --- what callers do --- */

static bool request_is_full(const struct request *request, struct str bytes)
{
	return request->count == REQUEST_EVENTS_MAX ||
	       request->events.size + bytes.size > REQUEST_SIZE_MAX;
}

static enum err begin_request(struct publisher *publisher, struct request **filling)
{
	enum err err = ERR_OK;

	send_due(publisher);
	while (!err && requests_waiting(publisher) >= IN_FLIGHT_MAX)
		err = turn(publisher);
	if (err)
		return err;
	*filling = request_find(publisher, REQUEST_FREE);
	(*filling)->state = REQUEST_FILLING;
	return ERR_OK;
}

enum err publisher_add(struct publisher *publisher, struct place place, struct str bytes)
{
	struct request *request = request_find(publisher, REQUEST_FILLING);
	enum err err = ERR_OK;

	assert(bytes.size <= REQUEST_SIZE_MAX);
	if (request && request_is_full(request, bytes)) {
		request_close(publisher);
		request = NULL;
	}
	if (!request)
		err = begin_request(publisher, &request);
	if (err)
		return err;
	MEM_ROOM(request->pieces, request->count, request->capacity);
	request->pieces[request->count++] = (struct piece){request->events.size, bytes.size, place};
	buf_add_str(&request->events, bytes);
	return ERR_OK;
}

enum err publisher_finish(struct publisher *publisher)
{
	enum err err = ERR_OK;

	request_close(publisher);
	while (!err && requests_waiting(publisher) > 0)
		err = turn(publisher);
	return err;
}
