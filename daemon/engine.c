#include "daemon/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/forecast.h"
#include "daemon/snapshot.h"
#include "proto/hash.h"

struct engine {
	struct engine_ports ports;
	struct state state;
	struct engine_counters counters;

	struct turn turns[3];
	struct turn *turn;    /* collects what is submitted, and is at work */
	struct turn *sent;    /* on its way to the disk, or empty */
	struct turn *arrived; /* gives its verdicts, else empty */

	bool is_time_due;
	bool is_full; /* at the beginning of this turn: intake is refused */

	bool is_careful;
	enum err refusal; /* ERR_OK: none */
	uint32_t refusal_retry_ms;

	struct arena arena; /* of one event */
	struct buf content, plain, sealed;
};

#define CORE_SOURCE "urn:vigie:core"

struct engine *engine_new(const struct engine_ports *ports)
{
	struct engine *engine = mem_new(sizeof(*engine));

	engine->ports = *ports;
	engine->turn = &engine->turns[0];
	engine->sent = &engine->turns[1];
	engine->arrived = &engine->turns[2];
	state_init(&engine->state);
	return engine;
}

void engine_free(struct engine **engine)
{
	struct engine *old = *engine;

	if (!old)
		return;
	state_done(&old->state);
	for (size_t i = 0; i < ARRAY_SIZE(old->turns); i++)
		turn_done(&old->turns[i]);
	buf_done(&old->content);
	buf_done(&old->plain);
	buf_done(&old->sealed);
	arena_done(&old->arena);
	free(old);
	*engine = NULL;
}

const struct state *engine_state(const struct engine *engine)
{
	return &engine->state;
}

struct state *engine_restore(struct engine *engine)
{
	return &engine->state;
}

const struct engine_counters *engine_counters(const struct engine *engine)
{
	return &engine->counters;
}

uint64_t engine_durable_seq(const struct engine *engine)
{
	if (engine->sent->count)
		return engine->sent->first - 1;
	return engine->turn->count ? engine->turn->first - 1 : engine->state.seq;
}

uint32_t engine_pending(const struct engine *engine)
{
	return engine->turn->input_count - engine->turn->run + engine->is_time_due;
}

ms_t engine_now(const struct engine *engine)
{
	return engine->ports.now(engine->ports.context);
}

ms_t engine_next_timer(const struct engine *engine)
{
	return apply_next_timer(&engine->state);
}

void engine_refuse(struct engine *engine, enum err code, uint32_t retry_after_ms)
{
	engine->refusal = code;
	engine->refusal_retry_ms = retry_after_ms;
}

void engine_be_careful(struct engine *engine, bool is_careful)
{
	assert(engine->ports.caution.note || !is_careful);
	engine->is_careful = is_careful;
}

void engine_digest(const struct engine *engine, char text[DIGEST_TEXT_SIZE])
{
	uint8_t digest[CHAIN_SIZE];

	snapshot_digest(&engine->state, digest);
	hash_hex(digest, sizeof(digest), text);
}

/* --- reading back ----------------------------------------------------------------------------- */

/* An event of the turn at work, or of the one on its way to the disk, cannot be read from the journal yet. */
static enum err read_stored(struct engine *engine, uint64_t seq, struct str *stored)
{
	const struct journal_port *journal = &engine->ports.journal;

	if (turn_read(engine->turn, seq, stored) || turn_read(engine->sent, seq, stored))
		return ERR_OK;
	return journal->read(journal->context, seq, stored);
}

static enum err read_event(struct engine *engine, uint64_t seq, struct arena *arena,
			   struct event *event)
{
	struct str stored;
	enum err err = read_stored(engine, seq, &stored);

	return err ? err : event_stored_decode(stored, arena, event);
}

/* The event taken under this identity, decoded; its number, or 0. */
static uint64_t find_event(struct engine *engine, uint64_t identity, struct str source,
			   struct str id, struct event *event)
{
	struct map_cursor cursor = {0};
	uint32_t seq;

	while (state_next_identity(&engine->state, identity, &cursor, &seq)) {
		enum err err = read_event(engine, seq, &engine->arena, event);

		assert(!err); /* what was journaled can be read, or the journal is broken */
		if (str_equal(event->source, source) && str_equal(event->id, id))
			return seq;
	}
	return 0;
}

uint64_t engine_find(struct engine *engine, struct str source, struct str id)
{
	struct event event;
	uint64_t identity = state_identity(&engine->state, source, id);
	uint64_t seq = find_event(engine, identity, source, id, &event);

	arena_reset(&engine->arena);
	return seq;
}

static uint64_t find_for_check(void *context, struct str source, struct str id)
{
	struct engine *engine = context;
	struct event event;

	return find_event(engine, state_identity(&engine->state, source, id), source, id, &event);
}

static enum err open_sealed(struct engine *engine, struct arena *arena, struct event *event)
{
	const struct keys_port *keys = &engine->ports.keys;
	uint32_t party = check_sealing_party(&engine->state, event);
	enum err err;

	if (!event->sealed.data)
		return ERR_OK;
	buf_reset(&engine->plain);
	err = keys->open(keys->context, party, event->kind, event->sealed, &engine->plain);
	if (err)
		return err;
	return event_personal_decode(arena_copy(arena, buf_str(&engine->plain)), arena, event);
}

enum err engine_read(struct engine *engine, uint64_t seq, struct arena *arena, struct event *event)
{
	struct str stored;
	enum err err;

	if (!seq || seq > engine->state.seq)
		return ERR_NOT_FOUND;
	err = read_stored(engine, seq, &stored);
	if (err)
		return err;
	err = event_stored_decode(arena_copy(arena, stored), arena, event);
	return err ? err : open_sealed(engine, arena, event);
}

/* --- one event -------------------------------------------------------------------------------- */

static void digest_content(struct engine *engine, struct event *event)
{
	const struct keys_port *keys = &engine->ports.keys;

	buf_reset(&engine->content);
	event_content(event, &engine->content);
	keys->hash_content(keys->context, buf_str(&engine->content), event->digest);
}

/* The same again, or the same name for something else? True when there is nothing more to do. */
static bool is_known(struct engine *engine, uint64_t identity, const struct event *event,
		     struct verdict *verdict)
{
	struct event earlier;
	uint64_t seq = find_event(engine, identity, event->source, event->id, &earlier);

	if (!seq)
		return false;
	if (memcmp(earlier.digest, event->digest, DIGEST_SIZE) == 0) {
		verdict->seq = seq;
		verdict->is_duplicate = true;
		engine->counters.duplicates++;
		return true;
	}
	(void)fault_set(&verdict->fault, ERR_CONFLICT, "id",
			"this source and id were taken as event %llu with other content; a "
			"correction needs an id of its own",
			(unsigned long long)seq);
	engine->counters.conflicts++;
	return true;
}

static enum err seal(struct engine *engine, struct event *event)
{
	const struct keys_port *keys = &engine->ports.keys;
	uint32_t party = check_sealing_party(&engine->state, event);
	enum err err;

	event->sealed = (struct str){0};
	buf_reset(&engine->plain);
	if (!party || !event_personal_encode(event, &engine->plain))
		return ERR_OK;
	err = keys->reach(keys->context, party);
	if (err)
		return err;
	buf_reset(&engine->sealed);
	err = keys->seal(keys->context, party, event->kind, buf_str(&engine->plain),
			 &engine->sealed);
	event->sealed = buf_str(&engine->sealed);
	return err;
}

/* Fingerprints for those who come later. */
static void remember(struct engine *engine, const struct event *event)
{
	const struct keys_port *keys = &engine->ports.keys;
	const struct person *person = NULL;
	insee_t insee = 0;
	uint32_t head;

	if (event->kind == EVENT_REFERRAL_RECEIVED) {
		person = &event->data.referral_received.person;
		insee = event->data.referral_received.insee;
	} else if (event->kind == EVENT_FSL_REQUEST_FILED) {
		person = &event->data.fsl_request_filed.person;
		insee = event->data.fsl_request_filed.insee;
	}
	if (!person || !person->is_set)
		return;
	head = household_head(&engine->state,
			      party_household(&engine->state, event->found.household));
	keys->remember(keys->context, event->seq, event->found.household, person,
		       insee ? insee : engine->state.households.items[head].insee);
}

static void number_event(struct engine *engine, struct event *event, ms_t now)
{
	event->seq = engine->state.seq + 1;
	event->accepted = now > engine->state.now ? now : engine->state.now;
	event->schema = EVENT_SCHEMA;
}

static enum err take_event(struct engine *engine, struct event *event, ms_t now)
{
	enum err err = seal(engine, event);

	if (err)
		return err;
	number_event(engine, event, now);
	turn_record(engine->turn, event);
	apply(&engine->state, event, &engine->turn->effects);
	remember(engine, event);
	if (engine->ports.on_event)
		engine->ports.on_event(engine->ports.context, event);
	return ERR_OK;
}

static enum err refuse(struct engine *engine, struct verdict *verdict, enum err code)
{
	(void)fault_set(&verdict->fault, code, "", "%s", err_meaning(code));
	verdict->fault.retry_after_ms = engine->refusal_retry_ms;
	engine->counters.refused++;
	return ERR_OK;
}

static bool is_suspect(const struct engine *engine, struct str source, struct str id)
{
	const struct caution_port *caution = &engine->ports.caution;

	return caution->is_suspect && caution->is_suspect(caution->context, source, id);
}

static void note(struct engine *engine, struct str source, struct str id)
{
	const struct caution_port *caution = &engine->ports.caution;

	if (engine->is_careful)
		caution->note(caution->context, source, id);
}

static enum err refuse_suspect(struct engine *engine, struct verdict *verdict)
{
	(void)fault_set(&verdict->fault, ERR_INTERNAL, "id",
			"the core ended when it tried this event, and does not try it again until "
			"an operator admits it (vigiectl event admit)");
	engine->counters.refused++;
	return ERR_OK;
}

/* What is said of a leased task; false for all else. */
static bool find_lease(const struct event *event, uint64_t *task, uint64_t *token)
{
	switch (event->kind) {
#define ROW(KIND, kind)                                                                            \
	case EVENT_##KIND:                                                                         \
		*task = event->data.kind.task;                                                     \
		*token = event->data.kind.token;                                                   \
		return true;
		ROW(TASK_STARTED, task_started)
		ROW(TASK_DONE, task_done)
		ROW(TASK_FAILED, task_failed)
		ROW(TASK_LOST, task_lost)
		ROW(PLAN_MADE, plan_made)
#undef ROW
	default:
		return false;
	}
}

/* In place of what made the core end: the task is given up, and people have to look at it. */
static void give_up_task(struct event *event, uint64_t task, uint64_t token)
{
	ms_t time = event->time;

	event_clear(event, EVENT_TASK_FAILED);
	event->source = STR(CORE_SOURCE);
	event->id = STR("task");
	event->time = time;
	event->data.task_failed.task = task;
	event->data.task_failed.token = token;
	event->data.task_failed.class = FAILURE_NEVER;
	event->data.task_failed.code = STR("core_ended");
}

/* A worker's answer has no identity that its sender gave it, and is repeated until it is kept: its lease
 * tells it from all others. */
static void guard_lease(struct engine *engine, struct event *event)
{
	char id[sizeof("task--lease-") + 2 * 20];
	uint64_t task, token;

	if (!find_lease(event, &task, &token))
		return;
	snprintf(id, sizeof(id), "task-%llu-lease-%llu", (unsigned long long)task,
		 (unsigned long long)token);
	if (is_suspect(engine, STR(CORE_SOURCE), str_from(id)))
		give_up_task(event, task, token);
	note(engine, STR(CORE_SOURCE), str_from(id));
}

/* Only a failure of the keys is an error; a wrong event has its verdict. */
static enum err run_input(struct engine *engine, struct input *input, ms_t now)
{
	struct checker checker = {&engine->state, &engine->ports.keys, find_for_check, engine};
	struct event event;
	enum err err;

	event_copy(input->event, &event);
	if (engine->refusal && input->authority != AUTHORITY_SYSTEM)
		return refuse(engine, &input->verdict, engine->refusal);
	if (event.kind == EVENT_JOURNAL_BEGUN && input->authority == AUTHORITY_SYSTEM)
		return take_event(engine, &event, now);
	if (input->authority == AUTHORITY_SYSTEM) {
		guard_lease(engine, &event);
	} else {
		uint64_t identity = state_identity(&engine->state, event.source, event.id);

		if (is_suspect(engine, event.source, event.id))
			return refuse_suspect(engine, &input->verdict);
		note(engine, event.source, event.id);
		digest_content(engine, &event);
		if (is_known(engine, identity, &event, &input->verdict))
			return ERR_OK;
		if (engine->is_full)
			return refuse(engine, &input->verdict, ERR_STORAGE_FULL);
	}
	if (check_event(&checker, input->authority, now, &event, &input->verdict.fault)) {
		engine->counters.refused++;
		return ERR_OK;
	}
	err = take_event(engine, &event, now);
	input->verdict.seq = event.seq;
	engine->counters.taken += !err && input->authority != AUTHORITY_SYSTEM;
	return err;
}

/* --- a turn ----------------------------------------------------------------------------------- */

void engine_submit(struct engine *engine, enum authority authority, const struct event *event,
		   verdict_fn *fn, void *context)
{
	turn_submit(engine->turn, authority, event, fn, context);
}

void engine_pass_time(struct engine *engine)
{
	engine->is_time_due = true;
}

static enum err take_own(struct engine *engine, struct event *event, const char *id, ms_t now)
{
	event->source = STR(CORE_SOURCE);
	event->id = str_from(id);
	event->time = now;
	return take_event(engine, event, now);
}

/* Time passes, and what follows from the forecast, when it was just made, is an event of its own. */
static enum err pass_until(struct engine *engine, ms_t now)
{
	struct event event;
	enum err err;

	event_clear(&event, EVENT_TIME_PASSED);
	err = take_own(engine, &event, "time", now);
	arena_reset(&engine->arena);
	while (!err && forecast_next_event(&engine->state, &engine->arena, &event)) {
		err = take_own(engine, &event, "outreach", now);
		arena_reset(&engine->arena);
	}
	return err;
}

/* The end of the hour that a time lies in; a full hour is its own end. */
static ms_t end_of_hour(ms_t time)
{
	return (time + MS_HOUR - 1) / MS_HOUR * MS_HOUR;
}

/* Time is journaled when a timer is due, or when somebody asked for it. After an outage it passes hour
 * by hour, so that every day has its own midnight and its own forecast. */
static enum err pass_time(struct engine *engine, ms_t now)
{
	bool is_asked = engine->is_time_due && engine->state.now < now;
	ms_t next;
	enum err err = ERR_OK;

	engine->is_time_due = false;
	if (!engine->state.seq)
		return ERR_OK;
	while (!err && (next = engine_next_timer(engine)) != MS_NONE && next <= now)
		err = pass_until(engine, end_of_hour(next) < now ? end_of_hour(next) : now);
	if (!err && is_asked && engine->state.now < now)
		err = pass_until(engine, now);
	return err;
}

/* Asked beforehand, for the most that what comes and what is not on the disk yet can come to: a commit must not
 * be what finds the disk full. What the core tells itself (answers, time) is small and lives on what must
 * stay free. */
static bool has_room(const struct engine *engine, uint32_t inputs)
{
	const struct journal_port *journal = &engine->ports.journal;
	size_t most = min_u64((uint64_t)inputs * EVENT_SIZE_MAX, TURN_SIZE_MAX);

	return journal->has_room(journal->context,
				 engine->sent->record.size + engine->turn->record.size + most);
}

/* A careful engine takes one at a time. Whoever is urgent waits for the disk: then all go with it. */
static bool takes_another(const struct engine *engine, uint32_t done, uint32_t most)
{
	const struct turn *turn = engine->turn;

	if (turn->run == turn->input_count)
		return false;
	return engine->is_careful ? done == 0 : done < most || turn->is_urgent;
}

static enum err run_inputs(struct engine *engine, uint32_t most, ms_t now)
{
	struct turn *turn = engine->turn;
	uint32_t left = turn->input_count - turn->run;
	enum err err = ERR_OK;

	engine->is_full = left && !has_room(engine, left);
	for (uint32_t done = 0; !err && takes_another(engine, done, most); done++) {
		struct input *input = &turn->inputs[turn->run++];

		arena_reset(&engine->arena);
		turn->is_urgent |= input->authority != AUTHORITY_SENDER;
		err = run_input(engine, input, now);
	}
	return err;
}

static enum err work(struct engine *engine, uint32_t most)
{
	ms_t now = engine->ports.now(engine->ports.context);
	enum err err = pass_time(engine, now);

	return err ? err : run_inputs(engine, most, now);
}

/* Destroying a key may fail like any write; it is tried again at the next start. */
static enum err destroy_keys(struct engine *engine, const struct turn *turn)
{
	const struct keys_port *keys = &engine->ports.keys;
	enum err err = ERR_OK;

	for (uint32_t i = 0; i < turn->effects.count && !err; i++)
		if (turn->effects.items[i].kind == EFFECT_ERASE)
			err = keys->erase(keys->context, turn->effects.items[i].number);
	return err;
}

static void exchange(struct turn **a, struct turn **b)
{
	struct turn *kept = *a;

	*a = *b;
	*b = kept;
}

/* Waits for the turn on its way, if there is one. */
static enum err receive_turn(struct engine *engine)
{
	const struct journal_port *journal = &engine->ports.journal;
	enum err err;

	assert(!turn_has_begun(engine->arrived)); /* no turn ends within a verdict */
	if (!turn_has_begun(engine->sent))
		return ERR_OK;
	if ((err = journal->settle(journal->context)) || (err = destroy_keys(engine, engine->sent)))
		return err;
	if (engine->is_careful)
		engine->ports.caution.let_go(engine->ports.caution.context);
	exchange(&engine->sent, &engine->arrived);
	return ERR_OK;
}

/* The turn at work is now the one on its way, with the engine ahead of it or waiting; what it left undone is of
 * the next. */
static enum err send_turn(struct engine *engine, bool is_ahead)
{
	const struct journal_port *journal = &engine->ports.journal;
	const struct turn *sent;

	exchange(&engine->turn, &engine->sent);
	turn_move_rest(engine->sent, engine->turn);
	sent = engine->sent;
	if (!sent->count)
		return ERR_OK;
	engine->counters.turns++;
	if (!is_ahead)
		return journal->append(journal->context, sent->first, sent->count,
				       buf_str(&sent->record));
	journal->begin(journal->context, sent->first, sent->count, buf_str(&sent->record));
	return ERR_OK;
}

/* One turn arrives, the next is sent: the disk is at work again before anybody is answered. What is submitted
 * from a verdict belongs to a later turn. */
static enum err pass_on(struct engine *engine, bool is_ahead)
{
	enum err err = receive_turn(engine);

	if (!err && turn_has_begun(engine->turn))
		err = send_turn(engine, is_ahead);
	if (err)
		return err;
	turn_give_verdicts(engine->arrived);
	turn_clear(engine->arrived);
	return ERR_OK;
}

enum err engine_settle(struct engine *engine)
{
	enum err err = ERR_OK;

	while (!err && (turn_has_begun(engine->sent) || turn_has_begun(engine->turn)))
		err = pass_on(engine, false);
	return err;
}

enum err engine_turn(struct engine *engine)
{
	enum err err = work(engine, UINT32_MAX);

	return err ? err : engine_settle(engine);
}

/* Senders may wait for the disk while the engine goes on: their answers tell nothing of the state, which is
 * then ahead of the journal. */
static bool may_run_ahead(const struct engine *engine)
{
	const struct turn *turn = engine->turn;

	return !engine->is_careful && !turn->is_urgent && !turn->effects.count;
}

/* It stays at work while the one before is on its way, and grows meanwhile. */
static bool stays_open(const struct engine *engine)
{
	const struct journal_port *journal = &engine->ports.journal;

	return !journal->is_settled(journal->context) && engine->turn->record.size < TURN_SIZE_MAX;
}

enum err engine_turn_ahead(struct engine *engine)
{
	enum err err = work(engine, TURN_STEP_MAX);

	if (err)
		return err;
	if (!may_run_ahead(engine))
		return engine_settle(engine);
	if (stays_open(engine))
		return ERR_OK;
	err = pass_on(engine, true);
	return err || engine->sent->count ? err : engine_settle(engine);
}

/* --- beginning and replay --------------------------------------------------------------------- */

enum err engine_begin(struct engine *engine, bool is_rehearsal, const uint8_t salt[DIGEST_SIZE])
{
	struct event event;

	assert(!engine->state.seq);
	event_clear(&event, EVENT_JOURNAL_BEGUN);
	event.source = STR(CORE_SOURCE);
	event.id = STR("begin");
	event.time = engine->ports.now(engine->ports.context);
	event.data.journal_begun.rehearsal = is_rehearsal ? SAID_YES : SAID_NO;
	event.data.journal_begun.salt = (struct str){(const char *)salt, DIGEST_SIZE};
	engine_submit(engine, AUTHORITY_SYSTEM, &event, NULL, NULL);
	return engine_turn(engine);
}

enum err engine_replay_until(struct engine *engine, struct str stored, ms_t until)
{
	struct event event;
	enum err err;

	arena_reset(&engine->arena);
	err = event_stored_decode(stored, &engine->arena, &event);
	if (err)
		return err;
	if (event.seq != engine->state.seq + 1 || event.accepted < engine->state.now)
		return ERR_CORRUPT;
	if (event.accepted > until)
		return ERR_NOT_FOUND;
	apply(&engine->state, &event, &engine->turn->effects);
	engine->turn->effects.count = 0;
	return ERR_OK;
}

enum err engine_replay(struct engine *engine, struct str stored)
{
	return engine_replay_until(engine, stored, INT64_MAX);
}

void engine_wait_until(struct engine *engine, ms_t until)
{
	apply_time(&engine->state, until, &engine->turn->effects);
	engine->turn->effects.count = 0;
}
