/* A row of a table becomes events, by a mapping. */
#pragma once

#include "proto/hash.h"
#include "tools/feed/mapping.h"
#include "tools/feed/table.h"

enum row_fate {
	ROW_LEFT_OUT, /* by the mapping's conditions: no event, and nothing wrong */
	ROW_REFUSED,  /* no event at all: `refusal` says why */
	ROW_MAPPED,
};

struct refusal {
	struct str column; /* "" when the row as a whole is wrong */
	struct str reason; /* begins with the column */
};

/* How a mapping looks at one file. */
struct converter {
	const struct mapping *mapping;
	uint32_t *index; /* for each of the mapping's columns: where it is in a row */
	uint32_t column_count;
	struct str reissue; /* told into every id: the same row again becomes a new event */
	uint8_t id_key[HASH_KEY_SIZE];
};

/* The key of ids where nobody set another: it makes them the same everywhere. */
void converter_set_default_key(struct converter *converter);

/* Finds the mapping's columns in a header; each that is missing, or there twice, is a complaint. */
void converter_bind(struct converter *converter, const struct row *header, const char *path,
		    struct complaints *complaints);
void converter_done(struct converter *converter);

struct row_events {
	struct event item[EVENTS_OF_ROW_MAX];
	uint32_t count;
};

/* Texts of events and refusals lie in `arena`, or are borrowed from the mapping. */
enum row_fate convert_row(const struct converter *converter, const struct row *row,
			  struct arena *arena, struct row_events *events,
			  struct refusal *refusal) must_use;
