/* Events to the core, as any sender sends them: publish requests over ZeroMQ, several in flight, each
 * said again until it is answered. Publishing again is always safe. libzmq is known to this file. */
#pragma once

#include "base/fault.h"
#include "tools/feed/source.h"

struct publisher_setup {
	const char *endpoint;   /* "ipc:///run/vigie/intake.sock", "tcp://host:5570" */
	const char *server_key; /* Z85; NULL: no CURVE */
	const char *secret_key; /* Z85 */
	int64_t timeout_ms;     /* how long nothing useful may be heard */
};

enum answer_kind { ANSWER_TAKEN, ANSWER_DUPLICATE, ANSWER_REFUSED };

/* What became of one event; `fault` only where it was refused. */
typedef void publisher_answer_fn(void *context, struct place place, enum answer_kind kind,
				 const struct fault *fault);

struct publisher;

/* NULL with ERR_USAGE told in `fault` when the endpoint or a key cannot be used. Nothing is sent
 * yet: whether somebody is there shows later. */
struct publisher *publisher_new(const struct publisher_setup *setup, publisher_answer_fn *on_answer,
				void *context, struct fault *fault) must_use;
void publisher_free(struct publisher **publisher);

/* Takes the event into a request and waits while too many are in flight. ERR_CLOSED when nothing
 * useful was heard for the timeout; any other error is the core's final word about this sender. */
enum err publisher_add(struct publisher *publisher, struct place place, struct str bytes) must_use;

/* Sends what is left and waits for every answer. */
enum err publisher_finish(struct publisher *publisher) must_use;

/* After an error: what happened. */
const struct fault *publisher_fault(const struct publisher *publisher);
