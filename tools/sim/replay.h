/* vigie-sim replay: CloudEvents JSON lines through the state machine, and what came of them. */
#pragma once

#include "base/err.h"
#include "base/date.h"

struct replay_options {
	const char *policy_file;
	const char *events_file; /* "-" for standard input */
	day_t until;
	bool is_json;
};

/* Exit status: 0, 1 when a line was refused (what came of the rest is printed), 2 when the policy or
 * the files cannot be used. */
int replay_run(const struct replay_options *options);
