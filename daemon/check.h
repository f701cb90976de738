/* What is checked of an event before it is taken, against the state as it is: whom it is about, and
 * whether it makes sense now. Form was checked when it was decoded. Nothing here changes anything. */
#pragma once

#include "daemon/apply.h"
#include "daemon/ports.h"

enum authority {
	AUTHORITY_SENDER,      /* the caller has checked its grants; COORDINATOR types if granted */
	AUTHORITY_COORDINATOR, /* control.sock */
	AUTHORITY_SYSTEM,      /* the core itself */
};

/* The number of an event taken earlier under this identity, 0 when there is none. */
typedef uint64_t find_event_fn(void *context, struct str source, struct str id);

struct checker {
	const struct state *state;
	const struct keys_port *keys;
	find_event_fn *find_event;
	void *context;
};

/* Fills event->found. ERR_INVALID_EVENT, ERR_NOT_FOUND, ERR_ERASED, ERR_FORBIDDEN, ERR_TOO_LARGE or
 * ERR_STALE_LEASE with a sentence. `now` is the core's time. */
enum err check_event(const struct checker *checker, enum authority authority, ms_t now,
		     struct event *event, struct fault *fault) must_use;

/* The party whose key seals what is personal in the event, 0 when nothing can be. */
uint32_t check_sealing_party(const struct state *state, const struct event *event);
