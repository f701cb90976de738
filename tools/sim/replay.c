#include "tools/sim/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/policy_file.h"
#include "daemon/view.h"
#include "daemon/view_report.h"
#include "proto/json.h"
#include "tools/sim/world.h"

struct line {
	uint32_t number;
	struct event event;
};

struct replay {
	const struct replay_options *options;
	struct arena arena;
	struct buf text;
	struct line *lines;
	uint32_t count, capacity, refused;
	struct world world;
};

/* --- reading ---------------------------------------------------------------------------------- */

static bool read_all(const char *path, struct buf *text)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	char piece[1 << 16];
	size_t size;
	bool is_read;

	if (!file)
		return false;
	while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_add(text, piece, size);
	is_read = !ferror(file);
	if (file != stdin)
		fclose(file);
	return is_read;
}

static void refuse(struct replay *replay, uint32_t line, const struct fault *fault)
{
	fprintf(stderr, "%s:%u: %s: %s%s%s\n", replay->options->events_file, line,
		err_name(fault->code), fault->path, fault->path[0] ? ": " : "", fault->text);
	replay->refused++;
}

static void read_line(struct replay *replay, uint32_t number, struct str text)
{
	struct fault fault = {0};
	struct line line = {.number = number};

	if (text.size && text.data[text.size - 1] == '\r')
		text.size--;
	if (!text.size)
		return;
	if (event_from_json_line(text, &replay->arena, &line.event, &fault)) {
		refuse(replay, number, &fault);
		return;
	}
	MEM_ROOM(replay->lines, replay->count, replay->capacity);
	replay->lines[replay->count++] = line;
}

static void read_lines(struct replay *replay)
{
	struct str rest = buf_str(&replay->text);
	uint32_t number = 0;

	while (rest.size) {
		const char *end = memchr(rest.data, '\n', rest.size);
		size_t size = end ? (size_t)(end - rest.data) : rest.size;

		read_line(replay, ++number, (struct str){rest.data, size});
		size += end != NULL;
		rest.data += size;
		rest.size -= size;
	}
}

static int compare_lines(const void *first, const void *second)
{
	const struct line *a = first, *b = second;

	if (a->event.time != b->event.time)
		return a->event.time < b->event.time ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* --- living ----------------------------------------------------------------------------------- */

static ms_t end_of(day_t day)
{
	return time_at_paris(day + 1, 0, 0) - 1;
}

static enum err live(struct replay *replay)
{
	ms_t end = end_of(replay->options->until);

	for (uint32_t i = 0; i < replay->count; i++) {
		struct verdict verdict = {0};
		enum err err;

		if (replay->lines[i].event.time > end)
			break;
		err = world_accept(&replay->world, &replay->lines[i].event, &verdict);
		if (err)
			return err;
		if (verdict.fault.code)
			refuse(replay, replay->lines[i].number, &verdict.fault);
	}
	return world_advance(&replay->world, end);
}

/* --- telling ---------------------------------------------------------------------------------- */

static json_t *tell_case(struct engine *engine, uint32_t number)
{
	const struct state *state = engine_state(engine);
	const struct case_record *record = state_get(state, cases, number);
	bool is_open = record->state != CASE_STATE_CLOSED;
	json_t *json = view_case(state, number, false);
	struct arena arena = {0};
	struct portrait portrait;
	json_t *source, *subject;

	view_opened_subject(engine, record->household, &source, &subject);
	json_object_set_new(json, "source", source);
	json_object_set_new(json, "subject", subject);
	if (is_open)
		portrait_make(state, record->household, &arena, &portrait);
	json_object_set_new(json, "reason_tiers",
			    is_open ? view_reason_tiers(&portrait.rank) : json_array());
	json_object_set_new(json, "cutoffs",
			    is_open ? view_cutoffs(state, &portrait.rank) : json_array());
	arena_done(&arena);
	return json;
}

static json_t *tell_cases(struct engine *engine)
{
	const struct state *state = engine_state(engine);
	json_t *list = json_array();

	for (uint32_t i = 1; i < state->cases.count; i++)
		if (case_resolve(state, i) == i)
			json_array_append_new(list, tell_case(engine, i));
	return list;
}

static const struct state *sorted_state;

static int compare_mails(const void *first, const void *second)
{
	uint32_t a = *(const uint32_t *)first, b = *(const uint32_t *)second;
	ms_t due_a = sorted_state->tasks.items[a].due, due_b = sorted_state->tasks.items[b].due;

	if (due_a != due_b)
		return due_a < due_b ? -1 : 1;
	return a < b ? -1 : a > b;
}

static json_t *tell_mail(const struct state *state, uint32_t number)
{
	const struct task *task = state_get(state, tasks, number);

	return json_pack("{s:o, s:o, s:o, s:o}", "at", view_time(task->due), "template",
			 view_word(&words_template, task->mail.template), "to",
			 view_text(view_recipient(state, &task->mail)), "case",
			 task->mail.case_number ? json_integer(task->mail.case_number)
						: json_null());
}

/* Mails that went out, in the order in which they did. */
static json_t *tell_mails(const struct state *state)
{
	uint32_t *numbers = mem_new((state->tasks.count + 1) * sizeof(*numbers));
	uint32_t count = 0;
	json_t *list = json_array();

	for (uint32_t i = 1; i < state->tasks.count; i++)
		if (state->tasks.items[i].kind == TASK_KIND_MAIL &&
		    state->tasks.items[i].state == TASK_STATE_DONE)
			numbers[count++] = i;
	sorted_state = state;
	qsort(numbers, count, sizeof(*numbers), compare_mails);
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, tell_mail(state, numbers[i]));
	free(numbers);
	return list;
}

static json_t *tell_visits(const struct state *state)
{
	json_t *list = json_array();

	for (uint32_t i = 1; i < state->visits.count; i++) {
		json_t *visit = view_visit(state, i);

		json_object_del(visit, "sector");
		json_object_del(visit, "commune");
		json_array_append_new(list, visit);
	}
	return list;
}

/* Small counts too: the cases stand beside it. */
static json_t *tell_report(const struct state *state)
{
	const struct report_filter everything = {.is_full = true};
	json_t *report = view_report(state, &everything);
	json_t *rows = json_incref(json_object_get(report, "rows"));

	json_decref(report);
	return rows;
}

static void print_json(struct replay *replay)
{
	struct engine *engine = replay->world.engine;
	char digest[DIGEST_TEXT_SIZE];
	json_t *json;

	engine_digest(engine, digest);
	json = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "until",
			 view_day(replay->options->until), "digest", digest, "cases",
			 tell_cases(engine), "mails", tell_mails(engine_state(engine)), "visits",
			 tell_visits(engine_state(engine)), "report",
			 tell_report(engine_state(engine)));
	json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	printf("\n");
	json_decref(json);
}

static void print_list(struct replay *replay)
{
	const struct state *state = engine_state(replay->world.engine);
	uint32_t count = queue_count(&state->queue);
	char day[DAY_TEXT_SIZE];

	if (count == 0)
		printf("no case is open at the end of %s\n",
		       day_print(replay->options->until, day));
	for (uint32_t rank = 1; rank <= count; rank++) {
		json_t *row = view_case(state, queue_at(&state->queue, rank), true);

		printf("%4u. case %u: %s\n", rank, queue_at(&state->queue, rank),
		       json_string_value(json_object_get(row, "why")));
		json_decref(row);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool load_policy(struct replay *replay, struct policy *policy)
{
	struct complaints complaints = {0};
	enum err err =
		policy_read(replay->options->policy_file, &replay->arena, policy, &complaints);

	if (err)
		fwrite(complaints.text.data, 1, complaints.text.size, stderr);
	buf_done(&complaints.text);
	return !err;
}

static bool load_events(struct replay *replay)
{
	if (!read_all(replay->options->events_file, &replay->text)) {
		fprintf(stderr, "vigie-sim: %s: %s\n", replay->options->events_file,
			strerror(errno));
		return false;
	}
	read_lines(replay);
	if (replay->count)
		qsort(replay->lines, replay->count, sizeof(*replay->lines), compare_lines);
	return true;
}

static int run(struct replay *replay)
{
	ms_t start = time_at_paris(replay->options->until, 0, 0);
	struct policy policy;
	enum err err;

	if (!load_policy(replay, &policy) || !load_events(replay))
		return 2;
	if (replay->count && replay->lines[0].event.time < start)
		start = replay->lines[0].event.time;
	err = world_init(&replay->world, start, &policy);
	if (!err)
		err = live(replay);
	assert(!err); /* memory does not fail */
	if (replay->options->is_json)
		print_json(replay);
	else
		print_list(replay);
	return replay->refused ? 1 : 0;
}

int replay_run(const struct replay_options *options)
{
	struct replay replay = {.options = options};
	int status = run(&replay);

	world_done(&replay.world);
	free(replay.lines);
	buf_done(&replay.text);
	arena_done(&replay.arena);
	return status;
}
