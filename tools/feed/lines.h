/* A file's text, line by line, some of it more than once. */
#pragma once

#include <stdio.h>

#include "base/mem.h"
#include "tools/feed/encoding.h"

struct lines {
	FILE *file;
	struct decoder *decoder;
	struct buf text; /* decoded, and not let go of yet */
	size_t start;    /* of what is not let go of, in `text` */
	bool is_whole;   /* `text` reaches to the file's end */
};

void lines_open(struct lines *lines, FILE *file, const char *encoding);
void lines_done(struct lines *lines);

/* The line that begins `offset` bytes after what was let go of; false when none does. It holds its
 * line end (LF, CR LF or CR), but for the file's last line. It is borrowed until the next call. */
bool lines_read(struct lines *lines, size_t offset, struct str *line) must_use;

/* Lets go of so many bytes: offsets count from there. */
void lines_pass(struct lines *lines, size_t size);
