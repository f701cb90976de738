#include "tools/feed/value.h"

#include "proto/codec.h"
#include "tools/feed/text.h"

/* --- dates --- */

struct moment {
	int year, month, day, hour, minute, second;
	bool has_hour;
};

/* A piece of a form: how it is written there, how many digits it takes, where they go. */
struct token {
	struct str text;
	uint32_t digits_min, digits_max;
	size_t offset;
};

/* Longer ones first: "DD" is not "D" twice. */
static const struct token tokens[] = {
	{STR("YYYY"), 4, 4, offsetof(struct moment, year)},
	{STR("YY"), 2, 2, offsetof(struct moment, year)},
	{STR("MM"), 2, 2, offsetof(struct moment, month)},
	{STR("M"), 1, 2, offsetof(struct moment, month)},
	{STR("DD"), 2, 2, offsetof(struct moment, day)},
	{STR("D"), 1, 2, offsetof(struct moment, day)},
	{STR("hh"), 2, 2, offsetof(struct moment, hour)},
	{STR("h"), 1, 2, offsetof(struct moment, hour)},
	{STR("mm"), 2, 2, offsetof(struct moment, minute)},
	{STR("ss"), 2, 2, offsetof(struct moment, second)},
};

static bool str_starts(struct str text, struct str start)
{
	return text.size >= start.size && memcmp(text.data, start.data, start.size) == 0;
}

static void str_skip(struct str *text, size_t size)
{
	text->data += size;
	text->size -= size;
}

static const struct token *token_find(struct str form)
{
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		if (str_starts(form, tokens[i].text))
			return &tokens[i];
	return NULL;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "T" stands between a date and its hour. */
const char *date_form_check(struct str form)
{
	uint32_t years = 0, months = 0, days = 0;

	while (form.size > 0) {
		const struct token *token = token_find(form);

		if (!token && is_letter(form.data[0]) && form.data[0] != 'T')
			return "a form is made of YYYY or YY, MM or M, DD or D, hh, mm, ss";
		years += token && token->offset == offsetof(struct moment, year);
		months += token && token->offset == offsetof(struct moment, month);
		days += token && token->offset == offsetof(struct moment, day);
		str_skip(&form, token ? token->text.size : 1);
	}
	if (years != 1 || months != 1 || days != 1)
		return "a form has one year, one month and one day, as in \"DD/MM/YYYY\"";
	return NULL;
}

static bool digits_take(struct str *text, const struct token *token, int *value)
{
	uint32_t count = 0;

	*value = 0;
	while (count < token->digits_max && count < text->size && text->data[count] >= '0' &&
	       text->data[count] <= '9')
		*value = *value * 10 + (text->data[count++] - '0');
	if (count < token->digits_min)
		return false;
	str_skip(text, count);
	return true;
}

/* Two digits mean 1970 to 2069: no file tells of a day before the first fund existed. */
static int whole_year(int year)
{
	return year < 70 ? 2000 + year : 1900 + year;
}

static void moment_set(struct moment *moment, const struct token *token, int value)
{
	if (token->offset == offsetof(struct moment, year) && token->digits_max == 2)
		value = whole_year(value);
	if (token->offset == offsetof(struct moment, hour))
		moment->has_hour = true;
	*(int *)((char *)moment + token->offset) = value;
}

static bool form_matches(struct str form, struct str text, struct moment *moment)
{
	*moment = (struct moment){0};
	while (form.size > 0) {
		const struct token *token = token_find(form);
		int value;

		if (token && digits_take(&text, token, &value))
			moment_set(moment, token, value);
		else if (!token && str_starts(text, (struct str){form.data, 1}))
			str_skip(&text, 1);
		else
			return false;
		str_skip(&form, token ? token->text.size : 1);
	}
	return text.size == 0;
}

static bool moment_is_real(const struct moment *moment)
{
	if (!ymd_is_real(moment->year, moment->month, moment->day))
		return false;
	if (moment->hour > 23 || moment->minute > 59 || moment->second > 59)
		return false;
	return moment->year >= 1900 && moment->year < 2170;
}

/* A sentence that ends with what a buffer holds, which it releases. */
static const char *take_sentence(struct buf *text, struct arena *arena)
{
	const char *copy;

	buf_add(text, "", 1);
	copy = arena_copy(arena, buf_str(text)).data;
	buf_done(text);
	return copy;
}

static const char *forms_told(const struct date_forms *forms, struct arena *arena)
{
	struct buf text = {0};

	buf_printf(&text, "no date of the form ");
	for (uint32_t i = 0; i < forms->count; i++) {
		buf_printf(&text, "%s", i ? " or " : "");
		buf_add_str(&text, forms->form[i]);
	}
	return take_sentence(&text, arena);
}

static const char *read_moment(const struct cell *cell, struct str text, struct arena *arena,
			       struct moment *moment)
{
	bool is_impossible = false;

	for (uint32_t i = 0; i < cell->dates.count; i++) {
		if (!form_matches(cell->dates.form[i], text, moment))
			continue;
		if (moment_is_real(moment))
			return NULL;
		is_impossible = true;
	}
	return is_impossible ? "no such day" : forms_told(&cell->dates, arena);
}

const char *value_time(const struct cell *cell, struct str text, struct arena *arena, ms_t *time)
{
	struct moment moment;
	const char *wrong = read_moment(cell, text, arena, &moment);
	day_t day;

	if (wrong)
		return wrong;
	day = day_from_ymd(moment.year, moment.month, moment.day);
	if (!moment.has_hour)
		*time = time_at_paris(day, 12, 0);
	else
		*time = time_at_paris(day, moment.hour, moment.minute) + moment.second * MS_SECOND;
	return NULL;
}

/* --- numbers --- */

/* Digits with the spaces that part thousands left out; false when there is anything else, or too
 * many of them for any number that vigie knows. */
static bool digits_read(struct str text, uint64_t *value)
{
	uint32_t count = 0;

	*value = 0;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == ' ' || text.data[i] == '\'')
			continue;
		if (text.data[i] < '0' || text.data[i] > '9' || count++ == 18)
			return false;
		*value = *value * 10 + (uint64_t)(text.data[i] - '0');
	}
	return count > 0;
}

static struct str without_end(struct str text, struct str end)
{
	if (text.size >= end.size &&
	    memcmp(text.data + text.size - end.size, end.data, end.size) == 0)
		text.size -= end.size;
	while (text.size > 0 && text.data[text.size - 1] == ' ')
		text.size--;
	return text;
}

/* "1 013,56", "1013.5", "12 €": cents, in whole numbers all the way. */
static const char *money_read(struct str text, uint64_t *cents)
{
	uint64_t whole = 0, part = 0;
	size_t point = 0;

	text = without_end(text, STR("€"));
	while (point < text.size && text.data[point] != ',' && text.data[point] != '.')
		point++;
	if (!digits_read((struct str){text.data, point}, &whole) || whole > 1000000000000)
		return "no amount";
	if (point < text.size) {
		struct str decimals = {text.data + point + 1, text.size - point - 1};

		if (decimals.size < 1 || decimals.size > 2 || !digits_read(decimals, &part))
			return "no amount";
		part *= decimals.size == 1 ? 10 : 1;
	}
	*cents = whole * 100 + part;
	return NULL;
}

/* --- fields, a setter for each type --- */

typedef const char *set_fn(const struct cell *cell, struct str text, struct arena *arena,
			   void *target);

static const char *set_flag(const struct cell *cell, struct str text, struct arena *arena,
			    void *target)
{
	(void)cell;
	(void)arena;
	if (!str_is(text, "true") && !str_is(text, "false"))
		return "neither true nor false";
	*(enum answer *)target = str_is(text, "true") ? SAID_YES : SAID_NO;
	return NULL;
}

static const char *set_uint(const struct cell *cell, struct str text, struct arena *arena,
			    void *target)
{
	(void)arena;
	if (cell->is_money)
		return money_read(text, target);
	return digits_read(text, target) ? NULL : "no whole number";
}

static const char *set_sint(const struct cell *cell, struct str text, struct arena *arena,
			    void *target)
{
	bool is_negative = text.size > 0 && text.data[0] == '-';
	uint64_t value;

	(void)cell;
	(void)arena;
	if (is_negative)
		str_skip(&text, 1);
	if (!digits_read(text, &value))
		return "no whole number";
	*(int64_t *)target = is_negative ? -(int64_t)value : (int64_t)value;
	return NULL;
}

static const char *set_day(const struct cell *cell, struct str text, struct arena *arena,
			   void *target)
{
	struct moment moment;
	const char *wrong = read_moment(cell, text, arena, &moment);

	if (wrong)
		return wrong;
	*(day_t *)target = day_from_ymd(moment.year, moment.month, moment.day);
	return NULL;
}

static const char *set_text(const struct cell *cell, struct str text, struct arena *arena,
			    void *target)
{
	(void)cell;
	*(struct str *)target = arena_copy(arena, text);
	return NULL;
}

static const char *set_insee(const struct cell *cell, struct str text, struct arena *arena,
			     void *target)
{
	(void)cell;
	(void)arena;
	return insee_parse(text, target) ? NULL : "no INSEE code of a commune";
}

static const char *refuse_word(const struct words *words, struct arena *arena)
{
	struct buf text = {0};

	buf_printf(&text, "no such word; there are: ");
	words_print(words, &text);
	return take_sentence(&text, arena);
}

static const char *set_word(const struct cell *cell, struct str text, struct arena *arena,
			    void *target)
{
	uint32_t word = words_find(cell->field->words, text);

	if (word == 0)
		return refuse_word(cell->field->words, arena);
	*(uint32_t *)target = word;
	return NULL;
}

static const char *set_set(const struct cell *cell, struct str text, struct arena *arena,
			   void *target)
{
	uint32_t word = words_find(cell->field->words, text);

	if (word == 0)
		return refuse_word(cell->field->words, arena);
	*(uint32_t *)target |= 1u << (word - 1);
	return NULL;
}

static const char *set_texts(const struct cell *cell, struct str text, struct arena *arena,
			     void *target)
{
	struct texts *texts = target;

	(void)cell;
	for (uint32_t i = 0; i < texts->count; i++)
		if (str_equal(texts->item[i], text))
			return NULL;
	if (texts->count == SET_COUNT_MAX)
		return "more than 16 values";
	texts->item[texts->count++] = arena_copy(arena, text);
	return NULL;
}

static const char *set_insees(const struct cell *cell, struct str text, struct arena *arena,
			      void *target)
{
	struct insees *insees = target;
	insee_t insee;

	(void)cell;
	(void)arena;
	if (!insee_parse(text, &insee))
		return "no INSEE code of a commune";
	for (uint32_t i = 0; i < insees->count; i++)
		if (insees->item[i] == insee)
			return NULL;
	if (insees->count == SET_COUNT_MAX)
		return "more than 16 values";
	insees->item[insees->count++] = insee;
	return NULL;
}

/* A field of a type without a setter cannot come from a file; mapping_read() refuses it. */
static set_fn *const setters[] = {
	[FIELD_flag] = set_flag,     [FIELD_uint] = set_uint, [FIELD_sint] = set_sint,
	[FIELD_day] = set_day,       [FIELD_text] = set_text, [FIELD_insee] = set_insee,
	[FIELD_word] = set_word,     [FIELD_set] = set_set,   [FIELD_texts] = set_texts,
	[FIELD_insees] = set_insees,
};

const char *value_set_own(const struct cell *cell, struct str text, struct arena *arena,
			  void *object)
{
	return setters[cell->field->type](cell, text, arena, (char *)object + cell->field->offset);
}

/* The one field's own check, in a record of one field. */
const char *value_out_of_bounds(const struct cell *cell, struct arena *arena, const void *object)
{
	struct field field = *cell->field;
	struct record record = {.name = "value", .count = 1, .fields = &field};
	struct fault fault;

	if (!record_check(&record, object, "", &fault))
		return NULL;
	return arena_copy(arena, (struct str){fault.text, strlen(fault.text) + 1}).data;
}

/* --- a cell: pieces, words, values --- */

static bool is_blank(const struct cell *cell, struct str folded)
{
	if (folded.size == 0)
		return true;
	for (uint32_t i = 0; i < cell->blank.count; i++)
		if (str_equal(cell->blank.item[i], folded))
			return true;
	return false;
}

static const struct word_row *word_find(const struct word_table *words, struct str folded)
{
	for (uint32_t i = 0; words && i < words->count; i++)
		if (str_equal(words->rows[i].word, folded))
			return &words->rows[i];
	return NULL;
}

static const char *set_all(const struct cell *cell, const struct strings *values,
			   struct arena *arena, void *object)
{
	const char *wrong = NULL;

	for (uint32_t i = 0; i < values->count && !wrong; i++)
		wrong = value_set_own(cell, values->item[i], arena, object);
	return wrong;
}

/* The words of the mapping's table, as they are compared. */
static const char *refuse_unknown_word(const struct word_table *table, struct arena *arena)
{
	struct buf text = {0};

	buf_printf(&text, "no such word; the mapping has: ");
	for (uint32_t i = 0; i < table->count; i++) {
		buf_printf(&text, "%s", i ? ", " : "");
		buf_add_str(&text, table->rows[i].word);
	}
	return take_sentence(&text, arena);
}

static const char *set_piece(const struct cell *cell, struct str text, struct arena *arena,
			     void *object)
{
	struct str clean = text_clean(arena, text);
	struct str folded = text_fold(arena, clean);
	const struct word_row *row = word_find(cell->words, folded);

	if (row)
		return set_all(cell, &row->values, arena, object);
	if (is_blank(cell, folded))
		return NULL;
	if (text_is_unreadable(clean))
		return "bytes that are no text in the file's encoding";
	return cell->words ? refuse_unknown_word(cell->words, arena)
			   : value_set_own(cell, clean, arena, object);
}

/* The whole is looked at first: a department may have one word for several values. */
static bool is_one_piece(const struct cell *cell, struct str text, struct arena *arena)
{
	return cell->split.size == 0 || word_find(cell->words, text_fold(arena, text));
}

const char *value_set(const struct cell *cell, struct str text, struct arena *arena, void *object)
{
	struct str piece;
	const char *wrong = NULL;

	if (cell->is_fixed)
		return set_all(cell, &cell->fixed, arena, object);
	if (is_one_piece(cell, text, arena))
		return set_piece(cell, text, arena, object);
	while (!wrong && text_split(&text, cell->split, &piece))
		wrong = set_piece(cell, piece, arena, object);
	return wrong;
}
