/* policy.conf → policy: libconfig syntax, every option in one table. All mistakes are collected, each
 * "FILE:LINE: path: what is wrong and what would be right", and a file with any gives nothing. */
#pragma once

#include "config/complaints.h"
#include "config/policy.h"

/* Everything lies in `arena`. Files named inside (the communes' CSV) are found beside the file. */
enum err policy_read(const char *path, struct arena *arena, struct policy *policy,
		     struct complaints *complaints) must_use;

/* Complains of the option at `path` ("sectors[1].id"; "" is the whole) where it stands in that file: of
 * what somebody else found wrong with the policy that was read from it. */
void policy_complain(const char *file, const char *path, const char *what,
		     struct complaints *complaints);

/* All options of policy.conf with their ranges, defaults and help, as an annotated file. */
void policy_print_sample(struct buf *out);
