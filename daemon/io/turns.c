#include "daemon/io/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* Timers further away than this are looked at again then: the wall clock may be set meanwhile. */
enum { LOOK_AGAIN_MS = 60000 };

struct turns {
	struct engine *engine;
	struct timer *timer;
	struct watch *journal; /* says when what was appended is durable */
	bool is_awake;         /* the timer is set to now */
	loop_fn *after;
	void *context;
};

static void plan_next(struct turns *turns)
{
	ms_t next = engine_next_timer(turns->engine);
	int64_t delay = next == MS_NONE ? LOOK_AGAIN_MS : next - engine_now(turns->engine);

	if (engine_pending(turns->engine) || delay < 0)
		delay = 0;
	turns->is_awake = delay == 0;
	timer_set(turns->timer, delay < LOOK_AGAIN_MS ? delay : LOOK_AGAIN_MS);
}

static void end(enum err err)
{
	log_error("engine.turn", "code=%s", err_name(err));
	fprintf(stderr,
		"vigied: a turn could not be kept: %s; nothing of it was acknowledged, and "
		"the next start reads what is on disk\n",
		err_meaning(err));
	_exit(EXIT_FAILURE); /* nothing more may be written: the outcome is unknown */
}

static void run(struct turns *turns, enum err (*step)(struct engine *engine))
{
	enum err err = step(turns->engine);

	if (err)
		end(err);
	if (turns->after)
		turns->after(turns->context);
}

static void fire(void *context)
{
	struct turns *turns = context;

	run(turns, engine_turn_ahead);
	plan_next(turns);
}

static void on_durable(void *context, int fd, bool can_read, bool can_write)
{
	(void)fd;
	(void)can_read;
	(void)can_write;
	fire(context);
}

struct turns *turns_new(struct loop *loop, struct engine *engine, int journal_fd, loop_fn *after,
			void *context)
{
	struct turns *turns = mem_new(sizeof(*turns));

	turns->engine = engine;
	turns->after = after;
	turns->context = context;
	turns->timer = timer_new(loop, fire, turns);
	turns->journal = watch_new(loop, journal_fd, true, false, on_durable, turns);
	plan_next(turns);
	return turns;
}

void turns_free(struct turns **turns)
{
	if (!*turns)
		return;
	watch_free(&(*turns)->journal);
	timer_free(&(*turns)->timer);
	free(*turns);
	*turns = NULL;
}

void turns_wake(struct turns *turns)
{
	if (turns->is_awake)
		return;
	turns->is_awake = true;
	timer_set(turns->timer, 0);
}

void turns_settle(struct turns *turns)
{
	enum err err = engine_settle(turns->engine);

	if (err)
		end(err);
}

void turns_flush(struct turns *turns)
{
	turns_settle(turns);
	while (engine_pending(turns->engine))
		run(turns, engine_turn);
	plan_next(turns);
}
