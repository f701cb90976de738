/* What the coordinator says of two households, and what is taken back or forgotten. */
#include "daemon/apply.h"
#include "daemon/booking.h"
#include "daemon/standing.h"

static void link_households(struct state *state, const struct event *event,
			    const struct cause *cause, enum link_kind kind)
{
	struct link link = {
		.a = party_household(state, event->found.household),
		.b = party_household(state, event->found.other),
		.seq = event->seq,
		.kind = (uint8_t)kind,
	};

	(void)state_add_link(state, link);
	settle_link(state, link.a, link.b, cause);
}

void on_household_same_as(struct state *state, const struct event *event, const struct cause *cause)
{
	link_households(state, event, cause, LINK_SAME);
}

void on_household_not_same(struct state *state, const struct event *event,
			   const struct cause *cause)
{
	link_households(state, event, cause, LINK_NOT_SAME);
}

/* A visit goes with its case. */
static uint32_t visit_household(const struct state *state, const struct fact *fact)
{
	return state->cases.items[state->visits.items[fact->visit.visit].case_number].household;
}

/* The half-day that a visit comes back to may be another's by now: then the machine takes it back, and its
 * case is planned anew. */
static void settle_visit(struct state *state, uint32_t number, uint32_t household,
			 const struct cause *cause)
{
	const struct visit *visit = state_get(state, visits, number);

	settle_household(state, household, cause);
	if (!visit_is_active(visit) ||
	    !booking_find(state, visit->pair, visit->day, visit->half, number))
		return;
	settle_cancel_visit(state, number, case_resolve(state, visit->case_number), cause);
	settle_household(state, household, cause);
}

static void void_fact(struct state *state, uint32_t index, const struct cause *cause)
{
	struct fact *fact = &state->facts.items[index];

	if (fact->is_void)
		return;
	fact->is_void = true;
	standing_refresh(state, index);
	if (!fact->party)
		return;
	if (state->parties.items[fact->party].kind == PARTY_GIVER) {
		settle_giver(state, party_giver(state, fact->party));
		return;
	}
	if (fact_is_about_visit(fact))
		settle_visit(state, fact->visit.visit, visit_household(state, fact), cause);
	else
		settle_fact(state, index, cause);
}

/* That fact never was: everything derived from it is derived again. What it had replaced holds again. */
void on_event_retracted(struct state *state, const struct event *event, const struct cause *cause)
{
	uint32_t fact = state_find_fact(state, event->found.target);

	if (fact)
		void_fact(state, fact, cause);
	for (uint32_t i = 1; i < state->links.count; i++) {
		struct link *link = &state->links.items[i];

		if (link->seq != event->found.target || link->is_void)
			continue;
		link->is_void = true;
		settle_link(state, link->a, link->b, cause);
	}
}

/* Every number the household has is forgotten with it: the cases close, the keys go, and what is fed
 * about it again is refused. */
void on_privacy_erase(struct state *state, const struct event *event, const struct cause *cause)
{
	uint32_t head = household_head(state, party_household(state, event->found.household));

	for (uint32_t at = head; at; at = state->households.items[at].next_member) {
		uint32_t party = state->households.items[at].party;

		state->parties.items[party].is_erased = true;
		effects_add(cause->effects, EFFECT_ERASE, party);
	}
	settle_erased(state, head, cause);
}
