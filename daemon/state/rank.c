#include "daemon/state/rank.h"

/* One supplier and energy of the household. */
struct supply {
	uint32_t supplier, energy;
};

struct ranking {
	const struct policy *policy;
	const struct standing *facts;
	uint32_t count;
	const struct rank_case *of;
	struct horizon *horizon;
	struct rank *rank;
	struct supply supplies[CUTOFFS_MAX];
	uint32_t supply_count;
};

static void give(struct ranking *ranking, uint32_t code, int32_t days, uint32_t tier)
{
	struct rank *rank = ranking->rank;

	assert(rank->reason_count < REASONS_MAX);
	rank->reasons[rank->reason_count++] = (struct reason_given){code, days, tier};
	rank->effective_date -= days;
	if (tier < rank->tier)
		rank->tier = tier;
}

static bool fact_supply(const struct fact *fact, struct supply *supply)
{
	switch (fact->kind) {
	case EVENT_SUPPLIER_NOTICE:
		*supply = (struct supply){fact->notice.supplier, fact->notice.energy};
		return energy_is_cuttable(supply->energy);
	case EVENT_SUPPLIER_LIMITED:
	case EVENT_SUPPLIER_CUT:
	case EVENT_SUPPLIER_RESTORED:
		*supply = (struct supply){fact->supply.supplier, fact->supply.energy};
		return energy_is_cuttable(supply->energy);
	default:
		return false;
	}
}

static bool supply_is_before(struct supply a, struct supply b)
{
	return a.energy != b.energy ? a.energy < b.energy : a.supplier < b.supplier;
}

/* Keeps the list sorted, each supply once. Beyond the limit the first by energy and name hold. */
static void add_supply(struct ranking *ranking, struct supply supply)
{
	uint32_t at = 0;

	while (at < ranking->supply_count && supply_is_before(ranking->supplies[at], supply))
		at++;
	if (at < ranking->supply_count && !supply_is_before(supply, ranking->supplies[at]))
		return;
	if (ranking->supply_count == CUTOFFS_MAX) {
		if (at == CUTOFFS_MAX)
			return;
		ranking->supply_count--;
	}
	memmove(&ranking->supplies[at + 1], &ranking->supplies[at],
		(ranking->supply_count - at) * sizeof(supply));
	ranking->supplies[at] = supply;
	ranking->supply_count++;
}

static void list_supplies(struct ranking *ranking)
{
	struct supply supply;

	for (uint32_t i = 0; i < ranking->count; i++)
		if (fact_supply(ranking->facts[i].fact, &supply))
			add_supply(ranking, supply);
}

/* The latest of limited, cut and restored for one supply; 0 when there is none. */
static uint32_t supply_state(const struct ranking *ranking, struct supply supply, day_t *on)
{
	const struct standing *latest = NULL;

	for (uint32_t i = 0; i < ranking->count; i++) {
		const struct standing *at = &ranking->facts[i];
		struct supply its;

		if (at->fact->kind == EVENT_SUPPLIER_NOTICE || !fact_supply(at->fact, &its) ||
		    its.supplier != supply.supplier || its.energy != supply.energy)
			continue;
		if (!latest || at->fact->supply.on > latest->fact->supply.on ||
		    (at->fact->supply.on == latest->fact->supply.on && at->seq > latest->seq))
			latest = at;
	}
	if (!latest)
		return 0;
	*on = latest->fact->supply.on;
	return latest->fact->kind;
}

/* Cut or limited now, unless the news is too old to be trusted. */
static void rank_supplies(struct ranking *ranking)
{
	day_t stale = (day_t)ranking->policy->rules.supply_stale;
	bool is_cut = false, is_limited = false;

	for (uint32_t i = 0; i < ranking->supply_count; i++) {
		day_t on;
		uint32_t state = supply_state(ranking, ranking->supplies[i], &on);

		if (state != EVENT_SUPPLIER_CUT && state != EVENT_SUPPLIER_LIMITED)
			continue;
		if (horizon_reached(ranking->horizon, on + stale + 1)) {
			ranking->rank->has_stale_supply = true;
			continue;
		}
		if (state == EVENT_SUPPLIER_CUT)
			is_cut = true;
		else
			is_limited = true;
	}
	if (is_cut)
		give(ranking, RANK_CODE_CUT, 0, TIER_CUT);
	if (is_limited)
		give(ranking, RANK_CODE_LIMITED, 0, TIER_CRITICAL);
}

static uint32_t cutoff_tier(const struct ranking *ranking, day_t earliest)
{
	const struct policy_rules *rules = &ranking->policy->rules;
	struct horizon *horizon = ranking->horizon;

	if (!horizon_reached(horizon, earliest - (day_t)rules->urgent_within))
		return TIER_NORMAL;
	if (!horizon_reached(horizon, earliest - (day_t)rules->critical_within))
		return TIER_URGENT;
	if (!horizon_reached(horizon, earliest + (day_t)rules->critical_after + 1))
		return TIER_CRITICAL;
	return TIER_URGENT;
}

static void rank_cutoffs(struct ranking *ranking)
{
	struct rank *rank = ranking->rank;
	uint32_t best = TIER_NORMAL;

	for (uint32_t i = 0; i < ranking->supply_count; i++) {
		struct cutoff *cutoff = &rank->cutoffs[rank->cutoff_count];
		uint32_t tier;

		cutoff_compute(ranking->policy, ranking->facts, ranking->count,
			       ranking->supplies[i].supplier, ranking->supplies[i].energy,
			       ranking->horizon, cutoff);
		if (cutoff->earliest == DAY_NONE)
			continue;
		rank->cutoff_count++;
		tier = cutoff_tier(ranking, cutoff->earliest);
		if (tier < best)
			best = tier;
	}
	if (best == TIER_CRITICAL)
		give(ranking, RANK_CODE_CUTOFF_CRITICAL, 0, TIER_CRITICAL);
	else if (best == TIER_URGENT)
		give(ranking, RANK_CODE_CUTOFF_URGENT, 0, TIER_URGENT);
}

/* Filed in (today - window, today]. A request leaves the window when the day that many months ago is
 * the day it was filed; ends of months make that one of two or three days, so all are watched. */
static bool request_counts(struct ranking *ranking, day_t filed_on)
{
	int months = (int)ranking->policy->rules.fsl_window_months;
	struct horizon *horizon = ranking->horizon;

	if (!horizon_reached(horizon, filed_on))
		return false;
	for (int later = 0; later <= 3; later++)
		(void)horizon_reached(horizon, day_add_months(filed_on, months) + later);
	return filed_on > day_add_months(horizon->today, -months);
}

static void rank_requests(struct ranking *ranking)
{
	const struct policy_rules *rules = &ranking->policy->rules;
	uint32_t count = 0;

	for (uint32_t i = 0; i < ranking->count; i++) {
		const struct fact *fact = ranking->facts[i].fact;

		if (fact->kind == EVENT_FSL_REQUEST_FILED &&
		    request_counts(ranking, fact->request.filed_on))
			count++;
	}
	if (count >= 2)
		give(ranking, RANK_CODE_FSL_REPEAT, (int32_t)((count - 1) * rules->fsl_repeat),
		     TIER_NORMAL);
	if (count >= rules->fsl_urgent_from)
		give(ranking, RANK_CODE_FSL_URGENT, 0, TIER_URGENT);
}

static void rank_vulnerable(struct ranking *ranking)
{
	static const struct {
		uint32_t who, code;
	} rows[] = {
		{VULNERABLE_INFANT, RANK_CODE_INFANT},
		{VULNERABLE_ELDERLY, RANK_CODE_ELDERLY},
		{VULNERABLE_ILL, RANK_CODE_ILL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (ranking->of->vulnerable & 1u << (rows[i].who - 1))
			give(ranking, rows[i].code, (int32_t)ranking->policy->rules.vulnerable,
			     TIER_NORMAL);
}

static void rank_season(struct ranking *ranking)
{
	const struct policy_rules *rules = &ranking->policy->rules;

	if (ranking->of->is_carried_over)
		give(ranking, RANK_CODE_CARRIED_OVER, (int32_t)rules->carried_over,
		     ranking->of->is_carried_for_long ? TIER_URGENT : TIER_NORMAL);
	if (ranking->of->is_closing)
		give(ranking, RANK_CODE_CLOSING, (int32_t)rules->closing, TIER_NORMAL);
}

static void rank_no_shows(struct ranking *ranking)
{
	int32_t days = (int32_t)(ranking->of->no_shows * ranking->policy->rules.no_show);

	if (ranking->of->no_shows)
		give(ranking, RANK_CODE_NO_SHOW, -days, TIER_NORMAL);
}

/* In the order of the reason codes. */
void rank_compute(const struct policy *policy, const struct standing *facts, uint32_t count,
		  const struct rank_case *of, struct horizon *horizon, struct rank *rank)
{
	struct ranking ranking = {policy, facts, count, of, horizon, rank, {}, 0};

	rank->tier = TIER_NORMAL;
	rank->effective_date = of->first_date;
	rank->reason_count = 0;
	rank->has_stale_supply = false;
	rank->cutoff_count = 0;

	list_supplies(&ranking);
	rank_supplies(&ranking);
	rank_cutoffs(&ranking);
	rank_requests(&ranking);
	rank_vulnerable(&ranking);
	rank_season(&ranking);
	rank_no_shows(&ranking);
}
