/* What is to be done, earliest first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"

/* An empty heap has no first item. */
static void test_an_empty_heap_has_no_first(void **unused)
{
	scoped(heap_done) struct heap heap = {0};

	(void)unused;

	assert_null(heap_first(&heap));
}

/* Items come out by time, then kind, then id, times before 1970 too. */
static void test_items_come_out_in_order(void **unused)
{
	static const struct heap_item pushed[] = {
		{5, 2, 1},         {5, 1, 9}, {-3, 7, 7}, {5, 1, 2},
		{INT64_MAX, 0, 0}, {0, 0, 0}, {5, 2, 0},
	};
	static const int order[] = {2, 5, 3, 1, 6, 0, 4};
	scoped(heap_done) struct heap heap = {0};

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(pushed); i++)
		heap_push(&heap, pushed[i]);

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct heap_item expected = pushed[order[i]];
		struct heap_item first = *heap_first(&heap);
		struct heap_item item = heap_pop(&heap);

		assert_memory_equal(&first, &item, sizeof(item));
		assert_memory_equal(&expected, &item, sizeof(item));
	}
	assert_null(heap_first(&heap));
}

/* The order out never depends on the order in: pushes and pops mixed, forwards and backwards. */
static void test_the_order_does_not_depend_on_the_filling(void **unused)
{
	enum { COUNT = 1000 };
	scoped(heap_done) struct heap up = {0};
	scoped(heap_done) struct heap mixed = {0};

	(void)unused;

	for (uint32_t i = 0; i < COUNT; i++)
		heap_push(&up, (struct heap_item){i * 7919 % 101, i % 3, i});
	for (uint32_t i = COUNT; i-- > 0;) {
		heap_push(&mixed, (struct heap_item){i * 7919 % 101, i % 3, i});
		heap_push(&mixed, (struct heap_item){-1, 0, i});
		assert_int_equal(heap_pop(&mixed).at_ms, -1);
	}

	for (uint32_t i = 0; i < COUNT; i++) {
		struct heap_item a = heap_pop(&up), b = heap_pop(&mixed);

		assert_memory_equal(&a, &b, sizeof(a));
	}
	assert_int_equal(mixed.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_heap_has_no_first),
		cmocka_unit_test(test_items_come_out_in_order),
		cmocka_unit_test(test_the_order_does_not_depend_on_the_filling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
