/* A heap of things to be done at a time, earliest first; ties by kind, then by id, so the order is
 * total and never depends on how the heap was filled. */
#pragma once

#include "base/base.h"

struct heap_item {
	int64_t at_ms; /* milliseconds since 1970, UTC */
	uint32_t kind;
	uint32_t id;
};

struct heap {
	struct heap_item *items;
	uint32_t count, capacity;
};

void heap_push(struct heap *heap, struct heap_item item);
const struct heap_item *heap_first(const struct heap *heap); /* NULL when empty */
struct heap_item heap_pop(struct heap *heap);                /* must not be empty */
void heap_done(struct heap *heap);
