#include "daemon/revive.h"

#include "daemon/booking.h"

enum {
	BACK_AND_FORTH = 2
}; /* sequence numbers: of the word that was told, and of the one that undoes it */

static uint32_t household_of(const struct state *state, const struct visit *visit)
{
	return state_get(state, cases, visit->case_number)->household;
}

static bool has_rival(const struct state *state, uint32_t number)
{
	const struct visit *visit = state_get(state, visits, number);

	return booking_find(state, visit->pair, visit->day, visit->half, number) != 0;
}

/* Calendars take only what has a higher sequence number than the word before. */
static void tell_again(struct state *state, uint32_t number, uint32_t template,
		       const struct cause *cause)
{
	struct visit *visit = state_get(state, visits, number);

	visit->sequence_base += BACK_AND_FORTH;
	settle_household(state, household_of(state, visit), cause);
	mailing_to_all(state, cause, template, case_resolve(state, visit->case_number), number,
		       true);
}

/* --- by what an event undoes ------------------------------------------------------------------ */

static bool can_come_back(const struct state *state, uint32_t number)
{
	const struct visit *visit = state_get(state, visits, number);
	uint32_t owner = case_resolve(state, visit->case_number);
	const struct case_record *record = owner ? &state->cases.items[owner] : NULL;

	return record && record->state == CASE_STATE_WAITING && record->is_eligible &&
	       visit->day >= state->today && !has_rival(state, number);
}

static void bring_back(struct state *state, uint32_t number, const struct cause *cause)
{
	struct visit *visit = state_get(state, visits, number);

	visit->lifted = 0;
	visit->is_cancelled = false;
	settle_household(state, household_of(state, visit), cause);
	if (visit->state == VISIT_STATE_CONFIRMED)
		tell_again(state, number, TEMPLATE_VISIT_CONFIRMED, cause);
}

void revive_visits(struct state *state, uint64_t seq, const struct cause *cause)
{
	for (uint32_t i = 1; i < state->visits.count; i++) {
		const struct visit *visit = &state->visits.items[i];

		if (visit->lifted == seq && visit->is_cancelled && can_come_back(state, i))
			bring_back(state, i, cause);
	}
}

/* --- by a word of the coordinator that is taken back ---------------------------------------------- */

/* It was cancelled, or on another half-day; a record told nobody to stay away. */
static bool was_told_otherwise(const struct visit *before, const struct visit *visit)
{
	return before->state == VISIT_STATE_CANCELLED || before->day != visit->day ||
	       before->half != visit->half;
}

void revive_visit(struct state *state, const struct fact *fact, const struct cause *cause)
{
	uint32_t number = fact->visit.visit;
	struct visit before = *state_get(state, visits, number);
	uint32_t household = household_of(state, &before);
	const struct visit *visit;

	settle_household(state, household, cause);
	visit = state_get(state, visits, number);
	if (!visit_is_active(visit))
		return;
	if (has_rival(state, number)) {
		settle_cancel_visit(state, number, case_resolve(state, visit->case_number), cause);
		settle_household(state, household, cause);
	} else if (visit->state == VISIT_STATE_CONFIRMED && visit->day >= state->today &&
		   was_told_otherwise(&before, visit)) {
		tell_again(state, number,
			   before.state == VISIT_STATE_CANCELLED ? TEMPLATE_VISIT_CONFIRMED
								 : TEMPLATE_VISIT_CHANGED,
			   cause);
	}
}
