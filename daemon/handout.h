/* What a worker is told when it takes a task: found at that moment, from the state and, for the
 * recipient's name and address, from the journal. Not stored anywhere. */
#pragma once

#include "daemon/engine.h"

/* The plan to be made now: every working half-day of the weeks ahead, the visits that stay where they
 * are, the cases to be visited in the order of the list. Everything lies in `arena`. */
void handout_plan(const struct state *state, struct arena *arena, struct plan_request *request);

/* The mail of a task. ERR_ERASED when the recipient's address is gone, ERR_NOT_FOUND when there is no
 * address to write to: the task cannot be done. */
enum err handout_mail(struct engine *engine, uint32_t task, struct arena *arena,
		      struct mail_body *mail) must_use;
