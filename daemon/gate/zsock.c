#include "daemon/gate/zsock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "proto/limits.h"

enum {
	TURN_MESSAGES_MAX =
		512, /* then the loop has its turn: the core's answers, signals, timers */

	/* Messages per peer. Receiving: what is over it stays with the peer, nothing is lost, and
	 * frames may be large. Sending: what is over it would be lost; so it is above what one
	 * sender may have on its way (access.h), and answers are small. */
	RECEIVE_QUEUE_MAX = 1000,
	SEND_QUEUE_MAX = 20000,

	CLOSE_LINGER_MS = 1000,
};

struct zsock {
	void *context, *socket; /* libzmq's */
	struct watch *watch;
	struct timer *again;
	bool is_again_set;
	const struct zsock_handler *handler;
	void *handler_context;
};

/* Route, delimiter, payload: what lies behind is read and thrown away. */
enum { PARTS_MAX = 3 };

struct parts {
	zmq_msg_t part[PARTS_MAX];
	unsigned count;
};

static bool is_empty(struct parts *parts, unsigned index)
{
	return zmq_msg_size(&parts->part[index]) == 0;
}

static void read_excess(struct zsock *zsock)
{
	zmq_msg_t excess;
	int more = 1;

	while (more) {
		zmq_msg_init(&excess);
		more = zmq_msg_recv(&excess, zsock->socket, ZMQ_DONTWAIT) >= 0 &&
		       zmq_msg_more(&excess);
		zmq_msg_close(&excess);
	}
}

/* False when nothing is there. A message is there as a whole or not at all. */
static bool read_parts(struct zsock *zsock, struct parts *parts)
{
	parts->count = 0;
	while (parts->count < PARTS_MAX) {
		zmq_msg_t *part = &parts->part[parts->count];

		zmq_msg_init(part);
		if (zmq_msg_recv(part, zsock->socket, ZMQ_DONTWAIT) < 0)
			return false;
		parts->count++;
		if (!zmq_msg_more(part))
			return true;
	}
	read_excess(zsock);
	parts->count++;
	return true;
}

static void forget_parts(struct parts *parts)
{
	for (unsigned i = 0; i < parts->count && i < PARTS_MAX; i++)
		zmq_msg_close(&parts->part[i]);
}

/* The peer's address stands on every frame but the route, from which libzmq 4.3.4 loses it. */
static void give(struct zsock *zsock, struct parts *parts)
{
	struct zsock_message message = {.route.is_delimited =
						parts->count >= 2 && is_empty(parts, 1)};
	zmq_msg_t *payload = NULL;

	zmq_msg_init(&message.route.peer);
	zmq_msg_move(&message.route.peer, &parts->part[0]);
	if (parts->count == 2 || (parts->count == 3 && message.route.is_delimited))
		payload = &parts->part[parts->count - 1];
	if (payload && zmq_msg_size(payload) > 0) {
		message.is_whole = true;
		message.payload = (struct str){zmq_msg_data(payload), zmq_msg_size(payload)};
		message.address = zmq_msg_gets(payload, "Peer-Address");
	}
	zsock->handler->on_message(zsock->handler_context, zsock, &message);
	zroute_forget(&message.route);
	forget_parts(parts);
}

static bool can_read(struct zsock *zsock)
{
	int events = 0;
	size_t size = sizeof(events);

	if (zmq_getsockopt(zsock->socket, ZMQ_EVENTS, &events, &size) < 0)
		return false;
	return events & ZMQ_POLLIN;
}

static void look_again(struct zsock *zsock)
{
	if (zsock->is_again_set)
		return;
	zsock->is_again_set = true;
	timer_set(zsock->again, 0);
}

/* The descriptor tells of a change, not of a state, and any call may use that change up: so whoever
 * stops before the socket is empty, and whoever sends, has to come back here. */
static void drain(struct zsock *zsock)
{
	struct parts parts;

	/* Reading until nothing comes, since asking first would cost a system call a message. */
	for (unsigned budget = TURN_MESSAGES_MAX; budget > 0 && read_parts(zsock, &parts); budget--)
		give(zsock, &parts);
	if (can_read(zsock))
		look_again(zsock);
}

static void on_again(void *context)
{
	struct zsock *zsock = context;

	zsock->is_again_set = false;
	drain(zsock);
}

static void on_change(void *context, int fd, bool can_read_fd, bool can_write_fd)
{
	(void)fd;
	(void)can_read_fd;
	(void)can_write_fd;
	drain(context);
}

/* Each row is one option: a slow, silent or greedy peer costs a bounded time and memory. */
static const struct {
	int option, value;
} options[] = {
	{ZMQ_ROUTER_MANDATORY, 1}, /* an answer that cannot be sent is told, not dropped */
	{ZMQ_IPV6, 1},
	{ZMQ_HANDSHAKE_IVL, 2000},
	{ZMQ_HEARTBEAT_IVL, 5000},
	{ZMQ_HEARTBEAT_TIMEOUT, 15000},
	{ZMQ_HEARTBEAT_TTL, 15000},
	{ZMQ_RCVHWM, RECEIVE_QUEUE_MAX},
	{ZMQ_SNDHWM, SEND_QUEUE_MAX},
	{ZMQ_BACKLOG, 256},
	{ZMQ_LINGER, CLOSE_LINGER_MS},
};

static bool set_options(void *socket)
{
	int64_t size_max = FRAME_SIZE_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (zmq_setsockopt(socket, options[i].option, &options[i].value, sizeof(int)) < 0)
			return false;
	return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof(size_max)) == 0;
}

/* The group may connect, others may not; the file's folder says who that is. */
static bool bind_private(void *socket, const char *endpoint)
{
	mode_t before = umask(0117);
	int result = zmq_bind(socket, endpoint);

	umask(before);
	return result == 0;
}

static bool socket_open(struct zsock *zsock, const char *endpoint)
{
	zsock->context = zmq_ctx_new();
	if (!zsock->context)
		return false;
	zsock->socket = zmq_socket(zsock->context, ZMQ_ROUTER);
	return zsock->socket && set_options(zsock->socket) && bind_private(zsock->socket, endpoint);
}

static int socket_fd(struct zsock *zsock)
{
	int fd = -1;
	size_t size = sizeof(fd);

	if (zmq_getsockopt(zsock->socket, ZMQ_FD, &fd, &size) < 0)
		return -1;
	return fd;
}

enum err zsock_open(struct loop *loop, const char *endpoint, const struct zsock_handler *handler,
		    void *context, struct zsock **result)
{
	scoped(zsock_close) struct zsock *zsock = mem_new(sizeof(*zsock));

	zsock->handler = handler;
	zsock->handler_context = context;
	if (!socket_open(zsock, endpoint)) {
		log_error("gate.bind", "reason=\"%s\"", zmq_strerror(errno));
		return ERR_IO;
	}
	zsock->again = timer_new(loop, on_again, zsock);
	zsock->watch = watch_new(loop, socket_fd(zsock), true, false, on_change, zsock);
	look_again(zsock); /* somebody may have connected before the descriptor was watched */

	*result = zsock;
	zsock = NULL;
	return ERR_OK;
}

void zsock_close(struct zsock **address)
{
	struct zsock *zsock = *address;

	if (!zsock)
		return;
	*address = NULL;
	watch_free(&zsock->watch);
	timer_free(&zsock->again);
	if (zsock->socket)
		zmq_close(zsock->socket);
	if (zsock->context)
		zmq_ctx_term(zsock->context); /* waits as long as answers linger */
	free(zsock);
}

static bool send_route(struct zsock *zsock, struct zroute *route)
{
	if (zmq_msg_send(&route->peer, zsock->socket, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
		return false;
	/* Once the route is taken, the rest of the message is: ZeroMQ queues it whole. */
	if (route->is_delimited && zmq_send(zsock->socket, "", 0, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
		return false;
	return true;
}

enum err zsock_answer(struct zsock *zsock, struct zroute *route, struct str payload)
{
	enum err err = ERR_OK;

	if (!send_route(zsock, route) ||
	    zmq_send(zsock->socket, payload.data, payload.size, ZMQ_DONTWAIT) < 0)
		err = errno == EAGAIN ? ERR_BUSY : ERR_CLOSED;
	zroute_forget(route);
	look_again(zsock);
	return err;
}

void zroute_take(struct zroute *to, struct zroute *from)
{
	to->is_delimited = from->is_delimited;
	zmq_msg_init(&to->peer);
	zmq_msg_move(&to->peer, &from->peer);
}

void zroute_forget(struct zroute *route)
{
	zmq_msg_close(&route->peer);
	zmq_msg_init(&route->peer);
}
