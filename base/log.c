#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE_MAX = 1024 };

static enum log_level most_shown = LOG_LEVEL_INFO;

void log_set_level(enum log_level most)
{
	most_shown = most;
}

/* One line stays one line, whatever came into it. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			*text = ' ';
}

void log_line(enum log_level level, const char *name, const char *format, ...)
{
	char line[LINE_SIZE_MAX + 1]; /* and the newline */
	va_list args;
	size_t size;

	if (level > most_shown)
		return;

	snprintf(line, LINE_SIZE_MAX, "<%d>%s ", level, name);
	size = strlen(line);
	va_start(args, format);
	vsnprintf(line + size, LINE_SIZE_MAX - size, format, args);
	va_end(args);
	flatten(line);
	size = strlen(line);
	line[size++] = '\n';
	/* One write, so that lines of several processes don't mix; where stderr is gone there is
	 * nobody left to tell. */
	if (write(STDERR_FILENO, line, size) < 0)
		return;
}
