#include "tools/sim/dice.h"

/* SplitMix64: a counter, well stirred. */
static uint64_t stir(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

struct dice dice_of(uint64_t seed, uint64_t stream)
{
	return (struct dice){stir(stir(seed + 0x9e3779b97f4a7c15u) ^ stream)};
}

uint64_t dice_next(struct dice *dice)
{
	dice->state += 0x9e3779b97f4a7c15u;
	return stir(dice->state);
}

/* What does not divide evenly is thrown again. */
uint32_t dice_below(struct dice *dice, uint32_t below)
{
	uint64_t even = UINT64_MAX - UINT64_MAX % below, thrown;

	assert(below);
	do {
		thrown = dice_next(dice);
	} while (thrown >= even);
	return (uint32_t)(thrown % below);
}

bool dice_permille(struct dice *dice, uint64_t chance)
{
	return dice_below(dice, 1000) < chance;
}
