#include "proto/codec.h"

#include <msgpack/pack.h>

#include "proto/check.h"

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

/* The writer. */

static int packer_write(void *data, const char *bytes, size_t size)
{
	buf_add(data, bytes, size);
	return 0;
}

static inline msgpack_packer packer(struct buf *out)
{
	return (msgpack_packer){.data = out, .callback = packer_write};
}

void write_array(struct buf *out, uint32_t count)
{
	msgpack_packer to = packer(out);

	msgpack_pack_array(&to, count);
}

void write_map(struct buf *out, uint32_t count)
{
	msgpack_packer to = packer(out);

	msgpack_pack_map(&to, count);
}

/* Nearly all that is written is short: its head and body in one go, as the library would write them. */
static void write_short(struct buf *out, const char *text, size_t size)
{
	char *room = buf_room(out, 1 + size);

	room[0] = (char)(0xa0 | size);
	memcpy(room + 1, text, size);
}

void write_str(struct buf *out, struct str text)
{
	msgpack_packer to = packer(out);

	if (text.size > 0 && text.size < 32) {
		write_short(out, text.data, text.size);
		return;
	}
	msgpack_pack_str(&to, text.size);
	buf_add_str(out, text);
}

void write_text(struct buf *out, const char *text)
{
	write_str(out, str_from(text));
}

void write_bytes(struct buf *out, struct str bytes)
{
	msgpack_packer to = packer(out);

	msgpack_pack_bin(&to, bytes.size);
	buf_add_str(out, bytes);
}

void write_uint(struct buf *out, uint64_t value)
{
	msgpack_packer to = packer(out);

	msgpack_pack_uint64(&to, value);
}

void write_sint(struct buf *out, int64_t value)
{
	msgpack_packer to = packer(out);

	msgpack_pack_int64(&to, value);
}

void write_real(struct buf *out, double value)
{
	msgpack_packer to = packer(out);

	msgpack_pack_double(&to, value);
}

void write_bool(struct buf *out, bool value)
{
	msgpack_packer to = packer(out);

	if (value)
		msgpack_pack_true(&to);
	else
		msgpack_pack_false(&to);
}

void write_nil(struct buf *out)
{
	msgpack_packer to = packer(out);

	msgpack_pack_nil(&to);
}

/* Records in. */

typedef enum err decode_fn(const struct decode *decode, const struct field *field, void *value,
			   const struct place *place);

static enum err decode_flag(const struct decode *decode, const struct field *field, void *value,
			    const struct place *place)
{
	bool said;

	if (!read_bool(decode->reader, &said))
		return fault_wrong_type(decode->fault, place, field);
	*(enum answer *)value = said ? SAID_YES : SAID_NO;
	return ERR_OK;
}

static enum err decode_uint(const struct decode *decode, const struct field *field, void *value,
			    const struct place *place)
{
	int64_t negative;

	if (!read_uint(decode->reader, value))
		return read_sint(decode->reader, &negative)
			       ? fault_at(decode->fault, place, "out of bounds", field)
			       : fault_wrong_type(decode->fault, place, field);
	return check_value(field, value, place, decode->fault);
}

static enum err decode_sint(const struct decode *decode, const struct field *field, void *value,
			    const struct place *place)
{
	uint64_t huge;

	if (!read_sint(decode->reader, value))
		return read_uint(decode->reader, &huge)
			       ? fault_at(decode->fault, place, "out of bounds", field)
			       : fault_wrong_type(decode->fault, place, field);
	return check_value(field, value, place, decode->fault);
}

static enum err decode_day(const struct decode *decode, const struct field *field, void *value,
			   const struct place *place)
{
	struct str text;

	if (!read_str(decode->reader, &text))
		return fault_wrong_type(decode->fault, place, field);
	if (!day_parse(text, value))
		return fault_at(decode->fault, place, "no such date", field);
	return ERR_OK;
}

static enum err decode_time(const struct decode *decode, const struct field *field, void *value,
			    const struct place *place)
{
	struct str text;

	if (!read_str(decode->reader, &text))
		return fault_wrong_type(decode->fault, place, field);
	if (!time_parse(text, value))
		return fault_at(decode->fault, place, "no such time", field);
	return check_value(field, value, place, decode->fault);
}

static enum err decode_text(const struct decode *decode, const struct field *field, void *value,
			    const struct place *place)
{
	if (!read_str(decode->reader, value))
		return fault_wrong_type(decode->fault, place, field);
	return check_value(field, value, place, decode->fault);
}

static enum err decode_bytes(const struct decode *decode, const struct field *field, void *value,
			     const struct place *place)
{
	if (!read_bytes(decode->reader, value))
		return fault_wrong_type(decode->fault, place, field);
	return check_value(field, value, place, decode->fault);
}

static enum err decode_insee(const struct decode *decode, const struct field *field, void *value,
			     const struct place *place)
{
	struct str text;

	if (!read_str(decode->reader, &text))
		return fault_wrong_type(decode->fault, place, field);
	if (!insee_parse(text, value))
		return fault_at(decode->fault, place, "no such code", field);
	return ERR_OK;
}

static enum err decode_word(const struct decode *decode, const struct field *field, void *value,
			    const struct place *place)
{
	uint32_t word;
	struct str text;

	if (!read_str(decode->reader, &text))
		return fault_wrong_type(decode->fault, place, field);
	word = words_find(field->words, text);
	if (!word)
		return fault_at(decode->fault, place, "unknown word", field);
	*(uint32_t *)value = word;
	return ERR_OK;
}

static enum err decode_count(const struct decode *decode, const struct field *field,
			     const struct place *place, uint32_t *count)
{
	if (!read_array(decode->reader, count))
		return fault_wrong_type(decode->fault, place, field);
	return check_count(field, *count, place, decode->fault);
}

static enum err decode_set(const struct decode *decode, const struct field *field, void *value,
			   const struct place *place)
{
	uint32_t count, word, set = 0;
	enum err err = decode_count(decode, field, place, &count);

	for (uint32_t i = 0; i < count && !err; i++) {
		struct place item = {.up = place, .index = i};

		err = decode_word(decode, field, &word, &item);
		if (!err && set >> (word - 1) & 1)
			err = fault_at(decode->fault, &item, "said twice", field);
		if (!err)
			set |= 1U << (word - 1);
	}
	if (!err)
		*(uint32_t *)value = set;
	return err;
}

static enum err decode_texts(const struct decode *decode, const struct field *field, void *value,
			     const struct place *place)
{
	struct texts *texts = value;
	uint32_t count;
	enum err err = decode_count(decode, field, place, &count);

	for (uint32_t i = 0; i < count && !err; i++) {
		struct place item = {.up = place, .index = i};

		if (!read_str(decode->reader, &texts->item[i]))
			return fault_wrong_type(decode->fault, &item, field);
		err = check_item(field, texts, i, place, decode->fault);
	}
	if (!err)
		texts->count = count;
	return err;
}

static enum err decode_insees(const struct decode *decode, const struct field *field, void *value,
			      const struct place *place)
{
	struct insees *insees = value;
	uint32_t count;
	enum err err = decode_count(decode, field, place, &count);

	for (uint32_t i = 0; i < count && !err; i++) {
		struct place item = {.up = place, .index = i};

		err = decode_insee(decode, field, &insees->item[i], &item);
		if (!err)
			err = check_item(field, insees, i, place, decode->fault);
	}
	if (!err)
		insees->count = count;
	return err;
}

static enum err decode_nested(const struct decode *decode, const struct field *field, void *value,
			      const struct place *place)
{
	return decode_record(decode, field->record, value, place);
}

static enum err decode_list(const struct decode *decode, const struct field *field, void *value,
			    const struct place *place)
{
	struct list *list = value;
	uint32_t count;
	enum err err = decode_count(decode, field, place, &count);

	if (err || count == 0)
		return err;
	list->items = arena_new(decode->arena, count * field->record->size);
	for (uint32_t i = 0; i < count && !err; i++) {
		struct place item = {.up = place, .index = i};

		err = decode_record(decode, field->record,
				    (char *)list->items + i * field->record->size, &item);
	}
	if (!err)
		list->count = count;
	return err;
}

static decode_fn *const decoders[] = {
	[FIELD_flag] = decode_flag,     [FIELD_uint] = decode_uint,
	[FIELD_sint] = decode_sint,     [FIELD_day] = decode_day,
	[FIELD_time] = decode_time,     [FIELD_text] = decode_text,
	[FIELD_bytes] = decode_bytes,   [FIELD_insee] = decode_insee,
	[FIELD_word] = decode_word,     [FIELD_set] = decode_set,
	[FIELD_texts] = decode_texts,   [FIELD_insees] = decode_insees,
	[FIELD_record] = decode_nested, [FIELD_list] = decode_list,
};

static bool is_expected(const struct decode *decode, const struct field *field)
{
	if (field->flags & decode->flags_out)
		return false;
	return !decode->flags_only || field->flags & decode->flags_only;
}

/* Senders mostly keep one order, and often ours: the search begins where the last one ended. */
static uint32_t find_field(const struct record *record, struct str name, uint32_t from)
{
	for (uint32_t i = 0; i < record->count; i++) {
		uint32_t at = from + i < record->count ? from + i : from + i - record->count;
		const struct field *field = &record->fields[at];

		if (field->name_size == name.size && field->name[0] == name.data[0] &&
		    !memcmp(field->name, name.data, name.size))
			return at;
	}
	return record->count;
}

enum err decode_field(const struct decode *decode, const struct record *record, struct str name,
		      void *object, const struct place *place, struct fields_seen *seen)
{
	uint32_t index = find_field(record, name, seen->next);
	const struct field *field = &record->fields[index];
	struct decode nested = *decode;
	struct place here = {.up = place, .name = name};

	if (index == record->count || !is_expected(decode, field))
		return fault_unknown_field(decode->fault, place, name);
	seen->set |= 1ULL << index;
	seen->next = index + 1 < record->count ? index + 1 : 0;
	nested.flags_only = 0; /* what is kept is kept whole */
	return decoders[field->type](&nested, field, (char *)object + field->offset, &here);
}

enum err decode_missing(const struct decode *decode, const struct record *record,
			const struct place *place, const struct fields_seen *seen)
{
	for (uint32_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];
		struct place here = {.up = place, .name = {field->name, field->name_size}};

		if (!(seen->set >> i & 1) && !(field->flags & OPTIONAL) &&
		    is_expected(decode, field))
			return fault_missing(decode->fault, &here, field);
	}
	return ERR_OK;
}

enum err decode_record(const struct decode *decode, const struct record *record, void *object,
		       const struct place *place)
{
	static const struct field a_map = {.type = FIELD_record};
	struct fields_seen seen = {0};
	enum err err = ERR_OK;
	uint32_t count;

	assert(record->count <= 64);
	if (!decode->flags_only)
		record_clear(record, object);
	if (!read_map(decode->reader, &count))
		return fault_wrong_type(decode->fault, place, &a_map);
	for (uint32_t i = 0; i < count && !err; i++) {
		struct str name;

		if (!read_str(decode->reader, &name))
			return fault_wrong_type(decode->fault, place, &a_map);
		err = decode_field(decode, record, name, object, place, &seen);
	}
	if (!err)
		err = decode_missing(decode, record, place, &seen);
	if (!err && !decode->flags_only)
		err = check_together(record, object, place, decode->fault);
	if (!err)
		*(bool *)object = true; /* is_set, the first member of every record */
	return err;
}

enum err codec_decode(const struct record *record, struct reader *reader, const char *path,
		      uint32_t flags_out, struct arena *arena, void *object, struct fault *fault)
{
	struct decode decode = {reader, arena, flags_out, 0, fault};
	struct place place = {.name = str_from(path)};

	return decode_record(&decode, record, object, &place);
}

/* Records out. */

static bool is_written(const struct field *field, const void *object, uint32_t flags_out,
		       uint32_t flags_only)
{
	if (field->flags & flags_out || (flags_only && !(field->flags & flags_only)))
		return false;
	return !field_is_absent(field, object);
}

static void encode_set(const struct field *field, uint32_t set, struct buf *out)
{
	write_array(out, (uint32_t)__builtin_popcount(set));
	for (uint32_t value = 1; value < field->words->count; value++) {
		if (set >> (value - 1) & 1)
			write_text(out, words_name(field->words, value));
	}
}

static void encode_texts(const struct texts *texts, struct buf *out)
{
	write_array(out, texts->count);
	for (uint32_t i = 0; i < texts->count; i++)
		write_str(out, texts->item[i]);
}

static void encode_insee(insee_t insee, struct buf *out)
{
	char text[INSEE_TEXT_SIZE];

	insee_print(insee, text);
	write_str(out, (struct str){text, INSEE_TEXT_SIZE - 1});
}

static void encode_insees(const struct insees *insees, struct buf *out)
{
	write_array(out, insees->count);
	for (uint32_t i = 0; i < insees->count; i++)
		encode_insee(insees->item[i], out);
}

static void encode_list(const struct field *field, const struct list *list, uint32_t flags_out,
			struct buf *out)
{
	write_array(out, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		codec_encode(field->record, (char *)list->items + i * field->record->size,
			     flags_out, 0, out);
}

static void encode_value(const struct field *field, const void *value, uint32_t flags_out,
			 struct buf *out)
{
	char text[TIME_TEXT_SIZE];

	switch (field->type) {
	case FIELD_flag:
		write_bool(out, *(const enum answer *)value == SAID_YES);
		break;
	case FIELD_uint:
		write_uint(out, *(const uint64_t *)value);
		break;
	case FIELD_sint:
		write_sint(out, *(const int64_t *)value);
		break;
	case FIELD_day:
		write_text(out, day_print(*(const day_t *)value, text));
		break;
	case FIELD_time:
		write_text(out, time_print(*(const ms_t *)value, text));
		break;
	case FIELD_text:
		write_str(out, *(const struct str *)value);
		break;
	case FIELD_bytes:
		write_bytes(out, *(const struct str *)value);
		break;
	case FIELD_insee:
		encode_insee(*(const insee_t *)value, out);
		break;
	case FIELD_word:
		write_text(out, words_name(field->words, *(const uint32_t *)value));
		break;
	case FIELD_set:
		encode_set(field, *(const uint32_t *)value, out);
		break;
	case FIELD_texts:
		encode_texts(value, out);
		break;
	case FIELD_insees:
		encode_insees(value, out);
		break;
	case FIELD_record:
		codec_encode(field->record, value, flags_out, 0, out);
		break;
	case FIELD_list:
		encode_list(field, value, flags_out, out);
		break;
	}
}

uint32_t encode_count(const struct record *record, const void *object, uint32_t flags_out,
		      uint32_t flags_only)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < record->count; i++)
		count += is_written(&record->fields[i], object, flags_out, flags_only);
	return count;
}

uint32_t encode_fields(const struct record *record, const void *object, uint32_t flags_out,
		       uint32_t flags_only, struct buf *out)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];

		if (!is_written(field, object, flags_out, flags_only))
			continue;
		write_str(out, (struct str){field->name, field->name_size});
		encode_value(field, (const char *)object + field->offset, flags_out, out);
		count++;
	}
	return count;
}

/* A map of few fields has its count in its head: it is written when it is known. */
static void encode_few(const struct record *record, const void *object, uint32_t flags_out,
		       uint32_t flags_only, struct buf *out)
{
	size_t head = out->size;
	uint32_t count;

	write_map(out, 0);
	count = encode_fields(record, object, flags_out, flags_only, out);
	out->data[head] = (char)(out->data[head] | count);
}

void codec_encode(const struct record *record, const void *object, uint32_t flags_out,
		  uint32_t flags_only, struct buf *out)
{
	if (record->count < 16) {
		encode_few(record, object, flags_out, flags_only, out);
		return;
	}
	write_map(out, encode_count(record, object, flags_out, flags_only));
	(void)encode_fields(record, object, flags_out, flags_only, out);
}
