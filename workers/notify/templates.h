/* The mails' texts, as a department may change them: one folder, three files a mail (NAME.subject,
 * NAME.txt, NAME.html), layout.txt and layout.html around every one of them, and news.txt and news.html,
 * which the digests of givers' mails share. All are read and checked at start, so that no mistake waits
 * for the day a mail is due. */
#pragma once

#include "config/complaints.h"
#include "workers/notify/view.h"

/* ROW(name, who reads it). The mails of the pair and of the coordinator say more than a giver's, so they
 * have their own files. */
#define TEMPLATE_TABLE(ROW)                                                                        \
	ROW(ack, ALL)                                                                              \
	ROW(deferred, ALL)                                                                         \
	ROW(visit_confirmed, ALL)                                                                  \
	ROW(visit_confirmed_pair, PAIR)                                                            \
	ROW(visit_changed, ALL)                                                                    \
	ROW(visit_changed_pair, PAIR)                                                              \
	ROW(outcome, ALL)                                                                          \
	ROW(sector_announced, ALL)                                                                 \
	ROW(sector_opened, ALL)                                                                    \
	ROW(sector_closing, ALL)                                                                   \
	ROW(sector_closed, ALL)                                                                    \
	ROW(outreach_suspended, ALL)                                                               \
	ROW(outreach_resumed, ALL)                                                                 \
	ROW(quiet, ALL)                                                                            \
	ROW(week_agenda, PAIR)                                                                     \
	ROW(coordinator_cut, COORDINATOR)                                                          \
	ROW(coordinator_water, COORDINATOR)                                                        \
	ROW(coordinator_import, COORDINATOR)                                                       \
	ROW(coordinator_alarms, COORDINATOR)                                                       \
	ROW(digest, ALL)                                                                           \
	ROW(digest_pair, PAIR)                                                                     \
	ROW(digest_coordinator, COORDINATOR)

struct templates;

/* All mistakes of all files at once, each "FILE:LINE:COLUMN: what is wrong"; and when all can be read,
 * each file that has no word to say in some sample. */
enum err templates_open(const char *folder, struct templates **templates,
			struct complaints *complaints) must_use;
void templates_close(struct templates **templates);

struct mail_text {
	struct buf subject, text, html; /* html and text with "\n" */
};

/* The name of the files that make this mail, or NULL when its readers have no such mail (an `ack` for a
 * pair). */
const char *templates_name(const struct mail_body *body);

/* Not from two threads at once. `service` is the name of the service that writes. NOT_FOUND when no
 * template makes this mail. */
enum err templates_render(struct templates *templates, const struct mail_body *body,
			  struct str service, struct mail_text *out) must_use;
void mail_text_done(struct mail_text *text);
