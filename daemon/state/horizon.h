/* A day that remembers how long what was decided on it holds. Every rule compares dates through
 * horizon_reached(), so whatever is derived on one day knows the next day on which it may change: the
 * only timers that rules need. */
#pragma once

#include "base/date.h"

struct horizon {
	day_t today;
	day_t next; /* the earliest later day at which a comparison would turn; DAY_MAX: never */
};

static inline struct horizon horizon_on(day_t today)
{
	return (struct horizon){today, DAY_MAX};
}

/* Is `day` today or past? */
static inline bool horizon_reached(struct horizon *horizon, day_t day)
{
	if (day <= horizon->today)
		return true;
	if (day < horizon->next)
		horizon->next = day;
	return false;
}
