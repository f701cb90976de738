#include "daemon/forecast.h"

enum { NO_SHOW_VISITS_MIN = 20, NO_SHOW_MONTHS = 12 };

/* --- groups ---------------------------------------------------------------------------------------- */

static bool is_open(const struct state *state, uint32_t position)
{
	return sector_opening_on(policy_sector_at(&state->policy, position), state->today) != NULL;
}

static sectors_t served_by(const struct state *state, const struct policy_pair *pair)
{
	sectors_t sectors = 0;

	for (uint32_t i = 0; i < state->policy.sectors.count; i++)
		if (is_open(state, i) &&
		    pair_serves(pair, policy_sector_at(&state->policy, i)->id, false))
			sectors |= (sectors_t)1 << i;
	return sectors;
}

/* All sectors that a chain of shared pairs ties to this one. */
static sectors_t group_of(const struct state *state, uint32_t position)
{
	sectors_t group = (sectors_t)1 << position, before;

	do {
		before = group;
		for (uint32_t i = 0; i < state->policy.pairs.count; i++) {
			sectors_t served = served_by(
				state, list_at(&state->policy.pairs, struct policy_pair, i));

			if (served & group)
				group |= served;
		}
	} while (group != before);
	return group;
}

/* --- what comes in and what goes out ------------------------------------------------------------------ */

static uint64_t visits_a_week(const struct state *state, sectors_t group)
{
	uint64_t visits = 0;

	for (uint32_t i = 0; i < state->policy.pairs.count; i++) {
		const struct policy_pair *pair =
			list_at(&state->policy.pairs, struct policy_pair, i);

		if (served_by(state, pair) & group)
			visits += pair->visits_a_week;
	}
	return visits;
}

static bool waits_for_visit(const struct case_record *record)
{
	return record->is_eligible &&
	       (record->state == CASE_STATE_WAITING || record->state == CASE_STATE_PLANNED);
}

/* Of each sector, by its position. In the order of the table, which memory likes. */
static void count_cases(const struct state *state, uint64_t counts[POLICY_SECTORS_MAX])
{
	for (uint32_t i = 1; i < state->cases.count; i++) {
		const struct case_record *record = &state->cases.items[i];

		if (record->sector && waits_for_visit(record) && !record->joined &&
		    !record->is_gone)
			counts[record->sector - 1]++;
	}
}

/* Per mille of the visits recorded in the last twelve months; 0 while there are few. */
static uint64_t no_show_rate(const struct state *state)
{
	day_t since = day_add_months(state->today, -NO_SHOW_MONTHS);
	uint64_t recorded = 0, no_shows = 0;

	for (uint32_t i = 1; i < state->visits.count; i++) {
		const struct visit *visit = &state->visits.items[i];

		if (visit->day <= since || visit->day > state->today ||
		    !visit_state_is_recorded(visit->state))
			continue;
		recorded++;
		no_shows += visit->state == VISIT_STATE_NO_SHOW;
	}
	return recorded < NO_SHOW_VISITS_MIN ? 0 : 1000 * no_shows / recorded;
}

/* --- the forecast ------------------------------------------------------------------------------------- */

static uint32_t weeks_of(uint64_t cases, uint64_t visits, uint64_t no_shows)
{
	uint64_t capacity = visits * (1000 - no_shows), weeks;

	if (!capacity)
		return WEEKS_NONE;
	weeks = (1000 * cases + capacity - 1) / capacity;
	return weeks < MAIL_WAIT_WEEKS_MAX ? (uint32_t)weeks : MAIL_WAIT_WEEKS_MAX;
}

void forecast_make(struct state *state)
{
	uint64_t counts[POLICY_SECTORS_MAX] = {0}, no_shows = no_show_rate(state);

	count_cases(state, counts);
	for (uint32_t i = 0; i < state->policy.sectors.count; i++) {
		sectors_t group = is_open(state, i) ? group_of(state, i) : 0;
		uint64_t cases = 0;

		for (uint32_t j = 0; j < state->policy.sectors.count; j++)
			if (group & (sectors_t)1 << j)
				cases += counts[j];
		state_sector(state, policy_sector_at(&state->policy, i)->id)->weeks =
			group ? weeks_of(cases, visits_a_week(state, group), no_shows) : WEEKS_NONE;
	}
	state->forecast_at = state->now;
}

/* --- what follows -------------------------------------------------------------------------------------- */

static bool is_too_long(const struct state *state, const struct sector_record *record)
{
	return record->weeks == WEEKS_NONE || record->weeks > state->policy.outreach.suspend_above;
}

static bool is_short(const struct state *state, const struct sector_record *record)
{
	return record->weeks != WEEKS_NONE && record->weeks < state->policy.outreach.resume_below;
}

/* Open sectors whose givers have to be told to wait (or, else, to go on). */
static void list_changes(const struct state *state, bool is_suspension, struct arena *arena,
			 struct list *changes)
{
	changes->items = arena_new(arena, POLICY_SECTORS_MAX * sizeof(struct sector_wait));
	changes->count = 0;
	for (uint32_t i = 0; i < state->policy.sectors.count; i++) {
		struct str id = policy_sector_at(&state->policy, i)->id;
		const struct sector_record *record = state_find_sector(state, id);
		bool changes_now;

		if (!record || !is_open(state, i))
			continue;
		changes_now = is_suspension ? !record->is_suspended && is_too_long(state, record)
					    : record->is_suspended && is_short(state, record);
		if (!changes_now)
			continue;
		((struct sector_wait *)changes->items)[changes->count++] = (struct sector_wait){
			true, id, record->weeks == WEEKS_NONE ? UINT_NONE : record->weeks};
	}
}

bool forecast_next_event(const struct state *state, struct arena *arena, struct event *event)
{
	struct list changes;

	if (!state->has_policy || state->forecast_at != state->now)
		return false;
	list_changes(state, true, arena, &changes);
	if (changes.count) {
		event_clear(event, EVENT_OUTREACH_SUSPENDED);
		event->data.outreach_suspended.sectors = changes;
		return true;
	}
	list_changes(state, false, arena, &changes);
	if (changes.count) {
		event_clear(event, EVENT_OUTREACH_RESUMED);
		event->data.outreach_resumed.sectors = changes;
		return true;
	}
	return false;
}
