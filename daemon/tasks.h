/* Tasks in the state: how many are in each state, the lists of those that wait for a worker, and how a
 * task comes to be ready. */
#pragma once

#include "daemon/state.h"

/* A new task, scheduled for its `due`. */
uint32_t tasks_add(struct state *state, struct task task);

/* Moves a task to another state, which its lifecycle must allow, and keeps the lists and counts. */
void tasks_move(struct state *state, uint32_t task, uint32_t to);

/* A task that can be done now; a new one, ready at once. */
void tasks_make_ready(struct state *state, uint32_t task);
uint32_t tasks_create(struct state *state, struct task task);
/* One that was given up, or waits for its next try, is tried now as if for the first time. */
void tasks_kick(struct state *state, uint32_t task);

/* Counts them again, after they were read from a snapshot. */
void tasks_rebuild(struct state *state);
