#include "daemon/mailing.h"

#include <stdlib.h>

#include "daemon/post.h"
#include "daemon/standing.h"

/* --- one mail --------------------------------------------------------------------------------- */

static struct mail write_mail(const struct state *state, const struct cause *cause,
			      uint32_t template, uint32_t case_number, uint32_t visit_number)
{
	const struct case_record *record = state_get(state, cases, case_number);
	struct mail mail = {
		.about = cause->seq,
		.case_number = case_number,
		.template = (uint8_t) template,
		.case_state = record->state,
		.closing = record->closing,
		.visit = visit_number,
	};

	if (visit_number) {
		const struct visit *visit = state_get(state, visits, visit_number);

		mail.day = visit->day;
		mail.half = visit->half;
		mail.pair = visit->pair;
		mail.sequence = visit->sequence;
		mail.visit_state = visit->state;
		mail.second_visit = visit->state == VISIT_STATE_DONE &&
				    record->state != CASE_STATE_VISITED &&
				    record->state != CASE_STATE_CLOSED;
	}
	return mail;
}

/* To whoever stands for the giver of a referral, but for those in `known`, who have been written to:
 * they are added there. */
static void post_to_giver(struct state *state, struct mail mail, const struct standing *referral,
			  struct routes *known)
{
	uint32_t before = known->count;
	struct routes routes = {0};

	mail.giver = referral->fact->referral.giver;
	mail.referral = referral->fact->seq;
	routes_find(state, mail.giver, referral->day, &routes);
	for (uint32_t i = 0; i < routes.count; i++)
		routes_add(known, routes.items[i]);
	for (uint32_t i = before; i < known->count; i++)
		route_post(state, mail, &known->items[i]);
	free(routes.items);
}

void mailing_to_giver(struct state *state, const struct cause *cause, uint32_t template,
		      uint32_t case_number, const struct standing *referral)
{
	struct routes known = {0};

	if (!cause->is_silent)
		post_to_giver(state, write_mail(state, cause, template, case_number, 0), referral,
			      &known);
	free(known.items);
}

/* --- all givers of a case --------------------------------------------------------------------- */

static void post_to_pair(struct state *state, struct mail mail)
{
	mail.to = TO_PAIR;
	mail.recipient = mail.pair;
	post_mail(state, mail);
}

/* Which case of the life has that number: cases are known by what opened them. */
static uint32_t find_life_case(const struct life *life, uint32_t number)
{
	for (uint32_t i = 0; i < life->case_count; i++)
		if (life->cases[i].number == number)
			return i + 1;
	return 0;
}

void mailing_to_all(struct state *state, const struct cause *cause, uint32_t template,
		    uint32_t case_number, uint32_t visit, bool and_pair)
{
	const struct case_record *record = state_get(state, cases, case_number);
	struct horizon horizon = horizon_on(state->today);
	struct routes known = {0};
	struct arena arena = {0};
	uint32_t count, visit_count, wanted;
	struct standing *facts;
	struct life_visit *visits;
	struct mail mail;
	struct life life;

	if (cause->is_silent)
		return;
	facts = standing_gather(state, record->household, &arena, &count);
	visits = standing_gather_visits(state, facts, count, &arena, &visit_count);
	life.cases = arena_new(&arena, (count + 1) * sizeof(*life.cases));
	life.joined = arena_new(&arena, (count + 1) * sizeof(*life.joined));
	life_compute(&state->policy, facts, count, visits, visit_count, &horizon, &life);
	wanted = find_life_case(&life, case_number);

	mail = write_mail(state, cause, template, case_number, visit);
	for (uint32_t i = 0; i < count && wanted; i++)
		if (facts[i].fact->kind == EVENT_REFERRAL_RECEIVED && life.joined[i] == wanted)
			post_to_giver(state, mail, &facts[i], &known);
	if (and_pair && visit)
		post_to_pair(state, mail);
	free(known.items);
	arena_done(&arena);
}

/* --- the network, the coordinator --------------------------------------------------------------- */

void mailing_to_member(struct state *state, const struct cause *cause, uint32_t giver,
		       struct mail mail)
{
	struct routes routes = {0};

	mail.about = cause->seq;
	mail.giver = state_get(state, givers, giver)->party;
	routes_add_giver(&routes, &state->givers.items[giver]);
	route_post(state, mail, &routes.items[0]);
	free(routes.items);
}

void mailing_cut(struct state *state, const struct cause *cause, uint32_t case_number)
{
	struct mail mail = write_mail(state, cause, TEMPLATE_COORDINATOR, case_number, 0);
	uint32_t twin;

	mail.to = TO_COORDINATOR;
	if (cause->is_silent)
		return;
	twin = post_find_twin(state, &mail);
	if (twin)
		mail_add_part(state, &state->tasks.items[twin].mail, mail);
	else
		post_at_once(state, mail);
}

void mailing_water(struct state *state, const struct cause *cause)
{
	struct mail mail = {
		.about = cause->seq,
		.template = TEMPLATE_COORDINATOR,
		.to = TO_COORDINATOR,
	};

	if (cause->is_silent || !state->has_policy)
		return;
	post_at_once(state, mail);
	state->told_alarms[ALARM_WATER_CUT]++; /* the morning has nothing new to say of it */
}
