#include "daemon/settle.h"

#include <stdlib.h>

#include "daemon/booking.h"
#include "daemon/numbering.h"
#include "daemon/redirect.h"
#include "daemon/standing.h"
#include "daemon/timers.h"

/* --- deriving --------------------------------------------------------------------------------- */

/* Was it left waiting by a sector that does not open again soon? */
static bool is_carried_for_long(const struct policy *policy, const struct carry *carry)
{
	return carry->closing != DAY_NONE &&
	       !season_reopens(policy, policy_sector_at(policy, carry->sector - 1), carry->closing);
}

static void rank_open_case(const struct state *state, struct portrait *portrait,
			   const struct life_case *open)
{
	const struct policy *policy = &state->policy;
	struct rank_case of = {
		.first_date = open->first_date,
		.vulnerable = open->vulnerable,
		.no_shows = open->no_shows,
		.is_carried_over = open->carry.closing != DAY_NONE,
		.is_carried_for_long = is_carried_for_long(policy, &open->carry),
		.is_closing = season_is_closing(policy, season_sector(policy, portrait->life.insee),
						&portrait->horizon),
	};

	rank_compute(policy, portrait->facts, portrait->fact_count, &of, &portrait->horizon,
		     &portrait->rank);
}

void portrait_draw(const struct state *state, day_t on, struct arena *arena,
		   struct portrait *portrait)
{
	struct life *life = &portrait->life;
	const struct life_case *open;

	portrait->horizon = horizon_on(on);
	life->cases = arena_new(arena, (portrait->fact_count + 1) * sizeof(*life->cases));
	life->joined = arena_new(arena, (portrait->fact_count + 1) * sizeof(*life->joined));
	life_compute(&state->policy, portrait->facts, portrait->fact_count, portrait->visits,
		     portrait->visit_count, &portrait->horizon, life);

	open = life_open_case(life);
	if (open)
		rank_open_case(state, portrait, open);
}

void portrait_make(const struct state *state, uint32_t head, struct arena *arena,
		   struct portrait *portrait)
{
	portrait->facts = standing_gather(state, head, arena, &portrait->fact_count);
	portrait->visits = standing_gather_visits(state, portrait->facts, portrait->fact_count,
						  arena, &portrait->visit_count);
	portrait_draw(state, state->today, arena, portrait);
}

struct life_visit *portrait_copy_visits(struct arena *arena, const struct life_visit *visits,
					uint32_t count)
{
	struct life_visit *copies = arena_new(arena, (count + 1) * sizeof(*copies));
	struct visit *bodies = arena_new(arena, (count + 1) * sizeof(*bodies));

	for (uint32_t i = 0; i < count; i++) {
		bodies[i] = *visits[i].visit;
		copies[i] = (struct life_visit){visits[i].number, &bodies[i]};
	}
	return copies;
}

/* --- visits the machine takes back ------------------------------------------------------------ */

/* A visit that has begun, or should have, is not undone by a deferral: its record is awaited. */
static bool visit_is_ahead(const struct state *state, const struct visit *visit)
{
	return visit->day >= state->today;
}

void settle_cancel_visit(struct state *state, uint32_t number, uint32_t case_number,
			 const struct cause *cause)
{
	struct visit *visit = state_get(state, visits, number);

	visit->state = VISIT_STATE_CANCELLED;
	visit->sequence += visit->was_confirmed;
	visit->lifted = cause->seq;
	visit->is_cancelled = true;
	if (visit->was_confirmed && visit_is_ahead(state, visit))
		mailing_to_all(state, cause, TEMPLATE_VISIT_CHANGED, case_number, number, true);
}

/* --- numbers of cases ------------------------------------------------------------------------- */

/* The open case of before went with its fact to a household that was erased: it leads nowhere. */
static void forget_lost_case(struct state *state, const struct portrait *portrait, uint32_t head,
			     const struct cause *cause)
{
	uint32_t number = state->households.items[head].open_case;

	if (!number || state->cases.items[number].household != head)
		return;
	for (uint32_t i = 0; i < portrait->fact_count; i++)
		if (portrait->facts[i].fact->opened == number)
			return;
	(void)numbering_forget(state, number, cause);
}

/* --- the state of a case ---------------------------------------------------------------------- */

static bool derogation_holds(struct horizon *horizon, const struct life_case *life_case,
			     enum answer allow)
{
	const struct derogation_fact *derogation;

	if (!life_case->derogation)
		return false;
	derogation = &life_case->derogation->fact->derogation;
	return derogation->allow == allow && !horizon_reached(horizon, derogation->until + 1);
}

/* Left waiting by a sector that stays closed: the department owes it a visit, for a time. */
static bool is_owed(const struct state *state, struct portrait *portrait,
		    const struct life_case *open)
{
	day_t weeks = (day_t)state->policy.rules.carry_over_weeks;

	return is_carried_for_long(&state->policy, &open->carry) &&
	       !horizon_reached(&portrait->horizon, open->carry.closing + 7 * weeks + 1);
}

/* In a closed sector: by the coordinator's word, which goes before all; because it was left waiting; or
 * by tier, where the policy says so. */
static bool is_eligible_closed(const struct state *state, struct portrait *portrait,
			       const struct life_case *open)
{
	uint32_t derogation = state->policy.rules.derogation;

	if (derogation != DEROGATION_NEVER) {
		if (derogation_holds(&portrait->horizon, open, SAID_YES))
			return true;
		if (derogation_holds(&portrait->horizon, open, SAID_NO))
			return false;
	}
	return is_owed(state, portrait, open) ||
	       (derogation == DEROGATION_AUTO && portrait->rank.tier <= TIER_CRITICAL);
}

bool portrait_is_eligible(const struct state *state, struct portrait *portrait,
			  const struct life_case *open)
{
	const struct policy_sector *sector = season_sector(&state->policy, portrait->life.insee);

	return season_is_open(sector, &portrait->horizon) ||
	       is_eligible_closed(state, portrait, open);
}

bool portrait_is_refused(const struct state *state, struct portrait *portrait)
{
	const struct life_case *open = life_open_case(&portrait->life);

	return open && state->policy.rules.derogation != DEROGATION_NEVER &&
	       derogation_holds(&portrait->horizon, open, SAID_NO);
}

/* Had it been referred by then, and was it neither visited nor about to be? */
static bool was_deferred(const struct state *state, struct portrait *portrait)
{
	const struct life_case *open = life_open_case(&portrait->life);
	day_t on = portrait->horizon.today;
	bool is_ahead = open && (!open->visit || portrait->visits[open->visit - 1].visit->day > on);

	return is_ahead && open->has_referral && open->contact_on <= on &&
	       open->visited_on == DAY_NONE && !portrait_is_eligible(state, portrait, open);
}

bool portrait_was_deferred(const struct state *state, uint32_t head, day_t on)
{
	struct arena arena = {0};
	struct portrait portrait;
	bool is_so;

	portrait.facts = standing_gather(state, head, &arena, &portrait.fact_count);
	portrait.visits = standing_gather_visits(state, portrait.facts, portrait.fact_count, &arena,
						 &portrait.visit_count);
	portrait.visits = portrait_copy_visits(&arena, portrait.visits, portrait.visit_count);
	portrait_draw(state, on, &arena, &portrait);
	is_so = was_deferred(state, &portrait);
	arena_done(&arena);
	return is_so;
}

static void place_case(struct state *state, struct portrait *portrait,
		       const struct life_case *life_case, struct case_record *record)
{
	const struct policy_commune *commune =
		policy_find_commune(&state->policy, portrait->life.insee);
	const struct policy_sector *sector = season_sector(&state->policy, portrait->life.insee);

	record->insee = portrait->life.insee;
	record->sector = commune ? (uint32_t)commune->sector + 1 : 0;
	record->is_closed_sector = !season_is_open(sector, &portrait->horizon);
	record->is_eligible =
		!life_case->is_closed && portrait_is_eligible(state, portrait, life_case);
}

static uint32_t case_state(const struct state *state, const struct portrait *portrait,
			   const struct life_case *open, bool is_eligible)
{
	const struct visit *visit = open->visit ? portrait->visits[open->visit - 1].visit : NULL;

	if (open->visited_on != DAY_NONE)
		return CASE_STATE_VISITED;
	if (visit && (is_eligible || !visit_is_ahead(state, visit)))
		return CASE_STATE_PLANNED;
	if (!open->has_referral)
		return CASE_STATE_NEEDS_CONTACT;
	return is_eligible ? CASE_STATE_WAITING : CASE_STATE_DEFERRED;
}

/* Would it be visited if the coordinator said so, who has not said anything yet? */
static bool wants_derogation(const struct state *state, struct portrait *portrait,
			     const struct life_case *open, const struct case_record *record)
{
	return state->policy.rules.derogation == DEROGATION_ASK && record->is_closed_sector &&
	       !record->is_eligible && portrait->rank.tier <= TIER_CRITICAL &&
	       !derogation_holds(&portrait->horizon, open, SAID_NO);
}

static void fill_case(struct state *state, struct portrait *portrait,
		      const struct life_case *life_case)
{
	struct case_record *record = state_get(state, cases, life_case->number);
	bool is_open = !life_case->is_closed;

	place_case(state, portrait, life_case, record);
	record->opening = portrait->facts[life_case->opening].root;
	record->first_date = life_case->first_date;
	record->order_seq = life_case->order_seq;
	record->no_shows = life_case->no_shows;
	record->carry = life_case->carry;
	record->has_stale_supply = is_open && portrait->rank.has_stale_supply;
	record->wants_derogation = is_open && wants_derogation(state, portrait, life_case, record);
	record->closing = (uint8_t)life_case->closing;
	record->closed_on = is_open ? DAY_NONE : life_case->closed_on;
	record->state =
		(uint8_t)(is_open ? case_state(state, portrait, life_case, record->is_eligible)
				  : CASE_STATE_CLOSED);
	booking_set(state, record,
		    is_open && record->state == CASE_STATE_PLANNED
			    ? portrait->visits[life_case->visit - 1].number
			    : 0);
	record->tier = (uint8_t)(is_open ? portrait->rank.tier : 0);
	record->effective_date = is_open ? portrait->rank.effective_date : DAY_NONE;
}

static void queue_case(struct state *state, uint32_t number)
{
	const struct case_record *record = state_get(state, cases, number);

	if (record->state == CASE_STATE_CLOSED)
		queue_remove(&state->queue, number);
	else
		queue_put(&state->queue, number,
			  (struct queue_key){record->tier, record->effective_date,
					     record->order_seq});
}

/* An active visit no case holds any more is cancelled, for good. */
static void cancel_stray_visits(struct state *state, const struct portrait *portrait,
				const struct cause *cause)
{
	for (uint32_t i = 0; i < portrait->visit_count; i++) {
		uint32_t number = portrait->visits[i].number;
		struct visit *visit = &state->visits.items[number];
		uint32_t owner = case_resolve(state, visit->case_number);

		if (!visit_is_active(visit) || (owner && state->cases.items[owner].visit == number))
			continue;
		settle_cancel_visit(state, number, owner ? owner : visit->case_number, cause);
	}
}

/* --- settling --------------------------------------------------------------------------------- */

static void set_household_timer(struct state *state, uint32_t head, day_t next)
{
	struct household *household = state_get(state, households, head);

	if (household->turns_on == next)
		return;
	household->turns_on = next;
	if (next < DAY_MAX)
		timers_set(state, time_at_paris(next, 0, 0), TIMER_HOUSEHOLD, head);
}

/* A cut cannot wait for the morning's plan. */
static void notice_cut(struct state *state, uint32_t number, uint32_t tier_before,
		       const struct cause *cause)
{
	const struct case_record *record = &state->cases.items[number];

	if (record->state == CASE_STATE_CLOSED || record->tier != TIER_CUT ||
	    tier_before == TIER_CUT)
		return;
	state->plan_is_wanted = true;
	mailing_cut(state, cause, number);
}

void settle_household(struct state *state, uint32_t household, const struct cause *cause)
{
	uint32_t head = household_head(state, household);
	struct household *record = state_get(state, households, head);
	struct arena arena = {0};
	struct portrait portrait;
	const struct life_case *open;

	if (!state->has_policy || state->parties.items[record->party].is_erased)
		return;
	do /* visits that come or go with a number can change which facts open cases */
		portrait_make(state, head, &arena, &portrait);
	while (numbering_assign(state, &portrait, head) ||
	       numbering_lead(state, &portrait, head, cause));
	forget_lost_case(state, &portrait, head, cause);
	for (uint32_t i = 0; i < portrait.life.case_count; i++) {
		uint32_t number = portrait.life.cases[i].number;
		uint32_t tier_before = state->cases.items[number].tier;

		fill_case(state, &portrait, &portrait.life.cases[i]);
		queue_case(state, number);
		notice_cut(state, number, tier_before, cause);
	}
	open = life_open_case(&portrait.life);
	record->open_case = open ? open->number : 0;
	record->insee = portrait.life.insee;
	cancel_stray_visits(state, &portrait, cause);
	set_household_timer(state, head, portrait.horizon.next);
	arena_done(&arena);
}

/* Whoever has the fact now comes first, and with it the number of the case that it opened: the others find
 * that the case is not theirs any more. Numbers they leave are taken over in the end. */
void settle_fact(struct state *state, uint32_t fact, const struct cause *cause)
{
	uint32_t holder = standing_find_holder(state, fact),
		 newest = standing_find_newest(state, fact);
	uint32_t party = state->facts.items[holder ? holder : fact].party;
	bool is_alone = true;

	numbering_leave(state, holder);
	settle_household(state, party_household(state, party), cause);
	for (uint32_t at = newest; at; at = state->facts.items[at].replaces) {
		if (state->facts.items[at].party == party)
			continue;
		is_alone = false;
		settle_household(state, party_household(state, state->facts.items[at].party),
				 cause);
	}
	if (!is_alone)
		settle_household(state, party_household(state, party), cause);
}

void settle_erased(struct state *state, uint32_t head, const struct cause *cause)
{
	struct household *household = state_get(state, households, head);
	struct case_record *record;

	household->turns_on = DAY_MAX;
	if (!household->open_case)
		return;
	record = state_get(state, cases, household->open_case);
	queue_remove(&state->queue, household->open_case);
	record->state = CASE_STATE_CLOSED;
	record->closing = CLOSING_ERASED;
	record->closed_on = state->today;
	record->is_eligible = false;
	record->tier = 0;
	record->effective_date = DAY_NONE;
	if (record->visit)
		settle_cancel_visit(state, record->visit, household->open_case, cause);
	booking_set(state, record, 0);
	household->open_case = 0;
}

void settle_all(struct state *state, const struct cause *cause)
{
	for (uint32_t i = 1; i < state->households.count; i++)
		if (state->households.items[i].head == i)
			settle_household(state, i, cause);
}

/* --- groups ----------------------------------------------------------------------------------- */

static bool links_same(const struct link *a, const struct link *b)
{
	return (a->a == b->a && a->b == b->b) || (a->a == b->b && a->b == b->a);
}

/* Does this link hold two households together: it says so, and is the latest word on the two? Nothing
 * holds to one that was erased. */
static bool link_holds(const struct state *state, uint32_t index)
{
	const struct link *link = &state->links.items[index];
	uint32_t household = link->a;

	if (link->is_void || (link->kind != LINK_SAME && link->kind != LINK_JOINED) ||
	    household_is_erased(state, link->a) || household_is_erased(state, link->b))
		return false;
	for (uint32_t at = state->households.items[household].first_link; at;) {
		const struct link *other = &state->links.items[at];

		if (at != index && !other->is_void && other->kind != LINK_POSSIBLE &&
		    links_same(link, other) && other->seq > link->seq)
			return false;
		at = other->a == household ? other->next_a : other->next_b;
	}
	return true;
}

struct members {
	uint32_t *items, count, capacity;
};

static void add_member(struct members *members, uint32_t household)
{
	for (uint32_t i = 0; i < members->count; i++)
		if (members->items[i] == household)
			return;
	MEM_ROOM(members->items, members->count, members->capacity);
	members->items[members->count++] = household;
}

static void add_neighbours(const struct state *state, struct members *members, uint32_t household)
{
	for (uint32_t at = state->households.items[household].first_link; at;) {
		const struct link *link = &state->links.items[at];
		uint32_t other = link->a == household ? link->b : link->a;

		if (link_holds(state, at))
			add_member(members, other);
		at = link->a == household ? link->next_a : link->next_b;
	}
}

static int compare_numbers(const void *first, const void *second)
{
	uint32_t a = *(const uint32_t *)first, b = *(const uint32_t *)second;

	return a < b ? -1 : a > b;
}

/* Everyone who is the same as this household, tied in the order of their numbers. */
static void regroup(struct state *state, uint32_t household)
{
	struct members members = {0};

	add_member(&members, household);
	for (uint32_t i = 0; i < members.count; i++)
		add_neighbours(state, &members, members.items[i]);
	qsort(members.items, members.count, sizeof(*members.items), compare_numbers);
	for (uint32_t i = 0; i < members.count; i++) {
		struct household *member = state_get(state, households, members.items[i]);

		member->head = members.items[0];
		member->next_member = i + 1 < members.count ? members.items[i + 1] : 0;
		member->open_case = 0;
		member->turns_on = DAY_MAX;
	}
	free(members.items);
}

static void list_group(const struct state *state, struct members *members, uint32_t household)
{
	for (uint32_t at = household_head(state, household); at;
	     at = state->households.items[at].next_member)
		add_member(members, at);
}

void settle_link(struct state *state, uint32_t a, uint32_t b, const struct cause *cause)
{
	struct members before = {0};

	list_group(state, &before, a);
	list_group(state, &before, b);
	for (uint32_t i = 0; i < before.count; i++)
		regroup(state, before.items[i]);
	for (uint32_t i = 0; i < before.count; i++)
		if (household_head(state, before.items[i]) == before.items[i])
			settle_household(state, before.items[i], cause);
	free(before.items);
}

/* --- givers ----------------------------------------------------------------------------------- */

static void tell_places(struct giver *giver, const struct giver_fact *said)
{
	if (said->canton_count) {
		giver->cantons = said->places;
		giver->canton_count = said->canton_count;
	}
	if (said->commune_count) {
		giver->communes = said->places + said->canton_count;
		giver->commune_count = said->commune_count;
	}
}

static void tell_giver(struct giver *giver, const struct fact *fact)
{
	if (fact->kind == EVENT_GIVER_LEFT) {
		giver->left_on = fact->giver.until;
		giver->successor = fact->giver.successor ? fact->giver.successor : giver->successor;
		return;
	}
	if (fact->giver.kind)
		giver->kind = fact->giver.kind;
	if (fact->giver.structure)
		giver->structure = fact->giver.structure;
	if (fact->giver.successor)
		giver->successor = fact->giver.successor;
	if (fact->giver.pace)
		giver->pace = fact->giver.pace;
	tell_places(giver, &fact->giver);
	if (fact->giver.has_name)
		giver->name_at = fact->seq;
	if (fact->giver.has_email)
		giver->email_at = fact->seq;
}

void settle_giver(struct state *state, uint32_t index)
{
	struct giver *giver = state_get(state, givers, index);
	const struct party *party = state_get(state, parties, giver->party);

	*giver = (struct giver){
		.party = giver->party,
		.id = giver->id,
		.left_on = DAY_NONE,
		.is_erased = party->is_erased,
		.last_referral = giver->last_referral,
		.refused_at = giver->refused_at,
		.nudged_for = giver->nudged_for,
	};
	for (uint32_t at = party->first_fact; at; at = state->facts.items[at].next)
		if (!state->facts.items[at].is_void && !state->facts.items[at].is_replaced)
			tell_giver(giver, &state->facts.items[at]);
	if (giver->left_on != DAY_NONE && giver->left_on >= state->today)
		timers_set(state, time_at_paris(giver->left_on + 1, 0, 0), TIMER_GIVER, index);
	redirect_giver(state, index);
}
