#include "config/communes.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/policy_check.h"

#define FIELD             FIELD_ROW
#define RECORD(name, ...) RECORD_TABLE(name __VA_ARGS__)
#include "config/communes.def"
#undef RECORD
#undef FIELD

enum { COLUMNS_MAX = 64 };

enum column { INSEE, NAME, SECTOR, CANTON, LAT, LON, COLUMN_COUNT };
static const char *const column_options[] = {"insee", "name", "sector", "canton", "lat", "lon"};

/* A commune that was read, and where. */
struct found {
	struct policy_commune commune;
	uint32_t line;
};

struct reading {
	struct arena *arena;
	const struct policy *policy;
	struct complaints *complaints;
	const char *file;
	struct str columns[COLUMN_COUNT]; /* as policy.conf names them; size 0: not asked for */
	int at[COLUMN_COUNT];             /* where in a row they are; -1: nowhere */
	communes_missing_fn *missing;
	void *context;

	uint32_t line, row_line; /* of the text being fed, and where the row began */
	struct arena row_arena;
	struct str cells[COLUMNS_MAX];
	uint32_t cell_count;
	bool header_seen;

	struct str unknown[POLICY_SECTORS_MAX]; /* sectors complained of already */
	uint32_t unknown_count;
	struct found *found;
	uint32_t count, capacity;
};

/* Cells. */

static void complain_cell(struct reading *reading, enum column column, const char *what)
{
	complain(reading->complaints, reading->file, reading->row_line, column_options[column],
		 "%s", what);
}

static struct str cell_of(const struct reading *reading, enum column column)
{
	int at = reading->at[column];

	if (at < 0 || (uint32_t)at >= reading->cell_count)
		return (struct str){0};
	return reading->cells[at];
}

/* One to six digits at *at, which moves behind them, added to what `value` has. */
static bool read_digits(struct str text, size_t *at, int64_t *value)
{
	size_t first = *at;

	for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++)
		*value = *value * 10 + (text.data[*at] - '0');
	return *at > first && *at - first <= 6;
}

/* "46.9138" → 46913800: at most six decimals, nothing rounded. */
static bool degrees_parse(struct str text, int64_t *microdegrees)
{
	bool is_negative = text.size && text.data[0] == '-';
	size_t at = is_negative, point;
	int64_t value = 0;

	if (!read_digits(text, &at, &value))
		return false;
	point = at;
	if (at < text.size) {
		if (text.data[at++] != '.' || !read_digits(text, &at, &value) || at != text.size)
			return false;
	}
	for (size_t decimals = at == point ? 0 : at - point - 1; decimals < 6; decimals++)
		value *= 10;
	*microdegrees = is_negative ? -value : value;
	return true;
}

static void read_degrees(struct reading *reading, enum column column, int64_t most, int64_t *value)
{
	struct str cell = cell_of(reading, column);
	int64_t microdegrees;

	if (cell.size == 0)
		return;
	if (!degrees_parse(cell, &microdegrees) || microdegrees < -most || microdegrees > most)
		complain_cell(reading, column,
			      "no such place on Earth; must be decimal degrees with a point and at "
			      "most six decimals, such as 46.9138");
	else
		*value = microdegrees;
}

static bool was_told(struct reading *reading, struct str sector)
{
	for (uint32_t i = 0; i < reading->unknown_count; i++)
		if (str_equal(reading->unknown[i], sector))
			return true;
	if (reading->unknown_count < ARRAY_SIZE(reading->unknown))
		reading->unknown[reading->unknown_count++] = arena_copy(reading->arena, sector);
	return false;
}

static void complain_sector(struct reading *reading, struct str cell)
{
	scoped(buf_done) struct buf what = {0};

	buf_printf(&what, "is ");
	complain_quote(cell, &what);
	buf_printf(&what, ", which no sector has as id or name; must be one of those in sectors");
	buf_add(&what, "", 1);
	complain_cell(reading, SECTOR, what.data);
}

/* By id or by name. A word that is no sector is told once, at the first row that has it. */
static void read_sector(struct reading *reading, uint64_t *sector)
{
	const struct list *sectors = &reading->policy->sectors;
	struct str cell = cell_of(reading, SECTOR);

	for (uint32_t i = 0; i < sectors->count; i++) {
		const struct policy_sector *one = list_at(sectors, struct policy_sector, i);

		if (cell.size && (str_equal(one->id, cell) || str_equal(one->name, cell))) {
			*sector = i;
			return;
		}
	}
	if (!policy_sectors_are_known(reading->policy))
		*sector =
			0; /* the policy is refused as it is, but the rest of the row is looked at */
	else if (!was_told(reading, cell))
		complain_sector(reading, cell);
}

static void check_department(struct reading *reading, insee_t insee)
{
	struct str department = reading->policy->department;
	char text[DEPARTMENT_TEXT_SIZE];

	if (department.size && !str_is(department, insee_department(insee, text)))
		complain_cell(reading, INSEE,
			      "lies in another department; all communes must lie in the policy's");
}

static void take_commune(struct reading *reading)
{
	uint32_t mistakes = reading->complaints->count;
	struct policy_commune commune;
	struct fault fault;

	record_clear(&record_policy_commune, &commune);
	commune.is_set = true;
	if (!insee_parse(cell_of(reading, INSEE), &commune.insee))
		complain_cell(reading, INSEE,
			      "no INSEE code; must be five characters such as 39198 or 2A004");
	else
		check_department(reading, commune.insee);
	commune.name = arena_copy(reading->arena, cell_of(reading, NAME));
	commune.canton = arena_copy(reading->arena, cell_of(reading, CANTON));
	read_sector(reading, &commune.sector);
	read_degrees(reading, LAT, 90000000, &commune.lat);
	read_degrees(reading, LON, 180000000, &commune.lon);
	if (reading->complaints->count > mistakes || commune.sector == UINT_NONE)
		return;

	if (record_check(&record_policy_commune, &commune, "", &fault))
		complain(reading->complaints, reading->file, reading->row_line, fault.path, "%s",
			 fault.text);
	if (reading->at[LAT] >= 0 && reading->at[LON] >= 0 &&
	    (commune.lat == SINT_NONE) != (commune.lon == SINT_NONE))
		complain_cell(reading, LAT,
			      "only one of lat and lon is there; must be both or none");
	MEM_ROOM(reading->found, reading->count, reading->capacity);
	reading->found[reading->count++] = (struct found){commune, reading->row_line};
}

/* Rows. */

static int find_column(const struct reading *reading, struct str name)
{
	for (uint32_t i = 0; i < reading->cell_count; i++)
		if (str_equal(reading->cells[i], name))
			return (int)i;
	return -1;
}

static void take_header(struct reading *reading)
{
	for (enum column column = 0; column < COLUMN_COUNT; column++) {
		struct str name = reading->columns[column];

		reading->at[column] = name.size ? find_column(reading, name) : -1;
		if (name.size && reading->at[column] < 0)
			reading->missing(reading->context, column_options[column],
					 "the communes' table has no such column; must be the name "
					 "of one in its first row");
	}
	reading->header_seen = true;
}

static bool has_columns(const struct reading *reading)
{
	return reading->at[INSEE] >= 0 && reading->at[NAME] >= 0 && reading->at[SECTOR] >= 0;
}

static void on_cell(void *data, size_t size, void *context)
{
	struct reading *reading = context;

	if (reading->cell_count == 0)
		reading->row_line = reading->row_line ? reading->row_line : reading->line;
	if (reading->cell_count < COLUMNS_MAX)
		reading->cells[reading->cell_count++] =
			arena_copy(&reading->row_arena, (struct str){data, size});
}

static void on_row(int end, void *context)
{
	struct reading *reading = context;

	(void)end;
	if (!reading->header_seen)
		take_header(reading);
	else if (has_columns(reading))
		take_commune(reading);
	reading->cell_count = 0;
	reading->row_line = 0;
	arena_reset(&reading->row_arena);
}

/* The file, fed line by line so that each row knows where it began. False when one is no row. */
static bool feed_lines(struct reading *reading, FILE *file, struct csv_parser *parser)
{
	char *line = NULL;
	size_t room = 0, left = 0, taken = 0;
	ssize_t size;

	while (taken == left && (size = getline(&line, &room, file)) > 0) {
		bool has_mark = ++reading->line == 1 && !strncmp(line, "\xef\xbb\xbf", 3);
		size_t skip = has_mark ? 3 : 0;

		left = (size_t)size - skip;
		taken = csv_parse(parser, line + skip, left, on_cell, on_row, reading);
	}
	free(line);
	return taken == left;
}

static void read_lines(struct reading *reading, FILE *file)
{
	struct csv_parser parser;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
		abort();
	if (!feed_lines(reading, file, &parser))
		complain(reading->complaints, reading->file, reading->line, "",
			 "no table row; a cell with a quote or a comma in it must be quoted, and "
			 "quotes in it doubled");
	else if (csv_fini(&parser, on_cell, on_row, reading) != 0)
		complain(reading->complaints, reading->file, reading->line, "",
			 "a quoted cell never ends; must have a quote at its end");
	csv_free(&parser);
}

static int compare_found(const void *a, const void *b)
{
	const struct found *first = a, *second = b;

	if (first->commune.insee != second->commune.insee)
		return first->commune.insee < second->commune.insee ? -1 : 1;
	return first->line < second->line ? -1 : first->line > second->line;
}

static void check_repeated(const struct reading *reading)
{
	for (uint32_t i = 1; i < reading->count; i++) {
		if (reading->found[i].commune.insee != reading->found[i - 1].commune.insee)
			continue;
		complain(reading->complaints, reading->file, reading->found[i].line, "insee",
			 "line %u has this commune already; each must be there once",
			 reading->found[i - 1].line);
	}
}

static void keep_communes(const struct reading *reading, struct list *communes)
{
	struct policy_commune *items =
		arena_new(reading->arena, reading->count * sizeof(struct policy_commune));

	for (uint32_t i = 0; i < reading->count; i++)
		items[i] = reading->found[i].commune;
	*communes = (struct list){reading->count, items};
}

static void read_table(struct reading *reading, FILE *file, struct list *communes)
{
	uint32_t mistakes = reading->complaints->count;

	read_lines(reading, file);
	if (reading->count)
		qsort(reading->found, reading->count, sizeof(*reading->found), compare_found);
	check_repeated(reading);
	if (reading->count > POLICY_COMMUNES_MAX)
		complain(reading->complaints, reading->file, reading->line, "",
			 "there are %u communes; must be at most %d", reading->count,
			 POLICY_COMMUNES_MAX);
	else if (reading->count == 0 && reading->complaints->count == mistakes)
		complain(reading->complaints, reading->file, reading->line, "",
			 "there is no commune; must be one row each, under a row of names");
	else if (reading->complaints->count == mistakes)
		keep_communes(reading, communes);
}

void communes_read(const struct policy_communes_file *source, struct arena *arena,
		   struct policy *policy, struct complaints *complaints,
		   communes_missing_fn *missing, void *context)
{
	struct reading reading = {
		.arena = arena,
		.policy = policy,
		.complaints = complaints,
		.file = source->file.data, /* followed by a zero byte, as all options' texts are */
		.columns = {source->insee, source->name, source->sector, source->canton,
			    source->lat, source->lon},
		.missing = missing,
		.context = context,
	};
	FILE *file = fopen(reading.file, "rbe");

	if (!file) {
		complain(complaints, reading.file, 0, "",
			 "it cannot be read: %s; must be a table of communes", strerror(errno));
		return;
	}
	read_table(&reading, file, &policy->communes);
	fclose(file);
	free(reading.found);
	arena_done(&reading.row_arena);
}
