/* What a coordinator has to look at: derived when somebody asks, from the state as it is. Facts that came
 * long after they happened raise no alarm. */
#pragma once

#include "daemon/network.h"
#include "daemon/water.h"

struct alarm_raised {
	uint32_t count;
	day_t since; /* of the oldest; DAY_NONE: no day is known */
	/* the first of them: numbers of cases or tasks, givers, places; "household 7" */
	struct texts about;
};

struct alarms {
	struct alarm_raised of[ALARM_END];
	struct water_off water[SET_COUNT_MAX]; /* the first where water is off */
	uint32_t water_count;
};

/* Texts lie in `arena`, or are borrowed from the state. */
void alarms_look(const struct state *state, struct arena *arena, struct alarms *alarms);

/* Tasks for which the way out has been closed for a while (`limited`), and the day of the oldest. No alarm
 * among the others, since those are told by mail. */
uint32_t alarm_waiting_tasks(const struct state *state, day_t *since);

/* A likeness nobody has settled: no word about these two households came after it. */
bool link_is_unsettled(const struct state *state, const struct link *link);
