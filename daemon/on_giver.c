/* Givers and pairs: registered, moved, left; away. */
#include "daemon/apply.h"

static void keep(struct state *state, const struct event *event, struct giver_fact giver)
{
	struct fact fact = {.giver = giver};

	(void)apply_fact(state, event, &fact, event->found.giver);
	settle_giver(state, party_giver(state, event->found.giver));
}

/* Where a giver works, as one event says it. */
static void add_places(struct state *state, struct giver_fact *giver, const struct texts *cantons,
		       const struct insees *communes)
{
	giver->places = state->places.count;
	giver->canton_count = (uint8_t)cantons->count;
	giver->commune_count = (uint8_t)communes->count;
	for (uint32_t i = 0; i < cantons->count; i++)
		(void)state_add_place(state, names_add(&state->names, cantons->item[i]));
	for (uint32_t i = 0; i < communes->count; i++)
		(void)state_add_place(state, communes->item[i]);
}

void on_giver_registered(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct giver_registered *data = &event->data.giver_registered;

	struct giver_fact giver = {
		.structure = names_add(&state->names, data->structure),
		.successor = event->found.successor,
		.until = DAY_NONE,
		.kind = (uint8_t)data->kind,
		.pace = (uint8_t)data->pace,
		.has_name = event->found.has_name,
		.has_email = event->found.has_email,
	};

	(void)cause;
	add_places(state, &giver, &data->cantons, &data->insee);
	keep(state, event, giver);
}

void on_giver_moved(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct giver_moved *data = &event->data.giver_moved;

	struct giver_fact giver = {
		.structure = data->structure.size ? names_add(&state->names, data->structure) : 0,
		.until = DAY_NONE,
		.kind = (uint8_t)data->kind,
		.pace = (uint8_t)data->pace,
		.has_name = event->found.has_name,
		.has_email = event->found.has_email,
	};

	(void)cause;
	add_places(state, &giver, &data->cantons, &data->insee);
	keep(state, event, giver);
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
