/* A ZeroMQ ROUTER in the libevent loop. A message from a peer is one payload frame, after an empty
 * delimiter when the peer is a REQ; it is answered once, by its route. This is the only file of the
 * gate that knows libzmq. */
#pragma once

#include <zmq.h>

#include "base/err.h"
#include "base/str.h"
#include "proto/loop.h"

struct zsock;

/* Where an answer goes. A peer may choose its own name, of up to 255 bytes; ZeroMQ's own message
 * holds a short one in place. Not to be copied: zroute_take(). */
struct zroute {
	zmq_msg_t peer;
	bool is_delimited; /* the empty frame in front is echoed */
};

struct zsock_message {
	struct zroute route;
	struct str payload;  /* borrowed until the call returns */
	const char *address; /* ZeroMQ's Peer-Address: "localhost:uid:gid:pid" on ipc://; or NULL */
	bool is_whole;       /* false: not one payload frame, which is all that may be said */
};

struct zsock_handler {
	/* Ends the route by zsock_answer() or zroute_take(); a route left alone is forgotten. */
	void (*on_message)(void *context, struct zsock *zsock, struct zsock_message *message);
};

/* Binds "ipc://PATH" (socket file mode 0660) or "tcp://HOST:PORT". ERR_IO, logged. */
enum err zsock_open(struct loop *loop, const char *endpoint, const struct zsock_handler *handler,
		    void *context, struct zsock **zsock) must_use;

/* Gives answers that are queued one second to leave. */
void zsock_close(struct zsock **zsock);

/* Never blocks, and ends the route. ERR_CLOSED: the peer is gone. ERR_BUSY: it does not read its
 * answers. Either way the answer is lost, and the peer will ask again. */
enum err zsock_answer(struct zsock *zsock, struct zroute *route, struct str payload) must_use;

void zroute_take(struct zroute *to, struct zroute *from);
void zroute_forget(struct zroute *route);
