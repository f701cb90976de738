#include <stdlib.h>

#include "daemon/letter_parts.h"

static int compare_stops(const void *first, const void *second)
{
	const struct mail_stop *a = first, *b = second;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->half != b->half)
		return a->half < b->half ? -1 : 1;
	return a->visit < b->visit ? -1 : a->visit > b->visit;
}

static void add_stop(struct letter *letter, uint32_t number)
{
	const struct state *state = letter->state;
	const struct visit *visit = state_get(state, visits, number);
	uint32_t owner = case_resolve(state, visit->case_number);
	const struct policy_commune *commune =
		owner ? policy_find_commune(&state->policy, state->cases.items[owner].insee) : NULL;
	struct list *stops = &letter->body->visits;

	((struct mail_stop *)stops->items)[stops->count++] = (struct mail_stop){
		.is_set = true,
		.visit = number,
		.uid = letter_print_id(letter->arena, state, "visit", number),
		.sequence = visit->sequence,
		.case_number = owner ? owner : visit->case_number,
		.commune = commune ? commune->name : (struct str){0},
		.day = visit->day,
		.half = visit->half,
	};
}

enum err letter_write_agenda(struct letter *letter, const struct mail *mail)
{
	const struct state *state = letter->state;
	struct list *stops = &letter->body->visits;

	letter->body->day = mail->day;
	if (!stops->items) /* a digest may hold two weeks */
		stops->items = arena_new(letter->arena, MAIL_VISITS_MAX * sizeof(struct mail_stop));
	for (uint32_t i = 1; i < state->active_visits.count && stops->count < MAIL_VISITS_MAX;
	     i++) {
		const struct visit *visit = &state->visits.items[state->active_visits.items[i]];

		if (visit->state == VISIT_STATE_CONFIRMED && visit->pair == mail->recipient &&
		    visit->day >= mail->day && visit->day < mail->day + 7)
			add_stop(letter, state->active_visits.items[i]);
	}
	qsort(stops->items, stops->count, sizeof(struct mail_stop), compare_stops);
	return ERR_OK;
}
