/* Mails as tasks: who is written to, through which giver, and when not. The words are found later, at
 * the moment a worker takes the task; when it goes out is the post's matter (post.h). */
#pragma once

#include "daemon/routing.h"

/* Why the state is changing: the event at work. */
struct cause {
	uint64_t seq;
	bool is_silent; /* an old fact: it changes state, and writes to nobody */
	struct effects *effects;
};

/* To the giver of one referral. */
void mailing_to_giver(struct state *state, const struct cause *cause, uint32_t template,
		      uint32_t case_number, const struct standing *referral);

/* To every giver of a case, each once; `facts` and `joined` as in struct life. With a visit number the
 * visit as it is now goes into the mail, and when `and_pair` is set its pair is written to as well. */
void mailing_to_all(struct state *state, const struct cause *cause, uint32_t template,
		    uint32_t case_number, uint32_t visit, bool and_pair);

/* To a giver (index) about the network: its own, never a successor's. The template, the sector and what
 * else it says are filled in. */
void mailing_to_member(struct state *state, const struct cause *cause, uint32_t giver,
		       struct mail mail);

/* The coordinator hears of a cut at once: an open case has become one. */
void mailing_cut(struct state *state, const struct cause *cause, uint32_t case_number);
/* The same of water that the event at work tells to be off, in whichever household. */
void mailing_water(struct state *state, const struct cause *cause);
