/* What a run does with its events: nothing, printing, sending, driving. */
#include "tools/feed/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "tools/feed/collection.h"
#include "tools/feed/progress.h"
#include "tools/feed/publisher.h"
#include "tools/feed/rehearsal.h"

/* --- check --- */

static bool ignore_event(void *context, struct place place, ms_t time, struct str bytes)
{
	(void)context;
	(void)place;
	(void)time;
	(void)bytes;
	return true;
}

enum status run_check(struct run *run)
{
	if (!run_read(run, ignore_event, NULL))
		return STATUS_REFUSED;
	puts("file,row,reason");
	for (uint32_t i = 0; i < run->source_count; i++) {
		struct source *source = &run->sources[i];

		rejects_sort(&source->rejects);
		for (uint32_t j = 0; j < source->rejects.count; j++) {
			rejects_print_text(stdout, source->name, ',');
			printf("%" PRIu64 ",", source->rejects.item[j].row);
			rejects_print_text(stdout, source->rejects.item[j].reason, '\n');
		}
	}
	return STATUS_OK;
}

/* --- print --- */

struct collecting {
	struct run *run;
	struct collection collection;
};

static bool collect_event(void *context, struct place place, ms_t time, struct str bytes)
{
	struct collecting *collecting = context;
	const struct source *source = &collecting->run->sources[place.source];

	progress_show("%s: row %" PRIu64, source->name, place.row);
	if (run_wants(collecting->run, time))
		collection_add(&collecting->collection, place, time, bytes);
	return true;
}

static void collect(struct collecting *collecting)
{
	bool is_read = run_read(collecting->run, collect_event, collecting);

	assert(is_read);
	collection_sort(&collecting->collection);
}

static void print_event(struct str bytes, struct arena *arena)
{
	struct event event;
	struct fault fault;
	enum err err = event_decode(bytes, arena, &event, &fault);
	json_t *json;

	assert(!err);
	json = event_to_json(&event);
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
}

enum status run_print(struct run *run)
{
	struct collecting collecting = {.run = run};
	struct collection *collection = &collecting.collection;
	struct arena arena = {0};

	collect(&collecting);
	for (uint32_t i = 0; i < collection->count; i++) {
		arena_reset(&arena);
		print_event(collection_bytes(collection, &collection->item[i]), &arena);
	}
	arena_done(&arena);
	collection_done(collection);
	return STATUS_OK;
}

/* --- send --- */

static void refuse_event(struct source *source, uint64_t row, const struct fault *fault)
{
	char reason[FAULT_TEXT_MAX + 64];

	snprintf(reason, sizeof(reason), "%s: %s", err_name(fault->code), fault->text);
	rejects_add(&source->rejects, row, str_from(fault->path), str_from(reason));
	source->counts.refused++;
}

static void on_answer(void *context, struct place place, enum answer_kind kind,
		      const struct fault *fault)
{
	struct run *run = context;
	struct source *source = &run->sources[place.source];

	switch (kind) {
	case ANSWER_TAKEN:
		source->counts.taken++;
		break;
	case ANSWER_DUPLICATE:
		source->counts.duplicates++;
		break;
	case ANSWER_REFUSED:
		refuse_event(source, place.row, fault);
		break;
	}
}

static enum status open_publisher(struct run *run)
{
	struct publisher_setup setup = {
		.endpoint = run->endpoint,
		.server_key = run->options->server_key,
		.secret_key = run->options->secret_key,
		.timeout_ms = run->options->timeout_ms,
	};
	struct fault fault;

	run->publisher = publisher_new(&setup, on_answer, run, &fault);
	if (run->publisher)
		return STATUS_OK;
	fprintf(stderr, "%s\n", fault.text);
	return STATUS_USAGE;
}

static enum status publisher_status(const struct run *run, enum err err)
{
	const struct fault *fault = publisher_fault(run->publisher);

	if (!err)
		return STATUS_OK;
	progress_end();
	fprintf(stderr, "%s: %s\n", err_name(fault->code), fault->text);
	return err == ERR_CLOSED ? STATUS_NO_DAEMON : STATUS_REFUSED;
}

struct sending {
	struct run *run;
	enum err err;
};

static void show_sending(const struct run *run, const struct source *source, uint64_t row)
{
	uint64_t percent = source->size ? source->read * 100 / source->size : 100;

	(void)run;
	progress_show("%s: row %" PRIu64 ", %" PRIu64 " %%, %" PRIu64 " taken, %" PRIu64
		      " duplicates, %" PRIu64 " refused",
		      source->name, row, percent, source->counts.taken, source->counts.duplicates,
		      source->counts.refused);
}

static bool send_event(void *context, struct place place, ms_t time, struct str bytes)
{
	struct sending *sending = context;
	struct run *run = sending->run;

	show_sending(run, &run->sources[place.source], place.row);
	if (run_wants(run, time))
		sending->err = publisher_add(run->publisher, place, bytes);
	return !sending->err;
}

enum status run_send(struct run *run)
{
	struct sending sending = {.run = run};
	enum status status = open_publisher(run);

	if (status)
		return status;
	if (run_read(run, send_event, &sending))
		sending.err = publisher_finish(run->publisher);
	return publisher_status(run, sending.err);
}

/* --- drive --- */

static enum status rehearsal_status(enum err err, const struct fault *fault)
{
	if (!err)
		return STATUS_OK;
	progress_end();
	fprintf(stderr, "%s\n", fault->text);
	if (err == ERR_USAGE)
		return STATUS_USAGE;
	return err == ERR_CLOSED ? STATUS_NO_DAEMON : STATUS_REFUSED;
}

/* The events of one instant, sent once the calendar is there; returns where the next one begins. */
static uint32_t add_instant(struct run *run, const struct collection *collection, uint32_t at,
			    enum err *err)
{
	ms_t time = collection->item[at].time;

	for (; !*err && at < collection->count && collection->item[at].time == time; at++)
		*err = publisher_add(run->publisher, collection->item[at].place,
				     collection_bytes(collection, &collection->item[at]));
	return at;
}

static uint64_t count_taken(const struct run *run)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < run->source_count; i++)
		count += run->sources[i].counts.taken;
	return count;
}

/* They did not happen on their day, which is seldom meant. */
static void say_late(uint64_t taken, ms_t now)
{
	char day[DAY_TEXT_SIZE];

	progress_end();
	fprintf(stderr,
		"%" PRIu64 " events that were taken lie before %s, where the calendar was\n", taken,
		day_print(time_paris_day(now), day));
}

/* What lies before the rehearsal's now was mostly taken by an earlier call: it is said again, and
 * found to be duplicates, so that nothing is remembered here and nothing is lost. */
static enum status drive_past(struct run *run, const struct rehearsal *rehearsal,
			      const struct collection *collection, uint32_t *at)
{
	ms_t now = rehearsal_now(rehearsal);
	enum err err = ERR_OK;

	while (!err && *at < collection->count && collection->item[*at].time <= now)
		*at = add_instant(run, collection, *at, &err);
	if (!err)
		err = publisher_finish(run->publisher);
	if (!err && count_taken(run) > 0)
		say_late(count_taken(run), now);
	return publisher_status(run, err);
}

/* Only before the calendar moves on must every answer be there. */
static enum status drive_events(struct run *run, struct rehearsal *rehearsal,
				const struct collection *collection, uint32_t from)
{
	struct fault fault;
	enum err err = ERR_OK;
	enum status status = STATUS_OK;

	for (uint32_t i = from; i < collection->count && !status && !err;) {
		ms_t time = collection->item[i].time;

		progress_show("%" PRIu32 " of %" PRIu32 " events", i, collection->count);
		if (time > rehearsal_now(rehearsal)) {
			err = publisher_finish(run->publisher);
			if (!err)
				status = rehearsal_status(
					rehearsal_advance(rehearsal, time, &fault), &fault);
		}
		if (!status && !err)
			i = add_instant(run, collection, i, &err);
	}
	if (!status && !err)
		err = publisher_finish(run->publisher);
	return status ? status : publisher_status(run, err);
}

static void say_calendar(ms_t now)
{
	char day[DAY_TEXT_SIZE];

	fprintf(stderr, "the calendar is at %s already: it does not move\n",
		day_print(time_paris_day(now), day));
}

static enum status drive_to_end(struct run *run, struct rehearsal *rehearsal,
				const struct collection *collection)
{
	ms_t end = time_at_paris(run->options->until, 23, 59) + 59 * MS_SECOND;
	enum status status;
	struct fault fault;
	uint32_t at = 0;

	if (rehearsal_now(rehearsal) >= end)
		say_calendar(rehearsal_now(rehearsal));
	status = drive_past(run, rehearsal, collection, &at);
	if (!status)
		status = drive_events(run, rehearsal, collection, at);
	if (status)
		return status;
	return rehearsal_status(rehearsal_advance(rehearsal, end, &fault), &fault);
}

enum status run_drive(struct run *run)
{
	struct collecting collecting = {.run = run};
	struct rehearsal *rehearsal = NULL;
	struct fault fault;
	enum status status;

	status = rehearsal_status(
		rehearsal_open(run->control, run->options->timeout_ms, &rehearsal, &fault), &fault);
	if (!status)
		status = open_publisher(run);
	if (!status) {
		collect(&collecting);
		status = drive_to_end(run, rehearsal, &collecting.collection);
	}
	collection_done(&collecting.collection);
	rehearsal_close(&rehearsal);
	return status;
}
