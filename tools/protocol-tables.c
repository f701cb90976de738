/* Prints the tables of proto/PROTOCOL.md from the tables the programs are made of, so that the
 * contract cannot say anything else than what is done.
 *
 *   protocol-tables                  prints them
 *   protocol-tables --write FILE     puts them between the markers in FILE
 *   protocol-tables --check FILE     exits 1 when what stands there is not current */
#include <stdio.h>
#include <stdlib.h>

#include "proto/check.h"
#include "proto/codec.h"
#include "proto/mail_failure.h"

#define MARK_BEGIN "<!-- tables: begin -->\n"
#define MARK_END   "<!-- tables: end -->\n"

enum { EXIT_STALE = 1, EXIT_USAGE = 2 };

/* Fields. */

static void print_marks(const struct field *field, struct buf *out)
{
	static const struct {
		uint32_t flag;
		const char *mark;
	} marks[] = {
		{KEY, "key"},
		{PERSONAL, "personal"},
		{PAST, "not after `time`"},
	};
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (!(field->flags & marks[i].flag))
			continue;
		buf_printf(out, "%s%s", comma, marks[i].mark);
		comma = ", ";
	}
}

static void print_fields(const struct record *record, struct buf *out)
{
	if (record->count == 0) {
		buf_printf(out, "No fields: `data` is an empty map, or absent.\n\n");
		return;
	}
	buf_printf(out, "| field | must be | | |\n| --- | --- | --- | --- |\n");
	for (uint32_t i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];

		buf_printf(out, "| `%s` | ", field->name);
		expectation_print(field, out);
		if (field->record)
			buf_printf(out, ": [%s](#%s)", field->record->name, field->record->name);
		buf_printf(out, " | %s | ", field->flags & OPTIONAL ? "optional" : "required");
		print_marks(field, out);
		buf_printf(out, " |\n");
	}
	buf_printf(out, "\n");
}

static void print_record(const struct record *record, struct buf *out)
{
	buf_printf(out, "#### %s\n\n", record->name);
	print_fields(record, out);
}

/* Events: what a sender or a coordinator may send. The rest is the core's own. */

static const char *const classes[] = {
	[CLASS_SENDER] = "From senders",
	[CLASS_COORDINATOR] = "From the coordinator, or a sender granted it by name",
};
static const char *const subjects[] = {
	[SUBJECT_REQUIRED] = "`subject` required",
	[SUBJECT_ALLOWED] = "`subject` optional",
	[SUBJECT_REFUSED] = "`subject` refused",
};
static const char *const keys[] = {
	[KEY_KEYED] = "replaces an earlier one with the same key, type and source",
	[KEY_KEYED_IN_HOUSEHOLD] =
		"replaces an earlier one with the same key, type, source and household",
	[KEY_UNKEYED] = "replaces nothing",
};

static void print_events(struct buf *out)
{
	buf_printf(out, "### Events\n\n");
	for (uint32_t kind = 1; kind < EVENT_KIND_END; kind++) {
		const struct event_info *info = event_info_find(kind);

		if (!info || info->class > CLASS_COORDINATOR)
			continue;
		buf_printf(out, "#### %s%s\n\n%s; %s; %s.\n\n", EVENT_TYPE_PREFIX, info->type,
			   classes[info->class], subjects[info->subject], keys[info->key]);
		print_fields(info->record, out);
	}
}

/* Words, errors, limits. */

static void print_words(struct buf *out)
{
	static const struct words *const all[] = {
#define WORDS(NAME, name, ...) &words_##name,
#include "proto/words.def"
#undef WORDS
	};

	buf_printf(out, "### Words\n\n| enumeration | words |\n| --- | --- |\n");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		buf_printf(out, "| %s |", all[i]->name);
		for (uint32_t value = 1; value < all[i]->count; value++)
			buf_printf(out, " `%s`", all[i]->word[value]);
		buf_printf(out, " |\n");
	}
	buf_printf(out, "\n");
}

static void print_errors(struct buf *out)
{
	buf_printf(out, "### Error codes\n\n| code | means |\n| --- | --- |\n");
	for (enum err err = ERR_OK + 1; err <= ERR_INTERNAL; err++)
		buf_printf(out, "| `%s` | %s |\n", err_name(err), err_meaning(err));
	buf_printf(out, "\n");
}

static void print_mail_failures(struct buf *out)
{
	buf_printf(out,
		   "### Failure codes of mails\n\n| code | class | means |\n| --- | --- | --- |\n");
	for (enum mail_failure failure = MAIL_LEFT + 1; failure < MAIL_FAILURE_COUNT; failure++)
		buf_printf(out, "| `%s` | `%s` | %s |\n", mail_failure_code(failure),
			   words_name(&words_failure, mail_failure_class(failure)),
			   mail_failure_meaning(failure));
	buf_printf(out, "\n");
}

static void print_limits(struct buf *out)
{
	static const struct {
		int value;
		const char *of;
	} limits[] = {
		{EVENT_SIZE_MAX, "bytes of one event"},
		{FRAME_SIZE_MAX, "bytes of one frame from a sender"},
		{REQUEST_EVENTS_MAX, "events in one `publish`"},
		{SENDER_INFLIGHT_SIZE_MAX, "bytes of one sender waiting for their answers"},
		{FUTURE_SKEW_HOURS, "hours that an event's `time` may lie ahead of the core's"},
		{MSGPACK_DEPTH_MAX, "maps and arrays inside one another, of a whole frame"},
		{MSGPACK_KEYS_MAX, "keys of one map"},
		{HOUSEHOLD_FACTS_MAX, "facts kept of one household"},
		{PEER_FRAME_SIZE_MAX, "bytes of one frame on a worker's socket"},
		{WORKER_COUNT_MAX, "workers at once"},
		{WORKER_SLOTS_MAX, "slots of one worker"},
		{HEARTBEAT_MS, "milliseconds between heartbeats"},
		{HEARTBEATS_MISSED_MAX, "heartbeats missed, and the other side is gone"},
		{LEASE_PRESENT_MS, "milliseconds after a start of the core within which workers "
				   "present their leases"},
		{TASK_ATTEMPTS_MAX, "attempts at a task before it is buried"},
		{TASK_LIFE_HOURS, "hours a task is tried before it is buried"},
		{TASK_DEATHS_MAX, "workers that may die on a task before it is buried"},
		{TASK_RETRY_FIRST_MS,
		 "milliseconds before the second attempt, three times as many each time"},
		{TASK_RETRY_MAX_MS, "milliseconds between attempts after `later`, at most"},
		{TASK_LIMITED_MAX_MS, "the same after `limited`"},
	};

	buf_printf(out, "### Limits\n\n| at most | of |\n| ---: | --- |\n");
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		buf_printf(out, "| %d | %s |\n", limits[i].value, limits[i].of);
	buf_printf(out, "\n");
}

/* The envelope stands first; it is told apart, since it is no part of an event's data. */
static void print_all(struct buf *out)
{
	static const struct record *const records[] = {
#define RECORD(name, ...) &record_##name,
#include "proto/records.def"
#undef RECORD
	};
	static const struct record *const messages[] = {
#define MESSAGE(name, ...) &record_##name,
#include "proto/messages.def"
#undef MESSAGE
	};

	buf_printf(out, "### Envelope\n\n");
	print_record(&record_envelope, out);
	print_events(out);
	buf_printf(out, "### Messages\n\nWhat methods take as their one map.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		print_record(messages[i], out);
	buf_printf(out,
		   "### Records\n\nMaps inside events and messages, and the bodies of tasks.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		if (records[i] != &record_envelope)
			print_record(records[i], out);
	}
	print_words(out);
	print_errors(out);
	print_mail_failures(out);
	print_limits(out);
}

/* The file. */

static bool file_read(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "r");
	char piece[4096];
	size_t size;

	if (!file)
		return false;
	while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_add(text, piece, size);
	return fclose(file) == 0;
}

static bool file_write(const char *path, struct str text)
{
	FILE *file = fopen(path, "w");
	bool is_written;

	if (!file)
		return false;
	is_written = fwrite(text.data, 1, text.size, file) == text.size;
	return fclose(file) == 0 && is_written;
}

/* The file with current tables between its markers; false when it has none. */
static bool tables_replace(const struct buf *old, struct buf *new)
{
	char *begin = memmem(old->data, old->size, MARK_BEGIN, strlen(MARK_BEGIN));
	char *end = memmem(old->data, old->size, MARK_END, strlen(MARK_END));

	if (!begin || !end || end < begin)
		return false;
	begin += strlen(MARK_BEGIN);
	buf_add(new, old->data, (size_t)(begin - old->data));
	buf_printf(new, "\n");
	print_all(new);
	buf_add(new, end, (size_t)(old->data + old->size - end));
	return true;
}

static int update(const char *path, bool write)
{
	scoped(buf_done) struct buf old = {0}, new = {0};

	if (!file_read(path, &old)) {
		fprintf(stderr, "protocol-tables: %s cannot be read\n", path);
		return EXIT_USAGE;
	}
	if (!tables_replace(&old, &new)) {
		fprintf(stderr, "protocol-tables: %s has no markers for the tables\n", path);
		return EXIT_USAGE;
	}
	if (str_equal(buf_str(&old), buf_str(&new)))
		return EXIT_SUCCESS;
	if (write && file_write(path, buf_str(&new)))
		return EXIT_SUCCESS;
	fprintf(stderr,
		write ? "protocol-tables: %s cannot be written\n"
		      : "protocol-tables: %s is not current: run with --write\n",
		path);
	return EXIT_STALE;
}

int main(int argc, char **argv)
{
	scoped(buf_done) struct buf out = {0};

	if (argc == 3 && !strcmp(argv[1], "--check"))
		return update(argv[2], false);
	if (argc == 3 && !strcmp(argv[1], "--write"))
		return update(argv[2], true);
	if (argc != 1) {
		fputs("usage: protocol-tables [--check FILE | --write FILE]\n", stderr);
		return EXIT_USAGE;
	}
	print_all(&out);
	return fwrite(out.data, 1, out.size, stdout) == out.size ? EXIT_SUCCESS : EXIT_STALE;
}
