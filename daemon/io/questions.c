#include "daemon/io/questions.h"

#include <stdio.h>
#include <string.h>

#include "daemon/alarm.h"
#include "daemon/io/caution.h"
#include "daemon/io/policies.h"
#include "daemon/io/verify.h"
#include "daemon/letter.h"
#include "daemon/view.h"
#include "daemon/view_network.h"
#include "daemon/view_report.h"
#include "proto/json.h"

/* --- parameters ------------------------------------------------------------------------------- */

static enum err wrong(struct question *question, const char *name, const char *text)
{
	return fault_set(&question->fault, ERR_BAD_REQUEST, name, "%s", text);
}

/* What there is none of under a name that was given, and what there is. */
static enum err unknown(struct question *question, enum err code, const char *name,
			const char *what, const struct buf *known)
{
	return fault_set(&question->fault, code, name, "%s; there are: %.*s", what,
			 (int)known->size, known->size ? known->data : "");
}

static void unknown_word(struct question *question, const char *name, const struct words *words)
{
	scoped(buf_done) struct buf known = {0};

	words_print(words, &known);
	(void)unknown(question, ERR_BAD_REQUEST, name, "no such word", &known);
}

static bool get_text(struct question *question, const char *name, struct str *text)
{
	const json_t *value = json_object_get(question->params, name);

	*text = (struct str){0};
	if (!value)
		return true;
	if (!json_is_string(value)) {
		(void)wrong(question, name, "a string is expected");
		return false;
	}
	*text = (struct str){json_string_value(value), json_string_length(value)};
	return true;
}

static bool get_number(struct question *question, const char *name, uint64_t most, uint64_t absent,
		       uint64_t *number)
{
	const json_t *value = json_object_get(question->params, name);

	*number = absent;
	if (!value)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > most) {
		(void)fault_set(&question->fault, ERR_BAD_REQUEST, name,
				"a whole number up to %llu is expected", (unsigned long long)most);
		return false;
	}
	*number = (uint64_t)json_integer_value(value);
	return true;
}

bool question_get_limit(struct question *question, uint64_t *limit)
{
	if (!get_number(question, "limit", LIST_LIMIT_MAX, LIST_LIMIT_DEFAULT, limit))
		return false;
	if (!*limit)
		(void)wrong(question, "limit", "a list has at least one line");
	return *limit > 0;
}

static bool get_word(struct question *question, const char *name, const struct words *words,
		     uint32_t *value)
{
	struct str text;

	*value = 0;
	if (!get_text(question, name, &text))
		return false;
	if (!text.size)
		return true;
	*value = words_find(words, text);
	if (!*value)
		unknown_word(question, name, words);
	return *value != 0;
}

static bool get_day(struct question *question, const char *name, day_t absent, day_t *day)
{
	struct str text;

	*day = absent;
	if (!get_text(question, name, &text))
		return false;
	if (!text.size || day_parse(text, day))
		return true;
	(void)wrong(question, name, "no such day; YYYY-MM-DD is expected");
	return false;
}

/* The Monday of an ISO week: of the week that 4 January lies in, for the first. */
static day_t week_monday(unsigned year, unsigned week)
{
	day_t fourth = day_from_ymd((int)year, 1, 4);

	return fourth - day_weekday(fourth) + (day_t)(week - 1) * 7;
}

/* "2015-W12", to the letter. Not every year has a week 53. */
static bool parse_week(struct str text, day_t *monday)
{
	unsigned year, week;
	char copy[sizeof("2015-W12")] = "", again[32];

	if (text.size != sizeof(copy) - 1)
		return false;
	memcpy(copy, text.data, text.size);
	if (sscanf(copy, "%4u-W%2u", &year, &week) != 2 || year < 1900 || year > 2169 || week < 1)
		return false;
	snprintf(again, sizeof(again), "%04u-W%02u", year, week);
	*monday = week_monday(year, week);
	return strcmp(copy, again) == 0 && *monday < week_monday(year + 1, 1);
}

static bool get_week(struct question *question, const char *name, day_t *monday)
{
	struct str text;
	day_t found;

	*monday = DAY_NONE;
	if (!get_text(question, name, &text))
		return false;
	if (!text.size)
		return true;
	if (!parse_week(text, &found)) {
		(void)wrong(question, name, "no such week; 2015-W12 is expected");
		return false;
	}
	*monday = found;
	return true;
}

static bool get_flag(struct question *question, const char *name, bool *flag)
{
	const json_t *value = json_object_get(question->params, name);

	*flag = json_is_true(value);
	if (!value || json_is_boolean(value))
		return true;
	(void)wrong(question, name, "true or false is expected");
	return false;
}

static const struct state *state_of(const struct question *question)
{
	return engine_state(question->core->engine);
}

/* The case a number leads to now. */
static bool get_case(struct question *question, uint32_t *number)
{
	uint64_t said;

	if (!get_number(question, "case", UINT32_MAX, UINT64_MAX, &said))
		return false;
	if (said == UINT64_MAX) {
		(void)wrong(question, "case", "missing: the number of a case");
		return false;
	}
	*number = said ? case_resolve(state_of(question), (uint32_t)said) : 0;
	if (*number)
		return true;
	(void)fault_set(&question->fault, ERR_NOT_FOUND, "case",
			question->present ? "no case had this number on that day"
					  : "no case has this number");
	return false;
}

/* The look is on disk before it is given. */
static enum err log_look(struct question *question, const char *method, const char *what,
			 uint64_t number)
{
	struct core *core = question->core;

	if (access_log_add(core->access_log, engine_now(core->engine), question->uid, method, what,
			   number))
		return fault_set(
			&question->fault, ERR_INTERNAL, "",
			"the look could not be written to the access log, so it is refused");
	return ERR_OK;
}

/* --- status ----------------------------------------------------------------------------------- */

static json_t *count_words(const struct words *words, const uint32_t *counts)
{
	json_t *json = json_object();

	for (uint32_t i = 1; i < words->count; i++)
		if (counts[i])
			json_object_set_new(json, words_name(words, i), json_integer(counts[i]));
	return json;
}

static json_t *status_cases(const struct state *state)
{
	uint32_t states[CASE_STATE_END] = {0}, sectors[POLICY_SECTORS_MAX + 1] = {0};
	json_t *by_sector = json_object();
	uint32_t count = queue_count(&state->queue);

	for (uint32_t i = 1; i < state->cases.count; i++) {
		const struct case_record *record = &state->cases.items[i];

		if (record->is_gone || record->joined)
			continue;
		states[record->state]++;
		sectors[record->sector] += record->state != CASE_STATE_CLOSED;
	}
	for (uint32_t i = 0; state->has_policy && i < state->policy.sectors.count; i++) {
		struct str id = list_at(&state->policy.sectors, struct policy_sector, i)->id;
		char name[IDENT_SIZE_MAX + 1];

		snprintf(name, sizeof(name), "%.*s", (int)id.size, id.data);
		json_object_set_new(by_sector, name, json_integer(sectors[i + 1]));
	}
	if (sectors[0])
		json_object_set_new(by_sector, "none", json_integer(sectors[0]));
	return json_pack("{s:i, s:o, s:o}", "open", (int)count, "by_state",
			 count_words(&words_case_state, states), "by_sector", by_sector);
}

static json_t *status_tasks(const struct state *state)
{
	const uint32_t *states = state->task_states;
	int open = (int)(states[TASK_STATE_SCHEDULED] + states[TASK_STATE_READY] +
			 states[TASK_STATE_LEASED] + states[TASK_STATE_RETRYING] +
			 states[TASK_STATE_HELD]);

	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "created",
			 (int)state->tasks.count - 1, "done", (int)states[TASK_STATE_DONE],
			 "cancelled", (int)states[TASK_STATE_CANCELLED], "expired",
			 (int)states[TASK_STATE_EXPIRED], "buried", (int)states[TASK_STATE_BURIED],
			 "open", open, "by_state", count_words(&words_task_state, states));
}

static json_t *status_policy(const struct state *state)
{
	if (!state->has_policy)
		return json_null();
	return json_pack("{s:o, s:o, s:I}", "name", view_text(state->policy.name), "department",
			 view_text(state->policy.department), "seq", (json_int_t)state->policy_seq);
}

static json_t *status_intake(const struct engine_counters *counters)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "taken", (json_int_t)counters->taken,
			 "duplicates", (json_int_t)counters->duplicates, "refused",
			 (json_int_t)counters->refused, "conflicts",
			 (json_int_t)counters->conflicts, "turns", (json_int_t)counters->turns);
}

/* Told here and not by mail, which is what waits. */
static void add_waiting_tasks(const struct state *state, json_t *list)
{
	day_t since;
	uint32_t count = alarm_waiting_tasks(state, &since);

	if (count)
		json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:[]}", "code",
						      "waiting_task", "since", view_day(since),
						      "count", (int)count, "about"));
}

/* Suspects are no part of the state, and so is theirs no word of its alarms. */
static json_t *status_alarms(const struct core *core)
{
	json_t *list = view_alarms(engine_state(core->engine));
	size_t count = json_array_size(caution_suspects(core->caution));

	if (count)
		json_array_append_new(list,
				      json_pack("{s:s, s:o, s:i, s:[]}", "code", "suspect_event",
						"since", view_day(caution_since(core->caution)),
						"count", (int)count, "about"));
	add_waiting_tasks(engine_state(core->engine), list);
	return list;
}

/* The digest goes over the whole state: only whoever asks for it pays for it. */
static enum err ask_status(struct question *question)
{
	struct core *core = question->core;
	const struct state *state = state_of(question);
	char digest[DIGEST_TEXT_SIZE];
	bool wants_digest;

	if (!get_flag(question, "digest", &wants_digest))
		return question->fault.code;
	question->answer = json_pack(
		"{s:o, s:b, s:I, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "now",
		view_time(engine_now(core->engine)), "rehearsal", core->calendar.is_rehearsal,
		"seq", (json_int_t)state->seq, "epoch", (json_int_t)core->epoch, "draining",
		core->is_draining, "policy", status_policy(state), "cases", status_cases(state),
		"tasks", status_tasks(state), "intake",
		status_intake(engine_counters(core->engine)), "alarms", status_alarms(core));
	if (!wants_digest)
		return ERR_OK;
	engine_digest(core->engine, digest);
	json_object_set_new(question->answer, "digest", json_string(digest));
	return ERR_OK;
}

static enum err ask_suspects(struct question *question)
{
	question->answer = json_pack("{s:o}", "events",
				     json_deep_copy(caution_suspects(question->core->caution)));
	return ERR_OK;
}

/* --- cases ------------------------------------------------------------------------------------ */

struct case_filter {
	uint32_t sector; /* position plus 1, 0: any */
	uint32_t tier, state;
};

static bool get_sector(struct question *question, uint32_t *sector)
{
	const struct policy *policy = &state_of(question)->policy;
	const struct policy_sector *found;
	scoped(buf_done) struct buf known = {0};
	struct str id;

	*sector = 0;
	if (!get_text(question, "sector", &id))
		return false;
	if (!id.size)
		return true;
	found = state_of(question)->has_policy ? policy_find_sector(policy, id) : NULL;
	if (!found) {
		policy_print_sectors(policy, &known);
		(void)unknown(question, ERR_BAD_REQUEST, "sector",
			      "the policy names no such sector", &known);
		return false;
	}
	*sector = (uint32_t)(found - (const struct policy_sector *)policy->sectors.items) + 1;
	return true;
}

/* Was the household of that day erased since? What is told of it now is its place, and no reason. */
static bool is_erased_since(const struct question *question, uint32_t number)
{
	const struct state *then = state_of(question), *present = question->present;
	uint32_t at = then->cases.items[number].household;

	for (; present && at; at = then->households.items[at].next_member)
		if (present->parties.items[then->households.items[at].party].is_erased)
			return true;
	return false;
}

static json_t *queue_line(const struct question *question, uint32_t number)
{
	json_t *line = view_case(state_of(question), number, question->may_tell);

	if (!is_erased_since(question, number))
		return line;
	json_object_set_new(line, "reasons", json_array());
	if (question->may_tell)
		json_object_set_new(line, "why", json_null());
	return line;
}

static bool passes(const struct case_filter *filter, const struct case_record *record)
{
	return (!filter->sector || filter->sector == record->sector) &&
	       (!filter->tier || filter->tier == record->tier) &&
	       (!filter->state || filter->state == record->state);
}

static enum err ask_queue(struct question *question)
{
	const struct state *state = state_of(question);
	struct case_filter filter;
	uint64_t limit, total = 0;
	uint32_t count = queue_count(&state->queue);
	json_t *cases;

	if (!get_sector(question, &filter.sector) ||
	    !get_word(question, "tier", &words_tier, &filter.tier) ||
	    !get_word(question, "state", &words_case_state, &filter.state) ||
	    !question_get_limit(question, &limit))
		return question->fault.code;
	cases = json_array();
	for (uint32_t rank = 1; rank <= count; rank++) {
		uint32_t number = queue_at(&state->queue, rank);

		if (!passes(&filter, &state->cases.items[number]))
			continue;
		if (total++ < limit)
			json_array_append_new(cases, queue_line(question, number));
	}
	question->answer =
		json_pack("{s:I, s:o, s:I, s:o}", "seq", (json_int_t)state->seq, "today",
			  view_day(state->today), "total", (json_int_t)total, "cases", cases);
	return ERR_OK;
}

static enum err ask_explain(struct question *question)
{
	const struct state *state = state_of(question);
	uint32_t number;

	if (!get_case(question, &number))
		return question->fault.code;
	if (is_erased_since(question, number))
		return fault_set(&question->fault, ERR_ERASED, "case",
				 "this household was erased since; nothing is told of it any more");
	question->answer = question->may_tell ? view_explanation(state, number)
					      : view_case(state, number, false);
	json_object_set_new(question->answer, "seq", json_integer((json_int_t)state->seq));
	json_object_set_new(question->answer, "today", view_day(state->today));
	return ERR_OK;
}

static enum err ask_show(struct question *question)
{
	uint32_t number;

	if (!get_case(question, &number) || log_look(question, "case.show", "case", number))
		return question->fault.code;
	question->answer = view_opened_case(question->core->engine, number);
	return ERR_OK;
}

/* A household that may have no case: one whose water is off, or like another. */
static enum err ask_household(struct question *question)
{
	const struct state *state = state_of(question);
	uint64_t number;

	if (!get_number(question, "household", UINT32_MAX - 1, 0, &number))
		return question->fault.code;
	if (!number)
		return wrong(question, "household", "missing: a household's number is needed");
	if (number >= state->parties.count || state->parties.items[number].kind != PARTY_HOUSEHOLD)
		return fault_set(&question->fault, ERR_NOT_FOUND, "household",
				 "no household has this number");
	if (state->parties.items[number].is_erased)
		return fault_set(&question->fault, ERR_ERASED, "household",
				 "this household asked to be forgotten");
	if (log_look(question, "household.show", "household", number))
		return question->fault.code;
	question->answer = view_opened_household(question->core->engine, (uint32_t)number);
	return ERR_OK;
}

/* --- visits ----------------------------------------------------------------------------------- */

static enum err ask_visits(struct question *question)
{
	const struct state *state = state_of(question);
	day_t from, to, monday;
	uint32_t wanted;
	uint64_t limit;
	struct str pair;
	json_t *visits;

	if (!get_week(question, "week", &monday) || !get_text(question, "pair", &pair) ||
	    !get_word(question, "state", &words_visit_state, &wanted) ||
	    !get_day(question, "from", monday == DAY_NONE ? DAY_MIN : monday, &from) ||
	    !get_day(question, "to", monday == DAY_NONE ? DAY_MAX : monday + 6, &to) ||
	    !question_get_limit(question, &limit))
		return question->fault.code;
	visits = json_array();
	for (uint32_t i = 1; i < state->visits.count && json_array_size(visits) < limit; i++) {
		const struct visit *visit = &state->visits.items[i];

		if (visit->day < from || visit->day > to || (wanted && visit->state != wanted) ||
		    (pair.size && !str_equal(names_get(&state->names, visit->pair), pair)))
			continue;
		json_array_append_new(visits, view_visit(state, i));
	}
	question->answer = json_pack("{s:I, s:o}", "seq", (json_int_t)state->seq, "visits", visits);
	return ERR_OK;
}

static json_t *sheet_line(struct question *question, uint32_t number)
{
	const struct state *state = state_of(question);
	const struct visit *visit = &state->visits.items[number];
	uint32_t owner = case_resolve(state, visit->case_number);
	json_t *json = view_visit(state, number);
	json_t *person = owner ? view_opened_person(question->core->engine,
						    state->cases.items[owner].household)
			       : json_null();

	if (json_is_object(person))
		json_object_update(json, person);
	json_decref(person);
	return json;
}

static enum err ask_sheet(struct question *question)
{
	const struct state *state = state_of(question);
	scoped(buf_done) struct buf known = {0};
	struct str pair;
	day_t monday;
	uint32_t name;
	json_t *visits;

	if (!get_text(question, "pair", &pair) || !get_week(question, "week", &monday))
		return question->fault.code;
	name = names_find(&state->names, pair);
	if (!pair.size || monday == DAY_NONE)
		return wrong(question, pair.size ? "week" : "pair", "missing: both are needed");
	if (!policy_find_pair(&state->policy, pair)) {
		policy_print_pairs(&state->policy, &known);
		return unknown(question, ERR_NOT_FOUND, "pair", "the policy names no such pair",
			       &known);
	}
	visits = json_array();
	for (uint32_t i = 1; i < state->visits.count; i++) {
		const struct visit *visit = &state->visits.items[i];

		if (visit->state != VISIT_STATE_CONFIRMED || visit->pair != name ||
		    visit->day < monday || visit->day > monday + 6)
			continue;
		if (log_look(question, "visit.sheet", "visit", i)) {
			json_decref(visits);
			return question->fault.code;
		}
		json_array_append_new(visits, sheet_line(question, i));
	}
	question->answer =
		json_pack("{s:o, s:o, s:o}", "pair", view_text(pair), "week",
			  json_incref(json_object_get(question->params, "week")), "visits", visits);
	return ERR_OK;
}

/* --- duplicates ------------------------------------------------------------------------------- */

static json_t *open_case_of(const struct state *state, uint32_t household)
{
	uint32_t number = state->households.items[household_head(state, household)].open_case;

	return number ? json_integer(number) : json_null();
}

static enum err ask_duplicates(struct question *question)
{
	const struct state *state = state_of(question);
	json_t *list = json_array();

	for (uint32_t i = 1; i < state->links.count; i++) {
		const struct link *link = &state->links.items[i];
		uint32_t fact;

		if (!link_is_unsettled(state, link))
			continue;
		fact = state_find_fact(state, link->seq);
		json_array_append_new(
			list,
			json_pack("{s:o, s:i, s:o, s:i, s:o}", "case", open_case_of(state, link->a),
				  "household", (int)state->households.items[link->a].party,
				  "other_case", open_case_of(state, link->b), "other",
				  (int)state->households.items[link->b].party, "since",
				  view_day(fact ? state->facts.items[fact].accepted : DAY_NONE)));
	}
	question->answer = json_pack("{s:o}", "duplicates", list);
	return ERR_OK;
}

/* --- sectors and givers ------------------------------------------------------------------------ */

static enum err ask_sectors(struct question *question)
{
	const struct state *state = state_of(question);
	json_t *list = json_array();

	for (uint32_t i = 0; state->has_policy && i < state->policy.sectors.count; i++)
		json_array_append_new(list, view_sector_row(state, i));
	question->answer = json_pack("{s:I, s:o, s:o}", "seq", (json_int_t)state->seq, "today",
				     view_day(state->today), "sectors", list);
	return ERR_OK;
}

static enum err ask_givers(struct question *question)
{
	const struct state *state = state_of(question);
	struct giver_filter filter;
	uint64_t limit, total = 0;
	json_t *givers;

	if (!get_sector(question, &filter.sector) ||
	    !get_word(question, "kind", &words_giver_kind, &filter.kind) ||
	    !get_flag(question, "quiet", &filter.is_quiet) ||
	    !get_flag(question, "unknown", &filter.is_unknown) ||
	    !question_get_limit(question, &limit))
		return question->fault.code;
	givers = json_array();
	for (uint32_t i = 1; i < state->givers.count; i++)
		if (giver_passes(state, i, &filter) && total++ < limit)
			json_array_append_new(givers, view_giver(state, i));
	question->answer = json_pack("{s:I, s:I, s:o}", "seq", (json_int_t)state->seq, "total",
				     (json_int_t)total, "givers", givers);
	return ERR_OK;
}

static enum err ask_giver(struct question *question)
{
	const struct state *state = state_of(question);
	struct str id;
	uint32_t giver;

	if (!get_text(question, "giver", &id))
		return question->fault.code;
	if (!id.size)
		return wrong(question, "giver", "missing: the identifier of a giver");
	giver = state_find_giver(state, id);
	if (!giver)
		return fault_set(&question->fault, ERR_NOT_FOUND, "giver",
				 "no giver has this identifier");
	if (log_look(question, "giver.show", "giver", state->givers.items[giver].party))
		return question->fault.code;
	question->answer = view_opened_giver(question->core->engine, giver);
	return ERR_OK;
}

/* --- tasks ------------------------------------------------------------------------------------ */

static enum err ask_tasks(struct question *question)
{
	const struct state *state = state_of(question);
	uint32_t wanted, kind;
	uint64_t limit;
	json_t *tasks;

	if (!get_word(question, "state", &words_task_state, &wanted) ||
	    !get_word(question, "kind", &words_task_kind, &kind) ||
	    !question_get_limit(question, &limit))
		return question->fault.code;
	tasks = json_array();
	for (uint32_t i = state->tasks.count; i-- > 1 && json_array_size(tasks) < limit;) {
		const struct task *task = &state->tasks.items[i];

		if ((!wanted || task->state == wanted) && (!kind || task->kind == kind))
			json_array_append_new(tasks, view_task(state, i));
	}
	question->answer = json_pack("{s:I, s:o}", "seq", (json_int_t)state->seq, "tasks", tasks);
	return ERR_OK;
}

/* What a worker would be told of a mail now. It names its reader, as no other list does. */
static enum err ask_mail(struct question *question)
{
	const struct state *state = state_of(question);
	scoped(arena_done) struct arena arena = {0};
	struct mail_body body;
	uint64_t number;
	enum err err;

	if (!get_number(question, "task", UINT32_MAX, 0, &number))
		return question->fault.code;
	if (!number)
		return wrong(question, "task", "missing: the number of a task");
	if (number >= state->tasks.count || state->tasks.items[number].kind != TASK_KIND_MAIL)
		return fault_set(&question->fault, ERR_NOT_FOUND, "task", "%s",
				 number < state->tasks.count ? "this task is no mail"
							     : "no task has this number");
	err = letter_write(question->core->engine, (uint32_t)number, &arena, &body);
	if (err)
		return fault_set(&question->fault, err, "task", "%s",
				 err == ERR_ERASED ? "its reader asked to be forgotten"
						   : "its reader has no address now");
	if (log_look(question, "mail.preview", "task", number))
		return question->fault.code;
	question->answer = json_pack("{s:I, s:o}", "seq", (json_int_t)state->seq, "body",
				     record_to_json(&record_mail_body, &body, 0));
	return ERR_OK;
}

/* --- the journal ------------------------------------------------------------------------------ */

static enum err ask_verify(struct question *question)
{
	struct verification found;
	enum err err = verify_feed(question->core, question->feed, &found);

	if (err)
		return fault_set(&question->fault, ERR_INTERNAL, "",
				 "the journal does not hold after event %llu",
				 (unsigned long long)found.seq);
	question->answer = json_pack("{s:I, s:s, s:b}", "events", (json_int_t)found.seq, "digest",
				     found.digest, "ok", found.is_equal);
	return ERR_OK;
}

/* --- report ----------------------------------------------------------------------------------- */

static bool get_year(struct question *question, int *year)
{
	uint64_t said;

	*year = 0;
	if (!get_number(question, "year", REPORT_YEAR_MAX, UINT64_MAX, &said))
		return false;
	if (said == UINT64_MAX)
		return true;
	*year = (int)said;
	if (said >= REPORT_YEAR_MIN)
		return true;
	(void)fault_set(&question->fault, ERR_BAD_REQUEST, "year",
			"a year from %d to %d is expected", REPORT_YEAR_MIN, REPORT_YEAR_MAX);
	return false;
}

/* One of the policy's, or "all" or "none". */
static bool get_report_sector(struct question *question, struct report_filter *filter)
{
	struct str id;

	if (!get_text(question, "sector", &id))
		return false;
	filter->is_sector = id.size > 0;
	if (str_is(id, "all"))
		filter->sector = state_of(question)->policy.sectors.count + 1;
	else if (!str_is(id, "none"))
		return get_sector(question, &filter->sector);
	return true;
}

static bool add_kind(struct question *question, const json_t *said, uint32_t *kinds)
{
	struct str word = {json_string_value(said), json_string_length(said)};
	uint32_t kind = words_find(&words_report_kind, word);

	if (!kind) {
		unknown_word(question, "kind", &words_report_kind);
		return false;
	}
	*kinds |= 1u << (kind - 1);
	return true;
}

/* A word, or a list of them. */
static bool get_kinds(struct question *question, uint32_t *kinds)
{
	const json_t *said = json_object_get(question->params, "kind");

	*kinds = 0;
	if (said && !json_is_array(said))
		return add_kind(question, said, kinds);
	for (size_t i = 0; i < json_array_size(said); i++)
		if (!add_kind(question, json_array_get(said, i), kinds))
			return false;
	return true;
}

/* Whoever may read the whole list may see small counts, when they ask for them. */
static bool get_full(struct question *question, bool *is_full)
{
	const json_t *said = json_object_get(question->params, "full");

	*is_full = json_is_true(said);
	if (said && !json_is_boolean(said)) {
		(void)wrong(question, "full", "true or false is expected");
		return false;
	}
	if (*is_full && !question->may_tell) {
		(void)fault_set(&question->fault, ERR_FORBIDDEN, "full",
				"small counts are shown on the control socket only");
		return false;
	}
	return true;
}

static enum err ask_report(struct question *question)
{
	struct report_filter filter = {0};

	if (!get_year(question, &filter.year) || !get_report_sector(question, &filter) ||
	    !get_kinds(question, &filter.kinds) || !get_full(question, &filter.is_full))
		return question->fault.code;
	question->answer = view_report(state_of(question), &filter);
	return ERR_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */

static const struct question_row rows[] = {
	{"status", SOCKET_STATUS | SOCKET_CONTROL, "digest", ask_status},
	{"queue.list", SOCKET_STATUS | SOCKET_CONTROL, "sector tier state limit on", ask_queue},
	{"case.explain", SOCKET_STATUS | SOCKET_CONTROL, "case on", ask_explain},
	{"case.show", SOCKET_CONTROL, "case", ask_show},
	{"household.show", SOCKET_CONTROL, "household", ask_household},
	{"visit.list", SOCKET_STATUS | SOCKET_CONTROL, "week from to pair state limit", ask_visits},
	{"visit.sheet", SOCKET_CONTROL, "pair week", ask_sheet},
	{"duplicate.list", SOCKET_CONTROL, "", ask_duplicates},
	{"sector.list", SOCKET_STATUS | SOCKET_CONTROL, "", ask_sectors},
	{"giver.list", SOCKET_STATUS | SOCKET_CONTROL, "sector kind quiet unknown limit",
	 ask_givers},
	{"giver.show", SOCKET_CONTROL, "giver", ask_giver},
	{"mail.preview", SOCKET_CONTROL, "task", ask_mail},
	{"event.suspects", SOCKET_CONTROL, "", ask_suspects},
	{"task.list", SOCKET_STATUS | SOCKET_CONTROL, "state kind limit", ask_tasks},
	{"verify", SOCKET_CONTROL | IS_LONG, "", ask_verify},
	{"policy.check", SOCKET_CONTROL, "policy", ask_policy_check},
	{"policy.diff", SOCKET_CONTROL | IS_LONG, "policy limit", ask_policy_diff},
	{"report", SOCKET_STATUS | SOCKET_CONTROL, "year sector kind full", ask_report},
};

const struct question_row *question_find(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].method, method) == 0)
			return &rows[i];
	return NULL;
}
