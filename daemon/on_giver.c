/* Givers and pairs: registered, moved, left; away. */
#include "daemon/apply.h"

static void keep(struct state *state, const struct event *event, struct giver_fact giver)
{
	struct fact fact = {.giver = giver};

	(void)apply_fact(state, event, &fact, event->found.giver);
	settle_giver(state, party_giver(state, event->found.giver));
}

void on_giver_registered(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct giver_registered *data = &event->data.giver_registered;

	(void)cause;
	keep(state, event,
	     (struct giver_fact){
		     .structure = names_add(&state->names, data->structure),
		     .successor = event->found.successor,
		     .until = DAY_NONE,
		     .kind = (uint8_t)data->kind,
		     .has_name = event->found.has_name,
		     .has_email = event->found.has_email,
	     });
}

void on_giver_moved(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct giver_moved *data = &event->data.giver_moved;

	(void)cause;
	keep(state, event,
	     (struct giver_fact){
		     .structure =
			     data->structure.size ? names_add(&state->names, data->structure) : 0,
		     .until = DAY_NONE,
		     .kind = (uint8_t)data->kind,
		     .has_name = event->found.has_name,
		     .has_email = event->found.has_email,
	     });
}

void on_giver_left(struct state *state, const struct event *event, const struct cause *cause)
{
	(void)cause;
	keep(state, event,
	     (struct giver_fact){
		     .successor = event->found.successor,
		     .until = event->data.giver_left.until,
	     });
}

void on_pair_unavailable(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct pair_unavailable *data = &event->data.pair_unavailable;
	struct fact fact = {
		.absence = {names_add(&state->names, data->pair), data->from, data->to}};

	(void)cause;
	(void)apply_fact(state, event, &fact, 0);
}
