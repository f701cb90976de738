#include "config/options.h"

#include <inttypes.h>

const struct options *options_of(const struct options *family, const struct record *record)
{
	while (family->record && family->record != record)
		family++;
	assert(family->record);
	return family;
}

const struct field *options_field(const struct options *options, const struct option *option)
{
	for (uint32_t i = 0; i < options->record->count; i++)
		if (strcmp(options->record->fields[i].name, option->name) == 0)
			return &options->record->fields[i];
	return NULL;
}

const struct option *options_find(const struct options *options, const char *name)
{
	for (uint32_t i = 0; i < options->count; i++)
		if (options->rows[i].form != IS_SECTION && strcmp(options->rows[i].name, name) == 0)
			return &options->rows[i];
	return NULL;
}

/* What would be right. */

static void print_words(const struct words *words, struct buf *out)
{
	const char *comma = "";

	for (uint32_t i = 1; i < words->count; i++) {
		if (!words->word[i])
			continue;
		buf_printf(out, "%s\"%s\"", comma, words->word[i]);
		comma = ", ";
	}
}

static void print_text(const struct field *field, struct buf *out)
{
	if (field->flags & EMAIL) {
		buf_printf(out, "an e-mail address");
		return;
	}
	buf_printf(out, "a text of %" PRIu64, field->min);
	if (field->max != field->min)
		buf_printf(out, " to %" PRIu64, field->max);
	buf_printf(out, " bytes%s", field->flags & LINE ? " in one line" : "");
}

static void print_by_type(const struct field *field, struct buf *out)
{
	switch (field->type) {
	case FIELD_flag:
		buf_printf(out, "true or false");
		break;
	case FIELD_uint:
	case FIELD_sint:
		buf_printf(out, "a whole number from %" PRId64 " to %" PRId64, (int64_t)field->min,
			   (int64_t)field->max);
		break;
	case FIELD_day:
		buf_printf(out, "a date from 1900 to 2169 as \"YYYY-MM-DD\"");
		break;
	case FIELD_text:
		print_text(field, out);
		break;
	case FIELD_word:
		buf_printf(out, "one of ");
		print_words(field->words, out);
		break;
	case FIELD_set:
		buf_printf(out, "an array [ ] of different words out of ");
		print_words(field->words, out);
		break;
	case FIELD_texts:
		buf_printf(out,
			   "an array [ ] of %" PRIu64 " to %" PRIu64
			   " different texts of 1 to %d bytes",
			   field->min, field->max, IDENT_SIZE_MAX);
		break;
	case FIELD_record:
		buf_printf(out, "a group { }");
		break;
	case FIELD_list:
		buf_printf(out, "a list ( ) of %" PRIu64 " to %" PRIu64 " groups { }", field->min,
			   field->max);
		break;
	default:
		assert(!"no option has this type");
	}
}

static void print_strings(const struct field *field, struct buf *out)
{
	buf_printf(out,
		   "an array [ ] of %" PRIu64 " to %" PRIu64 " different texts of %" PRIu64
		   " to %" PRIu64 " bytes",
		   field->min, field->max, field->record->fields[0].min,
		   field->record->fields[0].max);
}

static void print_size(uint64_t bytes, struct buf *out)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	buf_printf(out, "%" PRIu64 " %s", bytes, units[unit]);
}

void option_expects(const struct option *option, const struct field *field, struct buf *out)
{
	switch (option->form) {
	case AS_SIZE:
		buf_printf(out, "a size from ");
		print_size(field->min, out);
		buf_printf(out, " to ");
		print_size(field->max, out);
		buf_printf(out, ", in bytes or as \"8 GiB\"");
		break;
	case AS_MONTH_DAY:
		buf_printf(out, "a day of the year as \"MM-DD\"");
		break;
	case AS_PATH:
		buf_printf(out, "a path");
		break;
	case AS_SOCKET:
		buf_printf(out, "a path of at most %d bytes", SOCKET_PATH_MAX);
		break;
	case AS_STRINGS:
		print_strings(field, out);
		break;
	case AS_ELSEWHERE:
		buf_printf(out, "a group { }");
		break;
	default:
		print_by_type(field, out);
	}
	if (*option->unit)
		buf_printf(out, " (%s)", option->unit);
}

/* The sample. */

enum { SAMPLE_COLUMNS = 100 };

static void print_indent(uint32_t depth, struct buf *out)
{
	for (uint32_t i = 0; i < depth; i++)
		buf_printf(out, "\t");
}

/* One paragraph as comment lines, broken between words. */
static void print_comment(struct str text, uint32_t depth, struct buf *out)
{
	size_t room = SAMPLE_COLUMNS - 8 * depth, used = 1;
	const char *at = text.data, *end = text.data + text.size;

	print_indent(depth, out);
	buf_printf(out, "#");
	while (at < end) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		size_t word = (size_t)((space ? space : end) - at);

		if (used + 1 + word > room) {
			buf_printf(out, "\n");
			print_indent(depth, out);
			buf_printf(out, "#");
			used = 1;
		}
		buf_printf(out, " %.*s", (int)word, at);
		used += 1 + word;
		at += word + (space != NULL);
	}
	buf_printf(out, "\n");
}

static void print_explanation(const struct option *option, const struct field *field,
			      uint32_t depth, struct buf *out)
{
	scoped(buf_done) struct buf text = {0};

	if (*option->help)
		buf_printf(&text, "%s. ", option->help);
	buf_printf(&text, "Must be ");
	option_expects(option, field, &text);
	if (field->flags & OPTIONAL)
		buf_printf(&text, "; may be left out");
	else if (!option->initial)
		buf_printf(&text, "; must be given");
	buf_printf(&text, ".");
	print_comment(buf_str(&text), depth, out);
}

struct sample {
	const struct options *family;
	struct buf *out;
};

static void print_options(const struct sample *sample, const struct options *options,
			  uint32_t depth);

static void print_line(const struct sample *sample, uint32_t depth, const char *text)
{
	buf_printf(sample->out, "#");
	print_indent(depth, sample->out);
	buf_printf(sample->out, "%s\n", text);
}

/* A group, or a list with one group in it, of which each option is told. */
static void print_nested(const struct sample *sample, const struct option *option,
			 const struct record *record, bool is_list, uint32_t depth)
{
	buf_printf(sample->out, "#");
	print_indent(depth, sample->out);
	buf_printf(sample->out, "%s = %s\n", option->name, is_list ? "( {" : "{");
	print_options(sample, options_of(sample->family, record), depth + 1);
	print_line(sample, depth, is_list ? "} );" : "};");
}

static void print_option(const struct sample *sample, const struct options *options,
			 const struct option *option, uint32_t depth)
{
	const struct field *field = options_field(options, option);

	buf_printf(sample->out, "\n");
	print_explanation(option, field, depth, sample->out);
	if (option->form == AS_ELSEWHERE) {
		print_nested(sample, option, option->record, false, depth);
		return;
	}
	if (option->form == AS_FIELD && field->record) {
		print_nested(sample, option, field->record, field->type == FIELD_list, depth);
		return;
	}
	buf_printf(sample->out, "#");
	print_indent(depth, sample->out);
	buf_printf(sample->out, "%s = %s;\n", option->name,
		   option->initial ? option->initial : "…");
}

static void print_options(const struct sample *sample, const struct options *options,
			  uint32_t depth)
{
	for (uint32_t i = 0; i < options->count; i++) {
		const struct option *option = &options->rows[i];

		if (option->form == IS_SECTION)
			buf_printf(sample->out, "\n\n# --- %s ---\n", option->help);
		else
			print_option(sample, options, option, depth);
	}
}

void options_print_sample(const struct options *family, const struct record *record,
			  struct buf *out)
{
	const struct sample sample = {family, out};

	print_options(&sample, options_of(family, record), 0);
}
