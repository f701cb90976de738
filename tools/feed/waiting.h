/* What keeps a run waiting is told once, on stderr: whom it waits for, and what to do about it. */
#pragma once

#include "base/base.h"

struct waiting {
	int64_t since_ms; /* clock_boot_ms() when it began */
	bool is_told;
};

void waiting_begin(struct waiting *waiting);

/* How long until it has to be told, for poll(); -1: it was. */
int waiting_left_ms(const struct waiting *waiting);

/* Tells it when it is time: nothing is heard from `where`, a socket, because of `why`. */
void waiting_tell(struct waiting *waiting, const char *where, const char *why);
