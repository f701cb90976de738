#include "tools/feed/waiting.h"

#include <stdio.h>

#include "proto/loop.h"
#include "tools/feed/progress.h"

enum { TOLD_AFTER_MS = 3000 }; /* a core that restarts is back before */

void waiting_begin(struct waiting *waiting)
{
	*waiting = (struct waiting){.since_ms = clock_boot_ms()};
}

int waiting_left_ms(const struct waiting *waiting)
{
	int64_t left = waiting->since_ms + TOLD_AFTER_MS - clock_boot_ms();

	if (waiting->is_told)
		return -1;
	return left > 0 ? (int)left : 0;
}

void waiting_tell(struct waiting *waiting, const char *where, const char *why)
{
	if (waiting_left_ms(waiting) != 0)
		return;
	waiting->is_told = true;
	progress_end();
	fprintf(stderr,
		"waiting for %s: %s; see whether the core runs (vigiectl status), this goes on "
		"when it answers\n",
		where, why);
}
