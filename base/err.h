/* Every failure, one row each. The rows above the line are the codes on the wire: all sockets
 * answer with these names, and none is ever renamed. Those below stay inside a process. */
#pragma once

#include "base/base.h"

#define ERR_TABLE(ROW)                                                                             \
	ROW(OK, "ok", "it worked")                                                                 \
	ROW(BAD_FRAME, "bad_frame", "the bytes are no message")                                    \
	ROW(BAD_REQUEST, "bad_request", "a message, but no request this socket knows")             \
	ROW(UNSUPPORTED, "unsupported", "a version or method that is not spoken here")             \
	ROW(UNAUTHENTICATED, "unauthenticated", "nobody knows this peer")                          \
	ROW(FORBIDDEN, "forbidden", "this peer may not do that")                                   \
	ROW(NOT_FOUND, "not_found", "nothing has that name or number")                             \
	ROW(CONFLICT, "conflict", "the same identity was taken with other content")                \
	ROW(TOO_LARGE, "too_large", "over a limit that hello tells")                               \
	ROW(INVALID_EVENT, "invalid_event", "a field is wrong: path and text say which and why")   \
	ROW(ERASED, "erased", "the household asked to be forgotten")                               \
	ROW(BUSY, "busy", "not now: come back after retry_after_ms")                               \
	ROW(DRAINING, "draining", "the core is stopping")                                          \
	ROW(STORAGE_FULL, "storage_full", "no room is left to keep an event safely")               \
	ROW(STALE_LEASE, "stale_lease", "the task was given to another worker since")              \
	ROW(INTERNAL, "internal", "the fault is ours")                                             \
	/* inside a process only */                                                                \
	ROW(IO, "io", "the system refused to read or write")                                       \
	ROW(CORRUPT, "corrupt", "what was stored does not hold together")                          \
	ROW(CLOSED, "closed", "the other side is gone")                                            \
	ROW(USAGE, "usage", "the command line or a configuration file is wrong")

enum err {
#define ROW(NAME, name, meaning) ERR_##NAME,
	ERR_TABLE(ROW)
#undef ROW
		ERR_COUNT
};

/* The code as it is written on the wire and in logs. */
const char *err_name(enum err err);

/* One English sentence without its full stop. */
const char *err_meaning(enum err err);

/* ERR_COUNT when no code has that name. */
enum err err_from_name(const char *name, size_t size);
