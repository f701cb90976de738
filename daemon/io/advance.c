#include "daemon/io/advance.h"

#include <stdlib.h>

#include "base/mem.h"
#include "daemon/view.h"

/* Real time without any progress after which nobody can be expected to do the tasks that are due. */
enum { PATIENCE_MS = 30000 };

struct advance {
	struct core *core;
	struct rpc_call *call; /* NULL: none under way */
	ms_t target;
	uint64_t seen; /* number of the last event when progress was last seen */
	struct timer *patience;
	bool is_stepping;
};

static void give_up(void *context)
{
	struct advance *advance = context;
	struct fault fault = {0};

	if (!advance->call)
		return;
	(void)fault_set(&fault, ERR_BUSY, "",
			"tasks that are due wait for a worker that does not come: is vigie-notify, "
			"is vigie-schedule running?");
	fault.retry_after_ms = 1000;
	rpc_refuse(&advance->call, &fault);
}

struct advance *advance_new(struct core *core)
{
	struct advance *advance = mem_new(sizeof(*advance));

	advance->core = core;
	advance->patience = timer_new(core->loop, give_up, advance);
	return advance;
}

void advance_free(struct advance **advance)
{
	if (!*advance)
		return;
	timer_free(&(*advance)->patience);
	free(*advance);
	*advance = NULL;
}

/* A bare date is the end of that day in Paris. */
static bool parse_target(const json_t *params, ms_t *target)
{
	const char *text = json_string_value(json_object_get(params, "to"));
	day_t day;

	if (!text)
		return false;
	if (time_parse(str_from(text), target))
		return true;
	if (!day_parse(str_from(text), &day))
		return false;
	*target = time_at_paris(day + 1, 0, 0) - 1;
	return true;
}

static enum err check_begin(const struct advance *advance, const json_t *params, ms_t *target,
			    struct fault *fault)
{
	if (!advance->core->calendar.is_rehearsal)
		return fault_set(fault, ERR_FORBIDDEN, "",
				 "this journal is no rehearsal: its clock is the wall's");
	if (advance->call)
		return fault_set(fault, ERR_BUSY, "", "the calendar is being advanced already");
	if (rpc_check_params(params, "to", fault))
		return fault->code;
	if (!parse_target(params, target))
		return fault_set(fault, ERR_BAD_REQUEST, "to",
				 "a day (YYYY-MM-DD) or an RFC 3339 time is expected");
	if (*target < advance->core->calendar.now)
		return fault_set(fault, ERR_BAD_REQUEST, "to",
				 "this is past; a calendar only moves forward");
	return ERR_OK;
}

void advance_begin(struct advance *advance, struct rpc_call **call, const json_t *params)
{
	struct fault fault = {0};
	ms_t target;

	if (check_begin(advance, params, &target, &fault)) {
		rpc_refuse(call, &fault);
		return;
	}
	advance->call = *call;
	*call = NULL;
	advance->target = target;
	advance_step(advance);
}

static bool has_work(const struct state *state)
{
	return state->task_states[TASK_STATE_READY] || state->task_states[TASK_STATE_LEASED];
}

/* To the next timer, or to the end. */
static void move_on(struct advance *advance)
{
	struct core *core = advance->core;
	ms_t next = engine_next_timer(core->engine);

	if (next == MS_NONE || next > advance->target)
		next = advance->target;
	if (next > core->calendar.now)
		core->calendar.now = next;
	engine_pass_time(core->engine);
	turns_flush(core->turns);
}

static void finish(struct advance *advance)
{
	timer_stop(advance->patience);
	rpc_answer(&advance->call,
		   json_pack("{s:o}", "now", view_time(advance->core->calendar.now)));
}

static void watch_progress(struct advance *advance)
{
	uint64_t seq = engine_state(advance->core->engine)->seq;

	if (seq != advance->seen)
		timer_set(advance->patience, PATIENCE_MS);
	advance->seen = seq;
}

void advance_step(struct advance *advance)
{
	const struct state *state = engine_state(advance->core->engine);

	if (!advance->call || advance->is_stepping)
		return;
	advance->is_stepping = true; /* turns run from here call back */
	while (!has_work(state) && !engine_pending(advance->core->engine) &&
	       state->now < advance->target)
		move_on(advance);
	advance->is_stepping = false;
	watch_progress(advance);
	if (!has_work(state) && state->now >= advance->target)
		finish(advance);
}
