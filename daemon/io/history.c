#include "daemon/io/history.h"

#include "daemon/io/journal.h"
#include "daemon/io/snapshots.h"
#include "daemon/view.h"

struct look_back {
	const struct question_row *row;
	struct question *question;
	day_t day;
};

/* --- which day -------------------------------------------------------------------------------- */

static enum err wrong(struct question *question, enum err code, const char *format, day_t day)
{
	char text[DAY_TEXT_SIZE];

	return fault_set(&question->fault, code, "on", format, day_print(day, text));
}

/* The day of the first event. */
static enum err find_first_day(struct core *core, day_t *day)
{
	struct arena arena = {0};
	struct event event;
	struct str stored;
	enum err err = journal_read(core->journal, 1, &stored);

	if (!err)
		err = event_stored_decode(stored, &arena, &event);
	if (!err)
		*day = time_paris_day(event.accepted);
	arena_done(&arena);
	return err;
}

static enum err check_day(struct question *question, day_t today, day_t *day)
{
	const char *text = json_string_value(json_object_get(question->params, "on"));
	day_t first;

	if (!text || !day_parse(str_from(text), day))
		return fault_set(&question->fault, ERR_BAD_REQUEST, "on",
				 "no such day; YYYY-MM-DD is expected");
	if (*day > today)
		return wrong(question, ERR_BAD_REQUEST, "this day is still to come; today is %s",
			     today);
	if (find_first_day(question->core, &first))
		return fault_set(&question->fault, ERR_INTERNAL, "on",
				 "the first event of the journal cannot be read");
	if (*day < first)
		return wrong(question, ERR_NOT_FOUND,
			     "the journal begins on %s; nothing is known of the days before",
			     first);
	return ERR_OK;
}

/* --- the answer ------------------------------------------------------------------------------- */

static enum err answer(struct look_back *look)
{
	enum err err = look->row->fn(look->question);

	if (!err)
		json_object_set_new(look->question->answer, "on", view_day(look->day));
	return err;
}

static enum err replay(const struct core *core, struct job_feed *feed, ms_t end,
		       struct engine *engine)
{
	enum err err;

	snapshots_load_until(core, end, engine_restore(engine));
	err = job_replay(feed, engine, engine_state(core->engine)->seq, end);
	if (!err)
		engine_wait_until(engine, end);
	return err;
}

/* In the child: its core is one whose engine stands at the end of that day. */
static enum err look_back(struct job_feed *feed, void *context, json_t **answered,
			  struct fault *fault)
{
	struct look_back *look = context;
	struct question *question = look->question;
	struct engine_ports none = {0};
	struct core then = *question->core;
	enum err err;

	then.engine = engine_new(&none);
	question->present = engine_state(question->core->engine);
	err = replay(question->core, feed, time_at_paris(look->day + 1, 0, 0) - 1, then.engine);
	if (err)
		return fault_set(fault, ERR_INTERNAL, "",
				 "the journal does not hold after event %llu",
				 (unsigned long long)engine_state(then.engine)->seq);
	question->core = &then;
	err = answer(look);
	*answered = question->answer;
	*fault = question->fault;
	return err;
}

/* A day that is not over is answered as it is now. */
void history_ask(struct jobs *jobs, struct rpc_call **call, const struct question_row *row,
		 struct question *question)
{
	day_t today = time_paris_day(engine_now(question->core->engine));
	struct look_back look = {row, question};

	if (check_day(question, today, &look.day)) {
		rpc_refuse(call, &question->fault);
		return;
	}
	if (look.day < today)
		jobs_begin(jobs, call, look_back, &look, NULL);
	else if (answer(&look))
		rpc_refuse(call, &question->fault);
	else
		rpc_answer(call, question->answer);
}
