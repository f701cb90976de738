#include "proto/codec.h"

#include "proto/check.h"

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
