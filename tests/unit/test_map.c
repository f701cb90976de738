/* The table of fingerprints, against a plain list that does the same slowly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/map.h"

/* A small generator of our own: the same numbers on every machine. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static size_t count_values(const struct map *map, uint64_t key)
{
	struct map_cursor cursor = {0};
	uint32_t value;
	size_t count = 0;

	while (map_next(map, key, &cursor, &value))
		count++;
	return count;
}

static bool has_value(const struct map *map, uint64_t key, uint32_t wanted)
{
	struct map_cursor cursor = {0};
	uint32_t value;

	while (map_next(map, key, &cursor, &value))
		if (value == wanted)
			return true;
	return false;
}

/* A table that nothing was put into holds nothing. */
static void test_an_empty_map_holds_nothing(void **unused)
{
	scoped(map_done) struct map map = {0};

	(void)unused;

	assert_int_equal(count_values(&map, 0), 0);
	assert_false(map_remove(&map, 1, 1));
}

/* Keys that fall on the same slot stay apart, the key 0 being one like any other. */
static void test_colliding_keys_stay_apart(void **unused)
{
	scoped(map_done) struct map map = {0};

	(void)unused;

	for (uint64_t i = 0; i < 200; i++)
		map_put(&map, i << 32, i + 1);

	for (uint64_t i = 0; i < 200; i++) {
		assert_int_equal(count_values(&map, i << 32), 1);
		assert_true(has_value(&map, i << 32, i + 1));
	}
}

/* One key may lead to several values; each is found, and removed by itself. */
static void test_a_key_leads_to_all_its_values(void **unused)
{
	scoped(map_done) struct map map = {0};

	(void)unused;

	for (uint32_t value = 1; value <= 50; value++) {
		map_put(&map, 7, value);
		map_put(&map, 8, value + 1000);
	}
	assert_true(map_remove(&map, 7, 25));
	assert_false(map_remove(&map, 7, 25));
	assert_false(map_remove(&map, 7, 1001));

	assert_int_equal(count_values(&map, 7), 49);
	assert_false(has_value(&map, 7, 25));
	assert_int_equal(count_values(&map, 8), 50);
	assert_int_equal(map.count, 99);
}

/* A removal in a run that wraps around the end of the slots loses no other entry. */
static void test_a_removal_across_the_end_loses_nothing(void **unused)
{
	scoped(map_done) struct map map = {0};

	(void)unused;

	for (uint32_t value = 1; value <= 10; value++)
		map_put(&map, 14 + (uint64_t)(value % 3),
			value); /* 16 slots: from 14 on, wrapped */
	assert_int_equal(map.capacity, 16);
	assert_true(map_remove(&map, 14, 3));
	assert_true(map_remove(&map, 15, 1));
	assert_true(map_remove(&map, 16, 2));

	for (uint32_t value = 4; value <= 10; value++)
		assert_true(has_value(&map, 14 + (uint64_t)(value % 3), value));
}

enum { MODEL_MAX = 600 };

struct model {
	struct map_slot items[MODEL_MAX];
	size_t count;
};

static void assert_same(const struct map *map, const struct model *model)
{
	assert_int_equal(map->count, model->count);
	for (size_t i = 0; i < model->count; i++)
		assert_true(has_value(map, model->items[i].key, model->items[i].value));
}

/* Through thousands of puts and removals of few crowded keys, it holds what a list would. */
static void test_it_holds_what_a_list_would(void **unused)
{
	scoped(map_done) struct map map = {0};
	struct model model = {0};
	uint64_t seed = 20150203;

	(void)unused;

	for (uint32_t step = 1; step <= 20000; step++) {
		uint64_t random = next_random(&seed);
		bool put = model.count == 0 || (model.count < MODEL_MAX && random % 100 < 52);

		if (put) {
			struct map_slot item = {(random >> 8) % 97 * 3, step};

			map_put(&map, item.key, item.value);
			model.items[model.count++] = item;
		} else {
			size_t victim = (random >> 8) % model.count;

			assert_true(map_remove(&map, model.items[victim].key,
					       model.items[victim].value));
			model.items[victim] = model.items[--model.count];
		}
		if (step % 50 == 0)
			assert_same(&map, &model);
	}
}

/* A slot is 12 bytes: ten million entries are what the size of a machine is reckoned by. */
static void test_a_slot_is_twelve_bytes(void **unused)
{
	(void)unused;

	assert_int_equal(sizeof(struct map_slot), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_map_holds_nothing),
		cmocka_unit_test(test_colliding_keys_stay_apart),
		cmocka_unit_test(test_a_key_leads_to_all_its_values),
		cmocka_unit_test(test_a_removal_across_the_end_loses_nothing),
		cmocka_unit_test(test_it_holds_what_a_list_would),
		cmocka_unit_test(test_a_slot_is_twelve_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
