/* What a run of vigie-feed holds: mappings, files, what becomes of their events. */
#pragma once

#include "tools/feed/options.h"
#include "tools/feed/source.h"

enum status { STATUS_OK, STATUS_REFUSED, STATUS_USAGE, STATUS_NO_DAEMON };

struct run {
	const struct options *options;
	char *endpoint, *control; /* where the core is */
	struct mapping **mappings;
	uint32_t mapping_count, mappings_capacity;
	struct source *sources;
	uint32_t source_count;
	struct publisher *publisher;
	bool is_broken; /* a file could not be read to its end, or a rejects file not written */
};

/* Mappings and files, looked at before anything is sent: STATUS_USAGE when there is any mistake, all
 * of them told. */
enum status run_prepare(struct run *run, const struct options *options) must_use;

/* One of the modes. */
enum status run_check(struct run *run) must_use;
enum status run_print(struct run *run) must_use;
enum status run_send(struct run *run) must_use;
enum status run_drive(struct run *run) must_use;

/* Rejects beside the files, a line a file about what happened; and whether anything was refused. */
enum status run_conclude(struct run *run, enum status status) must_use;
void run_done(struct run *run);

/* Shared by the modes: reads the files one after the other; false when the function said so. */
bool run_read(struct run *run, source_event_fn *on_event, void *context) must_use;
bool run_wants(const struct run *run, ms_t time); /* by --from and --until */
