#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A cut through the middle of a character would make the text no UTF-8: drop what is left of it. */
static void mend_cut(char *text, size_t size)
{
	size_t end = size;

	while (end > 0 && ((unsigned char)text[end - 1] & 0xc0) == 0x80)
		end--;
	if (end > 0 && (unsigned char)text[end - 1] >= 0xc0)
		text[end - 1] = '\0';
}

static void set_path(struct fault *fault, const char *path)
{
	size_t size = strlen(path);
	bool cut = size >= FAULT_PATH_MAX;

	if (cut)
		size = FAULT_PATH_MAX - 1;
	memcpy(fault->path, path, size);
	fault->path[size] = '\0';
	if (cut)
		mend_cut(fault->path, size);
}

enum err fault_set(struct fault *fault, enum err code, const char *path, const char *format, ...)
{
	va_list args;
	int size;

	if (!fault)
		return code;

	fault->code = code;
	fault->retry_after_ms = 0;
	set_path(fault, path);
	va_start(args, format);
	size = vsnprintf(fault->text, FAULT_TEXT_MAX, format, args);
	va_end(args);
	if (size >= FAULT_TEXT_MAX)
		mend_cut(fault->text, FAULT_TEXT_MAX - 1);
	return code;
}
