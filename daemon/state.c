#include "daemon/state.h"

#include <stdlib.h>

#include "proto/hash.h"

/* Adds a copy of `item` to a table and gives its number. */
#define table_add(table, item)                                                                     \
	({                                                                                         \
		MEM_ROOM((table).items, (table).count, (table).capacity);                          \
		(table).items[(table).count] = (item);                                             \
		(table).count++;                                                                   \
	})

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

static bool has_key(const struct fact *fact)
{
	return fact->key[0] || fact->key[1];
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
	if (has_key(added)) {
		uint32_t older = state_find_key(state, added->key);

		if (older)
			(void)map_remove(&state->key_index, added->key[0], older);
		added->replaces = older && !is_forgotten(state, older) ? older : 0;
		map_put(&state->key_index, added->key[0], index);
	}
	if (added->replaces)
		state_refresh_key(state, index);
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

uint32_t state_add_task(struct state *state, struct task task)
{
	assert(task.state == TASK_STATE_SCHEDULED);
	state->task_states[TASK_STATE_SCHEDULED]++;
	return table_add(state->tasks, task);
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

bool giver_has_left(const struct state *state, const struct giver *giver)
{
	return giver->left_on != DAY_NONE && state->today > giver->left_on;
}

/* --- facts that hold -------------------------------------------------------------------------- */

/* The number of a case goes along with a correction, and back when that is taken back. What was left by a
 * version that is void since long stays where it is: with the household that was told it. */
static void carry_number(struct state *state, uint32_t fact, uint32_t holder)
{
	for (uint32_t at = state_find_newest(state, fact); at && holder;
	     at = state->facts.items[at].replaces) {
		struct fact *version = &state->facts.items[at];

		if (at == holder || !version->opened || (version->is_void && at != fact))
			continue;
		assert(!state->facts.items[holder].opened);
		state->facts.items[holder].opened = version->opened;
		version->opened = 0;
	}
}

void state_refresh_key(struct state *state, uint32_t fact)
{
	uint32_t holder = state_find_holder(state, fact);
	bool is_held = false;

	for (uint32_t at = state_find_newest(state, fact); at;
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

uint32_t state_count_facts(const struct state *state, uint32_t head)
{
	uint32_t count = 0;

	for (uint32_t at = head; at; at = state->households.items[at].next_member)
		count += state->parties.items[state->households.items[at].party].fact_count;
	return count;
}

uint32_t state_find_newest(const struct state *state, uint32_t fact)
{
	return has_key(&state->facts.items[fact])
		       ? state_find_key(state, state->facts.items[fact].key)
		       : fact;
}

uint32_t state_find_holder(const struct state *state, uint32_t fact)
{
	uint32_t at = state_find_newest(state, fact);

	while (at && state->facts.items[at].is_void)
		at = state->facts.items[at].replaces;
	return at;
}

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
	for (uint32_t i = 1; i < gathering->count; i++)
		if (gathering->facts[i - 1].seq > gathering->facts[i].seq) {
			qsort(gathering->facts, gathering->count, sizeof(*gathering->facts),
			      compare_places);
			break;
		}
	*count = gathering->count;
	return gathering->facts;
}

struct standing *state_gather(const struct state *state, uint32_t head, struct arena *arena,
			      uint32_t *count)
{
	struct gathering gathering = {.state = state, .arena = arena};

	return gather_group(&gathering, head, count);
}

struct standing *state_gather_whole(const struct state *state, uint32_t head, struct arena *arena,
				    uint32_t *count)
{
	struct gathering gathering = {.state = state, .arena = arena, .is_whole = true};

	return gather_group(&gathering, head, count);
}

static int compare_visits(const void *first, const void *second)
{
	const struct life_visit *a = first, *b = second;

	return a->number < b->number ? -1 : a->number > b->number;
}

struct life_visit *state_gather_visits(const struct state *state, const struct standing *facts,
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

/* --- active visits ---------------------------------------------------------------------------- */

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

void state_set_visit(struct state *state, struct case_record *record, uint32_t visit)
{
	if (record->visit == visit)
		return;
	if (record->visit)
		remove_active(state, record->visit);
	record->visit = visit;
	if (visit)
		add_active(state, visit);
}

uint32_t state_find_booking(const struct state *state, uint32_t pair, day_t day, uint32_t half)
{
	for (uint32_t i = 1; i < state->active_visits.count; i++) {
		uint32_t number = state->active_visits.items[i];
		const struct visit *visit = &state->visits.items[number];

		if (visit->pair == pair && visit->day == day && visit->half == half)
			return number;
	}
	return 0;
}

/* --- tasks, timers ---------------------------------------------------------------------------- */

static void task_list_add(struct state *state, struct task_list *list, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	task->next = 0;
	task->previous = list->last;
	if (list->last)
		state->tasks.items[list->last].next = number;
	else
		list->first = number;
	list->last = number;
	list->count++;
}

static void task_list_remove(struct state *state, struct task_list *list, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	if (task->previous)
		state->tasks.items[task->previous].next = task->next;
	else
		list->first = task->next;
	if (task->next)
		state->tasks.items[task->next].previous = task->previous;
	else
		list->last = task->previous;
	task->next = task->previous = 0;
	list->count--;
}

static struct task_list *list_of(struct state *state, const struct task *task)
{
	if (task->state == TASK_STATE_READY)
		return &state->ready[task->kind];
	if (task->state == TASK_STATE_HELD)
		return &state->held;
	return NULL;
}

void state_move_task(struct state *state, uint32_t number, uint32_t to)
{
	struct task *task = state_get(state, tasks, number);
	struct task_list *from = list_of(state, task);

	if (from)
		task_list_remove(state, from, number);
	state->task_states[task->state]--;
	task_move(task, to);
	state->task_states[task->state]++;
	if (list_of(state, task))
		task_list_add(state, list_of(state, task), number);
}

static const struct {
	enum timer_kind kind;
	int hour;
} daily[] = {
	{TIMER_NIGHT, 0},
	{TIMER_FORECAST, FORECAST_HOUR},
	{TIMER_MORNING, MORNING_HOUR},
};

void state_set_daily_timer(struct state *state, enum timer_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(daily); i++) {
		ms_t at = time_at_paris(state->today, daily[i].hour, 0);

		if (daily[i].kind != kind)
			continue;
		if (at <= state->now)
			at = time_at_paris(state->today + 1, daily[i].hour, 0);
		state_set_timer(state, at, kind, 0);
	}
}

void state_set_timer(struct state *state, ms_t at, enum timer_kind kind, uint32_t id)
{
	heap_push(&state->timers, (struct heap_item){at, kind, id});
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
		state_set_visit(state, record, visit);
	}
}

static void rebuild_timers(struct state *state)
{
	for (uint32_t i = 1; i < state->households.count; i++)
		if (state->households.items[i].turns_on < DAY_MAX)
			state_set_timer(state,
					time_at_paris(state->households.items[i].turns_on, 0, 0),
					TIMER_HOUSEHOLD, i);
	for (uint32_t i = 1; i < state->givers.count; i++)
		if (state->givers.items[i].left_on != DAY_NONE &&
		    state->givers.items[i].left_on >= state->today)
			state_set_timer(state,
					time_at_paris(state->givers.items[i].left_on + 1, 0, 0),
					TIMER_GIVER, i);
	for (uint32_t i = 1; i < state->tasks.count; i++)
		if (state->tasks.items[i].state == TASK_STATE_RETRYING ||
		    state->tasks.items[i].state == TASK_STATE_SCHEDULED ||
		    state->tasks.items[i].state == TASK_STATE_HELD)
			state_set_timer(state, state->tasks.items[i].due, TIMER_TASK, i);
	for (uint32_t i = 1; i < state->tasks.count; i++)
		state->task_states[state->tasks.items[i].state]++;
	if (state->plan_due != MS_NONE)
		state_set_timer(state, state->plan_due, TIMER_PLAN, 0);
	for (size_t i = 0; state->has_policy && i < ARRAY_SIZE(daily); i++)
		state_set_daily_timer(state, daily[i].kind);
	if (state->import.first)
		state_set_timer(state, state->import.due, TIMER_IMPORT, 0);
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
		if (!has_key(fact))
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
	rebuild_timers(state);
}

void state_load_policy(struct state *state, struct str bytes)
{
	struct buf copy = {0};
	enum err err;

	buf_add_str(&copy, bytes);
	buf_done(&state->policy_bytes);
	state->policy_bytes = copy;
	arena_reset(&state->policy_arena);
	err = policy_decode(buf_str(&state->policy_bytes), &state->policy_arena, &state->policy,
			    NULL);
	assert(!err);
	state->has_policy = true;
}
