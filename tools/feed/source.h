/* A file with its mapping: rows or lines in, events out. */
#pragma once

#include "tools/feed/convert.h"
#include "tools/feed/rejects.h"

struct counts {
	uint64_t rows, left_out, rejected, events; /* found while reading */
	uint64_t taken, duplicates, refused;       /* answered by the core */
};

/* Where an event comes from. */
struct place {
	uint32_t source;
	uint64_t row;
};

struct source {
	char *path;
	const char *name;              /* without folders */
	uint32_t number;               /* its place among the files of this run */
	const struct mapping *mapping; /* NULL: NDJSON, one CloudEvents object a line */
	const char *encoding;
	struct converter converter;
	struct rejects rejects;
	struct counts counts;
	uint64_t size, read; /* bytes, for progress */
};

/* One event in msgpack, checked; false ends the reading. `bytes` are borrowed. */
typedef bool source_event_fn(void *context, struct place place, ms_t time, struct str bytes);

/* Looks at the file's first rows: what it is, and that it has the mapping's columns. All that is
 * wrong goes to `complaints`. */
void source_open(struct source *source, const char *path, struct mapping *const *mappings,
		 uint32_t mapping_count, struct complaints *complaints);
void source_done(struct source *source);

/* Reads it all. Rows that are refused are counted and kept in source->rejects. ERR_IO when the
 * system refuses to read; ERR_CLOSED when the function said false. */
enum err source_read(struct source *source, source_event_fn *on_event, void *context) must_use;
