#include "config/complaints.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/codec.h"

/* What was written in the file may hold anything; a complaint stays one line that a terminal shows
 * as it is. */
static void flatten(struct buf *text, size_t from)
{
	for (size_t i = from; i < text->size; i++)
		if ((unsigned char)text->data[i] < ' ' || text->data[i] == 0x7f)
			text->data[i] = '?';
}

/* Ends the line that begins at `from`. */
static void add(struct complaints *complaints, size_t from, const char *format, va_list args)
{
	char sentence[1024];

	vsnprintf(sentence, sizeof(sentence), format, args);
	buf_printf(&complaints->text, "%s", sentence);
	flatten(&complaints->text, from);
	buf_add_str(&complaints->text, STR("\n"));
	complaints->count++;
}

void complain(struct complaints *complaints, const char *file, uint32_t line, const char *path,
	      const char *format, ...)
{
	size_t from = complaints->text.size;
	va_list args;

	buf_printf(&complaints->text, line ? "%s:%u: " : "%s: ", file, line);
	buf_printf(&complaints->text, "%s%s", path, *path ? ": " : "");
	va_start(args, format);
	add(complaints, from, format, args);
	va_end(args);
}

void complain_place(struct complaints *complaints, const char *file, uint32_t line, uint32_t column,
		    const char *format, ...)
{
	size_t from = complaints->text.size;
	va_list args;

	buf_printf(&complaints->text, "%s:%u:%u: ", file, line, column);
	va_start(args, format);
	add(complaints, from, format, args);
	va_end(args);
}

bool text_is_good(const struct field *field, struct str text)
{
	struct holder {
		bool is_set;
		struct str text;
	} holder = {true, text};
	struct field one = *field;
	struct record record = {field->name, sizeof(holder), 1, &one};
	struct fault fault;

	one.offset = offsetof(struct holder, text);
	return text.size > 0 && record_check(&record, &holder, "", &fault) == ERR_OK;
}

void complain_quote(struct str found, struct buf *out)
{
	enum { SHOWN_MAX = 60 };
	static const struct field any = {
		.name = "text", .type = FIELD_text, .flags = LINE, .min = 1, .max = 65536};
	size_t size = found.size < SHOWN_MAX ? found.size : SHOWN_MAX;

	if (found.size && !text_is_good(&any, found)) {
		buf_printf(out, "no clean text");
		return;
	}
	/* A cut lies between characters. */
	while (size < found.size && size > 0 && ((unsigned char)found.data[size] & 0xc0) == 0x80)
		size--;
	buf_printf(out, "\"%.*s%s\"", (int)size, found.size ? found.data : "",
		   size < found.size ? "…" : "");
}
