/* The engine's ports in memory, for vigie-sim and tests: a journal in one buffer, keys that seal by
 * copying, a clock that is set by hand. A fault plan says what fails when. */
#pragma once

#include "daemon/engine.h"
#include "daemon/matching.h"

struct memory_turn {
	uint64_t first;
	uint32_t count;
	size_t at, size; /* in `bytes` */
};

struct memory_ports {
	ms_t now;

	bool is_forgetful; /* nothing is read back: a long simulation keeps no journal */
	struct buf bytes;  /* all records */
	struct memory_turn *turns;
	uint32_t turn_count, turn_capacity;
	struct memory_begun { /* what is not settled; count 0: nothing */
		uint64_t first;
		uint32_t count;
		struct str record;
	} begun;

	struct matching matching;
	bool *erased; /* by party number */
	uint32_t erased_capacity;

	/* faults: 0 is never */
	uint32_t fail_append_at; /* the n-th append fails, and everything after it */
	uint32_t appends;
	bool is_append_kept; /* the failing append reaches the journal all the same */
	bool is_full;        /* has_room() says no */
	bool is_slow;        /* what was begun is on its way until somebody waits for it */
};

void memory_ports_done(struct memory_ports *ports);

/* on_event is left NULL. */
struct engine_ports memory_ports_get(struct memory_ports *ports);

/* Every stored event from number 1 on, into a fresh engine. */
enum err memory_ports_replay(const struct memory_ports *ports, struct engine *engine) must_use;
