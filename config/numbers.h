/* Numbers in libconfig's syntax that libconfig would misread without a word: it wraps what does not
 * fit (3000000000 becomes -1294967296, 4294967301 becomes 5) and reads 010 as it likes. They are
 * looked for in the text itself. */
#pragma once

#include "base/mem.h"

enum { NUMBER_NAME_MAX = 64, NUMBER_TEXT_MAX = 32 };

struct number {
	uint32_t name_line, line; /* of the setting's name, and of the number */
	char name[NUMBER_NAME_MAX];
	char text[NUMBER_TEXT_MAX]; /* as it stands there, perhaps cut */
	const char *wrong;          /* what is wrong; what would be right */
};

struct numbers {
	struct number *items;
	uint32_t count, capacity;
	uint32_t include_line; /* of the first @include, 0 when there is none */
};

void numbers_find(struct str text, struct numbers *numbers);
/* The bad number that the setting `name` holds, if its line is this one; else NULL. */
const struct number *numbers_at(const struct numbers *numbers, const char *name, uint32_t line);
void numbers_done(struct numbers *numbers);
