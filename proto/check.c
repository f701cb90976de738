#include "proto/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/codec.h"

/* Text. */

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

/* No byte below space, none from DEL on: nothing that has_control() would look at twice. */
static bool is_plain(uint64_t eight)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t below_space = (eight - 0x20 * ones) & ~eight;
	uint64_t del = (eight ^ 0x7f * ones) - ones;

	return !((eight | below_space | del) & tops);
}

/* Below space, DEL, U+0080 to U+009F, and the line and paragraph separators. */
static bool has_control(struct str text)
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

static bool is_email(struct str text)
{
	const char *at = text.size ? memchr(text.data, '@', text.size) : NULL;
	size_t local;

	if (!at || text.size > 254)
		return false;
	local = (size_t)(at - text.data);
	return is_local_part((struct str){text.data, local}) &&
	       is_domain((struct str){at + 1, text.size - local - 1});
}

/* What is expected, in words. */

static void print_range(const struct field *field, const char *unit, struct buf *out)
{
	if (field->min == field->max)
		buf_printf(out, "%" PRIu64 " %s", field->min, unit);
	else
		buf_printf(out, "%" PRIu64 " to %" PRIu64 " %s", field->min, field->max, unit);
}

static void print_count(const struct field *field, struct buf *out)
{
	uint64_t most = field->max;

	if (field->words)
		most = min_u64(most, field->words->count - 1);
	if (field->min == 0)
		buf_printf(out, "an array of at most %" PRIu64 " ", most);
	else
		buf_printf(out, "an array of %" PRIu64 " to %" PRIu64 " ", field->min, most);
}

void expectation_print(const struct field *field, struct buf *out)
{
	switch (field->type) {
	case FIELD_flag:
		buf_printf(out, "true or false");
		break;
	case FIELD_uint:
		buf_printf(out, "an integer from %" PRIu64 " to %" PRIu64, field->min, field->max);
		break;
	case FIELD_sint:
		buf_printf(out, "an integer from %" PRId64 " to %" PRId64, (int64_t)field->min,
			   (int64_t)field->max);
		break;
	case FIELD_day:
		buf_printf(out, "a date as YYYY-MM-DD, from 1900-01-01 to 2170-01-01");
		break;
	case FIELD_time:
		buf_printf(out, "a time as RFC 3339 writes it, such as 2015-02-03T11:00:00Z");
		break;
	case FIELD_text:
		buf_printf(out, field->flags & EMAIL ? "an e-mail address of " : "a string of ");
		print_range(field, "bytes", out);
		if (field->flags & LINE)
			buf_printf(out, " without control characters");
		break;
	case FIELD_bytes:
		buf_printf(out, "binary of ");
		print_range(field, "bytes", out);
		break;
	case FIELD_insee:
		buf_printf(out, "a commune's INSEE code, five characters such as 39198 or 2A004");
		break;
	case FIELD_word:
		buf_printf(out, "one of ");
		words_print(field->words, out);
		break;
	case FIELD_set:
		print_count(field, out);
		buf_printf(out, "of ");
		words_print(field->words, out);
		break;
	case FIELD_texts:
		print_count(field, out);
		buf_printf(out, "different strings of 1 to %d bytes without control characters",
			   IDENT_SIZE_MAX);
		break;
	case FIELD_insees:
		print_count(field, out);
		buf_printf(out, "different INSEE codes");
		break;
	case FIELD_record:
		buf_printf(out, "a map");
		break;
	case FIELD_list:
		print_count(field, out);
		buf_printf(out, "maps");
		break;
	}
}

/* Faults. */

static void path_print(const struct place *place, struct buf *out)
{
	if (!place)
		return;
	path_print(place->up, out);
	if (place->up && place->name.size == 0)
		buf_printf(out, "[%" PRIu32 "]", place->index);
	else if (place->name.size > 0)
		buf_printf(out, "%s%.*s", out->size ? "." : "", (int)place->name.size,
			   place->name.data);
}

enum err fault_say(struct fault *fault, const struct place *place, const char *sentence)
{
	scoped(buf_done) struct buf path = {0};

	path_print(place, &path);
	buf_add(&path, "", 1);
	return fault_set(fault, ERR_INVALID_EVENT, path.data, "%s", sentence);
}

enum err fault_at(struct fault *fault, const struct place *place, const char *what,
		  const struct field *expected)
{
	scoped(buf_done) struct buf text = {0};

	buf_printf(&text, "%s: expected ", what);
	expectation_print(expected, &text);
	buf_add(&text, "", 1);
	return fault_say(fault, place, text.data);
}

enum err fault_missing(struct fault *fault, const struct place *place, const struct field *field)
{
	return fault_at(fault, place, "missing", field);
}

enum err fault_wrong_type(struct fault *fault, const struct place *place, const struct field *field)
{
	return fault_at(fault, place, "wrong type", field);
}

static bool is_harmless_name(struct str name)
{
	if (name.size == 0 || name.size > IDENT_SIZE_MAX)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] < 0x21 || name.data[i] > 0x7e)
			return false;
	}
	return true;
}

enum err fault_unknown_field(struct fault *fault, const struct place *parent, struct str name)
{
	struct place place = {.up = parent, .name = is_harmless_name(name) ? name : STR("?")};

	return fault_say(fault, &place, "unknown field: nothing of this name is expected here");
}

/* Values. */

static enum err check_text(const struct field *field, struct str text, const struct place *place,
			   struct fault *fault)
{
	if (text.size < field->min || text.size > field->max)
		return fault_at(fault, place, "out of bounds", field);
	if (field->flags & EMAIL)
		return is_email(text) ? ERR_OK : fault_at(fault, place, "no such address", field);
	if (field->flags & LINE) /* NUL is a control character too */
		return has_control(text) ? fault_at(fault, place, "control character", field)
					 : ERR_OK;
	if (text.size && memchr(text.data, '\0', text.size))
		return fault_at(fault, place, "NUL character", field);
	return ERR_OK;
}

enum err check_count(const struct field *field, uint32_t count, const struct place *place,
		     struct fault *fault)
{
	if (count < field->min || count > field->max)
		return fault_at(fault, place, "out of bounds", field);
	return ERR_OK;
}

static enum err check_set(const struct field *field, uint32_t set, const struct place *place,
			  struct fault *fault)
{
	if (set >> (field->words->count - 1))
		return fault_at(fault, place, "unknown word", field);
	return check_count(field, (uint32_t)__builtin_popcount(set), place, fault);
}

/* A number is a commune's when its text is read as the same number. */
static bool is_insee(insee_t insee)
{
	char text[INSEE_TEXT_SIZE];
	insee_t back;

	insee_print(insee, text);
	return insee_parse((struct str){text, INSEE_TEXT_SIZE - 1}, &back) && back == insee;
}

enum err check_value(const struct field *field, const void *value, const struct place *place,
		     struct fault *fault)
{
	switch (field->type) {
	case FIELD_flag:
		if (*(const enum answer *)value > SAID_YES)
			return fault_wrong_type(fault, place, field);
		return ERR_OK;
	case FIELD_uint:
		if (*(const uint64_t *)value < field->min || *(const uint64_t *)value > field->max)
			return fault_at(fault, place, "out of bounds", field);
		return ERR_OK;
	case FIELD_sint:
		if (*(const int64_t *)value < (int64_t)field->min ||
		    *(const int64_t *)value > (int64_t)field->max)
			return fault_at(fault, place, "out of bounds", field);
		return ERR_OK;
	case FIELD_day:
		if (*(const day_t *)value < DAY_MIN || *(const day_t *)value > DAY_MAX)
			return fault_at(fault, place, "no such date", field);
		return ERR_OK;
	case FIELD_time:
		if (*(const ms_t *)value < DAY_MIN * MS_DAY ||
		    *(const ms_t *)value >= (DAY_MAX + 1) * MS_DAY)
			return fault_at(fault, place, "no such time", field);
		return ERR_OK;
	case FIELD_text:
		return check_text(field, *(const struct str *)value, place, fault);
	case FIELD_bytes:
		return check_count(field,
				   (uint32_t)min_u64(((const struct str *)value)->size, UINT32_MAX),
				   place, fault);
	case FIELD_insee:
		if (!is_insee(*(const insee_t *)value))
			return fault_at(fault, place, "no such code", field);
		return ERR_OK;
	case FIELD_word:
		if (!words_name(field->words, *(const uint32_t *)value))
			return fault_at(fault, place, "unknown word", field);
		return ERR_OK;
	case FIELD_set:
		return check_set(field, *(const uint32_t *)value, place, fault);
	case FIELD_texts:
		return check_count(field, ((const struct texts *)value)->count, place, fault);
	case FIELD_insees:
		return check_count(field, ((const struct insees *)value)->count, place, fault);
	case FIELD_list:
		return check_count(field, ((const struct list *)value)->count, place, fault);
	case FIELD_record:
		return ERR_OK;
	}
	return ERR_OK;
}

static enum err check_text_item(const struct field *field, const struct texts *texts,
				uint32_t index, const struct place *place, struct fault *fault)
{
	struct str item = texts->item[index];

	if (item.size == 0 || item.size > IDENT_SIZE_MAX)
		return fault_at(fault, place, "out of bounds", field);
	if (has_control(item))
		return fault_at(fault, place, "control character", field);
	for (uint32_t i = 0; i < index; i++) {
		if (str_equal(texts->item[i], item))
			return fault_at(fault, place, "said twice", field);
	}
	return ERR_OK;
}

static enum err check_insee_item(const struct field *field, const struct insees *insees,
				 uint32_t index, const struct place *place, struct fault *fault)
{
	if (!is_insee(insees->item[index]))
		return fault_at(fault, place, "no such code", field);
	for (uint32_t i = 0; i < index; i++) {
		if (insees->item[i] == insees->item[index])
			return fault_at(fault, place, "said twice", field);
	}
	return ERR_OK;
}

enum err check_item(const struct field *field, const void *value, uint32_t index,
		    const struct place *place, struct fault *fault)
{
	struct place item = {.up = place, .index = index};

	if (field->type == FIELD_texts)
		return check_text_item(field, value, index, &item, fault);
	return check_insee_item(field, value, index, &item, fault);
}

/* Fields that must agree. */

static const void *field_of(const struct record *record, const void *object, const char *name)
{
	for (uint32_t i = 0; i < record->count; i++) {
		if (!strcmp(record->fields[i].name, name))
			return (const char *)object + record->fields[i].offset;
	}
	assert(!"a rule names a field that its record does not have");
	return NULL;
}

/* `second` may not be a day before `first`. */
struct order {
	const struct record *record;
	const char *first, *second;
};
static const struct order orders[] = {
	{&record_household_protection, "valid_from", "valid_to"},
	{&record_pair_unavailable, "from", "to"},
	{&record_plan_absence, "from", "to"},
	{&record_plan_request, "first", "last"},
};

/* A day and its half go together: both, or neither where `may_lack`. */
struct appointment {
	const struct record *record;
	bool may_lack;
};
static const struct appointment appointments[] = {
	{&record_visit_confirmed, true},
	{&record_visit_moved, false},
};

static enum err fault_field(struct fault *fault, const struct place *parent, const char *name,
			    const char *sentence)
{
	struct place place = {.up = parent, .name = str_from(name)};

	return fault_say(fault, &place, sentence);
}

static enum err check_order(const struct order *order, const void *object,
			    const struct place *place, struct fault *fault)
{
	const day_t *first = field_of(order->record, object, order->first);
	const day_t *second = field_of(order->record, object, order->second);
	char sentence[FAULT_TEXT_MAX];

	if (*second >= *first)
		return ERR_OK;
	snprintf(sentence, sizeof(sentence), "before %s: expected the same day or a later one",
		 order->first);
	return fault_field(fault, place, order->second, sentence);
}

static enum err check_appointment(const struct appointment *row, const void *object,
				  const struct place *place, struct fault *fault)
{
	bool has_day = *(const day_t *)field_of(row->record, object, "day") != DAY_NONE;
	bool has_half = *(const uint32_t *)field_of(row->record, object, "half") != 0;

	if (has_day && has_half)
		return ERR_OK;
	if (row->may_lack && has_day == has_half)
		return ERR_OK;
	return fault_field(fault, place, has_day ? "half" : "day",
			   row->may_lack ? "missing: day and half come together, or neither"
					 : "missing: a moved visit needs its new day and half");
}

enum err check_together(const struct record *record, const void *object, const struct place *place,
			struct fault *fault)
{
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		if (orders[i].record == record)
			return check_order(&orders[i], object, place, fault);
	}
	for (size_t i = 0; i < ARRAY_SIZE(appointments); i++) {
		if (appointments[i].record == record)
			return check_appointment(&appointments[i], object, place, fault);
	}
	return ERR_OK;
}

/* A whole struct. */

static enum err check_record(const struct record *record, const void *object,
			     const struct place *place, struct fault *fault);

static enum err check_items(const struct field *field, const void *value, uint32_t count,
			    const struct place *place, struct fault *fault)
{
	enum err err = ERR_OK;

	for (uint32_t i = 0; i < count && !err; i++)
		err = check_item(field, value, i, place, fault);
	return err;
}

static enum err check_list(const struct field *field, const struct list *list,
			   const struct place *place, struct fault *fault)
{
	enum err err = ERR_OK;

	for (uint32_t i = 0; i < list->count && !err; i++) {
		struct place item = {.up = place, .index = i};

		err = check_record(field->record,
				   (const char *)list->items + i * field->record->size, &item,
				   fault);
	}
	return err;
}

/* Text that did not come through codec_walk() may be anything. */
static enum err check_encoding(const struct field *field, struct str text,
			       const struct place *place, struct fault *fault)
{
	return utf8_is_valid(text) ? ERR_OK : fault_at(fault, place, "no UTF-8", field);
}

static enum err check_within(const struct field *field, const void *value,
			     const struct place *place, struct fault *fault)
{
	const struct texts *texts = value;
	enum err err = ERR_OK;

	switch (field->type) {
	case FIELD_record:
		return check_record(field->record, value, place, fault);
	case FIELD_list:
		return check_list(field, value, place, fault);
	case FIELD_text:
		return check_encoding(field, *(const struct str *)value, place, fault);
	case FIELD_texts:
		for (uint32_t i = 0; i < texts->count && !err; i++) {
			struct place item = {.up = place, .index = i};

			err = check_encoding(field, texts->item[i], &item, fault);
		}
		return err ? err : check_items(field, value, texts->count, place, fault);
	case FIELD_insees:
		return check_items(field, value, ((const struct insees *)value)->count, place,
				   fault);
	default:
		return ERR_OK;
	}
}

static enum err check_field(const struct field *field, const void *object,
			    const struct place *parent, struct fault *fault)
{
	struct place place = {.up = parent, .name = {field->name, field->name_size}};
	const void *value = (const char *)object + field->offset;
	enum err err;

	if (field_is_absent(field, object)) {
		if (field->flags & OPTIONAL)
			return ERR_OK;
		return fault_missing(fault, &place, field);
	}
	err = check_value(field, value, &place, fault);
	return err ? err : check_within(field, value, &place, fault);
}

static enum err check_record(const struct record *record, const void *object,
			     const struct place *place, struct fault *fault)
{
	for (uint32_t i = 0; i < record->count; i++) {
		enum err err = check_field(&record->fields[i], object, place, fault);

		if (err)
			return err;
	}
	return check_together(record, object, place, fault);
}

enum err record_check(const struct record *record, const void *object, const char *path,
		      struct fault *fault)
{
	struct place place = {.name = str_from(path)};

	return check_record(record, object, &place, fault);
}
