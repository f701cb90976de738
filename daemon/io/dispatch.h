/* Workers: who is there, what each can do, tasks out, results in. A lease follows its worker's life: it
 * ends when the worker goes or falls silent, not when time passes. After a restart of the core, leases
 * that no worker presents within LEASE_PRESENT_MS are lost. Protocol: proto/PROTOCOL.md. */
#pragma once

#include <jansson.h>

#include "daemon/io/core.h"

struct dispatch;

enum err dispatch_open(struct core *core, struct dispatch **dispatch) must_use;
void dispatch_close(struct dispatch **dispatch);

/* A turn has run: hands out what is ready and workers have room for. */
void dispatch_wake(struct dispatch *dispatch);

/* [{name, version, kinds, slots, busy, uid}] */
json_t *dispatch_view(const struct dispatch *dispatch);
