/* Lists for people: a heading, and columns as wide as what stands in them. */
#pragma once

#include <jansson.h>

#include "base/mem.h"

enum cell {
	CELL_TEXT,
	CELL_NUMBER,  /* to the right */
	CELL_URGENCY, /* a word that may be coloured */
	CELL_WORDS,   /* an array of strings */
	CELL_SAYINGS, /* reasons: "infant 31, cut" */
	CELL_STEPS,   /* of a cutoff: "notice_1 2015-01-02, truce 2015-04-01" */
	CELL_DATA,    /* any object, as key=value */
	CELL_VALUE,   /* of an option: anything */
};

struct column {
	const char *heading; /* NULL ends the columns */
	const char *key;
	enum cell cell;
};

/* `rows` is an array of objects; nothing at all is printed when it is empty. */
void table_print(const struct column *columns, const json_t *rows);

/* One value as text, cleaned for a terminal; "-" for null. Lies in `arena`. */
struct str table_cell(struct arena *arena, enum cell cell, const json_t *value);
