/* A mail as bytes: GMime, behind one file. Everything is UTF-8 and the lines end with CRLF. The same
 * body gives the same bytes, so that a mail sent again is a copy. */
#pragma once

#include "config/config.h"
#include "workers/notify/templates.h"

void mime_init(void);

/* `calendar` is empty or the pair's invitation. */
void mime_print(const struct mail_body *body, const struct config *config,
		const struct mail_text *text, const struct buf *calendar, struct buf *out);
