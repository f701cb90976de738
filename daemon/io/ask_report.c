/* The report: which counts are asked for. */
#include "daemon/io/asks.h"

#include "daemon/view_report.h"

static bool get_year(struct question *question, int *year)
{
	uint64_t said;

	if (!question_get_number(question, "year", REPORT_YEAR_MIN, REPORT_YEAR_MAX, 0, &said))
		return false;
	*year = (int)said;
	return true;
}

/* One of the policy's, or "all" or "none". */
static bool get_report_sector(struct question *question, struct report_filter *filter)
{
	struct str id;

	if (!question_get_text(question, "sector", &id))
		return false;
	filter->is_sector = id.size > 0;
	if (str_is(id, "all"))
		filter->sector = question_state(question)->policy.sectors.count + 1;
	else if (!str_is(id, "none"))
		return question_get_sector(question, &filter->sector);
	return true;
}

static bool add_kind(struct question *question, const json_t *said, uint32_t *kinds)
{
	struct str word = {json_string_value(said), json_string_length(said)};
	uint32_t kind = words_find(&words_report_kind, word);

	if (!kind) {
		question_unknown_word(question, "kind", &words_report_kind);
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
		(void)question_wrong(question, "full", "true or false is expected");
		return false;
	}
	if (*is_full && !question->may_tell) {
		(void)fault_set(&question->fault, ERR_FORBIDDEN, "full",
				"small counts are shown on the control socket only");
		return false;
	}
	return true;
}

enum err ask_report(struct question *question)
{
	struct report_filter filter = {0};

	if (!get_year(question, &filter.year) || !get_report_sector(question, &filter) ||
	    !get_kinds(question, &filter.kinds) || !get_full(question, &filter.is_full))
		return question->fault.code;
	question->answer = view_report(question_state(question), &filter);
	return ERR_OK;
}
