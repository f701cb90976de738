/* How often, and for how long, a task is tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/alarm.h"
#include "daemon/apply.h"
#include "daemon/tasks.h"

enum { TASKS = 200 };

/* A state with tasks that are all ready. */
static void begin(struct state *state, bool is_rehearsal)
{
	state_init(state);
	state->is_rehearsal = is_rehearsal;
	state->now = 1425300000000;
	for (uint32_t i = 0; i < TASKS; i++)
		(void)tasks_create(state, (struct task){.kind = TASK_KIND_PLAN});
}

/* Given to a worker that fails; at the end it waits for its next attempt, or is buried. */
static void fail_once(struct state *state, uint32_t number, uint32_t class)
{
	struct task *task = state_get(state, tasks, number);
	struct event event;

	event_clear(&event, EVENT_TASK_LEASED);
	event.seq = state->seq = state->seq + 1;
	event.data.task_leased.task = number;
	on_task_leased(state, &event, NULL);
	event_clear(&event, EVENT_TASK_FAILED);
	event.data.task_failed.task = number;
	event.data.task_failed.token = task->token;
	event.data.task_failed.class = class;
	event.data.task_failed.code = STR("test");
	on_task_failed(state, &event, NULL);
}

/* The same when its time has come; false when it was buried. */
static bool fail_again(struct state *state, uint32_t number, uint32_t class)
{
	struct task *task = state_get(state, tasks, number);

	if (task->state == TASK_STATE_RETRYING) {
		state->now = task->due;
		tasks_make_ready(state, number);
	}
	fail_once(state, number, class);
	return task->state != TASK_STATE_BURIED;
}

static int64_t hours_since(const struct state *state, ms_t then)
{
	return (state->now - then) / MS_HOUR;
}

/* Twelve attempts outlast a long weekend: four days on average, none less than two. */
static void test_attempts_outlast_a_weekend(void **unused)
{
	struct state state;
	int64_t hours = 0;

	begin(&state, false);
	for (uint32_t number = 1; number <= TASKS; number++) {
		ms_t begun = state.tasks.items[number].first_ready = state.now;
		uint32_t attempts = 1;

		while (fail_again(&state, number, FAILURE_LATER))
			attempts++;

		assert_int_equal(attempts, TASK_ATTEMPTS_MAX);
		assert_in_range(hours_since(&state, begun), 48, TASK_LIFE_HOURS);
		hours += hours_since(&state, begun);
	}

	assert_in_range(hours / TASKS, 4 * 24, 5 * 24);
	state_done(&state);
}

/* A closed way out is looked at every hour or so for a week, and costs no attempt. */
static void test_a_closed_way_costs_no_attempt(void **unused)
{
	struct state state;
	struct task *task;
	ms_t begun;

	begin(&state, false);
	begun = state.now;
	task = state_get(&state, tasks, 1);
	while (fail_again(&state, 1, FAILURE_LIMITED))
		assert_in_range(task->due - state.now, 1, TASK_LIMITED_MAX_MS * 3 / 2);
	assert_in_range(hours_since(&state, begun), TASK_LIFE_HOURS, TASK_LIFE_HOURS + 2);
	assert_true(task->attempts > TASK_LIFE_HOURS / 2);
	state_done(&state);
}

/* What is left of its attempts afterwards is what it had before. */
static void test_attempts_are_left_when_the_way_is_open(void **unused)
{
	struct state state;
	uint32_t attempts = 1;

	begin(&state, false);
	for (uint32_t i = 0; i < 40; i++)
		assert_true(fail_again(&state, 1, FAILURE_LIMITED));
	while (fail_again(&state, 1, FAILURE_LATER))
		attempts++;

	assert_int_equal(attempts, TASK_ATTEMPTS_MAX);
	state_done(&state);
}

/* An hour or so of it is told to whoever looks, until it is over. */
static void test_a_closed_way_is_told(void **unused)
{
	struct state state;
	day_t since, today;

	begin(&state, false);
	today = time_paris_day(state.now);
	for (uint32_t i = 1; i < TASK_LIMITED_ALARM; i++) {
		assert_true(fail_again(&state, 1, FAILURE_LIMITED));
		assert_true(fail_again(&state, 2, FAILURE_LATER));
	}
	assert_int_equal(alarm_waiting_tasks(&state, &since), 0);

	assert_true(fail_again(&state, 1, FAILURE_LIMITED));
	assert_true(fail_again(&state, 2, FAILURE_LATER));
	assert_int_equal(alarm_waiting_tasks(&state, &since), 1);
	assert_int_equal(since, today);

	tasks_make_ready(&state, 1);
	assert_int_equal(alarm_waiting_tasks(&state, &since), 0);
	state_done(&state);
}

/* A rehearsal tries again at once: there everything counts, or it would never come to an end. */
static void test_a_rehearsal_gives_up(void **unused)
{
	struct state state;
	uint32_t attempts = 1;
	ms_t begun;

	begin(&state, true);
	begun = state.now;
	while (fail_again(&state, 1, FAILURE_LIMITED))
		assert_true(attempts++ < TASK_ATTEMPTS_MAX);

	assert_int_equal(attempts, TASK_ATTEMPTS_MAX);
	assert_int_equal(state.now, begun);
	state_done(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts_outlast_a_weekend),
		cmocka_unit_test(test_a_closed_way_costs_no_attempt),
		cmocka_unit_test(test_attempts_are_left_when_the_way_is_open),
		cmocka_unit_test(test_a_closed_way_is_told),
		cmocka_unit_test(test_a_rehearsal_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
