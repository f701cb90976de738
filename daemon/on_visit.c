/* What the coordinator says of visits. */
#include "daemon/apply.h"

/* Keeps the fact with the household the visit belongs to, and says which case that is. */
static uint32_t keep(struct state *state, const struct event *event, struct visit_fact data,
		     const struct cause *cause)
{
	struct fact fact = {.visit = data};

	(void)apply_fact(state, event, &fact, event->found.household);
	settle_household(state, party_household(state, event->found.household), cause);
	return case_resolve(state, state_get(state, visits, data.visit)->case_number);
}

/* What the same event undid, a deferral say, was told already. */
static bool is_told(const struct state *state, uint32_t number, uint32_t visit)
{
	return !number || !visit_is_active(&state->visits.items[visit]);
}

static void tell_changed(struct state *state, uint32_t number, uint32_t visit,
			 const struct cause *cause)
{
	if (!is_told(state, number, visit))
		mailing_to_all(state, cause, TEMPLATE_VISIT_CHANGED, number, visit, true);
}

void on_visit_confirmed(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct visit_confirmed *data = &event->data.visit_confirmed;
	uint32_t visit = (uint32_t)data->visit;
	bool was_confirmed = state_get(state, visits, visit)->was_confirmed;
	uint32_t sequence = state_get(state, visits, visit)->sequence;
	uint32_t number = keep(state, event,
			       (struct visit_fact){visit, data->day, (uint8_t)data->half,
						   (uint8_t)data->by, 0, 0, 0},
			       cause);

	if (!was_confirmed && !is_told(state, number, visit))
		mailing_to_all(state, cause, TEMPLATE_VISIT_CONFIRMED, number, visit, true);
	else if (state->visits.items[visit].sequence != sequence)
		tell_changed(state, number, visit, cause);
}

void on_visit_moved(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct visit_moved *data = &event->data.visit_moved;
	uint32_t visit = (uint32_t)data->visit;
	uint32_t sequence = state_get(state, visits, visit)->sequence;
	uint32_t number = keep(state, event,
			       (struct visit_fact){visit, data->day, (uint8_t)data->half,
						   (uint8_t)data->by, 0, 0, 0},
			       cause);

	if (state->visits.items[visit].sequence != sequence)
		tell_changed(state, number, visit, cause);
}

void on_visit_cancelled(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct visit_cancelled *data = &event->data.visit_cancelled;
	uint32_t visit = (uint32_t)data->visit;
	bool was_confirmed = state_get(state, visits, visit)->was_confirmed;
	uint32_t number =
		keep(state, event,
		     (struct visit_fact){visit, DAY_NONE, 0, (uint8_t)data->by, 0, 0, 0}, cause);

	if (was_confirmed && number)
		mailing_to_all(state, cause, TEMPLATE_VISIT_CHANGED, number, visit, true);
}

void on_visit_recorded(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct visit_recorded *data = &event->data.visit_recorded;
	uint32_t visit = (uint32_t)data->visit;
	uint32_t number =
		keep(state, event,
		     (struct visit_fact){visit, DAY_NONE, 0, 0, (uint8_t)data->result,
					 (uint8_t)data->second_visit, (uint8_t)data->onward},
		     cause);

	if (number)
		mailing_to_all(state, cause, TEMPLATE_OUTCOME, number, visit, false);
}
