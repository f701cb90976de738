/* When the state is to be looked at again. Timers are an index: what is due follows from the tables. */
#pragma once

#include "daemon/state.h"

/* Kinds of timers, in the order in which they fire at one instant. */
enum timer_kind {
	TIMER_HOUSEHOLD = 1, /* id: household index */
	TIMER_GIVER = 2,     /* id: giver index; the day after the last */
	TIMER_PLAN = 3,
	TIMER_TASK = 4, /* id: task */
	/* of every day */
	TIMER_NIGHT = 5,    /* 00:00: sectors open and close, givers are quiet */
	TIMER_FORECAST = 6, /* 06:00 */
	TIMER_MORNING = 7,  /* 07:00: agendas, alarms */
	TIMER_IMPORT = 8,   /* a long import has ended */
};

enum { FORECAST_HOUR = 6, MORNING_HOUR = 7 };

/* The timers of every day, from now on. */
void timers_set_daily(struct state *state, enum timer_kind kind);

void timers_set(struct state *state, ms_t at, enum timer_kind kind, uint32_t id);

/* All of them again, after the tables were read from a snapshot. */
void timers_rebuild(struct state *state);
