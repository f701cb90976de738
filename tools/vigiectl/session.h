/* The core at the other end: JSON-RPC 2.0 over AF_UNIX, one object a line. What fails is told on
 * stderr by the time a call returns. */
#pragma once

#include <jansson.h>

#include "base/base.h"

enum exit_status { STATUS_OK = 0, STATUS_REFUSED = 1, STATUS_USAGE = 2, STATUS_NO_DAEMON = 3 };

enum session_socket { SOCKET_READS, SOCKET_ACTS, SOCKET_COUNT };

struct session {
	const char *config;                /* vigie.conf, read when a socket's path is needed */
	const char *sockets[SOCKET_COUNT]; /* paths, NULL: as vigie.conf says */
	bool as_json;
	char *found[SOCKET_COUNT]; /* paths that vigie.conf told: owned */
};

void session_done(struct session *session);

/* Calls one method; takes params. `answer` is the caller's, set on STATUS_OK only. An answer
 * may take any time while the core is alive, which is asked on another connection after each
 * CONTROL_PATIENCE_S; calls that are long show dots on a terminal. */
enum exit_status session_call(struct session *session, enum session_socket which, bool is_long,
			      const char *method, json_t *params, json_t **answer) must_use;
