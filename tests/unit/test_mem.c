/* Arenas, buffers, growing arrays; texts, codes and refusals beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"

/* Every piece of an arena is zeroed, aligned and apart from the others, also after a reset. */
static void test_pieces_of_an_arena_are_zeroed_and_apart(void **unused)
{
	enum { COUNT = 2000 };
	static unsigned char *pieces[COUNT];
	scoped(arena_done) struct arena arena = {0};

	(void)unused;

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT; i++) {
			size_t size = i % 333;

			pieces[i] = arena_new(&arena, size);
			assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
			for (size_t k = 0; k < size; k++)
				assert_int_equal(pieces[i][k], 0);
			memset(pieces[i], i & 0xff, size);
		}
		for (size_t i = 0; i < COUNT; i++)
			for (size_t k = 0; k < i % 333; k++)
				assert_int_equal(pieces[i][k], i & 0xff);
		arena_reset(&arena);
	}
}

/* A piece larger than any block is given too, and a reset keeps one block for reuse. */
static void test_a_reset_arena_reuses_its_block(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	void *first;

	(void)unused;

	arena_reset(&arena);
	first = arena_new(&arena, 10 * 1024 * 1024);
	arena_reset(&arena);

	assert_ptr_equal(arena_new(&arena, 100), first);
}

/* A copy in an arena outlives its source; an empty one that is there stays there. */
static void test_an_arena_copies_text(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	char text[] = "Lons-le-Saunier";
	struct str copy = arena_copy(&arena, str_from(text));

	(void)unused;

	memset(text, 'x', sizeof(text));

	assert_true(str_is(copy, "Lons-le-Saunier"));
	assert_null(arena_copy(&arena, (struct str){0}).data);
	assert_non_null(arena_copy(&arena, STR("")).data);
	assert_int_equal(arena_copy(&arena, STR("")).size, 0);
}

/* A buffer holds what was added, in order, however it grew. */
static void test_a_buffer_holds_what_was_added(void **unused)
{
	scoped(buf_done) struct buf buf = {0};
	scoped(mem_free) char *copy = NULL;

	(void)unused;

	for (int i = 0; i < 1000; i++)
		buf_printf(&buf, "%d,", i % 10);
	buf_add(&buf, "ab", 2);
	buf_add_str(&buf, STR("cd"));
	buf_add_str(&buf, (struct str){0});
	memcpy(buf_room(&buf, 2), "ef", 2);

	assert_int_equal(buf.size, 2006);
	assert_memory_equal(buf.data, "0,1,2,3,4,5,6,7,8,9,0,", 22);
	assert_memory_equal(buf.data + 2000, "abcdef", 6);
	copy = mem_copy(buf_str(&buf));
	assert_int_equal(strlen(copy), 2006);
}

/* A formatted text of any length goes in whole, without its terminator. */
static void test_a_formatted_text_goes_in_whole(void **unused)
{
	scoped(buf_done) struct buf buf = {0};

	(void)unused;

	for (int width = 1; width < 600; width++) {
		buf_reset(&buf);
		buf_printf(&buf, "%*d", width, 7);
		buf_add_str(&buf, STR("!"));
		assert_int_equal(buf.size, width + 1);
		assert_int_equal(buf.data[width - 1], '7');
		assert_int_equal(buf.data[width], '!');
	}
}

/* A buffer that was reset begins anew in the same memory. */
static void test_a_reset_buffer_begins_anew(void **unused)
{
	scoped(buf_done) struct buf buf = {0};
	char *data;

	(void)unused;

	buf_printf(&buf, "%s", "before");
	data = buf.data;
	buf_reset(&buf);
	buf_printf(&buf, "%s", "");
	assert_int_equal(buf.size, 0);
	buf_add_str(&buf, STR("new"));

	assert_ptr_equal(buf.data, data);
	assert_true(str_is(buf_str(&buf), "new"));
}

/* An array made room for item by item keeps them all. */
static void test_a_growing_array_keeps_its_items(void **unused)
{
	scoped(mem_free) uint64_t *items = NULL;
	uint32_t count = 0, capacity = 0;

	(void)unused;

	for (uint64_t i = 0; i < 1000; i++) {
		MEM_ROOM(items, count, capacity);
		items[count++] = i;
	}

	assert_int_equal(capacity, 1024);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
}

/* Texts compare bytewise, the shorter first when one begins the other. */
static void test_texts_compare_bytewise(void **unused)
{
	(void)unused;

	assert_true(str_compare(STR("a"), STR("b")) < 0);
	assert_true(str_compare(STR("b"), STR("a")) > 0);
	assert_true(str_compare(STR("a"), STR("ab")) < 0);
	assert_true(str_compare(STR("z"), STR("\xc3\xa9")) < 0);
	assert_int_equal(str_compare(STR("ab"), STR("ab")), 0);
	assert_int_equal(str_compare((struct str){0}, STR("")), 0);
	assert_true(str_compare((struct str){0}, STR("a")) < 0);
}

/* Every code is found again by its name, and by nothing else. */
static void test_codes_are_found_by_name(void **unused)
{
	(void)unused;

	for (enum err err = 0; err < ERR_COUNT; err++)
		assert_int_equal(err_from_name(err_name(err), strlen(err_name(err))), err);
	assert_int_equal(err_from_name("bus", 3), ERR_COUNT);
	assert_int_equal(err_from_name("busyx", 4), ERR_BUSY);
	assert_string_equal(err_name(ERR_STALE_LEASE), "stale_lease");
	assert_non_null(strstr(err_meaning(ERR_BUSY), "retry_after_ms"));
}

/* A refusal too long is cut, and never in the middle of a character. */
static void test_a_refusal_is_cut_between_characters(void **unused)
{
	char many[FAULT_TEXT_MAX * 2 + 1];
	struct fault fault = {.retry_after_ms = 9};

	(void)unused;

	for (size_t i = 0; i < sizeof(many) - 1; i += 2)
		memcpy(many + i, "\xc3\xa9", 2);
	many[sizeof(many) - 1] = '\0';
	assert_int_equal(fault_set(&fault, ERR_BUSY, many, "%s", many), ERR_BUSY);

	assert_int_equal(fault.code, ERR_BUSY);
	assert_int_equal(fault.retry_after_ms, 0);
	assert_int_equal(strlen(fault.text), FAULT_TEXT_MAX - 2);
	assert_int_equal(strlen(fault.path), FAULT_PATH_MAX - 2);
	assert_int_equal(fault_set(NULL, ERR_IO, "", "%s", ""), ERR_IO);
	assert_int_equal(fault_set(&fault, ERR_IO, "time", "%d", 5), ERR_IO);
	assert_string_equal(fault.path, "time");
	assert_string_equal(fault.text, "5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_of_an_arena_are_zeroed_and_apart),
		cmocka_unit_test(test_a_reset_arena_reuses_its_block),
		cmocka_unit_test(test_an_arena_copies_text),
		cmocka_unit_test(test_a_buffer_holds_what_was_added),
		cmocka_unit_test(test_a_formatted_text_goes_in_whole),
		cmocka_unit_test(test_a_reset_buffer_begins_anew),
		cmocka_unit_test(test_a_growing_array_keeps_its_items),
		cmocka_unit_test(test_texts_compare_bytewise),
		cmocka_unit_test(test_codes_are_found_by_name),
		cmocka_unit_test(test_a_refusal_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
