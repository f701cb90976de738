/* Questions: methods that read. Answered between turns; every list says at which event it stands. */
#pragma once

#include <jansson.h>

#include "daemon/io/core.h"

enum question_socket { SOCKET_STATUS = 1, SOCKET_CONTROL = 2 };

struct question {
	struct core *core;
	const json_t *params;
	uint32_t uid;
	bool may_tell;  /* asked on control.sock: reasons in words, which tell of health and help */
	json_t *answer; /* set on success; the caller's */
	struct fault fault;
};

typedef enum err question_fn(struct question *question);

struct question_row {
	const char *method;
	uint32_t sockets;   /* which sockets take it */
	const char *params; /* the names it takes, parted by spaces */
	question_fn *fn;
};

/* NULL when no question has that name. */
const struct question_row *question_find(const char *method);
