#include "workers/notify/fill.h"

struct filling {
	struct buf out;
	size_t indent; /* of the lines that follow the first */
	size_t column;
};

static size_t width_of(struct str text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.size; i++)
		width += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return width;
}

static void add_word(struct filling *filling, struct str word)
{
	size_t width = width_of(word);
	bool is_first = filling->column <= filling->indent;

	if (!is_first && filling->column + 1 + width > FILL_WIDTH) {
		buf_printf(&filling->out, "\n%*s", (int)filling->indent, "");
		filling->column = filling->indent;
		is_first = true;
	}
	if (!is_first)
		buf_printf(&filling->out, " ");
	buf_add_str(&filling->out, word);
	filling->column += width + !is_first;
}

/* "- " or "1. ": what a list's line begins with, and the lines below it are moved by. */
static size_t mark_size(struct str line)
{
	bool is_mark = line.size > 2 && memcmp(line.data, "- ", 2) == 0;
	bool is_number = line.size > 3 && line.data[0] >= '1' && line.data[0] <= '9' &&
			 memcmp(line.data + 1, ". ", 2) == 0;

	return is_mark ? 2 : is_number ? 3 : 0;
}

static void fill_line(struct filling *filling, struct str line)
{
	filling->indent = mark_size(line);
	filling->column = filling->indent;
	buf_add(&filling->out, line.data, filling->indent);
	line = (struct str){line.data + filling->indent, line.size - filling->indent};
	while (line.size) {
		const char *space = memchr(line.data, ' ', line.size);
		size_t size = space ? (size_t)(space - line.data) : line.size;

		if (size)
			add_word(filling, (struct str){line.data, size});
		size += space != NULL;
		line = (struct str){line.data + size, line.size - size};
	}
}

void fill_lines(struct buf *text)
{
	struct str left = buf_str(text);
	struct filling filling = {0};

	while (left.size) {
		const char *end = memchr(left.data, '\n', left.size);
		size_t size = end ? (size_t)(end - left.data) : left.size;

		fill_line(&filling, (struct str){left.data, size});
		if (end)
			buf_printf(&filling.out, "\n");
		size += end != NULL;
		left = (struct str){left.data + size, left.size - size};
	}
	buf_done(text);
	*text = filling.out;
}
