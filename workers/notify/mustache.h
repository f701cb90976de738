/* Mustache, behind one file: text with {{names}}, sections {{#name}} … {{/name}} and {{^name}} …
 * {{/name}}. Of the language, partials and other delimiters are refused: a template is one file. */
#pragma once

#include "base/err.h"
#include "base/mem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mustache;

struct mustache_mistake {
	uint32_t line; /* from 1 */
	char text[160];
};

/* `sigil` is '#', '^' or '/' where a section begins and ends, else another or '\0'. Tags come in the order
 * of the text. */
typedef bool mustache_name_fn(void *context, char sigil, struct str name);

/* Every name must be one that `knows` knows where it stands. Only the first mistake is told. */
enum err mustache_parse(struct str text, bool escape_html, mustache_name_fn *knows, void *context,
			struct mustache **mustache, struct mustache_mistake *mistake) must_use;
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
