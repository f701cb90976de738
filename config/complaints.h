/* What is wrong with a file that a person wrote: all of it at once, one line a mistake,
 * "FILE:LINE: path: what is wrong; what would be right". */
#pragma once

#include "base/mem.h"

struct complaints {
	struct buf text; /* one line a mistake */
	uint32_t count;
};

/* Line 0: of the file as a whole. `path` names the option or column, "" when there is none. */
void complain(struct complaints *complaints, const char *file, uint32_t line, const char *path,
	      const char *format, ...) printf_like(5, 6);

/* "FILE:LINE:COLUMN: what is wrong", of a text that has no options. */
void complain_place(struct complaints *complaints, const char *file, uint32_t line, uint32_t column,
		    const char *format, ...) printf_like(5, 6);

/* What was found in the file, in quotes and cut where long; only described when it is no clean text:
 * complaints are shown on terminals and sent as JSON. */
void complain_quote(struct str found, struct buf *out);

/* Would proto/ take this text for the field: its size, UTF-8, control characters, address? */
struct field;
bool text_is_good(const struct field *field, struct str text);
