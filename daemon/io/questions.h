/* Questions: methods that read. Answered between turns; every list says at which event it stands. */
#pragma once

#include "daemon/io/question.h"

enum question_flags { SOCKET_STATUS = 1, SOCKET_CONTROL = 2, IS_LONG = 4 /* asked in a child */ };

struct question_row {
	const char *method;
	uint32_t flags;     /* which sockets take it, IS_LONG */
	const char *params; /* the names it takes, parted by spaces */
	question_fn *fn;
	job_end_fn *ended; /* of a long one; or NULL */
};

/* NULL when no question has that name. */
const struct question_row *questions_find(const char *method);
