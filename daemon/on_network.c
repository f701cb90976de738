/* What the core tells the network and the coordinator by itself: outreach, the morning's mails, the end
 * of a long import. */
#include "daemon/alarm.h"
#include "daemon/apply.h"
#include "daemon/network.h"
#include "daemon/post.h"
#include "daemon/timers.h"

/* --- outreach ----------------------------------------------------------------------------------- */

static void change_outreach(struct state *state, const struct list *changes, bool is_suspended,
			    const struct cause *cause)
{
	sectors_t sectors = 0;

	for (uint32_t i = 0; i < changes->count; i++) {
		struct str id = list_at(changes, struct sector_wait, i)->sector;
		uint32_t number = policy_sector_number(&state->policy, id);

		state_sector(state, id)->is_suspended = is_suspended;
		if (number)
			sectors |= (sectors_t)1 << (number - 1);
	}
	network_tell(state, cause,
		     is_suspended ? TEMPLATE_OUTREACH_SUSPENDED : TEMPLATE_OUTREACH_RESUMED,
		     sectors);
}

void on_outreach_suspended(struct state *state, const struct event *event,
			   const struct cause *cause)
{
	change_outreach(state, &event->data.outreach_suspended.sectors, true, cause);
}

void on_outreach_resumed(struct state *state, const struct event *event, const struct cause *cause)
{
	change_outreach(state, &event->data.outreach_resumed.sectors, false, cause);
}

/* --- the morning -------------------------------------------------------------------------------- */

static bool has_stop(const struct state *state, uint32_t pair, day_t monday)
{
	for (uint32_t i = 1; i < state->active_visits.count; i++) {
		const struct visit *visit = &state->visits.items[state->active_visits.items[i]];

		if (visit->state == VISIT_STATE_CONFIRMED && visit->pair == pair &&
		    visit->day >= monday && visit->day < monday + 7)
			return true;
	}
	return false;
}

static void post_agendas(struct state *state, const struct cause *cause)
{
	for (uint32_t i = 0; i < state->policy.pairs.count; i++) {
		struct str id = list_at(&state->policy.pairs, struct policy_pair, i)->id;
		struct mail mail = {
			.about = cause->seq,
			.template = TEMPLATE_WEEK_AGENDA,
			.to = TO_PAIR,
			.recipient = names_add(&state->names, id),
			.day = state->today,
		};

		if (has_stop(state, mail.recipient, state->today))
			post_mail(state, mail);
	}
}

static void post_to_coordinator(struct state *state, struct mail mail)
{
	mail.template = TEMPLATE_COORDINATOR;
	mail.to = TO_COORDINATOR;
	post_mail(state, mail);
}

/* Is there more of something than the coordinator was told of last? A cut is told at once, not again. */
static bool has_news(struct state *state, const struct alarms *alarms)
{
	bool is_new = false;

	for (uint32_t code = 1; code < ALARM_END; code++) {
		uint32_t count = alarms->of[code].count;

		is_new = is_new || (code != ALARM_CUT && count > state->told_alarms[code]);
		state->told_alarms[code] = count;
	}
	return is_new;
}

/* What the coordinator is to know of from now on; true when there is more than before. */
static bool take_stock(struct state *state)
{
	struct arena arena = {0};
	struct alarms alarms;
	bool is_news;

	alarms_look(state, &arena, &alarms);
	is_news = has_news(state, &alarms);
	arena_done(&arena);
	return is_news;
}

/* While an import goes on, its summary is waited for. */
static void post_alarms(struct state *state, const struct cause *cause)
{
	if (!state->import.first && take_stock(state))
		post_to_coordinator(state, (struct mail){.about = cause->seq, .day = state->today});
}

void on_morning(struct state *state, const struct cause *cause)
{
	if (day_weekday(state->today) == 0)
		post_agendas(state, cause);
	post_alarms(state, cause);
}

/* --- a long import ------------------------------------------------------------------------------ */

enum { IMPORT_PAUSE_MS = 3600 * 1000 }; /* no old fact for so long: it has ended */

void import_note(struct state *state, uint64_t seq)
{
	bool is_first = !state->import.first;

	if (is_first)
		state->import.first = seq;
	state->import.last = seq;
	state->import.due = state->now + IMPORT_PAUSE_MS;
	if (is_first)
		timers_set(state, state->import.due, TIMER_IMPORT, 0);
}

void on_import_ended(struct state *state)
{
	struct import import = state->import;

	if (!import.first)
		return;
	if (import.due > state->now) {
		timers_set(state, import.due, TIMER_IMPORT, 0);
		return;
	}
	state->import = (struct import){0};
	(void)take_stock(state); /* the summary speaks of it */
	post_to_coordinator(state, (struct mail){.about = import.last, .referral = import.first});
}
