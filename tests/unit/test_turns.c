/* The engine through crashes: whichever append fails, kept by the disk or not, what is sent again after
 * the restart leads to the very same state. */
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

static struct engine *start(struct memory_ports *ports)
{
	struct engine_ports given = memory_ports_get(ports);

	return engine_new(&given);
}

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

/* The n-th append fails; the process is gone; a new one replays, and everything is sent again. */
static void disturbed(struct script *script, uint32_t fail_at, bool is_kept,
		      char digest[DIGEST_TEXT_SIZE])
{
	struct memory_ports ports = {0};
	struct engine *engine = start(&ports);
	uint32_t done;

	begin(&ports, engine);
	ports.fail_append_at = fail_at;
	ports.is_append_kept = is_kept;
	ports.appends = 0;
	done = live(&ports, engine, script, 0);
	assert_true(done < EVENTS);
	engine_free(&engine);

	ports.fail_append_at = 0;
	engine = start(&ports);
	assert_int_equal(memory_ports_replay(&ports, engine), ERR_OK);
	assert_int_equal(live(&ports, engine, script, done), EVENTS);
	engine_digest(engine, digest);
	engine_free(&engine);
	memory_ports_done(&ports);
}

static void test_any_crash_leads_to_the_same_state(void **unused)
{
	struct script *script = mem_new(sizeof(*script));

	(void)unused;
	hash_init();
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		char whole[DIGEST_TEXT_SIZE], broken[DIGEST_TEXT_SIZE];

		write_script(script, seed);
		undisturbed(script, whole);
		for (uint32_t at = 1; at < EVENTS / 2; at += 3)
			for (int is_kept = 0; is_kept < 2; is_kept++) {
				disturbed(script, at, is_kept, broken);
				assert_string_equal(whole, broken);
			}
		arena_done(&script->arena);
	}
	mem_free(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_crash_leads_to_the_same_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
