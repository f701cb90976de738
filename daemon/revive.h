/* Visits that are on again, since what had taken them off never was. */
#pragma once

#include "daemon/settle.h"

/* What an event (number) cancelled comes back when that event is undone: where the half-day is still to come
 * and free, and the case has no other visit. Whoever was told of the visit is told again. */
void revive_visits(struct state *state, uint64_t seq, const struct cause *cause);

/* A word of the coordinator about a visit (a fact) was taken back: it is as it was before, and whoever was told
 * otherwise is told again. When another visit has its half-day by now, it is cancelled. */
void revive_visit(struct state *state, const struct fact *fact, const struct cause *cause);
