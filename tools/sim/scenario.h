/* vigie-sim scenario: policies side by side on the same arrivals. */
#pragma once

#include "base/base.h"

enum { SCENARIO_POLICIES_MAX = 8 };

struct scenario_options {
	const char *file;
	const char *policy_files[SCENARIO_POLICIES_MAX];
	uint32_t policy_count;
	uint64_t years, seeds, first_seed;
	bool is_json;
	const char *svg_file; /* NULL: none */
};

/* Exit status: 0; 2 when a file cannot be used. */
int scenario_run(const struct scenario_options *options);
