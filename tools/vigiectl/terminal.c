#include "tools/vigiectl/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <utf8proc.h>

static const char *const escapes[] = {
	[STYLE_PLAIN] = "",           [STYLE_HEADING] = "\x1b[1m", [STYLE_ALARM] = "\x1b[1;31m",
	[STYLE_WARNING] = "\x1b[33m", [STYLE_FAINT] = "\x1b[2m",
};

static bool terminal_has_colours(void)
{
	const char *no_colour = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

void terminal_print(enum style style, struct str text)
{
	bool is_coloured = style != STYLE_PLAIN && terminal_has_colours();

	if (is_coloured)
		fputs(escapes[style], stdout);
	fwrite(text.data, 1, text.size, stdout);
	if (is_coloured)
		fputs("\x1b[0m", stdout);
}

/* The next character and its size in bytes; a byte that is no UTF-8 stands for itself. */
static utf8proc_int32_t next_character(struct str text, size_t at, size_t *size)
{
	utf8proc_int32_t character;
	utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
						 (utf8proc_ssize_t)(text.size - at), &character);

	*size = used > 0 ? (size_t)used : 1;
	return used > 0 ? character : -1;
}

size_t terminal_width(struct str text)
{
	size_t width = 0, size;

	for (size_t at = 0; at < text.size; at += size) {
		utf8proc_int32_t character = next_character(text, at, &size);

		width += character < 0 ? 1 : (size_t)utf8proc_charwidth(character);
	}
	return width;
}

/* Controls of ASCII and Latin-1, line ends of Unicode, and marks that turn the direction of writing. */
static bool commands_terminal(utf8proc_int32_t character)
{
	utf8proc_category_t category;

	if (character < 0)
		return true;
	category = utf8proc_category(character);
	return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
	       category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

struct str terminal_clean(struct arena *arena, struct str text)
{
	char *copy = arena_new(arena, text.size + 1);
	size_t out = 0, size;

	for (size_t at = 0; at < text.size; at += size) {
		if (commands_terminal(next_character(text, at, &size))) {
			copy[out++] = ' ';
			continue;
		}
		memcpy(copy + out, text.data + at, size);
		out += size;
	}
	return (struct str){copy, out};
}

bool terminal_dot(void)
{
	if (!isatty(STDERR_FILENO))
		return false;
	fputc('.', stderr);
	return true;
}
