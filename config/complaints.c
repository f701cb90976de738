#include "config/complaints.h"

#include <stdarg.h>
#include <stdio.h>

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
