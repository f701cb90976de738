#include "tools/feed/convert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/codec.h"
#include "tools/feed/text.h"
#include "tools/feed/value.h"

/* --- columns of a file --- */

/* Ids are no secret, but personal facts are in what they are made of: a department that keeps its
 * exports from others sets a key of its own (--id-key). */
void converter_set_default_key(struct converter *converter)
{
	static const char key[HASH_KEY_SIZE + 1] = "vigie-feed: ids of events, key 1";

	memcpy(converter->id_key, key, HASH_KEY_SIZE);
}

static uint32_t header_find(const struct row *header, struct str folded, struct arena *arena,
			    uint32_t *at)
{
	uint32_t found = 0;

	for (uint32_t i = header->count; i-- > 0;) {
		if (!str_equal(text_fold(arena, header->cells[i]), folded))
			continue;
		*at = i;
		found++;
	}
	return found;
}

void converter_bind(struct converter *converter, const struct row *header, const char *path,
		    struct complaints *complaints)
{
	const struct mapping *mapping = converter->mapping;
	scoped(arena_done) struct arena arena = {0};

	converter->column_count = header->count;
	converter->index =
		mem_grow(converter->index, (mapping->column_count + 1) * sizeof(*converter->index));
	for (uint32_t i = 0; i < mapping->column_count; i++) {
		const struct column *column = &mapping->columns[i];
		uint32_t found = header_find(header, column->folded, &arena, &converter->index[i]);

		if (found == 1)
			continue;
		complain(complaints, mapping->path, (uint32_t)column->line, "",
			 "%s has %s column \"%.*s\"", path, found ? "more than one" : "no",
			 (int)column->name.size, column->name.data);
	}
}

void converter_done(struct converter *converter)
{
	free(converter->index);
	converter->index = NULL;
}

/* --- one row being converted --- */

struct conversion {
	const struct converter *converter;
	const struct row *row;
	struct arena *arena;
	struct refusal *refusal;
};

static struct str cell_of(const struct conversion *work, uint32_t column)
{
	return work->row->cells[work->converter->index[column]];
}

static struct str told(struct conversion *work, const char *format, ...) printf_like(2, 3);

static struct str told(struct conversion *work, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return arena_copy(work->arena, str_from(text));
}

static bool refuse_row(struct conversion *work, struct str reason)
{
	*work->refusal = (struct refusal){.reason = reason};
	return false;
}

static struct str columns_told(struct conversion *work, struct columns columns)
{
	const struct column *all = work->converter->mapping->columns;
	struct buf names = {0};
	struct str copy;

	for (uint32_t i = 0; i < columns.count; i++) {
		buf_printf(&names, "%s", i ? ", " : "");
		buf_add_str(&names, all[columns.item[i]].name);
	}
	copy = arena_copy(work->arena, buf_str(&names));
	buf_done(&names);
	return copy;
}

/* A value that the mapping fixed can only be wrong together with others: then the path is told. */
static bool refuse_cell(struct conversion *work, struct columns columns, struct str path,
			const char *reason)
{
	struct str name = columns.count > 0 ? columns_told(work, columns) : path;

	work->refusal->column = name;
	work->refusal->reason = told(work, "%.*s: %s", (int)name.size, name.data, reason);
	return false;
}

/* --- conditions --- */

static bool condition_holds(const struct conversion *work, const struct condition *condition)
{
	struct str folded = text_fold(work->arena, cell_of(work, condition->column.item[0]));

	for (uint32_t i = 0; i < condition->words.count; i++)
		if (str_equal(folded, condition->words.item[i]))
			return !condition->is_not;
	return condition->is_not;
}

static bool any_holds(const struct conversion *work, const struct conditions *conditions)
{
	for (uint32_t i = 0; i < conditions->count; i++)
		if (condition_holds(work, &conditions->item[i]))
			return true;
	return false;
}

static bool all_hold(const struct conversion *work, const struct conditions *conditions)
{
	for (uint32_t i = 0; i < conditions->count; i++)
		if (!condition_holds(work, &conditions->item[i]))
			return false;
	return true;
}

/* --- cells --- */

static struct str first_text(const struct conversion *work, const struct columns *columns)
{
	struct str text = {NULL, 0};

	for (uint32_t i = 0; i < columns->count && text.size == 0; i++)
		text = text_clean(work->arena, cell_of(work, columns->item[i]));
	return text;
}

static struct str joined_text(const struct conversion *work, const struct cell *cell)
{
	struct buf joined = {0};
	struct str copy;

	for (uint32_t i = 0; i < cell->columns.count; i++) {
		struct str text = text_clean(work->arena, cell_of(work, cell->columns.item[i]));

		if (text.size > 0 && joined.size > 0)
			buf_add_str(&joined, cell->join);
		buf_add_str(&joined, text);
	}
	copy = arena_copy(work->arena, buf_str(&joined));
	buf_done(&joined);
	return copy;
}

static struct str cell_text(const struct conversion *work, const struct cell *cell)
{
	if (cell->is_fixed)
		return (struct str){NULL, 0};
	if (cell->columns.count == 1 || cell->is_first)
		return first_text(work, &cell->columns);
	return joined_text(work, cell);
}

static void *cell_object(const struct cell *cell, struct event *event)
{
	return (char *)&event->data + (cell->outer ? cell->outer->offset : 0);
}

/* Inside an optional record a field is needed only when another one is there. */
static bool is_needed(const struct cell *cell)
{
	if (cell->field->flags & OPTIONAL)
		return false;
	return !cell->outer || !(cell->outer->flags & OPTIONAL);
}

static bool fill_cell(struct conversion *work, const struct cell *cell, struct event *event)
{
	void *object = cell_object(cell, event);
	const char *wrong = value_set(cell, cell_text(work, cell), work->arena, object);

	if (wrong)
		return refuse_cell(work, cell->columns, cell->path, wrong);
	if (!field_is_absent(cell->field, object)) {
		if (cell->outer && !cell->is_fixed)
			*(bool *)object = true; /* is_set is the first member of every record */
		return true;
	}
	if (is_needed(cell))
		return refuse_cell(work, cell->columns, cell->path, "missing");
	return true;
}

static bool check_records(struct conversion *work, const struct event_map *map, struct event *event)
{
	for (uint32_t i = 0; i < map->cell_count; i++) {
		const struct cell *cell = &map->cells[i];
		void *object = cell_object(cell, event);

		if (!cell->outer || !*(bool *)object || cell->field->flags & OPTIONAL)
			continue;
		if (field_is_absent(cell->field, object))
			return refuse_cell(work, cell->columns, cell->path, "missing");
	}
	return true;
}

static bool fill_data(struct conversion *work, const struct event_map *map, struct event *event)
{
	for (uint32_t i = 0; i < map->cell_count; i++)
		if (!fill_cell(work, &map->cells[i], event))
			return false;
	return check_records(work, map, event);
}

/* --- the envelope --- */

static bool refuse_subject(struct conversion *work, const struct event_map *map, const char *reason)
{
	uint32_t items[16];
	struct columns columns = {.item = items};

	for (uint32_t i = 0; i < map->subject_count && i < ARRAY_SIZE(items); i++)
		items[columns.count++] = map->subjects[i].column.item[0];
	return refuse_cell(work, columns, STR("subject"), reason);
}

static bool fill_subject(struct conversion *work, const struct event_map *map, struct event *event)
{
	for (uint32_t i = 0; i < map->subject_count && event->subject.size == 0; i++) {
		const struct subject_choice *choice = &map->subjects[i];

		event->subject = text_clean(work->arena, cell_of(work, choice->column.item[0]));
		if (event->subject.size > 0)
			event->subject_source = choice->source;
	}
	if (text_is_unreadable(event->subject))
		return refuse_subject(work, map, "bytes that are no text in the file's encoding");
	if (event->subject.size == 0 && map->info->subject == SUBJECT_REQUIRED)
		return refuse_subject(work, map, "missing");
	return true;
}

static bool fill_time(struct conversion *work, const struct event_map *map, struct event *event)
{
	struct str text = cell_text(work, &map->time);
	const char *wrong = "missing";

	if (text.size > 0)
		wrong = value_time(&map->time, text, work->arena, &event->time);
	if (wrong)
		return refuse_cell(work, map->time.columns, map->time.path, wrong);
	return true;
}

/* Made from what the row is and what it says: the same row again is a duplicate, a corrected row is
 * a new event, wherever and in whatever order of columns it is written. */
static void fill_id(struct conversion *work, struct event *event)
{
	const struct converter *converter = work->converter;
	const struct columns *key = &converter->mapping->key;
	uint8_t hash[HASH_SIZE];
	char text[2 * HASH_SIZE + 1];
	struct buf content = {0};

	write_array(&content, key->count + 2);
	write_str(&content, converter->reissue);
	write_uint(&content, event->kind);
	for (uint32_t i = 0; i < key->count; i++)
		write_str(&content, text_clean(work->arena, cell_of(work, key->item[i])));
	event_content(event, &content);
	hash_keyed(converter->id_key, buf_str(&content), hash);
	hash_hex(hash, sizeof(hash), text);
	event->id = arena_copy(work->arena, str_from(text));
	buf_done(&content);
}

/* --- the whole event, as the core will look at it --- */

/* "data.person" is above "data.person.phone", and not above "data.persons". */
static bool is_above(struct str path, const char *fault_path)
{
	size_t size = strlen(fault_path);

	if (size < path.size || memcmp(fault_path, path.data, path.size) != 0)
		return false;
	return size == path.size || fault_path[path.size] == '.' || fault_path[path.size] == '[';
}

static bool refuse_fault(struct conversion *work, const struct event_map *map,
			 const struct fault *fault)
{
	if (is_above(STR("subject"), fault->path))
		return refuse_subject(work, map, fault->text);
	if (is_above(map->time.path, fault->path))
		return refuse_cell(work, map->time.columns, map->time.path, fault->text);
	for (uint32_t i = 0; i < map->cell_count; i++)
		if (is_above(map->cells[i].path, fault->path))
			return refuse_cell(work, map->cells[i].columns, map->cells[i].path,
					   fault->text);
	return refuse_cell(work, (struct columns){0}, str_from(fault->path), fault->text);
}

static bool check_event(struct conversion *work, const struct event_map *map,
			const struct event *event)
{
	scoped(buf_done) struct buf bytes = {0};
	struct event again;
	struct fault fault;

	event_encode(event, &bytes);
	if (bytes.size > EVENT_SIZE_MAX)
		return refuse_row(work, told(work, "an event over %d bytes", EVENT_SIZE_MAX));
	if (event_decode(buf_str(&bytes), work->arena, &again, &fault))
		return refuse_fault(work, map, &fault);
	return true;
}

static bool make_event(struct conversion *work, const struct event_map *map, struct event *event)
{
	event_clear(event, map->kind);
	event->source = map->source;
	if (!fill_subject(work, map, event) || !fill_time(work, map, event) ||
	    !fill_data(work, map, event))
		return false;
	fill_id(work, event);
	return check_event(work, map, event);
}

/* --- the row --- */

/* A word that no event waits for is no reason to lose a row in silence. */
static bool refuse_eventless(struct conversion *work)
{
	const struct mapping *mapping = work->converter->mapping;

	for (uint32_t i = 0; i < mapping->event_count; i++)
		if (mapping->events[i].when.count > 0)
			return refuse_cell(work, mapping->events[i].when.item[0].column,
					   (struct str){NULL, 0},
					   "no event and no leave_out for this word");
	return refuse_row(work, STR("no event"));
}

static bool make_events(struct conversion *work, struct row_events *events)
{
	const struct mapping *mapping = work->converter->mapping;

	events->count = 0;
	for (uint32_t i = 0; i < mapping->event_count; i++) {
		const struct event_map *map = &mapping->events[i];

		if (!all_hold(work, &map->when))
			continue;
		if (!make_event(work, map, &events->item[events->count]))
			return false;
		events->count++;
	}
	return events->count > 0 || refuse_eventless(work);
}

enum row_fate convert_row(const struct converter *converter, const struct row *row,
			  struct arena *arena, struct row_events *events, struct refusal *refusal)
{
	struct conversion work = {converter, row, arena, refusal};

	*refusal = (struct refusal){0};
	if (row->count != converter->column_count) {
		refuse_row(&work, told(&work, "%u column%s instead of %u", row->count,
				       row->count == 1 ? "" : "s", converter->column_count));
		return ROW_REFUSED;
	}
	if (any_holds(&work, &converter->mapping->leave_out))
		return ROW_LEFT_OUT;
	return make_events(&work, events) ? ROW_MAPPED : ROW_REFUSED;
}
