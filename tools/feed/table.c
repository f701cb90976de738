#include "tools/feed/table.h"

#include <csv.h>
#include <stdlib.h>

#include "tools/feed/lines.h"

/* A row that is being read, or tried. */
struct reading {
	const struct table_form *form;
	table_row_fn *on_row;
	void *context;
	struct lines lines;
	struct csv_parser parser;
	struct buf text; /* the cells of the row, one after the other */
	size_t *sizes;   /* of each cell */
	struct str *cells;
	uint32_t count, capacity, cells_capacity;
	uint64_t number; /* of the row that is being read */
	bool is_ended;   /* the row has its end */
	bool is_stopped;
};

/* --- libcsv, fed with one line after the other --- */

static void parser_start(struct reading *reading)
{
	const struct table_form *form = reading->form;
	int error = csv_init(&reading->parser,
			     CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL | CSV_APPEND_NULL);

	assert(error == 0);
	csv_set_delim(&reading->parser, (unsigned char)form->delimiter);
	csv_set_quote(&reading->parser, (unsigned char)form->quote);
}

static void parser_restart(struct reading *reading)
{
	csv_free(&reading->parser);
	parser_start(reading);
}

static void row_clear(struct reading *reading)
{
	reading->count = 0;
	reading->is_ended = false;
	buf_reset(&reading->text);
}

static void on_cell(void *data, size_t size, void *context)
{
	struct reading *reading = context;

	MEM_ROOM(reading->sizes, reading->count, reading->capacity);
	reading->sizes[reading->count++] = data ? size : 0;
	if (data)
		buf_add(&reading->text, data, size);
}

static void on_row_end(int terminator, void *context)
{
	struct reading *reading = context;

	(void)terminator;
	reading->is_ended = true;
}

enum parsed { PARSED_ROW, PARSED_NOTHING, PARSED_OPEN, PARSED_BAD };

static bool row_is_too_long(const struct reading *reading)
{
	return reading->parser.entry_pos + reading->text.size > TABLE_ROW_SIZE_MAX;
}

static bool parse_piece(struct reading *reading, struct str piece)
{
	return csv_parse(&reading->parser, piece.data, piece.size, on_cell, on_row_end, reading) ==
	       piece.size;
}

/* The file's last line may lack its end. */
static bool ends_itself(struct str line)
{
	char last = line.data[line.size - 1];

	return last == '\n' || last == '\r';
}

/* One line more of the row. */
static enum parsed parse_line(struct reading *reading, struct str line)
{
	if (!parse_piece(reading, line) ||
	    (!ends_itself(line) && !parse_piece(reading, STR("\n"))) || row_is_too_long(reading))
		return PARSED_BAD;
	if (reading->is_ended)
		return PARSED_ROW;
	return reading->parser.quoted ? PARSED_OPEN : PARSED_NOTHING;
}

/* --- rows handed on --- */

static void set_cells(struct reading *reading)
{
	const char *at = reading->text.data;

	for (uint32_t i = 0; i < reading->count; i++) {
		MEM_ROOM(reading->cells, i, reading->cells_capacity);
		reading->cells[i] = (struct str){reading->sizes[i] ? at : NULL, reading->sizes[i]};
		at += reading->sizes[i];
	}
}

static void give(struct reading *reading, const struct row *row)
{
	if (!reading->on_row(reading->context, row))
		reading->is_stopped = true;
	reading->number++;
}

static void give_row(struct reading *reading, size_t size)
{
	struct row row = {.number = reading->number};

	set_cells(reading);
	row.count = reading->count;
	row.cells = reading->cells;
	give(reading, &row);
	lines_pass(&reading->lines, size);
}

/* After it the parser knows nothing of the row. */
static void give_wrong(struct reading *reading, const char *wrong, size_t size)
{
	const struct row row = {.number = reading->number, .wrong = wrong};

	parser_restart(reading);
	give(reading, &row);
	lines_pass(&reading->lines, size);
}

/* --- rows of one line, and of several --- */

static bool row_has_its_columns(const struct reading *reading)
{
	const struct table_form *form = reading->form;

	return form->column_count == 0 || reading->number <= form->title_count ||
	       reading->count == form->column_count;
}

static bool line_is_row(struct reading *reading, size_t offset)
{
	struct str line;

	parser_restart(reading);
	row_clear(reading);
	return lines_read(&reading->lines, offset, &line) &&
	       parse_line(reading, line) == PARSED_ROW && row_has_its_columns(reading);
}

/* Goes on from the first line, whose quote is open, to the end of the row; 0: it has none. */
static size_t find_row_end(struct reading *reading, size_t size)
{
	enum parsed parsed = PARSED_OPEN;
	struct str line;

	while (parsed == PARSED_OPEN && lines_read(&reading->lines, size, &line)) {
		parsed = parse_line(reading, line);
		size += line.size;
	}
	return parsed == PARSED_ROW ? size : 0;
}

/* Tries again what was read already: the first lines of a row, to its end. */
static void parse_again(struct reading *reading, size_t size)
{
	struct str line;

	parser_restart(reading);
	row_clear(reading);
	for (size_t at = 0; at < size && lines_read(&reading->lines, at, &line); at += line.size)
		(void)parse_line(reading, line);
}

static void read_open_row(struct reading *reading, size_t first_size)
{
	size_t size = find_row_end(reading, first_size);
	bool is_whole = size > 0;

	if (is_whole && !row_has_its_columns(reading)) {
		is_whole = !line_is_row(reading, first_size);
		if (is_whole)
			parse_again(reading, size);
	}
	if (is_whole)
		give_row(reading, size);
	else
		give_wrong(reading,
			   "a quote that is not closed: close it, or put quotes around the "
			   "cell and write the quote in it twice",
			   first_size);
}

static void read_row(struct reading *reading, struct str line)
{
	size_t size = line.size;

	row_clear(reading);
	switch (parse_line(reading, line)) {
	case PARSED_ROW:
		give_row(reading, size);
		return;
	case PARSED_NOTHING:
		lines_pass(&reading->lines, size);
		return;
	case PARSED_OPEN:
		read_open_row(reading, size);
		return;
	case PARSED_BAD:
		give_wrong(reading,
			   row_is_too_long(reading)
				   ? "a row over 1 MiB"
				   : "a quote out of place: put quotes around the cell and "
				     "write the quote in it twice",
			   size);
		return;
	}
}

enum err table_read(FILE *file, const struct table_form *form, table_row_fn *on_row, void *context)
{
	struct reading reading = {.form = form, .on_row = on_row, .context = context, .number = 1};
	struct str line;

	lines_open(&reading.lines, file, form->encoding);
	parser_start(&reading);
	while (!reading.is_stopped && lines_read(&reading.lines, 0, &line))
		read_row(&reading, line);

	lines_done(&reading.lines);
	csv_free(&reading.parser);
	buf_done(&reading.text);
	free(reading.sizes);
	free(reading.cells);
	return ferror(file) ? ERR_IO : ERR_OK;
}
