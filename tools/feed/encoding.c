#include "tools/feed/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

enum { CHUNK_SIZE = 64 * 1024 };

struct decoder {
	iconv_t iconv;
	struct buf waiting; /* the bytes of a character that is not whole yet */
	uint64_t errors;
	bool is_begun; /* something was written: a byte order mark cannot come any more */
};

static const struct {
	struct str mark;
	const char *encoding;
} marks[] = {
	{STR("\xef\xbb\xbf"), "UTF-8"},
	{STR("\xff\xfe"), "UTF-16LE"},
	{STR("\xfe\xff"), "UTF-16BE"},
};

static const char *encoding_by_mark(FILE *file)
{
	char head[4];
	size_t size = fread(head, 1, sizeof(head), file);

	rewind(file);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (size >= marks[i].mark.size &&
		    memcmp(head, marks[i].mark.data, marks[i].mark.size) == 0)
			return marks[i].encoding;
	return NULL;
}

static bool file_is_utf8(FILE *file)
{
	scoped(decoder_free) struct decoder *decoder = decoder_new("UTF-8");
	scoped(buf_done) struct buf out = {0};
	char chunk[CHUNK_SIZE];
	size_t size;

	do {
		size = fread(chunk, 1, sizeof(chunk), file);
		buf_reset(&out);
		decoder_feed(decoder, (struct str){chunk, size}, size < sizeof(chunk), &out);
	} while (size == sizeof(chunk) && decoder_errors(decoder) == 0);
	rewind(file);
	return decoder_errors(decoder) == 0;
}

const char *encoding_detect(FILE *file)
{
	const char *marked = encoding_by_mark(file);

	if (marked)
		return marked;
	return file_is_utf8(file) ? "UTF-8" : "CP1252";
}

bool encoding_is_known(const char *name)
{
	iconv_t iconv = iconv_open("UTF-8", name);

	if (iconv == (iconv_t)-1)
		return false;
	iconv_close(iconv);
	return true;
}

struct decoder *decoder_new(const char *name)
{
	struct decoder *decoder = mem_new(sizeof(*decoder));

	decoder->iconv = iconv_open("UTF-8", name);
	assert(decoder->iconv != (iconv_t)-1);
	return decoder;
}

void decoder_free(struct decoder **decoder)
{
	if (!*decoder)
		return;
	iconv_close((*decoder)->iconv);
	buf_done(&(*decoder)->waiting);
	free(*decoder);
	*decoder = NULL;
}

uint64_t decoder_errors(const struct decoder *decoder)
{
	return decoder->errors;
}

static void add_piece(struct decoder *decoder, struct str piece, struct buf *out)
{
	if (piece.size == 0)
		return;
	if (!decoder->is_begun && piece.size >= 3 && memcmp(piece.data, "\xef\xbb\xbf", 3) == 0)
		piece = (struct str){piece.data + 3, piece.size - 3};
	decoder->is_begun = true;
	buf_add_str(out, piece);
}

/* Converts as far as it goes and returns iconv's errno: 0, E2BIG, EILSEQ or EINVAL. */
static int convert_some(struct decoder *decoder, char **from, size_t *left, struct buf *out)
{
	char piece[4096];
	char *to = piece;
	size_t room = sizeof(piece);
	size_t result = iconv(decoder->iconv, from, left, &to, &room);
	int error = result == (size_t)-1 ? errno : 0;

	add_piece(decoder, (struct str){piece, (size_t)(to - piece)}, out);
	return error;
}

static void skip_byte(struct decoder *decoder, char **from, size_t *left, struct buf *out)
{
	add_piece(decoder, STR("\xef\xbf\xbd"), out);
	decoder->errors++;
	(*from)++;
	(*left)--;
}

void decoder_feed(struct decoder *decoder, struct str bytes, bool is_last, struct buf *out)
{
	scoped(buf_done) struct buf input = {0};
	char *from;
	size_t left;
	int error;

	buf_add_str(&input, buf_str(&decoder->waiting));
	buf_add_str(&input, bytes);
	buf_reset(&decoder->waiting);
	from = input.data;
	left = input.size;
	while (left > 0) {
		error = convert_some(decoder, &from, &left, out);
		if (error == EINVAL && !is_last)
			break;
		if (error == EILSEQ || error == EINVAL)
			skip_byte(decoder, &from, &left, out);
	}
	buf_add(&decoder->waiting, from, left);
}
