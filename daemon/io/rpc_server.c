#include "daemon/io/rpc_server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "proto/limits.h"
#include "proto/peer.h"

/* JSON-RPC's own codes for what is wrong before any method is asked. */
enum { JSON_PARSE_ERROR = -32700, JSON_BAD_REQUEST = -32600, JSON_OUR_ERROR = -32000 };

struct client {
	struct rpc_server *server;
	struct client *next;
	struct bufferevent *bufferevent;
	uint64_t serial;
	uint32_t uid;
};

struct rpc_server {
	struct loop *loop;
	struct listener *listener;
	rpc_call_fn *fn;
	void *context;
	struct client *clients;
	uint32_t client_count;
	uint64_t last_serial;
};

/* --- clients ---------------------------------------------------------------------------------- */

static void drop_client(struct client *client)
{
	struct rpc_server *server = client->server;
	struct client **at = &server->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	server->client_count--;
	bufferevent_free(client->bufferevent);
	free(client);
}

static struct client *find_client(struct rpc_server *server, uint64_t serial)
{
	struct client *client = server->clients;

	while (client && client->serial != serial)
		client = client->next;
	return client;
}

/* Who does not read its answers is not waited for. */
static void send_line(struct client *client, struct str line)
{
	struct evbuffer *output = bufferevent_get_output(client->bufferevent);

	if (evbuffer_get_length(output) + line.size > CONTROL_OUTPUT_SIZE_MAX) {
		log_warn("control.output", "client=%llu", (unsigned long long)client->serial);
		drop_client(client);
		return;
	}
	evbuffer_add(output, line.data, line.size);
	evbuffer_add(output, "\n", 1);
}

static void send_json(struct client *client, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));

	assert(text);
	send_line(client, str_from(text));
	free(text);
}

/* --- answers ---------------------------------------------------------------------------------- */

static struct client *end_call(struct rpc_call **call)
{
	struct rpc_call *old = *call;
	struct client *client = find_client(old->server, old->client);

	*call = NULL;
	json_decref(old->id);
	free(old);
	return client;
}

static void finish(struct rpc_call **call, const char *what, json_t *value)
{
	json_t *answer =
		json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", (*call)->id, what, value);
	struct client *client = end_call(call);

	if (client)
		send_json(client, answer);
	json_decref(answer);
}

void rpc_answer_text(struct rpc_call **call, struct str result)
{
	char *id = json_dumps((*call)->id, JSON_COMPACT | JSON_ENCODE_ANY);
	struct client *client = end_call(call);
	struct buf line = {0};

	assert(id);
	buf_printf(&line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", id);
	buf_add_str(&line, result);
	buf_add(&line, "}", 1);
	if (client)
		send_line(client, buf_str(&line));
	buf_done(&line);
	free(id);
}

void rpc_answer(struct rpc_call **call, json_t *result)
{
	finish(call, "result", result);
}

void rpc_refuse(struct rpc_call **call, const struct fault *fault)
{
	json_t *data = json_pack("{s:s, s:s, s:s}", "code", err_name(fault->code), "path",
				 fault->path, "text", fault->text);

	if (fault->retry_after_ms)
		json_object_set_new(data, "retry_after_ms", json_integer(fault->retry_after_ms));
	finish(call, "error",
	       json_pack("{s:i, s:s, s:o}", "code", JSON_OUR_ERROR - (int)fault->code, "message",
			 fault->text, "data", data));
}

bool rpc_is_awaited(const struct rpc_call *call)
{
	return find_client(call->server, call->client) != NULL;
}

static void refuse_line(struct client *client, int number, enum err code, const char *text)
{
	json_t *answer = json_pack("{s:s, s:n, s:{s:i, s:s, s:{s:s, s:s, s:s}}}", "jsonrpc", "2.0",
				   "id", "error", "code", number, "message", text, "data", "code",
				   err_name(code), "path", "", "text", text);

	send_json(client, answer);
	json_decref(answer);
}

/* --- parameters ------------------------------------------------------------------------------- */

static bool is_among(const char *name, const char *names)
{
	size_t size = strlen(name);

	for (const char *at = names; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		if (length == size && memcmp(at, name, size) == 0)
			return true;
		at += length;
	}
	return false;
}

enum err rpc_check_params(const json_t *params, const char *names, struct fault *fault)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)params, name, value)
	{
		if (!is_among(name, names))
			return fault_set(fault, ERR_BAD_REQUEST, name,
					 "unknown parameter; this method takes %s",
					 *names ? names : "none");
	}
	return ERR_OK;
}

/* --- requests --------------------------------------------------------------------------------- */

static void call_method(struct client *client, json_t *request, const char *method)
{
	struct rpc_call *call = calloc(1, sizeof(*call));
	json_t *params = json_object_get(request, "params");
	json_t *none = json_object();
	json_t *id = json_object_get(request, "id");

	assert(call);
	call->server = client->server;
	call->client = client->serial;
	call->uid = client->uid;
	call->id = id ? json_incref(id) : json_null();
	client->server->fn(client->server->context, call, method, params ? params : none);
	json_decref(none);
}

static void take_line(struct client *client, const char *line, size_t size)
{
	json_error_t error;
	json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	const char *method = json_string_value(json_object_get(request, "method"));
	json_t *params = json_object_get(request, "params");

	if (!request)
		refuse_line(client, JSON_PARSE_ERROR, ERR_BAD_FRAME, "this line is not JSON");
	else if (!json_is_object(request) || !method)
		refuse_line(client, JSON_BAD_REQUEST, ERR_BAD_REQUEST,
			    "one object with jsonrpc, id, method and params is expected");
	else if (params && !json_is_object(params))
		refuse_line(client, JSON_BAD_REQUEST, ERR_BAD_REQUEST,
			    "params must be an object of named values");
	else
		call_method(client, request, method);
	json_decref(request);
}

static void on_read(struct bufferevent *bufferevent, void *context)
{
	struct client *client = context;
	struct rpc_server *server = client->server;
	uint64_t serial = client->serial;
	struct evbuffer *input = bufferevent_get_input(bufferevent);
	size_t size;
	char *line;

	while ((line = evbuffer_readln(input, &size, EVBUFFER_EOL_LF))) {
		if (size)
			take_line(client, line, size);
		free(line);
		if (!find_client(server, serial))
			return;
	}
	if (evbuffer_get_length(input) > CONTROL_LINE_SIZE_MAX)
		drop_client(client);
}

static void on_event(struct bufferevent *bufferevent, short what, void *context)
{
	(void)bufferevent;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		drop_client(context);
}

static void on_connect(void *context, int fd)
{
	struct rpc_server *server = context;
	struct ucred who = {.uid = UINT32_MAX};
	socklen_t size = sizeof(who);
	struct client *client;

	if (server->client_count == CONTROL_CLIENTS_MAX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size)) {
		evutil_closesocket(fd);
		return;
	}
	client = calloc(1, sizeof(*client));
	assert(client);
	client->server = server;
	client->serial = ++server->last_serial;
	client->uid = who.uid;
	client->next = server->clients;
	server->clients = client;
	server->client_count++;
	client->bufferevent =
		bufferevent_socket_new(loop_base(server->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(client->bufferevent, on_read, NULL, on_event, client);
	bufferevent_setwatermark(client->bufferevent, EV_READ, 0, CONTROL_LINE_SIZE_MAX + 1);
	bufferevent_enable(client->bufferevent, EV_READ | EV_WRITE);
}

enum err rpc_server_open(struct loop *loop, const char *path, rpc_call_fn *fn, void *context,
			 struct rpc_server **server)
{
	struct rpc_server *new = calloc(1, sizeof(*new));
	enum err err;

	assert(new);
	new->loop = loop;
	new->fn = fn;
	new->context = context;
	err = listener_open(loop, path, 0660, on_connect, new, &new->listener);
	if (err) {
		free(new);
		return err;
	}
	*server = new;
	return ERR_OK;
}

void rpc_server_close(struct rpc_server **server)
{
	if (!*server)
		return;
	listener_close(&(*server)->listener);
	while ((*server)->clients)
		drop_client((*server)->clients);
	free(*server);
	*server = NULL;
}
