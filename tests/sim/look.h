/* What must hold of any state, whatever happened. */
#pragma once

#include "daemon/engine.h"

/* What does not hold, or NULL. Texts lie in `arena`. */
const char *look_at(struct engine *engine, struct arena *arena);
