#include "workers/schedule/spot.h"

#define DISTANCE_UNKNOWN (30 * SPOT_KILOMETRE)

static int64_t cosine_permille(int64_t microdegrees);
static int64_t square_root(int64_t square);

int64_t spot_distance(struct spot a, struct spot b)
{
	int64_t north, east;

	if (!a.is_known || !b.is_known)
		return DISTANCE_UNKNOWN;
	north = b.lat - a.lat;
	east = (b.lon - a.lon) * cosine_permille((a.lat + b.lat) / 2) / 1000;
	return square_root(north * north + east * east);
}

int64_t spot_distance_least(struct spot a, struct spot b)
{
	if (!a.is_known || !b.is_known)
		return DISTANCE_UNKNOWN;
	return a.lat < b.lat ? b.lat - a.lat : a.lat - b.lat;
}

/* Bhaskara's fraction (7th century), with x in degrees: cos x = (32400 - 4 x²) / (32400 + x²), at most
 * two thousandths off. */
static int64_t cosine_permille(int64_t microdegrees)
{
	const int64_t full = 32400 * 1000000LL;
	int64_t x = microdegrees / 1000;

	return (full - 4 * x * x) * 1000 / (full + x * x);
}

/* Newton's way, from above; rounded down. */
static int64_t square_root(int64_t square)
{
	int64_t root, next;

	if (square == 0)
		return 0;
	root = 1LL << ((64 - __builtin_clzll((uint64_t)square) + 1) / 2);
	while ((next = (root + square / root) / 2) < root)
		root = next;
	return root;
}
