#include "tools/feed/collection.h"

#include <stdlib.h>

void collection_add(struct collection *collection, struct place place, ms_t time, struct str bytes)
{
	MEM_ROOM(collection->item, collection->count, collection->capacity);
	collection->item[collection->count++] =
		(struct collected){time, place, collection->bytes.size, bytes.size};
	buf_add_str(&collection->bytes, bytes);
}

/* The offset grows with every event that is added, so it keeps their order. */
static int compare(const void *a, const void *b)
{
	const struct collected *left = a, *right = b;

	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

void collection_sort(struct collection *collection)
{
	if (collection->count > 0)
		qsort(collection->item, collection->count, sizeof(*collection->item), compare);
}

struct str collection_bytes(const struct collection *collection, const struct collected *item)
{
	return (struct str){collection->bytes.data + item->offset, item->size};
}

void collection_done(struct collection *collection)
{
	free(collection->item);
	buf_done(&collection->bytes);
	*collection = (struct collection){0};
}
