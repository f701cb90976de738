#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void *must_have(void *memory)
{
	if (!memory) {
		fputs("<3>memory.exhausted\n", stderr);
		abort();
	}
	return memory;
}

void *mem_new(size_t size)
{
	return must_have(calloc(1, size ? size : 1));
}

void *mem_grow(void *old, size_t size)
{
	return must_have(realloc(old, size ? size : 1));
}

char *mem_copy(struct str text)
{
	char *copy = mem_new(text.size + 1);

	if (text.size)
		memcpy(copy, text.data, text.size);
	return copy;
}

/* memcpy, since the address may be that of a pointer of any type. */
void mem_free(void *address_of_pointer)
{
	void *pointer, *none = NULL;

	memcpy(&pointer, address_of_pointer, sizeof(pointer));
	free(pointer);
	memcpy(address_of_pointer, &none, sizeof(none));
}

size_t mem_next(uint32_t *capacity)
{
	assert(*capacity <= UINT32_MAX / 2);

	*capacity = *capacity ? *capacity * 2 : 8;
	return *capacity;
}

/* Arena: a chain of blocks, the one being filled first. */

enum { BLOCK_SIZE_MIN = 4096, BLOCK_SIZE_USUAL_MAX = 1024 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, size; /* of data */
	_Alignas(max_align_t) char data[];
};

static size_t block_size_next(const struct arena *arena, size_t wanted)
{
	size_t size = arena->block ? arena->block->size * 2 : BLOCK_SIZE_MIN;

	if (size > BLOCK_SIZE_USUAL_MAX)
		size = BLOCK_SIZE_USUAL_MAX;
	return size < wanted ? wanted : size;
}

static void add_block(struct arena *arena, size_t wanted)
{
	size_t size = block_size_next(arena, wanted);
	struct arena_block *block = mem_grow(NULL, sizeof(*block) + size);

	*block = (struct arena_block){.next = arena->block, .size = size};
	arena->block = block;
}

void *arena_new(struct arena *arena, size_t size)
{
	enum { ALIGN = _Alignof(max_align_t) };
	size_t taken = (size + ALIGN - 1) / ALIGN * ALIGN;
	void *piece;

	assert(taken >= size);
	if (!arena->block || arena->block->size - arena->block->used < taken)
		add_block(arena, taken);

	piece = arena->block->data + arena->block->used;
	arena->block->used += taken;
	return memset(piece, 0, size);
}

/* Nothing stays nothing; what is there but empty stays there. */
struct str arena_copy(struct arena *arena, struct str text)
{
	char *copy;

	if (!text.data)
		return text;

	copy = arena_new(arena, text.size);
	memcpy(copy, text.data, text.size);
	return (struct str){copy, text.size};
}

static void free_blocks(struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
}

void arena_reset(struct arena *arena)
{
	if (!arena->block)
		return;

	free_blocks(arena->block->next);
	arena->block->next = NULL;
	arena->block->used = 0;
}

void arena_done(struct arena *arena)
{
	free_blocks(arena->block);
	arena->block = NULL;
}

/* Buffer. */

void buf_grow(struct buf *buf, size_t size)
{
	enum { CAPACITY_FIRST = 256 };
	size_t wanted = buf->size + size;

	assert(wanted >= size);
	buf->capacity = max_u64(max_u64(wanted, buf->capacity * 2), CAPACITY_FIRST);
	buf->data = mem_grow(buf->data, buf->capacity);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	char brief[128]; /* enough for most, and then one pass is enough too */
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(brief, sizeof(brief), format, args);
	va_end(args);
	assert(size >= 0);
	if ((size_t)size < sizeof(brief)) {
		buf_add(buf, brief, size);
		return;
	}

	va_start(args, format);
	vsnprintf(buf_room(buf, size + 1), size + 1, format, args);
	va_end(args);
	buf->size--; /* the terminator is no part of the text */
}

struct str buf_str(const struct buf *buf)
{
	return (struct str){buf->data, buf->size};
}

void buf_reset(struct buf *buf)
{
	buf->size = 0;
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}
