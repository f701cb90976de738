/* Facts that hold: of those told under one key the latest that was not retracted, at the place of the
 * first. What a group of households is derived from is gathered here. */
#pragma once

#include "daemon/state.h"

/* Which fact under the key of `fact` holds: after one was added or voided. */
void standing_refresh(struct state *state, uint32_t fact);

/* Under the key of this fact: the version that was told last, and the one that holds, about whomever it
 * is; 0 when none does. */
uint32_t standing_find_newest(const struct state *state, uint32_t fact);
uint32_t standing_find_holder(const struct state *state, uint32_t fact);

/* All standing facts of the group of a head, those about its cases' visits among them, in the order of
 * their places. The array lies in `arena`. */
struct standing *standing_gather(const struct state *state, uint32_t head, struct arena *arena,
				 uint32_t *count);
/* The same, with what stays in clear of an erased household: to count, never to tell. */
struct standing *standing_gather_whole(const struct state *state, uint32_t head,
				       struct arena *arena, uint32_t *count);
/* All visits of the cases that these facts opened, in the order of their numbers. */
struct life_visit *standing_gather_visits(const struct state *state, const struct standing *facts,
					  uint32_t fact_count, struct arena *arena,
					  uint32_t *count);
