/* The engine through crashes: whichever append fails, kept by the disk or not, what is sent again after
 * the restart leads to the very same state, also when the engine was ahead of the disk. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/lib/story.h"

enum { EVENTS = 60, SEEDS = 20 };

struct script {
	struct arena arena;
	struct event events[EVENTS];
	uint32_t random;
};

static uint32_t next_random(struct script *script, uint32_t below)
{
	assert(below);
	script->random = script->random * 1664525u + 1013904223u;
	return (script->random >> 8) % below;
}

static struct str text(struct script *script, const char *prefix, uint32_t number)
{
	char buffer[16];

	snprintf(buffer, sizeof(buffer), "%s%u", prefix, number);
	return arena_copy(&script->arena, str_from(buffer));
}

static void write_referral(struct script *script, struct event *event)
{
	struct referral_received *data = &event->data.referral_received;

	data->form = text(script, "F", next_random(script, 12));
	data->giver = text(script, "G", next_random(script, 3));
	data->reasons = 1;
	data->consent_on = time_paris_day(event->time);
	data->person.is_set = true;
	data->person.name = text(script, "Nom ", next_random(script, 8));
	data->person.phone = text(script, "03840000", 10 + next_random(script, 8));
	assert_true(
		insee_parse(next_random(script, 2) ? STR("39001") : STR("39003"), &data->insee));
}

static void write_request(struct script *script, struct event *event)
{
	event->data.fsl_request_filed.request = text(script, "R", next_random(script, 20));
	event->data.fsl_request_filed.energies = 1;
	event->data.fsl_request_filed.filed_on = time_paris_day(event->time);
}

static void write_cut(struct script *script, struct event *event)
{
	event->data.supplier_cut.supplier = text(script, "S", next_random(script, 2));
	event->data.supplier_cut.energy = 1 + next_random(script, 4);
	event->data.supplier_cut.on = time_paris_day(event->time);
}

static void write_retraction(struct script *script, struct event *event, uint32_t at)
{
	event->data.event_retracted.source = STR("urn:test");
	event->data.event_retracted.id = script->events[next_random(script, at)].id;
	event->data.event_retracted.reason = STR("erreur");
}

static void write_event(struct script *script, uint32_t at)
{
	static const enum event_kind kinds[] = {
		EVENT_REFERRAL_RECEIVED, EVENT_REFERRAL_RECEIVED, EVENT_FSL_REQUEST_FILED,
		EVENT_SUPPLIER_CUT,      EVENT_SUPPLIER_RESTORED, EVENT_EVENT_RETRACTED,
	};
	struct event *event = &script->events[at];

	event_clear(event, at ? kinds[next_random(script, ARRAY_SIZE(kinds))] : kinds[0]);
	event->source = STR("urn:test");
	event->id = text(script, "e", at);
	event->time = time_at_paris(d("2015-02-02") + (day_t)at * 3, 12, 0);
	if (event->kind != EVENT_EVENT_RETRACTED) {
		event->subject = text(script, "H", next_random(script, 8));
		event->subject_source = STR("urn:test");
	}
	if (event->kind == EVENT_REFERRAL_RECEIVED)
		write_referral(script, event);
	else if (event->kind == EVENT_FSL_REQUEST_FILED)
		write_request(script, event);
	else if (event->kind == EVENT_EVENT_RETRACTED)
		write_retraction(script, event, at);
	else
		write_cut(script, event); /* restored is alike */
}

static void write_script(struct script *script, uint32_t seed)
{
	*script = (struct script){.random = seed * 2654435761u + 1};
	for (uint32_t i = 0; i < EVENTS; i++)
		write_event(script, i);
}

static void begin(struct memory_ports *ports, struct engine *engine)
{
	static const uint8_t salt[DIGEST_SIZE] = {1};
	struct buf bytes = {0};
	struct arena arena = {0};
	struct policy policy;
	struct event event;

	ports->now = time_at_paris(d("2015-02-01"), 12, 0);
	assert_int_equal(engine_begin(engine, true, salt), ERR_OK);
	story_policy(&arena, &policy);
	policy_encode(&policy, &bytes);
	event_clear(&event, EVENT_POLICY_APPLIED);
	event.source = STR("urn:test");
	event.id = STR("policy");
	event.time = ports->now;
	event.data.policy_applied.policy = buf_str(&bytes);
	engine_submit(engine, AUTHORITY_COORDINATOR, &event, NULL, NULL);
	assert_int_equal(engine_turn(engine), ERR_OK);
	buf_done(&bytes);
	arena_done(&arena);
}

/* Each event in a turn of its own; stops at the first that fails and says how many were done. */
static uint32_t live(struct memory_ports *ports, struct engine *engine, struct script *script,
		     uint32_t from)
{
	for (uint32_t i = from; i < EVENTS; i++) {
		ports->now = script->events[i].time;
		engine_submit(engine, AUTHORITY_COORDINATOR, &script->events[i], NULL, NULL);
		if (engine_turn(engine))
			return i;
	}
	return EVENTS;
}

static void count_answer(void *context, const struct verdict *verdict)
{
	(void)verdict;
	++*(uint32_t *)context;
}

/* The same on a disk that is slower than the engine, which waits for it now and then; says how many were
 * answered. */
static uint32_t live_ahead(struct memory_ports *ports, struct engine *engine, struct script *script,
			   uint32_t from)
{
	uint32_t answered = from;
	enum err err = ERR_OK;

	ports->is_slow = true;
	for (uint32_t i = from; i < EVENTS && !err; i++) {
		ports->now = script->events[i].time;
		engine_submit(engine, AUTHORITY_SENDER, &script->events[i], count_answer,
			      &answered);
		err = engine_turn_ahead(engine);
		if (!err && next_random(script, 4) == 0)
			err = engine_settle(engine);
	}
	if (!err)
		err = engine_settle(engine);
	assert_true(err || answered == EVENTS);
	return answered;
}

static struct engine *start_with(struct memory_ports *ports, struct caution_port caution)
{
	struct engine_ports given = memory_ports_get(ports);

	given.caution = caution;
	return engine_new(&given);
}

static struct engine *start(struct memory_ports *ports)
{
	return start_with(ports, (struct caution_port){0});
}

typedef uint32_t live_fn(struct memory_ports *ports, struct engine *engine, struct script *script,
			 uint32_t from);

static void undisturbed(struct script *script, char digest[DIGEST_TEXT_SIZE])
{
	struct memory_ports ports = {0};
	struct engine *engine = start(&ports);

	begin(&ports, engine);
	assert_int_equal(live(&ports, engine, script, 0), EVENTS);
	engine_digest(engine, digest);
	engine_free(&engine);
	memory_ports_done(&ports);
}

/* What is known of persons after a restart: what the journal tells, and nothing that never came to be in it. */
static void recall(struct memory_ports *ports, struct engine *engine)
{
	struct keys_port keys = memory_ports_get(ports).keys;
	struct arena arena = {0};
	struct event event;

	matching_done(&ports->matching);
	ports->matching = (struct matching){0};
	for (uint64_t seq = 1; seq <= engine_state(engine)->seq; seq++) {
		assert_int_equal(engine_read(engine, seq, &arena, &event), ERR_OK);
		if (event.kind == EVENT_REFERRAL_RECEIVED)
			keys.remember(keys.context, seq, event.found.household,
				      &event.data.referral_received.person,
				      event.data.referral_received.insee);
		arena_reset(&arena);
	}
	arena_done(&arena);
}

/* The n-th append fails; the process is gone; a new one replays, and everything is sent again. */
static void disturbed(struct script *script, live_fn *live_on, uint32_t fail_at, bool is_kept,
		      char digest[DIGEST_TEXT_SIZE])
{
	struct memory_ports ports = {0};
	struct engine *engine = start(&ports);
	uint32_t done;

	begin(&ports, engine);
	ports.fail_append_at = fail_at;
	ports.is_append_kept = is_kept;
	ports.appends = 0;
	done = live_on(&ports, engine, script, 0);
	assert_true(done < EVENTS);
	engine_free(&engine);

	ports.fail_append_at = 0;
	ports.begun.count = 0;
	engine = start(&ports);
	assert_int_equal(memory_ports_replay(&ports, engine), ERR_OK);
	recall(&ports, engine);
	assert_int_equal(live_on(&ports, engine, script, done), EVENTS);
	engine_digest(engine, digest);
	engine_free(&engine);
	memory_ports_done(&ports);
}

static void assert_crashes_change_nothing(live_fn *live_on, uint32_t appends)
{
	struct script *script = mem_new(sizeof(*script));

	hash_init();
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		char whole[DIGEST_TEXT_SIZE], broken[DIGEST_TEXT_SIZE];

		write_script(script, seed);
		undisturbed(script, whole);
		for (uint32_t at = 1; at < appends; at += 3)
			for (int is_kept = 0; is_kept < 2; is_kept++) {
				disturbed(script, live_on, at, is_kept, broken);
				assert_string_equal(whole, broken);
			}
		arena_done(&script->arena);
	}
	mem_free(&script);
}

static void test_any_crash_leads_to_the_same_state(void **unused)
{
	(void)unused;
	assert_crashes_change_nothing(live, EVENTS / 2);
}

static void test_any_crash_of_an_engine_ahead_of_the_disk_does(void **unused)
{
	(void)unused;
	assert_crashes_change_nothing(live_ahead, EVENTS / 6);
}

/* Tells what a careful engine said to it, and suspects "e2". */
struct guard {
	const struct memory_ports *ports;
	struct buf told; /* "e0@2 " … : noted before so many turns were journaled */
	uint32_t let_go;
};

static bool guard_is_suspect(void *context, struct str source, struct str id)
{
	return str_is(source, "urn:test") && str_is(id, "e2");
}

static void guard_note(void *context, struct str source, struct str id)
{
	struct guard *guard = context;

	assert_true(str_is(source, "urn:test"));
	buf_printf(&guard->told, "%.*s@%u ", (int)id.size, id.data, guard->ports->turn_count);
}

static void guard_let_go(void *context)
{
	struct guard *guard = context;

	guard->let_go++;
}

struct answers {
	struct buf text; /* "taken internal:id " …, in the order they came */
};

static void keep_answer(void *context, const struct verdict *verdict)
{
	struct answers *answers = context;

	if (verdict->fault.code)
		buf_printf(&answers->text, "%s:%s ", err_name(verdict->fault.code),
			   verdict->fault.path);
	else
		buf_printf(&answers->text, "%s ", verdict->is_duplicate ? "again" : "taken");
}

static void submit(struct engine *engine, struct script *script, uint32_t at,
		   struct answers *answers)
{
	engine_submit(engine, AUTHORITY_COORDINATOR, &script->events[at], keep_answer, answers);
}

static void put_away(struct engine **engine, struct memory_ports *ports, struct script **script,
		     struct answers *answers)
{
	buf_done(&answers->text);
	engine_free(engine);
	memory_ports_done(ports);
	arena_done(&(*script)->arena);
	mem_free(script);
}

static void assert_text(struct buf *buf, const char *text)
{
	buf_add(buf, "", 1);
	assert_string_equal(buf->data, text);
	buf_reset(buf);
}

/* Careful: one event a turn, noted before anything of it is journaled; careless again: all at once. */
static void test_careful_engine_takes_one_and_notes_it_first(void **unused)
{
	struct script *script = mem_new(sizeof(*script));
	struct memory_ports ports = {0};
	struct guard guard = {.ports = &ports};
	struct caution_port caution = {&guard, guard_is_suspect, guard_note, guard_let_go};
	struct engine *engine = start_with(&ports, caution);
	struct answers answers = {0};

	write_script(script, 1);
	begin(&ports, engine);
	ports.now = script->events[EVENTS - 1].time;
	engine_be_careful(engine, true);
	for (uint32_t i = 0; i < 3; i++)
		submit(engine, script, i % 2, &answers);

	while (engine_pending(engine))
		assert_int_equal(engine_turn(engine), ERR_OK);

	assert_text(&guard.told, "e0@2 e1@3 e0@4 ");
	assert_text(&answers.text, "taken taken again ");
	assert_int_equal(guard.let_go, 3);

	for (uint32_t i = 3; i < 6; i++)
		submit(engine, script, i, &answers);
	assert_int_equal(engine_turn(engine), ERR_OK);
	engine_be_careful(engine, false);
	assert_int_equal(engine_pending(engine), 2);
	assert_int_equal(engine_turn(engine), ERR_OK);

	assert_int_equal(engine_pending(engine), 0);
	assert_text(&guard.told, "e3@4 ");
	buf_done(&guard.told);
	put_away(&engine, &ports, &script, &answers);
}

/* A suspect is refused, careful or not, and changes nothing. */
static void test_suspect_event_is_refused(void **unused)
{
	struct script *script = mem_new(sizeof(*script));
	struct memory_ports ports = {0};
	struct guard guard = {.ports = &ports};
	struct caution_port caution = {&guard, guard_is_suspect, guard_note, guard_let_go};
	struct engine *engine = start_with(&ports, caution);
	char before[DIGEST_TEXT_SIZE], after[DIGEST_TEXT_SIZE];
	struct answers answers = {0};

	write_script(script, 1);
	begin(&ports, engine);
	engine_digest(engine, before);
	for (int is_careful = 0; is_careful < 2; is_careful++) {
		engine_be_careful(engine, is_careful);
		submit(engine, script, 2, &answers);
		assert_int_equal(engine_turn(engine), ERR_OK);
	}

	engine_digest(engine, after);
	assert_string_equal(before, after);
	assert_text(&answers.text, "internal:id internal:id ");
	assert_int_equal(guard.told.size, 0);
	put_away(&engine, &ports, &script, &answers);
}

static void submit_as(struct engine *engine, enum authority authority, struct script *script,
		      uint32_t at, struct answers *answers)
{
	engine_submit(engine, authority, &script->events[at], keep_answer, answers);
	assert_int_equal(engine_turn_ahead(engine), ERR_OK);
}

/* What is not durable has no answer, and yet is known: in the turn on its way and in the one at work. */
static void test_senders_wait_for_the_disk_and_the_engine_does_not(void **unused)
{
	struct script *script = mem_new(sizeof(*script));
	struct memory_ports ports = {.is_slow = true};
	struct engine *engine = start(&ports);
	struct answers answers = {0};
	uint64_t durable;

	(void)unused;
	write_script(script, 1);
	begin(&ports, engine);
	ports.now = script->events[1].time;
	engine_pass_time(engine);
	assert_int_equal(engine_turn(engine), ERR_OK);
	durable = engine_state(engine)->seq;

	submit_as(engine, AUTHORITY_SENDER, script, 0, &answers);
	submit_as(engine, AUTHORITY_SENDER, script, 0, &answers);
	submit_as(engine, AUTHORITY_SENDER, script, 1, &answers);
	submit_as(engine, AUTHORITY_SENDER, script, 1, &answers);

	assert_int_equal(answers.text.size, 0);
	assert_int_equal(engine_pending(engine), 0);
	assert_int_equal(engine_state(engine)->seq, durable + 2);
	assert_int_equal(engine_durable_seq(engine), durable);

	assert_int_equal(engine_settle(engine), ERR_OK);

	assert_text(&answers.text, "taken again taken again ");
	assert_int_equal(engine_durable_seq(engine), durable + 2);

	put_away(&engine, &ports, &script, &answers);
}

/* Whoever may look at the state afterwards finds all of it on disk. */
static void test_a_coordinator_is_answered_when_all_is_durable(void **unused)
{
	struct script *script = mem_new(sizeof(*script));
	struct memory_ports ports = {.is_slow = true};
	struct engine *engine = start(&ports);
	struct answers answers = {0};

	(void)unused;
	write_script(script, 1);
	begin(&ports, engine);
	ports.now = script->events[1].time;
	submit_as(engine, AUTHORITY_SENDER, script, 0, &answers);
	submit_as(engine, AUTHORITY_SENDER, script, 1, &answers);
	assert_int_equal(answers.text.size, 0);

	submit_as(engine, AUTHORITY_COORDINATOR, script, 0, &answers);

	assert_text(&answers.text, "taken taken again ");
	assert_int_equal(engine_durable_seq(engine), engine_state(engine)->seq);
	put_away(&engine, &ports, &script, &answers);
}

/* A verdict that comes too early is an acknowledgement that does not hold. */
static void test_nobody_is_answered_when_the_disk_fails(void **unused)
{
	struct script *script = mem_new(sizeof(*script));
	struct memory_ports ports = {.is_slow = true};
	struct engine *engine = start(&ports);
	struct answers answers = {0};

	(void)unused;
	write_script(script, 1);
	begin(&ports, engine);
	ports.now = script->events[1].time;
	ports.fail_append_at = 1;
	submit_as(engine, AUTHORITY_SENDER, script, 0, &answers);
	submit_as(engine, AUTHORITY_SENDER, script, 1, &answers);

	assert_int_equal(engine_settle(engine), ERR_IO);

	assert_int_equal(answers.text.size, 0);
	put_away(&engine, &ports, &script, &answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_crash_leads_to_the_same_state),
		cmocka_unit_test(test_any_crash_of_an_engine_ahead_of_the_disk_does),
		cmocka_unit_test(test_senders_wait_for_the_disk_and_the_engine_does_not),
		cmocka_unit_test(test_a_coordinator_is_answered_when_all_is_durable),
		cmocka_unit_test(test_nobody_is_answered_when_the_disk_fails),
		cmocka_unit_test(test_careful_engine_takes_one_and_notes_it_first),
		cmocka_unit_test(test_suspect_event_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
