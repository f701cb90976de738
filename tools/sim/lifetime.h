/* One life of a scenario under one policy: the state machine itself, households as chance has it, and a
 * coordinator who calls before each visit and records what came of it. */
#pragma once

#include "daemon/engine.h"
#include "tools/sim/arrivals.h"
#include "tools/sim/tally.h"

struct lifetime_setup {
	const struct scenario *scenario;
	const struct policy *before; /* NULL: the policy holds from the first day */
	const struct policy *policy;
	const struct arrivals *arrivals;
	day_t to; /* its end is the end */
};

/* Adds what came of it to the tally; the digest of the final state, in hexadecimal. */
void lifetime_run(const struct lifetime_setup *setup, struct tally *tally,
		  char digest[DIGEST_TEXT_SIZE]);
