/* One event changes the state: a function of both and of nothing else. It cannot fail; what could be
 * wrong was refused before, and ids that lead nowhere are ignored. */
#pragma once

#include "daemon/settle.h"
#include "daemon/timers.h"

void apply(struct state *state, const struct event *event, struct effects *effects);

/* Time alone goes on: every timer up to `until` fires, as the next event would make it. */
void apply_time(struct state *state, ms_t until, struct effects *effects);

/* The time of the next timer, MS_NONE when there is none. */
ms_t apply_next_timer(const struct state *state);

/* Handlers, one a kind, in on_*.c; the linker names a forgotten one. */
#define EVENT(KIND, kind, ...)                                                                     \
	void on_##kind(struct state *state, const struct event *event, const struct cause *cause);
#include "proto/events.def"
#undef EVENT

/* Shared by families of handlers. */

/* Adds what the event says as a fact about `party` (0: a pair), to be filled in by the caller first.
 * Returns its number. */
uint32_t apply_fact(struct state *state, const struct event *event, struct fact *fact,
		    uint32_t party);

/* What a later event would replace; false for kinds that replace nothing. */
bool apply_key(const struct state *state, const struct event *event, uint32_t party,
	       uint64_t key[2]);

/* The timers of one kind that are due (on_timer.c). */
void on_timer(struct state *state, enum timer_kind kind, uint32_t id, const struct cause *cause);

/* Of every day at 07:00: agendas on Mondays, what the coordinator has to look at (on_network.c). */
void on_morning(struct state *state, const struct cause *cause);
/* An old fact came; when no more come for a while, the coordinator is told what they brought. */
void import_note(struct state *state, uint64_t seq);
void on_import_ended(struct state *state);

/* A plan is asked for, now; one that is being made already is given up (on_plan.c). */
void plan_ask(struct state *state);
/* When the next plan is asked for by itself: 06:00 of a working day after `after`. */
ms_t plan_next_due(const struct state *state, ms_t after);
