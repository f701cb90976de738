#include "daemon/alarm.h"
#include "daemon/letter_parts.h"

static void add_water(struct letter *letter, const struct water_off *off)
{
	const struct state *state = letter->state;
	const struct policy_commune *commune = policy_find_commune(&state->policy, off->insee);
	struct list *list = &letter->body->water;

	if (list->count == SET_COUNT_MAX)
		return;
	((struct mail_water *)list->items)[list->count++] = (struct mail_water){
		.is_set = true,
		.household = off->household,
		.case_number = off->case_number ? off->case_number : UINT_NONE,
		.supplier = names_get(&state->names, off->supplier),
		.on = off->on,
		.limited = off->is_limited ? SAID_YES : SAID_NO,
		.commune = commune ? commune->name : (struct str){0},
	};
}

static void open_water(struct letter *letter)
{
	letter->body->water = (struct list){
		0, arena_new(letter->arena, SET_COUNT_MAX * sizeof(struct mail_water))};
}

/* In a digest of two mornings the list of now stands for both. */
static void list_alarms(struct letter *letter)
{
	struct list *list = &letter->body->alarms;
	struct alarms alarms;

	alarms_look(letter->state, letter->arena, &alarms);
	*list = (struct list){0, arena_new(letter->arena, ALARM_END * sizeof(struct mail_alarm))};
	for (uint32_t code = 1; code < ALARM_END; code++)
		if (alarms.of[code].count)
			((struct mail_alarm *)list->items)[list->count++] =
				(struct mail_alarm){true, code, alarms.of[code].count,
						    alarms.of[code].since, alarms.of[code].about};
	open_water(letter);
	for (uint32_t i = 0; i < alarms.water_count; i++)
		add_water(letter, &alarms.water[i]);
}

/* The fact (index) that a mail of water tells at once, or 0. */
static uint32_t find_water(const struct state *state, const struct mail *mail)
{
	return mail->case_number || mail->referral ? 0 : state_find_fact(state, mail->about);
}

static enum err write_water(struct letter *letter, uint32_t fact)
{
	const struct state *state = letter->state;
	struct water_off off;

	if (state->parties.items[state->facts.items[fact].party].is_erased)
		return ERR_ERASED;
	off = water_describe(state, fact);
	if (!letter->body->water.items) /* a digest may hold several */
		open_water(letter);
	add_water(letter, &off);
	return ERR_OK;
}

static bool is_within(uint64_t seq, const struct mail *mail)
{
	return seq >= mail->referral && seq <= mail->about;
}

/* What the old facts from one event to another have brought. */
static void sum_import(struct letter *letter, const struct mail *mail)
{
	const struct state *state = letter->state;
	struct mail_import *import = &letter->body->import;

	*import = (struct mail_import){.is_set = true};
	for (uint32_t i = 1; i < state->facts.count; i++)
		import->facts +=
			state->facts.items[i].is_old && is_within(state->facts.items[i].seq, mail);
	for (uint32_t i = 1; i < state->households.count; i++) {
		uint32_t first = state->parties.items[state->households.items[i].party].first_fact;

		import->households += first && is_within(state->facts.items[first].seq, mail);
	}
	for (uint32_t i = 1; i < state->cases.count; i++) {
		const struct case_record *record = &state->cases.items[i];

		if (case_resolve(state, i) != i ||
		    !is_within(state->facts.items[record->opening].seq, mail))
			continue;
		import->cases++;
		import->open += record->state != CASE_STATE_CLOSED;
		import->no_sector += record->state != CASE_STATE_CLOSED && !record->sector;
	}
	for (uint32_t i = 1; i < state->links.count; i++)
		import->duplicates += link_is_unsettled(state, &state->links.items[i]) &&
				      is_within(state->links.items[i].seq, mail);
}

/* Other cases that the same event showed to be cut. */
static void list_other_cuts(struct letter *letter, const struct mail *mail)
{
	struct list *cases = &letter->body->cases;

	cases->items = arena_new(letter->arena, MAIL_CASES_MAX * sizeof(struct mail_case));
	letter->body->cases_total = mail->part_count;
	for (uint32_t at = mail->parts; at && cases->count < MAIL_CASES_MAX;
	     at = letter->state->parts.items[at].next)
		letter_fill_case(letter, letter->state->parts.items[at].case_number,
				 &((struct mail_case *)cases->items)[cases->count++]);
}

/* A cut, water that is off, a long import that has ended, or what has to be looked at this morning. */
enum err letter_write_coordinator(struct letter *letter, const struct mail *mail)
{
	uint32_t water = find_water(letter->state, mail);

	if (water)
		return write_water(letter, water);
	if (mail->parts)
		list_other_cuts(letter, mail);
	if (mail->case_number)
		return letter_write_case(letter, mail);
	if (mail->referral)
		sum_import(letter, mail);
	else
		list_alarms(letter);
	return ERR_OK;
}
