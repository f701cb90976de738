#include "daemon/gate/head.h"

#include "proto/limits.h"
#include "proto/rpc.h"

/* Not the reader of codec.h: that one wants bytes that were walked over, and walking over a whole
 * frame twice, here and in the core, would cost the gate most of its time. */
struct cursor {
	const unsigned char *at, *end;
};

static bool take_number(struct cursor *cursor, size_t size, uint64_t *value)
{
	uint64_t sum = 0;

	if ((size_t)(cursor->end - cursor->at) < size)
		return false;
	while (size-- > 0)
		sum = sum << 8 | *cursor->at++;
	*value = sum;
	return true;
}

/* An object is one byte of the `count` from `small` on, or one of the `sizes` bytes from `wide` on,
 * followed by a number in size_first, twice or four times as many bytes: so msgpack writes integers,
 * strings and arrays alike. */
static bool take_sized(struct cursor *cursor, unsigned small, unsigned count, unsigned wide,
		       unsigned sizes, size_t size_first, uint64_t *value)
{
	unsigned byte;

	if (cursor->at == cursor->end)
		return false;
	byte = *cursor->at++;
	if (byte >= small && byte < small + count) {
		*value = byte - small;
		return true;
	}
	if (byte < wide || byte >= wide + sizes)
		return false;
	return take_number(cursor, size_first << (byte - wide), value);
}

static bool take_uint(struct cursor *cursor, uint64_t *value)
{
	return take_sized(cursor, 0x00, 128, 0xcc, 4, 1, value);
}

static bool take_array(struct cursor *cursor, uint64_t *count)
{
	return take_sized(cursor, 0x90, 16, 0xdc, 2, 2, count);
}

static bool take_text(struct cursor *cursor, struct str *text)
{
	uint64_t size;

	if (!take_sized(cursor, 0xa0, 32, 0xd9, 3, 1, &size))
		return false;
	if (size > (uint64_t)(cursor->end - cursor->at))
		return false;
	*text = (struct str){(const char *)cursor->at, size};
	cursor->at += size;
	return true;
}

/* [[event, …]]: as many as are claimed, but no more than a request may bring. */
static uint32_t peek_events(struct cursor *cursor)
{
	struct str method;
	uint64_t params, events;

	if (!take_text(cursor, &method) || !str_is(method, "publish"))
		return 1;
	if (!take_array(cursor, &params) || params != 1 || !take_array(cursor, &events))
		return 1;
	return (uint32_t)max_u64(1, min_u64(events, REQUEST_EVENTS_MAX));
}

struct head head_peek(struct str frame)
{
	const unsigned char *bytes = (const unsigned char *)frame.data;
	struct cursor cursor = {bytes, bytes + frame.size};
	struct head head = {.events = 1};
	uint64_t count, type, msgid;

	if (!take_array(&cursor, &count) || !take_uint(&cursor, &type))
		return head;
	head.is_notification = type == RPC_NOTIFICATION && count == 3;
	if (type != RPC_REQUEST || !take_uint(&cursor, &msgid) || msgid > UINT32_MAX)
		return head;
	head.msgid = (uint32_t)msgid;
	head.events = peek_events(&cursor);
	return head;
}
