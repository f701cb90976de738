#include "daemon/view.h"

#include <stdlib.h>

#include "daemon/standing.h"
#include "proto/json.h"

json_t *view_day(day_t day)
{
	char text[DAY_TEXT_SIZE];

	return day == DAY_NONE ? json_null() : json_string(day_print(day, text));
}

json_t *view_time(ms_t time)
{
	char text[TIME_TEXT_SIZE];

	return time == MS_NONE ? json_null() : json_string(time_print(time, text));
}

json_t *view_word(const struct words *words, uint32_t value)
{
	return value ? json_string(words_name(words, value)) : json_null();
}

json_t *view_text(struct str text)
{
	return text.size ? json_stringn(text.data, text.size) : json_null();
}

static json_t *view_name(const struct state *state, uint32_t name)
{
	return view_text(names_get(&state->names, name));
}

static json_t *take_buf(struct buf *buf)
{
	json_t *json = view_text(buf_str(buf));

	buf_done(buf);
	return json;
}

/* --- reasons ---------------------------------------------------------------------------------- */

json_t *view_reasons(const struct rank *rank)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < rank->reason_count; i++)
		json_array_append_new(list,
				      json_pack("{s:o, s:i}", "code",
						view_word(&words_rank_code, rank->reasons[i].code),
						"days", (int)rank->reasons[i].days));
	return list;
}

static json_t *view_given_tier(const struct reason_given *reason)
{
	return view_word(&words_tier, reason->tier == TIER_NORMAL ? 0 : reason->tier);
}

json_t *view_reason_tiers(const struct rank *rank)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < rank->reason_count; i++)
		json_array_append_new(list, view_given_tier(&rank->reasons[i]));
	return list;
}

static json_t *view_steps(const struct cutoff *cutoff)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < cutoff->step_count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "rule",
						      cutoff_rule_names[cutoff->steps[i].rule],
						      "date", view_day(cutoff->steps[i].date)));
	return list;
}

json_t *view_cutoffs(const struct state *state, const struct rank *rank)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < rank->cutoff_count; i++) {
		const struct cutoff *cutoff = &rank->cutoffs[i];

		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o}", "energy",
					view_word(&words_energy, cutoff->energy), "supplier",
					view_name(state, cutoff->supplier), "earliest_cut",
					view_day(cutoff->earliest), "steps", view_steps(cutoff)));
	}
	return list;
}

/* --- cases ------------------------------------------------------------------------------------ */

static json_t *view_sector(const struct state *state, const struct case_record *record)
{
	if (!record->sector)
		return json_null();
	return view_text(
		list_at(&state->policy.sectors, struct policy_sector, record->sector - 1)->id);
}

static json_t *view_rank(const struct state *state, uint32_t number)
{
	uint32_t rank = queue_rank(&state->queue, number);

	return rank ? json_integer(rank) : json_null();
}

static void add_reasons(const struct state *state, uint32_t number, bool with_sentence,
			json_t *json)
{
	const struct case_record *record = state_get(state, cases, number);
	struct arena arena = {0};
	struct portrait portrait;

	portrait_make(state, record->household, &arena, &portrait);
	json_object_set_new(json, "reasons", view_reasons(&portrait.rank));
	if (with_sentence) {
		struct buf sentence = {0};

		tell_place(&state->policy, &portrait, &sentence);
		json_object_set_new(json, "why", take_buf(&sentence));
	}
	arena_done(&arena);
}

json_t *view_case(const struct state *state, uint32_t number, bool with_sentence)
{
	const struct case_record *record = state_get(state, cases, number);
	json_t *json = json_pack(
		"{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:b}", "rank", view_rank(state, number),
		"case", (int)number, "state", view_word(&words_case_state, record->state), "sector",
		view_sector(state, record), "tier", view_word(&words_tier, record->tier),
		"effective_date", view_day(record->effective_date), "first_date",
		view_day(record->first_date), "eligible", record->is_eligible);

	if (record->state == CASE_STATE_CLOSED) {
		json_object_set_new(json, "reasons", json_array());
		json_object_set_new(json, "closing", view_word(&words_closing, record->closing));
		json_object_set_new(json, "closed_on", view_day(record->closed_on));
	} else {
		add_reasons(state, number, with_sentence, json);
	}
	return json;
}

json_t *view_told_reason(const struct state *state, const struct portrait *portrait,
			 const struct reason_given *reason)
{
	struct buf sentence = {0};

	tell_reason(&state->policy, portrait, reason, &sentence);
	return json_pack("{s:o, s:i, s:o, s:o}", "code", view_word(&words_rank_code, reason->code),
			 "days", (int)reason->days, "tier", view_given_tier(reason), "sentence",
			 take_buf(&sentence));
}

static json_t *view_told_reasons(const struct state *state, const struct portrait *portrait)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < portrait->rank.reason_count; i++)
		json_array_append_new(
			list, view_told_reason(state, portrait, &portrait->rank.reasons[i]));
	return list;
}

/* The case just before in the list, and why. */
static json_t *view_before(const struct state *state, uint32_t number)
{
	uint32_t rank = queue_rank(&state->queue, number);
	uint32_t before = rank > 1 ? queue_at(&state->queue, rank - 1) : 0;
	struct buf sentence = {0};

	if (!before)
		return json_null();
	tell_before(&state->cases.items[before], &state->cases.items[number], &sentence);
	return json_pack("{s:i, s:o}", "case", (int)before, "sentence", take_buf(&sentence));
}

json_t *view_explanation(const struct state *state, uint32_t number)
{
	const struct case_record *record = state_get(state, cases, number);
	json_t *json = view_case(state, number, false);
	struct buf sentence = {0};
	struct arena arena = {0};
	struct portrait portrait;

	if (record->state == CASE_STATE_CLOSED)
		return json;
	portrait_make(state, record->household, &arena, &portrait);
	tell_place(&state->policy, &portrait, &sentence);
	json_object_set_new(json, "reasons", view_told_reasons(state, &portrait));
	json_object_set_new(json, "sentence", take_buf(&sentence));
	json_object_set_new(json, "cutoffs", view_cutoffs(state, &portrait.rank));
	json_object_set_new(json, "before", view_before(state, number));
	arena_done(&arena);
	return json;
}

/* --- visits and tasks ------------------------------------------------------------------------- */

json_t *view_visit(const struct state *state, uint32_t number)
{
	const struct visit *visit = state_get(state, visits, number);
	uint32_t owner = case_resolve(state, visit->case_number);
	json_t *json = json_pack("{s:i, s:i, s:o, s:o, s:o, s:o}", "visit", (int)number, "case",
				 (int)(owner ? owner : visit->case_number), "pair",
				 view_name(state, visit->pair), "day", view_day(visit->day), "half",
				 view_word(&words_half, visit->half), "state",
				 view_word(&words_visit_state, visit->state));

	if (owner && state->has_policy) {
		const struct case_record *record = &state->cases.items[owner];
		const struct policy_commune *commune =
			policy_find_commune(&state->policy, record->insee);

		json_object_set_new(json, "sector", view_sector(state, record));
		json_object_set_new(json, "commune",
				    commune ? view_text(commune->name) : json_null());
	}
	return json;
}

struct str view_recipient(const struct state *state, const struct mail *mail)
{
	if (mail->to == TO_GIVER)
		return names_get(&state->names,
				 state->givers.items[party_giver(state, mail->recipient)].id);
	if (mail->to == TO_PAIR)
		return names_get(&state->names, mail->recipient);
	return STR("coordinator");
}

json_t *view_task(const struct state *state, uint32_t number)
{
	const struct task *task = state_get(state, tasks, number);
	bool is_mail = task->kind == TASK_KIND_MAIL;

	return json_pack(
		"{s:i, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "task", (int)number, "kind",
		view_word(&words_task_kind, task->kind), "template",
		is_mail ? view_word(&words_template, task->mail.template) : json_null(), "state",
		view_word(&words_task_state, task->state), "attempt", (int)task->attempts, "due",
		view_time(task->due), "case",
		task->mail.case_number ? json_integer(task->mail.case_number) : json_null(), "to",
		is_mail ? view_text(view_recipient(state, &task->mail)) : json_null(), "last_code",
		view_name(state, task->code));
}

/* --- alarms ----------------------------------------------------------------------------------- */

static json_t *view_texts(const struct texts *texts)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < texts->count; i++)
		json_array_append_new(list, view_text(texts->item[i]));
	return list;
}

json_t *view_alarms(const struct state *state)
{
	json_t *list = json_array();
	struct arena arena = {0};
	struct alarms alarms;

	alarms_look(state, &arena, &alarms);
	for (uint32_t code = 1; code < ALARM_END; code++) {
		const struct alarm_raised *alarm = &alarms.of[code];

		if (alarm->count)
			json_array_append_new(list, json_pack("{s:o, s:o, s:i, s:o}", "code",
							      view_word(&words_alarm, code),
							      "since", view_day(alarm->since),
							      "count", (int)alarm->count, "about",
							      view_texts(&alarm->about)));
	}
	arena_done(&arena);
	return list;
}

/* --- what is sealed --------------------------------------------------------------------------- */

/* A number that vigie gave, not a sender. */
static bool is_own_number(struct str source)
{
	return str_is(source, "urn:vigie") || str_is(source, "urn:vigie:household");
}

void view_opened_subject(struct engine *engine, uint32_t household, json_t **source,
			 json_t **subject)
{
	const struct state *state = engine_state(engine);
	struct arena arena = {0};
	struct standing *facts;
	struct event event;
	uint32_t count;

	*source = NULL;
	*subject = NULL;
	facts = standing_gather(state, household_head(state, household), &arena, &count);
	for (uint32_t i = 0; i < count && !*subject; i++) {
		if (engine_read(engine, facts[i].fact->seq, &arena, &event) ||
		    !event.subject.size || is_own_number(event.subject_source))
			continue;
		*source = view_text(event.subject_source);
		*subject = view_text(event.subject);
	}
	arena_done(&arena);
	*source = *source ? *source : json_null();
	*subject = *subject ? *subject : json_null();
}

static const struct person *event_person(const struct event *event)
{
	if (event->kind == EVENT_REFERRAL_RECEIVED)
		return &event->data.referral_received.person;
	if (event->kind == EVENT_FSL_REQUEST_FILED && event->data.fsl_request_filed.person.is_set)
		return &event->data.fsl_request_filed.person;
	return NULL;
}

/* A referral's word counts more than a request's, and a later one more than an earlier. */
json_t *view_opened_person(struct engine *engine, uint32_t household)
{
	const struct state *state = engine_state(engine);
	json_t *person = json_object();
	struct arena arena = {0};
	struct standing *facts;
	uint32_t count;

	facts = standing_gather(state, household_head(state, household), &arena, &count);
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < count; i++) {
			bool is_referral = facts[i].fact->kind == EVENT_REFERRAL_RECEIVED;
			const struct person *said;
			struct event event;
			json_t *json;

			if (is_referral != (pass == 1) ||
			    engine_read(engine, facts[i].fact->seq, &arena, &event))
				continue;
			said = event_person(&event);
			if (!said)
				continue;
			json = record_to_json(&record_person, said, 0);
			json_object_update(person, json);
			json_decref(json);
		}
	arena_done(&arena);
	if (json_object_size(person))
		return person;
	json_decref(person);
	return json_null();
}

static json_t *view_opened_facts(struct engine *engine, uint32_t household)
{
	const struct state *state = engine_state(engine);
	json_t *list = json_array();
	struct arena arena = {0};
	struct standing *facts;
	uint32_t count;

	facts = standing_gather(state, household_head(state, household), &arena, &count);
	for (uint32_t i = 0; i < count; i++) {
		struct event event;
		json_t *json;

		if (engine_read(engine, facts[i].fact->seq, &arena, &event))
			continue;
		json = json_pack(
			"{s:I, s:o, s:s, s:o, s:o, s:o}", "seq", (json_int_t)facts[i].fact->seq,
			"day", view_day(facts[i].day), "type", event_info_find(event.kind)->type,
			"source", view_text(event.source), "id", view_text(event.id), "data",
			record_to_json(event_info_find(event.kind)->record, &event.data, 0));
		json_array_append_new(list, json);
	}
	arena_done(&arena);
	return list;
}

static json_t *view_visits_of(const struct state *state, uint32_t head)
{
	json_t *list = json_array();
	struct arena arena = {0};
	struct life_visit *visits;
	struct standing *facts;
	uint32_t fact_count, count;

	facts = standing_gather(state, head, &arena, &fact_count);
	visits = standing_gather_visits(state, facts, fact_count, &arena, &count);
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, view_visit(state, visits[i].number));
	arena_done(&arena);
	return list;
}

static json_t *view_mails_of(const struct state *state, uint32_t number)
{
	json_t *list = json_array();

	for (uint32_t i = 1; i < state->tasks.count; i++)
		if (state->tasks.items[i].kind == TASK_KIND_MAIL &&
		    case_resolve(state, state->tasks.items[i].mail.case_number) == number)
			json_array_append_new(list, view_task(state, i));
	return list;
}

json_t *view_opened_case(struct engine *engine, uint32_t number)
{
	const struct state *state = engine_state(engine);
	const struct case_record *record = state_get(state, cases, number);
	json_t *json = view_explanation(state, number);
	json_t *source, *subject;

	view_opened_subject(engine, record->household, &source, &subject);
	json_object_set_new(json, "household",
			    json_integer(state->households.items[record->household].party));
	json_object_set_new(json, "source", source);
	json_object_set_new(json, "subject", subject);
	json_object_set_new(json, "person", view_opened_person(engine, record->household));
	json_object_set_new(json, "facts", view_opened_facts(engine, record->household));
	json_object_set_new(json, "visits", view_visits_of(state, record->household));
	json_object_set_new(json, "mails", view_mails_of(state, number));
	return json;
}

json_t *view_opened_household(struct engine *engine, uint32_t party)
{
	const struct state *state = engine_state(engine);
	uint32_t head = household_head(state, party_household(state, party));
	const struct household *household = state_get(state, households, head);
	const struct policy_commune *commune =
		policy_find_commune(&state->policy, household->insee);
	json_t *source, *subject;

	view_opened_subject(engine, head, &source, &subject);
	return json_pack(
		"{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "household", (int)party, "case",
		household->open_case ? json_integer(household->open_case) : json_null(), "commune",
		commune ? view_text(commune->name) : json_null(), "source", source, "subject",
		subject, "person", view_opened_person(engine, head), "facts",
		view_opened_facts(engine, head), "visits", view_visits_of(state, head));
}
