/* The events of a mapping: each checked against the table that the core checks with. */
#include "tools/feed/mapping_read.h"

#include <stdio.h>

#include "tools/feed/value.h"

/* --- what may be asked of a field --- */

enum wants {
	WANTS_SPLIT = 1 << 0,
	WANTS_DATES = 1 << 1,
	WANTS_FORM = 1 << 2,
	WANTS_WORDS = 1 << 3,
	WANTS_NOTHING = 1 << 4, /* cannot come from a file */
};

static const uint32_t wants[] = {
	[FIELD_flag] = WANTS_WORDS,
	[FIELD_uint] = WANTS_FORM | WANTS_WORDS,
	[FIELD_sint] = WANTS_WORDS,
	[FIELD_day] = WANTS_DATES,
	[FIELD_time] = WANTS_NOTHING,
	[FIELD_text] = WANTS_WORDS,
	[FIELD_bytes] = WANTS_NOTHING,
	[FIELD_insee] = WANTS_WORDS,
	[FIELD_word] = WANTS_WORDS,
	[FIELD_set] = WANTS_SPLIT | WANTS_WORDS,
	[FIELD_texts] = WANTS_SPLIT | WANTS_WORDS,
	[FIELD_insees] = WANTS_SPLIT | WANTS_WORDS,
	[FIELD_record] = 0,
	[FIELD_list] = WANTS_NOTHING,
};

static bool holds_many(const struct field *field)
{
	return wants[field->type] & WANTS_SPLIT;
}

/* --- a cell --- */

static const char *const cell_names[] = {"column", "columns", "first_of", "value", "join", "words",
					 "split",  "blank",   "dates",    "form",  NULL};

static void check_want(struct mapping_reading *reading, const config_setting_t *group,
		       const struct cell *cell, const char *name, enum wants want)
{
	config_setting_t *setting = mapping_member(group, name);
	uint32_t wanted = cell->field ? wants[cell->field->type] : WANTS_DATES;

	if (setting && !(wanted & want))
		mapping_complain(reading, setting, "%s says nothing for %.*s", name,
				 (int)cell->path.size, cell->path.data);
}

static struct str scalar_text(struct mapping_reading *reading, const config_setting_t *setting)
{
	char text[32];

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_BOOL:
		return config_setting_get_bool(setting) ? STR("true") : STR("false");
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(text, sizeof(text), "%lld", config_setting_get_int64(setting));
		return arena_copy(&reading->mapping->arena, str_from(text));
	default:
		return mapping_string(reading, setting);
	}
}

static void read_fixed(struct mapping_reading *reading, const config_setting_t *setting,
		       struct cell *cell)
{
	cell->is_fixed = true;
	if (!config_setting_is_scalar(setting)) {
		cell->fixed = mapping_strings(reading, setting);
		return;
	}
	cell->fixed.count = 1;
	cell->fixed.item = arena_new(&reading->mapping->arena, sizeof(struct str));
	cell->fixed.item[0] = scalar_text(reading, setting);
}

static void read_origin(struct mapping_reading *reading, const config_setting_t *group,
			struct cell *cell)
{
	config_setting_t *column = mapping_member(group, "column");
	config_setting_t *columns = mapping_member(group, "columns");
	config_setting_t *first_of = mapping_member(group, "first_of");
	config_setting_t *value = mapping_member(group, "value");

	if (!!column + !!columns + !!first_of + !!value != 1)
		mapping_complain(reading, group,
				 "%.*s comes from one of column, columns, first_of or value",
				 (int)cell->path.size, cell->path.data);
	else if (value)
		read_fixed(reading, value, cell);
	else
		cell->columns = mapping_columns(reading, column    ? column
							 : columns ? columns
								   : first_of);
	if (column && !config_setting_is_scalar(column))
		mapping_complain(reading, column, "one column; several are columns or first_of");
	cell->is_first = first_of != NULL;
}

static void read_form(struct mapping_reading *reading, const config_setting_t *setting,
		      struct cell *cell)
{
	struct str form = mapping_string(reading, setting);

	if (!setting)
		return;
	cell->is_money = str_is(form, "money");
	if (!cell->is_money && !str_is(form, "number"))
		mapping_complain(reading, setting, "form is \"money\" or \"number\"");
}

static void read_details(struct mapping_reading *reading, const config_setting_t *group,
			 struct cell *cell)
{
	config_setting_t *dates = mapping_member(group, "dates");
	config_setting_t *blank = mapping_member(group, "blank");
	config_setting_t *join = mapping_member(group, "join");
	config_setting_t *words = mapping_member(group, "words");

	check_want(reading, group, cell, "split", WANTS_SPLIT);
	check_want(reading, group, cell, "dates", WANTS_DATES);
	check_want(reading, group, cell, "form", WANTS_FORM);
	check_want(reading, group, cell, "words", WANTS_WORDS);
	if (join)
		cell->join = mapping_string(reading, join);
	if (join && !mapping_member(group, "columns"))
		mapping_complain(reading, join, "join is for several columns");
	if (dates)
		cell->dates = mapping_dates(reading, dates);
	if (blank)
		cell->blank = mapping_folded(reading, blank);
	if (words)
		cell->words = mapping_words(reading, words);
	cell->split = mapping_string(reading, mapping_member(group, "split"));
	read_form(reading, mapping_member(group, "form"), cell);
}

/* --- the values that the mapping itself writes, tried before any row --- */

static void complain_of_value(struct mapping_reading *reading, int line, const struct cell *cell,
			      struct str value, const char *wrong)
{
	mapping_complain_line(reading, line, "%.*s cannot be \"%.*s\": %s", (int)cell->path.size,
			      cell->path.data, (int)value.size, value.data, wrong);
}

static void try_values(struct mapping_reading *reading, int line, const struct cell *cell,
		       const struct strings *values)
{
	const struct record *record = cell->outer ? cell->outer->record : reading->record;
	struct arena *arena = &reading->mapping->arena;
	void *scratch = arena_new(arena, record->size);

	if (values->count > 1 && !holds_many(cell->field))
		mapping_complain_line(reading, line, "%.*s holds one value", (int)cell->path.size,
				      cell->path.data);
	for (uint32_t i = 0; i < values->count; i++) {
		const char *wrong;

		record_clear(record, scratch);
		wrong = value_set_own(cell, values->item[i], arena, scratch);
		if (!wrong)
			wrong = value_out_of_bounds(cell, arena, scratch);
		if (wrong)
			complain_of_value(reading, line, cell, values->item[i], wrong);
	}
}

static void try_own_values(struct mapping_reading *reading, const struct cell *cell)
{
	if (cell->is_fixed)
		try_values(reading, cell->line, cell, &cell->fixed);
	for (uint32_t i = 0; cell->words && i < cell->words->count; i++)
		try_values(reading, cell->words->rows[i].line, cell, &cell->words->rows[i].values);
}

/* A text is a column, a number or true a value, a group tells it all. */
static void read_cell(struct mapping_reading *reading, const config_setting_t *setting,
		      struct cell *cell)
{
	cell->line = (int)config_setting_source_line(setting);
	cell->join = STR(" ");
	cell->dates = reading->dates;
	cell->blank = reading->blank;
	if (config_setting_is_group(setting)) {
		mapping_check_names(reading, setting, cell_names);
		read_origin(reading, setting, cell);
		read_details(reading, setting, cell);
	} else if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
		cell->columns = mapping_columns(reading, setting);
	} else {
		read_fixed(reading, setting, cell);
	}
	if (cell->field)
		try_own_values(reading, cell);
}

/* --- data --- */

static struct str path_join(struct mapping_reading *reading, struct str above, const char *name)
{
	struct buf path = {0};
	struct str copy;

	buf_add_str(&path, above);
	buf_printf(&path, ".%s", name);
	copy = arena_copy(&reading->mapping->arena, buf_str(&path));
	buf_done(&path);
	return copy;
}

static const struct field *field_find(const struct record *record, const char *name)
{
	for (uint32_t i = 0; i < record->count; i++)
		if (strcmp(record->fields[i].name, name) == 0)
			return &record->fields[i];
	return NULL;
}

static void complain_of_field(struct mapping_reading *reading, const config_setting_t *setting,
			      const struct record *record, struct str above)
{
	struct buf known = {0};

	for (uint32_t i = 0; i < record->count; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", record->fields[i].name);
	mapping_complain(reading, setting, "%.*s has no field %s: it has %.*s", (int)above.size,
			 above.data, config_setting_name(setting), (int)known.size, known.data);
	buf_done(&known);
}

static void check_required(struct mapping_reading *reading, const config_setting_t *group,
			   const struct record *record, struct str above)
{
	for (uint32_t i = 0; i < record->count; i++)
		if (!(record->fields[i].flags & OPTIONAL) &&
		    !mapping_member(group, record->fields[i].name))
			mapping_complain(reading, group, "%.*s.%s is missing: the event needs it",
					 (int)above.size, above.data, record->fields[i].name);
}

/* The settings of data and of the records inside it, in the order they are written. */
static void read_fields(struct mapping_reading *reading, const config_setting_t *group,
			const struct record *record, const struct field *outer, struct str above,
			struct event_map *event);

static void read_field(struct mapping_reading *reading, const config_setting_t *setting,
		       const struct field *field, const struct field *outer, struct str path,
		       struct event_map *event)
{
	struct cell *cell;

	if (field->type == FIELD_record && !outer) {
		read_fields(reading, setting, field->record, field, path, event);
		return;
	}
	if (field->type == FIELD_record || wants[field->type] & WANTS_NOTHING) {
		mapping_complain(reading, setting, "%.*s cannot come from a table", (int)path.size,
				 path.data);
		return;
	}
	cell = &event->cells[event->cell_count++];
	*cell = (struct cell){.field = field, .outer = outer, .path = path};
	read_cell(reading, setting, cell);
}

static void read_fields(struct mapping_reading *reading, const config_setting_t *group,
			const struct record *record, const struct field *outer, struct str above,
			struct event_map *event)
{
	if (!config_setting_is_group(group)) {
		mapping_complain(reading, group, "%.*s is a group of fields { … }", (int)above.size,
				 above.data);
		return;
	}
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const struct field *field = field_find(record, config_setting_name(setting));

		if (field)
			read_field(reading, setting, field, outer,
				   path_join(reading, above, field->name), event);
		else
			complain_of_field(reading, setting, record, above);
	}
	check_required(reading, group, record, above);
}

static uint32_t fields_count(const struct record *record)
{
	uint32_t count = record->count;

	for (uint32_t i = 0; i < record->count; i++)
		if (record->fields[i].type == FIELD_record)
			count += record->fields[i].record->count;
	return count;
}

static void read_data(struct mapping_reading *reading, const config_setting_t *group,
		      const config_setting_t *data, struct event_map *event)
{
	const struct record *record = event->info->record;

	event->cells = arena_new(&reading->mapping->arena,
				 (fields_count(record) + 1) * sizeof(*event->cells));
	reading->record = record;
	if (data)
		read_fields(reading, data, record, NULL, STR("data"), event);
	else if (record->count > 0)
		mapping_complain(reading, group, "an event has data = { … }");
}

/* --- the envelope --- */

static const char *const event_names[] = {"type", "when", "source", "subject",
					  "time", "data", NULL};
static const char *const subject_names[] = {"column", "subjectsource", NULL};

static void read_choice(struct mapping_reading *reading, const config_setting_t *setting,
			const struct event_map *event, struct subject_choice *choice)
{
	config_setting_t *column = mapping_member(setting, "column");
	config_setting_t *source = mapping_member(setting, "subjectsource");

	mapping_check_names(reading, setting, subject_names);
	if (!column || !config_setting_is_scalar(column))
		mapping_complain(reading, setting, "a subject has one column");
	choice->column = mapping_columns(reading, column);
	choice->source = source ? mapping_string(reading, source) : event->source;
	if (choice->source.size > NAME_SIZE_MAX)
		mapping_complain(reading, source, "a source has 1 to %d bytes", NAME_SIZE_MAX);
}

/* A column, a group, or a list of either: the first that is not empty counts. */
static void read_subject(struct mapping_reading *reading, const config_setting_t *setting,
			 struct event_map *event)
{
	bool is_many = config_setting_is_list(setting) || config_setting_is_array(setting);

	event->subject_count = is_many ? (uint32_t)config_setting_length(setting) : 1;
	event->subjects = arena_new(&reading->mapping->arena,
				    (event->subject_count + 1) * sizeof(*event->subjects));
	for (uint32_t i = 0; i < event->subject_count; i++) {
		const config_setting_t *one =
			is_many ? config_setting_get_elem(setting, i) : setting;
		struct subject_choice *choice = &event->subjects[i];

		if (config_setting_is_group(one))
			read_choice(reading, one, event, choice);
		else
			*choice = (struct subject_choice){mapping_columns(reading, one),
							  event->source};
	}
}

static void check_subject(struct mapping_reading *reading, const config_setting_t *group,
			  const struct event_map *event)
{
	if (event->info->subject == SUBJECT_REQUIRED && event->subject_count == 0)
		mapping_complain(reading, group, "%s needs a subject: the household's number",
				 event->info->type);
	if (event->info->subject == SUBJECT_REFUSED && event->subject_count > 0)
		mapping_complain(reading, mapping_member(group, "subject"),
				 "%s has no subject: it is about no household", event->info->type);
}

static void read_envelope(struct mapping_reading *reading, const config_setting_t *group,
			  struct event_map *event)
{
	config_setting_t *source = mapping_member(group, "source");
	config_setting_t *subject = mapping_member(group, "subject");
	config_setting_t *time = mapping_member(group, "time");

	event->source = mapping_string(reading, source);
	if (event->source.size < 1 || event->source.size > NAME_SIZE_MAX)
		mapping_complain(reading, source ? source : group,
				 "an event has a source of 1 to %d bytes", NAME_SIZE_MAX);
	if (subject)
		read_subject(reading, subject, event);
	check_subject(reading, group, event);
	event->time.path = STR("time");
	if (time)
		read_cell(reading, time, &event->time);
	else
		mapping_complain(reading, group, "an event has a time: the column of its date");
	if (event->time.is_fixed)
		mapping_complain(reading, time, "a time comes from a column");
}

/* "fsl.decided", with or without the prefix of the wire. */
static enum event_kind kind_find(struct str type)
{
	struct buf full = {0};
	enum event_kind kind = event_kind_find(type);

	if (kind)
		return kind;
	buf_printf(&full, "%s%.*s", EVENT_TYPE_PREFIX, (int)type.size, type.data);
	kind = event_kind_find(buf_str(&full));
	buf_done(&full);
	return kind;
}

/* False when the rest cannot be looked at: nobody knows its fields. */
static bool read_type(struct mapping_reading *reading, const config_setting_t *group,
		      struct event_map *event)
{
	config_setting_t *setting = mapping_member(group, "type");

	if (!setting) {
		mapping_complain(reading, group, "an event has a type, as \"fsl.request_filed\"");
		return false;
	}
	event->kind = kind_find(mapping_string(reading, setting));
	event->info = event->kind ? event_info_find(event->kind) : NULL;
	if (!event->info || event->info->class > CLASS_COORDINATOR) {
		mapping_complain(reading, setting, "no sender may send events of that type");
		return false;
	}
	return true;
}

static void read_event(struct mapping_reading *reading, const config_setting_t *group,
		       struct event_map *event)
{
	if (!config_setting_is_group(group)) {
		mapping_complain(reading, group, "an event is a group { type = …; … }");
		return;
	}
	mapping_check_names(reading, group, event_names);
	event->line = (int)config_setting_source_line(group);
	event->when = mapping_conditions(reading, mapping_member(group, "when"));
	if (!read_type(reading, group, event))
		return;
	read_envelope(reading, group, event);
	read_data(reading, group, mapping_member(group, "data"), event);
}

void mapping_read_events(struct mapping_reading *reading, const config_setting_t *events)
{
	struct mapping *mapping = reading->mapping;

	if (!config_setting_is_list(events) || config_setting_length(events) < 1 ||
	    config_setting_length(events) > EVENTS_OF_ROW_MAX) {
		mapping_complain(reading, events,
				 "events is a list ( { type = …; … }, … ) of 1 to %d",
				 EVENTS_OF_ROW_MAX);
		return;
	}
	mapping->event_count = (uint32_t)config_setting_length(events);
	mapping->events =
		arena_new(&mapping->arena, mapping->event_count * sizeof(*mapping->events));
	for (uint32_t i = 0; i < mapping->event_count; i++)
		read_event(reading, config_setting_get_elem(events, i), &mapping->events[i]);
}
