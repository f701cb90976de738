#include "daemon/state.h"

#include <stdlib.h>

#include "daemon/booking.h"
#include "daemon/standing.h"
#include "daemon/tasks.h"
#include "daemon/timers.h"
#include "proto/hash.h"

#define table_init(table) (void)table_add((table), (typeof(*(table).items)){0})

void state_init(struct state *state)
{
	*state = (struct state){.now = 0, .plan_due = MS_NONE};
	table_init(state->parties);
	table_init(state->households);
	table_init(state->givers);
	table_init(state->facts);
	table_init(state->links);
	table_init(state->aliases);
	table_init(state->visits);
	table_init(state->cases);
	table_init(state->tasks);
	table_init(state->identities);
	table_init(state->places);
	table_init(state->sectors);
	table_init(state->mailboxes);
	table_init(state->parts);
	table_init(state->water_cuts);
	table_init(state->active_visits);
}

void state_done(struct state *state)
{
	buf_done(&state->policy_bytes);
	arena_done(&state->policy_arena);
	names_done(&state->names);
	free(state->parties.items);
	free(state->households.items);
	free(state->givers.items);
	free(state->facts.items);
	free(state->links.items);
	free(state->aliases.items);
	free(state->visits.items);
	free(state->cases.items);
	free(state->tasks.items);
	free(state->identities.items);
	free(state->places.items);
	free(state->sectors.items);
	free(state->mailboxes.items);
	free(state->parts.items);
	free(state->water_cuts.items);
	map_done(&state->mailbox_index);
	free(state->active_visits.items);
	map_done(&state->alias_index);
	map_done(&state->giver_index);
	map_done(&state->key_index);
	map_done(&state->identity_index);
	queue_done(&state->queue);
	heap_done(&state->timers);
}

/* --- adding ----------------------------------------------------------------------------------- */

static uint32_t add_party(struct state *state, enum party_kind kind, uint32_t index)
{
	return table_add(state->parties, ((struct party){.kind = (uint8_t)kind, .index = index}));
}

uint32_t state_add_household(struct state *state)
{
	uint32_t index = state->households.count;

	return table_add(state->households,
			 ((struct household){
				 .party = add_party(state, PARTY_HOUSEHOLD, index),
				 .head = index,
				 .turns_on = DAY_MAX,
			 }));
}

uint32_t state_add_giver(struct state *state, struct str id)
{
	uint32_t index = state->givers.count, name = names_add(&state->names, id);

	map_put(&state->giver_index, name, index);
	return table_add(state->givers, ((struct giver){
						.party = add_party(state, PARTY_GIVER, index),
						.id = name,
						.left_on = DAY_NONE,
						.nudged_for = DAY_NONE,
					}));
}

static void append_fact(struct state *state, uint32_t index, uint32_t *first, uint32_t *last)
{
	if (*last)
		state->facts.items[*last].next = index;
	else
		*first = index;
	*last = index;
}

/* Facts are added in the order of their numbers; each is last of its list: its visit's, its party's,
 * or that of the pairs. */
static void list_fact(struct state *state, uint32_t index)
{
	const struct fact *fact = &state->facts.items[index];

	if (fact_is_about_visit(fact)) {
		struct visit *visit = state_get(state, visits, fact->visit.visit);

		append_fact(state, index, &visit->first_fact, &visit->last_fact);
	} else if (fact->party) {
		struct party *party = state_get(state, parties, fact->party);

		append_fact(state, index, &party->first_fact, &party->last_fact);
		party->fact_count++;
	} else {
		append_fact(state, index, &state->first_absence, &state->last_absence);
	}
}

/* A giver's referrals hang together, the latest first. */
static void list_referral(struct state *state, uint32_t index)
{
	struct referral_fact *referral = &state->facts.items[index].referral;
	struct giver *giver = state_get(state, givers, party_giver(state, referral->giver));

	referral->previous = giver->last_referral;
	giver->last_referral = index;
}

static bool is_water_cut(const struct fact *fact)
{
	return (fact->kind == EVENT_SUPPLIER_CUT || fact->kind == EVENT_SUPPLIER_LIMITED) &&
	       fact->supply.energy == ENERGY_WATER;
}

/* What was said of an erased household is not handed on to anybody. */
static bool is_forgotten(const struct state *state, uint32_t fact)
{
	uint32_t party = state->facts.items[fact].party;

	return party && state->parties.items[party].is_erased;
}

/* What a new version replaces: the latest one before it, but for those that were taken back and went with an
 * erased household. What such a household still holds is beyond reach: 0. */
static uint32_t find_replaced(const struct state *state, uint32_t latest)
{
	while (latest && state->facts.items[latest].is_void && is_forgotten(state, latest))
		latest = state->facts.items[latest].replaces;
	return latest && !is_forgotten(state, latest) ? latest : 0;
}

uint32_t state_add_fact(struct state *state, const struct fact *fact)
{
	uint32_t index = table_add(state->facts, *fact);
	struct fact *added = &state->facts.items[index];

	added->next = 0;
	list_fact(state, index);
	if (added->kind == EVENT_REFERRAL_RECEIVED)
		list_referral(state, index);
	if (is_water_cut(added))
		(void)table_add(state->water_cuts, index);
	if (fact_has_key(added)) {
		uint32_t older = state_find_key(state, added->key);

		if (older)
			(void)map_remove(&state->key_index, added->key[0], older);
		added->replaces = find_replaced(state, older);
		map_put(&state->key_index, added->key[0], index);
	}
	if (added->replaces)
		standing_refresh(state, index);
	return index;
}

uint32_t state_add_link(struct state *state, struct link link)
{
	struct household *a = state_get(state, households, link.a);
	struct household *b = state_get(state, households, link.b);
	uint32_t index;

	link.next_a = a->first_link;
	link.next_b = b->first_link;
	index = table_add(state->links, link);
	a->first_link = index;
	b->first_link = index;
	return index;
}

static uint64_t hash_head(const uint8_t hash[DIGEST_SIZE])
{
	uint64_t head = 0;

	for (int i = 0; i < 8; i++)
		head = head << 8 | hash[i];
	return head;
}

uint32_t state_add_alias(struct state *state, const uint8_t hash[DIGEST_SIZE], uint32_t household)
{
	struct alias alias = {.household = household};
	uint32_t index;

	memcpy(alias.hash, hash, DIGEST_SIZE);
	index = table_add(state->aliases, alias);
	map_put(&state->alias_index, hash_head(hash), index);
	return index;
}

uint32_t state_add_visit(struct state *state, struct visit visit)
{
	struct case_record *owner = state_get(state, cases, visit.case_number);
	uint32_t index;

	visit.next = 0;
	index = table_add(state->visits, visit);
	if (owner->last_visit)
		state->visits.items[owner->last_visit].next = index;
	else
		owner->first_visit = index;
	owner->last_visit = index;
	return index;
}

uint32_t state_add_case(struct state *state, struct case_record record)
{
	return table_add(state->cases, record);
}

uint32_t state_add_place(struct state *state, uint32_t place)
{
	return table_add(state->places, place);
}

uint32_t state_add_part(struct state *state, struct mail part)
{
	return table_add(state->parts, part);
}

uint64_t state_identity(const struct state *state, struct str source, struct str id)
{
	struct str parts[2] = {source, id};
	uint64_t fingerprint = hash_short(state->salt, parts, 2);

	map_expect(&state->identity_index, fingerprint);
	return fingerprint;
}

void state_add_identity(struct state *state, struct str source, struct str id, uint64_t seq)
{
	struct identity identity = {state_identity(state, source, id), (uint32_t)seq};

	assert(seq <= UINT32_MAX);
	(void)table_add(state->identities, identity);
	map_put(&state->identity_index, identity.fingerprint, identity.seq);
}

/* --- finding ---------------------------------------------------------------------------------- */

uint32_t state_find_alias(const struct state *state, const uint8_t hash[DIGEST_SIZE])
{
	struct map_cursor cursor = {0};
	uint32_t index;

	while (map_next(&state->alias_index, hash_head(hash), &cursor, &index))
		if (memcmp(state->aliases.items[index].hash, hash, DIGEST_SIZE) == 0)
			return state->aliases.items[index].household;
	return 0;
}

uint32_t state_find_giver(const struct state *state, struct str id)
{
	struct map_cursor cursor = {0};
	uint32_t name = names_find(&state->names, id), index;

	if (name && map_next(&state->giver_index, name, &cursor, &index))
		return index;
	return 0;
}

uint32_t state_find_fact(const struct state *state, uint64_t seq)
{
	uint32_t low = 1, high = state->facts.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (state->facts.items[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < state->facts.count && state->facts.items[low].seq == seq ? low : 0;
}

uint32_t state_find_key(const struct state *state, const uint64_t key[2])
{
	struct map_cursor cursor = {0};
	uint32_t index;

	while (map_next(&state->key_index, key[0], &cursor, &index))
		if (state->facts.items[index].key[1] == key[1])
			return index;
	return 0;
}

bool state_next_identity(const struct state *state, uint64_t identity, struct map_cursor *cursor,
			 uint32_t *seq)
{
	return map_next(&state->identity_index, identity, cursor, seq);
}

uint32_t party_household(const struct state *state, uint32_t party)
{
	const struct party *found = state_get(state, parties, party);

	assert(found->kind == PARTY_HOUSEHOLD);
	return found->index;
}

uint32_t party_giver(const struct state *state, uint32_t party)
{
	const struct party *found = state_get(state, parties, party);

	assert(found->kind == PARTY_GIVER);
	return found->index;
}

uint32_t household_head(const struct state *state, uint32_t household)
{
	return state_get(state, households, household)->head;
}

bool household_is_erased(const struct state *state, uint32_t household)
{
	return state_get(state, parties, state_get(state, households, household)->party)->is_erased;
}

uint32_t state_count_facts(const struct state *state, uint32_t head)
{
	uint32_t count = 0;

	for (uint32_t at = head; at; at = state->households.items[at].next_member)
		count += state->parties.items[state->households.items[at].party].fact_count;
	return count;
}

uint32_t case_resolve(const struct state *state, uint32_t number)
{
	while (number && number < state->cases.count) {
		const struct case_record *record = &state->cases.items[number];

		if (record->is_gone)
			return 0;
		if (!record->joined)
			return number;
		number = record->joined;
	}
	return 0;
}

bool case_was_visited(const struct state *state, const struct case_record *record)
{
	for (uint32_t at = record->first_visit; at; at = state->visits.items[at].next)
		if (state->visits.items[at].state == VISIT_STATE_DONE)
			return true;
	return false;
}

/* --- sectors, mailboxes, givers ----------------------------------------------------------------- */

const struct sector_record *state_find_sector(const struct state *state, struct str id)
{
	uint32_t name = names_find(&state->names, id);

	for (uint32_t i = 1; name && i < state->sectors.count; i++)
		if (state->sectors.items[i].name == name)
			return &state->sectors.items[i];
	return NULL;
}

struct sector_record *state_sector(struct state *state, struct str id)
{
	const struct sector_record *found = state_find_sector(state, id);
	struct sector_record record = {
		.name = names_add(&state->names, id),
		.weeks = WEEKS_NONE,
		.told = {DAY_NONE, DAY_NONE, DAY_NONE, DAY_NONE},
	};
	uint32_t index;

	if (found)
		return &state->sectors.items[found - state->sectors.items];
	index = table_add(state->sectors,
			  record); /* the table may move: its place is looked up after */
	return &state->sectors.items[index];
}

static uint64_t mailbox_key(uint32_t to, uint32_t recipient)
{
	return ((uint64_t)to << 32 | recipient) * 0x9e3779b97f4a7c15u;
}

struct mailbox *state_mailbox(struct state *state, uint32_t to, uint32_t recipient)
{
	struct mailbox box = {.recipient = recipient, .to = (uint8_t)to, .day = DAY_NONE};
	struct map_cursor cursor = {0};
	uint32_t index;

	while (map_next(&state->mailbox_index, mailbox_key(to, recipient), &cursor, &index))
		if (state->mailboxes.items[index].to == to &&
		    state->mailboxes.items[index].recipient == recipient)
			return &state->mailboxes.items[index];
	index = table_add(state->mailboxes, box);
	map_put(&state->mailbox_index, mailbox_key(to, recipient), index);
	return &state->mailboxes.items[index];
}

struct str giver_canton(const struct state *state, const struct giver *giver, uint32_t position)
{
	assert(position < giver->canton_count);
	return names_get(&state->names, state->places.items[giver->cantons + position]);
}

insee_t giver_commune(const struct state *state, const struct giver *giver, uint32_t position)
{
	assert(position < giver->commune_count);
	return state->places.items[giver->communes + position];
}

bool giver_has_left(const struct state *state, const struct giver *giver)
{
	return giver->left_on != DAY_NONE && state->today > giver->left_on;
}

/* --- after a snapshot ------------------------------------------------------------------------- */

static void rebuild_cases(struct state *state)
{
	for (uint32_t i = 1; i < state->cases.count; i++) {
		struct case_record *record = &state->cases.items[i];
		uint32_t visit = record->visit;

		if (!record->is_gone && !record->joined && record->state != CASE_STATE_CLOSED)
			queue_put(&state->queue, i,
				  (struct queue_key){record->tier, record->effective_date,
						     record->order_seq});
		record->visit = 0;
		booking_set(state, record, visit);
	}
}

void state_rebuild(struct state *state)
{
	for (uint32_t i = 1; i < state->aliases.count; i++)
		map_put(&state->alias_index, hash_head(state->aliases.items[i].hash), i);
	for (uint32_t i = 1; i < state->givers.count; i++)
		map_put(&state->giver_index, state->givers.items[i].id, i);
	for (uint32_t i = 1; i < state->facts.count; i++) {
		const struct fact *fact = &state->facts.items[i];
		uint32_t older;

		if (is_water_cut(fact))
			(void)table_add(state->water_cuts, i);
		if (!fact_has_key(fact))
			continue;
		older = state_find_key(state, fact->key);
		if (older)
			(void)map_remove(&state->key_index, fact->key[0], older);
		map_put(&state->key_index, fact->key[0], i);
	}
	for (uint32_t i = 1; i < state->identities.count; i++)
		map_put(&state->identity_index, state->identities.items[i].fingerprint,
			state->identities.items[i].seq);
	for (uint32_t i = 1; i < state->mailboxes.count; i++)
		map_put(&state->mailbox_index,
			mailbox_key(state->mailboxes.items[i].to,
				    state->mailboxes.items[i].recipient),
			i);
	rebuild_cases(state);
	tasks_rebuild(state);
	timers_rebuild(state);
}

void state_load_policy(struct state *state, struct str bytes)
{
	struct buf copy = {0};
	struct fault fault;
	enum err err;

	buf_add_str(&copy, bytes);
	buf_done(&state->policy_bytes);
	state->policy_bytes = copy;
	arena_reset(&state->policy_arena);
	err = policy_decode_form(buf_str(&state->policy_bytes), &state->policy_arena,
				 &state->policy, &fault);
	assert(!err);
	state->has_policy = true;
}
