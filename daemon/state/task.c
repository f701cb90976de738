#include "daemon/state/task.h"

#define TO(STATE) (1u << TASK_STATE_##STATE)

static const uint32_t moves[TASK_STATE_END] = {
	[TASK_STATE_SCHEDULED] = TO(READY) | TO(HELD) | TO(CANCELLED) | TO(EXPIRED),
	[TASK_STATE_READY] = TO(LEASED) | TO(HELD) | TO(CANCELLED) | TO(EXPIRED),
	[TASK_STATE_LEASED] = TO(DONE) | TO(RETRYING) | TO(BURIED) | TO(CANCELLED),
	[TASK_STATE_RETRYING] = TO(READY) | TO(HELD) | TO(BURIED) | TO(CANCELLED),
	[TASK_STATE_HELD] = TO(SCHEDULED) | TO(READY) | TO(CANCELLED) | TO(EXPIRED),
	[TASK_STATE_BURIED] = TO(READY) | TO(CANCELLED), /* kicked */
};

void task_move(struct task *task, uint32_t state)
{
	assert(task->state < TASK_STATE_END);
	assert(moves[task->state] & 1u << state);
	task->state = (uint8_t)state;
}

bool task_state_is_over(uint32_t state)
{
	return state == TASK_STATE_DONE || state == TASK_STATE_CANCELLED ||
	       state == TASK_STATE_EXPIRED;
}

bool task_state_is_void(uint32_t state)
{
	return state == TASK_STATE_CANCELLED || state == TASK_STATE_EXPIRED;
}

static uint32_t mix(uint32_t x)
{
	x = (x ^ (x >> 16)) * 0x7feb352du;
	x = (x ^ (x >> 15)) * 0x846ca68bu;
	return x ^ (x >> 16);
}

int64_t task_retry_delay_ms(uint32_t number, uint32_t attempts, int64_t most_ms)
{
	int64_t delay = TASK_RETRY_FIRST_MS;

	for (uint32_t i = 1; i < attempts && delay < most_ms; i++)
		delay *= TASK_RETRY_GROWTH;
	if (delay > most_ms)
		delay = most_ms;
	return delay / 2 + delay * (int64_t)(mix(number * 31 + attempts) % 1000) / 1000;
}
