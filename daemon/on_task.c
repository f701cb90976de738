/* What becomes of tasks: given, begun, done, failed, lost, kicked. Answers under an old token were
 * refused before; what comes for a task that is over is an echo, ignored. */
#include "daemon/apply.h"
#include "daemon/redirect.h"
#include "daemon/tasks.h"
#include "daemon/timers.h"
#include "proto/mail_failure.h"

static struct task *find_task(struct state *state, uint64_t number)
{
	return number && number < state->tasks.count ? &state->tasks.items[number] : NULL;
}

static struct task *find_leased(struct state *state, uint64_t number, uint64_t token)
{
	struct task *task = find_task(state, number);

	return task && task->state == TASK_STATE_LEASED && task->token == token ? task : NULL;
}

void on_task_leased(struct state *state, const struct event *event, const struct cause *cause)
{
	uint32_t number = (uint32_t)event->data.task_leased.task;
	struct task *task = find_task(state, number);

	(void)cause;
	if (!task || task->state != TASK_STATE_READY)
		return;
	tasks_move(state, number, TASK_STATE_LEASED);
	task->token = event->seq;
	task->attempts++;
	task->has_started = false;
}

void on_task_started(struct state *state, const struct event *event, const struct cause *cause)
{
	struct task *task =
		find_leased(state, event->data.task_started.task, event->data.task_started.token);

	(void)cause;
	if (task)
		task->has_started = true;
}

void on_task_done(struct state *state, const struct event *event, const struct cause *cause)
{
	struct task *task =
		find_leased(state, event->data.task_done.task, event->data.task_done.token);

	(void)cause;
	if (!task)
		return;
	tasks_move(state, (uint32_t)event->data.task_done.task, TASK_STATE_DONE);
	task->due = state->now;
}

static uint32_t counted_attempts(const struct task *task)
{
	return task->attempts - task->spared;
}

/* Too often, or too long: people have to look at it. */
static bool is_hopeless(const struct state *state, const struct task *task)
{
	return counted_attempts(task) >= TASK_ATTEMPTS_MAX || task->deaths >= TASK_DEATHS_MAX ||
	       state->now - task->first_ready >= TASK_LIFE_HOURS * MS_HOUR;
}

static void retry(struct state *state, uint32_t number, int64_t delay_ms, bool is_given_up)
{
	struct task *task = state_get(state, tasks, number);

	if (is_given_up || is_hopeless(state, task)) {
		tasks_move(state, number, TASK_STATE_BURIED);
		return;
	}
	tasks_move(state, number, TASK_STATE_RETRYING);
	task->due = state->now + (state->is_rehearsal ? 0 : delay_ms);
	timers_set(state, task->due, TIMER_TASK, number);
}

/* A closed way out, such as a wrong password, says nothing of the task: it is looked at again and again,
 * and costs no attempt. A rehearsal does not wait, so there it counts. */
static int64_t failure_delay_ms(struct state *state, uint32_t number, uint64_t class)
{
	struct task *task = state_get(state, tasks, number);

	if (class != FAILURE_LIMITED)
		return task_retry_delay_ms(number, counted_attempts(task), TASK_RETRY_MAX_MS);
	task->spared += !state->is_rehearsal;
	return task_retry_delay_ms(number, task->attempts, TASK_LIMITED_MAX_MS);
}

void on_task_failed(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct task_failed *data = &event->data.task_failed;
	struct task *task = find_leased(state, data->task, data->token);
	int64_t delay_ms;

	(void)cause;
	if (!task)
		return;
	task->code = names_add(&state->names, data->code);
	if (data->class == FAILURE_NEVER &&
	    str_is(data->code, mail_failure_code(MAIL_RECIPIENT_REFUSED)))
		redirect_refused(state, (uint32_t)data->task);
	delay_ms = failure_delay_ms(state, (uint32_t)data->task, data->class);
	if (data->retry_after_ms != UINT_NONE && (int64_t)data->retry_after_ms > delay_ms)
		delay_ms = (int64_t)data->retry_after_ms;
	retry(state, (uint32_t)data->task, delay_ms, data->class == FAILURE_NEVER);
}

void on_task_lost(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct task_lost *data = &event->data.task_lost;
	struct task *task = find_leased(state, data->task, data->token);

	(void)cause;
	if (!task)
		return;
	task->deaths += task->has_started;
	retry(state, (uint32_t)data->task,
	      task_retry_delay_ms((uint32_t)data->task, counted_attempts(task), TASK_RETRY_MAX_MS),
	      false);
}

void on_task_kicked(struct state *state, const struct event *event, const struct cause *cause)
{
	uint32_t number = (uint32_t)event->data.task_kicked.task;
	struct task *task = find_task(state, number);

	(void)cause;
	if (!task || (task->state != TASK_STATE_BURIED && task->state != TASK_STATE_RETRYING))
		return;
	tasks_kick(state, number);
}
