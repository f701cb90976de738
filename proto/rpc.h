/* MessagePack-RPC: [0, msgid, method, params] is a request, [1, msgid, error, result] its answer,
 * [2, method, params] a notification. `params` is an array. An error is a map {code, path, text,
 * retry_after_ms?}; nil when there is none. */
#pragma once

#include "proto/codec.h"

enum rpc_type { RPC_REQUEST = 0, RPC_ANSWER = 1, RPC_NOTIFICATION = 2 };

struct rpc {
	enum rpc_type type;
	uint32_t msgid;
	struct str method;
	struct str params;  /* msgpack of the array, not decoded */
	struct fault error; /* answers: code ERR_OK when nil */
	struct str result;  /* answers: msgpack of one object */
};

/* Walks the bytes, then splits them. ERR_BAD_FRAME or ERR_BAD_REQUEST with a sentence. `msgid` is set
 * as far as it could be read, so that even a bad request can be answered. */
enum err rpc_parse(struct str bytes, struct rpc *rpc, struct fault *fault) must_use;

/* The one map that params hold, decoded by its table; ERR_BAD_REQUEST when params are not [map]. */
enum err rpc_params(const struct rpc *rpc, const struct record *record, struct arena *arena,
		    void *object, struct fault *fault) must_use;

/* Heads; what follows is written by the caller: the params array, or the result object. */
void rpc_begin_request(struct buf *out, uint32_t msgid, const char *method);
void rpc_begin_answer(struct buf *out, uint32_t msgid);
void rpc_begin_notification(struct buf *out, const char *method);
/* Whole frames. */
void rpc_error(struct buf *out, uint32_t msgid, const struct fault *fault);
void rpc_fault(struct buf *out, const struct fault *fault); /* just the map {code, path, text, …} */
