/* The engine's turns in the loop: one runs soon after something was submitted, and when a timer is
 * due, if need be while the one before is still on its way to the disk. A turn that fails ends the process: the
 * restart reads the truth. */
#pragma once

#include "daemon/engine.h"
#include "proto/loop.h"

struct turns;

/* `journal_fd` is readable when a turn has become durable. `after` is called when a turn has run, and when
 * its answers were given; may be NULL. */
struct turns *turns_new(struct loop *loop, struct engine *engine, int journal_fd, loop_fn *after,
			void *context);
void turns_free(struct turns **turns);

/* Something was submitted: run a turn when what is readable now has been read. */
void turns_wake(struct turns *turns);

/* Waits until the state is durable: before anybody is told of it, and before a process is made of it. */
void turns_settle(struct turns *turns);

/* Runs turns until nothing is submitted any more; at the end, and between days of a rehearsal. */
void turns_flush(struct turns *turns);
