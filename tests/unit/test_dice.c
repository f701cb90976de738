/* Chance that is the same on every machine. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "tools/sim/dice.h"

/* Numbers written down once: who gets others has another generator. */
static void test_a_seed_gives_its_numbers_everywhere(void **unused)
{
	static const uint64_t expected[] = {0xd2f6d0470be1a7b1u, 0xe5ea3dccf500a9afu,
					    0x57b834b23cdc9d17u, 0xeb3aa0ce549fec8cu};
	struct dice dice = dice_of(1, 2);

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_true(dice_next(&dice) == expected[i]);
}

/* Neither another seed nor another stream gives what this one gives. */
static void test_seeds_and_streams_differ(void **unused)
{
	struct dice one = dice_of(1, 2), seed = dice_of(2, 2), stream = dice_of(1, 3);
	struct dice swapped = dice_of(2, 1);
	uint64_t first = dice_next(&one);

	assert_true(first != dice_next(&seed));
	assert_true(first != dice_next(&stream));
	assert_true(first != dice_next(&swapped));
}

/* Each side of a die comes up about as often as the others. */
static void test_throws_are_even(void **unused)
{
	enum { SIDES = 7, THROWS = 70000 };
	struct dice dice = dice_of(1, 1);
	uint32_t counts[SIDES] = {0};

	for (uint32_t i = 0; i < THROWS; i++)
		counts[dice_below(&dice, SIDES)]++;
	for (uint32_t side = 0; side < SIDES; side++) {
		assert_true(counts[side] > 9700);
		assert_true(counts[side] < 10300);
	}
}

/* Never is never, always is always. */
static void test_chances_at_their_ends(void **unused)
{
	struct dice dice = dice_of(1, 1);
	uint32_t count = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		assert_false(dice_permille(&dice, 0));
		assert_true(dice_permille(&dice, 1000));
		count += dice_permille(&dice, 250);
	}
	assert_true(count > 2350);
	assert_true(count < 2650);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_seed_gives_its_numbers_everywhere),
		cmocka_unit_test(test_seeds_and_streams_differ),
		cmocka_unit_test(test_throws_are_even),
		cmocka_unit_test(test_chances_at_their_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
