/* libevent, as little of it as is needed: signals, deadlines, readable descriptors. */
#pragma once

#include "base/err.h"

struct loop;
struct event_base;

typedef void loop_fn(void *context);
typedef void loop_fd_fn(void *context, int fd, bool can_read, bool can_write);

struct loop *loop_new(void);
void loop_free(struct loop **loop);
struct event_base *loop_base(struct loop *loop); /* for libevent's own parts: bufferevents, HTTP */

/* Runs until loop_stop(). SIGTERM and SIGINT call `on_stop` (a second one ends the process at once);
 * SIGHUP calls `on_reload` when it is set. SIGPIPE is ignored. */
void loop_run(struct loop *loop, loop_fn *on_stop, loop_fn *on_reload, void *context);
void loop_stop(struct loop *loop);

/* A timer that is set and set again. */
struct timer;
struct timer *timer_new(struct loop *loop, loop_fn *fn, void *context);
void timer_free(struct timer **timer);
void timer_set(struct timer *timer, int64_t delay_ms); /* 0: after what is ready now */
void timer_stop(struct timer *timer);

/* A descriptor to watch. */
struct watch;
struct watch *watch_new(struct loop *loop, int fd, bool read, bool write, loop_fd_fn *fn,
			void *context);
void watch_free(struct watch **watch);

/* CLOCK_BOOTTIME, for leases and heartbeats; and the wall clock. */
int64_t clock_boot_ms(void);
int64_t clock_wall_ms(void);
