/* What a file's rows were refused for: written beside the file, for the person who made it. It holds
 * numbers of rows, names of columns and reasons; nothing of what the rows say. */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"

struct reject {
	uint64_t row;
	uint32_t order; /* among those of one row */
	char *column, *reason;
};

struct rejects {
	struct reject *item;
	uint32_t count, capacity;
};

void rejects_add(struct rejects *rejects, uint64_t row, struct str column, struct str reason);
void rejects_sort(struct rejects *rejects); /* by row */
void rejects_done(struct rejects *rejects);

/* Whether a file can be written at `path`, which is left as it is. */
enum err rejects_try(const char *path) must_use;

/* CSV "row,column,reason" in `path`, replaced as a whole; without rejects no file is left there. */
enum err rejects_write(struct rejects *rejects, const char *path) must_use;

/* One line of CSV; a text is quoted when it must be. */
void rejects_print_text(FILE *out, const char *text, char after);
