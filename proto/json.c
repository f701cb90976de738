#include "proto/json.h"

#include "proto/check.h"
#include "proto/hash.h"

/* JSON comes in by way of msgpack: written as such, walked, and decoded by the same tables. It costs
 * a copy, which files and operators can afford, and makes sure that a mistake is told in the same
 * words whichever way it came. */

static void transcode(const json_t *json, uint32_t depth, struct buf *out);

static void transcode_array(const json_t *json, uint32_t depth, struct buf *out)
{
	size_t count = json_array_size(json);

	write_array(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		transcode(json_array_get(json, i), depth + 1, out);
}

static void transcode_object(const json_t *json, uint32_t depth, struct buf *out)
{
	const char *name;
	json_t *value;

	write_map(out, (uint32_t)json_object_size(json));
	json_object_foreach((json_t *)json, name, value)
	{
		write_text(out, name);
		transcode(value, depth + 1, out);
	}
}

/* What is nested deeper than may be is left out: the walk refuses the whole at the level above. */
static void transcode(const json_t *json, uint32_t depth, struct buf *out)
{
	switch (depth > MSGPACK_DEPTH_MAX ? JSON_NULL : json_typeof(json)) {
	case JSON_OBJECT:
		transcode_object(json, depth, out);
		break;
	case JSON_ARRAY:
		transcode_array(json, depth, out);
		break;
	case JSON_STRING:
		write_str(out, (struct str){json_string_value(json), json_string_length(json)});
		break;
	case JSON_INTEGER:
		write_sint(out, json_integer_value(json));
		break;
	case JSON_REAL:
		write_real(out, json_real_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		write_bool(out, json_is_true(json));
		break;
	case JSON_NULL:
		write_nil(out);
		break;
	}
}

/* Walked msgpack in the arena. */
static enum err json_to_msgpack(const json_t *json, struct arena *arena, struct str *bytes,
				struct fault *fault)
{
	scoped(buf_done) struct buf out = {0};
	enum err err;

	transcode(json, 0, &out);
	err = codec_walk(buf_str(&out), fault);
	if (!err)
		*bytes = arena_copy(arena, buf_str(&out));
	return err;
}

enum err event_from_json(const json_t *json, struct arena *arena, struct event *event,
			 struct fault *fault)
{
	struct str bytes;
	enum err err = json_to_msgpack(json, arena, &bytes, fault);

	return err ? err : event_decode(bytes, arena, event, fault);
}

enum err record_from_json(const struct record *record, const json_t *json, const char *path,
			  struct arena *arena, void *object, struct fault *fault)
{
	struct reader reader;
	struct str bytes;
	enum err err = json_to_msgpack(json, arena, &bytes, fault);

	if (err)
		return err;
	reader = reader_from(bytes);
	return codec_decode(record, &reader, path, 0, arena, object, fault);
}

/* jansson's own sentences quote what stands there, which may be personal: these don't. */
static const char *parse_error(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		return "a map has the same key twice";
	case json_error_invalid_utf8:
		return "a string is not valid UTF-8";
	case json_error_stack_overflow:
		return "maps and arrays are nested too deep";
	case json_error_premature_end_of_input:
		return "the line ends too early";
	case json_error_end_of_input_expected:
		return "something follows the object";
	case json_error_numeric_overflow:
		return "a number is too large";
	case json_error_null_byte_in_key:
	case json_error_null_character:
		return "a NUL character in a key";
	default:
		return "this is no JSON";
	}
}

enum err event_from_json_line(struct str line, struct arena *arena, struct event *event,
			      struct fault *fault)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
	json_error_t error;
	json_t *json = json_loadb(line.data ? line.data : "", line.size, flags, &error);
	enum err err;

	event->kind = 0;
	if (!json)
		return fault_set(fault, ERR_BAD_FRAME, "", "malformed: %s, at column %d",
				 parse_error(&error), error.column);
	err = event_from_json(json, arena, event, fault);
	json_decref(json);
	return err;
}

/* Out. */

static json_t *text_to_json(struct str text)
{
	return json_stringn(text.data ? text.data : "", text.size);
}

/* JSON has no binary: hexadecimal, for people to compare. */
static json_t *bytes_to_json(struct str bytes)
{
	scoped(mem_free) char *text = mem_new(2 * bytes.size + 1);

	hash_hex((const uint8_t *)bytes.data, bytes.size, text);
	return json_string(text);
}

static json_t *set_to_json(const struct words *words, uint32_t set)
{
	json_t *array = json_array();

	for (uint32_t value = 1; value < words->count; value++) {
		if (set >> (value - 1) & 1)
			json_array_append_new(array, json_string(words_name(words, value)));
	}
	return array;
}

static json_t *texts_to_json(const struct texts *texts)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < texts->count; i++)
		json_array_append_new(array, text_to_json(texts->item[i]));
	return array;
}

static json_t *insee_to_json(insee_t insee)
{
	char text[INSEE_TEXT_SIZE];

	return json_string(insee_print(insee, text));
}

static json_t *insees_to_json(const struct insees *insees)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < insees->count; i++)
		json_array_append_new(array, insee_to_json(insees->item[i]));
	return array;
}

static json_t *list_to_json(const struct record *record, const struct list *list,
			    uint32_t flags_out)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < list->count; i++) {
		const void *item = (const char *)list->items + i * record->size;

		json_array_append_new(array, record_to_json(record, item, flags_out));
	}
	return array;
}

/* jansson's integers are signed; only tokens of leases can be larger, and they become text. */
static json_t *uint_to_json(uint64_t value)
{
	if (value > INT64_MAX)
		return json_sprintf("%llu", (unsigned long long)value);
	return json_integer((json_int_t)value);
}

static json_t *value_to_json(const struct field *field, const void *value, uint32_t flags_out)
{
	char text[TIME_TEXT_SIZE];

	switch (field->type) {
	case FIELD_flag:
		return json_boolean(*(const enum answer *)value == SAID_YES);
	case FIELD_uint:
		return uint_to_json(*(const uint64_t *)value);
	case FIELD_sint:
		return json_integer(*(const int64_t *)value);
	case FIELD_day:
		return json_string(day_print(*(const day_t *)value, text));
	case FIELD_time:
		return json_string(time_print(*(const ms_t *)value, text));
	case FIELD_text:
		return text_to_json(*(const struct str *)value);
	case FIELD_bytes:
		return bytes_to_json(*(const struct str *)value);
	case FIELD_insee:
		return insee_to_json(*(const insee_t *)value);
	case FIELD_word:
		return json_string(words_name(field->words, *(const uint32_t *)value));
	case FIELD_set:
		return set_to_json(field->words, *(const uint32_t *)value);
	case FIELD_texts:
		return texts_to_json(value);
	case FIELD_insees:
		return insees_to_json(value);
	case FIELD_record:
		return record_to_json(field->record, value, flags_out);
	case FIELD_list:
		return list_to_json(field->record, value, flags_out);
	}
	return NULL;
}

static void fields_to_json(const struct record *record, const void *object, uint32_t flags_out,
			   json_t *json)
{
	for (uint32_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];
		const void *value = (const char *)object + field->offset;

		if (field->flags & flags_out || field_is_absent(field, object))
			continue;
		json_object_set_new(json, field->name, value_to_json(field, value, flags_out));
	}
}

json_t *record_to_json(const struct record *record, const void *object, uint32_t flags_out)
{
	json_t *json = json_object();

	fields_to_json(record, object, flags_out, json);
	return json;
}

json_t *event_to_json(const struct event *event)
{
	const struct record *record = event_info_find(event->kind)->record;
	char type[TYPE_TEXT_SIZE];
	struct envelope envelope;
	json_t *json = json_object();

	event_envelope(event, type, &envelope);
	fields_to_json(&record_envelope, &envelope, 0, json);
	json_object_set_new(json, "data", record_to_json(record, &event->data, 0));
	return json;
}
