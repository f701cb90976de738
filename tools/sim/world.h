/* The state machine on a virtual clock: events come in at their own time, timers fire between them,
 * mails are delivered at once and plans are made by the planner of vigie-schedule. */
#pragma once

#include "daemon/memory_ports.h"

struct world {
	struct memory_ports ports;
	struct engine *engine;
};

/* Begins at `start` with that policy. */
enum err world_init(struct world *world, ms_t start, const struct policy *policy) must_use;
void world_done(struct world *world);

/* Lets time pass: every timer up to `until` fires at its own hour, and what it asks for is done. */
enum err world_advance(struct world *world, ms_t until) must_use;

/* One event, at its own time (or now, when that is past): what became of it. */
enum err world_accept(struct world *world, const struct event *event,
		      struct verdict *verdict) must_use;
