/* The post: when a mail goes out. Quiet hours and free days of the policy, at most so many a day to one
 * recipient, and digests: of what is too much for a day, and for givers who want to be written to once a
 * day or a week. A digest that holds one mail only is that mail. */
#pragma once

#include "daemon/state.h"

/* The mail by which the event at work says something by that template to that reader already; 0: none. */
uint32_t post_find_twin(const struct state *state, const struct mail *mail);

/* A mail to a recipient, as soon as it may go. Two of one event, template and reader are one digest. */
void post_mail(struct state *state, struct mail mail);
/* The same without waiting or counting: a cut. */
void post_at_once(struct state *state, struct mail mail);
/* A mail that has to wait until its recipient has an address; it expires after MAIL_HELD_DAYS. */
void post_hold(struct state *state, struct mail mail);

/* A held mail (a task) that may go out now; one that is ready, retrying or buried and has to be held. */
void post_release(struct state *state, uint32_t task);
void post_take_back(struct state *state, uint32_t task);

/* The time of a scheduled mail has come. */
void post_due(struct state *state, uint32_t task);

/* Adds a part to a mail; takes one out of a digest. */
void mail_add_part(struct state *state, struct mail *mail, struct mail part);
void mail_remove_part(struct state *state, uint32_t digest, uint32_t part);
