/* msgpack out. A writer appends to a buffer; it cannot fail. */
#pragma once

#include "base/mem.h"

void write_array(struct buf *out, uint32_t count);
void write_map(struct buf *out, uint32_t count);
void write_str(struct buf *out, struct str text);
void write_text(struct buf *out, const char *text);
void write_bytes(struct buf *out, struct str bytes);
void write_uint(struct buf *out, uint64_t value);
void write_sint(struct buf *out, int64_t value);
void write_real(struct buf *out, double value); /* no field is one: only to say so of JSON */
void write_bool(struct buf *out, bool value);
void write_nil(struct buf *out);
