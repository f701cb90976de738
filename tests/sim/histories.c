/* Random histories of a small department through the engine in memory: everything that may be said, in
 * any order, with workers that fail, cores that end and policies that change. After each history, what must
 * hold whatever happened is looked at; the first that does not hold is told with its seed.
 *
 *     histories FIRST LAST */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/handout.h"
#include "daemon/memory_ports.h"
#include "daemon/snapshot.h"
#include "proto/hash.h"
#include "tests/sim/look.h"
#include "workers/schedule/plan.h"

enum { STEPS = 90, SENT_MAX = STEPS * 2, HOUSEHOLDS = 7, GIVERS = 5 };

struct history {
	uint32_t seed;
	uint64_t random;
	struct arena arena;
	struct memory_ports ports;
	struct engine *engine;
	struct policy policy;
	struct str sent[SENT_MAX]; /* ids, for retractions and for sending again */
	struct event events[SENT_MAX];
	uint32_t sent_count;
	uint64_t taken, refused;
};

static uint32_t pick(struct history *history, uint32_t below)
{
	history->random ^= history->random << 13;
	history->random ^= history->random >> 7;
	history->random ^= history->random << 17;
	return (uint32_t)(history->random >> 20) % below;
}

static bool chance(struct history *history, uint32_t percent)
{
	return pick(history, 100) < percent;
}

static struct str print(struct history *history, const char *prefix, uint32_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%s%u", prefix, number);
	return arena_copy(&history->arena, str_from(text));
}

static const struct state *state_of(const struct history *history)
{
	return engine_state(history->engine);
}

static day_t today(const struct history *history)
{
	return time_paris_day(history->ports.now);
}

static _Noreturn void fail(const struct history *history, const char *what)
{
	printf("seed %u: %s\n", history->seed, what);
	exit(1);
}

/* --- the policy ----------------------------------------------------------------------------------- */

static insee_t commune(const char *text)
{
	insee_t insee = 0;

	(void)(insee_parse(str_from(text), &insee) || (fail(NULL, "commune"), 0));
	return insee;
}

static void add_openings(struct history *history, struct policy_sector *sector)
{
	day_t from = day_from_ymd(2015, 1, 1) + (day_t)pick(history, 200);

	sector->openings.items = arena_new(&history->arena, 4 * sizeof(struct policy_opening));
	sector->openings.count = pick(history, 5);
	for (uint32_t i = 0; i < sector->openings.count; i++) {
		struct policy_opening *opening =
			list_at(&sector->openings, struct policy_opening, i);

		*opening =
			(struct policy_opening){true, from, from + 20 + (day_t)pick(history, 300)};
		from = opening->to + 2 + (day_t)pick(history, 500);
	}
}

static void add_sectors(struct history *history, struct policy *policy)
{
	static const char *const names[] = {"nord", "sud", "est"};

	policy->sectors =
		(struct list){3, arena_new(&history->arena, 3 * sizeof(struct policy_sector))};
	policy->communes =
		(struct list){3, arena_new(&history->arena, 3 * sizeof(struct policy_commune))};
	for (uint32_t i = 0; i < 3; i++) {
		struct policy_sector *sector = list_at(&policy->sectors, struct policy_sector, i);

		*sector = (struct policy_sector){.is_set = true,
						 .id = str_from(names[i]),
						 .name = str_from(names[i]),
						 .households = 1000};
		add_openings(history, sector);
		*list_at(&policy->communes, struct policy_commune, i) = (struct policy_commune){
			.is_set = true,
			.insee = commune("39001") + i,
			.name = str_from(names[i]),
			.sector = i,
			.canton = str_from(names[i]),
			.lat = 46000000 + (int64_t)i * 100000,
			.lon = 5500000,
		};
	}
}

static void add_pairs(struct history *history, struct policy *policy)
{
	policy->pairs = (struct list){1 + pick(history, 2),
				      arena_new(&history->arena, 2 * sizeof(struct policy_pair))};
	for (uint32_t i = 0; i < policy->pairs.count; i++) {
		struct policy_pair *pair = list_at(&policy->pairs, struct policy_pair, i);

		*pair = (struct policy_pair){
			.is_set = true,
			.id = print(history, "p", i),
			.name = STR("Binôme"),
			.email = STR("binome@exemple.test"),
			.half_days = 1 + pick(history, 1023),
			.closed_sectors = chance(history, 50) ? SAID_YES : SAID_NO,
		};
		pair->visits_a_week =
			pick(history, 1 + (uint32_t)__builtin_popcountll(pair->half_days));
		if (chance(history, 40)) {
			pair->sectors.count = 1;
			pair->sectors.item[0] = STR("nord");
		}
	}
}

static enum answer answer(struct history *history)
{
	return chance(history, 50) ? SAID_YES : SAID_NO;
}

static void make_policy(struct history *history, struct policy *policy)
{
	static const struct policy_law law = {true, DAY_NONE, 15, 30, 20, 60, 2, 1101, 331, 180};

	record_clear(&record_policy, policy);
	policy->department = STR("39");
	policy->name = STR("Essai");
	policy->coordinator =
		(struct policy_person){true, STR("Coordination"), STR("coordination@exemple.test")};
	policy->rules = (struct policy_rules){true,
					      15,
					      30,
					      60,
					      180,
					      24,
					      30,
					      4,
					      31,
					      120,
					      52,
					      90,
					      70,
					      12,
					      30,
					      12,
					      30,
					      7,
					      answer(history),
					      answer(history),
					      1 + pick(history, 3)};
	policy->planning = (struct policy_planning){true, 1 + pick(history, 3), SAID_NO, 3};
	policy->outreach = (struct policy_outreach){true, 2 + pick(history, 12), 1};
	policy->givers =
		(struct policy_givers){true, 28, 42, 1 + pick(history, 60), answer(history)};
	policy->mails = (struct policy_mails){true, pick(history, 24), pick(history, 24),
					      answer(history), 1 + pick(history, 10)};
	policy->retention_months = 24;
	policy->laws = (struct list){1, arena_new(&history->arena, sizeof(law))};
	*list_at(&policy->laws, struct policy_law, 0) = law;
	add_sectors(history, policy);
	add_pairs(history, policy);
}

/* --- what is said --------------------------------------------------------------------------------- */

static day_t some_day(struct history *history, uint32_t back)
{
	return today(history) - (day_t)pick(history, back);
}

static struct str household(struct history *history)
{
	return print(history, "H", pick(history, HOUSEHOLDS));
}

static struct str giver(struct history *history)
{
	return print(history, "G", pick(history, GIVERS));
}

static insee_t place(struct history *history)
{
	static const char *const elsewhere[] = {"39999", "25001"};

	if (chance(history, 10))
		return commune(elsewhere[pick(history, 2)]);
	return commune("39001") + pick(history, 3);
}

static void say_referral(struct history *history, struct event *event)
{
	struct referral_received *data = &event->data.referral_received;

	data->form = print(history, "F", pick(history, 20));
	data->giver = giver(history);
	data->reasons = 1 + pick(history, 127);
	data->vulnerable = pick(history, 8);
	data->consent_on = today(history);
	data->person.is_set = true;
	data->person.name = print(history, "Nom", pick(history, 6));
	if (chance(history, 60))
		data->person.phone = print(history, "038400000", pick(history, 6));
	if (chance(history, 90))
		data->insee = place(history);
	if (chance(history, 30))
		event->subject = event->subject_source = (struct str){0};
}

static void say_withdrawal(struct history *history, struct event *event)
{
	event->data.referral_withdrawn.by = 1 + pick(history, 2);
	event->data.referral_withdrawn.reason = 1 + pick(history, 4);
}

static void say_notice(struct history *history, struct event *event)
{
	struct supplier_notice *data = &event->data.supplier_notice;

	data->supplier = print(history, "S", pick(history, 2));
	data->energy = 1 + pick(history, 5);
	data->step = 1 + pick(history, 2);
	data->issued_on = some_day(history, 40);
	if (chance(history, 30))
		data->notice_days = pick(history, 60);
	data->smart_meter = answer(history);
}

/* Limited, cut and restored are alike but for the power. */
static void say_supply(struct history *history, struct event *event)
{
	struct str supplier = print(history, "S", pick(history, 2));
	uint32_t energy = 1 + pick(history, 4);
	day_t on = some_day(history, 20);

	if (event->kind == EVENT_SUPPLIER_LIMITED)
		event->data.supplier_limited = (struct supplier_limited){
			.supplier = supplier, .energy = energy, .on = on, .power_va = 1000};
	else
		event->data.supplier_cut =
			(struct supplier_cut){.supplier = supplier, .energy = energy, .on = on};
}

static void say_request(struct history *history, struct event *event)
{
	event->data.fsl_request_filed.request = print(history, "R", pick(history, 12));
	event->data.fsl_request_filed.energies = 1 + pick(history, 7);
	event->data.fsl_request_filed.filed_on = some_day(history, 90);
	if (chance(history, 50))
		event->data.fsl_request_filed.insee = place(history);
}

static void say_decision(struct history *history, struct event *event)
{
	event->data.fsl_decided.request = print(history, "R", pick(history, 12));
	event->data.fsl_decided.decided_on = some_day(history, 30);
	event->data.fsl_decided.outcome = 1 + pick(history, 4);
}

static void say_move(struct history *history, struct event *event)
{
	event->data.household_moved.insee = place(history);
	event->data.household_moved.on = some_day(history, 60);
}

static void say_giver(struct history *history, struct event *event)
{
	struct giver_registered *data = &event->data.giver_registered;

	data->giver = giver(history);
	data->kind = 1 + pick(history, GIVER_KIND_END - 1);
	data->structure = print(history, "Structure ", pick(history, 2));
	data->pace = pick(history, PACE_END);
	data->name = STR("Prénom Nom");
	data->email = STR("quelquun@exemple.test");
	if (chance(history, 60)) {
		data->cantons.count = 1;
		data->cantons.item[0] = STR("sud");
	}
}

static void say_left(struct history *history, struct event *event)
{
	event->data.giver_left.giver = giver(history);
	event->data.giver_left.until = today(history) + (day_t)pick(history, 20) - 5;
	if (chance(history, 60))
		event->data.giver_left.successor = giver(history);
}

static void say_link(struct history *history, struct event *event)
{
	event->data.household_same_as.other.is_set = true;
	event->data.household_same_as.other.source = STR("urn:test");
	event->data.household_same_as.other.subject = household(history);
}

static uint32_t some_visit(struct history *history)
{
	uint32_t count = state_of(history)->visits.count;

	return count > 1 ? count - 1 - pick(history, count < 6 ? count - 1 : 5) : 1;
}

static void say_visit(struct history *history, struct event *event)
{
	struct visit_moved *data = &event->data.visit_moved; /* confirmed and cancelled are alike */

	data->visit = some_visit(history);
	if (event->kind == EVENT_VISIT_MOVED || chance(history, 20)) {
		data->day = today(history) + (day_t)pick(history, 20);
		data->half = 1 + pick(history, 2);
	}
	data->by = 1 + pick(history, 3);
}

static void say_record(struct history *history, struct event *event)
{
	event->data.visit_recorded.visit = some_visit(history);
	event->data.visit_recorded.result = 1 + pick(history, 5);
	event->data.visit_recorded.second_visit = chance(history, 15) ? SAID_YES : SAID_NO;
}

static void say_derogation(struct history *history, struct event *event)
{
	event->data.derogation_decided.allow = answer(history);
	event->data.derogation_decided.until = today(history) + (day_t)pick(history, 90);
}

static void say_closing(struct history *history, struct event *event)
{
	event->data.case_closed.reason = 1 + pick(history, 5);
}

static void say_absence(struct history *history, struct event *event)
{
	event->data.pair_unavailable.pair = STR("p0");
	event->data.pair_unavailable.from = today(history);
	event->data.pair_unavailable.to = today(history) + (day_t)pick(history, 30);
}

static void say_retraction(struct history *history, struct event *event)
{
	event->data.event_retracted.source = STR("urn:test");
	event->data.event_retracted.id =
		history->sent_count ? history->sent[pick(history, history->sent_count)] : STR("e0");
	event->data.event_retracted.reason = STR("erreur");
}

static void say_protection(struct history *history, struct event *event)
{
	event->data.household_protection.energy_voucher = answer(history);
	event->data.household_protection.valid_from = some_day(history, 200);
	event->data.household_protection.valid_to = today(history) + (day_t)pick(history, 200);
}

static void say_policy(struct history *history, struct event *event)
{
	struct buf bytes = {0};

	make_policy(history, &history->policy);
	policy_encode(&history->policy, &bytes);
	event->data.policy_applied.policy = arena_copy(&history->arena, buf_str(&bytes));
	buf_done(&bytes);
}

static void say_nothing_more(struct history *history, struct event *event)
{
	(void)history;
	(void)event;
}

static const struct saying {
	enum event_kind kind;
	void (*say)(struct history *history, struct event *event);
	uint32_t weight;
} sayings[] = {
	{EVENT_REFERRAL_RECEIVED, say_referral, 22},
	{EVENT_REFERRAL_WITHDRAWN, say_withdrawal, 2},
	{EVENT_SUPPLIER_NOTICE, say_notice, 6},
	{EVENT_SUPPLIER_LIMITED, say_supply, 3},
	{EVENT_SUPPLIER_CUT, say_supply, 3},
	{EVENT_SUPPLIER_RESTORED, say_supply, 3},
	{EVENT_FSL_REQUEST_FILED, say_request, 7},
	{EVENT_FSL_DECIDED, say_decision, 4},
	{EVENT_HOUSEHOLD_PROTECTION, say_protection, 2},
	{EVENT_HOUSEHOLD_MOVED, say_move, 3},
	{EVENT_GIVER_REGISTERED, say_giver, 6},
	{EVENT_GIVER_LEFT, say_left, 2},
	{EVENT_HOUSEHOLD_SAME_AS, say_link, 3},
	{EVENT_HOUSEHOLD_NOT_SAME, say_link, 3},
	{EVENT_PAIR_UNAVAILABLE, say_absence, 1},
	{EVENT_VISIT_CONFIRMED, say_visit, 8},
	{EVENT_VISIT_MOVED, say_visit, 3},
	{EVENT_VISIT_CANCELLED, say_visit, 2},
	{EVENT_VISIT_RECORDED, say_record, 7},
	{EVENT_DEROGATION_DECIDED, say_derogation, 3},
	{EVENT_CASE_CLOSED, say_closing, 2},
	{EVENT_EVENT_RETRACTED, say_retraction, 6},
	{EVENT_PRIVACY_ERASE, say_nothing_more, 1},
	{EVENT_POLICY_APPLIED, say_policy, 1},
};

static const struct saying *pick_saying(struct history *history)
{
	uint32_t all = 0, at;

	for (size_t i = 0; i < ARRAY_SIZE(sayings); i++)
		all += sayings[i].weight;
	at = pick(history, all);
	for (size_t i = 0;; i++) {
		if (at < sayings[i].weight)
			return &sayings[i];
		at -= sayings[i].weight;
	}
}

/* Now and then it happened long ago. */
static ms_t some_time(struct history *history)
{
	ms_t back = chance(history, 8) ? 30 * MS_DAY : 0;

	return history->ports.now - back;
}

static void write_event(struct history *history, struct event *event)
{
	const struct saying *saying = pick_saying(history);

	event_clear(event, saying->kind);
	event->source = STR("urn:test");
	event->id = print(history, "e", history->sent_count);
	event->time = some_time(history);
	if (event_info_find(saying->kind)->subject != SUBJECT_REFUSED) {
		event->subject = household(history);
		event->subject_source = STR("urn:test");
	}
	saying->say(history, event);
}

/* --- living it ------------------------------------------------------------------------------------ */

static void keep_verdict(void *context, const struct verdict *verdict)
{
	*(struct verdict *)context = *verdict;
}

static struct verdict tell(struct history *history, enum authority authority,
			   const struct event *event)
{
	struct verdict verdict = {0};

	engine_submit(history->engine, authority, event, keep_verdict, &verdict);
	if (engine_turn(history->engine))
		fail(history, "the engine failed");
	return verdict;
}

static void say_something(struct history *history)
{
	struct event *event = &history->events[history->sent_count];
	struct verdict verdict;

	write_event(history, event);
	verdict = tell(history, AUTHORITY_COORDINATOR, event);
	history->taken += !verdict.fault.code;
	history->refused += verdict.fault.code != ERR_OK;
	if (!verdict.fault.code)
		history->sent[history->sent_count++] = event->id;
}

/* What was taken once is a duplicate for ever, whatever happened since. */
static void say_again(struct history *history)
{
	struct verdict verdict;

	if (!history->sent_count)
		return;
	verdict = tell(history, AUTHORITY_COORDINATOR,
		       &history->events[pick(history, history->sent_count)]);
	if (!verdict.is_duplicate)
		fail(history, "an event sent again is no duplicate");
}

static void lease(struct history *history, uint32_t number)
{
	struct event event;

	event_clear(&event, EVENT_TASK_LEASED);
	event.source = STR("urn:vigie:core");
	event.id = STR("lease");
	event.time = history->ports.now;
	event.data.task_leased.task = number;
	(void)tell(history, AUTHORITY_SYSTEM, &event);
}

static void answer_mail(struct history *history, uint32_t number, struct event *event)
{
	static const char *const codes[] = {"recipient_refused", "content_refused", "greylisted"};
	uint64_t token = state_of(history)->tasks.items[number].token;
	uint32_t how = pick(history, 12);

	if (how == 0) {
		event_clear(event, EVENT_TASK_LOST);
		event->data.task_lost.task = number;
		event->data.task_lost.token = token;
	} else if (how < 3) {
		event_clear(event, EVENT_TASK_FAILED);
		event->data.task_failed.task = number;
		event->data.task_failed.token = token;
		event->data.task_failed.class = 1 + pick(history, 3);
		event->data.task_failed.code = str_from(codes[pick(history, 3)]);
	} else {
		event_clear(event, EVENT_TASK_DONE);
		event->data.task_done.task = number;
		event->data.task_done.token = token;
	}
}

static void answer_plan(struct history *history, uint32_t number, struct event *event)
{
	struct plan_request request;
	struct plan_answer plan;

	handout_plan(state_of(history), &history->arena, &request);
	plan_make(&request, &history->arena, &plan);
	event_clear(event, EVENT_PLAN_MADE);
	event->data.plan_made.task = number;
	event->data.plan_made.token = state_of(history)->tasks.items[number].token;
	event->data.plan_made.visits = plan.visits;
}

static void work_once(struct history *history, uint32_t number)
{
	struct event event;

	lease(history, number);
	if (state_of(history)->tasks.items[number].kind == TASK_KIND_PLAN)
		answer_plan(history, number, &event);
	else
		answer_mail(history, number, &event);
	event.source = STR("urn:vigie:core");
	event.id = STR("answer");
	event.time = history->ports.now;
	(void)tell(history, AUTHORITY_SYSTEM, &event);
}

static void work(struct history *history)
{
	uint32_t number;

	while ((number = state_of(history)->ready[TASK_KIND_MAIL].first) ||
	       (number = state_of(history)->ready[TASK_KIND_PLAN].first))
		work_once(history, number);
}

/* Timer by timer, as a calendar does, or in one jump, as after an outage. */
static void let_time_pass(struct history *history)
{
	ms_t until = history->ports.now + (ms_t)pick(history, 12 * 24) * MS_HOUR, next;

	while (chance(history, 90) && (next = engine_next_timer(history->engine)) != MS_NONE &&
	       next <= until) {
		history->ports.now = next > history->ports.now ? next : history->ports.now;
		if (engine_turn(history->engine))
			fail(history, "the engine failed");
		work(history);
	}
	history->ports.now = until;
	engine_pass_time(history->engine);
	if (engine_turn(history->engine))
		fail(history, "the engine failed");
	work(history);
}

static struct engine *start(struct history *history)
{
	struct engine_ports ports = memory_ports_get(&history->ports);

	return engine_new(&ports);
}

/* Another core finds the journal, and must come to the same state. */
static void restart(struct history *history)
{
	char before[DIGEST_TEXT_SIZE], after[DIGEST_TEXT_SIZE];

	engine_digest(history->engine, before);
	engine_free(&history->engine);
	history->engine = start(history);
	if (memory_ports_replay(&history->ports, history->engine))
		fail(history, "the journal cannot be replayed");
	engine_digest(history->engine, after);
	if (strcmp(before, after) != 0)
		fail(history, "replay gives another state");
}

/* Kicks what was given up, as an operator would. */
static void kick(struct history *history)
{
	for (uint32_t i = 1; i < state_of(history)->tasks.count; i++) {
		struct event event;

		if (state_of(history)->tasks.items[i].state != TASK_STATE_BURIED)
			continue;
		event_clear(&event, EVENT_TASK_KICKED);
		event.source = STR("urn:vigie:control");
		event.id = print(history, "kick", (uint32_t)state_of(history)->seq);
		event.time = history->ports.now;
		event.data.task_kicked.task = i;
		(void)tell(history, AUTHORITY_COORDINATOR, &event);
	}
	work(history);
}

static void step(struct history *history)
{
	uint32_t what = pick(history, 100);

	if (what < 60)
		say_something(history);
	else if (what < 65)
		say_again(history);
	else if (what < 92)
		let_time_pass(history);
	else if (what < 95)
		kick(history);
	else
		restart(history);
	work(history);
}

static void begin(struct history *history, uint32_t seed)
{
	static const uint8_t salt[DIGEST_SIZE] = {7};
	struct verdict verdict;
	struct event event;

	*history = (struct history){.seed = seed, .random = seed * 0x9e3779b97f4a7c15u + 1};
	history->ports.now =
		time_at_paris(day_from_ymd(2015, 1, 1) + (day_t)pick(history, 365), 9, 0);
	history->engine = start(history);
	if (engine_begin(history->engine, true, salt))
		fail(history, "the journal cannot begin");
	event_clear(&event, EVENT_POLICY_APPLIED);
	event.source = STR("urn:vigie:control");
	event.id = STR("policy");
	event.time = history->ports.now;
	say_policy(history, &event);
	verdict = tell(history, AUTHORITY_COORDINATOR, &event);
	if (verdict.fault.code)
		fail(history, verdict.fault.text);
}

static void end(struct history *history)
{
	engine_free(&history->engine);
	memory_ports_done(&history->ports);
	arena_done(&history->arena);
}

int main(int count, char **arguments)
{
	uint32_t first = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1;
	uint32_t last = count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : first;
	uint64_t taken = 0, refused = 0, tasks = 0, cases = 0;

	hash_init();
	for (uint32_t seed = first; seed <= last; seed++) {
		struct history *history = mem_new(sizeof(*history));
		const char *fault;

		begin(history, seed);
		for (uint32_t i = 0; i < STEPS; i++)
			step(history);
		restart(history);
		fault = look_at(history->engine, &history->arena);
		if (fault)
			fail(history, fault);
		taken += history->taken;
		refused += history->refused;
		tasks += state_of(history)->tasks.count - 1;
		cases += state_of(history)->cases.count - 1;
		end(history);
		free(history);
	}
	printf("%u histories: %" PRIu64 " events taken, %" PRIu64 " refused, %" PRIu64
	       " cases, %" PRIu64 " tasks; all holds\n",
	       last - first + 1, taken, refused, cases, tasks);
	return 0;
}
