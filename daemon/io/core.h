/* What the parts of the running core share: one engine, its turns, its calendar. */
#pragma once

#include "config/config.h"
#include "daemon/io/access_log.h"
#include "daemon/io/calendar.h"
#include "daemon/io/turns.h"

struct core {
	const struct config *config;
	struct loop *loop;
	struct engine *engine;
	struct turns *turns;
	struct calendar calendar;
	struct access_log *access_log;
	struct caution *caution;
	struct journal *journal;
	struct keystore *keystore;
	uint64_t epoch; /* of this start, for hello: the number of the last event found */
	bool is_draining;

	bool is_damaged;     /* the last reading of the whole journal found that it does not hold */
	day_t damaged_since; /* when that was first found */

	uint64_t snapshot_seq;  /* of the newest snapshot, written or being written */
	int32_t snapshot_child; /* pid of the child that writes it, 0: none */
};
