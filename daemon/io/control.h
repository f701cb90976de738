/* Questions and orders: the methods of status.sock and control.sock. status.sock only reads, and shows
 * nothing personal; control.sock does all. docs/control.md tells the methods. */
#pragma once

#include "daemon/io/core.h"
#include "daemon/io/dispatch.h"

struct control;

enum err control_open(struct core *core, struct dispatch *dispatch,
		      struct control **control) must_use;
void control_close(struct control **control);

/* A turn has run: a calendar that is being advanced goes on. */
void control_after_turn(struct control *control);
