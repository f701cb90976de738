#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "proto/codec.h"
#include "tests/lib/msgpack_oracle.h"

/* Values made by the tables. */

static uint64_t seed;

static uint64_t pick(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return below ? (seed >> 33) % below : 0;
}

static struct str make_text(struct arena *arena, size_t least, size_t most)
{
	size_t size = least + pick(most - least + 1);
	char *text = arena_new(arena, size);

	for (size_t i = 0; i < size; i++)
		text[i] = "abc xyz0123456789-_."[pick(20)];
	if (size >= 2 && pick(2))
		memcpy(text + size - 2, "\xc3\xa9", 2);
	return (struct str){text, size};
}

static void make_record(const struct record *record, void *object, day_t *day, bool full,
			struct arena *arena);

static void make_list(const struct field *field, struct list *list, day_t *day, bool full,
		      struct arena *arena)
{
	list->count = 1 + (uint32_t)pick(3);
	list->items = arena_new(arena, list->count * field->record->size);
	for (uint32_t i = 0; i < list->count; i++)
		make_record(field->record, (char *)list->items + i * field->record->size, day, full,
			    arena);
}

static insee_t make_insee(uint32_t number)
{
	char text[INSEE_TEXT_SIZE];
	insee_t insee = 0;

	snprintf(text, sizeof(text), "39%03u", number % 1000);
	assert_true(insee_parse(str_from(text), &insee));
	return insee;
}

static void make_texts(struct texts *texts, const struct field *field, struct arena *arena)
{
	texts->count = 1 + (uint32_t)pick(field->max);
	for (uint32_t i = 0; i < texts->count; i++) {
		char *text = arena_new(arena, 16);

		snprintf(text, 16, "t%u", i);
		texts->item[i] = str_from(text);
	}
}

static void make_value(const struct field *field, void *value, day_t *day, bool full,
		       struct arena *arena)
{
	struct insees *insees = value;
	uint64_t span = field->max - field->min;

	switch (field->type) {
	case FIELD_flag:
		*(enum answer *)value = SAID_NO + (enum answer)pick(2);
		break;
	case FIELD_uint:
		*(uint64_t *)value = pick(2) ? field->max : field->min + pick(span);
		break;
	case FIELD_sint:
		*(int64_t *)value = (int64_t)field->min + (int64_t)pick(span);
		break;
	case FIELD_day:
		*(day_t *)value = *day += (day_t)pick(3); /* never going back */
		break;
	case FIELD_time:
		*(ms_t *)value = (ms_t)pick(1000000) * 1000003;
		break;
	case FIELD_text:
		*(struct str *)value = field->flags & EMAIL
					       ? STR("someone@example.org")
					       : make_text(arena, 1, min_u64(field->max, 40));
		break;
	case FIELD_bytes:
		*(struct str *)value = make_text(arena, field->min, min_u64(field->max, 40));
		break;
	case FIELD_insee:
		*(insee_t *)value = make_insee((uint32_t)pick(1000));
		break;
	case FIELD_word:
		*(uint32_t *)value = 1 + (uint32_t)pick(field->words->count - 1);
		break;
	case FIELD_set:
		*(uint32_t *)value = 1 + (uint32_t)pick((1u << (field->words->count - 1)) - 1);
		break;
	case FIELD_texts:
		make_texts(value, field, arena);
		break;
	case FIELD_insees:
		insees->count = 1 + (uint32_t)pick(field->max);
		for (uint32_t i = 0; i < insees->count; i++)
			insees->item[i] = make_insee(i);
		break;
	case FIELD_record:
		make_record(field->record, value, day, full, arena);
		break;
	case FIELD_list:
		make_list(field, value, day, full, arena);
		break;
	}
}

/* A right object: all fields, or optional ones by chance. */
static void make_record(const struct record *record, void *object, day_t *day, bool full,
			struct arena *arena)
{
	record_clear(record, object);
	*(bool *)object = true;
	for (uint32_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];

		if (full || !(field->flags & OPTIONAL) || pick(2))
			make_value(field, (char *)object + field->offset, day, full, arena);
	}
}

/* Day and half of a confirmed visit come together. */
static void make_event(struct event *event, enum event_kind kind, bool full, struct arena *arena)
{
	const struct event_info *info = event_info_find(kind);
	struct visit_confirmed *visit = &event->data.visit_confirmed;
	day_t day = 16000;

	event_clear(event, kind);
	event->id = STR("e-1");
	event->source = STR("urn:fsl:39");
	event->time = 20000LL * MS_DAY + 123;
	make_record(info->record, &event->data, &day, full || kind == EVENT_VISIT_MOVED, arena);
	if (kind == EVENT_VISIT_CONFIRMED && visit->day == DAY_NONE)
		visit->half = 0;
	else if (kind == EVENT_VISIT_CONFIRMED)
		visit->half = HALF_AM;
	if (info->subject == SUBJECT_REQUIRED || (info->subject == SUBJECT_ALLOWED && pick(2))) {
		event->subject = STR("39-0001");
		event->subject_source = pick(2) ? STR("urn:other") : event->source;
	}
}

static void same_content(const struct event *one, const struct event *two)
{
	scoped(buf_done) struct buf first = {0}, second = {0};

	event_content(one, &first);
	event_content(two, &second);
	assert_true(str_equal(buf_str(&first), buf_str(&second)));
}

#define EACH_KIND(kind)                                                                            \
	for (enum event_kind kind = 1; kind < EVENT_KIND_END; kind++)                              \
		if (event_info_find(kind))

/* The walk. */

/* What the walk takes, msgpack-c takes too and reads the same. */
static void test_walk_takes_what_the_library_takes(void **unused)
{
	static const struct str cases[] = {
		STR("\xc0"),
		STR("\xc2"),
		STR("\xc3"),
		STR("\x00"),
		STR("\x7f"),
		STR("\xff"),
		STR("\xe0"),
		STR("\xcc\xff"),
		STR("\xcd\xff\xff"),
		STR("\xce\xff\xff\xff\xff"),
		STR("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
		STR("\xd0\x80"),
		STR("\xd0\x05"),
		STR("\xd1\x80\x00"),
		STR("\xd2\x80\x00\x00\x00"),
		STR("\xd2\x00\x00\x00\x05"),
		STR("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
		STR("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff"),
		STR("\xca\x3f\x80\x00\x00"),
		STR("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
		STR("\xa0"),
		STR("\xa1x"),
		STR("\xd9\x01x"),
		STR("\xda\x00\x01x"),
		STR("\xdb\x00\x00\x00\x01x"),
		STR("\xc4\x02\xff\xfe"),
		STR("\xc5\x00\x01\xff"),
		STR("\xc6\x00\x00\x00\x01\xff"),
		STR("\x90"),
		STR("\x80"),
		STR("\x92\x01\xa1x"),
		STR("\xdc\x00\x01\xc0"),
		STR("\xdd\x00\x00\x00\x01\xc0"),
		STR("\xde\x00\x01\xa1x\xc0"),
		STR("\xdf\x00\x00\x00\x01\xa1x\xc0"),
		STR("\x91\x91\x91\x91\x91\x91\x91\x90"),
		STR("\x82\xa1x\x81\xa1x\x01\xa1y\x02"),
		STR("\xa4\xf0\x9f\x94\xa5"),
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (codec_walk(cases[i], NULL) || !oracle_confirms(cases[i]))
			fail_msg("case %zu", i);
	}
}

/* Everything else is refused with a sentence, before any memory is taken. */
static void test_walk_refuses_the_rest(void **unused)
{
	static const struct {
		struct str bytes;
		const char *text;
	} cases[] = {
		{STR(""), "there are no bytes"},
		{STR("\xc1"), "malformed: the bytes end"},
		{STR("\xdd\x04\x00\x00\x00"), "malformed: a map or an array counts more"},
		{STR("\xdf\xff\xff\xff\xff"), "malformed: a map or an array counts more"},
		{STR("\x92\x01"), "malformed: a map or an array counts more"},
		{STR("\xdd\x00\x00\x00"), "malformed: the bytes end"},
		{STR("\xa2x"), "malformed: the bytes end"},
		{STR("\xdb\xff\xff\xff\xff"), "malformed: the bytes end"},
		{STR("\xc6\xff\xff\xff\xff"), "malformed: the bytes end"},
		{STR("\xcf\x00"), "malformed: the bytes end"},
		{STR("\x91\x91\x91\x91\x91\x91\x91\x91\x90"), "malformed: maps and arrays"},
		{STR("\xd4\x01\x00"), "malformed: extension types"},
		{STR("\xc7\x01\x00\x00"), "malformed: extension types"},
		{STR("\xd6\xff\x00\x00\x00\x00"), "malformed: extension types"},
		{STR("\x01\x02"), "malformed: something follows"},
		{STR("\x81\x01\x02"), "malformed: a map has a key that is no string"},
		{STR("\x81\xc4\x01x\x02"), "malformed: a map has a key that is no string"},
		{STR("\x81\x90\x02"), "malformed: a map has a key that is no string"},
		{STR("\x82\xa1x\x01\xa1x\x02"), "malformed: a map has the same key twice"},
		{STR("\x82\xa1x\x01\xd9\x01x\x02"), "malformed: a map has the same key twice"},
		{STR("\x91\x83\xa1x\x01\xa1y\x80\xa1x\x02"), "malformed: a map has the same key"},
		{STR("\xa1\x80"), "malformed: a string is not valid UTF-8"},
		{STR("\xa1\xff"), "malformed: a string is not valid UTF-8"},
		{STR("\xa2\xc0\x80"), "malformed: a string is not valid UTF-8"},
		{STR("\xa2\xc1\xbf"), "malformed: a string is not valid UTF-8"},
		{STR("\xa3\xe0\x80\x80"), "malformed: a string is not valid UTF-8"},
		{STR("\xa3\xed\xa0\x80"), "malformed: a string is not valid UTF-8"},
		{STR("\xa4\xf0\x80\x80\x80"), "malformed: a string is not valid UTF-8"},
		{STR("\xa4\xf4\x90\x80\x80"), "malformed: a string is not valid UTF-8"},
		{STR("\xa4\xf5\x80\x80\x80"), "malformed: a string is not valid UTF-8"},
		{STR("\xa1\xc3"), "malformed: a string is not valid UTF-8"},
		{STR("\xaa"
		     "abcdefghi\xc3"),
		 "malformed: a string is not valid UTF-8"},
		{STR("\x81\xa1\xff\x01"), "malformed: a string is not valid UTF-8"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault fault = {0};

		if (codec_walk(cases[i].bytes, &fault) != ERR_BAD_FRAME)
			fail_msg("case %zu was taken", i);
		if (strncmp(fault.text, cases[i].text, strlen(cases[i].text)) != 0)
			fail_msg("case %zu: %s", i, fault.text);
	}
}

/* Every beginning of a good message is refused. */
static void test_walk_refuses_every_cut(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf wire = {0};
	struct event event;

	(void)unused;
	make_event(&event, EVENT_REFERRAL_RECEIVED, true, &arena);
	event_encode(&event, &wire);
	assert_int_equal(codec_walk(buf_str(&wire), NULL), ERR_OK);

	for (size_t size = 0; size < wire.size; size++)
		assert_int_equal(codec_walk((struct str){wire.data, size}, NULL), ERR_BAD_FRAME);
}

/* A map of very many keys is refused at once: looking for duplicates must stay cheap. */
static void test_walk_bounds_the_keys_of_a_map(void **unused)
{
	(void)unused;
	for (uint32_t count = MSGPACK_KEYS_MAX; count <= MSGPACK_KEYS_MAX + 1; count++) {
		scoped(buf_done) struct buf map = {0};

		write_map(&map, count);
		for (uint32_t i = 0; i < count; i++) {
			char key[8];

			snprintf(key, sizeof(key), "k%u", i);
			write_text(&map, key);
			write_uint(&map, i);
		}

		assert_int_equal(codec_walk(buf_str(&map), NULL),
				 count > MSGPACK_KEYS_MAX ? ERR_BAD_FRAME : ERR_OK);
	}
}

/* A reader that is asked for what is not there says no and stays where it is. */
static void test_reader_stays_where_it_was(void **unused)
{
	struct reader reader = reader_from(STR("\x92\xff\xa1x"));
	const char *at = reader.at;
	struct str text;
	uint64_t number;
	int64_t negative;
	uint32_t count;
	bool said;

	(void)unused;
	assert_false(read_map(&reader, &count));
	assert_false(read_str(&reader, &text));
	assert_false(read_bytes(&reader, &text));
	assert_false(read_uint(&reader, &number));
	assert_false(read_sint(&reader, &negative));
	assert_false(read_bool(&reader, &said));
	assert_false(read_nil(&reader));
	assert_ptr_equal(reader.at, at);

	assert_true(read_array(&reader, &count));
	assert_false(read_uint(&reader, &number));
	assert_true(read_sint(&reader, &negative));
	assert_int_equal(negative, -1);
	assert_true(read_str(&reader, &text));
	assert_false(read_nil(&reader)); /* the end */
}

/* Records. */

static enum err check_round_trip(const struct record *record, const void *object, void *back)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf one = {0}, two = {0};
	struct fault fault = {0};
	struct reader reader;
	enum err err;

	err = record_check(record, object, "", &fault);
	if (err)
		fail_msg("%s: %s: %s", record->name, fault.path, fault.text);
	codec_encode(record, object, 0, 0, &one);
	if (codec_walk(buf_str(&one), &fault) || !oracle_confirms(buf_str(&one)))
		fail_msg("%s is written wrongly: %s", record->name, fault.text);
	reader = reader_from(buf_str(&one));
	err = codec_decode(record, &reader, "", 0, &arena, back, &fault);
	if (err)
		fail_msg("%s: %s: %s", record->name, fault.path, fault.text);
	codec_encode(record, back, 0, 0, &two);
	assert_true(str_equal(buf_str(&one), buf_str(&two)));
	assert_ptr_equal(reader.at, reader.end);
	return err;
}

/* Every record of the tables comes back as it was written, with and without its optional fields. */
static void test_every_record_comes_back(void **unused)
{
	static const struct record *const records[] = {
#define RECORD(name, ...)      &record_##name,
#define MESSAGE(name, ...)     &record_##name,
#define EVENT(KIND, kind, ...) &record_##kind,
#include "proto/records.def"
#include "proto/messages.def"
#undef EVENT
#undef MESSAGE
#undef RECORD
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		for (seed = 0; seed < 20; seed++) {
			uint64_t now = seed;
			scoped(arena_done) struct arena arena = {0};
			scoped(mem_free) void *object = mem_new(records[i]->size);
			scoped(mem_free) void *back = mem_new(records[i]->size);
			day_t day = 16000;

			make_record(records[i], object, &day, now % 2, &arena);
			assert_int_equal(check_round_trip(records[i], object, back), ERR_OK);
			seed = now;
		}
	}
}

/* Every kind of event comes back from the wire. */
static void test_every_event_comes_back_from_the_wire(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	{
		for (uint64_t round = 0; round < 40; round++) {
			scoped(arena_done) struct arena arena = {0};
			scoped(buf_done) struct buf wire = {0};
			struct fault fault = {0};
			struct event event, back;

			seed = round;
			make_event(&event, kind, round % 4 == 0, &arena);
			event_encode(&event, &wire);

			assert_int_equal(event_check(&event, &fault), ERR_OK);
			assert_int_equal(codec_walk(buf_str(&wire), &fault), ERR_OK);
			if (event_decode(buf_str(&wire), &arena, &back, &fault))
				fail_msg("%d: %s: %s", kind, fault.path, fault.text);
			assert_int_equal(back.kind, kind);
			same_content(&event, &back);
		}
	}
}

/* What is stored, and what is sealed, put together are the event again; and nothing personal is in
 * what is stored. */
static void test_every_event_comes_back_from_the_journal(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	{
		for (uint64_t round = 0; round < 20; round++) {
			scoped(arena_done) struct arena arena = {0};
			scoped(buf_done) struct buf stored = {0}, sealed = {0};
			struct event event, back;

			seed = round;
			make_event(&event, kind, round % 2, &arena);
			event.seq = 1ULL << 40;
			event.accepted = event.time + 5;
			event.schema = EVENT_SCHEMA;
			event.digest[3] = 7;
			event.found = (struct resolution){.other_hash = {9},
							  .household = 4000000000,
							  .other = 1,
							  .giver = 2,
							  .successor = 3,
							  .target = 1ULL << 41,
							  .match = MATCH_NEW};
			event.sealed = round % 2 ? STR("sealed") : (struct str){0};

			event_stored_encode(&event, &stored);
			assert_int_equal(event_stored_decode(buf_str(&stored), &arena, &back),
					 ERR_OK);
			assert_int_equal(back.subject.size, 0);
			if (event_personal_encode(&event, &sealed))
				assert_int_equal(
					event_personal_decode(buf_str(&sealed), &arena, &back),
					ERR_OK);

			same_content(&event, &back);
			assert_int_equal(back.seq, event.seq);
			assert_int_equal(back.accepted, event.accepted);
			assert_memory_equal(back.digest, event.digest, DIGEST_SIZE);
			assert_memory_equal(&back.found, &event.found, sizeof(event.found));
			assert_true(str_equal(back.sealed, event.sealed));
		}
	}
}

/* The name of a household's person is nowhere in the journal's form. */
static void test_journal_holds_nothing_personal(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf stored = {0};
	struct event event;

	(void)unused;
	make_event(&event, EVENT_REFERRAL_RECEIVED, true, &arena);
	event.schema = EVENT_SCHEMA;
	event.subject = STR("SUBJECT-NUMBER");
	event.data.referral_received.person.name = STR("VERY PERSONAL");

	event_stored_encode(&event, &stored);

	assert_null(memmem(stored.data, stored.size, "SUBJECT-NUMBER", 14));
	assert_null(memmem(stored.data, stored.size, "VERY PERSONAL", 13));
	assert_null(memmem(stored.data, stored.size, "person", 6));
}

/* A stored event is refused as soon as one of its bytes is cut, and never read as another kind,
 * or by another schema. */
static void test_damaged_journal_is_noticed(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf stored = {0};
	struct event event, back;

	(void)unused;
	make_event(&event, EVENT_FSL_DECIDED, true, &arena);
	event.schema = EVENT_SCHEMA;
	event_stored_encode(&event, &stored);

	for (size_t size = 0; size < stored.size; size++)
		assert_int_equal(
			event_stored_decode((struct str){stored.data, size}, &arena, &back),
			ERR_CORRUPT);
	stored.data[1] = 2; /* schema */
	assert_int_equal(event_stored_decode(buf_str(&stored), &arena, &back), ERR_CORRUPT);
	stored.data[1] = EVENT_SCHEMA;
	stored.data[2] = 63; /* no such kind */
	assert_int_equal(event_stored_decode(buf_str(&stored), &arena, &back), ERR_CORRUPT);
	stored.data[2] = EVENT_CASE_CLOSED; /* another kind than its data */
	assert_int_equal(event_stored_decode(buf_str(&stored), &arena, &back), ERR_CORRUPT);
}

/* The same content gives the same bytes, in whatever order it was sent. */
static void test_order_of_sending_does_not_count(void **unused)
{
	static const struct str one = STR("\x82\xa6source\xa1s\xa7subject\xa1x");
	static const struct str two = STR("\x82\xa7subject\xa1x\xa6source\xa1s");
	scoped(buf_done) struct buf first = {0}, second = {0};
	scoped(arena_done) struct arena arena = {0};
	struct reader reader;
	struct reference reference;

	(void)unused;
	reader = reader_from(one);
	assert_int_equal(codec_decode(&record_reference, &reader, "", 0, &arena, &reference, NULL),
			 ERR_OK);
	codec_encode(&record_reference, &reference, 0, 0, &first);
	reader = reader_from(two);
	assert_int_equal(codec_decode(&record_reference, &reader, "", 0, &arena, &reference, NULL),
			 ERR_OK);
	codec_encode(&record_reference, &reference, 0, 0, &second);

	assert_true(str_equal(buf_str(&first), buf_str(&second)));
}

/* The first mistake in the bytes is told; a missing field only when what is there is right, and
 * then the first of the table. */
static void test_first_mistake_is_told(void **unused)
{
	static const struct {
		struct str bytes;
		const char *path;
	} cases[] = {
		{STR("\x83\xa1z\x01\xa6source\x05\xa7subject\x05"), "p.z"},
		{STR("\x82\xa7subject\x05\xa6source\x05"), "p.subject"},
		{STR("\x81\xa7subject\x05"), "p.subject"},
		{STR("\x81\xa7subject\xa1x"), "p.source"},
		{STR("\x80"), "p.source"},
		{STR("\x90"), "p"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(arena_done) struct arena arena = {0};
		struct reader reader = reader_from(cases[i].bytes);
		struct reference reference;
		struct fault fault = {0};

		assert_int_equal(codec_decode(&record_reference, &reader, "p", 0, &arena,
					      &reference, &fault),
				 ERR_INVALID_EVENT);
		assert_string_equal(fault.path, cases[i].path);
	}
}

/* A personal field is a mistake where none is expected. */
static void test_flags_leave_fields_out(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf with = {0}, without = {0};
	struct fault fault = {0};
	struct event event, back;
	struct reader reader;

	(void)unused;
	make_event(&event, EVENT_REFERRAL_RECEIVED, true, &arena);
	codec_encode(&record_referral_received, &event.data, 0, 0, &with);
	codec_encode(&record_referral_received, &event.data, PERSONAL, 0, &without);

	reader = reader_from(buf_str(&without));
	assert_int_equal(codec_decode(&record_referral_received, &reader, "data", PERSONAL, &arena,
				      &back.data, &fault),
			 ERR_OK);
	reader = reader_from(buf_str(&with));
	assert_int_equal(codec_decode(&record_referral_received, &reader, "data", PERSONAL, &arena,
				      &back.data, &fault),
			 ERR_INVALID_EVENT);
	assert_string_equal(fault.path, "data.person");
}

/* The path of a mistake inside a list tells which item. */
static void test_path_leads_into_lists(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf bytes = {0};
	struct plan_request request;
	struct fault fault = {0};
	struct plan_pair *pair;
	struct reader reader;
	day_t day = 16000;

	(void)unused;
	seed = 1;
	make_record(&record_plan_request, &request, &day, true, &arena);
	pair = list_at(&request.pairs, struct plan_pair, request.pairs.count - 1);
	pair->visits_a_week = 21;
	codec_encode(&record_plan_request, &request, 0, 0, &bytes);
	reader = reader_from(buf_str(&bytes));

	assert_int_equal(
		codec_decode(&record_plan_request, &reader, "", 0, &arena, &request, &fault),
		ERR_INVALID_EVENT);
	assert_true(!strncmp(fault.path, "pairs[", 6));
	assert_non_null(strstr(fault.path, "].visits_a_week"));
}

/* What a program fills in by hand is checked as well: text that is no UTF-8, words that are none. */
static void test_structs_filled_by_hand_are_checked(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	struct fault fault = {0};
	struct event good, event;
	struct referral_received *referral = &event.data.referral_received;

	(void)unused;
	make_event(&good, EVENT_REFERRAL_RECEIVED, true, &arena);
	assert_int_equal(event_check(&good, &fault), ERR_OK);

	event = good;
	referral->form = STR("\xff");
	assert_int_equal(event_check(&event, &fault), ERR_INVALID_EVENT);
	assert_string_equal(fault.path, "data.form");
	event = good;
	referral->reasons = 1u << 20;
	assert_int_equal(event_check(&event, &fault), ERR_INVALID_EVENT);
	assert_string_equal(fault.path, "data.reasons");
	event = good;
	referral->tenure = 77;
	assert_int_equal(event_check(&event, &fault), ERR_INVALID_EVENT);
	assert_string_equal(fault.path, "data.tenure");
	event = good;
	referral->insee = 36;
	assert_int_equal(event_check(&event, &fault), ERR_INVALID_EVENT);
	assert_string_equal(fault.path, "data.insee");
	event = good;
	event.id = (struct str){0};
	assert_int_equal(event_check(&event, &fault), ERR_INVALID_EVENT);
	assert_string_equal(fault.path, "id");
	event = good;
	event.time = MS_NONE;
	assert_int_equal(event_check(&event, &fault), ERR_INVALID_EVENT);
	assert_string_equal(fault.path, "time");
	event = good;
	referral->consent_on = time_paris_day(event.time) + 2;
	assert_int_equal(event_check(&event, &fault), ERR_INVALID_EVENT);
	assert_string_equal(fault.path, "data.consent_on");
}

/* Is a form number of these bytes taken, by the walk and by the check? */
static bool is_taken(const struct event *referral, const char *bytes, size_t size)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf wire = {0};
	struct event event = *referral, back;

	event.data.referral_received.form = (struct str){bytes, size};
	event_encode(&event, &wire);
	return !codec_walk(buf_str(&wire), NULL) &&
	       !event_decode(buf_str(&wire), &arena, &back, NULL);
}

/* Bytes that no line may hold are found wherever they stand, in short texts and in long ones; what looks
 * like them is let through. */
static void test_control_characters_are_found_everywhere(void **unused)
{
	static const struct {
		struct str bytes;
		bool is_fine;
	} inserts[] = {
		{{"\0", 1}, false},       {STR("\x1f"), false},
		{STR("\n"), false},       {STR("\x7f"), false},
		{STR("\xc2\x85"), false}, {STR("\xe2\x80\xa8"), false},
		{STR("\xff"), false},     {STR("\x80"), false},
		{STR("\xc3"), false},     {STR(" "), true},
		{STR("~"), true},         {STR("\xc2\xa0"), true},
		{STR("\xc3\xa9"), true},  {STR("\xe2\x80\xa7"), true},
	};
	scoped(arena_done) struct arena arena = {0};
	struct event event;
	char text[IDENT_SIZE_MAX];

	(void)unused;
	make_event(&event, EVENT_REFERRAL_RECEIVED, true, &arena);
	for (size_t i = 0; i < ARRAY_SIZE(inserts); i++)
		for (size_t size = inserts[i].bytes.size; size < 28; size++)
			for (size_t at = 0; at + inserts[i].bytes.size <= size; at++) {
				memset(text, 'a', size);
				memcpy(text + at, inserts[i].bytes.data, inserts[i].bytes.size);
				assert_int_equal(is_taken(&event, text, size), inserts[i].is_fine);
			}
}

/* An event that is too large is refused as such, a policy is not. */
static void test_events_have_a_size(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf wire = {0}, large = {0};
	struct fault fault = {0};
	struct event event, back;

	(void)unused;
	make_event(&event, EVENT_POLICY_APPLIED, true, &arena);
	event.data.policy_applied.policy = (struct str){arena_new(&arena, 100000), 100000};
	event_encode(&event, &wire);
	assert_int_equal(event_decode(buf_str(&wire), &arena, &back, &fault), ERR_OK);

	make_event(&event, EVENT_CASE_CLOSED, true, &arena);
	event_encode(&event, &large);
	memset(buf_room(&large, EVENT_SIZE_MAX), 0, EVENT_SIZE_MAX);
	assert_int_equal(event_decode(buf_str(&large), &arena, &back, &fault), ERR_TOO_LARGE);
}

/* A subject without its source is the sender's own number. */
static void test_subject_source_is_the_senders_by_default(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(buf_done) struct buf wire = {0};
	struct event event, back;

	(void)unused;
	make_event(&event, EVENT_CASE_CLOSED, true, &arena);
	event.subject_source = event.source;
	event_encode(&event, &wire);
	assert_null(memmem(wire.data, wire.size, "subjectsource", 13));

	assert_int_equal(event_decode(buf_str(&wire), &arena, &back, NULL), ERR_OK);

	assert_true(str_equal(back.subject_source, event.source));
}

/* Communes: the departments there are, read and written. */
static void test_communes_name_their_department(void **unused)
{
	static const struct {
		const char *text, *department; /* NULL: refused */
	} cases[] = {
		{"39198", "39"},  {"01001", "01"},  {"95999", "95"},  {"2A004", "2A"},
		{"2B033", "2B"},  {"97411", "974"}, {"97101", "971"}, {"97801", "978"},
		{"96001", NULL},  {"99001", NULL},  {"00001", NULL},  {"97001", NULL},
		{"97901", NULL},  {"2C001", NULL},  {"A2001", NULL},  {"3919", NULL},
		{"391980", NULL}, {"39 98", NULL},  {"2a004", NULL},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[INSEE_TEXT_SIZE], department[DEPARTMENT_TEXT_SIZE];
		insee_t insee;

		assert_int_equal(insee_parse(str_from(cases[i].text), &insee),
				 cases[i].department != NULL);
		if (!cases[i].department)
			continue;
		assert_string_equal(insee_print(insee, text), cases[i].text);
		assert_string_equal(insee_department(insee, department), cases[i].department);
	}
}

/* Numbers of kinds and words are written out in tables; their types and words are found again. */
static void test_names_are_found_again(void **unused)
{
	(void)unused;
	EACH_KIND(kind)
	{
		char type[128];

		snprintf(type, sizeof(type), EVENT_TYPE_PREFIX "%s", event_info_find(kind)->type);
		assert_int_equal(event_kind_find(str_from(type)), kind);
	}
	assert_int_equal(event_kind_find(STR("")), 0);
	assert_int_equal(words_find(&words_energy, STR("gas")), ENERGY_GAS);
	assert_int_equal(words_find(&words_energy, STR("")), 0);
	assert_string_equal(words_name(&words_half_day, HALF_DAY_FRI_PM), "fri.pm");
	assert_null(words_name(&words_half_day, 0));
	assert_null(words_name(&words_half_day, 11));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk_takes_what_the_library_takes),
		cmocka_unit_test(test_walk_refuses_the_rest),
		cmocka_unit_test(test_walk_refuses_every_cut),
		cmocka_unit_test(test_walk_bounds_the_keys_of_a_map),
		cmocka_unit_test(test_reader_stays_where_it_was),
		cmocka_unit_test(test_every_record_comes_back),
		cmocka_unit_test(test_every_event_comes_back_from_the_wire),
		cmocka_unit_test(test_every_event_comes_back_from_the_journal),
		cmocka_unit_test(test_journal_holds_nothing_personal),
		cmocka_unit_test(test_damaged_journal_is_noticed),
		cmocka_unit_test(test_order_of_sending_does_not_count),
		cmocka_unit_test(test_first_mistake_is_told),
		cmocka_unit_test(test_flags_leave_fields_out),
		cmocka_unit_test(test_path_leads_into_lists),
		cmocka_unit_test(test_structs_filled_by_hand_are_checked),
		cmocka_unit_test(test_control_characters_are_found_everywhere),
		cmocka_unit_test(test_events_have_a_size),
		cmocka_unit_test(test_subject_source_is_the_senders_by_default),
		cmocka_unit_test(test_communes_name_their_department),
		cmocka_unit_test(test_names_are_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
