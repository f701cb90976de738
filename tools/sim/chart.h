/* The wait through the years as a picture: SVG, written by hand, in French: the department looks at it. */
#pragma once

#include "tools/sim/tally.h"

struct chart {
	const char *title;
	const char *const *names; /* of the lines */
	const struct tally *tallies;
	uint32_t count;
	uint64_t seeds;
};

void chart_write(const struct chart *chart, struct buf *out);
