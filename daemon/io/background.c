#include "daemon/io/background.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct background {
	background_fn *fn;
	void *context;
	pthread_t thread;
	int asked, done; /* eventfds, which also order what either side has written */
	bool has_thread;
	bool is_busy;   /* the caller's: begun, not yet waited for */
	bool is_ending; /* told by `asked`: nothing more is to be done */
};

/* Neither can fail on a good descriptor but for a signal in between. */

static void signal_to(int fd)
{
	const uint64_t one = 1;
	ssize_t size;

	do
		size = write(fd, &one, sizeof(one));
	while (size < 0 && errno == EINTR);
	assert(size == sizeof(one));
}

static void wait_for(int fd)
{
	uint64_t count;
	ssize_t size;

	do
		size = read(fd, &count, sizeof(count));
	while (size < 0 && errno == EINTR);
	assert(size == sizeof(count));
}

static void *run(void *address)
{
	struct background *background = address;

	for (;;) {
		wait_for(background->asked);
		if (background->is_ending)
			return NULL;
		background->fn(background->context);
		signal_to(background->done);
	}
}

/* Signals are for the loop. */
static bool start_thread(struct background *background)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	background->has_thread = !pthread_create(&background->thread, NULL, run, background);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return background->has_thread;
}

enum err background_new(background_fn *fn, void *context, struct background **out)
{
	scoped(background_free) struct background *background = mem_new(sizeof(*background));

	background->fn = fn;
	background->context = context;
	background->asked = eventfd(0, EFD_CLOEXEC);
	background->done = eventfd(0, EFD_CLOEXEC);
	if (background->asked < 0 || background->done < 0 || !start_thread(background))
		return ERR_IO;
	*out = background;
	background = NULL;
	return ERR_OK;
}

void background_free(struct background **address)
{
	struct background *background = *address;

	*address = NULL;
	if (!background)
		return;
	background_wait(background);
	if (background->has_thread) {
		background->is_ending = true;
		signal_to(background->asked);
		pthread_join(background->thread, NULL);
	}
	if (background->asked >= 0)
		close(background->asked);
	if (background->done >= 0)
		close(background->done);
	free(background);
}

void background_begin(struct background *background)
{
	assert(!background->is_busy);
	background->is_busy = true;
	signal_to(background->asked);
}

void background_wait(struct background *background)
{
	if (!background->is_busy)
		return;
	wait_for(background->done);
	background->is_busy = false;
}

bool background_is_done(const struct background *background)
{
	struct pollfd done = {.fd = background->done, .events = POLLIN};

	return !background->is_busy || poll(&done, 1, 0) == 1;
}

int background_fd(const struct background *background)
{
	return background->done;
}
