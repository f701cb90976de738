/* Who reads what a giver is due: the giver, or whoever stands for one that left. */
#pragma once

#include "daemon/state.h"

/* Where a giver's mail goes now. */
struct route {
	enum recipient_kind to;
	uint32_t recipient; /* party number of a giver; 0: the coordinator */
	bool is_held;       /* nobody registered this giver yet, or its address refused mail */
	bool is_nowhere;    /* a household that gave no address */
};

/* The one who stands for a giver, or, where nobody was named, several. */
struct routes {
	struct route *items;
	uint32_t count, capacity;
};

/* Free `items` when done. Each reader stands there once. */
void routes_add(struct routes *routes, struct route route);
void routes_add_giver(struct routes *routes, const struct giver *giver);

/* What a giver who left was due goes to the successor, else to the others of the structure, else to the
 * coordinator. What it refers after that (`referred`) nobody of the structure waits for. */
void routes_find(const struct state *state, uint32_t party, day_t referred, struct routes *routes);

/* Posts or holds a mail, or leaves it when the route leads nowhere. */
void route_post(struct state *state, struct mail mail, const struct route *route);
