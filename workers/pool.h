/* A few threads for what may block. Work is put in from the loop's thread and comes back there, so
 * nothing but the work itself needs to think of threads. */
#pragma once

#include "proto/loop.h"

/* The head of whatever is to be worked on; it belongs to the pool until `on_finished` has it. */
struct pool_item {
	struct pool_item *next;
};

typedef void pool_fn(void *context, struct pool_item *item);

struct pool;

/* `work` is called in one of the threads, `on_finished` in the loop. */
struct pool *pool_new(struct loop *loop, uint32_t threads, pool_fn *work, pool_fn *on_finished,
		      void *context);
void pool_put(struct pool *pool, struct pool_item *item);

/* Waits for what is running. Items that nobody began stay their owner's. */
void pool_free(struct pool **pool);
