/* A thread that does one thing, again and again, while the caller goes on: what it touches is its own from
 * background_begin() until background_wait() has returned. It takes no signals. */
#pragma once

#include "base/err.h"

struct background;

typedef void background_fn(void *context);

/* ERR_IO: no thread or descriptor is to be had. */
enum err background_new(background_fn *fn, void *context, struct background **background) must_use;
/* Waits for what is being done. */
void background_free(struct background **background);

/* Calls `fn` in the thread; what was begun before must have been waited for. */
void background_begin(struct background *background);
/* Returns when it is done; at once when nothing was begun. */
void background_wait(struct background *background);
bool background_is_done(const struct background *background); /* would it return at once? */

/* Readable when what was begun is done and not yet waited for. */
int background_fd(const struct background *background);
