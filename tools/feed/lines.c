#include "tools/feed/lines.h"

enum { CHUNK_SIZE = 64 * 1024 };

void lines_open(struct lines *lines, FILE *file, const char *encoding)
{
	*lines = (struct lines){.file = file, .decoder = decoder_new(encoding)};
}

void lines_done(struct lines *lines)
{
	decoder_free(&lines->decoder);
	buf_done(&lines->text);
}

static void forget_passed(struct lines *lines)
{
	size_t left = lines->text.size - lines->start;

	if (lines->start > 0 && left > 0)
		memmove(lines->text.data, lines->text.data + lines->start, left);
	lines->text.size = left;
	lines->start = 0;
}

static void read_chunk(struct lines *lines)
{
	char chunk[CHUNK_SIZE];
	size_t size = fread(chunk, 1, sizeof(chunk), lines->file);

	forget_passed(lines);
	lines->is_whole = size < sizeof(chunk);
	decoder_feed(lines->decoder, (struct str){chunk, size}, lines->is_whole, &lines->text);
}

/* Where the line ends, or 0: a CR that ends the text may have its LF still to come. */
static size_t find_end(const struct lines *lines, size_t from)
{
	const char *data = lines->text.data;

	for (size_t at = from; at < lines->text.size; at++) {
		if (data[at] == '\n')
			return at + 1;
		if (data[at] == '\r' && at + 1 < lines->text.size)
			return data[at + 1] == '\n' ? at + 2 : at + 1;
	}
	return 0;
}

bool lines_read(struct lines *lines, size_t offset, struct str *line)
{
	size_t looked = 0, end;

	while (!(end = find_end(lines, lines->start + offset + looked)) && !lines->is_whole) {
		size_t size = lines->text.size - lines->start;

		looked = size > offset + 1 ? size - offset - 1 : 0;
		read_chunk(lines);
	}
	if (!end)
		end = lines->text.size;
	if (end <= lines->start + offset)
		return false;
	*line = (struct str){lines->text.data + lines->start + offset, end - lines->start - offset};
	return true;
}

void lines_pass(struct lines *lines, size_t size)
{
	assert(size <= lines->text.size - lines->start);
	lines->start += size;
}
