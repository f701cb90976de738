/* What a mail says: found at the moment a worker takes its task, from the state and, for the names and
 * addresses of recipients and the numbers of givers' forms, from the journal. Not stored anywhere. */
#pragma once

#include "daemon/engine.h"

/* The mail of a task; everything lies in `arena`. ERR_ERASED when the recipient's address is gone,
 * ERR_NOT_FOUND when there is no address to write to: the task cannot be done. */
enum err letter_write(struct engine *engine, uint32_t task, struct arena *arena,
		      struct mail_body *body) must_use;
