/* Snapshots of the state: a start reads the newest one that holds and then only the tail of the
 * journal. */
#pragma once

#include "daemon/io/core.h"

/* Fills an empty state from the newest snapshot that holds and that the journal leads to, or leaves it
 * empty. Others are passed over with a log line each, and set aside. */
void snapshots_load(struct core *core, struct state *state);

/* The same from the newest one that was taken at `until` or before; nothing else is touched. */
void snapshots_load_until(const struct core *core, ms_t until, struct state *state);

/* Starts one when enough has happened since the last, and sees to one that is being written. */
void snapshots_after_turn(struct core *core);

/* At an orderly end: the next start has nothing to replay. */
void snapshots_write_last(struct core *core);
