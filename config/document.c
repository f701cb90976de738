#include "config/document_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DOCUMENT_SIZE_MAX = 1024 * 1024 };

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

uint32_t document_line_of(const config_setting_t *setting)
{
	uint32_t line = config_setting_source_line(setting);

	return line ? line : 1; /* the whole file's group has none */
}

/* `name`: of an option within the group `setting`, or NULL. */
void document_complain_at(const struct filling *filling, const config_setting_t *setting,
			  const char *name, struct str sentence)
{
	scoped(buf_done) struct buf path = {0};

	print_path(setting, &path);
	if (name)
		buf_printf(&path, "%s%s", path.size ? "." : "", name);
	buf_add(&path, "", 1);
	complain(filling->document->complaints, filling->document->file, document_line_of(setting),
		 path.data, "%.*s", (int)sentence.size, sentence.data);
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
	document_read_value(filling, config_lookup(&tree, option->name), option, field, object);
	assert(filling->document->complaints->count == complaints);
	config_destroy(&tree);
}

static void miss(const struct filling *filling, const config_setting_t *group,
		 const struct option *option, const struct field *field)
{
	scoped(buf_done) struct buf sentence = {0};

	buf_printf(&sentence, "is missing; must be ");
	option_expects(option, field, &sentence);
	document_complain_at(filling, group, option->name, buf_str(&sentence));
}

static void fill_option(const struct filling *filling, const config_setting_t *group,
			const struct options *options, const struct option *option, void *object)
{
	const config_setting_t *setting = config_setting_get_member(group, option->name);
	const struct field *field = options_field(options, option);

	assert(field);
	if (setting)
		document_read_value(filling, setting, option, field, object);
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
	document_complain_at(filling, setting, NULL, buf_str(&sentence));
}

void document_fill_group(const struct filling *filling, const config_setting_t *group,
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
		document_complain_at(&filling, group, NULL, STR("must be a group { }"));
	else
		document_fill_group(&filling, group, options_of(family, record), object);
}

/* Finding. */

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
	return document_line_of(find_setting(document, path));
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
