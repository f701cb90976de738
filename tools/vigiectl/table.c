#include "tools/vigiectl/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/vigiectl/terminal.h"

enum { COLUMNS_MAX = 20, GAP = 2 };

/* --- one cell --- */

static void add_scalar(struct buf *out, const json_t *value)
{
	if (json_is_string(value))
		buf_add(out, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
		buf_printf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		buf_printf(out, "%.15g", json_real_value(value));
	else if (json_is_boolean(value))
		buf_printf(out, "%s", json_is_true(value) ? "yes" : "no");
	else
		buf_printf(out, "-");
}

static void add_words(struct buf *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i > 0)
			buf_printf(out, ",");
		add_scalar(out, json_array_get(list, i));
	}
}

/* Days that are 0 say nothing: such a rule only speaks of the tier. */
static void add_sayings(struct buf *out, const json_t *reasons)
{
	for (size_t i = 0; i < json_array_size(reasons); i++) {
		const json_t *reason = json_array_get(reasons, i);
		long long days = json_integer_value(json_object_get(reason, "days"));

		if (i > 0)
			buf_printf(out, ", ");
		add_scalar(out, json_object_get(reason, "code"));
		if (days)
			buf_printf(out, " %lld", days);
	}
}

static void add_steps(struct buf *out, const json_t *steps)
{
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);

		if (i > 0)
			buf_printf(out, ", ");
		add_scalar(out, json_object_get(step, "rule"));
		buf_printf(out, " ");
		add_scalar(out, json_object_get(step, "date"));
	}
}

static void add_data(struct buf *out, const json_t *value)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)value, key, item)
	{
		buf_printf(out, "%s%s=", out->size ? " " : "", key);
		if (json_is_array(item))
			add_words(out, item);
		else
			add_scalar(out, item);
	}
}

static void add_value(struct buf *out, const json_t *value);

/* Periods are what an option holds most: "2015-01-01..2015-12-31". */
static void add_object(struct buf *out, const json_t *value)
{
	const json_t *from = json_object_get(value, "from"), *to = json_object_get(value, "to");
	const char *key, *space = "";
	json_t *item;

	if (from && to && json_object_size(value) == 2) {
		add_scalar(out, from);
		buf_printf(out, "..");
		add_scalar(out, to);
		return;
	}
	json_object_foreach((json_t *)value, key, item)
	{
		buf_printf(out, "%s%s=", space, key);
		add_value(out, item);
		space = " ";
	}
}

static void add_value(struct buf *out, const json_t *value)
{
	size_t at;
	json_t *item;

	if (json_is_object(value))
		add_object(out, value);
	else if (!json_is_array(value))
		add_scalar(out, value);
	json_array_foreach((json_t *)value, at, item)
	{
		buf_add(out, ", ", at > 0 ? 2 : 0);
		add_value(out, item);
	}
}

struct str table_cell(struct arena *arena, enum cell cell, const json_t *value)
{
	struct buf buf = {0};
	struct str text;

	if (cell == CELL_WORDS)
		add_words(&buf, value);
	else if (cell == CELL_SAYINGS)
		add_sayings(&buf, value);
	else if (cell == CELL_STEPS)
		add_steps(&buf, value);
	else if (cell == CELL_DATA)
		add_data(&buf, value);
	else if (cell == CELL_VALUE)
		add_value(&buf, value);
	else
		add_scalar(&buf, value);
	text = buf.size ? terminal_clean(arena, buf_str(&buf)) : STR("-");
	buf_done(&buf);
	return text;
}

/* --- the whole --- */

struct urgency {
	const char *word;
	enum style style;
};

static const struct urgency urgencies[] = {
	{"cut", STYLE_ALARM},    {"critical", STYLE_ALARM},   {"urgent", STYLE_WARNING},
	{"buried", STYLE_ALARM}, {"retrying", STYLE_WARNING}, {"held", STYLE_WARNING},
	{"unsafe", STYLE_ALARM}, {"no_show", STYLE_WARNING},  {"needs_contact", STYLE_WARNING},
};

static enum style cell_style(enum cell cell, struct str text)
{
	for (size_t i = 0; cell == CELL_URGENCY && i < ARRAY_SIZE(urgencies); i++) {
		if (str_is(text, urgencies[i].word))
			return urgencies[i].style;
	}
	return STYLE_PLAIN;
}

struct table {
	const struct column *columns;
	uint32_t column_count;
	size_t widths[COLUMNS_MAX];
};

/* The last column is not filled up: a line ends with its last letter. */
static void print_cell(const struct table *table, uint32_t at, enum style style, struct str text)
{
	bool is_number = table->columns[at].cell == CELL_NUMBER;
	bool is_last = at + 1 == table->column_count;
	int fill = (int)(table->widths[at] - terminal_width(text));

	if (is_number)
		printf("%*s", fill, "");
	terminal_print(style, text);
	if (is_last)
		putchar('\n');
	else
		printf("%*s", (is_number ? 0 : fill) + GAP, "");
}

static void widen(struct table *table, uint32_t at, struct str text)
{
	size_t width = terminal_width(text);

	if (width > table->widths[at])
		table->widths[at] = width;
}

static void print_rows(const struct table *table, const struct str *cells, size_t count)
{
	for (uint32_t at = 0; at < table->column_count; at++)
		print_cell(table, at, STYLE_HEADING, str_from(table->columns[at].heading));
	for (size_t i = 0; i < count; i++) {
		uint32_t at = i % table->column_count;

		print_cell(table, at, cell_style(table->columns[at].cell, cells[i]), cells[i]);
	}
}

void table_print(const struct column *columns, const json_t *rows)
{
	scoped(arena_done) struct arena arena = {0};
	struct table table = {.columns = columns};
	size_t row_count = json_array_size(rows), count = 0;
	struct str *cells;

	if (row_count == 0)
		return;
	while (columns[table.column_count].heading)
		table.column_count++;
	assert(table.column_count <= COLUMNS_MAX);

	cells = arena_new(&arena, row_count * table.column_count * sizeof(*cells));
	for (uint32_t at = 0; at < table.column_count; at++)
		widen(&table, at, str_from(columns[at].heading));
	for (size_t row = 0; row < row_count; row++) {
		for (uint32_t at = 0; at < table.column_count; at++) {
			const json_t *item = json_array_get(rows, row);

			cells[count] = table_cell(&arena, columns[at].cell,
						  json_object_get(item, columns[at].key));
			widen(&table, at, cells[count++]);
		}
	}
	print_rows(&table, cells, count);
}
