/* Records and events as msgpack, in and out, driven by the tables of record.h. Nothing from outside
 * reaches the decoder before codec_walk() has passed over it. */
#pragma once

#include "base/fault.h"
#include "proto/message.h"
#include "proto/reader.h"
#include "proto/writer.h"

/* Decodes one map at the reader into `object`, which is cleared first. Checks names, types, bounds,
 * dates and required fields; the first mistake in the order of the bytes (then missing fields in the
 * order of the table) is told in `fault` (ERR_INVALID_EVENT) with `path` in front of the field's
 * name. Text borrows from the reader's bytes; lists come from `arena`. `flags_out` leaves fields with
 * any of these flags out of what is expected (PERSONAL for a journaled event): their presence is
 * then a mistake. */
enum err codec_decode(const struct record *record, struct reader *reader, const char *path,
		      uint32_t flags_out, struct arena *arena, void *object,
		      struct fault *fault) must_use;

/* Writes the map of all present fields that have none of `flags_out`, in the table's order: the same
 * content always gives the same bytes. `flags_only`, when not 0, keeps only fields having one. */
void codec_encode(const struct record *record, const void *object, uint32_t flags_out,
		  uint32_t flags_only, struct buf *out);

/* The same checks on a struct that was filled in by hand or from JSON. */
enum err record_check(const struct record *record, const void *object, const char *path,
		      struct fault *fault) must_use;

/* A CloudEvents envelope as a msgpack map (SPEC: events in), data included. Checks everything that
 * needs no state and no clock: attributes, type, subject rule, data, PAST days against `time`.
 * `kind` set to 0 before decoding. */
enum err event_decode(struct str bytes, struct arena *arena, struct event *event,
		      struct fault *fault) must_use;
/* The same of what stands at a reader, which is behind it then, taken or not: so the caller learns its
 * size, and sees to it. */
enum err event_decode_next(struct reader *reader, struct arena *arena, struct event *event,
			   struct fault *fault) must_use;
void event_encode(const struct event *event, struct buf *out);
/* The same checks on an event that was filled in by hand. */
enum err event_check(const struct event *event, struct fault *fault) must_use;

/* Everything said in the event, in one order: what the content digest is made over. */
void event_content(const struct event *event, struct buf *out);

/* What has to be sealed: subject and personal fields, as one msgpack map; false when there is
 * nothing personal. And back, into an event whose other fields are set. */
bool event_personal_encode(const struct event *event, struct buf *out);
enum err event_personal_decode(struct str bytes, struct arena *arena, struct event *event) must_use;

/* The journal's form: no personal field, the core's part included. Decoding checks again what was
 * written: ERR_CORRUPT when it does not hold. Borrows from `bytes`. */
void event_stored_encode(const struct event *event, struct buf *out);
enum err event_stored_decode(struct str bytes, struct arena *arena, struct event *event) must_use;
