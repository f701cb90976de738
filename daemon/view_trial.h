/* What another policy would change, as JSON: the options that differ, and who would move in the list,
 * by how many places and why. Told with reasons in words: for control.sock. */
#pragma once

#include <jansson.h>

#include "daemon/state.h"

/* `after` is what trial_policy() made of `before`. `limit` bounds the cases and the visits listed;
 * every one is counted. */
json_t *view_trial(const struct state *before, const struct state *after, uint64_t limit);

/* [{option, old, new}]: what is written differently in two policies. */
json_t *view_policy_changes(const struct policy *old, const struct policy *new);
