/* Tasks in the state: how many are in each state, and the lists of those that wait for a worker. */
#pragma once

#include "daemon/state.h"

uint32_t tasks_add(struct state *state, struct task task);

/* Moves a task to another state, which its lifecycle must allow, and keeps the lists and counts. */
void tasks_move(struct state *state, uint32_t task, uint32_t to);

/* Counts them again, after they were read from a snapshot. */
void tasks_rebuild(struct state *state);
