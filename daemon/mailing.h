/* Mails as tasks: who is written to, through which giver, and when not. The words are found later, at
 * the moment a worker takes the task. */
#pragma once

#include "daemon/state.h"

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

/* A giver became known, left or changed: what was held for it goes out, or to whom it should. */
void mailing_release(struct state *state, uint32_t giver);

/* A task that can be done now; a new one, ready at once. */
void task_make_ready(struct state *state, uint32_t task);
uint32_t task_create(struct state *state, struct task task);
