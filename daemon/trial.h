/* What another policy would do, on a copy: the state itself and all that depends on it stay as they
 * are, and nobody is written to. */
#pragma once

#include "daemon/apply.h"

/* `after` becomes the state as it would be if this policy (as in policy.applied, and one that holds)
 * were applied at `now`. The caller's: state_done(). */
void trial_policy(const struct state *state, struct str policy, ms_t now, struct state *after);
