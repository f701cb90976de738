#include "proto/text.h"

/* --- many bytes at once ----------------------------------------------------------------------- */

static uint64_t load_eight(const unsigned char *at)
{
	uint64_t eight;

	memcpy(&eight, at, sizeof(eight));
	return eight;
}

/* Fewer than eight bytes, none outside them touched: two loads that overlap, or three bytes that may be
 * the same one. Gaps are filled with what is there, so that nothing is found that is not. */
static inline uint64_t load_few(const unsigned char *at, size_t size)
{
	uint32_t first, last;

	if (size >= sizeof(first)) {
		memcpy(&first, at, sizeof(first));
		memcpy(&last, at + size - sizeof(last), sizeof(last));
		return (uint64_t)last << 32 | first;
	}
	return size == 0 ? 0x2020202020202020
			 : 0x0101010101 * at[0] | (uint64_t)at[size / 2] << 40 |
				   (uint64_t)at[size - 1] << 48 | (uint64_t)at[0] << 56;
}

typedef bool eight_fn(uint64_t eight);

/* Does it hold of all bytes? Eight at a time, the last eight once more where they overlap. */
static inline bool holds_of_all(const unsigned char *at, size_t size, eight_fn *holds)
{
	if (size < 8)
		return holds(load_few(at, size));
	for (size_t i = 0; i + 8 < size; i += 8)
		if (!holds(load_eight(at + i)))
			return false;
	return holds(load_eight(at + size - 8));
}

/* --- UTF-8 ------------------------------------------------------------------------------------ */

/* The length of the character at `at`, 0 when there is none: RFC 3629, without surrogates and
 * without forms longer than needed. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
	unsigned char lead = at[0], least = 0x80, most = 0xbf;
	size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || left < length)
		return 0;
	if (lead == 0xe0)
		least = 0xa0;
	else if (lead == 0xed)
		most = 0x9f;
	else if (lead == 0xf0)
		least = 0x90;
	else if (lead == 0xf4)
		most = 0x8f;
	if (at[1] < least || at[1] > most)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

static bool is_ascii(uint64_t eight)
{
	return !(eight & 0x8080808080808080);
}

size_t utf8_valid_size(struct str text)
{
	const unsigned char *at = (const unsigned char *)text.data;
	size_t left = text.size;

	while (left > 0) {
		size_t length = utf8_length(at, left);

		if (length == 0)
			break;
		at += length;
		left -= length;
	}
	return text.size - left;
}

/* Nearly all text is ASCII. */
bool utf8_is_valid(struct str text)
{
	return holds_of_all((const unsigned char *)text.data, text.size, is_ascii) ||
	       utf8_valid_size(text) == text.size;
}

/* --- control characters ----------------------------------------------------------------------- */

/* No byte below space, none from DEL on: nothing that text_has_control() would look at twice. */
static bool is_plain(uint64_t eight)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t below_space = (eight - 0x20 * ones) & ~eight;
	uint64_t del = (eight ^ 0x7f * ones) - ones;

	return !((eight | below_space | del) & tops);
}

/* Below space, DEL, U+0080 to U+009F, and the line and paragraph separators. */
bool text_has_control(struct str text)
{
	const unsigned char *at = (const unsigned char *)text.data;

	if (holds_of_all(at, text.size, is_plain))
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (at[i] < 0x20 || at[i] == 0x7f)
			return true;
		if (at[i] == 0xc2 && i + 1 < text.size && at[i + 1] < 0xa0)
			return true;
		if (at[i] == 0xe2 && i + 2 < text.size && at[i + 1] == 0x80 &&
		    (at[i + 2] == 0xa8 || at[i + 2] == 0xa9))
			return true;
	}
	return false;
}

/* --- addresses -------------------------------------------------------------------------------- */

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Letters, digits, inner hyphens; labels of 1 to 63 bytes between dots. */
static bool is_domain(struct str domain)
{
	size_t label = 0;

	for (size_t i = 0; i < domain.size; i++) {
		char c = domain.data[i];
		bool last = i + 1 == domain.size || domain.data[i + 1] == '.';

		if (c == '.' && label == 0)
			return false;
		if (c == '-' && (label == 0 || last))
			return false;
		if (c != '.' && c != '-' && !is_letter_or_digit(c))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0;
}

/* RFC 5321's dot-string, but for a hyphen in front: it could be taken for an option. */
static bool is_local_part(struct str local)
{
	static const char others[] = "!#$%&'*+-/=?^_`{|}~";
	char before = '.';

	if (local.size == 0 || local.size > 64 || local.data[0] == '-')
		return false;
	for (size_t i = 0; i < local.size; i++) {
		char c = local.data[i];

		if (c == '.' ? before == '.'
			     : !is_letter_or_digit(c) && (c == '\0' || !strchr(others, c)))
			return false;
		before = c;
	}
	return before != '.';
}

bool text_is_email(struct str text)
{
	const char *at = text.size ? memchr(text.data, '@', text.size) : NULL;
	size_t local;

	if (!at || text.size > 254)
		return false;
	local = (size_t)(at - text.data);
	return is_local_part((struct str){text.data, local}) &&
	       is_domain((struct str){at + 1, text.size - local - 1});
}
