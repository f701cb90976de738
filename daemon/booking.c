#include "daemon/booking.h"

/* Where `visit` stands in the ascending table, or where it would. */
static uint32_t find_active(const struct state *state, uint32_t visit)
{
	uint32_t low = 1, high = state->active_visits.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (state->active_visits.items[middle] < visit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_active(struct state *state, uint32_t visit)
{
	uint32_t at = find_active(state, visit);
	uint32_t *items;

	(void)table_add(state->active_visits, visit);
	items = state->active_visits.items;
	memmove(&items[at + 1], &items[at], (state->active_visits.count - 1 - at) * sizeof(*items));
	items[at] = visit;
}

static void remove_active(struct state *state, uint32_t visit)
{
	uint32_t at = find_active(state, visit);
	uint32_t *items = state->active_visits.items;

	assert(at < state->active_visits.count && items[at] == visit);
	state->active_visits.count--;
	memmove(&items[at], &items[at + 1], (state->active_visits.count - at) * sizeof(*items));
}

void booking_set(struct state *state, struct case_record *record, uint32_t visit)
{
	if (record->visit == visit)
		return;
	if (record->visit)
		remove_active(state, record->visit);
	record->visit = visit;
	if (visit)
		add_active(state, visit);
}

uint32_t booking_find(const struct state *state, uint32_t pair, day_t day, uint32_t half,
		      uint32_t except)
{
	for (uint32_t i = 1; i < state->active_visits.count; i++) {
		uint32_t number = state->active_visits.items[i];
		const struct visit *visit = &state->visits.items[number];

		if (number != except && visit->pair == pair && visit->day == day &&
		    visit->half == half)
			return number;
	}
	return 0;
}
