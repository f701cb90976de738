#include "daemon/state/season.h"

/* --- where a household lives ------------------------------------------------------------------- */

bool season_is_abroad(const struct policy *policy, insee_t insee)
{
	char department[DEPARTMENT_TEXT_SIZE];

	return !str_is(policy->department, insee_department(insee, department));
}

static bool is_trusted(const struct policy *policy, const struct standing *standing, insee_t insee)
{
	if (policy_find_commune(policy, insee))
		return true;
	return standing->fact->kind == EVENT_HOUSEHOLD_MOVED && !season_is_abroad(policy, insee);
}

/* The latest by fact date, then number, among those trusted, or among all when none is. */
insee_t season_commune(const struct policy *policy, const struct standing *facts, uint32_t count,
		       day_t on)
{
	insee_t best = 0;
	day_t best_since = DAY_MIN;
	bool best_is_trusted = false;

	for (uint32_t i = 0; i < count; i++) {
		day_t since = DAY_MIN;
		insee_t insee = fact_commune(&facts[i], &since);
		bool trusted;

		if (!insee || since > on)
			continue;
		trusted = is_trusted(policy, &facts[i], insee);
		if (trusted < best_is_trusted || (trusted == best_is_trusted && since < best_since))
			continue;
		best = insee;
		best_since = since;
		best_is_trusted = trusted;
	}
	return best;
}

/* --- open and closed --------------------------------------------------------------------------- */

const struct policy_sector *season_sector(const struct policy *policy, insee_t insee)
{
	const struct policy_commune *commune = policy_find_commune(policy, insee);

	return commune ? policy_sector_at(policy, (uint32_t)commune->sector) : NULL;
}

bool season_is_open(const struct policy_sector *sector, struct horizon *horizon)
{
	const struct policy_opening *opening, *next;

	if (!sector)
		return false;
	opening = sector_opening_on(sector, horizon->today);
	next = sector_opening_after(sector, horizon->today);
	if (opening)
		(void)horizon_reached(horizon, opening->to + 1);
	else if (next)
		(void)horizon_reached(horizon, next->from);
	return opening != NULL;
}

bool season_reopens(const struct policy *policy, const struct policy_sector *sector, day_t closing)
{
	const struct policy_opening *next = sector_opening_after(sector, closing);

	return next && next->from <= day_add_months(closing, (int)policy->rules.reopening_months);
}

bool season_is_closing(const struct policy *policy, const struct policy_sector *sector,
		       struct horizon *horizon)
{
	day_t within = (day_t)policy->rules.closing_within;
	bool is_closing = false;

	for (uint32_t i = 0; sector && i < sector->openings.count; i++) {
		day_t last = list_at(&sector->openings, struct policy_opening, i)->to;

		if (last < horizon->today || season_reopens(policy, sector, last))
			continue;
		is_closing |= horizon_reached(horizon, last - within);
		(void)horizon_reached(horizon, last + 1);
	}
	return is_closing;
}

/* --- carried over ------------------------------------------------------------------------------ */

/* The earliest last open day of any sector in [from, until); DAY_NONE: none. */
static day_t next_closing(const struct policy *policy, day_t from, day_t until)
{
	day_t first = DAY_NONE;

	for (uint32_t i = 0; i < policy->sectors.count; i++) {
		const struct list *openings = &policy_sector_at(policy, i)->openings;

		for (uint32_t j = 0; j < openings->count; j++) {
			day_t to = list_at(openings, struct policy_opening, j)->to;

			if (to >= from && to < until && (first == DAY_NONE || to < first))
				first = to;
		}
	}
	return first;
}

static bool closes_on(const struct policy_sector *sector, day_t day)
{
	const struct policy_opening *opening = sector ? sector_opening_on(sector, day) : NULL;

	return opening && opening->to == day;
}

struct carry season_carry(const struct policy *policy, const struct standing *facts, uint32_t count,
			  day_t from, day_t until, struct horizon *horizon)
{
	day_t closing = from;

	while ((closing = next_closing(policy, closing, until)) != DAY_NONE &&
	       horizon_reached(horizon, closing + 1)) {
		const struct policy_sector *sector =
			season_sector(policy, season_commune(policy, facts, count, closing));

		if (closes_on(sector, closing))
			return (struct carry){
				closing, (uint32_t)(sector - list_at(&policy->sectors,
								     struct policy_sector, 0)) +
						 1};
		closing++;
	}
	return (struct carry){.closing = DAY_NONE};
}
