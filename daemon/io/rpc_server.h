/* JSON-RPC 2.0 over AF_UNIX, one object a line, with limits on clients, on the length of a line and on
 * what waits to be written. What the methods do is elsewhere. */
#pragma once

#include <jansson.h>

#include "base/fault.h"
#include "base/mem.h"
#include "proto/loop.h"

struct rpc_server;

/* One call. Answered exactly once, now or later; a client that went away meanwhile is no error. */
struct rpc_call {
	struct rpc_server *server;
	uint64_t client; /* serial number */
	uint32_t uid;    /* of the peer, as the kernel says */
	json_t *id;      /* owned by the call */
};

/* The method and its parameters (an object, never NULL; borrowed). The call is the callee's to
 * answer. */
typedef void rpc_call_fn(void *context, struct rpc_call *call, const char *method,
			 const json_t *params);

enum err rpc_server_open(struct loop *loop, const char *path, rpc_call_fn *fn, void *context,
			 struct rpc_server **server) must_use;
void rpc_server_close(struct rpc_server **server);

/* Both take the call; `result` is taken too. */
void rpc_answer(struct rpc_call **call, json_t *result);
void rpc_refuse(struct rpc_call **call, const struct fault *fault);
/* The same with a result that is JSON already, on one line. */
void rpc_answer_text(struct rpc_call **call, struct str result);

/* Is whoever asked still there? */
bool rpc_is_awaited(const struct rpc_call *call);

/* ERR_BAD_REQUEST, naming it, for a parameter that is not among `names`, which spaces part. */
enum err rpc_check_params(const json_t *params, const char *names, struct fault *fault) must_use;
