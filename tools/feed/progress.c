#include "tools/feed/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/loop.h"

enum { PAUSE_MS = 200 };

static int64_t shown_ms = -PAUSE_MS;
static bool is_shown;

void progress_show(const char *format, ...)
{
	int64_t now = clock_boot_ms();
	va_list arguments;

	if (now - shown_ms < PAUSE_MS || !isatty(STDERR_FILENO))
		return;
	shown_ms = now;
	is_shown = true;
	fputc('\r', stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void progress_end(void)
{
	if (is_shown)
		fputs("\r\033[K", stderr);
	is_shown = false;
}
