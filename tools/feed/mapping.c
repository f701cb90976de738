#include "tools/feed/mapping.h"

#include <errno.h>
#include <fnmatch.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/feed/encoding.h"
#include "tools/feed/mapping_read.h"
#include "tools/feed/text.h"
#include "tools/feed/value.h"

void mapping_complain(struct mapping_reading *reading, const config_setting_t *setting,
		      const char *format, ...)
{
	const char *file = config_setting_source_file(setting);
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	complain(reading->complaints, file ? file : reading->mapping->path,
		 config_setting_source_line(setting), "", "%s", text);
}

void mapping_complain_line(struct mapping_reading *reading, int line, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	complain(reading->complaints, reading->mapping->path, (uint32_t)line, "", "%s", text);
}

config_setting_t *mapping_member(const config_setting_t *group, const char *name)
{
	return config_setting_get_member(group, name);
}

/* --- settings of one type --- */

static bool names_have(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

void mapping_check_names(struct mapping_reading *reading, const config_setting_t *group,
			 const char *const *names)
{
	struct buf known = {0};

	for (uint32_t i = 0; names[i]; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *member = config_setting_get_elem(group, (unsigned)i);

		if (!names_have(names, config_setting_name(member)))
			mapping_complain(reading, member, "unknown setting %s: known here are %.*s",
					 config_setting_name(member), (int)known.size, known.data);
	}
	buf_done(&known);
}

struct str mapping_string(struct mapping_reading *reading, const config_setting_t *setting)
{
	if (!setting)
		return (struct str){NULL, 0};
	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		mapping_complain(reading, setting, "a text between quotes is wanted");
		return (struct str){NULL, 0};
	}
	return arena_copy(&reading->mapping->arena, str_from(config_setting_get_string(setting)));
}

static bool is_many(const config_setting_t *setting)
{
	return config_setting_is_array(setting) || config_setting_is_list(setting);
}

struct strings mapping_strings(struct mapping_reading *reading, const config_setting_t *setting)
{
	struct strings strings = {0};

	if (!setting)
		return strings;
	strings.count = is_many(setting) ? (uint32_t)config_setting_length(setting) : 1;
	strings.item =
		arena_new(&reading->mapping->arena, (strings.count + 1) * sizeof(*strings.item));
	if (!is_many(setting))
		strings.item[0] = mapping_string(reading, setting);
	for (uint32_t i = 0; is_many(setting) && i < strings.count; i++)
		strings.item[i] = mapping_string(reading, config_setting_get_elem(setting, i));
	return strings;
}

struct strings mapping_folded(struct mapping_reading *reading, const config_setting_t *setting)
{
	struct strings strings = mapping_strings(reading, setting);

	for (uint32_t i = 0; i < strings.count; i++)
		strings.item[i] = text_fold(&reading->mapping->arena, strings.item[i]);
	return strings;
}

/* --- columns --- */

static uint32_t column_number(struct mapping_reading *reading, struct str name, int line)
{
	struct mapping *mapping = reading->mapping;
	struct str folded = text_fold(&mapping->arena, name);

	for (uint32_t i = 0; i < mapping->column_count; i++)
		if (str_equal(mapping->columns[i].folded, folded))
			return i;
	MEM_ROOM(mapping->columns, mapping->column_count, mapping->columns_capacity);
	mapping->columns[mapping->column_count] = (struct column){name, folded, line};
	return mapping->column_count++;
}

struct columns mapping_columns(struct mapping_reading *reading, const config_setting_t *setting)
{
	struct strings names = mapping_strings(reading, setting);
	struct columns columns = {.count = names.count};

	columns.item =
		arena_new(&reading->mapping->arena, (names.count + 1) * sizeof(*columns.item));
	for (uint32_t i = 0; i < names.count; i++) {
		if (names.item[i].size == 0)
			mapping_complain(reading, setting, "a column has a name");
		columns.item[i] = column_number(reading, names.item[i],
						(int)config_setting_source_line(setting));
	}
	return columns;
}

/* --- dates --- */

struct date_forms mapping_dates(struct mapping_reading *reading, const config_setting_t *setting)
{
	struct strings strings = mapping_strings(reading, setting);
	struct date_forms forms = {0};

	if (strings.count > DATE_FORMS_MAX)
		mapping_complain(reading, setting, "at most %d forms of dates", DATE_FORMS_MAX);
	for (uint32_t i = 0; i < strings.count && i < DATE_FORMS_MAX; i++) {
		const char *wrong = date_form_check(strings.item[i]);

		if (wrong)
			mapping_complain(reading, setting, "\"%.*s\": %s",
					 (int)strings.item[i].size, strings.item[i].data, wrong);
		forms.form[forms.count++] = strings.item[i];
	}
	return forms;
}

static const struct date_forms dates_by_default = {
	.form = {STR("DD/MM/YYYY"), STR("DD/MM/YY"), STR("YYYY-MM-DD")},
	.count = 3,
};

/* --- conditions --- */

static const char *const condition_names[] = {"column", "is", "is_not", NULL};

static void read_condition(struct mapping_reading *reading, const config_setting_t *group,
			   struct condition *condition)
{
	config_setting_t *column, *is, *is_not;

	if (!config_setting_is_group(group)) {
		mapping_complain(reading, group, "a condition is { column = …; is = …; }");
		return;
	}
	mapping_check_names(reading, group, condition_names);
	column = mapping_member(group, "column");
	is = mapping_member(group, "is");
	is_not = mapping_member(group, "is_not");
	if (!column || !is == !is_not)
		mapping_complain(reading, group, "a condition has column, and either is or is_not");
	condition->column = mapping_columns(reading, column);
	condition->is_not = is_not != NULL;
	condition->words = mapping_folded(reading, is ? is : is_not);
	if (condition->column.count > 1)
		mapping_complain(reading, column, "a condition looks at one column");
}

/* One group, or a list of them. */
struct conditions mapping_conditions(struct mapping_reading *reading,
				     const config_setting_t *setting)
{
	struct conditions conditions = {0};
	bool is_list;

	if (!setting)
		return conditions;
	is_list = is_many(setting);
	conditions.count = is_list ? (uint32_t)config_setting_length(setting) : 1;
	conditions.item = arena_new(&reading->mapping->arena,
				    (conditions.count + 1) * sizeof(*conditions.item));
	for (uint32_t i = 0; i < conditions.count; i++)
		read_condition(reading, is_list ? config_setting_get_elem(setting, i) : setting,
			       &conditions.item[i]);
	return conditions;
}

/* --- tables of words --- */

static bool word_is_taken(const struct word_table *table, uint32_t count, struct str folded)
{
	for (uint32_t i = 0; i < count; i++)
		if (str_equal(table->rows[i].word, folded))
			return true;
	return false;
}

static void read_word_row(struct mapping_reading *reading, const config_setting_t *setting,
			  struct word_table *table, uint32_t number)
{
	struct word_row *row = &table->rows[number];
	struct strings strings;
	struct str folded;

	row->line = (int)config_setting_source_line(setting);
	if (!is_many(setting) || config_setting_length(setting) < 1) {
		mapping_complain(reading, setting,
				 "a row of words is [\"their word\", \"ours\", …]");
		return;
	}
	strings = mapping_strings(reading, setting);
	folded = text_fold(&reading->mapping->arena, strings.item[0]);
	if (word_is_taken(table, number, folded))
		mapping_complain(
			reading, setting,
			"the word \"%.*s\" is there already (case and accents don't count)",
			(int)strings.item[0].size, strings.item[0].data);
	row->word = folded;
	row->values = (struct strings){strings.item + 1, strings.count - 1};
}

static void read_word_table(struct mapping_reading *reading, const config_setting_t *list,
			    struct word_table *table)
{
	const char *name = config_setting_name(list);
	uint32_t count;

	table->name =
		name ? arena_copy(&reading->mapping->arena, (struct str){name, strlen(name) + 1})
				.data
		     : "words";
	if (!config_setting_is_list(list)) {
		mapping_complain(reading, list,
				 "a table of words is a list ( [\"theirs\", \"ours\"], … )");
		return;
	}
	count = (uint32_t)config_setting_length(list);
	table->rows = arena_new(&reading->mapping->arena, (count + 1) * sizeof(*table->rows));
	for (uint32_t i = 0; i < count; i++)
		read_word_row(reading, config_setting_get_elem(list, i), table, i);
	table->count = count;
}

static void read_word_tables(struct mapping_reading *reading, const config_setting_t *group)
{
	struct mapping *mapping = reading->mapping;

	if (!group)
		return;
	if (!config_setting_is_group(group)) {
		mapping_complain(reading, group, "words is a group of named tables");
		return;
	}
	mapping->words_count = (uint32_t)config_setting_length(group);
	mapping->words =
		arena_new(&mapping->arena, (mapping->words_count + 1) * sizeof(*mapping->words));
	for (uint32_t i = 0; i < mapping->words_count; i++)
		read_word_table(reading, config_setting_get_elem(group, i), &mapping->words[i]);
}

/* A name of the mapping's tables, or a table on the spot. */
const struct word_table *mapping_words(struct mapping_reading *reading,
				       const config_setting_t *setting)
{
	struct mapping *mapping = reading->mapping;
	struct word_table *table;

	if (config_setting_is_list(setting)) {
		table = arena_new(&mapping->arena, sizeof(*table));
		read_word_table(reading, setting, table);
		return table;
	}
	for (uint32_t i = 0; i < mapping->words_count; i++)
		if (str_is(mapping_string(reading, setting), mapping->words[i].name))
			return &mapping->words[i];
	mapping_complain(reading, setting, "no table of that name under words");
	return NULL;
}

/* --- the file as a whole --- */

static const char *const top_names[] = {"files",  "encoding", "delimiter", "quote", "header_row",
					"header", "dates",    "blank",     "key",   "leave_out",
					"words",  "events",   NULL};

static char read_character(struct mapping_reading *reading, const config_setting_t *setting,
			   char by_default)
{
	struct str text = mapping_string(reading, setting);

	if (!setting)
		return by_default;
	if (text.size > 1 || (text.size == 1 && (text.data[0] == '\n' || text.data[0] == '\r')))
		mapping_complain(reading, setting, "one character is wanted, as \";\"");
	return text.size == 1 ? text.data[0] : '\0';
}

static void read_encoding(struct mapping_reading *reading, const config_setting_t *setting)
{
	struct mapping *mapping = reading->mapping;
	struct str name = mapping_string(reading, setting);

	mapping->encoding = "auto";
	if (!setting || name.size == 0 || str_is(name, "auto"))
		return;
	mapping->encoding =
		arena_copy(&mapping->arena,
			   (struct str){config_setting_get_string(setting), name.size + 1})
			.data;
	if (!encoding_is_known(mapping->encoding))
		mapping_complain(reading, setting,
				 "no such encoding: \"auto\", \"UTF-8\", \"CP1252\", … (iconv -l)");
}

static void read_header(struct mapping_reading *reading, const config_setting_t *root)
{
	struct mapping *mapping = reading->mapping;
	config_setting_t *row = mapping_member(root, "header_row");
	config_setting_t *header = mapping_member(root, "header");

	mapping->header_row = header ? 0 : 1;
	mapping->header = mapping_strings(reading, header);
	if (row && (config_setting_type(row) != CONFIG_TYPE_INT || config_setting_get_int(row) < 0))
		mapping_complain(reading, row, "header_row is the number of a row, or 0 for none");
	else if (row)
		mapping->header_row = (uint32_t)config_setting_get_int(row);
	if (row && mapping->header_row == 0 && !header)
		mapping_complain(reading, row, "without a header row, header names the columns");
	if (mapping->header_row > 0 && header)
		mapping_complain(reading, header, "header is for files without a header row");
}

static void read_form(struct mapping_reading *reading, const config_setting_t *root)
{
	struct mapping *mapping = reading->mapping;
	config_setting_t *delimiter = mapping_member(root, "delimiter");

	mapping->files = mapping_strings(reading, mapping_member(root, "files"));
	read_encoding(reading, mapping_member(root, "encoding"));
	mapping->delimiter = read_character(reading, delimiter, ';');
	mapping->quote = read_character(reading, mapping_member(root, "quote"), '"');
	if (delimiter && mapping->delimiter == '\0')
		mapping_complain(reading, delimiter, "a delimiter is one character, as \";\"");
	if (delimiter && mapping->delimiter == mapping->quote)
		mapping_complain(reading, delimiter, "delimiter and quote are the same");
	read_header(reading, root);
}

static void read_root(struct mapping_reading *reading, const config_setting_t *root)
{
	struct mapping *mapping = reading->mapping;
	config_setting_t *dates = mapping_member(root, "dates");
	config_setting_t *events = mapping_member(root, "events");

	mapping_check_names(reading, root, top_names);
	read_form(reading, root);
	reading->dates = dates ? mapping_dates(reading, dates) : dates_by_default;
	reading->blank = mapping_folded(reading, mapping_member(root, "blank"));
	read_word_tables(reading, mapping_member(root, "words"));
	mapping->key = mapping_columns(reading, mapping_member(root, "key"));
	mapping->leave_out = mapping_conditions(reading, mapping_member(root, "leave_out"));
	if (events)
		mapping_read_events(reading, events);
	else
		mapping_complain(reading, root, "no events: what do the rows become?");
}

static void complain_of_file(struct complaints *complaints, const char *path,
			     const config_t *config)
{
	const char *file = config_error_file(config);

	if (config_error_type(config) == CONFIG_ERR_FILE_IO)
		complain(complaints, path, 0, "", "%s", strerror(errno));
	else
		complain(complaints, file ? file : path, (uint32_t)config_error_line(config), "",
			 "%s", config_error_text(config));
}

struct mapping *mapping_read(const char *path, struct complaints *complaints)
{
	uint32_t mistakes = complaints->count;
	struct mapping *mapping = mem_new(sizeof(*mapping));
	struct mapping_reading reading = {.mapping = mapping, .complaints = complaints};
	scoped(mem_free) char *folder = mem_copy(str_from(path));
	config_t config;

	mapping->path = mem_copy(str_from(path));
	config_init(&config);
	config_set_include_dir(&config, dirname(folder));
	errno = 0;
	if (config_read_file(&config, path) == CONFIG_TRUE)
		read_root(&reading, config_root_setting(&config));
	else
		complain_of_file(complaints, path, &config);
	config_destroy(&config);
	if (complaints->count > mistakes)
		mapping_free(&mapping);
	return mapping;
}

void mapping_free(struct mapping **mapping)
{
	if (!*mapping)
		return;
	free((*mapping)->path);
	free((*mapping)->columns);
	arena_done(&(*mapping)->arena);
	free(*mapping);
	*mapping = NULL;
}

bool mapping_takes(const struct mapping *mapping, const char *name)
{
	char pattern[256];

	for (uint32_t i = 0; i < mapping->files.count; i++) {
		snprintf(pattern, sizeof(pattern), "%.*s", (int)mapping->files.item[i].size,
			 mapping->files.item[i].data);
		if (fnmatch(pattern, name, 0) == 0)
			return true;
	}
	return mapping->files.count == 0;
}
