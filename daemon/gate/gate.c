#include "daemon/gate/gate.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/gate/access.h"
#include "daemon/gate/head.h"
#include "daemon/gate/zsock.h"
#include "proto/peer.h"
#include "proto/rpc.h"

/* A request on its way to the core. It is known there by its place in the table and, so that an
 * answer to a former holder of the place is told apart, by how often the place was used. */
struct request {
	struct zroute route;
	struct zsock *zsock;
	struct account *account; /* NULL: the place is free */
	uint32_t size;           /* of the frame, as the account counts it */
	uint32_t msgid;          /* the sender's own */
	uint16_t uses;
	uint16_t next_free;
	bool is_notification;
};
static_assert(GATE_REQUESTS_MAX == UINT16_MAX + 1, "a place and its uses make up a msgid");

struct counts {
	uint64_t forwarded, answered, refused, lost;
};

struct gate {
	struct loop *loop;
	const struct config *config;
	struct access access;
	struct zsock *ipc, *tcp; /* tcp: NULL when closed */

	struct peer *core; /* NULL while it is out of reach */
	struct timer *reconnect;
	int64_t reconnect_ms;

	/* Places are used last out, first in: memory that was never needed is never touched. */
	struct request *requests;
	uint32_t inflight;   /* places in use */
	uint32_t places;     /* that were ever used */
	uint16_t first_free; /* among those; valid while inflight < places */

	bool is_stopping;
	struct timer *stop;

	struct buf out; /* the frame being written */
	struct counts counts;
};

/* A message that came in, while it is being looked at. */
struct incoming {
	struct zsock *zsock;
	struct zsock_message *message;
	struct account *account;
	struct head head;
};

/* ---- the table of requests */

static struct request *request_add(struct gate *gate, uint32_t *gate_msgid)
{
	struct request *request;
	uint32_t place = gate->places;

	assert(gate->inflight < GATE_REQUESTS_MAX);
	if (gate->inflight < gate->places) {
		place = gate->first_free;
		gate->first_free = gate->requests[place].next_free;
	} else {
		gate->places++;
	}
	gate->inflight++;
	request = &gate->requests[place];
	request->uses++;
	*gate_msgid = (uint32_t)request->uses << 16 | place;
	return request;
}

/* NULL when nobody waits for that answer. */
static struct request *request_find(struct gate *gate, uint32_t gate_msgid)
{
	uint32_t place = gate_msgid & UINT16_MAX;
	struct request *request = &gate->requests[place];

	if (place >= gate->places || !request->account || request->uses != gate_msgid >> 16)
		return NULL;
	return request;
}

static void request_remove(struct gate *gate, struct request *request)
{
	account_settle(request->account, request->size);
	request->account = NULL;
	zroute_forget(&request->route);
	request->next_free = gate->first_free;
	gate->first_free = (uint16_t)(request - gate->requests);
	gate->inflight--;
}

/* ---- answers */

static void answer(struct gate *gate, struct zsock *zsock, struct zroute *route, struct str frame)
{
	if (zsock_answer(zsock, route, frame) != ERR_OK)
		gate->counts.lost++; /* the sender is gone or does not read: it will ask again */
}

static void refuse(struct gate *gate, struct incoming *in, const struct fault *fault)
{
	gate->counts.refused++;
	if (in->head.is_notification)
		return;
	buf_reset(&gate->out);
	rpc_error(&gate->out, in->head.msgid, fault);
	answer(gate, in->zsock, &in->message->route, buf_str(&gate->out));
}

static void finish_when_empty(struct gate *gate)
{
	if (gate->is_stopping && gate->inflight == 0)
		loop_stop(gate->loop);
}

/* The core has answered. A notification has nobody who waits, and the core answers nothing. */
static void finish(struct gate *gate, struct request *request, struct str frame)
{
	if (frame.size > 0 && !request->is_notification)
		answer(gate, request->zsock, &request->route, frame);
	request_remove(gate, request);
	gate->counts.answered++;
}

/* Nobody knows whether the core took what was on its way: the senders will publish again. */
static void refuse_inflight(struct gate *gate, const struct fault *fault)
{
	for (uint32_t place = 0; place < gate->places; place++) {
		struct request *request = &gate->requests[place];

		if (!request->account)
			continue;
		buf_reset(&gate->out);
		rpc_error(&gate->out, request->msgid, fault);
		finish(gate, request, buf_str(&gate->out));
	}
}

static enum err fault_core_lost(struct fault *fault)
{
	fault_set(fault, ERR_BUSY, "", "the core is out of reach");
	fault->retry_after_ms = CORE_LOST_RETRY_MS;
	return ERR_BUSY;
}

/* ---- the core */

static void core_retry(struct gate *gate)
{
	timer_set(gate->reconnect, gate->reconnect_ms);
	gate->reconnect_ms = (int64_t)min_u64((uint64_t)gate->reconnect_ms * 2, CORE_RETRY_MAX_MS);
}

static void core_lost(struct gate *gate)
{
	struct fault fault;

	log_warn("gate.core_lost", "inflight=%u", gate->inflight);
	gate->core = NULL;
	fault_core_lost(&fault);
	refuse_inflight(gate, &fault);
	finish_when_empty(gate);
	core_retry(gate);
}

static void on_core_closed(void *context, struct peer *peer)
{
	(void)peer;
	core_lost(context);
}

static enum err parse_answer(struct str bytes, uint32_t *gate_msgid, struct str *frame)
{
	struct rpc rpc = {0};
	struct fault fault;
	struct reader reader;

	if (rpc_parse(bytes, &rpc, &fault) != ERR_OK || rpc.type != RPC_ANSWER)
		return ERR_BAD_FRAME;
	*gate_msgid = rpc.msgid;
	*frame = (struct str){0};
	reader = reader_from(rpc.result);
	if (!read_bytes(&reader, frame) && !read_nil(&reader))
		return ERR_BAD_FRAME;
	return ERR_OK;
}

/* What the core sends is ours: when it cannot be read, one of us is wrong, and only a new
 * connection can put it right. */
static void on_core_frame(void *context, struct peer *peer, struct str bytes)
{
	struct gate *gate = context;
	struct request *request;
	struct str frame;
	uint32_t gate_msgid;

	if (gate->core != peer)
		return;
	if (parse_answer(bytes, &gate_msgid, &frame) != ERR_OK) {
		log_error("gate.core_bad_frame", "size=%zu", bytes.size);
		peer_close(&gate->core);
		core_lost(gate);
		return;
	}
	gate->reconnect_ms = CORE_RETRY_FIRST_MS; /* it works: the next loss is a new one */
	request = request_find(gate, gate_msgid);
	if (request)
		finish(gate, request, frame);
	finish_when_empty(gate);
}

static const struct peer_handler core_handler = {
	.on_frame = on_core_frame,
	.on_closed = on_core_closed,
};

static void core_connect(void *context)
{
	struct gate *gate = context;
	int fd;

	if (peer_connect(gate->config->gate_socket, &fd) != ERR_OK) {
		core_retry(gate);
		return;
	}
	gate->core = peer_new(gate->loop, fd, &core_handler, gate);
	log_info("gate.core_reached", "pid=%d", peer_pid(gate->core));
}

/* ---- the senders */

static struct account *find_account(struct gate *gate, struct zsock *zsock, const char *address)
{
	if (zsock == gate->ipc)
		return access_find_uid(&gate->access, address);
	return access_find_loopback(&gate->access);
}

static enum err check_core(struct gate *gate, struct fault *fault)
{
	if (gate->is_stopping)
		return fault_set(fault, ERR_DRAINING, "", "the intake is stopping");
	if (!gate->core)
		return fault_core_lost(fault);
	if (peer_pending(gate->core) <= CORE_PENDING_MAX && gate->inflight < GATE_REQUESTS_MAX)
		return ERR_OK;
	fault_set(fault, ERR_BUSY, "", "the core has more to do than it can take");
	fault->retry_after_ms = INFLIGHT_RETRY_MS;
	return ERR_BUSY;
}

static enum err check(struct gate *gate, struct incoming *in, struct fault *fault)
{
	struct zsock_message *message = in->message;
	enum err err;

	if (!message->is_whole)
		return fault_set(fault, ERR_BAD_FRAME, "",
				 "a message is one payload frame, after an empty one at most");
	in->head = head_peek(message->payload);
	in->account = find_account(gate, in->zsock, message->address);
	if (!in->account)
		return fault_set(fault, ERR_UNAUTHENTICATED, "",
				 "no sender is configured for this peer");
	err = check_core(gate, fault);
	if (err != ERR_OK)
		return err;
	return account_admit(in->account, message->payload.size, in->head.events, clock_boot_ms(),
			     fault);
}

static void forward(struct gate *gate, struct incoming *in)
{
	uint32_t gate_msgid;
	struct request *request = request_add(gate, &gate_msgid);

	request->zsock = in->zsock;
	request->account = in->account;
	request->size = (uint32_t)in->message->payload.size;
	request->msgid = in->head.msgid;
	request->is_notification = in->head.is_notification;
	zroute_take(&request->route, &in->message->route);

	buf_reset(&gate->out);
	rpc_begin_request(&gate->out, gate_msgid, "forward");
	write_array(&gate->out, 2);
	write_text(&gate->out, in->account->sender->name);
	write_bytes(&gate->out, in->message->payload);
	peer_send(gate->core, buf_str(&gate->out));
	gate->counts.forwarded++;
}

static void on_message(void *context, struct zsock *zsock, struct zsock_message *message)
{
	struct gate *gate = context;
	struct incoming in = {.zsock = zsock, .message = message};
	struct fault fault;

	if (check(gate, &in, &fault) != ERR_OK)
		refuse(gate, &in, &fault);
	else
		forward(gate, &in);
}

static const struct zsock_handler zsock_handler = {.on_message = on_message};

/* ---- beginning and end */

/* ZeroMQ takes a socket file over without asking: two gates would each get half of the senders. */
static bool is_taken(const char *path)
{
	int fd;

	if (peer_connect(path, &fd) != ERR_OK)
		return false;
	close(fd);
	return true;
}

static enum err bind_ipc(struct gate *gate)
{
	scoped(buf_done) struct buf endpoint = {0};

	if (is_taken(gate->config->intake_ipc)) {
		log_error("gate.bind", "reason=\"another gate is listening\"");
		return ERR_IO;
	}
	buf_printf(&endpoint, "ipc://%s", gate->config->intake_ipc);
	buf_add(&endpoint, "", 1);
	return zsock_open(gate->loop, endpoint.data, &zsock_handler, gate, &gate->ipc);
}

static enum err bind_tcp(struct gate *gate)
{
	scoped(buf_done) struct buf endpoint = {0};

	if (!gate->config->intake_tcp)
		return ERR_OK;
	if (!address_is_loopback(gate->config->intake_tcp)) {
		log_error("gate.bind", "reason=\"intake_tcp is not encrypted: only 127.0.0.0/8 or "
				       "[::1] may be bound\"");
		return ERR_USAGE;
	}
	buf_printf(&endpoint, "tcp://%s", gate->config->intake_tcp);
	buf_add(&endpoint, "", 1);
	return zsock_open(gate->loop, endpoint.data, &zsock_handler, gate, &gate->tcp);
}

static void stop_now(void *context)
{
	struct gate *gate = context;

	loop_stop(gate->loop);
}

static struct gate *gate_new(struct loop *loop, const struct config *config)
{
	struct gate *gate = mem_new(sizeof(*gate));

	gate->loop = loop;
	gate->config = config;
	gate->requests = mem_new(GATE_REQUESTS_MAX * sizeof(*gate->requests));
	gate->reconnect = timer_new(loop, core_connect, gate);
	gate->reconnect_ms = CORE_RETRY_FIRST_MS;
	gate->stop = timer_new(loop, stop_now, gate);
	access_init(&gate->access, config, clock_boot_ms());
	return gate;
}

enum err gate_open(struct loop *loop, const struct config *config, struct gate **result)
{
	scoped(gate_close) struct gate *gate = gate_new(loop, config);
	enum err err = bind_ipc(gate);

	if (err == ERR_OK)
		err = bind_tcp(gate);
	if (err != ERR_OK)
		return err;
	core_connect(gate);
	log_info("gate.ready", "senders=%u tcp=%d", config->sender_count, gate->tcp != NULL);

	*result = gate;
	gate = NULL;
	return ERR_OK;
}

void gate_stop(struct gate *gate)
{
	log_info("gate.stopping", "inflight=%u", gate->inflight);
	gate->is_stopping = true;
	timer_set(gate->stop, gate->inflight == 0 ? 0 : STOP_WAIT_MS);
}

static void log_counts(const struct gate *gate)
{
	const struct counts *counts = &gate->counts;

	log_info("gate.stopped", "forwarded=%lu answered=%lu refused=%lu lost=%lu",
		 counts->forwarded, counts->answered, counts->refused, counts->lost);
}

void gate_close(struct gate **address)
{
	struct gate *gate = *address;
	struct fault fault;

	if (!gate)
		return;
	*address = NULL;
	fault_core_lost(&fault);
	refuse_inflight(gate, &fault);
	if (gate->is_stopping)
		log_counts(gate);
	if (gate->core)
		peer_close(&gate->core);
	zsock_close(&gate->ipc);
	zsock_close(&gate->tcp);
	timer_free(&gate->reconnect);
	timer_free(&gate->stop);
	free(gate->requests);
	buf_done(&gate->out);
	free(gate);
}
