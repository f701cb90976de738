#include "base/heap.h"

#include "base/mem.h"

static bool is_before(const struct heap_item *a, const struct heap_item *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return a->id < b->id;
}

void heap_push(struct heap *heap, struct heap_item item)
{
	uint32_t at;

	MEM_ROOM(heap->items, heap->count, heap->capacity);
	for (at = heap->count++; at > 0; at = (at - 1) / 2) {
		uint32_t parent = (at - 1) / 2;

		if (!is_before(&item, &heap->items[parent]))
			break;
		heap->items[at] = heap->items[parent];
	}
	heap->items[at] = item;
}

const struct heap_item *heap_first(const struct heap *heap)
{
	return heap->count ? &heap->items[0] : NULL;
}

/* Moves the hole at the root down to where `item` belongs. */
static void sift_down(struct heap *heap, struct heap_item item)
{
	uint32_t at = 0;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    is_before(&heap->items[child + 1], &heap->items[child]))
			child++;
		if (!is_before(&heap->items[child], &item))
			break;
		heap->items[at] = heap->items[child];
		at = child;
	}
	heap->items[at] = item;
}

struct heap_item heap_pop(struct heap *heap)
{
	struct heap_item first;

	assert(heap->count > 0);

	first = heap->items[0];
	heap->count--;
	if (heap->count > 0)
		sift_down(heap, heap->items[heap->count]);
	return first;
}

void heap_done(struct heap *heap)
{
	mem_free(&heap->items);
	*heap = (struct heap){0};
}
