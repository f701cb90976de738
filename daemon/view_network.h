/* Sectors and givers as JSON, for those who ask. Names and addresses of givers are sealed; what opens
 * them says so in its name. */
#pragma once

#include "daemon/view.h"

/* One sector of the policy, by its position: open or closed, the wait to expect, its cases and givers. */
json_t *view_sector_row(const struct state *state, uint32_t position);

struct giver_filter {
	uint32_t sector; /* position plus 1; 0: any */
	uint32_t kind;
	bool is_quiet, is_unknown; /* only these */
};
bool giver_passes(const struct state *state, uint32_t giver, const struct giver_filter *filter);

/* One giver, without name and address. */
json_t *view_giver(const struct state *state, uint32_t giver);

/* The same with name, address, all that was said of it, and its cases. */
json_t *view_opened_giver(struct engine *engine, uint32_t giver);
