#include "proto/reader.h"

#include "proto/limits.h"
#include "proto/text.h"

/* Reading is our own code, not msgpack-c's unpacker: what comes from outside has to be walked before
 * the library may see it (five bytes make it reserve gigabytes), and having walked it we know where
 * everything stands, so building the library's tree of objects would only cost time and memory on
 * the intake path. Writing is msgpack-c's. The tests and the fuzzer hold both against each other.
 *
 * head_read() is the one place that knows msgpack's type bytes. */

enum head_type {
	HEAD_NIL,
	HEAD_BOOL,
	HEAD_UINT, /* any integer that is not negative, however it was written */
	HEAD_SINT, /* a negative one */
	HEAD_FLOAT,
	HEAD_STR,
	HEAD_BIN,
	HEAD_ARRAY,
	HEAD_MAP,
	HEAD_EXT, /* not spoken here */
	HEAD_CUT, /* the bytes end too early, or begin nothing */
};

struct head {
	enum head_type type;
	uint32_t size;  /* bytes that follow, or items, or pairs */
	uint64_t value; /* of integers: two's complement */
};

static uint64_t big_endian(const unsigned char *at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

static inline struct head head_integer(int64_t value)
{
	return (struct head){value < 0 ? HEAD_SINT : HEAD_UINT, 0, (uint64_t)value};
}

/* The types from 0xc0 to 0xdf that carry a number: what they are, and how many bytes it has. */
static const struct {
	uint8_t type, width;
} wide_heads[32] = {
	[0xc4 - 0xc0] = {HEAD_BIN, 1},   [0xc5 - 0xc0] = {HEAD_BIN, 2},
	[0xc6 - 0xc0] = {HEAD_BIN, 4},   [0xca - 0xc0] = {HEAD_FLOAT, 4},
	[0xcb - 0xc0] = {HEAD_FLOAT, 8}, [0xcc - 0xc0] = {HEAD_UINT, 1},
	[0xcd - 0xc0] = {HEAD_UINT, 2},  [0xce - 0xc0] = {HEAD_UINT, 4},
	[0xcf - 0xc0] = {HEAD_UINT, 8},  [0xd0 - 0xc0] = {HEAD_SINT, 1},
	[0xd1 - 0xc0] = {HEAD_SINT, 2},  [0xd2 - 0xc0] = {HEAD_SINT, 4},
	[0xd3 - 0xc0] = {HEAD_SINT, 8},  [0xd9 - 0xc0] = {HEAD_STR, 1},
	[0xda - 0xc0] = {HEAD_STR, 2},   [0xdb - 0xc0] = {HEAD_STR, 4},
	[0xdc - 0xc0] = {HEAD_ARRAY, 2}, [0xdd - 0xc0] = {HEAD_ARRAY, 4},
	[0xde - 0xc0] = {HEAD_MAP, 2},   [0xdf - 0xc0] = {HEAD_MAP, 4},
};

static struct head head_read_wide(const unsigned char **at, size_t left, unsigned lead)
{
	size_t width = wide_heads[lead - 0xc0].width;
	enum head_type type = wide_heads[lead - 0xc0].type;
	uint64_t value;

	if (lead == 0xc0)
		return (struct head){.type = HEAD_NIL};
	if (lead == 0xc2 || lead == 0xc3)
		return (struct head){.type = HEAD_BOOL, .value = lead == 0xc3};
	if (width == 0)
		return (struct head){.type = lead == 0xc1 ? HEAD_CUT : HEAD_EXT};
	if (left < width)
		return (struct head){.type = HEAD_CUT};

	value = big_endian(*at, width);
	*at += width;
	if (type == HEAD_SINT)
		return head_integer((int64_t)(value << (64 - 8 * width)) >> (64 - 8 * width));
	return (struct head){type, (uint32_t)value, value};
}

/* Reads one head and, of strings and binaries, makes sure that the body is there. */
static inline struct head head_read(const char **from, const char *end)
{
	const unsigned char *at = (const unsigned char *)*from;
	struct head head = {.type = HEAD_CUT};
	unsigned lead;

	if (*from == end)
		return head;
	lead = *at++;
	if (lead < 0x80)
		head = (struct head){HEAD_UINT, 0, lead};
	else if (lead < 0x90)
		head = (struct head){HEAD_MAP, lead & 0x0f, 0};
	else if (lead < 0xa0)
		head = (struct head){HEAD_ARRAY, lead & 0x0f, 0};
	else if (lead < 0xc0)
		head = (struct head){HEAD_STR, lead & 0x1f, 0};
	else if (lead >= 0xe0)
		head = head_integer((int64_t)lead - 256);
	else
		head = head_read_wide(&at, (size_t)(end - *from) - 1, lead);

	if ((head.type == HEAD_STR || head.type == HEAD_BIN) &&
	    head.size > (size_t)(end - (const char *)at))
		head.type = HEAD_CUT;
	*from = (const char *)at;
	return head;
}

/* The walk. */

struct walk_level {
	uint32_t left; /* items to come, or pairs */
	bool is_map;
	uint32_t key_count;
	uint64_t key_marks; /* a bit for each key met, by its length and ends: tells most apart */
	struct str keys[MSGPACK_KEYS_MAX];
};

struct walk {
	const char *at, *end;
	uint32_t depth; /* the level that is open */
	const char *wrong;
	struct walk_level levels[1 + MSGPACK_DEPTH_MAX]; /* the first holds the object itself */
};

static bool walk_stop(struct walk *walk, const char *wrong)
{
	walk->wrong = wrong;
	return false;
}

static inline bool walk_text(struct walk *walk, struct head head, struct str *text)
{
	*text = (struct str){walk->at, head.size};
	walk->at += head.size;
	return utf8_is_valid(*text) || walk_stop(walk, "a string is not valid UTF-8");
}

static inline bool walk_unique(struct walk *walk, struct walk_level *level, struct str key)
{
	unsigned char last = key.size ? (unsigned char)key.data[key.size - 1] : 0;
	unsigned char first = key.size ? (unsigned char)key.data[0] : 0;
	uint64_t mark = 1ULL << ((key.size * 7 + first * 3 + last) & 63);

	if (level->key_marks & mark) {
		for (uint32_t i = 0; i < level->key_count; i++) {
			if (str_equal(level->keys[i], key))
				return walk_stop(walk, "a map has the same key twice");
		}
	}
	level->key_marks |= mark;
	level->keys[level->key_count++] = key;
	return true;
}

static inline bool walk_key(struct walk *walk, struct walk_level *level)
{
	struct head head = head_read(&walk->at, walk->end);
	struct str key;

	if (head.type == HEAD_CUT)
		return walk_stop(walk, "the bytes end in the middle of an object");
	if (head.type != HEAD_STR)
		return walk_stop(walk, "a map has a key that is no string");
	return walk_text(walk, head, &key) && walk_unique(walk, level, key);
}

static bool walk_open(struct walk *walk, struct head head)
{
	struct walk_level *level = &walk->levels[walk->depth + 1];
	bool is_map = head.type == HEAD_MAP;

	if (walk->depth == MSGPACK_DEPTH_MAX)
		return walk_stop(walk, "maps and arrays are nested too deep");
	if ((uint64_t)head.size * (is_map ? 2 : 1) > (size_t)(walk->end - walk->at))
		return walk_stop(walk, "a map or an array counts more than there is");
	if (is_map && head.size > MSGPACK_KEYS_MAX)
		return walk_stop(walk, "a map has too many keys");
	level->left = head.size;
	level->is_map = is_map;
	level->key_count = 0;
	level->key_marks = 0;
	walk->depth++;
	return true;
}

/* One object, or the head of one that holds others. */
static inline bool walk_object(struct walk *walk)
{
	struct head head = head_read(&walk->at, walk->end);
	struct str text;

	switch (head.type) {
	case HEAD_STR:
		return walk_text(walk, head, &text);
	case HEAD_BIN:
		walk->at += head.size;
		return true;
	case HEAD_ARRAY:
	case HEAD_MAP:
		return walk_open(walk, head);
	case HEAD_EXT:
		return walk_stop(walk, "extension types are not spoken here");
	case HEAD_CUT:
		return walk_stop(walk, "the bytes end in the middle of an object");
	default:
		return true;
	}
}

static bool walk_all(struct walk *walk)
{
	for (;;) {
		struct walk_level *level = &walk->levels[walk->depth];

		if (level->left == 0) {
			if (walk->depth == 0)
				break;
			walk->depth--;
			continue;
		}
		level->left--;
		if (level->is_map && !walk_key(walk, level))
			return false;
		if (!walk_object(walk))
			return false;
	}
	return walk->at == walk->end || walk_stop(walk, "something follows the object");
}

enum err codec_walk(struct str bytes, struct fault *fault)
{
	struct walk walk; /* 8 KiB, only written as far as it is needed */

	if (bytes.size == 0)
		return fault_set(fault, ERR_BAD_FRAME, "", "there are no bytes at all");
	walk.at = bytes.data;
	walk.end = bytes.data + bytes.size;
	walk.depth = 0;
	walk.levels[0].left = 1;
	walk.levels[0].is_map = false;
	walk.wrong = NULL;
	if (!walk_all(&walk))
		return fault_set(fault, ERR_BAD_FRAME, "", "malformed: %s", walk.wrong);
	return ERR_OK;
}

/* The reader. */

struct reader reader_from(struct str bytes)
{
	return (struct reader){bytes.data, bytes.data + bytes.size};
}

/* The head at the reader if it is of that type; the reader moves behind it. */
static inline bool read_head(struct reader *reader, enum head_type type, struct head *head)
{
	const char *at = reader->at;

	*head = head_read(&at, reader->end);
	if (head->type != type)
		return false;
	reader->at = at;
	return true;
}

bool read_array(struct reader *reader, uint32_t *count)
{
	struct head head;

	if (!read_head(reader, HEAD_ARRAY, &head))
		return false;
	*count = head.size;
	return true;
}

bool read_map(struct reader *reader, uint32_t *count)
{
	struct head head;

	if (!read_head(reader, HEAD_MAP, &head))
		return false;
	*count = head.size;
	return true;
}

static inline bool read_body(struct reader *reader, enum head_type type, struct str *body)
{
	struct head head;

	if (!read_head(reader, type, &head))
		return false;
	*body = (struct str){reader->at, head.size};
	reader->at += head.size;
	return true;
}

bool read_str(struct reader *reader, struct str *text)
{
	return read_body(reader, HEAD_STR, text);
}

bool read_bytes(struct reader *reader, struct str *bytes)
{
	return read_body(reader, HEAD_BIN, bytes);
}

bool read_uint(struct reader *reader, uint64_t *value)
{
	struct head head;

	if (!read_head(reader, HEAD_UINT, &head))
		return false;
	*value = head.value;
	return true;
}

bool read_sint(struct reader *reader, int64_t *value)
{
	const char *at = reader->at;
	struct head head = head_read(&at, reader->end);

	if (head.type != HEAD_SINT && (head.type != HEAD_UINT || head.value > INT64_MAX))
		return false;
	*value = (int64_t)head.value;
	reader->at = at;
	return true;
}

bool read_bool(struct reader *reader, bool *value)
{
	struct head head;

	if (!read_head(reader, HEAD_BOOL, &head))
		return false;
	*value = head.value;
	return true;
}

bool read_nil(struct reader *reader)
{
	struct head head;

	return read_head(reader, HEAD_NIL, &head);
}

bool read_skip(struct reader *reader, struct str *object)
{
	const char *at = reader->at;

	for (uint64_t left = 1; left > 0; left--) {
		struct head head = head_read(&at, reader->end);

		if (head.type == HEAD_CUT || head.type == HEAD_EXT)
			return false;
		if (head.type == HEAD_STR || head.type == HEAD_BIN)
			at += head.size;
		else if (head.type == HEAD_ARRAY)
			left += head.size;
		else if (head.type == HEAD_MAP)
			left += 2 * (uint64_t)head.size;
	}
	*object = (struct str){reader->at, (size_t)(at - reader->at)};
	reader->at = at;
	return true;
}
