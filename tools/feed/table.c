#include "tools/feed/table.h"

#include <csv.h>
#include <stdlib.h>

#include "tools/feed/encoding.h"

enum { CHUNK_SIZE = 64 * 1024 };

/* What libcsv's callbacks fill: the row that is being read. */
struct reading {
	table_row_fn *on_row;
	void *context;
	struct buf text; /* the cells of the row, one after the other */
	size_t *sizes;   /* of each cell */
	struct str *cells;
	uint32_t count, capacity, cells_capacity;
	uint64_t number; /* of the row that is being read */
	bool is_stopped;
};

static void on_cell(void *data, size_t size, void *context)
{
	struct reading *reading = context;

	MEM_ROOM(reading->sizes, reading->count, reading->capacity);
	reading->sizes[reading->count++] = data ? size : 0;
	if (data)
		buf_add(&reading->text, data, size);
}

static void set_cells(struct reading *reading)
{
	const char *at = reading->text.data;

	for (uint32_t i = 0; i < reading->count; i++) {
		MEM_ROOM(reading->cells, i, reading->cells_capacity);
		reading->cells[i] = (struct str){reading->sizes[i] ? at : NULL, reading->sizes[i]};
		at += reading->sizes[i];
	}
}

static void on_row_end(int terminator, void *context)
{
	struct reading *reading = context;
	struct row row;

	(void)terminator;
	set_cells(reading);
	row = (struct row){reading->number, reading->count, reading->cells};
	if (!reading->is_stopped && !reading->on_row(reading->context, &row))
		reading->is_stopped = true;
	reading->number++;
	reading->count = 0;
	buf_reset(&reading->text);
}

static enum err quotes_fault(const struct reading *reading, const char *text, struct fault *fault)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)reading->number);
	return fault_set(fault, ERR_INVALID_EVENT, number, "%s: the rest was not read", text);
}

/* A quote that is never closed would take the rest of the file into one cell. */
static bool row_is_too_long(const struct csv_parser *parser, const struct reading *reading)
{
	return parser->entry_pos + reading->text.size > TABLE_ROW_SIZE_MAX;
}

static enum err parse_text(struct csv_parser *parser, struct reading *reading, struct str text,
			   struct fault *fault)
{
	if (csv_parse(parser, text.data, text.size, on_cell, on_row_end, reading) != text.size)
		return quotes_fault(reading, "a quote out of place", fault);
	if (row_is_too_long(parser, reading))
		return quotes_fault(reading, "a row over 1 MiB, or a quote that is never closed",
				    fault);
	return ERR_OK;
}

static enum err read_chunks(FILE *file, struct decoder *decoder, struct csv_parser *parser,
			    struct reading *reading, struct fault *fault)
{
	scoped(buf_done) struct buf text = {0};
	char chunk[CHUNK_SIZE];
	size_t size = sizeof(chunk);
	enum err err = ERR_OK;

	while (!err && !reading->is_stopped && size == sizeof(chunk)) {
		size = fread(chunk, 1, sizeof(chunk), file);
		buf_reset(&text);
		decoder_feed(decoder, (struct str){chunk, size}, size < sizeof(chunk), &text);
		err = parse_text(parser, reading, buf_str(&text), fault);
	}
	if (err || reading->is_stopped)
		return err;
	if (ferror(file))
		return fault_set(fault, ERR_IO, "", "the file cannot be read to its end");
	if (csv_fini(parser, on_cell, on_row_end, reading))
		return quotes_fault(reading, "a quote that is never closed", fault);
	return ERR_OK;
}

enum err table_read(FILE *file, const struct table_form *form, table_row_fn *on_row, void *context,
		    struct fault *fault)
{
	scoped(decoder_free) struct decoder *decoder = decoder_new(form->encoding);
	struct reading reading = {.on_row = on_row, .context = context, .number = 1};
	struct csv_parser parser;
	enum err err;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL | CSV_APPEND_NULL))
		return fault_set(fault, ERR_INTERNAL, "", "libcsv cannot start");
	csv_set_delim(&parser, (unsigned char)form->delimiter);
	csv_set_quote(&parser, (unsigned char)form->quote);
	err = read_chunks(file, decoder, &parser, &reading, fault);

	csv_free(&parser);
	buf_done(&reading.text);
	free(reading.sizes);
	free(reading.cells);
	return err;
}
