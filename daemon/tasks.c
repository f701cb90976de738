#include "daemon/tasks.h"

uint32_t tasks_add(struct state *state, struct task task)
{
	task.state = TASK_STATE_SCHEDULED;
	task.first_ready = state->now;
	state->task_states[TASK_STATE_SCHEDULED]++;
	return table_add(state->tasks, task);
}

static void task_list_add(struct state *state, struct task_list *list, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	task->next = 0;
	task->previous = list->last;
	if (list->last)
		state->tasks.items[list->last].next = number;
	else
		list->first = number;
	list->last = number;
	list->count++;
}

static void task_list_remove(struct state *state, struct task_list *list, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	if (task->previous)
		state->tasks.items[task->previous].next = task->next;
	else
		list->first = task->next;
	if (task->next)
		state->tasks.items[task->next].previous = task->previous;
	else
		list->last = task->previous;
	task->next = task->previous = 0;
	list->count--;
}

static struct task_list *list_of(struct state *state, const struct task *task)
{
	if (task->state == TASK_STATE_READY)
		return &state->ready[task->kind];
	if (task->state == TASK_STATE_HELD)
		return &state->held;
	return NULL;
}

void tasks_move(struct state *state, uint32_t number, uint32_t to)
{
	struct task *task = state_get(state, tasks, number);
	struct task_list *from = list_of(state, task);

	if (from)
		task_list_remove(state, from, number);
	state->task_states[task->state]--;
	task_move(task, to);
	state->task_states[task->state]++;
	if (list_of(state, task))
		task_list_add(state, list_of(state, task), number);
}

/* Its life counts from when it can first be tried: what was held or scheduled for weeks is not old. */
void tasks_make_ready(struct state *state, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	if (task->state != TASK_STATE_RETRYING)
		task->first_ready = state->now;
	tasks_move(state, number, TASK_STATE_READY);
	task->due = state->now;
}

uint32_t tasks_create(struct state *state, struct task task)
{
	uint32_t number = tasks_add(state, task);

	tasks_make_ready(state, number);
	return number;
}

void tasks_kick(struct state *state, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	task->attempts = 0;
	task->spared = 0;
	task->deaths = 0;
	tasks_make_ready(state, number);
	task->first_ready = state->now;
}

void tasks_rebuild(struct state *state)
{
	for (uint32_t i = 1; i < state->tasks.count; i++)
		state->task_states[state->tasks.items[i].state]++;
}
