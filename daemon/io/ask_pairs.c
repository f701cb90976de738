/* Questions about pairs: when they visit, and when they are away. */
#include "daemon/io/asks.h"

#include "daemon/absence.h"
#include "daemon/view.h"

static json_t *list_half_days(const struct policy_pair *pair)
{
	json_t *list = json_array();

	for (uint32_t word = 1; word < HALF_DAY_END; word++)
		if (pair->half_days >> (word - 1) & 1)
			json_array_append_new(list, view_word(&words_half_day, word));
	return list;
}

static json_t *list_sectors(const struct policy_pair *pair)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < pair->sectors.count; i++)
		json_array_append_new(list, view_text(pair->sectors.item[i]));
	return list;
}

/* With the name under which it is taken back. */
static enum err view_absence(struct question *question, const struct fact *absence, json_t **view)
{
	scoped(arena_done) struct arena arena = {0};
	struct event event;

	if (engine_read(question->core->engine, absence->seq, &arena, &event))
		return fault_set(&question->fault, ERR_INTERNAL, "",
				 "event %llu of the journal cannot be read",
				 (unsigned long long)absence->seq);
	*view = json_pack("{s:o, s:o, s:I, s:o, s:o}", "from", view_day(absence->absence.from),
			  "to", view_day(absence->absence.to), "seq", (json_int_t)absence->seq,
			  "source", view_text(event.source), "id", view_text(event.id));
	return ERR_OK;
}

/* Those that are not over yet, in the order in which they were told. */
static enum err add_absences(struct question *question, uint32_t pair, json_t *list)
{
	const struct state *state = question_state(question);

	for (uint32_t at = state->first_absence; at; at = state->facts.items[at].next) {
		const struct fact *absence = &state->facts.items[at];
		json_t *view = NULL;

		if (absence->absence.pair != pair || !absence_is_coming(state, absence))
			continue;
		if (view_absence(question, absence, &view))
			return question->fault.code;
		json_array_append_new(list, view);
	}
	return ERR_OK;
}

static enum err add_pair(struct question *question, const struct policy_pair *pair, json_t *list)
{
	json_t *absences = json_array();

	json_array_append_new(
		list, json_pack("{s:o, s:o, s:o, s:o, s:i, s:b, s:o}", "pair", view_text(pair->id),
				"name", view_text(pair->name), "sectors", list_sectors(pair),
				"half_days", list_half_days(pair), "visits_a_week",
				(int)pair->visits_a_week, "closed_sectors",
				pair->closed_sectors == SAID_YES, "absences", absences));
	return add_absences(question, names_find(&question_state(question)->names, pair->id),
			    absences);
}

enum err ask_pairs(struct question *question)
{
	const struct state *state = question_state(question);
	uint32_t count = state->has_policy ? state->policy.pairs.count : 0;
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++) {
		if (add_pair(question, list_at(&state->policy.pairs, struct policy_pair, i),
			     list)) {
			json_decref(list);
			return question->fault.code;
		}
	}
	question->answer = json_pack("{s:I, s:o, s:o}", "seq", (json_int_t)state->seq, "today",
				     view_day(state->today), "pairs", list);
	return ERR_OK;
}
