#include <stdio.h>
#include <string.h>

#include "tools/vigiectl/print.h"
#include "tools/vigiectl/terminal.h"

/* What another policy would change, for people. */

static const struct column option_columns[] = {
	{"OPTION", "option", CELL_TEXT},
	{"NOW", "old", CELL_VALUE},
	{"THEN", "new", CELL_VALUE},
	{NULL},
};

static const struct column move_columns[] = {
	{"CASE", "case", CELL_NUMBER},
	{"RANK", "rank", CELL_TEXT},
	{"PLACES", "places", CELL_TEXT},
	{"STATE", "state", CELL_TEXT},
	{"SECTOR", "sector", CELL_TEXT},
	{"TIER", "tier", CELL_TEXT},
	{"AS IF SINCE", "since", CELL_TEXT},
	{"WHY", "why", CELL_TEXT},
	{NULL},
};

static long long count_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static void print_heading(const char *heading)
{
	putchar('\n');
	terminal_print(STYLE_HEADING, str_from(heading));
	putchar('\n');
}

/* --- one case --- */

static void add_cell(struct buf *out, const json_t *value)
{
	scoped(arena_done) struct arena arena = {0};
	struct str text = table_cell(&arena, CELL_TEXT, value);

	buf_add_str(out, text);
}

/* "normal", or "normal → urgent" where it changes. */
static json_t *before_and_after(const json_t *line, const char *key)
{
	const json_t *before = json_object_get(json_object_get(line, "before"), key);
	const json_t *after = json_object_get(json_object_get(line, "after"), key);
	struct buf text = {0};
	json_t *json;

	add_cell(&text, before);
	if (!before || !after || !json_equal(before, after)) {
		buf_printf(&text, " → ");
		add_cell(&text, after);
	}
	json = json_stringn(text.data, text.size);
	buf_done(&text);
	return json;
}

static json_t *places(const json_t *line)
{
	const json_t *value = json_object_get(line, "places");
	long long places = (long long)json_integer_value(value);
	const char *closing = json_string_value(json_object_get(line, "closing"));

	if (closing)
		return json_sprintf("closed (%s)", closing);
	if (!json_is_integer(value))
		return json_string("new");
	if (!places)
		return json_string("same");
	return places > 0 ? json_sprintf("%lld earlier", places)
			  : json_sprintf("%lld later", -places);
}

static void add_reasons(struct buf *out, const char *sign, const json_t *reasons)
{
	size_t at;
	json_t *reason;

	json_array_foreach((json_t *)reasons, at, reason)
	{
		buf_printf(out, "%s%s", out->size ? "; " : "", sign);
		add_cell(out, json_object_get(reason, "sentence"));
	}
}

static void add_word(struct buf *out, const char *word)
{
	buf_printf(out, "%s%s", out->size ? "; " : "", word);
}

static void add_eligible(struct buf *out, const json_t *line)
{
	const json_t *before = json_object_get(json_object_get(line, "before"), "eligible");
	const json_t *after = json_object_get(json_object_get(line, "after"), "eligible");

	if (before && after && json_is_true(before) != json_is_true(after))
		add_word(out, json_is_true(after) ? "becomes eligible" : "no longer eligible");
}

/* What it gains with +, what it loses with −. */
static json_t *why(const json_t *line)
{
	struct buf text = {0};
	json_t *json;

	add_reasons(&text, "+ ", json_object_get(line, "gained"));
	add_reasons(&text, "− ", json_object_get(line, "lost"));
	add_eligible(&text, line);
	if (json_is_true(json_object_get(line, "shifted")))
		add_word(&text, "others moved");
	json = text.size ? json_stringn(text.data, text.size) : json_null();
	buf_done(&text);
	return json;
}

static json_t *move(const json_t *line)
{
	return json_pack("{s:O, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "case",
			 json_object_get(line, "case"), "rank", before_and_after(line, "rank"),
			 "places", places(line), "state", before_and_after(line, "state"), "sector",
			 before_and_after(line, "sector"), "tier", before_and_after(line, "tier"),
			 "since", before_and_after(line, "effective_date"), "why", why(line));
}

static void print_moves(const json_t *lines)
{
	json_t *moves = json_array(), *line;
	size_t at;

	json_array_foreach((json_t *)lines, at, line)
	{
		json_array_append_new(moves, move(line));
	}
	if (at)
		print_heading("Cases");
	table_print(move_columns, moves);
	json_decref(moves);
}

/* --- all of them --- */

/* "3 become eligible, 1 is closed": those of a list of counts that are not 0. */
struct count {
	const char *key, *what;
};

static void print_counts(const json_t *summary, const struct count *counts, size_t count)
{
	const char *comma = "";

	for (size_t i = 0; i < count; i++) {
		if (!count_of(summary, counts[i].key))
			continue;
		printf("%s%lld %s", comma, count_of(summary, counts[i].key), counts[i].what);
		comma = ", ";
	}
	if (*comma)
		putchar('\n');
}

static void print_tiers(const json_t *tiers)
{
	const char *name;
	json_t *tier;

	json_object_foreach((json_t *)tiers, name, tier)
	{
		if (count_of(tier, "entered") || count_of(tier, "left"))
			printf("tier %s: %lld enter, %lld leave\n", name, count_of(tier, "entered"),
			       count_of(tier, "left"));
	}
}

static void print_mails(const json_t *mails)
{
	const char *name, *comma = "mails: ";
	json_t *count;

	json_object_foreach((json_t *)mails, name, count)
	{
		printf("%s%lld %s", comma, (long long)json_integer_value(count), name);
		comma = ", ";
	}
	if (json_object_size(mails))
		putchar('\n');
}

static void print_summary(const json_t *summary)
{
	static const struct count changes[] = {
		{"changed", "change"},
		{"shifted", "only make room"},
		{"opened", "are opened"},
		{"closed", "are closed"},
	};
	static const struct count states[] = {
		{"eligible", "become eligible"},
		{"ineligible", "no longer are"},
		{"deferred", "are put off"},
		{"resumed", "are back in line"},
		{"visits_cancelled", "visits are cancelled"},
	};

	print_heading("The list");
	printf("%lld open cases, then %lld\n", count_of(summary, "open_before"),
	       count_of(summary, "open_after"));
	print_counts(summary, changes, ARRAY_SIZE(changes));
	print_counts(summary, states, ARRAY_SIZE(states));
	print_tiers(json_object_get(summary, "tiers"));
	print_mails(json_object_get(summary, "mails"));
}

void print_policy_diff(const json_t *answer)
{
	const json_t *options = json_object_get(answer, "options");
	const json_t *visits = json_object_get(answer, "visits");
	const json_t *cases = json_object_get(answer, "cases");

	if (json_array_size(options))
		table_print(option_columns, options);
	else
		puts("No option differs.");
	print_summary(json_object_get(answer, "summary"));
	if (json_array_size(visits))
		print_heading("Visits that would be cancelled");
	table_print(visit_columns, visits);
	print_moves(cases);
	if (json_array_size(json_object_get(answer, "remarks")))
		putchar('\n');
	print_remarks(json_object_get(answer, "remarks"));
	printf("\n%zu of %lld cases that change or make room, as of event %lld; nothing was "
	       "applied.\n",
	       json_array_size(cases), count_of(answer, "total"), count_of(answer, "seq"));
}
