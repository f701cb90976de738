#include "daemon/letter.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/alarm.h"
#include "proto/hash.h"

struct letter {
	struct engine *engine;
	const struct state *state;
	struct arena *arena;
	struct mail_body *body;
};

static enum err write_address(struct letter *letter, const struct mail *mail);
static enum err write_case_mail(struct letter *letter, const struct mail *mail);
static enum err write_network_mail(struct letter *letter, const struct mail *mail);
static enum err write_agenda(struct letter *letter, const struct mail *mail);
static enum err write_coordinator(struct letter *letter, const struct mail *mail);
static enum err write_digest(struct letter *letter, const struct mail *mail);
static struct str print_id(struct arena *arena, const struct state *state, const char *what,
			   uint32_t number);

/* One row a template; the rest speak of a case. */
static enum err (*const writers[TEMPLATE_END])(struct letter *, const struct mail *) = {
	[TEMPLATE_SECTOR_ANNOUNCED] = write_network_mail,
	[TEMPLATE_SECTOR_OPENED] = write_network_mail,
	[TEMPLATE_SECTOR_CLOSING] = write_network_mail,
	[TEMPLATE_SECTOR_CLOSED] = write_network_mail,
	[TEMPLATE_OUTREACH_SUSPENDED] = write_network_mail,
	[TEMPLATE_OUTREACH_RESUMED] = write_network_mail,
	[TEMPLATE_QUIET] = write_network_mail,
	[TEMPLATE_WEEK_AGENDA] = write_agenda,
	[TEMPLATE_COORDINATOR] = write_coordinator,
	[TEMPLATE_DIGEST] = write_digest,
};

enum err letter_write(struct engine *engine, uint32_t number, struct arena *arena,
		      struct mail_body *body)
{
	struct letter letter = {engine, engine_state(engine), arena, body};
	const struct task *task = state_get(letter.state, tasks, number);
	enum err err;

	record_clear(&record_mail_body, body);
	body->template = task->mail.template;
	body->message_id = print_id(arena, letter.state, "mail", number);
	body->date = task->first_ready;
	err = write_address(&letter, &task->mail);
	if (err)
		return err;
	if (writers[task->mail.template])
		return writers[task->mail.template](&letter, &task->mail);
	return write_case_mail(&letter, &task->mail);
}

/* --- to whom ---------------------------------------------------------------------------------- */

static struct str print_id(struct arena *arena, const struct state *state, const char *what,
			   uint32_t number)
{
	struct str parts[1] = {{(const char *)&number, sizeof(number)}};
	char text[64];

	snprintf(text, sizeof(text), "%s-%u-%016llx", what, number,
		 (unsigned long long)hash_short(state->salt, parts, 1));
	return arena_copy(arena, str_from(text));
}

/* Name or address of a giver, as some event told it. */
static enum err read_giver(struct engine *engine, uint64_t at, struct arena *arena, bool is_email,
			   struct str *text)
{
	struct event event;
	enum err err = engine_read(engine, at, arena, &event);

	if (err)
		return err;
	if (event.kind == EVENT_GIVER_REGISTERED)
		*text = is_email ? event.data.giver_registered.email
				 : event.data.giver_registered.name;
	else
		*text = is_email ? event.data.giver_moved.email : event.data.giver_moved.name;
	return ERR_OK;
}

static enum err address_giver(struct engine *engine, uint32_t party, struct arena *arena,
			      struct mail_address *address)
{
	const struct state *state = engine_state(engine);
	const struct giver *giver = state_get(state, givers, party_giver(state, party));
	enum err err;

	if (!giver->email_at)
		return ERR_NOT_FOUND;
	address->id = names_get(&state->names, giver->id);
	err = read_giver(engine, giver->email_at, arena, true, &address->email);
	if (!err && giver->name_at)
		err = read_giver(engine, giver->name_at, arena, false, &address->name);
	return err;
}

static void address_coordinator(const struct state *state, struct mail_address *address)
{
	address->is_set = true;
	address->id = STR("coordinator");
	address->name = state->policy.coordinator.name;
	address->email = state->policy.coordinator.email;
}

static enum err write_address(struct letter *letter, const struct mail *mail)
{
	const struct state *state = letter->state;
	struct mail_body *body = letter->body;
	const struct policy_pair *pair;

	body->to.is_set = true;
	address_coordinator(state, &body->coordinator);
	switch (mail->to) {
	case TO_GIVER:
		if (mail->giver != mail->recipient)
			body->instead_of =
				names_get(&state->names,
					  state->givers.items[party_giver(state, mail->giver)].id);
		if (state->givers.items[party_giver(state, mail->recipient)].kind ==
		    GIVER_KIND_HOUSEHOLD)
			body->to_household = SAID_YES;
		return address_giver(letter->engine, mail->recipient, letter->arena, &body->to);
	case TO_PAIR:
		pair = policy_find_pair(&state->policy, names_get(&state->names, mail->recipient));
		if (!pair)
			return ERR_NOT_FOUND;
		body->to = (struct mail_address){true, pair->id, pair->name, pair->email};
		body->to_pair = SAID_YES;
		return ERR_OK;
	default:
		if (mail->giver)
			body->instead_of =
				names_get(&state->names,
					  state->givers.items[party_giver(state, mail->giver)].id);
		address_coordinator(state, &body->to);
		body->to_coordinator = SAID_YES;
		return ERR_OK;
	}
}

/* --- about a case ----------------------------------------------------------------------------- */

/* The number of the giver's own form. */
static enum err read_form(struct letter *letter, uint64_t referral, struct str *form)
{
	struct event event;
	enum err err;

	if (!referral)
		return ERR_OK;
	err = engine_read(letter->engine, referral, letter->arena, &event);
	if (err == ERR_ERASED)
		return ERR_OK; /* the form's number goes with the household */
	if (!err)
		*form = event.data.referral_received.form;
	return err;
}

static const struct policy_sector *sector_of(const struct state *state,
					     const struct case_record *record)
{
	return record->sector
		       ? list_at(&state->policy.sectors, struct policy_sector, record->sector - 1)
		       : NULL;
}

static uint64_t wait_in(const struct state *state, struct str sector)
{
	const struct sector_record *record = state_find_sector(state, sector);

	return record && record->weeks != WEEKS_NONE ? record->weeks : UINT_NONE;
}

static void describe_sector(const struct letter *letter, const struct mail *mail,
			    struct mail_item *item)
{
	const struct state *state = letter->state;
	const struct case_record *record = state_get(state, cases, mail->case_number);
	const struct policy_commune *commune = policy_find_commune(&state->policy, record->insee);
	const struct policy_sector *sector = sector_of(state, record);
	const struct policy_opening *next;

	if (commune && mail->to == TO_PAIR)
		item->commune = commune->name;
	if (!sector)
		return;
	item->sector = sector->id;
	item->sector_name = sector->name;
	next = sector_opening_after(sector, state->today);
	if (mail->template == TEMPLATE_DEFERRED && next)
		item->reopens_on = next->from;
	if (mail->template == TEMPLATE_ACK)
		item->wait_weeks = wait_in(state, sector->id);
}

static void describe_visit(const struct letter *letter, const struct mail *mail,
			   struct mail_visit *visit)
{
	const struct state *state = letter->state;
	const struct policy_pair *pair;

	if (!mail->visit)
		return;
	visit->is_set = true;
	visit->visit = mail->visit;
	visit->uid = print_id(letter->arena, state, "visit", mail->visit);
	visit->sequence = mail->sequence;
	visit->day = mail->day;
	visit->half = mail->half;
	visit->state = mail->visit_state;
	visit->pair = names_get(&state->names, mail->pair);
	visit->second_visit = mail->second_visit ? SAID_YES : SAID_NO;
	pair = policy_find_pair(&state->policy, visit->pair);
	if (pair)
		visit->pair_name = pair->name;
}

static enum err describe_case(struct letter *letter, const struct mail *mail,
			      struct mail_item *item)
{
	record_clear(&record_mail_item, item);
	item->is_set = true;
	item->template = mail->template;
	item->case_number = mail->case_number;
	item->state = mail->case_state;
	item->closing = mail->closing;
	describe_sector(letter, mail, item);
	describe_visit(letter, mail, &item->visit);
	return mail->to == TO_PAIR ? ERR_OK : read_form(letter, mail->referral, &item->form);
}

static enum err write_case_mail(struct letter *letter, const struct mail *mail)
{
	struct mail_body *body = letter->body;
	struct mail_item item;
	enum err err = describe_case(letter, mail, &item);

	body->case_number = item.case_number;
	body->form = item.form;
	body->sector = item.sector;
	body->sector_name = item.sector_name;
	body->commune = item.commune;
	body->state = item.state;
	body->closing = item.closing;
	body->wait_weeks = item.wait_weeks;
	body->reopens_on = item.reopens_on;
	body->visit = item.visit;
	return err;
}

/* --- about sectors ---------------------------------------------------------------------------- */

/* The opening that a notice is about: it begins, ends, or has just ended on that day. */
static const struct policy_opening *opening_about(const struct policy_sector *sector, day_t day)
{
	const struct policy_opening *opening = sector_opening_on(sector, day);

	return opening ? opening : sector_opening_on(sector, day - 1);
}

/* A sector that left the policy since is left out, and so is what a mail has no room for. */
static void add_sector(struct letter *letter, const struct mail *part)
{
	const struct state *state = letter->state;
	const struct policy_sector *sector =
		policy_find_sector(&state->policy, names_get(&state->names, part->sector));
	const struct policy_opening *opening, *next;
	struct mail_sector *row;

	if (!sector || letter->body->sectors.count == POLICY_SECTORS_MAX)
		return;
	row = &((struct mail_sector *)letter->body->sectors.items)[letter->body->sectors.count++];
	record_clear(&record_mail_sector, row);
	row->is_set = true;
	row->sector = sector->id;
	row->sector_name = sector->name;
	row->wait_weeks = wait_in(state, sector->id);
	opening = opening_about(sector, part->day);
	next = sector_opening_after(sector, opening ? opening->to : part->day);
	if (opening) {
		row->from = opening->from;
		row->to = opening->to;
	}
	if (next)
		row->reopens_on = next->from;
}

static uint32_t sector_number(const struct state *state, const struct mail *part)
{
	return policy_sector_number(&state->policy, names_get(&state->names, part->sector));
}

static bool is_about(const struct letter *letter, const struct mail *mail, uint32_t number)
{
	const struct state *state = letter->state;

	if (network_concerns(state, mail->template, number, sector_number(state, mail), mail->day))
		return true;
	for (uint32_t at = mail->parts; at; at = state->parts.items[at].next)
		if (network_concerns(state, mail->template, number,
				     sector_number(state, &state->parts.items[at]),
				     state->parts.items[at].day))
			return true;
	return false;
}

static void fill_case(const struct letter *letter, uint32_t number, struct mail_case *row)
{
	const struct case_record *record = state_get(letter->state, cases, number);
	const struct policy_sector *sector = sector_of(letter->state, record);

	record_clear(&record_mail_case, row);
	row->is_set = true;
	row->case_number = number;
	row->state = record->state;
	if (sector)
		row->sector_name = sector->name;
}

static enum err add_case(struct letter *letter, const struct network_case *its)
{
	struct list *cases = &letter->body->cases;
	struct mail_case *row;

	letter->body->cases_total++;
	if (cases->count == MAIL_CASES_MAX)
		return ERR_OK;
	row = &((struct mail_case *)cases->items)[cases->count++];
	fill_case(letter, its->number, row);
	return read_form(letter, letter->state->facts.items[its->referral].seq, &row->form);
}

static void count_result(const struct case_record *record, const struct state *state,
			 struct mail_results *results)
{
	results->referrals++;
	if (case_was_visited(state, record))
		results->visited++;
	else if (record->state == CASE_STATE_CLOSED)
		results->closed++;
	else
		results->open++;
}

/* The giver's cases that the mail is about, and what came of all. */
static enum err write_cases(struct letter *letter, const struct mail *mail)
{
	struct mail_body *body = letter->body;
	uint32_t giver = party_giver(letter->state, mail->giver), count;
	struct network_case *cases = network_cases(letter->state, giver, letter->arena, &count);

	body->cases.items = arena_new(letter->arena, MAIL_CASES_MAX * sizeof(struct mail_case));
	body->cases_total = 0;
	body->results = (struct mail_results){.is_set = true};
	for (uint32_t i = count; i-- > 0;) {
		enum err err = ERR_OK;

		count_result(&letter->state->cases.items[cases[i].number], letter->state,
			     &body->results);
		if (is_about(letter, mail, cases[i].number))
			err = add_case(letter, &cases[i]);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err write_network_mail(struct letter *letter, const struct mail *mail)
{
	struct list *sectors = &letter->body->sectors;

	sectors->items =
		arena_new(letter->arena, (mail->part_count + 1u) * sizeof(struct mail_sector));
	add_sector(letter, mail);
	for (uint32_t at = mail->parts; at; at = letter->state->parts.items[at].next)
		add_sector(letter, &letter->state->parts.items[at]);
	return write_cases(letter, mail);
}

/* --- a pair's week ---------------------------------------------------------------------------- */

static int compare_stops(const void *first, const void *second)
{
	const struct mail_stop *a = first, *b = second;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->half != b->half)
		return a->half < b->half ? -1 : 1;
	return a->visit < b->visit ? -1 : a->visit > b->visit;
}

static void add_stop(struct letter *letter, uint32_t number)
{
	const struct state *state = letter->state;
	const struct visit *visit = state_get(state, visits, number);
	uint32_t owner = case_resolve(state, visit->case_number);
	const struct policy_commune *commune =
		owner ? policy_find_commune(&state->policy, state->cases.items[owner].insee) : NULL;
	struct list *stops = &letter->body->visits;

	((struct mail_stop *)stops->items)[stops->count++] = (struct mail_stop){
		.is_set = true,
		.visit = number,
		.uid = print_id(letter->arena, state, "visit", number),
		.sequence = visit->sequence,
		.case_number = owner ? owner : visit->case_number,
		.commune = commune ? commune->name : (struct str){0},
		.day = visit->day,
		.half = visit->half,
	};
}

static enum err write_agenda(struct letter *letter, const struct mail *mail)
{
	const struct state *state = letter->state;
	struct list *stops = &letter->body->visits;

	letter->body->day = mail->day;
	if (!stops->items) /* a digest may hold two weeks */
		stops->items = arena_new(letter->arena, MAIL_VISITS_MAX * sizeof(struct mail_stop));
	for (uint32_t i = 1; i < state->active_visits.count && stops->count < MAIL_VISITS_MAX;
	     i++) {
		const struct visit *visit = &state->visits.items[state->active_visits.items[i]];

		if (visit->state == VISIT_STATE_CONFIRMED && visit->pair == mail->recipient &&
		    visit->day >= mail->day && visit->day < mail->day + 7)
			add_stop(letter, state->active_visits.items[i]);
	}
	qsort(stops->items, stops->count, sizeof(struct mail_stop), compare_stops);
	return ERR_OK;
}

/* --- the coordinator -------------------------------------------------------------------------- */

static void add_water(struct letter *letter, const struct water_off *off)
{
	const struct state *state = letter->state;
	const struct policy_commune *commune = policy_find_commune(&state->policy, off->insee);
	struct list *list = &letter->body->water;

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
	letter->body->water.items =
		arena_new(letter->arena, SET_COUNT_MAX * sizeof(struct mail_water));
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
		fill_case(letter, letter->state->parts.items[at].case_number,
			  &((struct mail_case *)cases->items)[cases->count++]);
}

/* A cut, water that is off, a long import that has ended, or what has to be looked at this morning. */
static enum err write_coordinator(struct letter *letter, const struct mail *mail)
{
	uint32_t water = find_water(letter->state, mail);

	if (water)
		return write_water(letter, water);
	if (mail->parts)
		list_other_cuts(letter, mail);
	if (mail->case_number)
		return write_case_mail(letter, mail);
	if (mail->referral)
		sum_import(letter, mail);
	else
		list_alarms(letter);
	return ERR_OK;
}

/* --- digests ---------------------------------------------------------------------------------- */

/* A mail about a sector, in one line. */
static void add_sector_item(struct letter *letter, const struct mail *part)
{
	const struct state *state = letter->state;
	const struct policy_sector *sector =
		policy_find_sector(&state->policy, names_get(&state->names, part->sector));
	struct list *items = &letter->body->items;
	struct mail_item *item;

	if (!sector || items->count == MAIL_ITEMS_MAX)
		return;
	item = &((struct mail_item *)items->items)[items->count++];
	record_clear(&record_mail_item, item);
	item->is_set = true;
	item->template = part->template;
	item->sector = sector->id;
	item->sector_name = sector->name;
	item->day = part->day;
}

static enum err add_item(struct letter *letter, const struct mail *part)
{
	const struct state *state = letter->state;
	struct list *items = &letter->body->items;

	if (part->case_number && items->count < MAIL_ITEMS_MAX)
		return describe_case(letter, part,
				     &((struct mail_item *)items->items)[items->count++]);
	if (part->template == TEMPLATE_WEEK_AGENDA)
		return write_agenda(letter, part);
	if (part->template == TEMPLATE_COORDINATOR)
		return write_coordinator(letter, part);
	if (part->sector)
		add_sector_item(letter, part);
	for (uint32_t at = part->parts; at; at = state->parts.items[at].next)
		add_sector_item(letter, &state->parts.items[at]);
	return ERR_OK;
}

static enum err write_digest(struct letter *letter, const struct mail *mail)
{
	const struct state *state = letter->state;
	enum err err = ERR_OK;

	letter->body->items.items =
		arena_new(letter->arena, MAIL_ITEMS_MAX * sizeof(struct mail_item));
	for (uint32_t at = mail->parts; at && !err; at = state->parts.items[at].next)
		err = add_item(letter, &state->parts.items[at]);
	return err;
}
