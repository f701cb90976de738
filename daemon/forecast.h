/* The wait to expect, for each group of open sectors that share pairs: in weeks,
 *
 *     ⌈1000 · eligible cases ÷ (visits a week of its pairs · (1000 − no-show ‰ of the last 12 months))⌉
 *
 * Above one threshold givers are asked for urgent situations only, below another for all again. */
#pragma once

#include "daemon/network.h"

/* Forecasts every open sector, as of now. */
void forecast_make(struct state *state);

/* Right after a forecast: the event that follows from it, its list in `arena`. False: nothing changes. */
bool forecast_next_event(const struct state *state, struct arena *arena, struct event *event);
