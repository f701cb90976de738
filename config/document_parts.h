/* The two parts of a document: document.c opens it, goes through its groups and finds their lines,
 * document_value.c reads one setting into a field. libconfig is known to them only. */
#pragma once

#include <libconfig.h>

#include "config/document.h"
#include "config/numbers.h"

struct document {
	config_t tree;
	char *file;
	struct numbers numbers; /* those that libconfig misread */
	struct complaints *complaints;
};

/* Reading a group: what its settings need to know. */
struct filling {
	struct document *document;
	const struct options *family;
	struct arena *arena;
};

/* --- document.c --- */

/* `object` is cleared first, and set whatever is wrong within. */
void document_fill_group(const struct filling *filling, const config_setting_t *group,
			 const struct options *options, void *object);

uint32_t document_line_of(const config_setting_t *setting);
/* `name`: of an option within the group `setting`, or NULL. */
void document_complain_at(const struct filling *filling, const config_setting_t *setting,
			  const char *name, struct str sentence);

/* --- document_value.c --- */

/* Into the option's field of `object`, or complains and leaves it absent. */
void document_read_value(const struct filling *filling, const config_setting_t *setting,
			 const struct option *option, const struct field *field, void *object);
