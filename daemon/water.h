/* Water that was cut or limited, which is unlawful: where it is so, as far as anybody said, and what a
 * coordinator finds the household by. */
#pragma once

#include "daemon/standing.h"

struct water_off {
	uint32_t household;   /* party number */
	uint32_t case_number; /* of its open case, or 0 */
	uint32_t supplier;    /* name number */
	day_t on;
	bool is_limited; /* else cut */
	insee_t insee;   /* where it lives, 0: unknown */
};

/* Does this fact (index) say that water is off, and has nothing said otherwise since? Never of an erased
 * household, nor of an old fact. */
bool water_is_off(const struct state *state, uint32_t fact);

/* Of a fact that says so. */
struct water_off water_describe(const struct state *state, uint32_t fact);
