#include "tests/lib/story.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "daemon/handout.h"
#include "daemon/letter.h"
#include "daemon/snapshot.h"
#include "workers/schedule/plan.h"

day_t d(const char *day)
{
	day_t parsed = DAY_NONE;

	assert_true(day_parse(str_from(day), &parsed));
	return parsed;
}

/* --- the department --------------------------------------------------------------------------- */

static void open_sector(struct arena *arena, struct policy_sector *sector, const char *id,
			const char *from, const char *to)
{
	struct policy_opening *opening = arena_new(arena, sizeof(*opening));

	*opening = (struct policy_opening){true, d(from), d(to)};
	*sector = (struct policy_sector){
		.is_set = true,
		.id = str_from(id),
		.name = str_from(id),
		.households = 1000,
		.openings = {1, opening},
	};
}

static void add_commune(struct policy *policy, const char *insee, uint64_t sector)
{
	struct policy_commune *commune =
		list_at(&policy->communes, struct policy_commune, policy->communes.count++);

	*commune = (struct policy_commune){
		.is_set = true,
		.name = str_from(insee),
		.sector = sector,
		.lat = SINT_NONE,
		.lon = SINT_NONE,
	};
	assert_true(insee_parse(str_from(insee), &commune->insee));
}

static const struct policy_rules jura_rules = {
	.is_set = true,
	.critical_within = 15,
	.critical_after = 30,
	.urgent_within = 60,
	.supply_stale = 180,
	.fsl_window_months = 24,
	.fsl_repeat = 30,
	.fsl_urgent_from = 4,
	.vulnerable = 31,
	.carried_over = 120,
	.carry_over_weeks = 52,
	.closing = 90,
	.closing_within = 70,
	.reopening_months = 12,
	.no_show = 30,
	.reopen_months = 12,
	.visited_closes_after = 30,
	.old_fact = 7,
	.open_on_recurrence = SAID_NO,
	.open_on_cutoff = SAID_NO,
	.derogation = DEROGATION_AUTO,
};

static const struct policy_law jura_law = {
	.is_set = true,
	.valid_from = DAY_NONE,
	.grace = 15,
	.grace_protected = 30,
	.final_notice = 20,
	.reduced_power = 60,
	.fsl_months = 2,
	.truce_from = 1101,
	.truce_to = 331,
	.stale = 180,
};

void story_policy(struct arena *arena, struct policy *policy)
{
	struct policy_pair *pair = arena_new(arena, sizeof(*pair));
	struct policy_law *law = arena_new(arena, sizeof(*law));

	record_clear(&record_policy, policy);
	policy->department = STR("39");
	policy->name = STR("Essai");
	policy->coordinator =
		(struct policy_person){true, STR("Coordination"), STR("coordination@exemple.test")};
	policy->rules = jura_rules;
	policy->planning = (struct policy_planning){true, 3, SAID_NO, 3};
	policy->outreach = (struct policy_outreach){true, 12, 8};
	policy->givers = (struct policy_givers){true, 28, 42, 42, SAID_NO};
	policy->mails = (struct policy_mails){true, 0, 0, SAID_NO, 10};
	policy->retention_months = 24;
	*law = jura_law;
	policy->laws = (struct list){1, law};
	policy->sectors = (struct list){2, arena_new(arena, 2 * sizeof(struct policy_sector))};
	open_sector(arena, list_at(&policy->sectors, struct policy_sector, 0), "nord", "2015-01-01",
		    "2016-12-31");
	open_sector(arena, list_at(&policy->sectors, struct policy_sector, 1), "sud", "2016-01-01",
		    "2016-12-31");
	policy->communes = (struct list){0, arena_new(arena, 3 * sizeof(struct policy_commune))};
	add_commune(policy, "39001", 0);
	add_commune(policy, "39002", 0);
	add_commune(policy, "39003", 1);
	*pair = (struct policy_pair){
		.is_set = true,
		.id = STR("p1"),
		.name = STR("Binôme"),
		.email = STR("binome@exemple.test"),
		.half_days = 0x3fc, /* Tuesday to Friday */
		.visits_a_week = 4,
		.closed_sectors = SAID_YES,
	};
	policy->pairs = (struct list){1, pair};
}

/* --- telling ---------------------------------------------------------------------------------- */

static void keep_verdict(void *context, const struct verdict *verdict)
{
	((struct story *)context)->verdict = *verdict;
}

static void take(struct story *story, enum authority authority, const struct event *event)
{
	struct event timed = *event;

	if (timed.time == MS_NONE)
		timed.time = story->ports.now;
	story->verdict = (struct verdict){0};
	engine_submit(story->engine, authority, &timed, keep_verdict, story);
	assert_int_equal(engine_turn(story->engine), ERR_OK);
}

static void make_plan(struct story *story, const struct task *task, uint32_t number,
		      struct event *event)
{
	struct plan_request request;
	struct plan_answer answer;

	handout_plan(story_state(story), &story->arena, &request);
	plan_make(&request, &story->arena, &answer);
	event_clear(event, EVENT_PLAN_MADE);
	event->data.plan_made.task = number;
	event->data.plan_made.token = task->token;
	event->data.plan_made.visits = answer.visits;
}

/* What a worker is told must be what the table says, both ways. */
static void read_letter(struct story *story, uint32_t number)
{
	struct mail_body body, read;
	struct reader reader;
	struct fault fault = {0};
	struct buf bytes = {0};

	assert_int_equal(letter_write(story->engine, number, &story->arena, &body), ERR_OK);
	codec_encode(&record_mail_body, &body, 0, 0, &bytes);
	reader = reader_from(buf_str(&bytes));
	if (codec_decode(&record_mail_body, &reader, "", 0, &story->arena, &read, &fault))
		fail_msg("mail %u: %s: %s", number, fault.path, fault.text);
	buf_done(&bytes);
}

static void deliver(struct story *story, const struct task *task, uint32_t number,
		    struct event *event)
{
	read_letter(story, number);
	if (story->refuses_mail) {
		event_clear(event, EVENT_TASK_FAILED);
		event->data.task_failed.task = number;
		event->data.task_failed.token = task->token;
		event->data.task_failed.class = FAILURE_NEVER;
		event->data.task_failed.code = STR("recipient_refused");
		return;
	}
	event_clear(event, EVENT_TASK_DONE);
	event->data.task_done.task = number;
	event->data.task_done.token = task->token;
}

static void finish_task(struct story *story, uint32_t number)
{
	const struct task *task;
	struct event event;

	event_clear(&event, EVENT_TASK_LEASED);
	event.source = STR("urn:test");
	event.data.task_leased.task = number;
	take(story, AUTHORITY_SYSTEM, &event);
	task = &story_state(story)->tasks.items[number];
	if (task->kind == TASK_KIND_PLAN)
		make_plan(story, task, number, &event);
	else
		deliver(story, task, number, &event);
	event.source = STR("urn:test");
	take(story, AUTHORITY_SYSTEM, &event);
}

static void work(struct story *story)
{
	const struct state *state = story_state(story);
	uint32_t number;

	while ((number = state->ready[TASK_KIND_MAIL].first) ||
	       (number = state->ready[TASK_KIND_PLAN].first))
		finish_task(story, number);
}

static void fill(struct story *story, struct event *event)
{
	char id[16];

	if (!event->source.size)
		event->source = STR("urn:test");
	if (!event->id.size) {
		snprintf(id, sizeof(id), "e%u", ++story->last_id);
		event->id = arena_copy(&story->arena, str_from(id));
	}
	if (event->subject.size && !event->subject_source.size)
		event->subject_source = event->source;
	if (event->time == MS_NONE || event->time == 0)
		event->time =
			story->told_on ? time_at_paris(d(story->told_on), 12, 0) : story->ports.now;
}

void story_tell(struct story *story, struct event *event)
{
	struct verdict verdict;

	fill(story, event);
	take(story, AUTHORITY_COORDINATOR, event);
	verdict = story->verdict;
	if (verdict.fault.code)
		fail_msg("%s: %s", verdict.fault.path, verdict.fault.text);
	work(story);
	story->verdict = verdict; /* not the last task's */
}

void story_refused(struct story *story, struct event *event, enum err code, const char *path)
{
	fill(story, event);
	take(story, AUTHORITY_COORDINATOR, event);
	assert_string_equal(err_name(story->verdict.fault.code), err_name(code));
	assert_string_equal(story->verdict.fault.path, path);
}

void story_applies(struct story *story)
{
	struct buf bytes = {0};
	struct event event;

	policy_encode(&story->policy, &bytes);
	event_clear(&event, EVENT_POLICY_APPLIED);
	event.data.policy_applied.policy = buf_str(&bytes);
	story_tell(story, &event);
	buf_done(&bytes);
}

void story_begin(struct story *story, const char *day)
{
	static const uint8_t salt[DIGEST_SIZE]; /* always the same */
	struct engine_ports ports;

	hash_init();
	*story = (struct story){0};
	story->ports.now = time_at_paris(d(day), 12, 0);
	ports = memory_ports_get(&story->ports);
	story->engine = engine_new(&ports);
	assert_int_equal(engine_begin(story->engine, true, salt), ERR_OK);
	story_policy(&story->arena, &story->policy);
	story_applies(story);
}

void story_end(struct story *story)
{
	engine_free(&story->engine);
	memory_ports_done(&story->ports);
	arena_done(&story->arena);
}

void story_goes_to(struct story *story, const char *day)
{
	ms_t until = time_at_paris(d(day), 12, 0), next;

	while ((next = engine_next_timer(story->engine)) != MS_NONE && next <= until) {
		story->ports.now = next > story->ports.now ? next : story->ports.now;
		assert_int_equal(engine_turn(story->engine), ERR_OK);
		work(story);
	}
	story->ports.now = until;
	engine_pass_time(story->engine);
	assert_int_equal(engine_turn(story->engine), ERR_OK);
}

void story_wakes_on(struct story *story, const char *day)
{
	story->ports.now = time_at_paris(d(day), 12, 0);
	assert_int_equal(engine_turn(story->engine), ERR_OK);
	work(story);
}

/* --- events ----------------------------------------------------------------------------------- */

static struct event about(enum event_kind kind, const char *subject)
{
	struct event event;

	event_clear(&event, kind);
	event.subject = str_from(subject);
	return event;
}

uint64_t story_referral(struct story *story, const char *form, const char *giver,
			const char *subject, const char *insee, const char *name, const char *phone)
{
	struct event event = about(EVENT_REFERRAL_RECEIVED, subject);
	struct referral_received *data = &event.data.referral_received;

	data->form = str_from(form);
	data->giver = str_from(giver);
	data->reasons = 1;
	data->consent_on = story->told_on ? d(story->told_on) : time_paris_day(story->ports.now);
	data->person.is_set = true;
	data->person.name = str_from(name);
	data->person.phone = str_from(phone);
	if (insee)
		assert_true(insee_parse(str_from(insee), &data->insee));
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_request(struct story *story, const char *subject, const char *request,
		       uint32_t energies, const char *filed_on)
{
	struct event event = about(EVENT_FSL_REQUEST_FILED, subject);

	event.data.fsl_request_filed.request = str_from(request);
	event.data.fsl_request_filed.energies = energies;
	event.data.fsl_request_filed.filed_on = d(filed_on);
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_decision(struct story *story, const char *subject, const char *request,
			uint32_t outcome, const char *decided_on)
{
	struct event event = about(EVENT_FSL_DECIDED, subject);

	event.data.fsl_decided.request = str_from(request);
	event.data.fsl_decided.outcome = outcome;
	event.data.fsl_decided.decided_on = d(decided_on);
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_notice(struct story *story, const char *subject, uint32_t energy, uint64_t step,
		      const char *issued_on)
{
	struct event event = about(EVENT_SUPPLIER_NOTICE, subject);

	event.data.supplier_notice.supplier = STR("A");
	event.data.supplier_notice.energy = energy;
	event.data.supplier_notice.step = step;
	event.data.supplier_notice.issued_on = d(issued_on);
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_supply(struct story *story, enum event_kind kind, const char *subject,
		      uint32_t energy, const char *on)
{
	struct event event = about(kind, subject);

	/* limited, cut and restored begin alike: supplier, energy, on */
	event.data.supplier_cut.supplier = STR("A");
	event.data.supplier_cut.energy = energy;
	event.data.supplier_cut.on = d(on);
	if (kind == EVENT_SUPPLIER_LIMITED)
		event.data.supplier_limited.power_va = 1000;
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_giver(struct story *story, const char *giver)
{
	struct event event = about(EVENT_GIVER_REGISTERED, NULL);
	struct giver_registered *data = &event.data.giver_registered;

	data->giver = str_from(giver);
	data->kind = GIVER_KIND_DEPARTMENT_SOCIAL_WORKER;
	data->structure = STR("Département");
	data->name = STR("Prénom Nom");
	data->email = STR("giver@exemple.test");
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_visit(struct story *story, enum event_kind kind, uint32_t visit)
{
	struct event event = about(kind, NULL);

	/* confirmed, moved and cancelled are alike */
	event.data.visit_confirmed.visit = visit;
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_move(struct story *story, uint32_t visit, day_t day, enum half half)
{
	struct event event = about(EVENT_VISIT_MOVED, NULL);

	event.data.visit_moved.visit = visit;
	event.data.visit_moved.day = day;
	event.data.visit_moved.half = half;
	event.data.visit_moved.by = CANCELLER_COORDINATOR;
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_absence(struct story *story, day_t from, day_t to)
{
	struct event event = about(EVENT_PAIR_UNAVAILABLE, NULL);

	event.data.pair_unavailable.pair = STR("p1");
	event.data.pair_unavailable.from = from;
	event.data.pair_unavailable.to = to;
	story_tell(story, &event);
	return story->verdict.seq;
}

uint64_t story_record(struct story *story, uint32_t visit, uint32_t result)
{
	struct event event = about(EVENT_VISIT_RECORDED, NULL);

	event.data.visit_recorded.visit = visit;
	event.data.visit_recorded.result = result;
	event.data.visit_recorded.second_visit = SAID_NO;
	story_tell(story, &event);
	return story->verdict.seq;
}

void story_withdraws(struct story *story, uint32_t case_number)
{
	char number[16];
	struct event event;

	snprintf(number, sizeof(number), "%u", case_number);
	event = about(EVENT_REFERRAL_WITHDRAWN, number);
	event.subject_source = STR("urn:vigie");
	event.data.referral_withdrawn.by = WITHDRAWER_HOUSEHOLD;
	event.data.referral_withdrawn.reason = WITHDRAWAL_SOLVED;
	story_tell(story, &event);
}

void story_retract(struct story *story, uint64_t seq)
{
	struct event event, target;

	assert_int_equal(engine_read(story->engine, seq, &story->arena, &target), ERR_OK);
	event_clear(&event, EVENT_EVENT_RETRACTED);
	event.data.event_retracted.source = target.source;
	event.data.event_retracted.id = target.id;
	event.data.event_retracted.reason = STR("erreur de saisie");
	story_tell(story, &event);
}

/* --- looking ---------------------------------------------------------------------------------- */

const struct state *story_state(const struct story *story)
{
	return engine_state(story->engine);
}

const struct case_record *story_case(const struct story *story, uint32_t number)
{
	uint32_t found = case_resolve(story_state(story), number);

	assert_int_not_equal(found, 0);
	return &story_state(story)->cases.items[found];
}

uint32_t story_mails(const struct story *story, uint32_t template)
{
	const struct state *state = story_state(story);
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->tasks.count; i++)
		count += state->tasks.items[i].kind == TASK_KIND_MAIL &&
			 state->tasks.items[i].state == TASK_STATE_DONE &&
			 state->tasks.items[i].mail.template == template;
	return count;
}

static void add_bytes(void *context, const void *bytes, size_t size)
{
	buf_add(context, bytes, size);
}

void story_holds(struct story *story)
{
	struct engine_ports none = {0};
	struct engine *engine = engine_new(&none);
	char live[DIGEST_TEXT_SIZE], replayed[DIGEST_TEXT_SIZE];
	uint8_t digest[32], restored[32];
	struct buf bytes = {0};
	struct state state;

	engine_digest(story->engine, live);
	assert_int_equal(memory_ports_replay(&story->ports, engine), ERR_OK);
	engine_digest(engine, replayed);
	assert_string_equal(live, replayed);
	engine_free(&engine);

	snapshot_write(story_state(story), add_bytes, &bytes);
	state_init(&state);
	assert_int_equal(snapshot_read(buf_str(&bytes), &state), ERR_OK);
	snapshot_digest(story_state(story), digest);
	snapshot_digest(&state, restored);
	assert_memory_equal(digest, restored, sizeof(digest));
	state_done(&state);
	buf_done(&bytes);
}
