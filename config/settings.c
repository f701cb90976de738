#include "config/settings.h"

#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/numbers.h"

enum { FILE_SIZE_MAX = 4 * 1024 * 1024, PATH_TEXT_SIZE = 256, INDEX_TEXT_SIZE = 16 };

/* Where each setting stands. */
struct place_of {
	char *path;
	uint32_t line;
};

struct settings {
	const char *file;
	struct arena *arena;
	struct complaints *complaints;
	config_t config;
	struct numbers numbers;
	struct place_of *places;
	uint32_t place_count, place_capacity;
};

static void wrong(struct settings *settings, const config_setting_t *setting, const char *path,
		  const char *what)
{
	complain(settings->complaints, settings->file, (uint32_t)config_setting_source_line(setting),
		 path, "%s", what);
}

static void remember_place(struct settings *settings, const char *path,
			   const config_setting_t *setting)
{
	MEM_ROOM(settings->places, settings->place_count, settings->place_capacity);
	settings->places[settings->place_count++] =
		(struct place_of){mem_copy(str_from(path)),
				  (uint32_t)config_setting_source_line(setting)};
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool read_text(const config_setting_t *setting, struct arena *arena, struct str *text)
{
	const char *value = config_setting_get_string(setting);

	if (!value)
		return false;
	*text = arena_copy(arena, str_from(value));
	return true;
}

static bool read_whole(const config_setting_t *setting, int64_t *value)
{
	int type = config_setting_type(setting);

	if (type == CONFIG_TYPE_INT)
		*value = config_setting_get_int(setting);
	else if (type == CONFIG_TYPE_INT64)
		*value = config_setting_get_int64(setting);
	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

static bool read_unsigned(const config_setting_t *setting, void *to)
{
	int64_t value;

	if (!read_whole(setting, &value) || value < 0)
		return false;
	*(uint64_t *)to = (uint64_t)value;
	return true;
}

static bool read_flag(const config_setting_t *setting, void *to)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return false;
	*(enum answer *)to = config_setting_get_bool(setting) ? SAID_YES : SAID_NO;
	return true;
}

static bool read_day(const config_setting_t *setting, void *to)
{
	const char *text = config_setting_get_string(setting);

	return text && day_parse(str_from(text), to);
}

static bool read_word(const config_setting_t *setting, const struct words *words, uint32_t *to)
{
	const char *text = config_setting_get_string(setting);

	*to = text ? words_find(words, str_from(text)) : 0;
	return *to != 0;
}

static bool is_array(const config_setting_t *setting)
{
	return config_setting_is_array(setting) || config_setting_is_list(setting);
}

static bool read_set(const config_setting_t *setting, const struct words *words, uint32_t *to)
{
	*to = 0;
	for (int i = 0; is_array(setting) && i < config_setting_length(setting); i++) {
		uint32_t word;

		if (!read_word(config_setting_get_elem(setting, (unsigned)i), words, &word) ||
		    *to & 1u << (word - 1))
			return false;
		*to |= 1u << (word - 1);
	}
	return is_array(setting);
}

static bool read_text_list(const config_setting_t *setting, struct arena *arena, struct texts *texts)
{
	int count = config_setting_length(setting);

	if (!is_array(setting) || count > SET_COUNT_MAX)
		return false;
	for (int i = 0; i < count; i++)
		if (!read_text(config_setting_get_elem(setting, (unsigned)i), arena,
			       &texts->item[i]))
			return false;
	texts->count = (uint32_t)count;
	return true;
}

static bool read_scalar(const config_setting_t *setting, const struct field *field,
			struct arena *arena, void *to)
{
	switch (field->type) {
	case FIELD_flag:
		return read_flag(setting, to);
	case FIELD_uint:
		return read_unsigned(setting, to);
	case FIELD_sint:
		return read_whole(setting, to);
	case FIELD_day:
		return read_day(setting, to);
	case FIELD_text:
		return read_text(setting, arena, to);
	case FIELD_word:
		return read_word(setting, field->words, to);
	case FIELD_set:
		return read_set(setting, field->words, to);
	case FIELD_texts:
		return read_text_list(setting, arena, to);
	default:
		assert(!"a type that no file holds");
		return false;
	}
}

/* What would be right, in the words of the table. */
static void tell_expected(const struct field *field, struct buf *out)
{
	switch (field->type) {
	case FIELD_flag:
		buf_printf(out, "true or false is expected");
		return;
	case FIELD_uint:
		buf_printf(out, "a whole number from %llu to %llu is expected",
			   (unsigned long long)field->min, (unsigned long long)field->max);
		return;
	case FIELD_sint:
		buf_printf(out, "a whole number from %lld to %lld is expected",
			   (long long)field->min, (long long)field->max);
		return;
	case FIELD_day:
		buf_printf(out, "no such day; \"YYYY-MM-DD\" is expected");
		return;
	case FIELD_text:
		buf_printf(out, "a text in quotes, of %llu to %llu bytes, is expected",
			   (unsigned long long)field->min, (unsigned long long)field->max);
		return;
	case FIELD_word:
	case FIELD_set:
		buf_printf(out, "%s expected:", field->type == FIELD_set
							? "a list of different words is"
							: "one of these words is");
		for (uint32_t i = 1; i < field->words->count; i++)
			buf_printf(out, " %s", field->words->word[i]);
		return;
	default:
		buf_printf(out, "a list of texts, [\"…\", \"…\"], is expected");
		return;
	}
}

/* The value alone, against its row of the table. */
static bool holds(const struct field *field, const void *object, struct fault *fault)
{
	struct record alone = {"", 0, 1, field};

	return !record_check(&alone, object, "", fault);
}

static void take_scalar(struct settings *settings, const config_setting_t *setting,
			const struct field *field, const char *path, void *object)
{
	const struct number *number =
		numbers_at(&settings->numbers, config_setting_name(setting),
			   (uint32_t)config_setting_source_line(setting));
	struct buf expected = {0};
	struct fault fault = {0};

	if (number) {
		complain(settings->complaints, settings->file, number->line, path, "%s",
			 number->wrong);
	} else if (!read_scalar(setting, field, settings->arena,
				(char *)object + field->offset) ||
		   !holds(field, object, &fault)) {
		tell_expected(field, &expected);
		if (fault.code && field->flags & (EMAIL | LINE))
			wrong(settings, setting, path, fault.text);
		else
			complain(settings->complaints, settings->file,
				 (uint32_t)config_setting_source_line(setting), path, "%.*s",
				 (int)expected.size, expected.data);
		buf_done(&expected);
	}
}

/* --- groups and lists ------------------------------------------------------------------------- */

static void read_group(struct settings *settings, const config_setting_t *group,
		       const struct record *record, const char *path, void *object);

static void take_group(struct settings *settings, const config_setting_t *setting,
		       const struct record *record, const char *path, void *object)
{
	if (!config_setting_is_group(setting)) {
		wrong(settings, setting, path, "a group, { name = value; … }, is expected");
		return;
	}
	*(bool *)object = true; /* is_set comes first in every record */
	read_group(settings, setting, record, path, object);
}

static void take_list(struct settings *settings, const config_setting_t *setting,
		      const struct field *field, const char *path, struct list *list)
{
	int count = config_setting_length(setting);

	if (!config_setting_is_list(setting) || (uint64_t)count < field->min ||
	    (uint64_t)count > field->max) {
		complain(settings->complaints, settings->file,
			 (uint32_t)config_setting_source_line(setting), path,
			 "a list of %llu to %llu groups, ( { … }, { … } ), is expected",
			 (unsigned long long)field->min, (unsigned long long)field->max);
		return;
	}
	list->count = (uint32_t)count;
	list->items = arena_new(settings->arena, ((size_t)count + 1) * field->record->size);
	for (int i = 0; i < count; i++) {
		char place[PATH_TEXT_SIZE + INDEX_TEXT_SIZE];
		void *item = (char *)list->items + (size_t)i * field->record->size;

		snprintf(place, sizeof(place), "%s[%d]", path, i);
		record_clear(field->record, item);
		remember_place(settings, place, config_setting_get_elem(setting, (unsigned)i));
		take_group(settings, config_setting_get_elem(setting, (unsigned)i), field->record,
			   place, item);
	}
}

static const struct field *find_field(const struct record *record, const char *name)
{
	for (uint32_t i = 0; i < record->count; i++)
		if (strcmp(record->fields[i].name, name) == 0)
			return &record->fields[i];
	return NULL;
}

static void take_setting(struct settings *settings, const config_setting_t *setting,
			 const struct record *record, const char *path, void *object)
{
	const struct field *field = find_field(record, config_setting_name(setting));

	if (!field) {
		wrong(settings, setting, path, "no setting has this name here");
		return;
	}
	remember_place(settings, path, setting);
	if (field->type == FIELD_record)
		take_group(settings, setting, field->record, path, (char *)object + field->offset);
	else if (field->type == FIELD_list)
		take_list(settings, setting, field, path,
			  (struct list *)((char *)object + field->offset));
	else
		take_scalar(settings, setting, field, path, object);
}

static void join_path(char text[PATH_TEXT_SIZE], const char *path, const char *name)
{
	snprintf(text, PATH_TEXT_SIZE, "%s%s%s", path, *path ? "." : "", name);
}

static void read_group(struct settings *settings, const config_setting_t *group,
		       const struct record *record, const char *path, void *object)
{
	char place[PATH_TEXT_SIZE];

	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);

		join_path(place, path, config_setting_name(setting));
		take_setting(settings, setting, record, place, object);
	}
	for (uint32_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];

		join_path(place, path, field->name);
		if (!(field->flags & OPTIONAL) && field_is_absent(field, object) &&
		    !config_setting_get_member(group, field->name))
			wrong(settings, group, place, "missing");
	}
}

void settings_read(struct settings *settings, const struct record *record, void *object)
{
	read_group(settings, config_root_setting(&settings->config), record, "", object);
}

uint32_t settings_line(const struct settings *settings, const char *path)
{
	size_t best = 0;
	uint32_t line = 0;

	for (uint32_t i = 0; i < settings->place_count; i++) {
		size_t size = strlen(settings->places[i].path);

		if (size > best && strncmp(settings->places[i].path, path, size) == 0) {
			best = size;
			line = settings->places[i].line;
		}
	}
	return line;
}

/* --- the file --------------------------------------------------------------------------------- */

static bool read_file(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return false;
	do {
		char piece[4096];

		size = fread(piece, 1, sizeof(piece), file);
		buf_add(text, piece, size);
	} while (size && text->size <= FILE_SIZE_MAX);
	errno = ferror(file) ? EIO : text->size > FILE_SIZE_MAX ? EFBIG : 0;
	fclose(file);
	return !errno;
}

static enum err parse(struct settings *settings, const char *path)
{
	struct buf text = {0};

	if (!read_file(path, &text)) {
		complain(settings->complaints, path, 0, "", "%s", strerror(errno));
		buf_done(&text);
		return ERR_USAGE;
	}
	numbers_find(buf_str(&text), &settings->numbers);
	buf_add(&text, "", 1);
	if (!config_read_string(&settings->config, text.data)) {
		complain(settings->complaints, path,
			 (uint32_t)config_error_line(&settings->config), "", "%s",
			 config_error_text(&settings->config));
		buf_done(&text);
		return ERR_USAGE;
	}
	buf_done(&text);
	return ERR_OK;
}

enum err settings_open(const char *path, struct arena *arena, struct complaints *complaints,
		       struct settings **opened)
{
	struct settings *settings = mem_new(sizeof(*settings));
	enum err err;

	settings->file = arena_copy(arena, (struct str){path, strlen(path) + 1}).data;
	settings->arena = arena;
	settings->complaints = complaints;
	config_init(&settings->config);
	err = parse(settings, path);
	if (err)
		settings_close(&settings);
	else
		*opened = settings;
	return err;
}

void settings_close(struct settings **settings)
{
	struct settings *old = *settings;

	if (!old)
		return;
	config_destroy(&old->config);
	numbers_done(&old->numbers);
	for (uint32_t i = 0; i < old->place_count; i++)
		free(old->places[i].path);
	free(old->places);
	free(old);
	*settings = NULL;
}
