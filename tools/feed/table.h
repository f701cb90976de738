/* Tables in text: rows of cells, as CSV writes them. libcsv is known to this file.
 *
 * A quote out of place costs its own row only: reading goes on with the next line. A quote that is
 * still open at a line's end is taken for a cell of several lines when it is closed as CSV wants it
 * and the row then has its number of columns. Else its row ends with its line, and the next line is
 * a row of its own: when the quote is never closed, when it is closed out of place, or when the row
 * has another number of columns while the next line, read alone, has the right one. */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"

enum { TABLE_ROW_SIZE_MAX = 1024 * 1024 };

struct row {
	uint64_t
		number; /* the first row of the file is 1; a row may span lines; an empty line is none */
	uint32_t count;
	const struct str *cells;
	const char *wrong; /* NULL, or why it has no cells: a sentence that lives for ever */
};

/* False ends the reading. The row is borrowed until the call returns. */
typedef bool table_row_fn(void *context, const struct row *row);

struct table_form {
	const char *encoding;
	char delimiter;
	char quote;            /* 0: no cell is quoted */
	uint64_t title_count;  /* rows before the table, of any number of columns */
	uint32_t column_count; /* of the rows after them; 0: not known */
};

/* Reads the file from where it stands to its end. ERR_IO when the system refuses to read. */
enum err table_read(FILE *file, const struct table_form *form, table_row_fn *on_row,
		    void *context) must_use;
