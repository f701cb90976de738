#include "config/document.h"

#include <errno.h>
#include <inttypes.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/codec.h"
#include "config/numbers.h"

enum { DOCUMENT_SIZE_MAX = 1024 * 1024 };

struct document {
	config_t tree;
	char *file;
	struct numbers numbers; /* those that libconfig misread */
	struct complaints *complaints;
};

/* Reading a group: what its settings need to know. */
struct filling {
	struct document *document;
	const struct options *family;
	struct arena *arena;
};

/* Opening. */

static bool read_text(FILE *file, struct buf *text)
{
	size_t size;

	do {
		size = fread(buf_room(text, 4096), 1, 4096, file);
		text->size -= 4096 - size;
	} while (size > 0 && text->size <= DOCUMENT_SIZE_MAX);
	return !ferror(file);
}

static bool read_file(struct document *document, struct buf *text)
{
	FILE *file = fopen(document->file, "rbe");
	bool is_read = file && read_text(file, text);
	const char *why = is_read ? NULL : strerror(errno);

	if (file)
		fclose(file);
	if (!is_read)
		complain(document->complaints, document->file, 0, "",
			 "it cannot be read: %s; it must be a readable file", why);
	else if (text->size > DOCUMENT_SIZE_MAX)
		complain(document->complaints, document->file, 0, "",
			 "it is over 1 MiB; a file written by a person is smaller");
	else if (text->size && memchr(text->data, '\0', text->size))
		complain(document->complaints, document->file, 0, "",
			 "it holds a zero byte; it must be text in UTF-8");
	else
		return true;
	return false;
}

/* Windows editors put a byte order mark in front, which libconfig doesn't know. */
static const char *skip_mark(struct buf *text)
{
	buf_add(text, "", 1);
	return strncmp(text->data, "\xef\xbb\xbf", 3) == 0 ? text->data + 3 : text->data;
}

static bool parse(struct document *document)
{
	scoped(buf_done) struct buf text = {0};
	const char *from;

	if (!read_file(document, &text))
		return false;
	from = skip_mark(&text);
	numbers_find(str_from(from), &document->numbers);
	if (document->numbers.include_line) {
		complain(document->complaints, document->file, document->numbers.include_line, "",
			 "@include is not allowed; the file is checked and applied as a whole");
		return false;
	}
	if (config_read_string(&document->tree, from) != CONFIG_TRUE) {
		complain(document->complaints, document->file,
			 (uint32_t)config_error_line(&document->tree), "",
			 "%s; settings are written name = value;, each name once in its group",
			 config_error_text(&document->tree));
		return false;
	}
	return true;
}

struct document *document_open(const char *path, struct complaints *complaints)
{
	struct document *document = mem_new(sizeof(*document));

	config_init(&document->tree);
	document->file = mem_copy(str_from(path));
	document->complaints = complaints;
	if (!parse(document))
		document_close(&document);
	return document;
}

void document_close(struct document **document)
{
	if (!*document)
		return;
	config_destroy(&(*document)->tree);
	numbers_done(&(*document)->numbers);
	free((*document)->file);
	mem_free(document);
}

/* Complaining. */

static void print_path(const config_setting_t *setting, struct buf *out)
{
	const config_setting_t *parent = config_setting_parent(setting);

	if (!parent)
		return;
	print_path(parent, out);
	if (config_setting_name(setting))
		buf_printf(out, "%s%s", out->size ? "." : "", config_setting_name(setting));
	else
		buf_printf(out, "[%d]", config_setting_index(setting));
}

static uint32_t line_of(const config_setting_t *setting)
{
	uint32_t line = config_setting_source_line(setting);

	return line ? line : 1; /* the whole file's group has none */
}

/* `name`: of an option within the group `setting`, or NULL. */
static void complain_at(const struct filling *filling, const config_setting_t *setting,
			const char *name, struct str sentence)
{
	scoped(buf_done) struct buf path = {0};

	print_path(setting, &path);
	if (name)
		buf_printf(&path, "%s%s", path.size ? "." : "", name);
	buf_add(&path, "", 1);
	complain(filling->document->complaints, filling->document->file, line_of(setting),
		 path.data, "%.*s", (int)sentence.size, sentence.data);
}

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
	complain_at(filling, setting, NULL, buf_str(&sentence));
	return false;
}

static bool refuse_repeated(const struct filling *filling, const config_setting_t *setting)
{
	complain_at(filling, setting, NULL, STR("is there twice; once is enough"));
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
			    line_of(setting));
	if (!number)
		return false;
	snprintf(sentence, sizeof(sentence), "%s %s", number->text, number->wrong);
	complain_at(filling, setting, NULL, str_from(sentence));
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

static void fill_group(const struct filling *filling, const config_setting_t *group,
		       const struct options *options, void *object);

static bool read_group(const struct filling *filling, const config_setting_t *setting,
		       const struct option *option, const struct field *field, void *value)
{
	if (config_setting_type(setting) != CONFIG_TYPE_GROUP)
		return refuse(filling, setting, option, field);
	fill_group(filling, setting, options_of(filling->family, field->record), value);
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

static void read_value(const struct filling *filling, const config_setting_t *setting,
		       const struct option *option, const struct field *field, void *object)
{
	read_fn *by_form = read_by_form[option->form];
	read_fn *read = by_form ? by_form : read_by_type[field->type];

	(void)read(filling, setting, option, field, (char *)object + field->offset);
}

/* Groups. */

/* A default is written as a person would write it, and read in the same way. */
static void read_default(const struct filling *filling, const struct option *option,
			 const struct field *field, void *object)
{
	uint32_t complaints = filling->document->complaints->count;
	scoped(buf_done) struct buf text = {0};
	config_t tree;

	buf_printf(&text, "%s = %s;", option->name, option->initial);
	buf_add(&text, "", 1);
	config_init(&tree);
	if (config_read_string(&tree, text.data) != CONFIG_TRUE)
		assert(!"a default that nobody could write");
	read_value(filling, config_lookup(&tree, option->name), option, field, object);
	assert(filling->document->complaints->count == complaints);
	config_destroy(&tree);
}

static void miss(const struct filling *filling, const config_setting_t *group,
		 const struct option *option, const struct field *field)
{
	scoped(buf_done) struct buf sentence = {0};

	buf_printf(&sentence, "is missing; must be ");
	option_expects(option, field, &sentence);
	complain_at(filling, group, option->name, buf_str(&sentence));
}

static void fill_option(const struct filling *filling, const config_setting_t *group,
			const struct options *options, const struct option *option, void *object)
{
	const config_setting_t *setting = config_setting_get_member(group, option->name);
	const struct field *field = options_field(options, option);

	assert(field);
	if (setting)
		read_value(filling, setting, option, field, object);
	else if (field->flags & OPTIONAL)
		return;
	else if (option->initial)
		read_default(filling, option, field, object);
	else
		miss(filling, group, option, field);
}

static void refuse_unknown(const struct filling *filling, const config_setting_t *setting,
			   const struct options *options)
{
	scoped(buf_done) struct buf sentence = {0};
	const char *comma = "";

	buf_printf(&sentence, "no option has this name here; there are ");
	for (uint32_t i = 0; i < options->count; i++) {
		if (options->rows[i].form == IS_SECTION)
			continue;
		buf_printf(&sentence, "%s%s", comma, options->rows[i].name);
		comma = ", ";
	}
	complain_at(filling, setting, NULL, buf_str(&sentence));
}

static void fill_group(const struct filling *filling, const config_setting_t *group,
		       const struct options *options, void *object)
{
	record_clear(options->record, object);
	*(bool *)object = true; /* is_set, the first member of every record */
	for (uint32_t i = 0; i < options->count; i++) {
		const struct option *option = &options->rows[i];

		if (option->form != IS_SECTION && option->form != AS_ELSEWHERE)
			fill_option(filling, group, options, option, object);
	}
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);

		if (!options_find(options, config_setting_name(setting)))
			refuse_unknown(filling, setting, options);
	}
}

void document_fill(struct document *document, const char *at, const struct options *family,
		   const struct record *record, struct arena *arena, void *object)
{
	const struct filling filling = {document, family, arena};
	const config_setting_t *root = config_root_setting(&document->tree);
	const config_setting_t *group = *at ? config_setting_get_member(root, at) : root;

	record_clear(record, object);
	if (!group)
		document_complain(document, at, "is missing; must be a group { }");
	else if (config_setting_type(group) != CONFIG_TYPE_GROUP)
		complain_at(&filling, group, NULL, STR("must be a group { }"));
	else
		fill_group(&filling, group, options_of(family, record), object);
}

/* libconfig's own way to write a path has a dot before each bracket. */
static void print_own_path(const char *path, struct buf *own)
{
	for (; *path; path++)
		buf_printf(own, *path == '[' && own->size ? ".%c" : "%c", *path);
	buf_add(own, "", 1);
}

static const config_setting_t *find_setting(const struct document *document, const char *path)
{
	scoped(buf_done) struct buf own = {0};

	print_own_path(path, &own);
	for (;;) {
		const config_setting_t *setting = own.data[0]
							  ? config_lookup(&document->tree, own.data)
							  : config_root_setting(&document->tree);
		char *last = strrchr(own.data, '.');

		if (setting)
			return setting;
		*(last ? last : own.data) = '\0';
	}
}

bool document_has(const struct document *document, const char *path)
{
	scoped(buf_done) struct buf own = {0};

	print_own_path(path, &own);
	return config_lookup(&document->tree, own.data) != NULL;
}

uint32_t document_line(const struct document *document, const char *path)
{
	return line_of(find_setting(document, path));
}

void document_complain(struct document *document, const char *path, const char *format, ...)
{
	char sentence[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	complain(document->complaints, document->file, document_line(document, path), path, "%s",
		 sentence);
}

struct str document_path(const struct document *document, struct str path, struct arena *arena)
{
	const char *slash = strrchr(document->file, '/');
	size_t folder = path.data[0] == '/' || !slash ? 0 : (size_t)(slash - document->file) + 1;
	char *whole = arena_new(arena, folder + path.size + 1);

	memcpy(whole, document->file, folder);
	memcpy(whole + folder, path.data, path.size);
	return (struct str){whole, folder + path.size};
}
