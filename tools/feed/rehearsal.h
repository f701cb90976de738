/* A rehearsal's calendar, moved along through control.sock. */
#pragma once

#include "base/date.h"
#include "base/fault.h"

struct rehearsal;

/* Connects, waiting for the socket up to the timeout, and asks what it is. ERR_CLOSED: nobody there;
 * ERR_USAGE: a core, but no rehearsal. The path must outlive it. */
enum err rehearsal_open(const char *socket, int64_t timeout_ms, struct rehearsal **rehearsal,
			struct fault *fault) must_use;
void rehearsal_close(struct rehearsal **rehearsal);

/* Where its calendar stands. */
ms_t rehearsal_now(const struct rehearsal *rehearsal);

/* Moves it to `time`, unless it is there already; returns when the tasks due are settled. A core that
 * goes away meanwhile is waited for up to the timeout, one that only is silent for ever. */
enum err rehearsal_advance(struct rehearsal *rehearsal, ms_t time, struct fault *fault) must_use;
