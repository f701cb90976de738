/* The half-days that are taken: active visits, each held by a case. */
#pragma once

#include "daemon/state.h"

/* A case's active visit, 0 for none; keeps the table of active visits. */
void booking_set(struct state *state, struct case_record *record, uint32_t visit);
/* The active visit of a pair (name number) on a half-day, other than `except`; or 0. */
uint32_t booking_find(const struct state *state, uint32_t pair, day_t day, uint32_t half,
		      uint32_t except);
