/* The gate: takes senders' frames in, hands them to the core as they are, with the sender's name,
 * and brings the answers back. It keeps nothing and judges nothing that the core could. Every
 * request is answered; when the core cannot, the gate says `busy`. */
#pragma once

#include "config/config.h"
#include "proto/loop.h"

enum {
	GATE_REQUESTS_MAX = 65536,          /* on their way, of all senders */
	CORE_PENDING_MAX = 4 * 1024 * 1024, /* bytes the core has not taken yet */
	CORE_RETRY_FIRST_MS = 100,          /* between attempts to reach the core, doubled up to */
	CORE_RETRY_MAX_MS = 2000,
	CORE_LOST_RETRY_MS = 1000, /* what senders are told meanwhile */
	STOP_WAIT_MS = 2000,       /* for answers still on their way */
};

struct gate;

/* Opens what the configuration names; it must outlive the gate. */
enum err gate_open(struct loop *loop, const struct config *config, struct gate **gate) must_use;
void gate_close(struct gate **gate);

/* Takes no more in (`draining`), brings back what is on its way, then stops the loop. */
void gate_stop(struct gate *gate);
