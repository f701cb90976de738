/* The parts of a view, each from its part of a mail's body; what the body has not stays away. */
#pragma once

#include "workers/notify/view.h"

/* One case: the mail's own, or a line of a digest. */
void view_show_case(struct view *view, struct view_row *row, const struct mail_item *item,
		    bool to_pair);

/* Sectors, the reader's cases in them, and what came of the reader's referrals. */
void view_show_network(struct view *view, const struct mail_body *body);

/* The mails that a digest stands for, by what they are about. */
void view_show_digest(struct view *view, const struct mail_body *body);

/* A pair's week, day by day. */
void view_show_agenda(struct view *view, const struct mail_body *body);

/* What the coordinator has to look at, and what an import brought. */
void view_show_alarms(struct view *view, const struct mail_body *body);
