#include "daemon/state/names.h"

#include <stdlib.h>

/* FNV-1a, then mixed: names come from granted senders and are few. */
static uint64_t fingerprint(struct str name)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < name.size; i++)
		hash = (hash ^ (uint8_t)name.data[i]) * 1099511628211u;
	hash ^= hash >> 32;
	return hash * 0x9e3779b97f4a7c15u;
}

uint32_t names_find(const struct names *names, struct str name)
{
	struct map_cursor cursor = {0};
	uint32_t number;

	while (map_next(&names->index, fingerprint(name), &cursor, &number))
		if (str_equal(names_get(names, number), name))
			return number;
	return 0;
}

uint32_t names_add(struct names *names, struct str name)
{
	uint32_t number = names_find(names, name);

	if (number)
		return number;
	MEM_ROOM(names->items, names->count, names->capacity);
	names->items[names->count++] = mem_copy(name);
	map_put(&names->index, fingerprint(name), names->count);
	return names->count;
}

struct str names_get(const struct names *names, uint32_t number)
{
	assert(number <= names->count);
	return number ? str_from(names->items[number - 1]) : (struct str){0};
}

void names_done(struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	map_done(&names->index);
	*names = (struct names){0};
}
