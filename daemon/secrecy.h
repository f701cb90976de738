/* Which counts of a table with totals must stay hidden, so that nobody can be made out: those under
 * SECRET_BELOW, and as many others as keep these from being worked out.
 *
 * The last row and the last column are the totals of the others. What holds afterwards:
 *   - no hidden count follows from those shown by adding and subtracting along rows and columns, but
 *     for zeros, which tell of nobody;
 *   - where the total of a row or column is shown, what is hidden in it adds up to SECRET_BELOW at
 *     least: the difference is no small count either. */
#pragma once

#include "base/base.h"

enum { SECRET_BELOW = 5 };

struct secrecy {
	const uint32_t *counts; /* rows x columns, row by row */
	bool *hidden;           /* the same; may hold true already: these stay hidden */
	uint32_t rows, columns;
};

void secrecy_hide(const struct secrecy *secrecy);
