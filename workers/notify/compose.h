/* One mail from its body: the texts, the calendar where there is one, and the whole as bytes. */
#pragma once

#include "config/config.h"
#include "workers/notify/templates.h"

struct composed {
	struct mail_text text;
	struct buf calendar; /* empty: none */
	struct buf message;
};

/* Before the first mail. */
void compose_init(void);

/* Not from two threads at once: templates, GMime and libical keep notes. NOT_FOUND when no template
 * makes this mail. */
enum err compose_mail(struct templates *templates, const struct config *config,
		      const struct mail_body *body, struct composed *composed) must_use;
void composed_done(struct composed *composed);
