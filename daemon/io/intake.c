#include "daemon/io/intake.h"

#include <stdlib.h>

#include "base/log.h"
#include "proto/peer.h"
#include "proto/rpc.h"

#define PROTOCOL_VERSION "1"

/* One connection of a gate. It outlives its peer while requests are under way. */
struct gate_link {
	struct intake *intake;
	struct peer *peer; /* NULL: gone */
	uint32_t pending;
	struct gate_link *next;
};

/* A sender's publish, until every event has its verdict. */
struct request {
	struct gate_link *link;
	uint32_t gate_msgid, msgid;
	uint32_t count, left;
	struct slot *slots;
	struct arena arena; /* the frame, the events, everything they borrow */
	struct request *next_free;
};

struct slot {
	struct request *request;
	uint64_t seq;
	bool is_duplicate;
	struct fault *fault; /* in the request's arena; NULL: taken */
	struct event event;
};

struct intake {
	struct core *core;
	struct listener *listener;
	struct gate_link *links;
	struct request *free; /* kept for their memory */
	struct buf inner, outer;
};

/* --- answering -------------------------------------------------------------------------------- */

/* `inner` holds the sender's answer: wrapped for the gate and sent. */
static void send_inner(struct intake *intake, struct gate_link *link, uint32_t gate_msgid)
{
	if (!link->peer)
		return;
	buf_reset(&intake->outer);
	rpc_begin_answer(&intake->outer, gate_msgid);
	write_bytes(&intake->outer, buf_str(&intake->inner));
	peer_send(link->peer, buf_str(&intake->outer));
}

static void refuse(struct intake *intake, struct gate_link *link, uint32_t gate_msgid,
		   uint32_t msgid, const struct fault *fault)
{
	buf_reset(&intake->inner);
	rpc_error(&intake->inner, msgid, fault);
	send_inner(intake, link, gate_msgid);
}

static void write_verdict(struct buf *out, const struct slot *slot)
{
	if (slot->fault) {
		write_map(out, 1);
		write_text(out, "error");
		rpc_fault(out, slot->fault);
		return;
	}
	write_map(out, slot->is_duplicate ? 2 : 1);
	write_text(out, "seq");
	write_uint(out, slot->seq);
	if (slot->is_duplicate) {
		write_text(out, "duplicate");
		write_bool(out, true);
	}
}

static void release_link(struct gate_link *link)
{
	struct gate_link **at = &link->intake->links;

	if (link->peer || link->pending)
		return;
	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	free(link);
}

static void finish(struct request *request)
{
	struct gate_link *link = request->link;
	struct intake *intake = link->intake;

	buf_reset(&intake->inner);
	rpc_begin_answer(&intake->inner, request->msgid);
	write_array(&intake->inner, request->count);
	for (uint32_t i = 0; i < request->count; i++)
		write_verdict(&intake->inner, &request->slots[i]);
	send_inner(intake, link, request->gate_msgid);

	arena_reset(&request->arena);
	request->next_free = intake->free;
	intake->free = request;
	link->pending--;
	release_link(link);
}

static void slot_refuse(struct slot *slot, const struct fault *fault)
{
	slot->fault = arena_new(&slot->request->arena, sizeof(*slot->fault));
	*slot->fault = *fault;
}

static void on_verdict(void *context, const struct verdict *verdict)
{
	struct slot *slot = context;

	slot->seq = verdict->seq;
	slot->is_duplicate = verdict->is_duplicate;
	if (verdict->fault.code)
		slot_refuse(slot, &verdict->fault);
	if (!--slot->request->left)
		finish(slot->request);
}

/* --- publish ---------------------------------------------------------------------------------- */

static struct request *new_request(struct gate_link *link, uint32_t gate_msgid)
{
	struct intake *intake = link->intake;
	struct request *request = intake->free;

	if (request)
		intake->free = request->next_free;
	else
		request = mem_new(sizeof(*request));
	request->link = link;
	request->gate_msgid = gate_msgid;
	link->pending++;
	return request;
}

static enum err check_grants(const struct sender *sender, const struct event *event,
			     struct fault *fault)
{
	const struct event_info *info = event_info_find(event->kind);
	struct str type = str_from(info->type);
	const char *field = sender_refuses(sender, event->source, type, event->subject_source);

	if (!field && info->class == CLASS_COORDINATOR && !sender_names(sender, type))
		field = "type";
	if (!field)
		return ERR_OK;
	return fault_set(fault, ERR_FORBIDDEN, field,
			 "this sender may not send it; vigie.conf grants sources, types and "
			 "subjectsources");
}

static enum err read_slot(const struct sender *sender, struct reader *events, struct slot *slot,
			  struct fault *fault)
{
	const char *begin = events->at;
	enum err err = event_decode_next(events, &slot->request->arena, &slot->event, fault);

	if (events->at - begin > EVENT_SIZE_MAX)
		return fault_set(fault, ERR_TOO_LARGE, "", "an event has at most %d bytes",
				 EVENT_SIZE_MAX);
	return err ? err : check_grants(sender, &slot->event, fault);
}

/* Submits what can be taken; the rest has its verdict already. One more is counted while submitting,
 * so that the request cannot end before it has begun. */
static void submit_slots(struct intake *intake, const struct sender *sender,
			 struct request *request, struct reader *events)
{
	request->left = request->count + 1;
	for (uint32_t i = 0; i < request->count; i++) {
		struct slot *slot = &request->slots[i];
		struct fault fault = {0};

		slot->request = request;
		if (!read_slot(sender, events, slot, &fault)) {
			engine_submit(intake->core->engine, AUTHORITY_SENDER, &slot->event,
				      on_verdict, slot);
			continue;
		}
		slot_refuse(slot, &fault);
		request->left--;
	}
	if (--request->left)
		turns_wake(intake->core->turns);
	else
		finish(request);
}

static enum err read_events(const struct rpc *rpc, struct reader *events, uint32_t *count,
			    struct fault *fault)
{
	struct reader reader = reader_from(rpc->params);
	uint32_t params;

	if (!read_array(&reader, &params) || params != 1 || !read_array(&reader, count))
		return fault_set(fault, ERR_BAD_REQUEST, "params",
				 "publish takes one array of events");
	if (*count > REQUEST_EVENTS_MAX)
		return fault_set(fault, ERR_TOO_LARGE, "params", "at most %d events a request",
				 REQUEST_EVENTS_MAX);
	*events = reader;
	return ERR_OK;
}

static void on_publish(struct gate_link *link, const struct sender *sender, uint32_t gate_msgid,
		       const struct rpc *rpc)
{
	struct intake *intake = link->intake;
	struct fault fault = {0};
	struct reader events;
	struct request *request;
	struct rpc kept = *rpc;
	uint32_t count;

	if (read_events(rpc, &events, &count, &fault)) {
		refuse(intake, link, gate_msgid, rpc->msgid, &fault);
		return;
	}
	request = new_request(link, gate_msgid);
	request->msgid = rpc->msgid;
	request->count = count;
	request->slots = arena_new(&request->arena, count * sizeof(*request->slots));
	kept.params = arena_copy(&request->arena, rpc->params); /* events borrow from it */
	(void)read_events(&kept, &events, &count, NULL);
	submit_slots(intake, sender, request, &events);
}

/* --- the other methods ------------------------------------------------------------------------ */

static void write_limit(struct buf *out, const char *name, uint64_t value)
{
	write_text(out, name);
	write_uint(out, value);
}

static bool speaks_ours(const struct texts *versions)
{
	for (uint32_t i = 0; i < versions->count; i++)
		if (str_is(versions->item[i], PROTOCOL_VERSION))
			return true;
	return versions->count == 0; /* it did not say */
}

static enum err check_hello(const struct rpc *rpc, struct fault *fault)
{
	struct reader reader = reader_from(rpc->params);
	struct arena arena = {0};
	struct hello hello;
	uint32_t count;
	enum err err;

	if (read_array(&reader, &count) && count == 0)
		return ERR_OK;
	err = rpc_params(rpc, &record_hello, &arena, &hello, fault);
	if (!err && !speaks_ours(&hello.versions))
		err = fault_set(fault, ERR_UNSUPPORTED, "versions",
				"version " PROTOCOL_VERSION " is spoken here");
	arena_done(&arena);
	return err;
}

static void on_hello(struct gate_link *link, uint32_t gate_msgid, const struct rpc *rpc)
{
	struct intake *intake = link->intake;
	struct buf *out = &intake->inner;
	struct fault fault = {0};

	if (check_hello(rpc, &fault)) {
		refuse(intake, link, gate_msgid, rpc->msgid, &fault);
		return;
	}
	buf_reset(out);
	rpc_begin_answer(out, rpc->msgid);
	write_map(out, 3);
	write_text(out, "version");
	write_text(out, PROTOCOL_VERSION);
	write_text(out, "limits");
	write_map(out, 4);
	write_limit(out, "event_size_max", EVENT_SIZE_MAX);
	write_limit(out, "frame_size_max", FRAME_SIZE_MAX);
	write_limit(out, "request_events_max", REQUEST_EVENTS_MAX);
	write_limit(out, "sender_inflight_size_max", SENDER_INFLIGHT_SIZE_MAX);
	write_limit(out, "epoch", intake->core->epoch);
	send_inner(intake, link, gate_msgid);
}

static void on_status(struct gate_link *link, const struct sender *sender, uint32_t gate_msgid,
		      const struct rpc *rpc)
{
	struct intake *intake = link->intake;
	struct reader reader = reader_from(rpc->params);
	struct fault fault = {0};
	struct str source, id;
	uint32_t count;
	uint64_t seq;

	if (!read_array(&reader, &count) || count != 2 || !read_str(&reader, &source) ||
	    !read_str(&reader, &id)) {
		(void)fault_set(&fault, ERR_BAD_REQUEST, "params", "status takes source and id");
		refuse(intake, link, gate_msgid, rpc->msgid, &fault);
		return;
	}
	turns_settle(intake->core->turns);
	seq = sender_owns(sender, source) ? engine_find(intake->core->engine, source, id) : 0;
	if (!seq) {
		(void)fault_set(&fault, ERR_NOT_FOUND, "",
				"no event was taken under this source and id");
		refuse(intake, link, gate_msgid, rpc->msgid, &fault);
		return;
	}
	buf_reset(&intake->inner);
	rpc_begin_answer(&intake->inner, rpc->msgid);
	write_map(&intake->inner, 1);
	write_limit(&intake->inner, "seq", seq);
	send_inner(intake, link, gate_msgid);
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Bytes that are no message mostly begin like one, and a sender with many requests under way wants to
 * know which it was. 0 when that cannot be told. */
static uint32_t peek_msgid(struct str frame)
{
	struct reader reader = reader_from(frame);
	uint64_t type, msgid;
	uint32_t count;

	if (!read_array(&reader, &count) || !read_uint(&reader, &type) || type != RPC_REQUEST ||
	    !read_uint(&reader, &msgid) || msgid > UINT32_MAX)
		return 0;
	return (uint32_t)msgid;
}

static void on_request(struct gate_link *link, const struct sender *sender, uint32_t gate_msgid,
		       struct str frame)
{
	struct intake *intake = link->intake;
	struct fault fault = {0};
	struct rpc rpc = {0};

	if (rpc_parse(frame, &rpc, &fault)) {
		refuse(intake, link, gate_msgid, peek_msgid(frame), &fault);
		return;
	}
	if (rpc.type == RPC_REQUEST && str_is(rpc.method, "publish")) {
		on_publish(link, sender, gate_msgid, &rpc);
	} else if (rpc.type == RPC_REQUEST && str_is(rpc.method, "hello")) {
		on_hello(link, gate_msgid, &rpc);
	} else if (rpc.type == RPC_REQUEST && str_is(rpc.method, "status")) {
		on_status(link, sender, gate_msgid, &rpc);
	} else {
		(void)fault_set(&fault, ERR_UNSUPPORTED, "method",
				"hello, publish and status are spoken here");
		refuse(intake, link, gate_msgid, rpc.msgid, &fault);
	}
}

static bool read_forward(const struct rpc *rpc, struct str *name, struct str *frame)
{
	struct reader reader = reader_from(rpc->params);
	uint32_t count;

	return rpc->type == RPC_REQUEST && str_is(rpc->method, "forward") &&
	       read_array(&reader, &count) && count == 2 && read_str(&reader, name) &&
	       read_bytes(&reader, frame);
}

static void on_frame(void *context, struct peer *peer, struct str bytes)
{
	struct gate_link *link = context;
	const struct sender *sender;
	struct fault fault = {0};
	struct str name, frame;
	struct rpc rpc = {0};

	(void)peer;
	if (rpc_parse(bytes, &rpc, &fault) || !read_forward(&rpc, &name, &frame)) {
		log_warn("intake.frame", "size=%zu", bytes.size);
		return;
	}
	sender = config_find_sender(link->intake->core->config, name);
	if (!sender) {
		(void)fault_set(&fault, ERR_UNAUTHENTICATED, "", "no sender has this name");
		refuse(link->intake, link, rpc.msgid, 0, &fault);
		return;
	}
	on_request(link, sender, rpc.msgid, frame);
}

static void on_closed(void *context, struct peer *peer)
{
	struct gate_link *link = context;

	(void)peer;
	log_info("intake.gate_gone", "pending=%u", link->pending);
	link->peer = NULL;
	release_link(link);
}

static void on_connect(void *context, int fd)
{
	static const struct peer_handler handler = {on_frame, NULL, on_closed};
	struct intake *intake = context;
	struct gate_link *link = mem_new(sizeof(*link));

	link->intake = intake;
	link->next = intake->links;
	intake->links = link;
	link->peer = peer_new(intake->core->loop, fd, &handler, link);
	log_info("intake.gate", "uid=%u", peer_uid(link->peer));
}

enum err intake_open(struct core *core, struct intake **opened)
{
	struct intake *intake = mem_new(sizeof(*intake));
	enum err err;

	intake->core = core;
	err = listener_open(core->loop, core->config->gate_socket, 0660, on_connect, intake,
			    &intake->listener);
	if (err) {
		free(intake);
		return err;
	}
	*opened = intake;
	return ERR_OK;
}

void intake_close(struct intake **intake)
{
	struct intake *old = *intake;

	if (!old)
		return;
	listener_close(&old->listener);
	for (struct gate_link *link = old->links, *next; link; link = next) {
		next = link->next;
		peer_close(&link->peer);
		free(link);
	}
	for (struct request *request = old->free, *next; request; request = next) {
		next = request->next_free;
		arena_done(&request->arena);
		free(request);
	}
	buf_done(&old->inner);
	buf_done(&old->outer);
	free(old);
	*intake = NULL;
}
