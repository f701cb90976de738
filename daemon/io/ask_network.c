/* Questions about sectors and givers. */
#include "daemon/io/asks.h"

#include "daemon/view.h"
#include "daemon/view_network.h"

enum err ask_sectors(struct question *question)
{
	const struct state *state = question_state(question);
	json_t *list = json_array();

	for (uint32_t i = 0; state->has_policy && i < state->policy.sectors.count; i++)
		json_array_append_new(list, view_sector_row(state, i));
	question->answer = json_pack("{s:I, s:o, s:o}", "seq", (json_int_t)state->seq, "today",
				     view_day(state->today), "sectors", list);
	return ERR_OK;
}

enum err ask_givers(struct question *question)
{
	const struct state *state = question_state(question);
	struct giver_filter filter;
	uint64_t limit, total = 0;
	json_t *givers;

	if (!question_get_sector(question, &filter.sector) ||
	    !question_get_word(question, "kind", &words_giver_kind, &filter.kind) ||
	    !question_get_flag(question, "quiet", &filter.is_quiet) ||
	    !question_get_flag(question, "unknown", &filter.is_unknown) ||
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

enum err ask_giver(struct question *question)
{
	const struct state *state = question_state(question);
	struct str id;
	uint32_t giver;

	if (!question_get_text(question, "giver", &id))
		return question->fault.code;
	if (!id.size)
		return question_wrong(question, "giver", "missing: the identifier of a giver");
	giver = state_find_giver(state, id);
	if (!giver)
		return fault_set(&question->fault, ERR_NOT_FOUND, "giver",
				 "no giver has this identifier");
	if (question_log_look(question, "giver.show", "giver", state->givers.items[giver].party))
		return question->fault.code;
	question->answer = view_opened_giver(question->core->engine, giver);
	return ERR_OK;
}
