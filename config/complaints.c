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

void complain(struct complaints *complaints, const char *file, uint32_t line, const char *path,
	      const char *format, ...)
{
	char sentence[1024];
	size_t from = complaints->text.size;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	buf_printf(&complaints->text, "%s:%u: %s%s%s", file, line, path, *path ? ": " : "",
		   sentence);
	flatten(&complaints->text, from);
	buf_add_str(&complaints->text, STR("\n"));
	complaints->count++;
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
