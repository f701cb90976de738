/* Questions: methods that read. Answered between turns; every list says at which event it stands. */
#pragma once

#include <jansson.h>

#include "daemon/io/job.h"

enum question_flags { SOCKET_STATUS = 1, SOCKET_CONTROL = 2, IS_LONG = 4 /* asked in a child */ };

struct question {
	struct core *core;
	const json_t *params;
	uint32_t uid;
	bool may_tell; /* asked on control.sock: reasons in words, which tell of health and help */
	const struct state *present; /* as it is now, when asked of a past day; else NULL */
	struct job_feed *feed;       /* of a long one; NULL when the core itself answers */
	json_t *answer;              /* set on success; the caller's */
	struct fault fault;
};

typedef enum err question_fn(struct question *question);

struct question_row {
	const char *method;
	uint32_t flags;     /* which sockets take it, IS_LONG */
	const char *params; /* the names it takes, parted by spaces */
	question_fn *fn;
};

/* Parameters that several questions take. False: `fault` says what is wrong. */
bool question_get_limit(struct question *question, uint64_t *limit);

/* NULL when no question has that name. */
const struct question_row *question_find(const char *method);
