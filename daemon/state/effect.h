/* What the world is asked to do once a turn is durable. */
#pragma once

#include "daemon/state/task.h"

enum effect_kind {
	EFFECT_ERASE = 1, /* destroy the key of a party */
};

struct effect {
	enum effect_kind kind;
	uint32_t number; /* of the party */
};

struct effects {
	struct effect *items;
	uint32_t count, capacity;
};

void effects_add(struct effects *effects, enum effect_kind kind, uint32_t number);
void effects_done(struct effects *effects);
