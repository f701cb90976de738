#include "daemon/standing.h"

#include <stdlib.h>

/* --- under one key ---------------------------------------------------------------------------- */

/* The number of a case goes along with a correction, and back when that is taken back. What was left by a
 * version that is void since long stays where it is: with the household that was told it. */
static void carry_number(struct state *state, uint32_t fact, uint32_t holder)
{
	for (uint32_t at = standing_find_newest(state, fact); at && holder;
	     at = state->facts.items[at].replaces) {
		struct fact *version = &state->facts.items[at];

		if (at == holder || !version->opened || (version->is_void && at != fact))
			continue;
		assert(!state->facts.items[holder].opened);
		state->facts.items[holder].opened = version->opened;
		version->opened = 0;
	}
}

void standing_refresh(struct state *state, uint32_t fact)
{
	uint32_t holder = standing_find_holder(state, fact);
	bool is_held = false;

	for (uint32_t at = standing_find_newest(state, fact); at;
	     at = state->facts.items[at].replaces) {
		state->facts.items[at].is_replaced = is_held;
		is_held = is_held || at == holder;
	}
	carry_number(state, fact, holder);
}

/* The place of a fact that holds: that of the oldest valid one under its key. */
static struct standing stand(const struct state *state, uint32_t index)
{
	const struct fact *fact = &state->facts.items[index];
	struct standing standing = {fact, index, index, fact->seq, fact->day, fact->accepted};

	for (uint32_t at = fact->replaces; at; at = state->facts.items[at].replaces) {
		const struct fact *older = &state->facts.items[at];

		if (older->is_void)
			continue;
		standing.root = at;
		standing.seq = older->seq;
		standing.day = older->day;
		standing.accepted = older->accepted;
	}
	return standing;
}

static int compare_places(const void *first, const void *second)
{
	const struct standing *a = first, *b = second;

	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

uint32_t standing_find_newest(const struct state *state, uint32_t fact)
{
	return fact_has_key(&state->facts.items[fact])
		       ? state_find_key(state, state->facts.items[fact].key)
		       : fact;
}

uint32_t standing_find_holder(const struct state *state, uint32_t fact)
{
	uint32_t at = standing_find_newest(state, fact);

	while (at && state->facts.items[at].is_void)
		at = state->facts.items[at].replaces;
	return at;
}

/* --- gathering -------------------------------------------------------------------------------- */

/* A growing list of standing facts in an arena. */
struct gathering {
	const struct state *state;
	struct arena *arena;
	struct standing *facts;
	uint32_t count, capacity;
	bool is_whole; /* those of erased households too */
};

static void gather(struct gathering *gathering, uint32_t fact)
{
	if (gathering->state->facts.items[fact].is_void ||
	    gathering->state->facts.items[fact].is_replaced)
		return;
	if (gathering->count == gathering->capacity) {
		struct standing *old = gathering->facts;

		gathering->capacity = gathering->capacity * 2 + 8;
		gathering->facts = arena_new(gathering->arena,
					     gathering->capacity * sizeof(*gathering->facts));
		if (gathering->count)
			memcpy(gathering->facts, old, gathering->count * sizeof(*old));
	}
	gathering->facts[gathering->count++] = stand(gathering->state, fact);
}

static void gather_party(struct gathering *gathering, const struct party *party)
{
	if (party->is_erased && !gathering->is_whole)
		return;
	for (uint32_t at = party->first_fact; at; at = gathering->state->facts.items[at].next)
		gather(gathering, at);
}

/* Visits follow the case's number, wherever the fact that opened it went. */
static void gather_visits_of(struct gathering *gathering, uint32_t number)
{
	const struct state *state = gathering->state;

	for (uint32_t visit = state->cases.items[number].first_visit; visit;
	     visit = state->visits.items[visit].next)
		for (uint32_t at = state->visits.items[visit].first_fact; at;
		     at = state->facts.items[at].next)
			gather(gathering, at);
}

/* Would one replace the other, had the household one number only? */
static bool have_same_key(const struct fact *a, const struct fact *b)
{
	if (a->kind != b->kind || a->source != b->source)
		return false;
	switch (a->kind) {
	case EVENT_SUPPLIER_NOTICE:
		return a->notice.supplier == b->notice.supplier &&
		       a->notice.energy == b->notice.energy && a->notice.step == b->notice.step &&
		       a->notice.issued_on == b->notice.issued_on;
	case EVENT_SUPPLIER_LIMITED:
	case EVENT_SUPPLIER_CUT:
	case EVENT_SUPPLIER_RESTORED:
		return a->supply.supplier == b->supply.supplier &&
		       a->supply.energy == b->supply.energy && a->supply.on == b->supply.on;
	case EVENT_HOUSEHOLD_PROTECTION:
		return a->protection.valid_from == b->protection.valid_from;
	default:
		return false;
	}
}

/* The same fact, saying what was said last. */
static const struct fact *retell(struct arena *arena, const struct fact *own,
				 const struct fact *last)
{
	struct fact *told = arena_new(arena, sizeof(*told));

	*told = *last;
	told->seq = own->seq;
	told->party = own->party;
	told->opened = own->opened;
	return told;
}

static void unite(struct arena *arena, struct standing *first, struct standing *later)
{
	if (later->fact->seq > first->fact->seq)
		first->fact = retell(arena, first->fact, later->fact);
	else
		later->fact = retell(arena, later->fact, first->fact);
	later->root = first->root;
	later->seq = first->seq;
	later->day = first->day;
	later->accepted = first->accepted;
}

/* A household of several numbers is one from the start: of what was said of two of them under one key the
 * last holds, at the place of the first. Both stay, and say the same, so that a case that either opened
 * keeps its number. */
static void unite_keys(struct gathering *gathering)
{
	for (uint32_t i = 1; i < gathering->count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (have_same_key(gathering->facts[k].fact, gathering->facts[i].fact))
				unite(gathering->arena, &gathering->facts[k], &gathering->facts[i]);
}

static void sort_places(struct gathering *gathering)
{
	for (uint32_t i = 1; i < gathering->count; i++)
		if (gathering->facts[i - 1].seq > gathering->facts[i].seq) {
			qsort(gathering->facts, gathering->count, sizeof(*gathering->facts),
			      compare_places);
			break;
		}
}

static struct standing *gather_group(struct gathering *gathering, uint32_t head, uint32_t *count)
{
	const struct state *state = gathering->state;
	uint32_t said;

	for (uint32_t member = head; member; member = state->households.items[member].next_member)
		gather_party(gathering,
			     &state->parties.items[state->households.items[member].party]);
	said = gathering->count;
	for (uint32_t i = 0; i < said; i++)
		if (gathering->facts[i].fact->opened)
			gather_visits_of(gathering, gathering->facts[i].fact->opened);
	sort_places(gathering);
	if (state->households.items[head].next_member) {
		unite_keys(gathering);
		sort_places(gathering);
	}
	*count = gathering->count;
	return gathering->facts;
}

struct standing *standing_gather(const struct state *state, uint32_t head, struct arena *arena,
				 uint32_t *count)
{
	struct gathering gathering = {.state = state, .arena = arena};

	return gather_group(&gathering, head, count);
}

struct standing *standing_gather_whole(const struct state *state, uint32_t head,
				       struct arena *arena, uint32_t *count)
{
	struct gathering gathering = {.state = state, .arena = arena, .is_whole = true};

	return gather_group(&gathering, head, count);
}

static int compare_visits(const void *first, const void *second)
{
	const struct life_visit *a = first, *b = second;

	return a->number < b->number ? -1 : a->number > b->number;
}

struct life_visit *standing_gather_visits(const struct state *state, const struct standing *facts,
					  uint32_t fact_count, struct arena *arena, uint32_t *count)
{
	struct life_visit *visits = NULL;
	uint32_t most = 0;

	*count = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < fact_count; i++) {
			uint32_t number = facts[i].fact->opened;

			for (uint32_t at = number ? state->cases.items[number].first_visit : 0; at;
			     at = state->visits.items[at].next) {
				if (pass)
					visits[(*count)++] =
						(struct life_visit){at, &state->visits.items[at]};
				else
					most++;
			}
		}
		if (!pass)
			visits = arena_new(arena, (most + 1) * sizeof(*visits));
	}
	qsort(visits, *count, sizeof(*visits), compare_visits);
	return visits;
}
