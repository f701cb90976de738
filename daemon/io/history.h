/* "Why then?": a question answered as it would have been at the end of a past day. A child replays the
 * journal up to that moment, from a snapshot that is old enough or from the first event, and answers
 * from that state. */
#pragma once

#include "daemon/io/questions.h"

/* Takes the call. `question` has a parameter `on`. */
void history_ask(struct jobs *jobs, struct rpc_call **call, const struct question_row *row,
		 struct question *question);
