/* Tables in text: rows of cells, as CSV writes them. libcsv is known to this file. */
#pragma once

#include <stdio.h>

#include "base/fault.h"
#include "base/mem.h"

enum { TABLE_ROW_SIZE_MAX = 1024 * 1024 };

struct row {
	uint64_t
		number; /* the first row of the file is 1; a row may span lines; an empty line is none */
	uint32_t count;
	const struct str *cells;
};

/* False ends the reading. The row is borrowed until the call returns. */
typedef bool table_row_fn(void *context, const struct row *row);

struct table_form {
	const char *encoding;
	char delimiter;
	char quote; /* 0: no cell is quoted */
};

/* Reads the file from where it stands to its end. ERR_INVALID_EVENT when a quote is out of place or
 * never closed: `fault` names the row (its path is the number), and the rest is not read. ERR_IO
 * when the system refuses to read. */
enum err table_read(FILE *file, const struct table_form *form, table_row_fn *on_row, void *context,
		    struct fault *fault) must_use;
