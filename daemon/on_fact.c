/* Facts about households: each is kept, then what follows is derived again. */
#include "daemon/apply.h"
#include "daemon/revive.h"
#include "daemon/water.h"
#include "proto/hash.h"

/* The case a fact joins, 0 when it joins none. */
static uint32_t find_joined(const struct state *state, uint32_t household, uint32_t fact)
{
	struct arena arena = {0};
	struct portrait portrait;
	uint32_t joined = 0, number = 0;

	portrait_make(state, household_head(state, household), &arena, &portrait);
	for (uint32_t i = 0; i < portrait.fact_count; i++)
		if (portrait.facts[i].index == fact)
			joined = portrait.life.joined[i];
	if (joined)
		number = portrait.life.cases[joined - 1].number;
	arena_done(&arena);
	return number;
}

/* The case a fact belongs to now, 0 when it belongs to none. Most open one, and then it is known. */
static uint32_t find_case_of(const struct state *state, uint32_t household, uint32_t fact)
{
	uint32_t opened = state->facts.items[fact].opened;

	return opened ? case_resolve(state, opened) : find_joined(state, household, fact);
}

/* Adds the fact and settles whom it is about, and was before. */
static uint32_t keep(struct state *state, const struct event *event, struct fact *fact,
		     const struct cause *cause)
{
	uint32_t index = apply_fact(state, event, fact, event->found.household);

	settle_fact(state, index, cause);
	if (state->facts.items[index].replaces)
		revive_visits(state, state->facts.items[state->facts.items[index].replaces].seq,
			      cause);
	return index;
}

static bool corrects_another(const struct state *state, uint32_t index)
{
	for (uint32_t at = state->facts.items[index].replaces; at;
	     at = state->facts.items[at].replaces)
		if (!state->facts.items[at].is_void)
			return true;
	return false;
}

/* Every referral is answered: in line, or put off until when. A correction is not answered twice. */
static void answer_referral(struct state *state, const struct event *event, uint32_t index,
			    const struct cause *cause)
{
	uint32_t household = party_household(state, event->found.household);
	const struct fact *fact = &state->facts.items[index];
	struct standing referral = {fact, index, index, fact->seq, fact->day, fact->accepted};
	uint32_t number =
		corrects_another(state, index) ? 0 : find_case_of(state, household, index);

	if (!number)
		return;
	mailing_to_giver(state, cause,
			 state->cases.items[number].is_eligible ? TEMPLATE_ACK : TEMPLATE_DEFERRED,
			 number, &referral);
}

void on_referral_received(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct referral_received *data = &event->data.referral_received;
	struct fact fact = {.referral = {
				    .giver = event->found.giver,
				    .insee = data->insee,
				    .reasons = (uint8_t)data->reasons,
				    .energies = (uint8_t)data->energies,
				    .vulnerable = (uint8_t)data->vulnerable,
				    .tenure = (uint8_t)data->tenure,
			    }};

	answer_referral(state, event, keep(state, event, &fact, cause), cause);
}

/* Writes to every giver of the case that a fact has just closed. */
static void tell_closed(struct state *state, uint32_t open_before, const struct cause *cause)
{
	uint32_t number = case_resolve(state, open_before);

	if (number && state->cases.items[number].state == CASE_STATE_CLOSED)
		mailing_to_all(state, cause, TEMPLATE_OUTCOME, number, 0, false);
}

static uint32_t open_case_of(const struct state *state, const struct event *event)
{
	uint32_t household = party_household(state, event->found.household);

	return state->households.items[household_head(state, household)].open_case;
}

void on_referral_withdrawn(struct state *state, const struct event *event,
			   const struct cause *cause)
{
	const struct referral_withdrawn *data = &event->data.referral_withdrawn;
	struct fact fact = {.withdrawal = {(uint8_t)data->by, (uint8_t)data->reason}};
	uint32_t open = open_case_of(state, event);

	(void)keep(state, event, &fact, cause);
	if (data->by == WITHDRAWER_HOUSEHOLD)
		tell_closed(state, open, cause);
}

_Static_assert((int)CLOSING_SAID_DONE == CLOSING_DONE &&
		       (int)CLOSING_SAID_INELIGIBLE == CLOSING_INELIGIBLE &&
		       (int)CLOSING_SAID_UNREACHABLE == CLOSING_UNREACHABLE &&
		       (int)CLOSING_SAID_WITHDRAWN == CLOSING_WITHDRAWN &&
		       (int)CLOSING_SAID_MOVED_AWAY == CLOSING_MOVED_AWAY,
	       "what is said is what becomes of the case");

void on_case_closed(struct state *state, const struct event *event, const struct cause *cause)
{
	struct fact fact = {.closing = {(uint8_t)event->data.case_closed.reason}};
	uint32_t open = open_case_of(state, event);
	bool was_visited = open && state->cases.items[open].state == CASE_STATE_VISITED;

	(void)keep(state, event, &fact, cause);
	if (!was_visited) /* the record of the visit was told already */
		tell_closed(state, open, cause);
}

void on_household_moved(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct household_moved *data = &event->data.household_moved;
	struct fact fact = {.move = {data->insee, data->on}};
	uint32_t open = open_case_of(state, event);

	(void)keep(state, event, &fact, cause);
	tell_closed(state, open, cause);
}

void on_derogation_decided(struct state *state, const struct event *event,
			   const struct cause *cause)
{
	const struct derogation_decided *data = &event->data.derogation_decided;
	struct fact fact = {.derogation = {data->until, (uint8_t)data->allow}};

	(void)keep(state, event, &fact, cause);
}

void on_supplier_notice(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct supplier_notice *data = &event->data.supplier_notice;
	struct fact fact = {.notice = {
				    .supplier = names_add(&state->names, data->supplier),
				    .insee = data->insee,
				    .issued_on = data->issued_on,
				    .notice_days = data->notice_days == UINT_NONE
							   ? NOTICE_DAYS_NONE
							   : (uint16_t)data->notice_days,
				    .energy = (uint8_t)data->energy,
				    .step = (uint8_t)data->step,
				    .smart_meter = (uint8_t)data->smart_meter,
			    }};

	(void)keep(state, event, &fact, cause);
}

static void on_supply(struct state *state, const struct event *event, const struct cause *cause,
		      struct str supplier, uint32_t energy, day_t on, insee_t insee)
{
	struct fact fact = {
		.supply = {names_add(&state->names, supplier), insee, on, (uint8_t)energy}};
	uint32_t index = keep(state, event, &fact, cause);

	if (water_is_off(state, index) && !corrects_another(state, index))
		mailing_water(state, cause);
}

void on_supplier_limited(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct supplier_limited *data = &event->data.supplier_limited;

	on_supply(state, event, cause, data->supplier, data->energy, data->on, data->insee);
}

void on_supplier_cut(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct supplier_cut *data = &event->data.supplier_cut;

	on_supply(state, event, cause, data->supplier, data->energy, data->on, data->insee);
}

void on_supplier_restored(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct supplier_restored *data = &event->data.supplier_restored;

	on_supply(state, event, cause, data->supplier, data->energy, data->on, data->insee);
}

/* A request is known by its source and number, so that its decision finds it. */
static uint64_t request_key(const struct state *state, const struct event *event,
			    struct str request)
{
	struct str parts[2] = {event->source, request};

	return hash_short(state->salt, parts, 2);
}

void on_fsl_request_filed(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct fsl_request_filed *data = &event->data.fsl_request_filed;
	struct fact fact = {.request = {request_key(state, event, data->request), data->insee,
					data->filed_on, (uint8_t)data->energies}};

	(void)keep(state, event, &fact, cause);
}

void on_fsl_decided(struct state *state, const struct event *event, const struct cause *cause)
{
	const struct fsl_decided *data = &event->data.fsl_decided;
	struct fact fact = {.decision = {request_key(state, event, data->request), data->decided_on,
					 (uint8_t)data->outcome}};

	(void)keep(state, event, &fact, cause);
}

void on_household_protection(struct state *state, const struct event *event,
			     const struct cause *cause)
{
	const struct household_protection *data = &event->data.household_protection;
	struct fact fact = {
		.protection = {data->valid_from, data->valid_to, (uint8_t)data->energy_voucher}};

	(void)keep(state, event, &fact, cause);
}
