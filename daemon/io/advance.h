/* A rehearsal's calendar on its way: from timer to timer, each day's tasks done before the next. */
#pragma once

#include "daemon/io/core.h"
#include "daemon/io/rpc_server.h"

struct advance;

struct advance *advance_new(struct core *core);
void advance_free(struct advance **advance);

/* Takes the call; answered {now} when the calendar is there, or with what is wrong: no rehearsal, a
 * time that is past, another call under way. */
void advance_begin(struct advance *advance, struct rpc_call **call, const json_t *params);

/* A turn has run, or a worker has answered: goes on when nothing is left to do at this hour. */
void advance_step(struct advance *advance);
