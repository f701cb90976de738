/* Chance that is the same on every machine: a generator of our own, integers only. */
#pragma once

#include "base/base.h"

struct dice {
	uint64_t state;
};

/* Streams of one seed are independent of each other: each thing that is left to chance has its own, so
 * that one more throw here changes nothing there. */
struct dice dice_of(uint64_t seed, uint64_t stream);

uint64_t dice_next(struct dice *dice);
uint32_t dice_below(struct dice *dice, uint32_t below); /* 0 … below − 1; `below` from 1 on */
bool dice_permille(struct dice *dice, uint64_t chance); /* 0: never, 1000: always */
