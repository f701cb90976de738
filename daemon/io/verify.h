/* The journal read from its first event into a state of its own, and compared with the live one. */
#pragma once

#include "daemon/io/core.h"
#include "daemon/io/job.h"

struct verification {
	uint64_t seq; /* the last event that held */
	char digest[DIGEST_TEXT_SIZE];
	bool is_equal; /* to the live state's digest */
};

/* What a reading of the running core's journal found: an alarm is raised until one finds it whole. */
void verify_note(struct core *core, bool is_whole);

/* In this process. ERR_CORRUPT when the journal does not hold. */
enum err verify_journal(struct core *core, struct verification *found) must_use;

/* The same in a child, up to the event at which it was asked. */
enum err verify_feed(struct core *core, struct job_feed *feed, struct verification *found) must_use;
