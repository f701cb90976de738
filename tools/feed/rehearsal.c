#include "tools/feed/rehearsal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "base/mem.h"
#include "proto/limits.h"
#include "proto/loop.h"
#include "tools/feed/waiting.h"

enum {
	CONNECT_PAUSE_US = 200 * 1000,
	LOSSES_MAX = 5, /* on one way: by then a core has refused the event that it ends on */
};

struct rehearsal {
	const char *path; /* of control.sock; borrowed */
	int64_t timeout_ms;
	FILE *input; /* owns the descriptor */
	ms_t now;
};

/* --- one call --- */

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

/* Takes the params. */
static enum err send_call(struct rehearsal *rehearsal, const char *method, json_t *params,
			  struct fault *fault)
{
	json_t *call = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1, "method",
				 method, "params", params);
	char *line = json_dumps(call, JSON_COMPACT);
	int fd = fileno(rehearsal->input);
	bool is_sent = send_all(fd, line, strlen(line)) && send_all(fd, "\n", 1);

	free(line);
	json_decref(call);
	if (!is_sent)
		return fault_set(fault, ERR_CLOSED, "", "the core went away");
	return ERR_OK;
}

/* However long that is: it may have a long way to go, and one that was stopped may go on. */
static void wait_for_answer(struct rehearsal *rehearsal)
{
	struct pollfd polled = {.fd = fileno(rehearsal->input), .events = POLLIN};
	struct waiting waiting;

	waiting_begin(&waiting);
	while (poll(&polled, 1, waiting_left_ms(&waiting)) <= 0)
		waiting_tell(&waiting, rehearsal->path, "no answer yet");
}

static json_t *receive_line(struct rehearsal *rehearsal)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t size;
	json_t *json = NULL;

	wait_for_answer(rehearsal);
	size = getline(&line, &capacity, rehearsal->input);
	if (size > 0 && size <= CONTROL_LINE_SIZE_MAX)
		json = json_loadb(line, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	return json;
}

/* The caller releases *answer. */
static enum err call(struct rehearsal *rehearsal, const char *method, json_t *params,
		     json_t **answer, struct fault *fault)
{
	const json_t *error;
	const char *message = NULL;
	enum err err = send_call(rehearsal, method, params, fault);

	if (err)
		return err;
	*answer = receive_line(rehearsal);
	if (!*answer)
		return fault_set(fault, ERR_CLOSED, "", "the core went away");
	error = json_object_get(*answer, "error");
	if (!error || json_is_null(error))
		return ERR_OK;
	message = json_string_value(json_object_get(error, "message"));
	fault_set(fault, ERR_BAD_REQUEST, "", "%s: %s", method, message ? message : "refused");
	json_decref(*answer);
	*answer = NULL;
	return fault->code;
}

static enum err read_now(struct rehearsal *rehearsal, const json_t *answer, struct fault *fault)
{
	const json_t *now = json_object_get(json_object_get(answer, "result"), "now");
	const char *text = json_string_value(now);

	if (!text || !time_parse(str_from(text), &rehearsal->now))
		return fault_set(fault, ERR_BAD_FRAME, "", "the core does not tell its time");
	return ERR_OK;
}

/* --- opening --- */

static int connect_once(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Not there yet is worth waiting for; not allowed is not. */
static int connect_until(const char *path, int64_t until_ms)
{
	int fd = connect_once(path);
	struct waiting waiting;

	waiting_begin(&waiting);
	while (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN) &&
	       clock_boot_ms() < until_ms) {
		waiting_tell(&waiting, path, strerror(errno));
		usleep(CONNECT_PAUSE_US);
		fd = connect_once(path);
	}
	return fd;
}

static enum err ask_status(struct rehearsal *rehearsal, struct fault *fault)
{
	json_t *answer = NULL;
	enum err err = call(rehearsal, "status", json_object(), &answer, fault);

	if (err)
		return err;
	if (!json_is_true(json_object_get(json_object_get(answer, "result"), "rehearsal")))
		err = fault_set(fault, ERR_USAGE, "",
				"the core keeps a real journal: --drive is for rehearsals only "
				"(vigied --rehearse DATE)");
	else
		err = read_now(rehearsal, answer, fault);
	json_decref(answer);
	return err;
}

static void disconnect(struct rehearsal *rehearsal)
{
	if (rehearsal->input)
		fclose(rehearsal->input);
	rehearsal->input = NULL;
}

static enum err try_core(struct rehearsal *rehearsal, int64_t until_ms, struct fault *fault)
{
	int fd = connect_until(rehearsal->path, until_ms);

	if (fd < 0)
		return fault_set(fault, ERR_CLOSED, "", "%s: %s", rehearsal->path, strerror(errno));
	rehearsal->input = fdopen(fd, "r");
	assert(rehearsal->input);
	return ask_status(rehearsal, fault);
}

/* A core that is ending may still let somebody in. */
static enum err connect_to_core(struct rehearsal *rehearsal, struct fault *fault)
{
	int64_t until = clock_boot_ms() + rehearsal->timeout_ms;
	enum err err = try_core(rehearsal, until, fault);

	while (err == ERR_CLOSED && rehearsal->input && clock_boot_ms() < until) {
		disconnect(rehearsal);
		usleep(CONNECT_PAUSE_US);
		err = try_core(rehearsal, until, fault);
	}
	return err;
}

enum err rehearsal_open(const char *socket, int64_t timeout_ms, struct rehearsal **rehearsal,
			struct fault *fault)
{
	struct rehearsal *opened = mem_new(sizeof(*opened));
	enum err err;

	*opened = (struct rehearsal){.path = socket, .timeout_ms = timeout_ms};
	err = connect_to_core(opened, fault);
	if (err)
		rehearsal_close(&opened);
	*rehearsal = opened;
	return err;
}

void rehearsal_close(struct rehearsal **rehearsal)
{
	if (!*rehearsal)
		return;
	disconnect(*rehearsal);
	free(*rehearsal);
	*rehearsal = NULL;
}

/* --- the calendar --- */

ms_t rehearsal_now(const struct rehearsal *rehearsal)
{
	return rehearsal->now;
}

static enum err advance(struct rehearsal *rehearsal, ms_t time, struct fault *fault)
{
	char text[TIME_TEXT_SIZE];
	json_t *answer = NULL;
	enum err err;

	if (time <= rehearsal->now)
		return ERR_OK;
	err = call(rehearsal, "clock.advance", json_pack("{s:s}", "to", time_print(time, text)),
		   &answer, fault);
	if (err)
		return err;
	err = read_now(rehearsal, answer, fault);
	json_decref(answer);
	return err;
}

/* A core that went away on the way is asked again when it is back: it may have come only so far. */
enum err rehearsal_advance(struct rehearsal *rehearsal, ms_t time, struct fault *fault)
{
	enum err err = advance(rehearsal, time, fault);

	for (uint32_t i = 0; err == ERR_CLOSED && i < LOSSES_MAX; i++) {
		disconnect(rehearsal);
		err = connect_to_core(rehearsal, fault);
		if (err)
			return err;
		err = advance(rehearsal, time, fault);
	}
	return err;
}
