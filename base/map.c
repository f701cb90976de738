/* Open addressing with linear probing. A removal moves later entries of the run back into the hole,
 * so a table that lives for years fills with no tombstones. */
#include "base/map.h"

#include <stdlib.h>

#include "base/mem.h"

enum { CAPACITY_FIRST = 16 };

static size_t slot_home(const struct map *map, uint64_t key)
{
	return key & (map->capacity - 1);
}

static size_t slot_next(const struct map *map, size_t at)
{
	return (at + 1) & (map->capacity - 1);
}

static void place(struct map *map, uint64_t key, uint32_t value)
{
	size_t at = slot_home(map, key);

	while (map->slots[at].value != 0)
		at = slot_next(map, at);
	map->slots[at] = (struct map_slot){key, value};
}

static void grow(struct map *map)
{
	struct map old = *map;

	map->capacity = old.capacity ? old.capacity * 2 : CAPACITY_FIRST;
	map->slots = mem_new(map->capacity * sizeof(*map->slots));
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].value != 0)
			place(map, old.slots[i].key, old.slots[i].value);
	free(old.slots);
}

void map_put(struct map *map, uint64_t key, uint32_t value)
{
	assert(value >= 1);

	/* At most three slots in four are taken: runs stay short, and every probe ends. */
	if (map->count >= map->capacity / 4 * 3)
		grow(map);
	place(map, key, value);
	map->count++;
}

bool map_next(const struct map *map, uint64_t key, struct map_cursor *cursor, uint32_t *value)
{
	if (map->capacity == 0)
		return false;

	cursor->at = cursor->begun ? slot_next(map, cursor->at) : slot_home(map, key);
	cursor->begun = true;
	for (; map->slots[cursor->at].value != 0; cursor->at = slot_next(map, cursor->at)) {
		if (map->slots[cursor->at].key != key)
			continue;
		*value = map->slots[cursor->at].value;
		return true;
	}
	return false;
}

/* May the entry at `from` move back to `hole`? Only when its home does not lie after the hole, on
 * the way from the hole to where it is. */
static bool may_move(const struct map *map, size_t from, size_t hole)
{
	size_t mask = map->capacity - 1;
	size_t home = slot_home(map, map->slots[from].key);

	return ((from - home) & mask) >= ((from - hole) & mask);
}

static void close_hole(struct map *map, size_t hole)
{
	for (size_t at = slot_next(map, hole); map->slots[at].value != 0; at = slot_next(map, at)) {
		if (!may_move(map, at, hole))
			continue;
		map->slots[hole] = map->slots[at];
		hole = at;
	}
	map->slots[hole] = (struct map_slot){0};
}

bool map_remove(struct map *map, uint64_t key, uint32_t value)
{
	struct map_cursor cursor = {0};
	uint32_t found;

	while (map_next(map, key, &cursor, &found)) {
		if (found != value)
			continue;
		close_hole(map, cursor.at);
		map->count--;
		return true;
	}
	return false;
}

void map_done(struct map *map)
{
	free(map->slots);
	*map = (struct map){0};
}
