#include "config/communes.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 64, CODE_SIZE = 5 };

struct reading {
	const char *path;
	const struct communes_columns *columns;
	const struct communes_words *words;
	struct arena *arena;
	struct list *communes;
	struct complaints *complaints;

	struct str header[COLUMNS_MAX], cells[COLUMNS_MAX];
	uint32_t header_count, cell_count, row;
};

static void wrong(struct reading *reading, const char *column, const char *what)
{
	complain(reading->complaints, reading->path, reading->row, column, "%s", what);
}

/* The cell under a column of that name; empty when there is none. */
static struct str cell(const struct reading *reading, struct str column)
{
	for (uint32_t i = 0; i < reading->header_count && i < reading->cell_count; i++)
		if (column.size && str_equal(reading->header[i], column))
			return reading->cells[i];
	return (struct str){0};
}

/* "47.0647" in microdegrees, without floating point. */
static bool read_degrees(struct str text, int64_t *microdegrees)
{
	int64_t value = 0, sign = 1;
	int decimals = -1;

	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c == '-' && i == 0)
			sign = -1;
		else if (c == '.' && decimals < 0)
			decimals = 0;
		else if (c < '0' || c > '9' || value > 1000000000)
			return false;
		else if (decimals < 6) {
			value = value * 10 + (c - '0');
			decimals += decimals >= 0;
		}
	}
	for (decimals = decimals < 0 ? 0 : decimals; decimals < 6; decimals++)
		value *= 10;
	*microdegrees = sign * value;
	return text.size > 0;
}

static void read_coordinate(struct reading *reading, struct str column, int64_t most, int64_t *to)
{
	struct str text = cell(reading, column);

	*to = SINT_NONE;
	if (text.size && (!read_degrees(text, to) || *to > most || *to < -most))
		wrong(reading, "coordinates", "no degrees; 47.0647 is expected");
}

static bool find_sector(const struct reading *reading, uint64_t *sector)
{
	struct str word = cell(reading, reading->columns->sector);

	for (*sector = 0; *sector < reading->words->count; (*sector)++)
		if (str_equal(reading->words->word[*sector], word))
			return true;
	return false;
}

static void take_row(struct reading *reading)
{
	struct policy_commune commune = {.is_set = true};
	struct str code = cell(reading, reading->columns->insee);

	if (code.size != CODE_SIZE || !insee_parse(code, &commune.insee)) {
		wrong(reading, "insee", "no INSEE code; five characters such as 39198 are expected");
		return;
	}
	commune.name = arena_copy(reading->arena, cell(reading, reading->columns->name));
	commune.canton = arena_copy(reading->arena, cell(reading, reading->columns->canton));
	if (!commune.name.size)
		wrong(reading, "name", "missing");
	if (!find_sector(reading, &commune.sector))
		wrong(reading, "sector", "no sector's communes_where has this word");
	read_coordinate(reading, reading->columns->lat, 90000000, &commune.lat);
	read_coordinate(reading, reading->columns->lon, 180000000, &commune.lon);
	if (reading->communes->count == POLICY_COMMUNES_MAX) {
		wrong(reading, "", "more communes than there may be");
		return;
	}
	*list_at(reading->communes, struct policy_commune, reading->communes->count++) = commune;
}

static void on_cell(void *text, size_t size, void *context)
{
	struct reading *reading = context;
	struct str copy = arena_copy(reading->arena, (struct str){text, size});

	if (reading->cell_count < COLUMNS_MAX)
		reading->cells[reading->cell_count++] = copy;
}

static void on_row(int end, void *context)
{
	struct reading *reading = context;

	(void)end;
	reading->row++;
	if (reading->row == 1) {
		memcpy(reading->header, reading->cells, sizeof(reading->header));
		reading->header_count = reading->cell_count;
	} else if (reading->cell_count) {
		take_row(reading);
	}
	reading->cell_count = 0;
}

static int compare_codes(const void *first, const void *second)
{
	const struct policy_commune *a = first, *b = second;

	return a->insee < b->insee ? -1 : a->insee > b->insee;
}

/* The first line begins with a byte order mark in some exports. */
static size_t skip_mark(const char *text, size_t size)
{
	return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static void read_file(struct reading *reading, FILE *file)
{
	struct csv_parser parser;
	char piece[1 << 16];
	size_t size, skip;
	bool is_first = true;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI)) {
		wrong(reading, "", "the CSV reader cannot start");
		return;
	}
	while ((size = fread(piece, 1, sizeof(piece), file)) > 0) {
		skip = is_first ? skip_mark(piece, size) : 0;
		is_first = false;
		if (csv_parse(&parser, piece + skip, size - skip, on_cell, on_row, reading) !=
		    size - skip) {
			wrong(reading, "", csv_strerror(csv_error(&parser)));
			break;
		}
	}
	(void)csv_fini(&parser, on_cell, on_row, reading);
	csv_free(&parser);
}

static void check_columns(struct reading *reading)
{
	const struct str *wanted[] = {&reading->columns->insee, &reading->columns->name,
				      &reading->columns->sector, &reading->columns->canton,
				      &reading->columns->lat,	 &reading->columns->lon};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		bool is_there = !wanted[i]->size;

		for (uint32_t j = 0; j < reading->header_count; j++)
			is_there = is_there || str_equal(reading->header[j], *wanted[i]);
		if (!is_there)
			complain(reading->complaints, reading->path, 1, "",
				 "no column is called \"%.*s\"", (int)wanted[i]->size,
				 wanted[i]->data);
	}
}

void communes_read(const char *path, const struct communes_columns *columns,
		   const struct communes_words *words, struct arena *arena, struct list *communes,
		   struct complaints *complaints)
{
	struct reading *reading = mem_new(sizeof(*reading));
	FILE *file = fopen(path, "re");

	*reading = (struct reading){.path = path,
				    .columns = columns,
				    .words = words,
				    .arena = arena,
				    .communes = communes,
				    .complaints = complaints};
	*communes = (struct list){
		0, arena_new(arena, POLICY_COMMUNES_MAX * sizeof(struct policy_commune))};
	if (file) {
		read_file(reading, file);
		check_columns(reading);
		fclose(file);
	} else {
		wrong(reading, "", strerror(errno));
	}
	if (communes->count)
		qsort(communes->items, communes->count, sizeof(struct policy_commune),
		      compare_codes);
	free(reading);
}
