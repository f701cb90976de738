/* From files to a running state: the newest snapshot that holds, then the tail of the journal. */
#pragma once

#include "daemon/io/core.h"

struct boot {
	const char
		*rehearse; /* a day: a new journal becomes a rehearsal that begins on it; or NULL */
	bool accept_clock; /* however far it is ahead of the journal */
};

/* Opens journal and keystore, rebuilds the state, begins a new journal with the policy where there is
 * none. Every failure is told by a log line, with what to do. */
enum err boot_open(struct core *core, const struct boot *boot) must_use;
void boot_close(struct core *core);

/* To be called once a turn: starts a snapshot when enough has happened, and sees to one that is
 * being written. */
void boot_after_turn(struct core *core);
