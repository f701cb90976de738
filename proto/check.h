/* What makes a value right, and how it is said when it is not: shared by the decoder and by
 * record_check(), so that a mistake gets the same path and sentence whichever way it came. Private
 * to proto/. */
#pragma once

#include "base/fault.h"
#include "proto/message.h"

/* Where a value stands: a chain from the value up to the prefix the caller gave. Kept on the stack;
 * a path is only printed when there is something to say. */
struct place {
	const struct place *up;
	struct str name; /* empty for an item of an array */
	uint32_t index;
};

/* --- how a mistake is said: mistake.c --- */

enum err fault_at(struct fault *fault, const struct place *place, const char *what,
		  const struct field *expected);
enum err fault_missing(struct fault *fault, const struct place *place, const struct field *field);
enum err fault_wrong_type(struct fault *fault, const struct place *place,
			  const struct field *field);
/* Names the field only when its name can do no harm in a log or on a terminal. */
enum err fault_unknown_field(struct fault *fault, const struct place *parent, struct str name);
/* A whole sentence about one value. */
enum err fault_say(struct fault *fault, const struct place *place, const char *sentence);

/* "an integer from 1 to 2": what would be right, without its full stop. */
void expectation_print(const struct field *field, struct buf *out);

/* --- what is one: check.c --- */

/* One value that is there, without what lies in nested records and without the items of arrays. */
enum err check_value(const struct field *field, const void *value, const struct place *place,
		     struct fault *fault) must_use;
enum err check_count(const struct field *field, uint32_t count, const struct place *place,
		     struct fault *fault) must_use;
/* Item `index` of a texts or insees field, also against those before it. */
enum err check_item(const struct field *field, const void *value, uint32_t index,
		    const struct place *place, struct fault *fault) must_use;
/* What several fields of one record must agree on. */
enum err check_together(const struct record *record, const void *object, const struct place *place,
			struct fault *fault) must_use;

/* --- decoding and encoding, as far as event.c needs their pieces: codec.c --- */

struct reader;

struct decode {
	struct reader *reader;
	struct arena *arena;
	uint32_t flags_out; /* fields with any of these are not expected */
	uint32_t
		flags_only; /* when not 0: only fields with one of these; the others are left alone */
	struct fault *fault;
};

struct fields_seen {
	uint64_t set;  /* bit i: field i */
	uint32_t next; /* where the next search begins */
};

enum err decode_record(const struct decode *decode, const struct record *record, void *object,
		       const struct place *place) must_use;
/* One field of a map, its name being read already. */
enum err decode_field(const struct decode *decode, const struct record *record, struct str name,
		      void *object, const struct place *place, struct fields_seen *seen) must_use;
enum err decode_missing(const struct decode *decode, const struct record *record,
			const struct place *place, const struct fields_seen *seen) must_use;

/* The two halves of codec_encode(), for a map that holds something more. */
uint32_t encode_count(const struct record *record, const void *object, uint32_t flags_out,
		      uint32_t flags_only);
uint32_t encode_fields(const struct record *record, const void *object, uint32_t flags_out,
		       uint32_t flags_only, struct buf *out); /* how many it wrote */

/* An event's attributes as they are written; `type` is where its name is put together. */
enum { TYPE_TEXT_SIZE = 64 };
void event_envelope(const struct event *event, char type[TYPE_TEXT_SIZE],
		    struct envelope *envelope);
