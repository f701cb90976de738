#include "tools/vigiectl/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/config.h"
#include "proto/limits.h"
#include "tools/vigiectl/terminal.h"

/* One call from end to end. The first thing that fails is told, and its status kept. */
struct exchange {
	const char *path;
	int fd;
	bool is_long;
	bool has_dots;
	enum exit_status status;
	struct buf line;
};

static const char no_answer[] = "the core is there, but does not answer: it has stopped or hangs";

static enum exit_status session_find_socket(struct session *session, enum session_socket which);
static void exchange_connect(struct exchange *exchange);
static void exchange_send(struct exchange *exchange, const char *method, json_t *params);
static void exchange_receive(struct exchange *exchange);
static json_t *exchange_read(struct exchange *exchange);

enum exit_status session_call(struct session *session, enum session_socket which, bool is_long,
			      const char *method, json_t *params, json_t **answer)
{
	struct exchange exchange = {.fd = -1, .is_long = is_long};
	json_t *result;

	exchange.status = session_find_socket(session, which);
	exchange.path = session->sockets[which];
	exchange_connect(&exchange);
	exchange_send(&exchange, method, params);
	exchange_receive(&exchange);
	result = exchange_read(&exchange);

	if (exchange.fd >= 0)
		close(exchange.fd);
	buf_done(&exchange.line);
	json_decref(params);
	if (result)
		*answer = result;
	return exchange.status;
}

/* --- where the core listens --- */

static enum exit_status session_find_socket(struct session *session, enum session_socket which)
{
	scoped(config_free) struct config *config = NULL;
	struct complaints complaints = {0};

	if (session->sockets[which])
		return STATUS_OK;
	if (config_load(session->config, &config, &complaints)) {
		fprintf(stderr, "%.*s", (int)complaints.text.size, complaints.text.data);
		buf_done(&complaints.text);
		return STATUS_USAGE;
	}
	session->found[which] = mem_copy(
		str_from(which == SOCKET_READS ? config->status_socket : config->control_socket));
	session->sockets[which] = session->found[which];
	return STATUS_OK;
}

void session_done(struct session *session)
{
	for (int i = 0; i < SOCKET_COUNT; i++)
		mem_free(&session->found[i]);
}

/* --- the line there --- */

static void exchange_fail(struct exchange *exchange, enum exit_status status, const char *text,
			  int error)
{
	exchange->status = status;
	fprintf(stderr, "vigiectl: %s: %s%s%s\n", exchange->path, text, error ? ": " : "",
		error ? strerror(error) : "");
}

/* The length of the path is known to fit. A core that has stopped takes neither a connection nor
 * a long line: both are given up after a while. */
static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = CONTROL_PATIENCE_S};
	int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

static void exchange_connect(struct exchange *exchange)
{

	if (exchange->status)
		return;
	if (strlen(exchange->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		exchange_fail(exchange, STATUS_USAGE, "too long for the path of a socket", 0);
		return;
	}
	exchange->fd = open_socket(exchange->path);
	if (exchange->fd >= 0)
		return;
	if (errno == EACCES)
		exchange_fail(
			exchange, STATUS_REFUSED,
			"this socket is for the groups vigie-status (to read) and vigie-admin "
			"(to act), and you are not in its group",
			0);
	else if (errno == EAGAIN)
		exchange_fail(exchange, STATUS_NO_DAEMON, no_answer, 0);
	else
		exchange_fail(exchange, STATUS_NO_DAEMON, "no core listens here", errno);
}

static bool send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		data += sent;
		size -= (size_t)sent;
	}
	return true;
}

static void exchange_send(struct exchange *exchange, const char *method, json_t *params)
{
	json_t *request;
	char *line;

	if (exchange->status)
		return;
	request = json_pack("{s:s, s:i, s:s, s:O}", "jsonrpc", "2.0", "id", 1, "method", method,
			    "params", params);
	line = json_dumps(request, JSON_COMPACT);
	assert(line);
	if (strlen(line) > CONTROL_LINE_SIZE_MAX)
		exchange_fail(exchange, STATUS_REFUSED, "more than the core takes in one call", 0);
	else if (!send_all(exchange->fd, line, strlen(line)) || !send_all(exchange->fd, "\n", 1))
		exchange_fail(exchange, STATUS_NO_DAEMON,
			      errno == EAGAIN ? no_answer : "the core hung up",
			      errno == EAGAIN ? 0 : errno);
	free(line);
	json_decref(request);
}

/* --- and back --- */

/* A core at work on a long answer still answers others between its turns. So does one that hangs up. */
static bool core_is_alive(const char *path)
{
	static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n";
	int fd = open_socket(path);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	bool is_alive = fd >= 0 && send_all(fd, ping, strlen(ping)) &&
			poll(&poll_fd, 1, CONTROL_PATIENCE_S * 1000) > 0;

	if (fd >= 0)
		close(fd);
	return is_alive;
}

/* Once a second a sign of life for who waits, and now and then a look whether there is one over there. */
static bool exchange_wait(struct exchange *exchange)
{
	struct pollfd poll_fd = {.fd = exchange->fd, .events = POLLIN};
	int ready, silent_s = 0;

	while ((ready = poll(&poll_fd, 1, 1000)) <= 0) {
		if (ready < 0)
			continue;
		exchange->has_dots |= exchange->is_long && terminal_dot();
		if (++silent_s % CONTROL_PATIENCE_S == 0 && !core_is_alive(exchange->path))
			return false;
	}
	return true;
}

static bool has_line(const struct buf *line)
{
	return line->size > 0 && line->data[line->size - 1] == '\n';
}

static void exchange_receive(struct exchange *exchange)
{
	char piece[65536];

	while (!exchange->status && !has_line(&exchange->line)) {
		ssize_t size;

		if (!exchange_wait(exchange)) {
			exchange_fail(exchange, STATUS_NO_DAEMON, no_answer, 0);
			break;
		}
		size = read(exchange->fd, piece, sizeof(piece));
		if (size > 0)
			buf_add(&exchange->line, piece, (size_t)size);
		else if (size == 0 || errno != EINTR)
			exchange_fail(exchange, STATUS_NO_DAEMON,
				      "the core hung up before it answered", size ? errno : 0);
	}
	if (exchange->has_dots)
		fputc('\n', stderr);
}

/* "visit: no visit has this number (not_found)" */
static void exchange_tell_refusal(struct exchange *exchange, json_t *error)
{
	json_t *data = json_object_get(error, "data");
	const char *path = json_string_value(json_object_get(data, "path"));
	const char *code = json_string_value(json_object_get(data, "code"));
	const char *text = json_string_value(json_object_get(data, "text"));
	const char *message = json_string_value(json_object_get(error, "message"));

	exchange->status = STATUS_REFUSED;
	text = text && *text ? text : message && *message ? message : "refused";
	fprintf(stderr, "vigiectl: %s%s%s", path ? path : "", path && *path ? ": " : "", text);
	fprintf(stderr, code ? " (%s)\n" : "\n", code);
}

/* The result, a new reference; NULL when there is none. */
static json_t *exchange_read(struct exchange *exchange)
{
	json_t *answer, *error, *result = NULL;

	if (exchange->status)
		return NULL;
	answer = json_loadb(exchange->line.data, exchange->line.size, JSON_REJECT_DUPLICATES, NULL);
	error = json_object_get(answer, "error");
	if (json_is_object(error))
		exchange_tell_refusal(exchange, error);
	else if (json_object_get(answer, "result"))
		result = json_incref(json_object_get(answer, "result"));
	else
		exchange_fail(exchange, STATUS_NO_DAEMON, "this is no answer of a core", 0);
	json_decref(answer);
	return result;
}
