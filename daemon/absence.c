#include "daemon/absence.h"

static bool holds(const struct fact *absence)
{
	return !absence->is_void && !absence->is_replaced;
}

const struct fact *absence_find(const struct state *state, uint32_t pair, day_t day)
{
	const struct fact *found = NULL;

	for (uint32_t at = state->first_absence; at; at = state->facts.items[at].next) {
		const struct fact *fact = &state->facts.items[at];

		if (holds(fact) && fact->absence.pair == pair && fact->absence.from <= day &&
		    fact->absence.to >= day)
			found = fact;
	}
	return found;
}

bool absence_is_coming(const struct state *state, const struct fact *absence)
{
	return holds(absence) && absence->absence.to >= state->today;
}
