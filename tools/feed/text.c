#include "tools/feed/text.h"

#include <stdlib.h>

#include <utf8proc.h>

/* The spaces that office programs write: space, tab, line ends, no-break space, narrow no-break
 * space, thin space, and the mark of a byte order that was glued inside a file. */
static const struct str spaces[] = {
	STR(" "),        STR("\t"),           STR("\n"),           STR("\r"),
	STR("\xc2\xa0"), STR("\xe2\x80\xaf"), STR("\xe2\x80\x89"), STR("\xef\xbb\xbf"),
};

/* Most bytes are plain letters: told apart at a glance, since every byte of a file comes by here. */
static size_t space_size(struct str text)
{
	if ((unsigned char)text.data[0] > ' ' && (unsigned char)text.data[0] < 0x80)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (text.size >= spaces[i].size &&
		    memcmp(text.data, spaces[i].data, spaces[i].size) == 0)
			return spaces[i].size;
	return 0;
}

static struct str text_from(struct str text, size_t skip)
{
	return (struct str){text.data + skip, text.size - skip};
}

/* `out` has room for text.size bytes: a run of spaces never grows. */
static size_t squeeze(struct str text, char *out)
{
	size_t size = 0;
	bool is_gap = false;

	while (text.size > 0) {
		size_t gap = space_size(text);

		if (gap == 0) {
			if (is_gap && size > 0)
				out[size++] = ' ';
			out[size++] = text.data[0];
		}
		is_gap = gap > 0;
		text = text_from(text, gap ? gap : 1);
	}
	return size;
}

static bool is_ascii(struct str text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* utf8proc refuses only invalid UTF-8, which no cell holds: such a text stays as it is. */
static struct str text_map(struct arena *arena, struct str text, utf8proc_option_t options)
{
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t size = utf8proc_map((const utf8proc_uint8_t *)text.data,
					     (utf8proc_ssize_t)text.size, &mapped, options);
	struct str copy = text;

	if (size >= 0)
		copy = arena_copy(arena, (struct str){(const char *)mapped, (size_t)size});
	free(mapped);
	return copy;
}

struct str text_clean(struct arena *arena, struct str text)
{
	char *out;
	struct str clean;

	if (text.size == 0)
		return (struct str){NULL, 0};
	out = arena_new(arena, text.size);
	clean = (struct str){out, squeeze(text, out)};
	if (clean.size == 0)
		return (struct str){NULL, 0};
	return is_ascii(clean) ? clean : text_map(arena, clean, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

static struct str fold_ascii(struct arena *arena, struct str text)
{
	char *out = arena_new(arena, text.size + 1);

	for (size_t i = 0; i < text.size; i++)
		out[i] = (char)(text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] + 32
									   : text.data[i]);
	return (struct str){out, text.size};
}

struct str text_fold(struct arena *arena, struct str text)
{
	struct str clean = text_clean(arena, text);

	if (is_ascii(clean))
		return fold_ascii(arena, clean);
	return text_map(arena, clean,
			UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD |
				UTF8PROC_STRIPMARK);
}

bool text_is_unreadable(struct str text)
{
	return text.size >= 3 && memmem(text.data, text.size, "\xef\xbf\xbd", 3) != NULL;
}

bool text_split(struct str *rest, struct str separators, struct str *piece)
{
	size_t end = 0;

	if (!rest->data)
		return false;
	while (end < rest->size && !memchr(separators.data, rest->data[end], separators.size))
		end++;
	*piece = (struct str){rest->data, end};
	*rest = end < rest->size ? text_from(*rest, end + 1) : (struct str){NULL, 0};
	return true;
}
