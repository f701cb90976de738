/* The engine: a turn takes what was submitted, checks it, numbers it, applies it, journals it as one
 * record, and only when that is durable answers. One thread; no clock but the port's. */
#pragma once

#include "daemon/turn.h"

struct engine;

struct engine_counters {
	uint64_t taken, duplicates, conflicts, refused, turns;
};

struct engine_ports {
	struct journal_port journal;
	struct keys_port keys;
	struct caution_port caution; /* zeroed: without */
	void *context;
	ms_t (*now)(void *context); /* the wall clock, or the rehearsal's calendar */
	/* After each durable turn, for watchers: every event taken, as it was applied. May be NULL. */
	void (*on_event)(void *context, const struct event *event);
};

/* The state is empty or restored from a snapshot (engine_state()) before the journal's tail is
 * replayed. */
struct engine *engine_new(const struct engine_ports *ports);
void engine_free(struct engine **engine);

/* For reading between turns. Only engine_open's replay and snapshots write to it from outside. */
const struct state *engine_state(const struct engine *engine);
struct state *
engine_restore(struct engine *engine); /* to be filled from a snapshot, before replay */
/* One stored event of the journal, in order, with effects dropped. ERR_CORRUPT when it does not hold.
 */
enum err engine_replay(struct engine *engine, struct str stored) must_use;
/* The same, but ERR_NOT_FOUND and nothing done when it was accepted later than `until`. */
enum err engine_replay_until(struct engine *engine, struct str stored, ms_t until) must_use;
/* Time goes on without any event, as it did until the next one came: what was replayed so far is then
 * the state of that moment. For looking back; nothing can be replayed or taken afterwards. */
void engine_wait_until(struct engine *engine, ms_t until);

/* A new journal: its first event. Must be the first of all. The salt makes hashes of this journal's state
 * its own; it is random, or fixed where the same events must give the same digest again. */
enum err engine_begin(struct engine *engine, bool is_rehearsal,
		      const uint8_t salt[DIGEST_SIZE]) must_use;

/* Submits an event; everything it borrows must live until the verdict. `fn` may be NULL; it is called once, after
 * the event's turn is durable, in the order of submission. */
void engine_submit(struct engine *engine, enum authority authority, const struct event *event,
		   verdict_fn *fn, void *context);

/* How many events and bytes wait for the next turn. */
uint32_t engine_pending(const struct engine *engine);

/* Runs one turn over what was submitted, and timers that are due. All is durable and has its verdict when it
 * returns. ERR_IO or ERR_CORRUPT from the journal or the keys: the outcome is unknown, the process must
 * end. */
enum err engine_turn(struct engine *engine) must_use;

/* The same, but a turn that only senders wait for goes in steps of TURN_STEP_MAX events, and may still be at work,
 * or on its way to the disk, when this returns: its verdicts are given by a later call, or by engine_settle(). The
 * state is then ahead of the journal: whoever tells anybody of it settles first. */
enum err engine_turn_ahead(struct engine *engine) must_use;
/* Waits until all is durable, and gives the verdicts. Errors as above. */
enum err engine_settle(struct engine *engine) must_use;
/* The number of the last event that is durable. */
uint64_t engine_durable_seq(const struct engine *engine);

/* The core's time: the port's clock. */
ms_t engine_now(const struct engine *engine);

/* Submits that time has come as far as the clock says. */
void engine_pass_time(struct engine *engine);

/* When the next timer is due; MS_NONE: none. */
ms_t engine_next_timer(const struct engine *engine);

/* No room, or stopping: every event is refused with this code until it is ERR_OK again. */
void engine_refuse(struct engine *engine, enum err code, uint32_t retry_after_ms);

/* A careful engine takes one event a turn, and notes its identity with the caution port before it is tried.
 * What waits is kept in its order. */
void engine_be_careful(struct engine *engine, bool is_careful);

/* Was this identity taken? Its number, or 0. */
uint64_t engine_find(struct engine *engine, struct str source, struct str id);

/* The whole event as it was sent, personal fields opened; borrowed until `arena` is reset. */
enum err engine_read(struct engine *engine, uint64_t seq, struct arena *arena,
		     struct event *event) must_use;

const struct engine_counters *engine_counters(const struct engine *engine);

/* Digest of the whole state, in hexadecimal. */
enum { DIGEST_TEXT_SIZE = 65 };
void engine_digest(const struct engine *engine, char text[DIGEST_TEXT_SIZE]);
