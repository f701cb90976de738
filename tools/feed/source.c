#include "tools/feed/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "proto/json.h"
#include "tools/feed/encoding.h"

/* --- which mapping, and whether it fits --- */

static void say_wrong(struct complaints *complaints, const char *path, const char *text)
{
	buf_printf(&complaints->text, "%s: %s\n", path, text);
	complaints->count++;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_ndjson(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcmp(dot, ".ndjson") == 0 || strcmp(dot, ".jsonl") == 0);
}

static const struct mapping *choose_mapping(const char *name, struct mapping *const *mappings,
					    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (mapping_takes(mappings[i], name))
			return mappings[i];
	return NULL;
}

struct binding {
	struct source *source;
	struct complaints *complaints;
	bool is_bound;
};

static bool bind_row(void *context, const struct row *row)
{
	struct binding *binding = context;
	struct source *source = binding->source;

	if (row->number < source->mapping->header_row)
		return true;
	if (row->wrong)
		say_wrong(binding->complaints, source->path, row->wrong);
	else
		converter_bind(&source->converter, row, source->path, binding->complaints);
	binding->is_bound = true;
	return false;
}

/* Until the header is read, its number of columns is not known. */
static struct table_form form_of(const struct source *source)
{
	return (struct table_form){
		.encoding = source->encoding,
		.delimiter = source->mapping->delimiter,
		.quote = source->mapping->quote,
		.title_count = source->mapping->header_row,
		.column_count = source->converter.column_count,
	};
}

/* Without a header row the mapping itself names the columns. */
static void bind_columns(struct source *source, FILE *file, struct complaints *complaints)
{
	const struct strings *header = &source->mapping->header;
	struct binding binding = {source, complaints, false};
	struct table_form form = form_of(source);

	if (source->mapping->header_row == 0) {
		const struct row row = {0, header->count, header->item};

		(void)bind_row(&binding, &row);
		return;
	}
	if (table_read(file, &form, bind_row, &binding))
		say_wrong(complaints, source->path, "it cannot be read");
	else if (!binding.is_bound)
		say_wrong(complaints, source->path, "it has no header row");
}

static void look_at_table(struct source *source, FILE *file, struct complaints *complaints)
{
	source->encoding = source->mapping->encoding;
	if (strcmp(source->encoding, "auto") == 0)
		source->encoding = encoding_detect(file);
	bind_columns(source, file, complaints);
}

void source_open(struct source *source, const char *path, struct mapping *const *mappings,
		 uint32_t mapping_count, struct complaints *complaints)
{
	FILE *file = fopen(path, "re");
	struct stat status;

	source->path = mem_copy(str_from(path));
	source->name = name_of(source->path);
	if (!is_ndjson(source->name))
		source->mapping = choose_mapping(source->name, mappings, mapping_count);
	source->converter.mapping = source->mapping;
	if (!file || fstat(fileno(file), &status) != 0)
		say_wrong(complaints, path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		say_wrong(complaints, path, "it is no regular file");
	else if (source->mapping)
		look_at_table(source, file, complaints);
	else if (!is_ndjson(source->name))
		say_wrong(complaints, path,
			  "no mapping takes a file of that name: give one with --map");
	source->size = file ? (uint64_t)status.st_size : 0;
	if (file)
		fclose(file);
}

void source_done(struct source *source)
{
	free(source->path);
	converter_done(&source->converter);
	rejects_done(&source->rejects);
}

/* --- reading --- */

struct source_reading {
	struct source *source;
	FILE *file;
	source_event_fn *on_event;
	void *context;
	struct arena arena;
	struct buf bytes;
	struct row_events events;
	bool is_stopped;
};

static void refuse(struct source *source, uint64_t row, struct str column, struct str reason)
{
	rejects_add(&source->rejects, row, column, reason);
	source->counts.rejected++;
}

static bool give_event(struct source_reading *reading, uint64_t row, const struct event *event)
{
	struct place place = {reading->source->number, row};

	buf_reset(&reading->bytes);
	event_encode(event, &reading->bytes);
	reading->source->counts.events++;
	if (!reading->on_event(reading->context, place, event->time, buf_str(&reading->bytes)))
		reading->is_stopped = true;
	return !reading->is_stopped;
}

static bool read_row(void *context, const struct row *row)
{
	struct source_reading *reading = context;
	struct source *source = reading->source;
	struct refusal refusal;
	enum row_fate fate;

	if (row->number <= source->mapping->header_row)
		return true;
	source->read = (uint64_t)ftell(reading->file);
	source->counts.rows++;
	if (row->wrong) {
		refuse(source, row->number, STR(""), str_from(row->wrong));
		return true;
	}
	arena_reset(&reading->arena);
	fate = convert_row(&source->converter, row, &reading->arena, &reading->events, &refusal);
	if (fate == ROW_REFUSED)
		refuse(source, row->number, refusal.column, refusal.reason);
	if (fate == ROW_LEFT_OUT)
		source->counts.left_out++;
	for (uint32_t i = 0; fate == ROW_MAPPED && i < reading->events.count; i++)
		if (!give_event(reading, row->number, &reading->events.item[i]))
			return false;
	return true;
}

static enum err read_table(struct source_reading *reading)
{
	struct table_form form = form_of(reading->source);

	return table_read(reading->file, &form, read_row, reading);
}

static bool is_empty_line(struct str line)
{
	for (size_t i = 0; i < line.size; i++)
		if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
			return false;
	return true;
}

/* Written again as msgpack it must fit where the core reads it: the same check as for rows. */
static enum err check_event(const struct event *event, struct arena *arena, struct fault *fault)
{
	scoped(buf_done) struct buf bytes = {0};
	struct event again;

	event_encode(event, &bytes);
	if (bytes.size > EVENT_SIZE_MAX)
		return fault_set(fault, ERR_TOO_LARGE, "", "an event over %d bytes",
				 EVENT_SIZE_MAX);
	return event_decode(buf_str(&bytes), arena, &again, fault);
}

static bool read_line(struct source_reading *reading, struct str line, uint64_t number)
{
	struct source *source = reading->source;
	struct event *event = &reading->events.item[0];
	struct fault fault;

	if (is_empty_line(line))
		return true;
	source->counts.rows++;
	arena_reset(&reading->arena);
	if (!event_from_json_line(line, &reading->arena, event, &fault) &&
	    !check_event(event, &reading->arena, &fault))
		return give_event(reading, number, event);
	refuse(source, number, str_from(fault.path), str_from(fault.text));
	return true;
}

static enum err read_lines(struct source_reading *reading)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t size;
	uint64_t number = 0;
	bool goes_on = true;

	while (goes_on && (size = getline(&line, &capacity, reading->file)) >= 0) {
		struct str text = {line, (size_t)size};

		if (text.size > 0 && text.data[text.size - 1] == '\n')
			text.size--;
		reading->source->read += (uint64_t)size;
		goes_on = read_line(reading, text, ++number);
	}
	free(line);
	return ferror(reading->file) ? ERR_IO : ERR_OK;
}

enum err source_read(struct source *source, source_event_fn *on_event, void *context)
{
	struct source_reading reading = {
		.source = source, .on_event = on_event, .context = context};
	enum err err = ERR_IO;

	reading.file = fopen(source->path, "re");
	if (!reading.file)
		return ERR_IO;
	err = source->mapping ? read_table(&reading) : read_lines(&reading);
	fclose(reading.file);
	arena_done(&reading.arena);
	buf_done(&reading.bytes);
	if (reading.is_stopped)
		return ERR_CLOSED;
	return err;
}
