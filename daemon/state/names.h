/* Names that occur again and again (sources, suppliers, pairs, sectors, givers' structures), each
 * kept once and numbered from 1 in the order of their first use. */
#pragma once

#include "base/map.h"
#include "base/mem.h"

struct names {
	uint32_t count, capacity;
	char **items; /* items[n - 1] is name n */
	struct map index;
};

uint32_t names_add(struct names *names, struct str name);         /* finds it or takes it up */
uint32_t names_find(const struct names *names, struct str name);  /* 0 when never used */
struct str names_get(const struct names *names, uint32_t number); /* empty for 0 */
void names_done(struct names *names);
