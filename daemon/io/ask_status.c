/* Questions about the core itself: how it is, what made it end, whether its journal holds. */
#include "daemon/io/asks.h"

#include <stdio.h>

#include "daemon/alarm.h"
#include "daemon/io/caution.h"
#include "daemon/io/journal.h"
#include "daemon/io/verify.h"
#include "daemon/view.h"

static json_t *count_words(const struct words *words, const uint32_t *counts)
{
	json_t *json = json_object();

	for (uint32_t i = 1; i < words->count; i++)
		if (counts[i])
			json_object_set_new(json, words_name(words, i), json_integer(counts[i]));
	return json;
}

static json_t *status_cases(const struct state *state)
{
	uint32_t states[CASE_STATE_END] = {0}, sectors[POLICY_SECTORS_MAX + 1] = {0};
	json_t *by_sector = json_object();
	uint32_t count = queue_count(&state->queue);

	for (uint32_t i = 1; i < state->cases.count; i++) {
		const struct case_record *record = &state->cases.items[i];

		if (record->is_gone || record->joined)
			continue;
		states[record->state]++;
		sectors[record->sector] += record->state != CASE_STATE_CLOSED;
	}
	for (uint32_t i = 0; state->has_policy && i < state->policy.sectors.count; i++) {
		struct str id = list_at(&state->policy.sectors, struct policy_sector, i)->id;
		char name[IDENT_SIZE_MAX + 1];

		snprintf(name, sizeof(name), "%.*s", (int)id.size, id.data);
		json_object_set_new(by_sector, name, json_integer(sectors[i + 1]));
	}
	if (sectors[0])
		json_object_set_new(by_sector, "none", json_integer(sectors[0]));
	return json_pack("{s:i, s:o, s:o}", "open", (int)count, "by_state",
			 count_words(&words_case_state, states), "by_sector", by_sector);
}

static json_t *status_tasks(const struct state *state)
{
	const uint32_t *states = state->task_states;
	int open = (int)(states[TASK_STATE_SCHEDULED] + states[TASK_STATE_READY] +
			 states[TASK_STATE_LEASED] + states[TASK_STATE_RETRYING] +
			 states[TASK_STATE_HELD]);

	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "created",
			 (int)state->tasks.count - 1, "done", (int)states[TASK_STATE_DONE],
			 "cancelled", (int)states[TASK_STATE_CANCELLED], "expired",
			 (int)states[TASK_STATE_EXPIRED], "buried", (int)states[TASK_STATE_BURIED],
			 "open", open, "by_state", count_words(&words_task_state, states));
}

static json_t *status_policy(const struct state *state)
{
	if (!state->has_policy)
		return json_null();
	return json_pack("{s:o, s:o, s:I}", "name", view_text(state->policy.name), "department",
			 view_text(state->policy.department), "seq", (json_int_t)state->policy_seq);
}

static json_t *status_intake(const struct engine_counters *counters)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "taken", (json_int_t)counters->taken,
			 "duplicates", (json_int_t)counters->duplicates, "refused",
			 (json_int_t)counters->refused, "conflicts",
			 (json_int_t)counters->conflicts, "turns", (json_int_t)counters->turns);
}

/* `about` may be NULL, and is taken. */
static void add_alarm(json_t *list, const char *code, day_t since, size_t count, json_t *about)
{
	if (count)
		json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:o}", "code", code, "since",
						      view_day(since), "count", (int)count, "about",
						      about ? about : json_array()));
}

static void add_clock_alarm(json_t *list, struct core *core)
{
	struct fault told;

	if (calendar_differs(&core->calendar, engine_state(core->engine)->now, &told))
		add_alarm(list, "clock", DAY_NONE, 1, json_pack("[s]", told.text));
}

/* Is there too little room for a turn of the largest size? */
static bool is_storage_full(const struct core *core)
{
	struct fault fault;

	return journal_check_room(core->journal, TURN_SIZE_MAX, &fault) != ERR_OK;
}

/* What is no part of the state is no word of its alarms either; and that mails wait is not told by mail. */
static json_t *status_alarms(struct core *core)
{
	json_t *list = view_alarms(engine_state(core->engine));
	day_t since;
	uint32_t waiting = alarm_waiting_tasks(engine_state(core->engine), &since);

	add_alarm(list, "suspect_event", caution_since(core->caution),
		  json_array_size(caution_suspects(core->caution)), NULL);
	add_alarm(list, "waiting_task", since, waiting, NULL);
	add_alarm(list, "storage_full", DAY_NONE, is_storage_full(core), NULL);
	add_alarm(list, "journal_damaged", core->damaged_since, core->is_damaged, NULL);
	add_clock_alarm(list, core);
	return list;
}

/* Where the calendar stands: the journal's time waits for a clock that is behind it. */
static ms_t status_now(const struct core *core)
{
	ms_t now = engine_now(core->engine), last = engine_state(core->engine)->now;

	return now > last ? now : last;
}

/* The digest goes over the whole state: only whoever asks for it pays for it. */
enum err ask_status(struct question *question)
{
	struct core *core = question->core;
	const struct state *state = question_state(question);
	char digest[DIGEST_TEXT_SIZE];
	bool wants_digest;

	if (!question_get_flag(question, "digest", &wants_digest))
		return question->fault.code;
	question->answer = json_pack(
		"{s:o, s:b, s:I, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "now",
		view_time(status_now(core)), "rehearsal", core->calendar.is_rehearsal, "seq",
		(json_int_t)state->seq, "epoch", (json_int_t)core->epoch, "draining",
		core->is_draining, "policy", status_policy(state), "cases", status_cases(state),
		"tasks", status_tasks(state), "intake",
		status_intake(engine_counters(core->engine)), "alarms", status_alarms(core));
	if (!wants_digest)
		return ERR_OK;
	engine_digest(core->engine, digest);
	json_object_set_new(question->answer, "digest", json_string(digest));
	return ERR_OK;
}

enum err ask_suspects(struct question *question)
{
	question->answer = json_pack("{s:o}", "events",
				     json_deep_copy(caution_suspects(question->core->caution)));
	return ERR_OK;
}

enum err ask_verify(struct question *question)
{
	struct verification found;
	enum err err = verify_feed(question->core, question->feed, &found);

	if (err)
		return fault_set(&question->fault, ERR_INTERNAL, "",
				 "the journal does not hold after event %llu",
				 (unsigned long long)found.seq);
	question->answer = json_pack("{s:I, s:s, s:b}", "events", (json_int_t)found.seq, "digest",
				     found.digest, "ok", found.is_equal);
	return ERR_OK;
}

void ask_verify_ended(struct core *core, const json_t *answer)
{
	verify_note(core, json_is_true(json_object_get(answer, "ok")));
}
