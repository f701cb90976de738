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

typedef bool mustache_name_fn(const void *context, struct str name);

/* Every name must be one that `knows` knows. Only the first mistake is told. */
enum err mustache_parse(struct str text, bool escape_html, mustache_name_fn *knows,
			const void *context, struct mustache **mustache,
			struct mustache_mistake *mistake) must_use;
void mustache_free(struct mustache **mustache);

struct mustache_value {
	const char *name;
	struct str text; /* size 0: false */
};

/* Not from two threads at once: the library keeps notes in the template. */
enum err mustache_render(struct mustache *mustache, const struct mustache_value *values,
			 size_t count, struct buf *out) must_use;

#ifdef __cplusplus
}
#endif
