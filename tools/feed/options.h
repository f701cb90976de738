/* The command line of vigie-feed. */
#pragma once

#include "base/date.h"
#include "base/mem.h"
#include "proto/hash.h"

enum mode {
	MODE_SEND,
	MODE_CHECK, /* read and map only */
	MODE_PRINT, /* events as NDJSON on stdout */
	MODE_DRIVE, /* move a rehearsal along */
};

struct options {
	enum mode mode;
	const char *config; /* vigie.conf; NULL: none */
	const char *endpoint, *control;
	const char *server_key;
	char *secret_key;
	const char *rejects; /* folder; NULL: beside each file */
	const char *reissue;
	uint8_t id_key[HASH_KEY_SIZE];
	bool has_id_key;
	day_t from, until; /* Paris days, inclusive; DAY_NONE: unbounded */
	int64_t timeout_ms;

	const char **mappings;
	uint32_t mapping_count, mappings_capacity;
	const char **files;
	uint32_t file_count, files_capacity;
};

/* A mistake is told on stderr and ends the process with status 2. */
void options_read(struct options *options, int argc, char **argv);
void options_done(struct options *options);
