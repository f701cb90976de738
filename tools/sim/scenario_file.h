/* A scenario file: what arrives, what households do, when pairs are away. Everything that policy does not
 * decide. Every option is one row of scenario.def. */
#pragma once

#include "config/policy_file.h"
#include "proto/message.h"

#define SECTION(title)
#define OPTION(type, name, min, max, words, flags, ...) C_##type(name, words)
#define OPTIONS(name, ...)                                                                         \
	struct name {                                                                              \
		bool is_set;                                                                       \
		__VA_ARGS__                                                                        \
	};
#include "tools/sim/scenario.def"
#undef OPTIONS
#undef OPTION
#undef SECTION

/* All mistakes at once in `complaints`, each with its line. `sectors` of the streams must be those of
 * `policy`, the first that is compared. */
enum err scenario_read(const char *path, const struct policy *policy, struct arena *arena,
		       struct scenario *scenario, struct complaints *complaints) must_use;

/* All options with their ranges, defaults and help, as an annotated file. */
void scenario_print_sample(struct buf *out);

/* Percent of an average month; `season` empty: 100. */
uint64_t scenario_season(const struct scenario *scenario, struct str season, int month);
