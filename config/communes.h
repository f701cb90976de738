/* The communes' CSV: which columns hold what is said by policy.conf. */
#pragma once

#include "config/complaints.h"
#include "config/policy.h"

/* Names of columns; empty where there is none. */
struct communes_columns {
	struct str insee, name, sector, canton, lat, lon;
};

/* What the sector's column holds for each sector, in the order of the policy's sectors. */
struct communes_words {
	uint32_t count;
	struct str word[POLICY_SECTORS_MAX];
};

/* Fills `communes`, sorted by code; text lies in `arena`. Every bad row is complained of, with its row
 * as line (the header is 1). */
void communes_read(const char *path, const struct communes_columns *columns,
		   const struct communes_words *words, struct arena *arena, struct list *communes,
		   struct complaints *complaints);
