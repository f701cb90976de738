/* The communes' table beside policy.conf. */
#pragma once

#include "config/complaints.h"
#include "config/policy.h"

#define FIELD RECORD_MEMBER
#define RECORD(name, ...)                                                                          \
	struct name {                                                                              \
		bool is_set;                                                                       \
		__VA_ARGS__                                                                        \
	};                                                                                         \
	extern const struct record record_##name;
#include "config/communes.def"
#undef RECORD
#undef FIELD

/* A column that policy.conf names and the table has not. `option` is the name of the option. */
typedef void communes_missing_fn(void *context, const char *option, const char *what);

/* Fills policy->communes, sorted by code; the policy's department and sectors are there already.
 * Mistakes in the rows are told with the table's own lines. */
void communes_read(const struct policy_communes_file *source, struct arena *arena,
		   struct policy *policy, struct complaints *complaints,
		   communes_missing_fn *missing, void *context);
