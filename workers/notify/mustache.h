/* Mustache, behind one file: text with {{names}}, sections {{#name}} … {{/name}} and {{^name}} …
 * {{/name}}. What a template may hold of it is checked before (template_check.h). */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mustache;

enum err mustache_parse(struct str text, bool escape_html, struct mustache **mustache) must_use;
void mustache_free(struct mustache **mustache);

struct mustache_row;

/* A text, or a list of rows: a section that stands once for each. */
struct mustache_value {
	const char *name;
	struct str text; /* size 0: false */
	bool is_list;
	const struct mustache_row *rows;
	uint32_t row_count;
};

struct mustache_row {
	const struct mustache_value *values;
	uint32_t count;
};

/* Not from two threads at once: the library keeps notes in the template. */
enum err mustache_render(struct mustache *mustache, const struct mustache_row *row,
			 struct buf *out) must_use;

#ifdef __cplusplus
}
#endif
