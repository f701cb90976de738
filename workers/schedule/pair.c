#include "workers/schedule/pair.h"

bool pair_may_serve(const struct plan_pair *pair, const struct plan_case *item)
{
	if (item->closed == SAID_YES && pair->closed_sectors != SAID_YES)
		return false;
	if (pair->sectors.count == 0)
		return true;
	for (uint32_t i = 0; i < pair->sectors.count; i++) {
		if (str_equal(pair->sectors.item[i], item->sector))
			return true;
	}
	return false;
}

static bool pair_is_absent(const struct plan_pair *pair, day_t day)
{
	for (uint32_t i = 0; i < pair->absences.count; i++) {
		const struct plan_absence *absence =
			list_at(&pair->absences, struct plan_absence, i);

		if (day >= absence->from && day <= absence->to)
			return true;
	}
	return false;
}

/* The words of a half-day go mon.am, mon.pm, tue.am … fri.pm: there is none of a week-end. */
bool pair_works_on(const struct plan_pair *pair, day_t day, enum half half)
{
	uint32_t word = (uint32_t)day_weekday(day) * 2 + half - HALF_AM;

	return (pair->half_days >> word & 1) && !pair_is_absent(pair, day);
}
