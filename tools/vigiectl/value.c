#include "tools/vigiectl/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Each returns a new reference, or NULL when the text is none of its kind. */
typedef json_t *parse_fn(const struct argument *argument, const char *text);

static json_t *parse_text(const struct argument *argument, const char *text)
{
	(void)argument;
	return *text && strlen(text) <= TEXT_SIZE_MAX ? json_string(text) : NULL;
}

static json_t *parse_file(const struct argument *argument, const char *text)
{
	(void)argument;
	return *text ? json_string(text) : NULL;
}

static json_t *parse_integer(const char *text, long long most)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9' || number < 1 ||
	    number > most)
		return NULL;
	return json_integer(number);
}

static json_t *parse_number(const struct argument *argument, const char *text)
{
	(void)argument;
	return parse_integer(text, UINT32_MAX - 1LL);
}

static json_t *parse_limit(const struct argument *argument, const char *text)
{
	(void)argument;
	return parse_integer(text, LIST_LIMIT_MAX);
}

static json_t *parse_day(const struct argument *argument, const char *text)
{
	day_t day;

	(void)argument;
	return day_parse(str_from(text), &day) ? json_string(text) : NULL;
}

static json_t *parse_moment(const struct argument *argument, const char *text)
{
	ms_t time;

	if (time_parse(str_from(text), &time))
		return json_string(text);
	return parse_day(argument, text);
}

/* A year has a week 53 when 28 December lies in it. */
static json_t *parse_week(const struct argument *argument, const char *text)
{
	int year, week, used = 0;

	(void)argument;
	if (strlen(text) != 8 || sscanf(text, "%4d-W%2d%n", &year, &week, &used) != 2 ||
	    used != 8 || year < 1900 || year > 2169 || week < 1 ||
	    week > day_iso_week(day_from_ymd(year, 12, 28)).week)
		return NULL;
	return json_string(text);
}

static json_t *parse_word(const struct argument *argument, const char *text)
{
	return words_find(argument->words, str_from(text)) ? json_string(text) : NULL;
}

static json_t *parse_words(const struct argument *argument, const char *text)
{
	json_t *list = json_array();
	uint32_t found = 0;

	for (;;) {
		size_t size = strcspn(text, ",");
		uint32_t word = words_find(argument->words, (struct str){text, size});

		if (!word || found & 1u << (word - 1)) {
			json_decref(list);
			return NULL;
		}
		found |= 1u << (word - 1);
		json_array_append_new(list, json_stringn(text, size));
		if (!text[size])
			return list;
		text += size + 1;
	}
}

static json_t *parse_answer(const struct argument *argument, const char *text)
{
	for (int i = 0; i < 2; i++) {
		if (strcmp(text, argument->answers[i]) == 0)
			return json_boolean(i);
	}
	return NULL;
}

/* --- the whole --- */

struct value_type {
	parse_fn *parse;
	const char *expected; /* NULL: the choices */
};

static const struct value_type types[] = {
	[ARGUMENT_TEXT] = {parse_text, "1 to 200 bytes of UTF-8 text"},
	[ARGUMENT_NUMBER] = {parse_number, "a number from 1 on"},
	[ARGUMENT_LIMIT] = {parse_limit, "a number from 1 to 10000"},
	[ARGUMENT_DAY] = {parse_day, "a day as YYYY-MM-DD"},
	[ARGUMENT_MOMENT] = {parse_moment,
			     "a day as YYYY-MM-DD, or a time as 2015-03-02T12:00:00+01:00"},
	[ARGUMENT_WEEK] = {parse_week, "a week as 2015-W12"},
	[ARGUMENT_WORD] = {parse_word, NULL},
	[ARGUMENT_WORDS] = {parse_words, NULL},
	[ARGUMENT_ANSWER] = {parse_answer, NULL},
	[ARGUMENT_FILE] = {parse_file, "the name of a file"},
};
_Static_assert(LIST_LIMIT_MAX == 10000 && TEXT_SIZE_MAX == 200, "sentences above name these");

void value_print_choices(const struct argument *argument, const char *separator, struct buf *out)
{
	if (argument->words) {
		for (uint32_t i = 1; i < argument->words->count; i++)
			buf_printf(out, "%s%s", i > 1 ? separator : "",
				   words_name(argument->words, i));
	}
	if (argument->answers[0])
		buf_printf(out, "%s%s%s", argument->answers[1], separator, argument->answers[0]);
}

static void complain_about(const struct argument *argument, struct buf *complaint)
{
	const struct value_type *type = &types[argument->type];

	if (type->expected) {
		buf_printf(complaint, "%s is expected", type->expected);
		return;
	}
	buf_printf(complaint, argument->type == ARGUMENT_WORDS
				      ? "some of these are expected, with commas between: "
				      : "one of these is expected: ");
	value_print_choices(argument, ", ", complaint);
}

json_t *value_parse(const struct argument *argument, const char *text, struct buf *complaint)
{
	json_t *value = types[argument->type].parse(argument, text);

	if (!value)
		complain_about(argument, complaint);
	return value;
}
