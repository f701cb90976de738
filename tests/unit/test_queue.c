/* Open cases in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/state/queue.h"

enum { COUNT = 500 };

/* Few tiers and days, so that many are told apart by their number only. */
static struct queue_key key_of(uint32_t number, uint32_t seed)
{
	uint32_t mixed = (number + seed) * 2654435761u;

	return (struct queue_key){
		.tier = (uint8_t)(mixed >> 30),
		.effective_date = (day_t)(mixed >> 20 & 7),
		.order_seq = (uint64_t)number * 7919 % 1009,
	};
}

static bool is_before(struct queue_key a, struct queue_key b)
{
	if (a.tier != b.tier)
		return a.tier < b.tier;
	if (a.effective_date != b.effective_date)
		return a.effective_date < b.effective_date;
	return a.order_seq < b.order_seq;
}

/* By rank, and walked from the first to the last. */
static void assert_in_order(const struct queue *queue, uint32_t count)
{
	struct queue_cursor cursor = {.depth = 0};

	assert_int_equal(queue_count(queue), count);
	for (uint32_t rank = 1; rank <= count; rank++) {
		uint32_t number = queue_at(queue, rank);

		assert_true(queue_has(queue, number));
		assert_int_equal(queue_rank(queue, number), rank);
		assert_int_equal(queue_next(queue, &cursor), number);
		if (rank > 1)
			assert_true(is_before(queue->nodes[queue_at(queue, rank - 1)].key,
					      queue->nodes[number].key));
	}
	assert_int_equal(queue_at(queue, count + 1), 0);
	assert_int_equal(queue_next(queue, &cursor), 0);
}

/* Each case has its rank and each rank its case, while cases come, move and go. */
static void test_ranks_and_cases_agree(void **unused)
{
	scoped(queue_done) struct queue queue = {0};

	(void)unused;

	for (uint32_t number = 1; number <= COUNT; number++)
		queue_put(&queue, number, key_of(number, 1));
	assert_in_order(&queue, COUNT);
	for (uint32_t number = 1; number <= COUNT; number += 2)
		queue_put(&queue, number, key_of(number, 2));
	assert_in_order(&queue, COUNT);
	for (uint32_t number = 1; number <= COUNT; number += 3)
		queue_remove(&queue, number);

	assert_in_order(&queue, COUNT - (COUNT + 2) / 3);
	assert_false(queue_has(&queue, 1));
	assert_int_equal(queue_rank(&queue, 1), 0);
}

/* The same cases make the same tree, whatever came before. */
static void test_the_shape_does_not_depend_on_history(void **unused)
{
	scoped(queue_done) struct queue straight = {0};
	scoped(queue_done) struct queue winding = {0};

	(void)unused;

	for (uint32_t number = 1; number <= COUNT; number++)
		queue_put(&straight, number, key_of(number, 1));
	for (uint32_t number = COUNT + 50; number > 0; number--)
		queue_put(&winding, number, key_of(number, number % 3));
	for (uint32_t number = 1; number <= COUNT; number++)
		queue_put(&winding, number, key_of(number, 1));
	for (uint32_t number = COUNT + 1; number <= COUNT + 50; number++)
		queue_remove(&winding, number);

	assert_int_equal(straight.root, winding.root);
	for (uint32_t number = 1; number <= COUNT; number++) {
		assert_int_equal(straight.nodes[number].left, winding.nodes[number].left);
		assert_int_equal(straight.nodes[number].right, winding.nodes[number].right);
		assert_int_equal(straight.nodes[number].size, winding.nodes[number].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranks_and_cases_agree),
		cmocka_unit_test(test_the_shape_does_not_depend_on_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
