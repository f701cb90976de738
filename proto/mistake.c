#include "proto/check.h"

#include <inttypes.h>

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
