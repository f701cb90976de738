#include "proto/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

struct loop {
	struct event_base *base;
	loop_fn *on_stop, *on_reload;
	void *context;
	bool is_stopping;
};

struct loop *loop_new(void)
{
	struct loop *loop = mem_new(sizeof(*loop));

	signal(SIGPIPE, SIG_IGN);
	loop->base = event_base_new();
	assert(loop->base);
	return loop;
}

void loop_free(struct loop **loop)
{
	if (!*loop)
		return;
	event_base_free((*loop)->base);
	free(*loop);
	*loop = NULL;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

/* The second signal comes from somebody who will not wait: the journal is safe at any moment. */
static void on_stop_signal(evutil_socket_t number, short what, void *context)
{
	struct loop *loop = context;

	(void)what;
	if (loop->is_stopping)
		_exit(128 + (int)number);
	loop->is_stopping = true;
	if (loop->on_stop)
		loop->on_stop(loop->context);
	else
		loop_stop(loop);
}

static void on_reload_signal(evutil_socket_t number, short what, void *context)
{
	struct loop *loop = context;

	(void)number;
	(void)what;
	loop->on_reload(loop->context);
}

static struct event *catch_signal(struct loop *loop, int number, event_callback_fn fn)
{
	struct event *event = evsignal_new(loop->base, number, fn, loop);
	int failed = !event || event_add(event, NULL);

	assert(!failed);
	return event;
}

void loop_run(struct loop *loop, loop_fn *on_stop, loop_fn *on_reload, void *context)
{
	struct event *stops[] = {catch_signal(loop, SIGTERM, on_stop_signal),
				 catch_signal(loop, SIGINT, on_stop_signal)};
	struct event *reload = on_reload ? catch_signal(loop, SIGHUP, on_reload_signal) : NULL;

	loop->on_stop = on_stop;
	loop->on_reload = on_reload;
	loop->context = context;
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);

	event_free(stops[0]);
	event_free(stops[1]);
	if (reload)
		event_free(reload);
}

void loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

/* Timers. */

struct timer {
	struct event *event;
	loop_fn *fn;
	void *context;
};

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct timer *timer = context;

	(void)fd;
	(void)what;
	timer->fn(timer->context); /* may free the timer */
}

struct timer *timer_new(struct loop *loop, loop_fn *fn, void *context)
{
	struct timer *timer = mem_new(sizeof(*timer));

	timer->fn = fn;
	timer->context = context;
	timer->event = evtimer_new(loop->base, on_timer, timer);
	assert(timer->event);
	return timer;
}

void timer_free(struct timer **timer)
{
	if (!*timer)
		return;
	event_free((*timer)->event);
	free(*timer);
	*timer = NULL;
}

/* A timer of no delay is not event_active(): that would run again within the same pass and let
 * nothing else have its turn. */
void timer_set(struct timer *timer, int64_t delay_ms)
{
	struct timeval delay = {delay_ms / 1000, delay_ms % 1000 * 1000};
	int failed;

	assert(delay_ms >= 0);
	failed = evtimer_add(timer->event, &delay);
	assert(!failed);
}

void timer_stop(struct timer *timer)
{
	evtimer_del(timer->event);
}

/* Descriptors. */

struct watch {
	struct event *event;
	loop_fd_fn *fn;
	void *context;
};

static void on_descriptor(evutil_socket_t fd, short what, void *context)
{
	struct watch *watch = context;

	watch->fn(watch->context, fd, what & EV_READ, what & EV_WRITE); /* may free the watch */
}

struct watch *watch_new(struct loop *loop, int fd, bool read, bool write, loop_fd_fn *fn,
			void *context)
{
	struct watch *watch = mem_new(sizeof(*watch));
	short what = EV_PERSIST | (read ? EV_READ : 0) | (write ? EV_WRITE : 0);
	int failed;

	watch->fn = fn;
	watch->context = context;
	watch->event = event_new(loop->base, fd, what, on_descriptor, watch);
	assert(watch->event);
	failed = event_add(watch->event, NULL);
	assert(!failed);
	return watch;
}

void watch_free(struct watch **watch)
{
	if (!*watch)
		return;
	event_free((*watch)->event);
	free(*watch);
	*watch = NULL;
}

/* Clocks. */

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	int failed = clock_gettime(clock, &now);

	assert(!failed);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_boot_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}
