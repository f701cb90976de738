/* Questions about visits: the list, and the sheet of a pair. */
#include "daemon/io/asks.h"

#include "daemon/view.h"

enum err ask_visits(struct question *question)
{
	const struct state *state = question_state(question);
	day_t from, to, monday;
	uint32_t wanted;
	uint64_t limit;
	struct str pair;
	json_t *visits;

	if (!question_get_week(question, "week", &monday) ||
	    !question_get_text(question, "pair", &pair) ||
	    !question_get_word(question, "state", &words_visit_state, &wanted) ||
	    !question_get_day(question, "from", monday == DAY_NONE ? DAY_MIN : monday, &from) ||
	    !question_get_day(question, "to", monday == DAY_NONE ? DAY_MAX : monday + 6, &to) ||
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
	const struct state *state = question_state(question);
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

enum err ask_sheet(struct question *question)
{
	const struct state *state = question_state(question);
	scoped(buf_done) struct buf known = {0};
	struct str pair;
	day_t monday;
	uint32_t name;
	json_t *visits;

	if (!question_get_text(question, "pair", &pair) ||
	    !question_get_week(question, "week", &monday))
		return question->fault.code;
	name = names_find(&state->names, pair);
	if (!pair.size || monday == DAY_NONE)
		return question_wrong(question, pair.size ? "week" : "pair",
				      "missing: both are needed");
	if (!policy_find_pair(&state->policy, pair)) {
		policy_print_pairs(&state->policy, &known);
		return question_unknown(question, ERR_NOT_FOUND, "pair",
					"the policy names no such pair", &known);
	}
	visits = json_array();
	for (uint32_t i = 1; i < state->visits.count; i++) {
		const struct visit *visit = &state->visits.items[i];

		if (visit->state != VISIT_STATE_CONFIRMED || visit->pair != name ||
		    visit->day < monday || visit->day > monday + 6)
			continue;
		if (question_log_look(question, "visit.sheet", "visit", i)) {
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
