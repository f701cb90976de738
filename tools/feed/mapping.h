/* A mapping: what a person wrote about a department's files, so that their rows become events. The
 * language is libconfig's; docs/feed.md tells it. Reading one checks everything that can be known
 * without a file: names of fields, words, forms of dates, what is required. */
#pragma once

#include "config/policy_file.h"
#include "proto/message.h"

enum {
	DATE_FORMS_MAX = 8,
	EVENTS_OF_ROW_MAX = 16,
	DEPTH_OF_FIELD_MAX = 2, /* data.person.phone */
};

struct strings {
	struct str *item;
	uint32_t count;
};

/* A column that the mapping speaks of. Cells tell columns by their place in mapping->columns. */
struct column {
	struct str name;   /* as the person wrote it */
	struct str folded; /* as it is compared with a file's header */
	int line;          /* where it is first named */
};

struct columns {
	uint32_t *item;
	uint32_t count;
};

struct word_row {
	struct str word; /* folded */
	struct strings values;
	int line;
};

/* What a department's words mean: each word gives none, one or several of our values. */
struct word_table {
	const char *name;
	struct word_row *rows;
	uint32_t count;
};

struct date_forms {
	struct str form[DATE_FORMS_MAX];
	uint32_t count;
};

/* Where one value comes from. */
struct cell {
	const struct field *field; /* NULL: the event's own time */
	const struct field *outer; /* the record that holds the field: person; NULL: data itself */
	struct str path;           /* as faults name it: "data.person.name" */
	int line;

	struct columns columns;
	bool is_first;   /* the first column that is not empty, instead of all of them joined */
	struct str join; /* between the texts of several columns */
	struct strings fixed; /* the values, when no column gives them */
	bool is_fixed;

	const struct word_table *words; /* NULL: the cell holds our own values */
	struct str split;               /* any of these bytes parts two values; empty: one value */
	struct strings blank;           /* folded: what is written where nothing is known */
	struct date_forms dates;
	bool is_money;
};

struct condition {
	struct columns column; /* one */
	bool is_not;
	struct strings words; /* folded */
};

struct conditions {
	struct condition *item;
	uint32_t count;
};

struct subject_choice {
	struct columns column; /* one */
	struct str source;     /* whose number it is */
};

struct event_map {
	enum event_kind kind;
	const struct event_info *info;
	int line;
	struct conditions when; /* all must hold */
	struct str source;
	struct subject_choice *subjects; /* the first that is not empty names the household */
	uint32_t subject_count;
	struct cell time;
	struct cell *cells; /* in the order they were written */
	uint32_t cell_count;
};

struct mapping {
	char *path;
	struct strings files; /* patterns of file names; none: any */
	const char *encoding; /* "auto", or a name iconv knows */
	char delimiter, quote;
	uint32_t header_row; /* rows before it are titles; 0: `header` names the columns */
	struct strings header;
	struct columns key;          /* what tells a row from the others, for the events' ids */
	struct conditions leave_out; /* any of them leaves the row out */
	struct word_table *words;
	uint32_t words_count;
	struct event_map *events;
	uint32_t event_count;

	struct column *columns;
	uint32_t column_count, columns_capacity;
	struct arena arena; /* all of the above but `columns` */
};

/* NULL when there was any mistake: all of them are in `complaints`, "FILE:LINE: what is wrong". */
struct mapping *mapping_read(const char *path, struct complaints *complaints) must_use;
void mapping_free(struct mapping **mapping);

/* Does a file of that name (without folders) belong to this mapping? */
bool mapping_takes(const struct mapping *mapping, const char *name);
