#include "tools/sim/lifetime.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/sim/world.h"

#define SOURCE STR("urn:vigie:sim:scenario")

/* What is to be done at its time, besides what arrives. In this order at one moment. */
enum agenda_kind {
	AGENDA_POLICY = 1,
	AGENDA_PATIENCE, /* id: the need whose patience ends */
	AGENDA_MONDAY,
	AGENDA_COORDINATOR,
};

enum { MONDAY_HOUR = 12, COORDINATOR_HOUR = 17, PATIENCE_HOUR = 10, UNREACHABLE_NO_SHOWS = 2 };

/* What becomes of a need that was sent. */
struct course {
	uint32_t case_number; /* 0: never sent, or not yet */
	uint32_t visits;
	bool was_deferred, was_called_again;
};

struct lifetime {
	const struct lifetime_setup *setup;
	struct tally *tally;
	struct world world;
	struct heap agenda;
	struct course *courses; /* by need */
	uint32_t *needs;        /* of cases, by their numbers: position plus 1 */
	uint32_t need_capacity;
	uint64_t last_id;
};

/* --- telling ---------------------------------------------------------------------------------- */

enum { NAME_SIZE = 24 };

static const struct state *state_of(const struct lifetime *lifetime)
{
	return engine_state(lifetime->world.engine);
}

static const struct need *need_at(const struct lifetime *lifetime, uint32_t position)
{
	return &lifetime->setup->arrivals->needs[position];
}

/* Everything that is told here is true and well-formed: a refusal is our own mistake. */
static void tell(struct lifetime *lifetime, struct event *event)
{
	char id[NAME_SIZE];
	struct verdict verdict = {0};
	enum err err;

	snprintf(id, sizeof(id), "%llu", (unsigned long long)++lifetime->last_id);
	event->source = SOURCE;
	event->id = str_from(id);
	if (event->subject.size)
		event->subject_source = SOURCE;
	if (event->time == MS_NONE || event->time == 0)
		event->time = lifetime->world.ports.now;
	err = world_accept(&lifetime->world, event, &verdict);
	assert(!err);
	assert(!verdict.fault.code);
}

static struct event about(enum event_kind kind, uint32_t need, char subject[NAME_SIZE])
{
	struct event event;

	event_clear(&event, kind);
	snprintf(subject, NAME_SIZE, "H%u", need);
	event.subject = str_from(subject);
	return event;
}

static void advance(struct lifetime *lifetime, ms_t until)
{
	enum err err = world_advance(&lifetime->world, until);

	assert(!err); /* memory does not fail */
}

/* --- who there is ----------------------------------------------------------------------------- */

static void register_giver(struct lifetime *lifetime, uint32_t position)
{
	const struct sim_giver *giver = &lifetime->setup->arrivals->givers[position];
	struct giver_registered *data;
	char id[NAME_SIZE], email[2 * NAME_SIZE];
	struct event event;

	event_clear(&event, EVENT_GIVER_REGISTERED);
	data = &event.data.giver_registered;
	snprintf(id, sizeof(id), "G%u", position);
	snprintf(email, sizeof(email), "g%u@exemple.test", position);
	data->giver = str_from(id);
	data->kind = giver->kind;
	data->structure = STR("Simulation");
	data->name = str_from(id);
	data->email = str_from(email);
	if (giver->insee)
		data->insee = (struct insees){1, {giver->insee}};
	tell(lifetime, &event);
}

static void tell_absence(struct lifetime *lifetime, const struct absence_settings *absence,
			 struct str pair)
{
	struct event event;

	event_clear(&event, EVENT_PAIR_UNAVAILABLE);
	event.data.pair_unavailable.pair = pair;
	event.data.pair_unavailable.from = absence->from;
	event.data.pair_unavailable.to = absence->to;
	tell(lifetime, &event);
}

/* Of the pairs of a policy that another, applied before, did not have. */
static void tell_absences(struct lifetime *lifetime, const struct policy *policy,
			  const struct policy *before)
{
	const struct list *absences = &lifetime->setup->scenario->absences;

	for (uint32_t i = 0; i < policy->pairs.count; i++) {
		struct str pair = list_at(&policy->pairs, struct policy_pair, i)->id;

		for (uint32_t k = 0; k < absences->count; k++) {
			const struct absence_settings *absence =
				list_at(absences, struct absence_settings, k);
			bool is_meant = !absence->pair.size || str_equal(absence->pair, pair);

			if (is_meant && !(before && policy_find_pair(before, pair)))
				tell_absence(lifetime, absence, pair);
		}
	}
}

static void apply_policy(struct lifetime *lifetime)
{
	struct buf bytes = {0};
	struct event event;

	policy_encode(lifetime->setup->policy, &bytes);
	event_clear(&event, EVENT_POLICY_APPLIED);
	event.data.policy_applied.policy = buf_str(&bytes);
	tell(lifetime, &event);
	buf_done(&bytes);
	tell_absences(lifetime, lifetime->setup->policy, lifetime->setup->before);
}

/* --- what arrives ----------------------------------------------------------------------------- */

/* How many in a thousand givers would send now: few while the sector is closed, more and more after it
 * has opened, urgent ones only while they are asked to wait. */
static uint64_t sent_in_thousand(const struct lifetime *lifetime, const struct need *need)
{
	const struct state *state = state_of(lifetime);
	const struct policy_sector *sector = season_sector(&state->policy, need->insee);
	const struct sector_record *record = sector ? state_find_sector(state, sector->id) : NULL;
	const struct policy_opening *opening =
		sector ? sector_opening_on(sector, state->today) : NULL;
	uint64_t wake = lifetime->setup->scenario->wake_weeks, sent = 1000, weeks;

	if (!opening)
		return need->while_closed;
	weeks = (uint64_t)(state->today - opening->from) / 7;
	if (weeks < wake)
		sent = need->while_closed + (1000 - need->while_closed) * weeks / wake;
	if (record && record->is_suspended && !need->is_threatened)
		sent = min_u64(sent, need->while_suspended);
	return sent;
}

/* Sectors as in struct report. */
static uint32_t sector_of(const struct lifetime *lifetime, insee_t insee)
{
	const struct policy_commune *commune = policy_find_commune(lifetime->tally->policy, insee);

	return commune ? (uint32_t)commune->sector + 1 : 0;
}

static void count_not_sent(struct lifetime *lifetime, const struct need *need)
{
	uint32_t kind = lifetime->setup->arrivals->givers[need->giver].kind;
	uint32_t sectors[] = {sector_of(lifetime, need->insee), lifetime->tally->sector_all};
	uint32_t kinds[] = {kind, REPORT_KIND_ALL};
	int year = day_to_ymd(time_paris_day(need->at)).year;

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			tally_note(lifetime->tally, year, sectors[i], kinds[k], FIGURE_NOT_SENT);
}

static void note_case(struct lifetime *lifetime, uint32_t position)
{
	const struct state *state = state_of(lifetime);
	uint32_t number = state->cases.count - 1; /* each need is a household of its own */
	struct course *course = &lifetime->courses[position];

	course->case_number = number;
	course->was_deferred = state->cases.items[number].state == CASE_STATE_DEFERRED;
	while (lifetime->need_capacity <= number)
		lifetime->needs =
			mem_grow(lifetime->needs,
				 sizeof(*lifetime->needs) * mem_next(&lifetime->need_capacity));
	lifetime->needs[number] = position + 1;
}

static void refer(struct lifetime *lifetime, uint32_t position)
{
	const struct need *need = need_at(lifetime, position);
	char subject[NAME_SIZE], giver[NAME_SIZE];
	struct event event = about(EVENT_REFERRAL_RECEIVED, position, subject);
	struct referral_received *data = &event.data.referral_received;

	snprintf(giver, sizeof(giver), "G%u", need->giver);
	data->form = event.subject;
	data->giver = str_from(giver);
	data->insee = need->insee;
	data->reasons = 1u << (REASON_COLD - 1);
	data->vulnerable = need->vulnerable;
	data->consent_on = time_paris_day(need->at);
	data->person.is_set = true;
	data->person.name = event.subject;
	event.time = need->at;
	tell(lifetime, &event);
	note_case(lifetime, position);
	if (need->patience_weeks != PATIENCE_NONE)
		heap_push(&lifetime->agenda,
			  (struct heap_item){
				  time_at_paris(time_paris_day(need->at) + 7 * need->patience_weeks,
						PATIENCE_HOUR, 0) +
					  MS_DAY,
				  AGENDA_PATIENCE, position});
}

static void tell_fact(struct lifetime *lifetime, const struct telling *telling)
{
	static const enum event_kind kinds[] = {
		[TELL_VOUCHER] = EVENT_HOUSEHOLD_PROTECTION,
		[TELL_REQUEST] = EVENT_FSL_REQUEST_FILED,
		[TELL_NOTICE_1] = EVENT_SUPPLIER_NOTICE,
		[TELL_NOTICE_2] = EVENT_SUPPLIER_NOTICE,
		[TELL_CUT] = EVENT_SUPPLIER_CUT,
		[TELL_RESTORED] = EVENT_SUPPLIER_RESTORED,
	};
	char subject[NAME_SIZE], request[2 * NAME_SIZE];
	struct event event = about(kinds[telling->kind], telling->need, subject);

	switch (event.kind) {
	case EVENT_HOUSEHOLD_PROTECTION:
		event.data.household_protection.energy_voucher = SAID_YES;
		event.data.household_protection.valid_from = telling->day;
		event.data.household_protection.valid_to = day_add_months(telling->day, 12);
		break;
	case EVENT_FSL_REQUEST_FILED:
		snprintf(request, sizeof(request), "%s/%d", subject, (int)telling->day);
		event.data.fsl_request_filed.request = str_from(request);
		event.data.fsl_request_filed.energies = 1u << (ENERGY_ELECTRICITY - 1);
		event.data.fsl_request_filed.filed_on = telling->day;
		break;
	case EVENT_SUPPLIER_NOTICE:
		event.data.supplier_notice.supplier = STR("S");
		event.data.supplier_notice.energy = ENERGY_ELECTRICITY;
		event.data.supplier_notice.step = telling->kind == TELL_NOTICE_1 ? 1 : 2;
		event.data.supplier_notice.issued_on = telling->day;
		break;
	default: /* a cut and its end are alike */
		event.data.supplier_cut.supplier = STR("S");
		event.data.supplier_cut.energy = ENERGY_ELECTRICITY;
		event.data.supplier_cut.on = telling->day;
	}
	event.time = telling->at;
	tell(lifetime, &event);
}

static void arrive(struct lifetime *lifetime, const struct telling *telling)
{
	const struct need *need = need_at(lifetime, telling->need);

	if (telling->kind != TELL_REFERRAL) {
		tell_fact(lifetime, telling);
		return;
	}
	advance(lifetime, telling->at);
	if (need->share < sent_in_thousand(lifetime, need))
		refer(lifetime, telling->need);
	else
		count_not_sent(lifetime, need);
}

/* --- households ------------------------------------------------------------------------------- */

static const struct case_record *case_of(const struct lifetime *lifetime, uint32_t need)
{
	return state_get(state_of(lifetime), cases, lifetime->courses[need].case_number);
}

static bool is_waiting(const struct lifetime *lifetime, uint32_t need)
{
	const struct case_record *record = case_of(lifetime, need);

	return record->state != CASE_STATE_CLOSED && !case_was_visited(state_of(lifetime), record);
}

static void withdraw(struct lifetime *lifetime, uint32_t need, uint32_t reason)
{
	char subject[NAME_SIZE];
	struct event event = about(EVENT_REFERRAL_WITHDRAWN, need, subject);

	event.data.referral_withdrawn.by = WITHDRAWER_HOUSEHOLD;
	event.data.referral_withdrawn.reason = reason;
	tell(lifetime, &event);
}

static void lose_patience(struct lifetime *lifetime, uint32_t need)
{
	if (is_waiting(lifetime, need))
		withdraw(lifetime, need, WITHDRAWAL_SOLVED);
}

/* --- the coordinator -------------------------------------------------------------------------- */

/* Who was put off is asked, once, whether a visit is still wanted. */
static bool is_lost(struct lifetime *lifetime, uint32_t need)
{
	struct course *course = &lifetime->courses[need];
	struct dice dice = dice_of(need_at(lifetime, need)->fate, 0);

	if (!course->was_deferred && case_of(lifetime, need)->carry.closing == DAY_NONE)
		return false;
	if (course->was_called_again)
		return false;
	course->was_called_again = true;
	return dice_permille(&dice, lifetime->setup->scenario->households.lost_after_deferral);
}

static void call(struct lifetime *lifetime, uint32_t visit, uint32_t need)
{
	struct event event;

	if (is_lost(lifetime, need)) {
		withdraw(lifetime, need, WITHDRAWAL_DECLINED);
		return;
	}
	event_clear(&event, EVENT_VISIT_CONFIRMED);
	event.data.visit_confirmed.visit = visit;
	event.data.visit_confirmed.by = CANCELLER_HOUSEHOLD;
	tell(lifetime, &event);
}

static uint32_t throw_result(const struct visit_settings *visits, struct dice *dice)
{
	const struct {
		uint64_t chance;
		uint32_t result;
	} rows[] = {
		{visits->no_show, RESULT_NO_SHOW},
		{visits->declined, RESULT_DECLINED},
		{visits->moved_away, RESULT_MOVED_AWAY},
		{visits->unsafe, RESULT_UNSAFE},
	};
	uint64_t thrown = dice_below(dice, 1000);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (thrown < rows[i].chance)
			return rows[i].result;
		thrown -= rows[i].chance;
	}
	return RESULT_DONE;
}

static void give_up_unreachable(struct lifetime *lifetime, uint32_t need)
{
	char subject[NAME_SIZE];
	struct event event = about(EVENT_CASE_CLOSED, need, subject);

	if (case_of(lifetime, need)->state == CASE_STATE_CLOSED ||
	    case_of(lifetime, need)->no_shows < UNREACHABLE_NO_SHOWS)
		return;
	event.data.case_closed.reason = CLOSING_UNREACHABLE;
	tell(lifetime, &event);
}

static void record(struct lifetime *lifetime, uint32_t visit, uint32_t need)
{
	const struct visit_settings *visits = &lifetime->setup->scenario->visits;
	struct course *course = &lifetime->courses[need];
	struct dice dice = dice_of(need_at(lifetime, need)->fate, ++course->visits);
	uint32_t result = throw_result(visits, &dice);
	bool is_first = course->visits == 1;
	struct event event;

	event_clear(&event, EVENT_VISIT_RECORDED);
	event.data.visit_recorded.visit = visit;
	event.data.visit_recorded.result = result;
	event.data.visit_recorded.second_visit =
		result == RESULT_DONE && is_first && dice_permille(&dice, visits->second_visit)
			? SAID_YES
			: SAID_NO;
	tell(lifetime, &event);
	give_up_unreachable(lifetime, need);
}

/* The visits that are planned or confirmed, as they are now: what is done about one changes the table. */
static uint32_t *list_visits(const struct state *state, uint32_t *count)
{
	uint32_t *visits;

	*count = state->active_visits.count - 1;
	visits = mem_new((*count + 1) * sizeof(*visits));
	memcpy(visits, state->active_visits.items + 1, *count * sizeof(*visits));
	return visits;
}

/* Every working day at five: today's visits are recorded, next week's households are called. */
static void coordinate(struct lifetime *lifetime)
{
	const struct state *state = state_of(lifetime);
	day_t ahead = state->today + (day_t)lifetime->setup->scenario->visits.confirmed_ahead;
	uint32_t count, *visits = list_visits(state, &count);

	for (uint32_t i = 0; i < count; i++) {
		const struct visit *visit = &state->visits.items[visits[i]];
		uint32_t need = lifetime->needs[visit->case_number] - 1;

		if (visit->state == VISIT_STATE_CONFIRMED && visit->day <= state->today)
			record(lifetime, visits[i], need);
		else if (visit->state == VISIT_STATE_PLANNED && visit->day <= ahead)
			call(lifetime, visits[i], need);
	}
	free(visits);
}

/* --- mondays ---------------------------------------------------------------------------------- */

/* What givers were told to expect this week, in the sector where it is longest, and where they were asked
 * to wait. */
static void look_around(struct lifetime *lifetime)
{
	const struct state *state = state_of(lifetime);
	struct tally *tally = lifetime->tally;
	int year = day_to_ymd(state->today).year;
	uint32_t longest = 0, forecasts = 0, suspended = 0;

	for (uint32_t i = 0; i < state->policy.sectors.count; i++) {
		const struct policy_sector *sector = policy_sector_at(&state->policy, i);
		const struct sector_record *record = state_find_sector(state, sector->id);

		if (!record || !sector_opening_on(sector, state->today))
			continue;
		if (record->is_suspended && !suspended++)
			tally_note(tally, year, tally->sector_all, REPORT_KIND_ALL,
				   FIGURE_SUSPENDED);
		if (record->is_suspended)
			tally_note(tally, year, policy_sector_number(tally->policy, sector->id),
				   REPORT_KIND_ALL, FIGURE_SUSPENDED);
		if (record->weeks == WEEKS_NONE)
			continue;
		forecasts++;
		longest = record->weeks > longest ? record->weeks : longest;
	}
	if (forecasts)
		spread_add(&tally->weeks[(state->today - tally->first_monday) / 7], longest);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put(struct lifetime *lifetime, day_t day, int hour, enum agenda_kind kind)
{
	heap_push(&lifetime->agenda, (struct heap_item){time_at_paris(day, hour, 0), kind, 0});
}

static day_t next_working(const struct lifetime *lifetime, day_t day)
{
	return day_next_working(day, lifetime->setup->policy->planning.alsace_moselle == SAID_YES);
}

static void attend(struct lifetime *lifetime, struct heap_item item)
{
	day_t today = time_paris_day(item.at_ms);

	advance(lifetime, item.at_ms);
	switch (item.kind) {
	case AGENDA_POLICY:
		apply_policy(lifetime);
		return;
	case AGENDA_PATIENCE:
		lose_patience(lifetime, item.id);
		return;
	case AGENDA_MONDAY:
		look_around(lifetime);
		put(lifetime, today + 7, MONDAY_HOUR, AGENDA_MONDAY);
		return;
	case AGENDA_COORDINATOR:
		coordinate(lifetime);
		put(lifetime, next_working(lifetime, today), COORDINATOR_HOUR, AGENDA_COORDINATOR);
		return;
	}
	assert(!"nothing of this kind is on the agenda");
}

static void live(struct lifetime *lifetime, ms_t end)
{
	const struct arrivals *arrivals = lifetime->setup->arrivals;
	uint32_t at = 0;

	for (;;) {
		const struct heap_item *first = heap_first(&lifetime->agenda);
		bool has_telling = at < arrivals->telling_count;

		if (has_telling && arrivals->tellings[at].at < first->at_ms) {
			if (arrivals->tellings[at].at > end)
				break;
			arrive(lifetime, &arrivals->tellings[at++]);
		} else {
			if (first->at_ms > end)
				break;
			attend(lifetime, heap_pop(&lifetime->agenda));
		}
	}
	advance(lifetime, end);
}

static void begin(struct lifetime *lifetime)
{
	const struct lifetime_setup *setup = lifetime->setup;
	const struct policy *first = setup->before ? setup->before : setup->policy;
	day_t from = setup->scenario->from;
	enum err err = world_init(&lifetime->world, time_at_paris(from, 0, 0), first);

	assert(!err);
	lifetime->world.ports.is_forgetful = true; /* what is told is never asked for again */
	tell_absences(lifetime, first, NULL);
	for (uint32_t i = 0; i < setup->arrivals->giver_count; i++)
		register_giver(lifetime, i);
	if (setup->before)
		put(lifetime, setup->scenario->policies_from, 0, AGENDA_POLICY);
	put(lifetime, lifetime->tally->first_monday, MONDAY_HOUR, AGENDA_MONDAY);
	put(lifetime, next_working(lifetime, from - 1), COORDINATOR_HOUR, AGENDA_COORDINATOR);
}

void lifetime_run(const struct lifetime_setup *setup, struct tally *tally,
		  char digest[DIGEST_TEXT_SIZE])
{
	struct lifetime lifetime = {.setup = setup, .tally = tally};
	struct report report;

	lifetime.courses = mem_new((setup->arrivals->need_count + 1) * sizeof(*lifetime.courses));
	begin(&lifetime);
	live(&lifetime, time_at_paris(setup->to + 1, 0, 0) - 1);
	report_make(state_of(&lifetime), &report);
	tally_report(tally, &report);
	engine_digest(lifetime.world.engine, digest);
	report_done(&report);
	world_done(&lifetime.world);
	heap_done(&lifetime.agenda);
	free(lifetime.courses);
	free(lifetime.needs);
}
