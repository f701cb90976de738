/* msgpack in. Nothing from outside is read before codec_walk() has passed over it. */
#pragma once

#include "base/fault.h"
#include "base/str.h"

/* One pass over bytes from outside: exactly one object, depth ≤ MSGPACK_DEPTH_MAX, counts within the
 * bytes left, strings valid UTF-8, no duplicate key in a map, map keys strings, nothing trailing.
 * ERR_BAD_FRAME with a sentence otherwise. No memory is allocated. */
enum err codec_walk(struct str bytes, struct fault *fault) must_use;

/* A reader over walked msgpack. Where the bytes are not what is asked for, the call returns false and
 * the reader stays where it is. */
struct reader {
	const char *at, *end;
};
struct reader reader_from(struct str bytes);
bool read_array(struct reader *reader, uint32_t *count) must_use;
bool read_map(struct reader *reader, uint32_t *count) must_use;
bool read_str(struct reader *reader, struct str *text) must_use;    /* str */
bool read_bytes(struct reader *reader, struct str *bytes) must_use; /* bin */
bool read_uint(struct reader *reader, uint64_t *value) must_use;    /* a non-negative integer */
bool read_sint(struct reader *reader, int64_t *value) must_use;
bool read_bool(struct reader *reader, bool *value) must_use;
bool read_nil(struct reader *reader) must_use;
bool read_skip(struct reader *reader, struct str *object) must_use; /* one whole object, as bytes */
