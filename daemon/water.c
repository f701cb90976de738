#include "daemon/water.h"

static uint32_t head_of(const struct state *state, const struct fact *fact)
{
	return household_head(state, party_household(state, fact->party));
}

static bool says_water_is_off(const struct fact *fact)
{
	return (fact->kind == EVENT_SUPPLIER_CUT || fact->kind == EVENT_SUPPLIER_LIMITED) &&
	       fact->supply.energy == ENERGY_WATER;
}

bool water_is_off(const struct state *state, uint32_t index)
{
	const struct fact *fact = state_get(state, facts, index);
	struct arena arena = {0};
	struct standing *facts;
	uint32_t count;
	bool is_restored;

	if (!says_water_is_off(fact) || fact->is_void || fact->is_replaced || fact->is_old ||
	    state->parties.items[fact->party].is_erased)
		return false;
	facts = standing_gather(state, head_of(state, fact), &arena, &count);
	is_restored = supply_is_restored_after(facts, count, fact->supply.supplier, ENERGY_WATER,
					       fact->supply.on, fact->seq);
	arena_done(&arena);
	return !is_restored;
}

struct water_off water_describe(const struct state *state, uint32_t index)
{
	const struct fact *fact = state_get(state, facts, index);
	const struct household *head = state_get(state, households, head_of(state, fact));

	return (struct water_off){
		.household = fact->party,
		.case_number = head->open_case,
		.supplier = fact->supply.supplier,
		.on = fact->supply.on,
		.is_limited = fact->kind == EVENT_SUPPLIER_LIMITED,
		.insee = head->insee,
	};
}
