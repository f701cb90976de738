#include "config/document_parts.h"

#include <stdio.h>

/* Refusing. */

static void print_given(const config_setting_t *setting, struct buf *out)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		buf_printf(out, "%lld", config_setting_get_int64(setting));
		break;
	case CONFIG_TYPE_BOOL:
		buf_printf(out, "%s", config_setting_get_bool(setting) ? "true" : "false");
		break;
	case CONFIG_TYPE_STRING:
		complain_quote(str_from(config_setting_get_string(setting)), out);
		break;
	case CONFIG_TYPE_FLOAT:
		buf_printf(out, "a decimal number");
		break;
	case CONFIG_TYPE_GROUP:
		buf_printf(out, "a group { }");
		break;
	case CONFIG_TYPE_LIST:
		buf_printf(out, "a list ( )");
		break;
	default:
		buf_printf(out, "an array [ ]");
	}
}

/* "is 400; must be a whole number from 0 to 365 (days)" */
static bool refuse(const struct filling *filling, const config_setting_t *setting,
		   const struct option *option, const struct field *field)
{
	scoped(buf_done) struct buf sentence = {0};

	buf_printf(&sentence, "is ");
	print_given(setting, &sentence);
	buf_printf(&sentence, "; must be ");
	option_expects(option, field, &sentence);
	document_complain_at(filling, setting, NULL, buf_str(&sentence));
	return false;
}

static bool refuse_repeated(const struct filling *filling, const config_setting_t *setting)
{
	document_complain_at(filling, setting, NULL, STR("is there twice; once is enough"));
	return false;
}

/* Values. Each writes into `value` and returns true, or complains and leaves it absent. */

typedef bool read_fn(const struct filling *filling, const config_setting_t *setting,
		     const struct option *option, const struct field *field, void *value);

static bool is_misread(const struct filling *filling, const config_setting_t *setting)
{
	const config_setting_t *named = setting;
	const struct number *number;
	char sentence[128];

	while (!config_setting_name(named) && config_setting_parent(named))
		named = config_setting_parent(named);
	number = numbers_at(&filling->document->numbers,
			    config_setting_name(named) ? config_setting_name(named) : "",
			    document_line_of(setting));
	if (!number)
		return false;
	snprintf(sentence, sizeof(sentence), "%s %s", number->text, number->wrong);
	document_complain_at(filling, setting, NULL, str_from(sentence));
	return true;
}

static bool is_whole_number(const config_setting_t *setting)
{
	int type = config_setting_type(setting);

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

static bool read_sint_in(const struct filling *filling, const config_setting_t *setting,
			 const struct option *option, const struct field *field, void *value)
{
	int64_t given;

	if (!is_whole_number(setting))
		return refuse(filling, setting, option, field);
	if (is_misread(filling, setting))
		return false;
	given = config_setting_get_int64(setting);
	if (given < (int64_t)field->min || given > (int64_t)field->max)
		return refuse(filling, setting, option, field);
	*(int64_t *)value = given;
	return true;
}

/* No bound of an unsigned option reaches beyond what is signed. */
static bool read_uint_in(const struct filling *filling, const config_setting_t *setting,
			 const struct option *option, const struct field *field, void *value)
{
	int64_t given;

	assert(field->max <= INT64_MAX);
	if (!read_sint_in(filling, setting, option, field, &given))
		return false;
	*(uint64_t *)value = (uint64_t)given;
	return true;
}

static bool read_flag(const struct filling *filling, const config_setting_t *setting,
		      const struct option *option, const struct field *field, void *value)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return refuse(filling, setting, option, field);
	*(enum answer *)value = config_setting_get_bool(setting) ? SAID_YES : SAID_NO;
	return true;
}

static struct str text_of(const config_setting_t *setting)
{
	return str_from(config_setting_type(setting) == CONFIG_TYPE_STRING
				? config_setting_get_string(setting)
				: NULL);
}

static struct str keep(const struct filling *filling, struct str text)
{
	char *copy = arena_new(filling->arena, text.size + 1);

	memcpy(copy, text.data, text.size);
	return (struct str){copy, text.size};
}

static bool read_day(const struct filling *filling, const config_setting_t *setting,
		     const struct option *option, const struct field *field, void *value)
{
	return day_parse(text_of(setting), value) || refuse(filling, setting, option, field);
}

static bool read_word(const struct filling *filling, const config_setting_t *setting,
		      const struct option *option, const struct field *field, void *value)
{
	uint32_t word = words_find(field->words, text_of(setting));

	if (!word)
		return refuse(filling, setting, option, field);
	*(uint32_t *)value = word;
	return true;
}

static bool read_string(const struct filling *filling, const config_setting_t *setting,
			const struct option *option, const struct field *field, void *value)
{
	struct str text = text_of(setting);

	if (!text_is_good(field, text))
		return refuse(filling, setting, option, field);
	*(struct str *)value = keep(filling, text);
	return true;
}

static bool read_path(const struct filling *filling, const config_setting_t *setting,
		      const struct option *option, const struct field *field, void *value)
{
	struct str path = text_of(setting);

	if (!text_is_good(field, path))
		return refuse(filling, setting, option, field);
	path = document_path(filling->document, path, filling->arena);
	if (option->form == AS_SOCKET && path.size > SOCKET_PATH_MAX)
		return refuse(filling, setting, option, field);
	*(struct str *)value = path;
	return true;
}

/* "8 GiB": a number, at most one space, a unit. */
static bool size_parse(struct str text, uint64_t *bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	uint64_t number = 0;
	size_t at = 0;

	for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
		number = number * 10 + (uint64_t)(text.data[at] - '0');
		if (number > UINT32_MAX)
			return false;
	}
	if (at == 0)
		return false;
	if (at < text.size && text.data[at] == ' ')
		at++;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!str_is((struct str){text.data + at, text.size - at}, units[i]))
			continue;
		if (number > (uint64_t)INT64_MAX >> (10 * i))
			return false;
		*bytes = number << (10 * i);
		return true;
	}
	return false;
}

static bool read_size(const struct filling *filling, const config_setting_t *setting,
		      const struct option *option, const struct field *field, void *value)
{
	uint64_t bytes;

	if (is_whole_number(setting))
		return read_uint_in(filling, setting, option, field, value);
	if (!size_parse(text_of(setting), &bytes) || bytes < field->min || bytes > field->max)
		return refuse(filling, setting, option, field);
	*(uint64_t *)value = bytes;
	return true;
}

static bool read_month_day(const struct filling *filling, const config_setting_t *setting,
			   const struct option *option, const struct field *field, void *value)
{
	struct str text = text_of(setting);
	char date[DAY_TEXT_SIZE];
	day_t day;

	/* Read as a date of a leap year. */
	snprintf(date, sizeof(date), "2016-%.*s", text.size == 5 ? 5 : 0,
		 text.data ? text.data : "");
	if (!day_parse(str_from(date), &day))
		return refuse(filling, setting, option, field);
	*(uint64_t *)value = (uint64_t)(day_to_ymd(day).month * 100 + day_to_ymd(day).day);
	return true;
}

/* Several values. */

static bool is_row(const config_setting_t *setting)
{
	int type = config_setting_type(setting);

	return type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST;
}

/* An array whose length is within the field's bounds; sets are bounded by their words. */
static bool has_length(const config_setting_t *setting, const struct field *field)
{
	return is_row(setting) && (uint64_t)config_setting_length(setting) >= field->min &&
	       (uint64_t)config_setting_length(setting) <= field->max;
}

static bool read_set(const struct filling *filling, const config_setting_t *setting,
		     const struct option *option, const struct field *field, void *value)
{
	const struct option item = {.form = AS_FIELD, .unit = ""};
	struct field one = *field;
	uint32_t set = 0, word = 0;
	bool good = true;

	if (!has_length(setting, field))
		return refuse(filling, setting, option, field);
	one.type = FIELD_word;
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);

		if (!read_word(filling, element, &item, &one, &word))
			good = false;
		else if (set & 1u << (word - 1))
			good = refuse_repeated(filling, element);
		else
			set |= 1u << (word - 1);
	}
	if (good)
		*(uint32_t *)value = set;
	return good;
}

/* Reads the strings of an array into items `stride` bytes apart, each checked as `field` says. */
static bool read_each(const struct filling *filling, const config_setting_t *setting,
		      const struct field *field, char *items, size_t stride)
{
	const struct option item = {.form = AS_FIELD, .unit = ""};
	bool good = true;

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		struct str *text = (struct str *)(items + (size_t)i * stride);

		if (!read_string(filling, element, &item, field, text)) {
			good = false;
			continue;
		}
		for (int k = 0; k < i; k++)
			if (str_equal(*(struct str *)(items + (size_t)k * stride), *text))
				good = refuse_repeated(filling, element);
	}
	return good;
}

static bool read_texts(const struct filling *filling, const config_setting_t *setting,
		       const struct option *option, const struct field *field, void *value)
{
	static const struct field item = {
		.name = "item", .type = FIELD_text, .flags = LINE, .min = 1, .max = IDENT_SIZE_MAX};
	struct texts texts = {0};

	assert(field->max <= SET_COUNT_MAX);
	if (!has_length(setting, field))
		return refuse(filling, setting, option, field);
	texts.count = (uint32_t)config_setting_length(setting);
	if (!read_each(filling, setting, &item, (char *)texts.item, sizeof(texts.item[0])))
		return false;
	*(struct texts *)value = texts;
	return true;
}

static bool read_strings(const struct filling *filling, const config_setting_t *setting,
			 const struct option *option, const struct field *field, void *value)
{
	const struct record *record = field->record;
	struct list list = {0};
	char *first;

	if (!has_length(setting, field))
		return refuse(filling, setting, option, field);
	list.count = (uint32_t)config_setting_length(setting);
	list.items = arena_new(filling->arena, list.count * record->size);
	first = (char *)list.items + record->fields[0].offset;
	if (!read_each(filling, setting, &record->fields[0], first, record->size))
		return false;
	*(struct list *)value = list;
	return true;
}

static bool read_group(const struct filling *filling, const config_setting_t *setting,
		       const struct option *option, const struct field *field, void *value)
{
	if (config_setting_type(setting) != CONFIG_TYPE_GROUP)
		return refuse(filling, setting, option, field);
	document_fill_group(filling, setting, options_of(filling->family, field->record), value);
	return true;
}

/* Keeps its items in their places even where one is wrong, so that what is found later about item 2
 * is told of item 2. */
static bool read_groups(const struct filling *filling, const config_setting_t *setting,
			const struct option *option, const struct field *field, void *value)
{
	const struct option item = {.form = AS_FIELD, .unit = ""};
	struct field one = *field;
	struct list list = {0};

	if (config_setting_type(setting) != CONFIG_TYPE_LIST || !has_length(setting, field))
		return refuse(filling, setting, option, field);
	one.type = FIELD_record;
	list.count = (uint32_t)config_setting_length(setting);
	list.items = arena_new(filling->arena, list.count * field->record->size);
	for (uint32_t i = 0; i < list.count; i++) {
		void *object = (char *)list.items + i * field->record->size;

		record_clear(field->record, object);
		(void)read_group(filling, config_setting_get_elem(setting, i), &item, &one, object);
	}
	*(struct list *)value = list;
	return true;
}

/* Any value. */

static read_fn *const read_by_form[] = {
	[AS_PATH] = read_path,           [AS_SOCKET] = read_path,     [AS_SIZE] = read_size,
	[AS_MONTH_DAY] = read_month_day, [AS_STRINGS] = read_strings, [IS_SECTION] = NULL,
};

static read_fn *const read_by_type[] = {
	[FIELD_flag] = read_flag,   [FIELD_uint] = read_uint_in, [FIELD_sint] = read_sint_in,
	[FIELD_day] = read_day,     [FIELD_text] = read_string,  [FIELD_word] = read_word,
	[FIELD_set] = read_set,     [FIELD_texts] = read_texts,  [FIELD_record] = read_group,
	[FIELD_list] = read_groups,
};

void document_read_value(const struct filling *filling, const config_setting_t *setting,
			 const struct option *option, const struct field *field, void *object)
{
	read_fn *by_form = read_by_form[option->form];
	read_fn *read = by_form ? by_form : read_by_type[field->type];

	(void)read(filling, setting, option, field, (char *)object + field->offset);
}
