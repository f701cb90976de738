/* The mails' texts, as a department may change them: one folder, three files a mail (NAME.subject,
 * NAME.txt, NAME.html), and layout.txt and layout.html around every one of them. All are read and
 * checked at start, so that no mistake waits for the day a mail is due. */
#pragma once

#include "workers/notify/view.h"

/* ROW(name, who reads it). The pair's mails say more than a giver's, so they have their own files. */
#define TEMPLATE_TABLE(ROW)                                                                        \
	ROW(ack, ALL)                                                                              \
	ROW(deferred, ALL)                                                                         \
	ROW(visit_confirmed, ALL)                                                                  \
	ROW(visit_confirmed_pair, PAIR)                                                            \
	ROW(visit_changed, ALL)                                                                    \
	ROW(visit_changed_pair, PAIR)                                                              \
	ROW(outcome, ALL)

struct templates;

/* All mistakes at once, each "FILE:LINE: what is wrong". */
enum err templates_open(const char *folder, struct templates **templates,
			struct buf *complaints) must_use;
void templates_close(struct templates **templates);

struct mail_text {
	struct buf subject, text, html; /* html and text with "\n" */
};

/* Not from two threads at once. NOT_FOUND when these readers have no such mail (an `ack` for a
 * pair). */
enum err templates_render(struct templates *templates, const struct mail_body *body,
			  struct mail_text *out) must_use;
void mail_text_done(struct mail_text *text);
