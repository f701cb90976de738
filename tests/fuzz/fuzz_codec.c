/* Everything that takes bytes from outside in proto/. The first byte chooses who gets the rest. */
#include "base/mem.h"
#include "proto/json.h"
#include "proto/rpc.h"
#include "tests/lib/msgpack_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct record *const records[] = {
#define RECORD(name, ...)      &record_##name,
#define MESSAGE(name, ...)     &record_##name,
#define EVENT(KIND, kind, ...) &record_##kind,
#include "proto/records.def"
#include "proto/messages.def"
#include "proto/events.def"
#undef EVENT
#undef MESSAGE
#undef RECORD
};

static union {
#define RECORD(name, ...)      struct name name;
#define MESSAGE(name, ...)     struct name name##_message;
#define EVENT(KIND, kind, ...) struct kind kind##_event;
#include "proto/records.def"
#include "proto/messages.def"
#include "proto/events.def"
#undef EVENT
#undef MESSAGE
#undef RECORD
} object, object_back;

static void check_fault(const struct fault *fault)
{
	assert(fault->code != ERR_OK);
	assert(fault->text[0]);
	assert(memchr(fault->text, '\0', sizeof(fault->text)));
	assert(memchr(fault->path, '\0', sizeof(fault->path)));
}

static void same_content(const struct event *one, const struct event *two)
{
	struct buf first = {0}, second = {0};

	event_content(one, &first);
	event_content(two, &second);
	assert(str_equal(buf_str(&first), buf_str(&second)));
	buf_done(&first);
	buf_done(&second);
}

/* An event that was taken survives every form it has, and its own checks. */
static void check_taken(const struct event *event, struct arena *arena)
{
	struct buf wire = {0}, stored = {0}, personal = {0};
	struct event back;
	struct fault fault = {0};

	assert(event_check(event, &fault) == ERR_OK);
	event_encode(event, &wire);
	if (wire.size <= EVENT_SIZE_MAX) {
		assert(codec_walk(buf_str(&wire), &fault) == ERR_OK);
		assert(event_decode(buf_str(&wire), arena, &back, &fault) == ERR_OK);
		same_content(event, &back);
	}

	back = *event;
	back.schema = EVENT_SCHEMA;
	event_stored_encode(&back, &stored);
	assert(event_stored_decode(buf_str(&stored), arena, &back) == ERR_OK);
	if (event_personal_encode(event, &personal))
		assert(event_personal_decode(buf_str(&personal), arena, &back) == ERR_OK);
	same_content(event, &back);
	buf_done(&wire);
	buf_done(&stored);
	buf_done(&personal);
}

static void fuzz_event(struct str bytes, struct arena *arena)
{
	struct fault fault = {0};
	struct event event;

	if (codec_walk(bytes, &fault)) {
		check_fault(&fault);
		return;
	}
	assert(oracle_confirms(bytes));
	if (event_decode(bytes, arena, &event, &fault))
		check_fault(&fault);
	else
		check_taken(&event, arena);
}

static void fuzz_stored(struct str bytes, struct arena *arena)
{
	struct buf again = {0};
	struct event event, back;

	if (event_stored_decode(bytes, arena, &event))
		return;
	event_stored_encode(&event, &again);
	assert(event_stored_decode(buf_str(&again), arena, &back) == ERR_OK);
	buf_done(&again);
}

static void fuzz_rpc(struct str bytes, struct arena *arena)
{
	struct fault fault = {0};
	struct rpc rpc;

	if (rpc_parse(bytes, &rpc, &fault)) {
		check_fault(&fault);
		return;
	}
	if (rpc.type == RPC_REQUEST &&
	    rpc_params(&rpc, &record_worker_ready, arena, &object, &fault))
		check_fault(&fault);
}

static void fuzz_json(struct str bytes, struct arena *arena)
{
	struct fault fault = {0};
	struct event event;

	if (event_from_json_line(bytes, arena, &event, &fault))
		check_fault(&fault);
	else
		check_taken(&event, arena);
}

static void fuzz_record(const struct record *record, struct str bytes, struct arena *arena)
{
	struct reader reader = reader_from(bytes);
	struct fault fault = {0};
	struct buf one = {0}, two = {0};

	if (codec_walk(bytes, NULL))
		return;
	if (codec_decode(record, &reader, "params", 0, arena, &object, &fault)) {
		check_fault(&fault);
		return;
	}
	assert(record_check(record, &object, "", NULL) == ERR_OK);
	codec_encode(record, &object, 0, 0, &one);
	reader = reader_from(buf_str(&one));
	assert(codec_decode(record, &reader, "", 0, arena, &object_back, &fault) == ERR_OK);
	codec_encode(record, &object_back, 0, 0, &two);
	assert(str_equal(buf_str(&one), buf_str(&two)));
	buf_done(&one);
	buf_done(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct str bytes = {(const char *)data + 1, size - 1};
	struct event event;

	if (size == 0)
		return 0;
	if (data[0] == 'e')
		fuzz_event(bytes, &arena);
	else if (data[0] == 's')
		fuzz_stored(bytes, &arena);
	else if (data[0] == 'r')
		fuzz_rpc(bytes, &arena);
	else if (data[0] == 'j')
		fuzz_json(bytes, &arena);
	else if (data[0] == 'p') {
		event_clear(&event, EVENT_REFERRAL_RECEIVED);
		if (event_personal_decode(bytes, &arena, &event))
			event.kind = 0;
	} else
		fuzz_record(records[data[0] % ARRAY_SIZE(records)], bytes, &arena);
	arena_done(&arena);
	return 0;
}
