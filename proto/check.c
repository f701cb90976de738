#include "proto/check.h"

#include <stdio.h>

#include "proto/codec.h"
#include "proto/text.h"

/* Values. */

static enum err check_text(const struct field *field, struct str text, const struct place *place,
			   struct fault *fault)
{
	if (text.size < field->min || text.size > field->max)
		return fault_at(fault, place, "out of bounds", field);
	if (field->flags & EMAIL)
		return text_is_email(text) ? ERR_OK
					   : fault_at(fault, place, "no such address", field);
	if (field->flags & LINE) /* NUL is a control character too */
		return text_has_control(text) ? fault_at(fault, place, "control character", field)
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
	if (text_has_control(item))
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
