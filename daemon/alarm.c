#include "daemon/alarm.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/absence.h"
#include "daemon/standing.h"

struct look {
	const struct state *state;
	struct arena *arena;
	struct alarms *alarms;
};

static bool is_named(const struct texts *about, struct str name)
{
	for (uint32_t i = 0; i < about->count; i++)
		if (str_equal(about->item[i], name))
			return true;
	return false;
}

static void raise_alarm(const struct look *look, enum alarm code, day_t since, struct str about)
{
	struct alarm_raised *alarm = &look->alarms->of[code];

	if (since != DAY_NONE && (alarm->since == DAY_NONE || since < alarm->since))
		alarm->since = since;
	if (about.size && !is_named(&alarm->about, about) && alarm->about.count < SET_COUNT_MAX)
		alarm->about.item[alarm->about.count++] = about;
	alarm->count++;
}

static struct str print_number(const struct look *look, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return arena_copy(look->arena, str_from(text));
}

/* Number 0: it is about no case. */
static void raise_case(const struct look *look, enum alarm code, day_t since, uint32_t number)
{
	bool is_listed = number && look->alarms->of[code].about.count < SET_COUNT_MAX;

	raise_alarm(look, code, since, is_listed ? print_number(look, number) : (struct str){0});
}

/* --- cases ---------------------------------------------------------------------------------------- */

static void look_at_case(const struct look *look, uint32_t number)
{
	const struct case_record *record = &look->state->cases.items[number];
	day_t since = record->first_date;
	bool is_old = look->state->facts.items[record->opening].is_old;

	if (record->tier == TIER_CUT)
		raise_case(look, ALARM_CUT, since, number);
	if (!record->sector && !is_old)
		raise_case(look, ALARM_NO_SECTOR, since, number);
	if (record->wants_derogation)
		raise_case(look, ALARM_DEROGATION_WANTED, since, number);
	if (record->no_shows >= 2)
		raise_case(look, ALARM_UNREACHABLE, since, number);
	if (record->has_stale_supply && !is_old)
		raise_case(look, ALARM_STALE_SUPPLY, since, number);
}

/* Is there anything to look at? Few are, of many that are open. */
static bool is_remarkable(const struct case_record *record)
{
	return record->state != CASE_STATE_CLOSED &&
	       (record->tier == TIER_CUT || !record->sector || record->wants_derogation ||
		record->no_shows >= 2 || record->has_stale_supply);
}

struct ranked {
	uint32_t rank, number;
};

static int compare_ranks(const void *first, const void *second)
{
	const struct ranked *a = first, *b = second;

	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* In the order of the list. */
static void look_at_cases(const struct look *look)
{
	const struct state *state = look->state;
	struct ranked *found = NULL;
	uint32_t count = 0, capacity = 0;

	for (uint32_t i = 1; i < state->cases.count; i++) {
		if (!is_remarkable(&state->cases.items[i]) || !queue_has(&state->queue, i))
			continue;
		MEM_ROOM(found, count, capacity);
		found[count++] = (struct ranked){queue_rank(&state->queue, i), i};
	}
	if (count)
		qsort(found, count, sizeof(*found), compare_ranks);
	for (uint32_t i = 0; i < count; i++)
		look_at_case(look, found[i].number);
	free(found);
}

/* --- water ---------------------------------------------------------------------------------------- */

/* A household without a case is named by its own number. */
static struct str print_household(const struct look *look, uint32_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "household %u", number);
	return arena_copy(look->arena, str_from(text));
}

static void look_at_water(const struct look *look)
{
	const struct state *state = look->state;

	for (uint32_t i = 1; i < state->water_cuts.count; i++) {
		struct alarms *alarms = look->alarms;
		struct water_off off;

		if (!water_is_off(state, state->water_cuts.items[i]))
			continue;
		off = water_describe(state, state->water_cuts.items[i]);
		raise_alarm(look, ALARM_WATER_CUT, off.on,
			    off.case_number ? print_number(look, off.case_number)
					    : print_household(look, off.household));
		if (alarms->water_count < SET_COUNT_MAX)
			alarms->water[alarms->water_count++] = off;
	}
}

/* --- duplicates ----------------------------------------------------------------------------------- */

bool link_is_unsettled(const struct state *state, const struct link *link)
{
	if (link->kind != LINK_POSSIBLE || link->is_void ||
	    household_head(state, link->a) == household_head(state, link->b))
		return false;
	for (uint32_t at = state->households.items[link->a].first_link; at;) {
		const struct link *other = &state->links.items[at];
		bool is_about_both = other->a == link->b || other->b == link->b;

		if (is_about_both && !other->is_void && other->kind != LINK_POSSIBLE)
			return false;
		at = other->a == link->a ? other->next_a : other->next_b;
	}
	return true;
}

static void look_at_links(const struct look *look)
{
	const struct state *state = look->state;

	for (uint32_t i = 1; i < state->links.count; i++) {
		const struct link *link = &state->links.items[i];
		uint32_t fact = state_find_fact(state, link->seq);
		uint32_t head = household_head(state, link->a);

		if (!link_is_unsettled(state, link) || (fact && state->facts.items[fact].is_old))
			continue;
		raise_case(look, ALARM_POSSIBLE_DUPLICATE,
			   fact ? state->facts.items[fact].accepted : DAY_NONE,
			   state->households.items[head].open_case);
	}
}

/* --- visits --------------------------------------------------------------------------------------- */

/* Confirmed and still to come, of a pair that is away then: nobody would be at the door. */
static void look_for_absence(const struct look *look, const struct visit *visit, uint32_t owner)
{
	const struct fact *absence =
		visit->state == VISIT_STATE_CONFIRMED && visit->day >= look->state->today
			? absence_find(look->state, visit->pair, visit->day)
			: NULL;

	if (absence)
		raise_case(look, ALARM_ABSENT_PAIR, absence->accepted, owner);
}

static void look_at_visits(const struct look *look)
{
	const struct state *state = look->state;
	day_t late = (day_t)state->policy.planning.unrecorded_alarm;

	for (uint32_t i = 1; i < state->visits.count; i++) {
		const struct visit *visit = &state->visits.items[i];
		uint32_t owner;

		if (visit->state != VISIT_STATE_CONFIRMED && visit->state != VISIT_STATE_UNSAFE)
			continue;
		owner = case_resolve(state, visit->case_number);
		if (visit->state == VISIT_STATE_CONFIRMED && visit->day + late <= state->today)
			raise_case(look, ALARM_UNRECORDED_VISIT, visit->day, owner);
		look_for_absence(look, visit, owner);
		if (visit->state == VISIT_STATE_UNSAFE && owner &&
		    state->cases.items[owner].state != CASE_STATE_CLOSED)
			raise_case(look, ALARM_UNSAFE_VISIT, visit->day, owner);
	}
}

/* --- givers --------------------------------------------------------------------------------------- */

/* Named by nothing but old facts? */
static bool is_only_old(const struct state *state, const struct giver *giver)
{
	return giver->last_referral && state->facts.items[giver->last_referral].is_old;
}

/* Was it the word of an old fact where a giver works? The latest that says so holds. */
static bool has_old_places(const struct state *state, const struct giver *giver)
{
	bool is_old = false;

	for (uint32_t at = state->parties.items[giver->party].first_fact; at;
	     at = state->facts.items[at].next) {
		const struct fact *fact = &state->facts.items[at];

		bool says_places = fact->giver.canton_count || fact->giver.commune_count;

		if (says_places && !fact->is_void && !fact->is_replaced)
			is_old = fact->is_old;
	}
	return is_old;
}

/* How many of the first bytes of a longer text can be had without half a character. */
static size_t whole_characters(const char *text, size_t size)
{
	while (size && (text[size] & 0xc0) == 0x80)
		size--;
	return size;
}

/* "TS003 (canton 3977)", cut at a character's end where names are long. */
static struct str print_place(const struct look *look, struct str giver, const char *kind,
			      struct str place)
{
	struct buf text = {0};
	struct str copy;

	buf_printf(&text, "%.*s (%s %.*s)", (int)giver.size, giver.data, kind, (int)place.size,
		   place.data);
	if (text.size > IDENT_SIZE_MAX)
		text.size = whole_characters(text.data, IDENT_SIZE_MAX);
	copy = arena_copy(look->arena, buf_str(&text));
	buf_done(&text);
	return copy;
}

/* Places that the policy does not have: of what happens there, the giver would hear nothing. */
static void look_at_places(const struct look *look, const struct giver *giver, struct str id)
{
	const struct state *state = look->state;

	for (uint32_t i = 0; i < giver->canton_count; i++) {
		struct str canton = giver_canton(state, giver, i);

		if (!network_has_canton(state, canton) && !has_old_places(state, giver))
			raise_alarm(look, ALARM_UNKNOWN_PLACE, DAY_NONE,
				    print_place(look, id, "canton", canton));
	}
	for (uint32_t i = 0; i < giver->commune_count; i++) {
		insee_t insee = giver_commune(state, giver, i);
		char code[INSEE_TEXT_SIZE];

		if (!policy_find_commune(&state->policy, insee) && !has_old_places(state, giver))
			raise_alarm(look, ALARM_UNKNOWN_PLACE, DAY_NONE,
				    print_place(look, id, "commune",
						str_from(insee_print(insee, code))));
	}
}

static void look_at_giver(const struct look *look, uint32_t index)
{
	const struct state *state = look->state;
	const struct giver *giver = &state->givers.items[index];
	struct str id = names_get(&state->names, giver->id);

	if (giver->is_erased || giver_has_left(state, giver))
		return;
	if (!giver->kind && !is_only_old(state, giver))
		raise_alarm(look, ALARM_UNKNOWN_GIVER, DAY_NONE, id);
	if (giver->email_at && giver->refused_at == giver->email_at)
		raise_alarm(look, ALARM_REFUSED_ADDRESS, DAY_NONE, id);
	if (network_quiet(state, index))
		raise_alarm(look, ALARM_QUIET_GIVER, DAY_NONE, id);
	look_at_places(look, giver, id);
}

static void look_at_network(const struct look *look)
{
	struct str *cantons;
	uint32_t count = network_empty_cantons(look->state, look->arena, &cantons);

	for (uint32_t i = 0; i < count; i++)
		raise_alarm(look, ALARM_EMPTY_CANTON, DAY_NONE, cantons[i]);
	for (uint32_t i = 1; i < look->state->givers.count; i++)
		look_at_giver(look, i);
}

/* --- tasks ---------------------------------------------------------------------------------------- */

static void look_at_tasks(const struct look *look)
{
	const struct state *state = look->state;

	for (uint32_t i = 1; state->task_states[TASK_STATE_BURIED] && i < state->tasks.count; i++)
		if (state->tasks.items[i].state == TASK_STATE_BURIED)
			raise_case(look, ALARM_BURIED_TASK,
				   time_paris_day(state->tasks.items[i].first_ready), i);
}

uint32_t alarm_waiting_tasks(const struct state *state, day_t *since)
{
	uint32_t left = state->task_states[TASK_STATE_RETRYING], count = 0;

	*since = DAY_NONE;
	for (uint32_t i = 1; left && i < state->tasks.count; i++) {
		const struct task *task = &state->tasks.items[i];

		if (task->state != TASK_STATE_RETRYING)
			continue;
		left--;
		if (task->spared < TASK_LIMITED_ALARM)
			continue;
		if (!count++)
			*since = time_paris_day(task->first_ready);
	}
	return count;
}

void alarms_look(const struct state *state, struct arena *arena, struct alarms *alarms)
{
	const struct look look = {state, arena, alarms};

	alarms->water_count = 0;
	for (uint32_t code = 0; code < ALARM_END; code++)
		alarms->of[code] = (struct alarm_raised){.since = DAY_NONE};
	if (!state->has_policy)
		return;
	look_at_cases(&look);
	look_at_water(&look);
	look_at_links(&look);
	look_at_visits(&look);
	look_at_network(&look);
	look_at_tasks(&look);
}
