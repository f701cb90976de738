/* A policy that is not in force yet: what is wrong with it, and what it would change. Nothing is
 * applied. */
#pragma once

#include "daemon/io/question.h"

/* The parameter `policy`: a policy as msgpack, in base64. */
enum err policy_parameter(const json_t *params, struct arena *arena, struct str *bytes,
			  struct fault *fault) must_use;

/* [{path, text}]: what givers were told that would not hold under this policy. */
json_t *policy_told_remarks(const struct state *state, const struct policy *policy);

enum err ask_policy_check(struct question *question);
enum err ask_policy_diff(struct question *question); /* long */
