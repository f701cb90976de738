/* All events of a run in memory, to be walked in the order of time. */
#pragma once

#include "tools/feed/source.h"

struct collected {
	ms_t time;
	struct place place;
	size_t offset, size; /* in the collection's bytes */
};

struct collection {
	struct collected *item;
	uint32_t count, capacity;
	struct buf bytes;
};

void collection_add(struct collection *collection, struct place place, ms_t time, struct str bytes);

/* By time; equal times keep the order in which they were added: files, then rows. */
void collection_sort(struct collection *collection);
struct str collection_bytes(const struct collection *collection, const struct collected *item);
void collection_done(struct collection *collection);
