/* An event's forms: the envelope senders write, the content a digest is made over, what is sealed,
 * and what the journal keeps. */
#include "proto/codec.h"

#include <stdio.h>

#include "proto/check.h"

/* From senders. */

struct attributes {
	struct envelope envelope;
	struct str data; /* msgpack, not decoded; data NULL: not there */
};

static const struct field a_map = {.name = "data", .name_size = 4, .type = FIELD_record};

static enum err fault_attribute(struct fault *fault, const char *name, const char *sentence)
{
	struct place place = {.name = str_from(name)};

	return fault_say(fault, &place, sentence);
}

/* `data` is only noted: what it must be depends on the type, which may come after it. */
static enum err read_attributes(const struct decode *decode, struct attributes *attributes)
{
	struct place top = {.name = STR("")};
	struct fields_seen seen = {0};
	enum err err = ERR_OK;
	uint32_t count;

	record_clear(&record_envelope, &attributes->envelope);
	attributes->data = (struct str){0};
	if (!read_map(decode->reader, &count))
		return fault_wrong_type(decode->fault, &top, &a_map);
	for (uint32_t i = 0; i < count && !err; i++) {
		struct str name;

		if (!read_str(decode->reader, &name))
			return fault_wrong_type(decode->fault, &top, &a_map);
		if (str_equal(name, STR("data"))) {
			if (!read_skip(decode->reader, &attributes->data))
				return fault_attribute(decode->fault, "data", "wrong type");
			continue;
		}
		err = decode_field(decode, &record_envelope, name, &attributes->envelope, &top,
				   &seen);
	}
	return err ? err : decode_missing(decode, &record_envelope, &top, &seen);
}

static enum err check_envelope(const struct envelope *envelope, struct fault *fault)
{
	if (!str_equal(envelope->specversion, STR("1.0")))
		return fault_attribute(fault, "specversion", "unknown version: expected 1.0");
	if (!event_kind_find(envelope->type))
		return fault_attribute(fault, "type",
				       "unknown type: expected " EVENT_TYPE_PREFIX
				       " and one of the types that PROTOCOL.md lists");
	if (envelope->subjectsource.size && !envelope->subject.size)
		return fault_attribute(fault, "subjectsource",
				       "there is no subject whose source this could be");
	return ERR_OK;
}

static void take_envelope(const struct envelope *envelope, struct event *event)
{
	event_clear(event, event_kind_find(envelope->type));
	event->source = envelope->source;
	event->id = envelope->id;
	event->time = envelope->time;
	event->subject = envelope->subject;
	if (event->subject.size)
		event->subject_source =
			envelope->subjectsource.size ? envelope->subjectsource : envelope->source;
}

static enum err check_subject(const struct event *event, struct fault *fault)
{
	enum event_subject rule = event_info_find(event->kind)->subject;

	if (rule == SUBJECT_REQUIRED && !event->subject.size)
		return fault_attribute(fault, "subject",
				       "missing: this type is about a household, and says which");
	if (rule == SUBJECT_REFUSED && event->subject.size)
		return fault_attribute(fault, "subject",
				       "unexpected: events of this type are about no household");
	return ERR_OK;
}

/* A fact cannot be known before it is there; a day is granted for clocks and time zones. */
static enum err check_past(const struct event *event, struct fault *fault)
{
	const struct record *record = event_info_find(event->kind)->record;
	struct place data = {.name = STR("data")};
	day_t last = time_paris_day(event->time) + 1;

	for (uint32_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];
		struct place place = {.up = &data, .name = {field->name, field->name_size}};
		const void *value = (const char *)&event->data + field->offset;

		if (!(field->flags & PAST) || *(const day_t *)value == DAY_NONE)
			continue;
		if (*(const day_t *)value > last)
			return fault_say(fault, &place,
					 "more than a day after the event's time: expected a "
					 "day that has come");
	}
	return ERR_OK;
}

/* What needs the envelope and the data both. */
static enum err check_event_together(const struct event *event, struct fault *fault)
{
	const struct reference *other = &event->data.household_same_as.other;

	_Static_assert(offsetof(struct household_same_as, other) ==
			       offsetof(struct household_not_same, other),
		       "one pointer serves both");
	if ((event->kind == EVENT_HOUSEHOLD_SAME_AS || event->kind == EVENT_HOUSEHOLD_NOT_SAME) &&
	    str_equal(other->source, event->subject_source) &&
	    str_equal(other->subject, event->subject))
		return fault_attribute(fault, "data.other",
				       "the subject itself: expected another household's number");
	return check_past(event, fault);
}

static enum err decode_data(const struct decode *decode, struct str data, struct event *event)
{
	const struct record *record = event_info_find(event->kind)->record;
	struct place place = {.name = STR("data")};
	struct reader reader = reader_from(data);
	struct decode inner = *decode;

	if (!data.data)
		return record->count == 0 ? ERR_OK : fault_missing(decode->fault, &place, &a_map);
	inner.reader = &reader;
	return decode_record(&inner, record, &event->data, &place);
}

/* Policy is as large as it is; what senders send has a bound that hello tells. */
static enum err check_size(const struct event *event, size_t size, struct fault *fault)
{
	enum event_class class = event_info_find(event->kind)->class;

	if (size <= EVENT_SIZE_MAX || class == CLASS_OPERATOR || class == CLASS_SYSTEM)
		return ERR_OK;
	return fault_set(fault, ERR_TOO_LARGE, "",
			 "the event is too large: expected at most %d bytes", EVENT_SIZE_MAX);
}

static enum err decode_event(struct reader *reader, size_t size, struct arena *arena,
			     struct event *event, struct fault *fault)
{
	struct decode decode = {reader, arena, 0, 0, fault};
	struct attributes attributes;
	enum err err;

	event->kind = 0;
	err = read_attributes(&decode, &attributes);
	if (!err)
		err = check_envelope(&attributes.envelope, fault);
	if (err)
		return err;

	take_envelope(&attributes.envelope, event);
	err = check_size(event, size, fault);
	if (!err)
		err = check_subject(event, fault);
	if (!err)
		err = decode_data(&decode, attributes.data, event);
	return err ? err : check_event_together(event, fault);
}

enum err event_decode_next(struct reader *reader, struct arena *arena, struct event *event,
			   struct fault *fault)
{
	struct reader begin = *reader;
	struct str skipped;
	enum err err = decode_event(reader, 0, arena, event, fault);
	bool is_behind = true;

	if (err) {
		*reader = begin; /* it stopped somewhere in the middle */
		is_behind = read_skip(reader, &skipped);
	}
	assert(is_behind); /* the walk saw it */
	return err;
}

enum err event_decode(struct str bytes, struct arena *arena, struct event *event,
		      struct fault *fault)
{
	struct reader reader = reader_from(bytes);

	return decode_event(&reader, bytes.size, arena, event, fault);
}

void event_envelope(const struct event *event, char type[TYPE_TEXT_SIZE], struct envelope *envelope)
{
	snprintf(type, TYPE_TEXT_SIZE, EVENT_TYPE_PREFIX "%s", event_info_find(event->kind)->type);
	record_clear(&record_envelope, envelope);
	envelope->specversion = STR("1.0");
	envelope->id = event->id;
	envelope->source = event->source;
	envelope->type = str_from(type);
	envelope->time = event->time;
	envelope->subject = event->subject;
	if (event->subject.size && !str_equal(event->subject_source, event->source))
		envelope->subjectsource = event->subject_source;
}

enum err event_check(const struct event *event, struct fault *fault)
{
	const struct event_info *info = event_info_find(event->kind);
	char type[TYPE_TEXT_SIZE];
	struct envelope envelope;
	enum err err;

	if (!info)
		return fault_attribute(fault, "type", "unknown type");
	event_envelope(event, type, &envelope);
	err = record_check(&record_envelope, &envelope, "", fault);
	if (!err)
		err = check_envelope(&envelope, fault);
	if (!err)
		err = check_subject(event, fault);
	if (!err)
		err = record_check(info->record, &event->data, "data", fault);
	return err ? err : check_event_together(event, fault);
}

void event_encode(const struct event *event, struct buf *out)
{
	char type[TYPE_TEXT_SIZE];
	struct envelope envelope;

	event_envelope(event, type, &envelope);
	write_map(out, encode_count(&record_envelope, &envelope, 0, 0) + 1);
	(void)encode_fields(&record_envelope, &envelope, 0, 0, out);
	write_text(out, "data");
	codec_encode(event_info_find(event->kind)->record, &event->data, 0, 0, out);
}

static void write_str_or_nil(struct buf *out, struct str text)
{
	if (text.size)
		write_str(out, text);
	else
		write_nil(out);
}

/* The order is fixed for good: digests of it stand in the journal. */
void event_content(const struct event *event, struct buf *out)
{
	write_array(out, 7);
	write_str(out, event->id);
	write_str(out, event->source);
	write_uint(out, event->kind);
	write_sint(out, event->time);
	write_str_or_nil(out, event->subject);
	write_str_or_nil(out, event->subject_source);
	codec_encode(event_info_find(event->kind)->record, &event->data, 0, 0, out);
}

/* What is sealed: {"subject": text, "data": map}, either only when there is something. */

bool event_personal_encode(const struct event *event, struct buf *out)
{
	const struct record *record = event_info_find(event->kind)->record;
	bool has_data = encode_count(record, &event->data, 0, PERSONAL) > 0;
	bool has_subject = event->subject.size > 0;

	if (!has_data && !has_subject)
		return false;
	write_map(out, has_data + has_subject);
	if (has_subject) {
		write_text(out, "subject");
		write_str(out, event->subject);
	}
	if (has_data) {
		write_text(out, "data");
		codec_encode(record, &event->data, 0, PERSONAL, out);
	}
	return true;
}

static enum err decode_personal_data(struct reader *reader, struct arena *arena,
				     struct event *event)
{
	struct decode decode = {reader, arena, 0, PERSONAL, NULL};
	struct place place = {.name = STR("data")};

	return decode_record(&decode, event_info_find(event->kind)->record, &event->data, &place)
		       ? ERR_CORRUPT
		       : ERR_OK;
}

enum err event_personal_decode(struct str bytes, struct arena *arena, struct event *event)
{
	struct reader reader = reader_from(bytes);
	uint32_t count;

	if (codec_walk(bytes, NULL) || !read_map(&reader, &count))
		return ERR_CORRUPT;
	for (uint32_t i = 0; i < count; i++) {
		struct str name;

		if (!read_str(&reader, &name))
			return ERR_CORRUPT;
		if (str_equal(name, STR("subject"))) {
			if (!read_str(&reader, &event->subject))
				return ERR_CORRUPT;
		} else if (decode_personal_data(&reader, arena, event)) {
			return ERR_CORRUPT;
		}
	}
	return ERR_OK;
}

/* What the journal keeps: an array whose places are fixed by EVENT_SCHEMA. */

enum { STORED_COUNT = 12, FOUND_COUNT = 10 };

static bool is_zero(const uint8_t hash[DIGEST_SIZE])
{
	static const uint8_t zero[DIGEST_SIZE];

	return !memcmp(hash, zero, DIGEST_SIZE);
}

static void write_hash(struct buf *out, const uint8_t hash[DIGEST_SIZE])
{
	if (is_zero(hash))
		write_nil(out);
	else
		write_bytes(out, (struct str){(const char *)hash, DIGEST_SIZE});
}

static bool read_hash(struct reader *reader, uint8_t hash[DIGEST_SIZE])
{
	struct str bytes;

	if (read_nil(reader)) {
		memset(hash, 0, DIGEST_SIZE);
		return true;
	}
	if (!read_bytes(reader, &bytes) || bytes.size != DIGEST_SIZE)
		return false;
	memcpy(hash, bytes.data, DIGEST_SIZE);
	return true;
}

static bool read_u32(struct reader *reader, uint32_t *value)
{
	uint64_t wide;

	if (!read_uint(reader, &wide) || wide > UINT32_MAX)
		return false;
	*value = (uint32_t)wide;
	return true;
}

static void write_found(struct buf *out, const struct resolution *found)
{
	write_array(out, FOUND_COUNT);
	write_hash(out, found->subject_hash);
	write_hash(out, found->other_hash);
	write_uint(out, found->household);
	write_uint(out, found->other);
	write_uint(out, found->giver);
	write_uint(out, found->successor);
	write_uint(out, found->target);
	write_uint(out, found->match);
	write_bool(out, found->has_name);
	write_bool(out, found->has_email);
}

static bool read_found(struct reader *reader, struct resolution *found)
{
	uint32_t count;

	return read_array(reader, &count) && count == FOUND_COUNT &&
	       read_hash(reader, found->subject_hash) && read_hash(reader, found->other_hash) &&
	       read_u32(reader, &found->household) && read_u32(reader, &found->other) &&
	       read_u32(reader, &found->giver) && read_u32(reader, &found->successor) &&
	       read_uint(reader, &found->target) && read_u32(reader, &found->match) &&
	       read_bool(reader, &found->has_name) && read_bool(reader, &found->has_email);
}

void event_stored_encode(const struct event *event, struct buf *out)
{
	write_array(out, STORED_COUNT);
	write_uint(out, event->schema);
	write_uint(out, event->kind);
	write_uint(out, event->seq);
	write_sint(out, event->accepted);
	write_sint(out, event->time);
	write_str(out, event->source);
	write_str(out, event->id);
	write_str_or_nil(out, event->subject_source);
	write_hash(out, event->digest);
	write_found(out, &event->found);
	if (event->sealed.data)
		write_bytes(out, event->sealed);
	else
		write_nil(out);
	codec_encode(event_info_find(event->kind)->record, &event->data, PERSONAL, 0, out);
}

static bool read_kind(struct reader *reader, uint32_t *schema, uint32_t *kind)
{
	uint32_t count;

	return read_array(reader, &count) && count == STORED_COUNT && read_u32(reader, schema) &&
	       *schema == EVENT_SCHEMA && read_u32(reader, kind) && event_info_find(*kind);
}

static bool read_stored(struct reader *reader, struct event *event)
{
	return read_uint(reader, &event->seq) && read_sint(reader, &event->accepted) &&
	       read_sint(reader, &event->time) && read_str(reader, &event->source) &&
	       read_str(reader, &event->id) &&
	       (read_nil(reader) || read_str(reader, &event->subject_source)) &&
	       read_hash(reader, event->digest) && read_found(reader, &event->found) &&
	       (read_nil(reader) || read_bytes(reader, &event->sealed));
}

enum err event_stored_decode(struct str bytes, struct arena *arena, struct event *event)
{
	struct reader reader = reader_from(bytes);
	uint32_t schema, kind;

	if (codec_walk(bytes, NULL) || !read_kind(&reader, &schema, &kind))
		return ERR_CORRUPT;
	event_clear(event, kind);
	event->schema = schema;
	if (!read_stored(&reader, event))
		return ERR_CORRUPT;
	if (codec_decode(event_info_find(kind)->record, &reader, "data", PERSONAL, arena,
			 &event->data, NULL))
		return ERR_CORRUPT;
	return ERR_OK;
}
