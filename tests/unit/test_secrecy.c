/* Which counts of a table stay hidden, and that nobody can work them out. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/secrecy.h"

enum { CELLS_MAX = 64, LINES_MAX = 16, PRIME = 1000003 };

static void hide(const uint32_t *counts, bool *hidden, uint32_t rows, uint32_t columns)
{
	struct secrecy secrecy = {counts, hidden, rows, columns};

	memset(hidden, 0, rows * columns * sizeof(*hidden));
	secrecy_hide(&secrecy);
}

static void assert_hidden(const bool *hidden, const char *expected)
{
	char found[CELLS_MAX + 1] = "";

	for (size_t i = 0; i < strlen(expected); i++)
		found[i] = hidden[i] ? 'x' : '.';
	assert_string_equal(found, expected);
}

/* Nothing small, nothing hidden. */
static void test_large_counts_are_shown(void **unused)
{
	const uint32_t counts[] = {5,  9,  14, /* */
				   7,  8,  15, /* */
				   12, 17, 29};
	bool hidden[9];

	hide(counts, hidden, 3, 3);

	assert_hidden(hidden, ".........");
}

/* One small count takes three others with it: one in its row, one in its column, and the fourth, which
 * would give the second and third away. */
static void test_a_small_count_takes_others_along(void **unused)
{
	const uint32_t counts[] = {3,  9,  20,  32,  /* */
				   7,  8,  30,  45,  /* */
				   40, 50, 60,  150, /* */
				   50, 67, 110, 227};
	bool hidden[16];

	hide(counts, hidden, 4, 4);

	assert_hidden(hidden, "xx..xx..........");
}

/* Two small counts that add up to less than five are a small count together. */
static void test_small_counts_together_are_small(void **unused)
{
	const uint32_t counts[] = {1,  2,  20, 23, /* */
				   10, 11, 12, 33, /* */
				   11, 13, 32, 56};
	bool hidden[12];

	hide(counts, hidden, 3, 4);

	assert_true(hidden[0] && hidden[1] && hidden[2]); /* the row */
	assert_true(hidden[4] && hidden[5] && hidden[6]); /* and each column */
	assert_false(hidden[11]);
}

/* A zero is hidden like any small count, and hides nothing else: everybody may know it. */
static void test_zeros_need_no_company(void **unused)
{
	const uint32_t counts[] = {0,  20, 20, /* */
				   10, 11, 21, /* */
				   10, 31, 41};
	bool hidden[9];

	hide(counts, hidden, 3, 3);

	assert_hidden(hidden, "x........");
}

/* Nor can a zero stand for the second hidden count of a line. */
static void test_zeros_protect_nobody(void **unused)
{
	const uint32_t counts[] = {0,  3,  20, 23, /* */
				   10, 11, 12, 33, /* */
				   10, 14, 32, 56};
	bool hidden[12];

	hide(counts, hidden, 3, 4);

	assert_hidden(hidden, "xxx..xx.....");
}

/* When the whole is small, all of it is hidden. */
static void test_a_small_whole_is_hidden(void **unused)
{
	const uint32_t counts[] = {1, 2, 3, /* */
				   1, 0, 1, /* */
				   2, 2, 4};
	bool hidden[9];

	hide(counts, hidden, 3, 3);

	assert_hidden(hidden, "xxxxxxxxx");
}

/* --- an independent look: linear algebra over a prime field -------------------------------------- */

static uint64_t power(uint64_t base, uint32_t exponent)
{
	uint64_t result = 1;

	for (; exponent; exponent >>= 1, base = base * base % PRIME)
		if (exponent & 1)
			result = result * base % PRIME;
	return result;
}

struct equations {
	uint64_t at[LINES_MAX + 1][CELLS_MAX];
	uint32_t count, cells;
};

static void subtract(struct equations *equations, uint32_t from, uint32_t line, uint32_t pivot)
{
	uint64_t factor =
		equations->at[from][pivot] * power(equations->at[line][pivot], PRIME - 2) % PRIME;

	for (uint32_t i = 0; i < equations->cells; i++)
		equations->at[from][i] = (equations->at[from][i] + PRIME * (uint64_t)PRIME -
					  factor * equations->at[line][i]) %
					 PRIME;
}

static uint32_t rank_of(struct equations equations)
{
	uint32_t rank = 0;

	for (uint32_t pivot = 0; pivot < equations.cells && rank < equations.count; pivot++) {
		uint32_t line = rank;
		uint64_t copy[CELLS_MAX];

		while (line < equations.count && !equations.at[line][pivot])
			line++;
		if (line == equations.count)
			continue;
		memcpy(copy, equations.at[line], sizeof(copy));
		memcpy(equations.at[line], equations.at[rank], sizeof(copy));
		memcpy(equations.at[rank], copy, sizeof(copy));
		for (uint32_t other = rank + 1; other < equations.count; other++)
			subtract(&equations, other, rank, pivot);
		rank++;
	}
	return rank;
}

/* What somebody knows who knows the zeros too: each line's parts less its total. */
static struct equations know(const uint32_t *counts, const bool *hidden, uint32_t rows,
			     uint32_t columns)
{
	struct equations equations = {.count = rows + columns, .cells = rows * columns};

	for (uint32_t cell = 0; cell < rows * columns; cell++) {
		uint32_t row = cell / columns, column = cell % columns;

		if (!hidden[cell] || !counts[cell])
			continue;
		equations.at[row][cell] = column == columns - 1 ? PRIME - 1 : 1;
		equations.at[rows + column][cell] = row == rows - 1 ? PRIME - 1 : 1;
	}
	return equations;
}

static void assert_unknown(const uint32_t *counts, const bool *hidden, uint32_t rows,
			   uint32_t columns)
{
	struct equations equations = know(counts, hidden, rows, columns);
	uint32_t rank = rank_of(equations);

	for (uint32_t cell = 0; cell < rows * columns; cell++) {
		struct equations guess = equations;

		if (!hidden[cell] || !counts[cell])
			continue;
		guess.at[guess.count++][cell] = 1;
		assert_true(rank_of(guess) > rank); /* else it follows from what is known */
	}
}

static uint32_t next_random(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

/* Small and large counts at random, totals as they are. */
static void fill(uint32_t *counts, uint32_t rows, uint32_t columns, uint32_t *seed)
{
	memset(counts, 0, rows * columns * sizeof(*counts));
	for (uint32_t row = 0; row + 1 < rows; row++)
		for (uint32_t column = 0; column + 1 < columns; column++) {
			uint32_t most = next_random(seed, 3) ? 30 : 6;
			uint32_t count = next_random(seed, most);

			counts[row * columns + column] = count;
			counts[row * columns + columns - 1] += count;
			counts[(rows - 1) * columns + column] += count;
			counts[rows * columns - 1] += count;
		}
}

static void assert_lines_hold(const uint32_t *counts, const bool *hidden, uint32_t rows,
			      uint32_t columns)
{
	for (uint32_t row = 0; row < rows; row++) {
		uint32_t sum = 0;

		for (uint32_t column = 0; column + 1 < columns; column++)
			sum += hidden[row * columns + column] ? counts[row * columns + column] : 0;
		assert_true(hidden[row * columns + columns - 1] || !sum || sum >= SECRET_BELOW);
	}
}

/* Of two thousand tables no hidden count can be worked out, and no large table is hidden whole. */
static void test_nothing_can_be_worked_out(void **unused)
{
	uint32_t seed = 1, shown = 0;

	for (uint32_t turn = 0; turn < 2000; turn++) {
		uint32_t rows = 2 + next_random(&seed, 5), columns = 2 + next_random(&seed, 7);
		uint32_t counts[CELLS_MAX];
		bool hidden[CELLS_MAX];

		fill(counts, rows, columns, &seed);
		hide(counts, hidden, rows, columns);

		assert_unknown(counts, hidden, rows, columns);
		assert_lines_hold(counts, hidden, rows, columns);
		for (uint32_t cell = 0; cell < rows * columns; cell++) {
			assert_true(hidden[cell] || counts[cell] >= SECRET_BELOW);
			shown += !hidden[cell];
		}
	}
	assert_true(shown > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_counts_are_shown),
		cmocka_unit_test(test_a_small_count_takes_others_along),
		cmocka_unit_test(test_small_counts_together_are_small),
		cmocka_unit_test(test_zeros_need_no_company),
		cmocka_unit_test(test_zeros_protect_nobody),
		cmocka_unit_test(test_a_small_whole_is_hidden),
		cmocka_unit_test(test_nothing_can_be_worked_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
