#include "daemon/routing.h"

#include "daemon/post.h"

void routes_add(struct routes *routes, struct route route)
{
	for (uint32_t i = 0; i < routes->count; i++)
		if (routes->items[i].to == route.to &&
		    routes->items[i].recipient == route.recipient)
			return;
	MEM_ROOM(routes->items, routes->count, routes->capacity);
	routes->items[routes->count++] = route;
}

void routes_add_giver(struct routes *routes, const struct giver *giver)
{
	routes_add(routes,
		   (struct route){
			   .to = TO_GIVER,
			   .recipient = giver->party,
			   .is_held = !giver->kind ||
				      (giver->email_at && giver->refused_at == giver->email_at),
			   .is_nowhere = giver->kind && !giver->email_at,
		   });
}

/* Those of the same structure who can be written to. */
static void add_colleagues(const struct state *state, const struct giver *left,
			   struct routes *routes)
{
	for (uint32_t i = 1; left->structure && i < state->givers.count; i++) {
		const struct giver *giver = &state->givers.items[i];

		if (giver->structure != left->structure || giver == left || giver->is_erased ||
		    giver_has_left(state, giver) || !giver->email_at ||
		    giver->refused_at == giver->email_at)
			continue;
		routes_add_giver(routes, giver);
	}
}

/* The end of the chain of successors, or NULL: it is a circle, or leads to nobody. */
static const struct giver *find_successor(const struct state *state, const struct giver *giver)
{
	for (uint32_t hops = 0; giver_has_left(state, giver); hops++) {
		if (!giver->successor || hops == state->givers.count)
			return NULL;
		giver = state_get(state, givers, party_giver(state, giver->successor));
	}
	return giver->is_erased ? NULL : giver;
}

void routes_find(const struct state *state, uint32_t party, day_t referred, struct routes *routes)
{
	const struct giver *giver = state_get(state, givers, party_giver(state, party));
	const struct giver *reader = find_successor(state, giver);

	if (reader) {
		routes_add_giver(routes, reader);
		return;
	}
	if (!giver->is_erased && referred <= giver->left_on)
		add_colleagues(state, giver, routes);
	if (!routes->count)
		routes_add(routes, (struct route){.to = TO_COORDINATOR});
}

void route_post(struct state *state, struct mail mail, const struct route *route)
{
	if (route->is_nowhere)
		return;
	mail.to = (uint8_t)route->to;
	mail.recipient = route->recipient;
	if (route->is_held)
		post_hold(state, mail);
	else
		post_mail(state, mail);
}
