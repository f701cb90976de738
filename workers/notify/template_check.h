/* The text of a template, looked at tag by tag before it is used: what stands where it may not is
 * told with line and column, all of it at once. The library would render an unknown name as nothing,
 * and a mail that silently lacks a word is worse than one refused at start. */
#pragma once

#include "config/complaints.h"

struct template_position {
	size_t at;             /* bytes */
	uint32_t line, column; /* from 1, in characters */
};

struct template_tag {
	struct template_position position;
	char kind; /* 0: a value; '#' '^' '/' '&' '!' '>' '=' as written; '{': {{{a value}}} */
	struct str name;
};

struct template_rules {
	/* May the name stand inside these sections, the outermost first? Else `why_not` says why. */
	bool (*may_name)(const void *context, struct str name, const struct template_tag *open,
			 uint32_t depth, struct buf *why_not);
	const void *context;
	bool is_html;   /* what is put in is escaped, but for what was rendered before */
	bool is_layout; /* has to show the mail itself */
};

/* `path` is how complaints call the file. */
void template_check(const char *path, struct str text, const struct template_rules *rules,
		    struct complaints *complaints);
