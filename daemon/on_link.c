/* What the coordinator says of two households, and what is taken back or forgotten. */
#include "daemon/apply.h"
#include "daemon/revive.h"
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

static bool link_joins(const struct link *link, uint32_t a, uint32_t b)
{
	return (link->kind == LINK_SAME || link->kind == LINK_JOINED) &&
	       ((link->a == a && link->b == b) || (link->a == b && link->b == a));
}

void on_household_same_as(struct state *state, const struct event *event, const struct cause *cause)
{
	link_households(state, event, cause, LINK_SAME);
}

void on_household_not_same(struct state *state, const struct event *event,
			   const struct cause *cause)
{
	uint32_t a = party_household(state, event->found.household);
	uint32_t b = party_household(state, event->found.other);

	link_households(state, event, cause, LINK_NOT_SAME);
	for (uint32_t i = 1; i < state->links.count; i++)
		if (link_joins(&state->links.items[i], a, b))
			revive_visits(state, state->links.items[i].seq, cause);
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
		revive_visit(state, fact, cause);
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
	revive_visits(state, event->found.target, cause);
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
