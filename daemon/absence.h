/* When pairs are away, as somebody said. */
#pragma once

#include "daemon/state.h"

/* What says that the pair (name number) is away on this day: the latest that holds, or NULL. */
const struct fact *absence_find(const struct state *state, uint32_t pair, day_t day);

/* Not taken back, and not over yet? */
bool absence_is_coming(const struct state *state, const struct fact *absence);
