#include "daemon/io/question.h"

#include <stdio.h>
#include <string.h>

enum err question_wrong(struct question *question, const char *name, const char *text)
{
	return fault_set(&question->fault, ERR_BAD_REQUEST, name, "%s", text);
}

/* What there is none of under a name that was given, and what there is. */
enum err question_unknown(struct question *question, enum err code, const char *name,
			  const char *what, const struct buf *known)
{
	return fault_set(&question->fault, code, name, "%s; there are: %.*s", what,
			 (int)known->size, known->size ? known->data : "");
}

void question_unknown_word(struct question *question, const char *name, const struct words *words)
{
	scoped(buf_done) struct buf known = {0};

	words_print(words, &known);
	(void)question_unknown(question, ERR_BAD_REQUEST, name, "no such word", &known);
}

bool question_get_text(struct question *question, const char *name, struct str *text)
{
	const json_t *value = json_object_get(question->params, name);

	*text = (struct str){0};
	if (!value)
		return true;
	if (!json_is_string(value)) {
		(void)question_wrong(question, name, "a string is expected");
		return false;
	}
	*text = (struct str){json_string_value(value), json_string_length(value)};
	return true;
}

static bool is_between(const json_t *value, uint64_t least, uint64_t most)
{
	json_int_t number = json_integer_value(value);

	return json_is_integer(value) && number >= 0 && (uint64_t)number >= least &&
	       (uint64_t)number <= most;
}

bool question_get_number(struct question *question, const char *name, uint64_t least, uint64_t most,
			 uint64_t absent, uint64_t *number)
{
	const json_t *value = json_object_get(question->params, name);

	*number = absent;
	if (!value)
		return true;
	if (!is_between(value, least, most)) {
		(void)fault_set(&question->fault, ERR_BAD_REQUEST, name,
				"a whole number from %llu to %llu is expected",
				(unsigned long long)least, (unsigned long long)most);
		return false;
	}
	*number = (uint64_t)json_integer_value(value);
	return true;
}

bool question_get_limit(struct question *question, uint64_t *limit)
{
	return question_get_number(question, "limit", 1, LIST_LIMIT_MAX, LIST_LIMIT_DEFAULT, limit);
}

bool question_get_word(struct question *question, const char *name, const struct words *words,
		       uint32_t *value)
{
	struct str text;

	*value = 0;
	if (!question_get_text(question, name, &text))
		return false;
	if (!text.size)
		return true;
	*value = words_find(words, text);
	if (!*value)
		question_unknown_word(question, name, words);
	return *value != 0;
}

bool question_get_day(struct question *question, const char *name, day_t absent, day_t *day)
{
	struct str text;

	*day = absent;
	if (!question_get_text(question, name, &text))
		return false;
	if (!text.size || day_parse(text, day))
		return true;
	(void)question_wrong(question, name, "no such day; YYYY-MM-DD is expected");
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

bool question_get_week(struct question *question, const char *name, day_t *monday)
{
	struct str text;
	day_t found;

	*monday = DAY_NONE;
	if (!question_get_text(question, name, &text))
		return false;
	if (!text.size)
		return true;
	if (!parse_week(text, &found)) {
		(void)question_wrong(question, name, "no such week; 2015-W12 is expected");
		return false;
	}
	*monday = found;
	return true;
}

bool question_get_flag(struct question *question, const char *name, bool *flag)
{
	const json_t *value = json_object_get(question->params, name);

	*flag = json_is_true(value);
	if (!value || json_is_boolean(value))
		return true;
	(void)question_wrong(question, name, "true or false is expected");
	return false;
}

const struct state *question_state(const struct question *question)
{
	return engine_state(question->core->engine);
}

/* The case a number leads to now. */
bool question_get_case(struct question *question, uint32_t *number)
{
	uint64_t said;

	if (!question_get_number(question, "case", 0, UINT32_MAX, UINT64_MAX, &said))
		return false;
	if (said == UINT64_MAX) {
		(void)question_wrong(question, "case", "missing: the number of a case");
		return false;
	}
	*number = said ? case_resolve(question_state(question), (uint32_t)said) : 0;
	if (*number)
		return true;
	(void)fault_set(&question->fault, ERR_NOT_FOUND, "case",
			question->present ? "no case had this number on that day"
					  : "no case has this number");
	return false;
}

/* The look is on disk before it is given. */
enum err question_log_look(struct question *question, const char *method, const char *what,
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

bool question_get_sector(struct question *question, uint32_t *sector)
{
	const struct policy *policy = &question_state(question)->policy;
	const struct policy_sector *found;
	scoped(buf_done) struct buf known = {0};
	struct str id;

	*sector = 0;
	if (!question_get_text(question, "sector", &id))
		return false;
	if (!id.size)
		return true;
	found = question_state(question)->has_policy ? policy_find_sector(policy, id) : NULL;
	if (!found) {
		policy_print_sectors(policy, &known);
		(void)question_unknown(question, ERR_BAD_REQUEST, "sector",
				       "the policy names no such sector", &known);
		return false;
	}
	*sector = (uint32_t)(found - (const struct policy_sector *)policy->sectors.items) + 1;
	return true;
}
