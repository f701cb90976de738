/* A table of 64-bit fingerprints: each key may lead to several values, and the caller checks which
 * is really meant. Keys are expected to be well mixed already (hashes). Lookup order does not
 * matter to any caller: what is walked in order is kept elsewhere. */
#pragma once

#include "base/base.h"

struct __attribute__((packed)) map_slot {
	uint64_t key;
	uint32_t value; /* 0: the slot is free; so values begin at 1 */
};

struct map {
	struct map_slot *slots;
	size_t count, capacity; /* capacity is 0 or a power of two */
};

struct map_cursor {
	size_t at;
	bool begun;
};

void map_put(struct map *map, uint64_t key, uint32_t value); /* value >= 1 */
bool map_remove(struct map *map, uint64_t key, uint32_t value);

/* The next value under `key`; begin with a zeroed cursor; false when there is none left. The map
 * must not change meanwhile. */
bool map_next(const struct map *map, uint64_t key, struct map_cursor *cursor, uint32_t *value);

/* `key` will be looked for soon: the processor fetches its place meanwhile. A table that has outgrown the
 * caches costs more waiting than work. */
static inline void map_expect(const struct map *map, uint64_t key)
{
	if (map->capacity)
		__builtin_prefetch(&map->slots[key & (map->capacity - 1)]);
}

void map_done(struct map *map);
