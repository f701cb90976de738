/* Memory that cannot be had ends the process: a queue that half remembers is worse than a
 * restart. So none of these returns NULL. */
#pragma once

#include "base/str.h"

void *mem_new(size_t size); /* zeroed; free() it */
void *mem_grow(void *old, size_t size);
char *mem_copy(struct str text); /* a terminated copy; free() it */

/* free() for scoped(): takes the address of any pointer, leaves NULL. */
void mem_free(void *address_of_pointer);

/* Makes room for one more item in a growing array and returns its new capacity (in items). */
#define MEM_ROOM(items, count, capacity)                                                           \
	((count) < (capacity)                                                                      \
		 ? (void)0                                                                         \
		 : (void)((items) = mem_grow((items), sizeof(*(items)) * mem_next(&(capacity)))))
size_t mem_next(uint32_t *capacity); /* doubles it, from 8 on, and returns it */

/* An arena: many small pieces that end together. A zeroed struct is an empty one. */
struct arena {
	struct arena_block *block;
};

void *arena_new(struct arena *arena, size_t size); /* zeroed, aligned for any type */
struct str arena_copy(struct arena *arena, struct str text);
void arena_reset(struct arena *arena); /* everything in it ends; one block is kept for reuse */
void arena_done(struct arena *arena);

/* A growing buffer of bytes. A zeroed struct is an empty one. */
struct buf {
	char *data;
	size_t size, capacity;
};

static inline void buf_add(struct buf *buf, const void *data, size_t size);
static inline void buf_add_str(struct buf *buf, struct str text);
void buf_printf(struct buf *buf, const char *format, ...) printf_like(2, 3);
/* Adds `size` bytes to be filled by the caller. */
static inline void *buf_room(struct buf *buf, size_t size);
struct str buf_str(const struct buf *buf);
void buf_reset(struct buf *buf); /* size 0, memory kept */
void buf_done(struct buf *buf);

/* Adding is what an encoder does all the time, a few bytes each: it is done where it is called. */

void buf_grow(struct buf *buf, size_t size); /* makes room for `size` bytes more */

static inline void *buf_room(struct buf *buf, size_t size)
{
	void *room;

	if (buf->capacity - buf->size < size)
		buf_grow(buf, size);
	room = buf->data + buf->size;
	buf->size += size;
	return room;
}

static inline void buf_add(struct buf *buf, const void *data, size_t size)
{
	if (size)
		memcpy(buf_room(buf, size), data, size);
}

static inline void buf_add_str(struct buf *buf, struct str text)
{
	buf_add(buf, text.data, text.size);
}
