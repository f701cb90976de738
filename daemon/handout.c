#include "daemon/handout.h"

#include <stdio.h>

#include "proto/hash.h"

#define push(list, type, item) (((type *)(list)->items)[(list)->count++] = (item))

/* --- plans ------------------------------------------------------------------------------------ */

/* From the next working day through the Sunday that completes the weeks asked for. */
static void plan_weeks(const struct state *state, struct plan_request *request)
{
	const struct policy_planning *planning = &state->policy.planning;

	request->alsace_moselle = planning->alsace_moselle;
	request->today = state->today;
	request->first = day_next_working(state->today, planning->alsace_moselle == SAID_YES);
	request->last =
		request->first - day_weekday(request->first) + 7 * (day_t)planning->weeks - 1;
}

static void list_absences(const struct state *state, const struct policy_pair *pair,
			  struct arena *arena, struct list *absences)
{
	uint32_t name = names_find(&state->names, pair->id), count = 0;

	for (uint32_t at = state->first_absence; at; at = state->facts.items[at].next)
		count++;
	absences->items = arena_new(arena, (count + 1) * sizeof(struct plan_absence));
	for (uint32_t at = state->first_absence; at; at = state->facts.items[at].next) {
		const struct fact *fact = &state->facts.items[at];

		if (!fact->is_void && fact->absence.pair == name &&
		    fact->absence.to >= state->today)
			push(absences, struct plan_absence,
			     ((struct plan_absence){true, fact->absence.from, fact->absence.to}));
	}
}

static void list_pairs(const struct state *state, struct arena *arena, struct list *pairs)
{
	pairs->items = arena_new(arena, (state->policy.pairs.count + 1) * sizeof(struct plan_pair));
	for (uint32_t i = 0; i < state->policy.pairs.count; i++) {
		const struct policy_pair *pair =
			list_at(&state->policy.pairs, struct policy_pair, i);
		struct plan_pair row = {
			.is_set = true,
			.pair = pair->id,
			.half_days = pair->half_days,
			.visits_a_week = pair->visits_a_week,
			.sectors = pair->sectors,
			.closed_sectors = pair->closed_sectors,
		};

		list_absences(state, pair, arena, &row.absences);
		push(pairs, struct plan_pair, row);
	}
}

/* Confirmed, or moved by hand; and those held this week already, which count for the week. */
static bool is_booked(const struct visit *visit, const struct plan_request *request)
{
	day_t monday = request->first - day_weekday(request->first);

	if (visit->day < monday || visit->day > request->last)
		return false;
	switch (visit->state) {
	case VISIT_STATE_CONFIRMED:
	case VISIT_STATE_DONE:
	case VISIT_STATE_NO_SHOW:
	case VISIT_STATE_DECLINED:
	case VISIT_STATE_MOVED_AWAY:
	case VISIT_STATE_UNSAFE:
		return true;
	case VISIT_STATE_PLANNED:
		return visit->is_pinned;
	default:
		return false;
	}
}

static void list_bookings(const struct state *state, struct arena *arena,
			  struct plan_request *request)
{
	struct list *bookings = &request->bookings;
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->visits.count; i++)
		count += is_booked(&state->visits.items[i], request);
	bookings->items = arena_new(arena, (count + 1) * sizeof(struct plan_booking));
	for (uint32_t i = 1; i < state->visits.count; i++) {
		const struct visit *visit = &state->visits.items[i];
		uint32_t owner = case_resolve(state, visit->case_number);

		if (!is_booked(visit, request))
			continue;
		push(bookings, struct plan_booking,
		     ((struct plan_booking){true, owner ? owner : visit->case_number,
					    names_get(&state->names, visit->pair), visit->day,
					    visit->half}));
	}
}

/* A case whose visit is settled waits for its record, even when the day has passed. */
static bool is_to_plan(const struct state *state, const struct case_record *record)
{
	if (!record->is_eligible)
		return false;
	return record->state == CASE_STATE_WAITING ||
	       (record->state == CASE_STATE_PLANNED &&
		!visit_is_fixed(&state->visits.items[record->visit]));
}

static struct plan_case plan_case(const struct state *state, uint32_t number)
{
	const struct case_record *record = &state->cases.items[number];
	const struct policy_commune *commune = policy_find_commune(&state->policy, record->insee);
	struct plan_case row = {
		.is_set = true,
		.case_number = number,
		.tier = record->tier,
		.closed = record->is_closed_sector ? SAID_YES : SAID_NO,
		.lat = SINT_NONE,
		.lon = SINT_NONE,
	};

	if (record->sector)
		row.sector =
			list_at(&state->policy.sectors, struct policy_sector, record->sector - 1)
				->id;
	if (commune) {
		row.lat = commune->lat;
		row.lon = commune->lon;
	}
	return row;
}

static void list_cases(const struct state *state, struct arena *arena, struct list *cases)
{
	uint32_t count = queue_count(&state->queue);

	cases->items = arena_new(arena, PLAN_CASES_MAX * sizeof(struct plan_case));
	for (uint32_t rank = 1; rank <= count && cases->count < PLAN_CASES_MAX; rank++) {
		uint32_t number = queue_at(&state->queue, rank);

		if (is_to_plan(state, &state->cases.items[number]))
			push(cases, struct plan_case, plan_case(state, number));
	}
}

void handout_plan(const struct state *state, struct arena *arena, struct plan_request *request)
{
	record_clear(&record_plan_request, request);
	plan_weeks(state, request);
	list_pairs(state, arena, &request->pairs);
	list_bookings(state, arena, request);
	list_cases(state, arena, &request->cases);
}

/* --- mails ------------------------------------------------------------------------------------ */

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

static enum err address_mail(struct engine *engine, const struct mail *mail, struct arena *arena,
			     struct mail_body *body)
{
	const struct state *state = engine_state(engine);
	const struct policy_pair *pair;

	body->to.is_set = true;
	address_coordinator(state, &body->coordinator);
	switch (mail->to) {
	case TO_GIVER:
		if (mail->giver != mail->recipient)
			body->instead_of =
				names_get(&state->names,
					  state->givers.items[party_giver(state, mail->giver)].id);
		return address_giver(engine, mail->recipient, arena, &body->to);
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
		return ERR_OK;
	}
}

static void describe_sector(const struct state *state, const struct case_record *record,
			    struct mail_body *body)
{
	const struct policy_commune *commune = policy_find_commune(&state->policy, record->insee);
	const struct policy_sector *sector;
	const struct policy_opening *next;

	if (commune && body->to_pair == SAID_YES)
		body->commune = commune->name;
	if (!record->sector)
		return;
	sector = list_at(&state->policy.sectors, struct policy_sector, record->sector - 1);
	next = sector_opening_after(sector, state->today);
	body->sector = sector->id;
	body->sector_name = sector->name;
	if (body->template == TEMPLATE_DEFERRED && next)
		body->reopens_on = next->from;
}

static void describe_visit(const struct state *state, const struct mail *mail, struct arena *arena,
			   struct mail_visit *visit)
{
	const struct policy_pair *pair;

	if (!mail->visit)
		return;
	visit->is_set = true;
	visit->visit = mail->visit;
	visit->uid = print_id(arena, state, "visit", mail->visit);
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

/* The number of the giver's own form. */
static enum err describe_form(struct engine *engine, uint64_t referral, struct arena *arena,
			      struct str *form)
{
	struct event event;
	enum err err;

	if (!referral)
		return ERR_OK;
	err = engine_read(engine, referral, arena, &event);
	if (err == ERR_ERASED)
		return ERR_OK; /* the form's number goes with the household */
	if (!err)
		*form = event.data.referral_received.form;
	return err;
}

enum err handout_mail(struct engine *engine, uint32_t number, struct arena *arena,
		      struct mail_body *body)
{
	const struct state *state = engine_state(engine);
	const struct task *task = state_get(state, tasks, number);
	const struct mail *mail = &task->mail;
	const struct case_record *record = state_get(state, cases, mail->case_number);
	enum err err;

	record_clear(&record_mail_body, body);
	body->template = mail->template;
	body->message_id = print_id(arena, state, "mail", number);
	body->date = task->created;
	body->case_number = mail->case_number;
	body->state = mail->case_state;
	body->closing = mail->closing;
	err = address_mail(engine, mail, arena, body);
	if (err)
		return err;
	describe_sector(state, record, body);
	describe_visit(state, mail, arena, &body->visit);
	return mail->to == TO_PAIR ? ERR_OK
				   : describe_form(engine, mail->referral, arena, &body->form);
}
