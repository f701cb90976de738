#include "daemon/state/effect.h"

#include <stdlib.h>

#include "base/mem.h"

void effects_add(struct effects *effects, enum effect_kind kind, uint32_t number)
{
	MEM_ROOM(effects->items, effects->count, effects->capacity);
	effects->items[effects->count++] = (struct effect){kind, number};
}

void effects_done(struct effects *effects)
{
	free(effects->items);
	*effects = (struct effects){0};
}
