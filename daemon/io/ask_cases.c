/* Questions about cases: the list, one place in it, one case, and households that may be the same. */
#include "daemon/io/asks.h"

#include "daemon/view.h"

struct case_filter {
	uint32_t sector; /* position plus 1, 0: any */
	uint32_t tier, state;
};

/* Was the household of that day erased since? What is told of it now is its place, and no reason. */
static bool is_erased_since(const struct question *question, uint32_t number)
{
	const struct state *then = question_state(question), *present = question->present;
	uint32_t at = then->cases.items[number].household;

	for (; present && at; at = then->households.items[at].next_member)
		if (present->parties.items[then->households.items[at].party].is_erased)
			return true;
	return false;
}

static json_t *queue_line(const struct question *question, uint32_t number)
{
	json_t *line = view_case(question_state(question), number, question->may_tell);

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

enum err ask_queue(struct question *question)
{
	const struct state *state = question_state(question);
	struct case_filter filter;
	uint64_t limit, total = 0;
	uint32_t count = queue_count(&state->queue);
	json_t *cases;

	if (!question_get_sector(question, &filter.sector) ||
	    !question_get_word(question, "tier", &words_tier, &filter.tier) ||
	    !question_get_word(question, "state", &words_case_state, &filter.state) ||
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

enum err ask_explain(struct question *question)
{
	const struct state *state = question_state(question);
	uint32_t number;

	if (!question_get_case(question, &number))
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

enum err ask_show(struct question *question)
{
	uint32_t number;

	if (!question_get_case(question, &number) ||
	    question_log_look(question, "case.show", "case", number))
		return question->fault.code;
	question->answer = view_opened_case(question->core->engine, number);
	return ERR_OK;
}

/* A household that may have no case: one whose water is off, or like another. */
enum err ask_household(struct question *question)
{
	const struct state *state = question_state(question);
	uint64_t number;

	if (!question_get_number(question, "household", 1, UINT32_MAX - 1, 0, &number))
		return question->fault.code;
	if (!number)
		return question_wrong(question, "household",
				      "missing: a household's number is needed");
	if (number >= state->parties.count || state->parties.items[number].kind != PARTY_HOUSEHOLD)
		return fault_set(&question->fault, ERR_NOT_FOUND, "household",
				 "no household has this number");
	if (state->parties.items[number].is_erased)
		return fault_set(&question->fault, ERR_ERASED, "household",
				 "this household asked to be forgotten");
	if (question_log_look(question, "household.show", "household", number))
		return question->fault.code;
	question->answer = view_opened_household(question->core->engine, (uint32_t)number);
	return ERR_OK;
}

/* --- duplicates ----------------------------------------------------------------------------------- */

static json_t *open_case_of(const struct state *state, uint32_t household)
{
	uint32_t number = state->households.items[household_head(state, household)].open_case;

	return number ? json_integer(number) : json_null();
}

enum err ask_duplicates(struct question *question)
{
	const struct state *state = question_state(question);
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
