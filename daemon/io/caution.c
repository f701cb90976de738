#include "daemon/io/caution.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/io/store.h"

/* The file of ends, read and written in place: a note has its room on a full disk too. */
struct ends {
	char magic[8];
	uint32_t count;       /* ends in a row */
	uint32_t is_at_work;  /* 1: the identity below was at work at the last of them */
	uint32_t source_size; /* in `text`, the id comes after it */
	uint32_t id_size;
	char text[2 * NAME_SIZE_MAX];
};

static const char magic[8] = {'v', 'i', 'g', 'i', 'e', 'e', 'n', '1'};

struct caution {
	char path[PATH_MAX], suspects_path[PATH_MAX], draft_path[PATH_MAX];
	int fd; /* of the file of ends, while it has begun; else -1 */
	struct ends ends;
	json_t *suspects;
	struct engine *engine;
	struct timer *calm;
};

/* --- an end that the core brings on itself ---------------------------------------------------- */

static const int fatal_signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

/* What the handler may touch. */
static struct {
	int fd;
	uint32_t count;
	volatile sig_atomic_t is_at_work;
	struct sigaction before[ARRAY_SIZE(fatal_signals)];
} watch = {.fd = -1};

static void restore_signals(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &watch.before[i], NULL);
}

/* Counts it, then dies of it as it would have. Only calls that are safe in a handler. */
static void on_fatal_signal(int signal)
{
	uint32_t told[2] = {watch.count + 1, (uint32_t)watch.is_at_work};

	restore_signals();
	if (pwrite(watch.fd, told, sizeof(told), offsetof(struct ends, count)) == sizeof(told))
		(void)fdatasync(watch.fd);
	(void)raise(signal);
}

/* On a stack of its own: the other one may be what has run out. */
static void watch_signals(void)
{
	static char stack[64 * 1024];
	struct sigaction action = {.sa_handler = on_fatal_signal,
				   .sa_flags = SA_ONSTACK | SA_NODEFER};

	(void)sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &action, &watch.before[i]);
}

/* --- the file of ends ------------------------------------------------------------------------- */

static bool ends_hold(const struct ends *ends)
{
	return memcmp(ends->magic, magic, sizeof(magic)) == 0 && ends->is_at_work <= 1 &&
	       ends->source_size <= NAME_SIZE_MAX && ends->id_size <= NAME_SIZE_MAX;
}

static void forget_ends(struct ends *ends)
{
	*ends = (struct ends){.count = 0};
	memcpy(ends->magic, magic, sizeof(magic));
}

static void read_ends(struct caution *caution)
{
	int fd = open(caution->path, O_RDONLY | O_CLOEXEC);

	forget_ends(&caution->ends);
	if (fd < 0)
		return;
	if (read(fd, &caution->ends, sizeof(caution->ends)) != sizeof(caution->ends) ||
	    !ends_hold(&caution->ends)) {
		log_warn("caution.ends_unreadable", "size=%zu", sizeof(caution->ends));
		forget_ends(&caution->ends);
	}
	close(fd);
}

/* Caution that cannot be written down stops nothing. */
static void write_ends(struct caution *caution)
{
	const struct ends *ends = &caution->ends;

	if (pwrite(caution->fd, ends, sizeof(*ends), 0) != sizeof(*ends) || fdatasync(caution->fd))
		log_error("caution.write", "errno=%d", errno);
	watch.count = ends->count;
}

/* --- suspects --------------------------------------------------------------------------------- */

static struct str text_of(const json_t *entry, const char *name)
{
	const json_t *value = json_object_get(entry, name);

	return (struct str){json_string_value(value), json_string_length(value)};
}

/* Its place in the list, or the list's size. */
static size_t find_suspect(const struct caution *caution, struct str source, struct str id)
{
	size_t count = json_array_size(caution->suspects), i = 0;

	while (i < count) {
		const json_t *entry = json_array_get(caution->suspects, i);

		if (str_equal(text_of(entry, "source"), source) &&
		    str_equal(text_of(entry, "id"), id))
			break;
		i++;
	}
	return i;
}

static void read_suspects(struct caution *caution)
{
	json_error_t error;

	caution->suspects = json_load_file(caution->suspects_path, JSON_ALLOW_NUL, &error);
	if (json_is_array(caution->suspects))
		return;
	if (caution->suspects || json_error_code(&error) != json_error_cannot_open_file)
		log_error("caution.suspects_unreadable", "line=%d", error.line);
	json_decref(caution->suspects);
	caution->suspects = json_array();
}

/* The whole list anew, then in place of the old one. */
static enum err write_suspects(const struct caution *caution, const json_t *list)
{
	int fd = open(caution->draft_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool is_written;

	if (fd < 0)
		return ERR_IO;
	is_written = json_dumpfd(list, fd, JSON_INDENT(1)) == 0 && fsync(fd) == 0;
	close(fd);
	if (!is_written || rename(caution->draft_path, caution->suspects_path))
		return ERR_IO;
	return sync_folder_of(caution->suspects_path);
}

static void add_suspect(struct caution *caution, struct str source, struct str id)
{
	char since[TIME_TEXT_SIZE];

	if (find_suspect(caution, source, id) < json_array_size(caution->suspects))
		return;
	json_array_append_new(caution->suspects,
			      json_pack("{s:s%, s:s%, s:s}", "source", source.data, source.size,
					"id", id.data, id.size, "since",
					time_print(engine_now(caution->engine), since)));
	if (write_suspects(caution, caution->suspects))
		log_error("caution.write", "errno=%d", errno); /* held to all the same */
	log_error("caution.suspect", "count=%zu", json_array_size(caution->suspects));
}

const json_t *caution_suspects(const struct caution *caution)
{
	return caution->suspects;
}

day_t caution_since(const struct caution *caution)
{
	ms_t since;

	if (!time_parse(text_of(json_array_get(caution->suspects, 0), "since"), &since))
		return DAY_NONE;
	return time_paris_day(since);
}

enum err caution_admit(struct caution *caution, struct str source, struct str id)
{
	size_t at = find_suspect(caution, source, id);
	json_t *rest;
	enum err err;

	if (at == json_array_size(caution->suspects))
		return ERR_NOT_FOUND;
	rest = json_copy(caution->suspects);
	json_array_remove(rest, at);
	err = write_suspects(caution, rest);
	if (err) {
		json_decref(rest);
		return err;
	}
	json_decref(caution->suspects);
	caution->suspects = rest;
	log_info("caution.admitted", "left=%zu", json_array_size(rest));
	return ERR_OK;
}

/* --- the port --------------------------------------------------------------------------------- */

static bool is_suspect(void *context, struct str source, struct str id)
{
	const struct caution *caution = context;

	return json_array_size(caution->suspects) &&
	       find_suspect(caution, source, id) < json_array_size(caution->suspects);
}

static void note(void *context, struct str source, struct str id)
{
	struct caution *caution = context;
	struct ends *ends = &caution->ends;

	assert(source.size <= NAME_SIZE_MAX && id.size <= NAME_SIZE_MAX);
	ends->source_size = (uint32_t)source.size;
	ends->id_size = (uint32_t)id.size;
	memcpy(ends->text, source.data, source.size);
	memcpy(ends->text + source.size, id.data, id.size);
	write_ends(caution);
	watch.is_at_work = 1;
}

static void let_go(void *context)
{
	(void)context;
	watch.is_at_work = 0;
}

struct caution_port caution_port(struct caution *caution)
{
	return (struct caution_port){
		.context = caution,
		.is_suspect = is_suspect,
		.note = note,
		.let_go = let_go,
	};
}

/* --- a life ----------------------------------------------------------------------------------- */

static void calm_down(void *context)
{
	struct caution *caution = context;

	if (caution->ends.count >= ENDS_BEFORE_CAUTION)
		log_info("caution.over", "ends=%u", caution->ends.count);
	engine_be_careful(caution->engine, false);
	forget_ends(&caution->ends);
	write_ends(caution);
}

/* What the last end says of the event that was at work. */
static void judge(struct caution *caution)
{
	struct ends *ends = &caution->ends;

	if (ends->is_at_work)
		add_suspect(caution, (struct str){ends->text, ends->source_size},
			    (struct str){ends->text + ends->source_size, ends->id_size});
	ends->is_at_work = 0;
	if (ends->count < ENDS_BEFORE_CAUTION)
		return;
	log_warn("caution.begins", "ends=%u", ends->count);
	engine_be_careful(caution->engine, true);
}

void caution_begin(struct caution *caution, struct loop *loop, struct engine *engine,
		   int64_t calm_after_ms)
{
	assert(watch.fd < 0);
	caution->fd = open(caution->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (caution->fd < 0 || sync_folder_of(caution->path))
		log_error("caution.open", "errno=%d", errno);
	caution->engine = engine;
	judge(caution);
	write_ends(caution);
	watch.is_at_work = 0;
	watch.fd = caution->fd;
	watch_signals();
	caution->calm = timer_new(loop, calm_down, caution);
	timer_set(caution->calm, calm_after_ms);
}

void caution_end(struct caution *caution)
{
	restore_signals();
	watch.fd = -1;
	timer_free(&caution->calm);
	forget_ends(&caution->ends);
	write_ends(caution);
	close(caution->fd);
	caution->fd = -1;
}

void caution_open(const char *folder, struct caution **opened)
{
	struct caution *caution = mem_new(sizeof(*caution));

	caution->fd = -1;
	snprintf(caution->path, sizeof(caution->path), "%s/ends", folder);
	snprintf(caution->suspects_path, sizeof(caution->suspects_path), "%s/suspects.json",
		 folder);
	snprintf(caution->draft_path, sizeof(caution->draft_path), "%s/suspects.draft", folder);
	read_ends(caution);
	read_suspects(caution);
	*opened = caution;
}

void caution_close(struct caution **caution)
{
	struct caution *old = *caution;

	if (!old)
		return;
	assert(old->fd < 0);
	json_decref(old->suspects);
	free(old);
	*caution = NULL;
}
