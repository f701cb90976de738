/* Orders that are events: what the coordinator and the operator may do, as a table from method to
 * event type. The parameters become the event's data, and are checked as any event is. */
#pragma once

#include <jansson.h>

#include "daemon/io/core.h"
#include "daemon/io/rpc_server.h"

/* False when no act has that name. Otherwise the call is taken, and answered {seq} when the event is
 * durable, or with what is wrong. */
bool act_begin(struct core *core, struct rpc_call **call, const char *method, const json_t *params);
