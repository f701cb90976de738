/* The first bytes of a sender's frame, read without decoding the rest: enough to answer it when the
 * core cannot, and to count what it brings. Nothing is refused here: that is the core's part. */
#pragma once

#include "base/str.h"

struct head {
	bool is_notification; /* nobody waits for an answer */
	uint32_t msgid;       /* 0 when it could not be read */
	uint32_t events;      /* what a publish request says to hold, else 1 */
};

/* Reads no byte outside the frame, whatever it holds. */
struct head head_peek(struct str frame);
