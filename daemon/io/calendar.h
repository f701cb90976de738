/* The core's clock: the wall's, or in a rehearsal a calendar that only moves when told.
 *
 * A wall clock that leaps far ahead while the core runs is not followed: the timers of years would run
 * within seconds, and what they did stays. The calendar then goes on by the machine's steady clock until
 * the wall's is right again. One that is behind is not followed either: the journal's time stands still. */
#pragma once

#include "base/date.h"
#include "base/fault.h"

struct calendar {
	bool is_rehearsal;
	ms_t now;     /* of a rehearsal; else when it was last looked at */
	ms_t steady;  /* CLOCK_BOOTTIME at that look; 0: never yet */
	bool is_held; /* the wall clock has leapt */
};

/* `last` is the journal's last time, here and below. */
ms_t calendar_now(struct calendar *calendar, ms_t last);

/* Asked at the start: may time go on from the journal's to the wall clock's? Warns in the log when they are
 * far apart. ERR_USAGE with a sentence when the clock is too far ahead for a core that was only off. */
enum err calendar_check(const struct calendar *calendar, ms_t last, bool accept,
			struct fault *fault) must_use;

/* Where the calendar stands, told beside the machine's clock; false: they agree. */
bool calendar_differs(struct calendar *calendar, ms_t last, struct fault *told);
