/* What a person may set, as tables: for each option how it is written, its default, unit and help.
 * Type, range and words are those of the record's field it is read into (proto/record.h). From one
 * table come the reading and its complaints (document.h) and the annotated sample file. */
#pragma once

#include "proto/record.h"

enum option_form {
	AS_FIELD,     /* what the field's type says */
	AS_PATH,      /* text: a file or folder; a relative one begins at the file's own folder */
	AS_SOCKET,    /* the same, short enough for a socket's address */
	AS_SIZE,      /* uint: bytes, as a number or as "8 GiB" */
	AS_MONTH_DAY, /* uint, month*100+day: "11-01" */
	AS_STRINGS,   /* list of records whose first field is a text: an array of strings */
	AS_ELSEWHERE, /* a group known here, but read by a document_fill() of its own */
	IS_SECTION,   /* no option: a title in the sample file */
};

enum { SOCKET_PATH_MAX = 107 };

struct option {
	const char *name;
	enum option_form form;
	/* As it is written in the file. The default; of an optional field only an example, since
	 * there absent means absent; NULL: it must be given. */
	const char *initial;
	const char *unit; /* "" when the range says it all */
	const char *help;
	const struct record *record; /* AS_ELSEWHERE: what the group is read into */
};

struct options {
	const struct record *record;
	const struct option *rows;
	uint32_t count;
};

/* All tables of a file: those of nested records are found by their record. Ends with a NULL record. */
const struct options *options_of(const struct options *family, const struct record *record);
const struct field *options_field(const struct options *options, const struct option *option);
const struct option *options_find(const struct options *options, const char *name);

/* "a whole number from 0 to 365 (days)": what would be right, without its full stop. */
void option_expects(const struct option *option, const struct field *field, struct buf *out);

/* Every option under a comment that tells all of it: the file as it would be with nothing set. */
void options_print_sample(const struct options *family, const struct record *record,
			  struct buf *out);
