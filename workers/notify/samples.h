/* Mails as they may be, for whoever writes templates and for tests: several for each template, so that
 * singular and plural, with and without a date, all have their turn. */
#pragma once

#include "proto/message.h"

struct sample {
	const char *name; /* its template's, or that and "-" and more */
	const char *mail; /* the template's files */
	const char *body; /* record mail_body as JSON */
};

uint32_t sample_count(void);
const struct sample *sample_at(uint32_t index);
/* The body, in `arena`. */
void sample_read(const struct sample *sample, struct arena *arena, struct mail_body *body);
