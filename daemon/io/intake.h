/* From the gate: senders' frames, as they sent them, with the sender's name. Each event is decoded,
 * held against what its sender may do, and submitted; a request is answered when all its events are
 * durable or refused. Protocol with the gate: request "forward" [sender, frame (bin)], answered with
 * the frame for the sender (bin). */
#pragma once

#include "daemon/io/core.h"

struct intake;

enum err intake_open(struct core *core, struct intake **intake) must_use;
void intake_close(struct intake **intake);
