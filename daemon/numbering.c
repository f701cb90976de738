#include "daemon/numbering.h"

#include "daemon/booking.h"

static struct fact *opening_of(struct state *state, const struct portrait *portrait, uint32_t its)
{
	return &state->facts.items[portrait->facts[portrait->life.cases[its].opening].index];
}

static void pass_number(struct state *state, uint32_t from, struct fact *to)
{
	to->opened = state->facts.items[from].opened;
	state->facts.items[from].opened = 0;
}

/* A number that leads elsewhere, or nowhere, has no place in the list. Should a case have it again, what that
 * one is today is news: a cut above all. */
static void leave_list(struct state *state, uint32_t number)
{
	struct case_record *record = state_get(state, cases, number);

	record->tier = 0;
	booking_set(state, record, 0);
	queue_remove(&state->queue, number);
}

/* --- numbers whose fact was retracted --------------------------------------------------------- */

/* Facts of a group that have a number and do not hold any more. */
struct lost {
	uint32_t member, fact; /* household and fact; begin with the head, and 0 */
};

static bool next_lost(const struct state *state, struct lost *lost)
{
	while (lost->member) {
		const struct household *household = &state->households.items[lost->member];
		uint32_t at = lost->fact ? state->facts.items[lost->fact].next
					 : state->parties.items[household->party].first_fact;

		while (at && !(state->facts.items[at].opened && state->facts.items[at].is_void))
			at = state->facts.items[at].next;
		lost->fact = at;
		if (at)
			return true;
		lost->member = household->next_member;
	}
	return false;
}

/* Does a fact that holds have a number, and opens and joins nothing? */
static bool is_idle(const struct portrait *portrait, uint32_t fact)
{
	return portrait->facts[fact].fact->opened && !portrait->life.joined[fact];
}

/* The case where such a number leads: the one that it had joined, or one that had joined it; 0: none. */
static uint32_t find_heir(const struct state *state, const struct portrait *portrait,
			  uint32_t number)
{
	uint32_t joined = case_resolve(state, number);

	for (uint32_t i = 0; i < portrait->life.case_count; i++) {
		uint32_t other = portrait->life.cases[i].number;

		if (other && (other == joined || state->cases.items[other].joined == number))
			return other;
	}
	return 0;
}

/* Its visits are the heir's from now on. True when there were any. */
static bool inherit(struct state *state, uint32_t number, uint32_t heir)
{
	struct case_record *from = state_get(state, cases, number);
	struct case_record *to = state_get(state, cases, heir);
	bool has_visits = from->first_visit != 0;

	leave_list(state, number);
	from->joined = heir;
	to->joined = 0;
	for (uint32_t at = from->first_visit; at; at = state->visits.items[at].next)
		state->visits.items[at].case_number = heir;
	if (has_visits && to->last_visit)
		state->visits.items[to->last_visit].next = from->first_visit;
	else if (has_visits)
		to->first_visit = from->first_visit;
	if (has_visits)
		to->last_visit = from->last_visit;
	from->first_visit = from->last_visit = 0;
	return has_visits;
}

static bool hand_over_one(struct state *state, const struct portrait *portrait, uint32_t number)
{
	uint32_t heir = find_heir(state, portrait, number);

	return heir && inherit(state, number, heir);
}

/* Where two cases had become one, and what opened one of them was retracted or opens nothing any more, the
 * other goes on. */
static bool hand_over(struct state *state, const struct portrait *portrait, uint32_t head)
{
	struct lost lost = {head, 0};
	bool is_handed = false;

	while (next_lost(state, &lost))
		is_handed |= hand_over_one(state, portrait, state->facts.items[lost.fact].opened);
	for (uint32_t i = 0; i < portrait->fact_count; i++)
		if (is_idle(portrait, i))
			is_handed |=
				hand_over_one(state, portrait, portrait->facts[i].fact->opened);
	return is_handed;
}

/* --- giving numbers --------------------------------------------------------------------------- */

/* Of two facts whose numbers nobody uses, the one to take: that of a case that was there until now, then
 * the lower number. */
static uint32_t better_orphan(const struct state *state, uint32_t a, uint32_t b)
{
	uint32_t first, second;

	if (!a || !b)
		return a ? a : b;
	first = state->facts.items[a].opened;
	second = state->facts.items[b].opened;
	if (state->cases.items[first].is_gone != state->cases.items[second].is_gone)
		return state->cases.items[first].is_gone ? b : a;
	return first < second ? a : b;
}

/* A fact of the group that opened a case once and does not now: it was retracted, or it opens nothing since
 * another one does. */
static uint32_t find_orphan(const struct state *state, const struct portrait *portrait,
			    uint32_t head)
{
	struct lost lost = {head, 0};
	uint32_t found = 0;

	while (next_lost(state, &lost))
		if (!find_heir(state, portrait, state->facts.items[lost.fact].opened))
			found = better_orphan(state, found, lost.fact);
	for (uint32_t i = 0; i < portrait->fact_count; i++)
		if (is_idle(portrait, i) &&
		    !find_heir(state, portrait, portrait->facts[i].fact->opened))
			found = better_orphan(state, found, portrait->facts[i].index);
	return found;
}

static bool number_case(struct state *state, struct portrait *portrait, uint32_t head, uint32_t its)
{
	struct fact *opening = opening_of(state, portrait, its);
	uint32_t orphan;

	if (portrait->life.cases[its].number)
		return false;
	orphan = find_orphan(state, portrait, head);
	if (orphan)
		pass_number(state, orphan, opening);
	else
		opening->opened = state_add_case(
			state, (struct case_record){.closed_on = DAY_NONE, .carry = {DAY_NONE, 0}});
	portrait->life.cases[its].number = opening->opened;
	return orphan != 0;
}

bool numbering_assign(struct state *state, struct portrait *portrait, uint32_t head)
{
	bool is_changed = hand_over(state, portrait, head);

	for (uint32_t i = 0; i < portrait->life.case_count; i++)
		is_changed |= number_case(state, portrait, head, i);
	return is_changed;
}

/* --- where numbers lead ----------------------------------------------------------------------- */

bool numbering_forget(struct state *state, uint32_t number, const struct cause *cause)
{
	struct case_record *record = state_get(state, cases, number);
	uint32_t owner = case_resolve(state, number);
	bool is_cancelled = false;

	for (uint32_t at = record->first_visit; at; at = state->visits.items[at].next) {
		if (!visit_is_active(&state->visits.items[at]))
			continue;
		settle_cancel_visit(state, at, owner ? owner : number, cause);
		is_cancelled = true;
	}
	record->is_gone = true;
	record->joined = 0;
	leave_list(state, number);
	return is_cancelled;
}

/* A number whose fact opens nothing any more: to its heir, or nowhere. */
static bool lead_lost(struct state *state, const struct portrait *portrait, uint32_t number,
		      const struct cause *cause)
{
	return !find_heir(state, portrait, number) && numbering_forget(state, number, cause);
}

static void lead(struct state *state, uint32_t number, uint32_t to, uint32_t head)
{
	struct case_record *record = state_get(state, cases, number);

	record->is_gone = false;
	record->joined = to == number ? 0 : to;
	record->household = head;
	if (to != number)
		leave_list(state, number);
}

bool numbering_lead(struct state *state, const struct portrait *portrait, uint32_t head,
		    const struct cause *cause)
{
	struct lost lost = {head, 0};
	bool is_cancelled = false;

	while (next_lost(state, &lost))
		is_cancelled |=
			lead_lost(state, portrait, state->facts.items[lost.fact].opened, cause);
	for (uint32_t i = 0; i < portrait->fact_count; i++) {
		uint32_t number = state->facts.items[portrait->facts[i].index].opened;
		uint32_t its = portrait->life.joined[i];

		if (number && its)
			lead(state, number, portrait->life.cases[its - 1].number, head);
		else if (number)
			is_cancelled |= lead_lost(state, portrait, number, cause);
	}
	return is_cancelled;
}

/* --- facts that move -------------------------------------------------------------------------- */

static bool opens_case(const struct state *state, uint32_t head, uint32_t fact)
{
	struct arena arena = {0};
	struct portrait portrait;
	bool is_opening = false;

	portrait_make(state, head, &arena, &portrait);
	for (uint32_t i = 0; i < portrait.life.case_count; i++)
		is_opening |= portrait.facts[portrait.life.cases[i].opening].index == fact;
	arena_done(&arena);
	return is_opening;
}

/* What opens the first case of this group that has no number, or NULL. */
static struct fact *find_unnumbered(struct state *state, uint32_t head)
{
	struct arena arena = {0};
	struct portrait portrait;
	struct fact *found = NULL;

	portrait_make(state, head, &arena, &portrait);
	for (uint32_t i = 0; i < portrait.life.case_count && !found; i++)
		if (!portrait.life.cases[i].number)
			found = opening_of(state, &portrait, i);
	arena_done(&arena);
	return found;
}

/* A fact that opens a case where it went takes its number along: its giver was told it. One that joins a
 * case there leaves it to the case that is left behind without. */
void numbering_leave(struct state *state, uint32_t fact)
{
	uint32_t number = state->facts.items[fact].opened, from, to;
	struct fact *left;

	if (!number || !state->has_policy)
		return;
	from = household_head(state, state->cases.items[number].household);
	to = household_head(state, party_household(state, state->facts.items[fact].party));
	if (from == to || household_is_erased(state, from) || household_is_erased(state, to) ||
	    opens_case(state, to, fact))
		return;
	left = find_unnumbered(state, from);
	if (left)
		pass_number(state, fact, left);
}
