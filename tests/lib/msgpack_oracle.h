/* msgpack-c as an independent witness of proto/reader.c: the same bytes, the same values. */
#pragma once

#include <msgpack.h>

#include "proto/codec.h"

static inline bool oracle_agrees(struct reader *reader, const msgpack_object *object);

static inline bool oracle_agrees_on_map(struct reader *reader, const msgpack_object *object)
{
	uint32_t count;

	if (!read_map(reader, &count) || count != object->via.map.size)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!oracle_agrees(reader, &object->via.map.ptr[i].key) ||
		    !oracle_agrees(reader, &object->via.map.ptr[i].val))
			return false;
	}
	return true;
}

static inline bool oracle_agrees_on_array(struct reader *reader, const msgpack_object *object)
{
	uint32_t count;

	if (!read_array(reader, &count) || count != object->via.array.size)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!oracle_agrees(reader, &object->via.array.ptr[i]))
			return false;
	}
	return true;
}

/* The object at the reader is the library's; the reader moves behind it. */
static inline bool oracle_agrees(struct reader *reader, const msgpack_object *object)
{
	struct str text;
	uint64_t number;
	int64_t negative;
	bool said;

	switch (object->type) {
	case MSGPACK_OBJECT_NIL:
		return read_nil(reader);
	case MSGPACK_OBJECT_BOOLEAN:
		return read_bool(reader, &said) && said == object->via.boolean;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return read_uint(reader, &number) && number == object->via.u64;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return !read_uint(reader, &number) && read_sint(reader, &negative) &&
		       negative == object->via.i64;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return !read_uint(reader, &number) && !read_sint(reader, &negative) &&
		       read_skip(reader, &text);
	case MSGPACK_OBJECT_STR:
		return !read_bytes(reader, &text) && read_str(reader, &text) &&
		       str_equal(text, (struct str){object->via.str.ptr, object->via.str.size});
	case MSGPACK_OBJECT_BIN:
		return !read_str(reader, &text) && read_bytes(reader, &text) &&
		       str_equal(text, (struct str){object->via.bin.ptr, object->via.bin.size});
	case MSGPACK_OBJECT_ARRAY:
		return oracle_agrees_on_array(reader, object);
	case MSGPACK_OBJECT_MAP:
		return oracle_agrees_on_map(reader, object);
	default:
		return false;
	}
}

/* Bytes that codec_walk() took: the library takes them too, whole, and reads the same. */
static inline bool oracle_confirms(struct str bytes)
{
	struct reader reader = reader_from(bytes), skipper = reader;
	msgpack_unpacked unpacked;
	struct str skipped;
	size_t end = 0;
	bool confirms;

	msgpack_unpacked_init(&unpacked);
	confirms = msgpack_unpack_next(&unpacked, bytes.data, bytes.size, &end) ==
			   MSGPACK_UNPACK_SUCCESS &&
		   end == bytes.size && oracle_agrees(&reader, &unpacked.data) &&
		   reader.at == reader.end && read_skip(&skipper, &skipped) &&
		   skipped.size == bytes.size;
	msgpack_unpacked_destroy(&unpacked);
	return confirms;
}
