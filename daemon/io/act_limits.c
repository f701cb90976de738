#include "daemon/io/act_limits.h"

/* That a household wants no visit, or has moved, may be known before the day. */
static bool is_known_before(uint32_t result)
{
	return result == RESULT_DECLINED || result == RESULT_MOVED_AWAY;
}

/* What nobody planned the engine refuses with its own words. */
static enum err check_record(const struct state *state, const struct visit_recorded *data,
			     struct fault *fault)
{
	const struct visit *visit =
		data->visit < state->visits.count ? &state->visits.items[data->visit] : NULL;
	char day[DAY_WORDS_SIZE];

	if (!visit || visit->day <= state->today || visit_state_is_recorded(visit->state) ||
	    is_known_before((uint32_t)data->result))
		return ERR_OK;
	return fault_set(fault, ERR_INVALID_EVENT, "data.visit",
			 "this visit is for %s: record it on that day or later, or move it to "
			 "today first",
			 day_print_words(visit->day, day));
}

/* The latest word holds: one that is over already would end an allowance without a word. */
static enum err check_derogation(const struct state *state, const struct derogation_decided *data,
				 struct fault *fault)
{
	char day[DAY_WORDS_SIZE];

	if (data->until >= state->today)
		return ERR_OK;
	return fault_set(fault, ERR_INVALID_EVENT, "data.until",
			 "this day is past: today, %s, or a later day is expected; to end an "
			 "allowance, deny it, or retract it",
			 day_print_words(state->today, day));
}

enum err act_check(const struct state *state, const struct event *event, struct fault *fault)
{
	switch (event->kind) {
	case EVENT_VISIT_RECORDED:
		return check_record(state, &event->data.visit_recorded, fault);
	case EVENT_DEROGATION_DECIDED:
		return check_derogation(state, &event->data.derogation_decided, fault);
	default:
		return ERR_OK;
	}
}
