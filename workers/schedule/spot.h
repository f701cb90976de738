/* Places on the map, and how far apart they are, in integers. */
#pragma once

#include "base/base.h"

struct spot {
	bool is_known;
	int64_t lat, lon; /* microdegrees */
};

/* Lengths are in microdegrees of latitude, 11 cm each. */
#define SPOT_KILOMETRE 8993LL

/* As the crow flies, over ground taken as flat: within a department of France less than five
 * thousandths off. A spot that nobody knows is 30 km from any other: somewhere in the department. */
int64_t spot_distance(struct spot a, struct spot b);
/* Surely no more than that, and cheap: only how far apart they lie from south to north. */
int64_t spot_distance_least(struct spot a, struct spot b);
