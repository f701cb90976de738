#include "daemon/turn.h"

#include <stdlib.h>

enum { LENGTH_SIZE = 4 };

void turn_clear(struct turn *turn)
{
	turn->input_count = 0;
	turn->run = 0;
	turn->is_urgent = false;
	turn->first = 0;
	turn->count = 0;
	turn->effects.count = 0;
	buf_reset(&turn->record);
}

void turn_done(struct turn *turn)
{
	free(turn->inputs);
	buf_done(&turn->record);
	effects_done(&turn->effects);
}

bool turn_has_begun(const struct turn *turn)
{
	return turn->run || turn->count;
}

/* --- what was submitted ----------------------------------------------------------------------- */

static struct input *add_input(struct turn *turn)
{
	MEM_ROOM(turn->inputs, turn->input_count, turn->input_capacity);
	return &turn->inputs[turn->input_count++];
}

/* Not the room for a sentence, which is most of it and mostly stays unused. */
static void verdict_clear(struct verdict *verdict)
{
	verdict->seq = 0;
	verdict->is_duplicate = false;
	verdict->fault.code = ERR_OK;
	verdict->fault.retry_after_ms = 0;
}

void turn_submit(struct turn *turn, enum authority authority, const struct event *event,
		 verdict_fn *fn, void *context)
{
	struct input *input = add_input(turn);

	input->authority = authority;
	input->event = event;
	input->fn = fn;
	input->context = context;
	verdict_clear(&input->verdict);
}

void turn_move_rest(struct turn *turn, struct turn *to)
{
	for (uint32_t i = turn->run; i < turn->input_count; i++)
		*add_input(to) = turn->inputs[i];
	turn->input_count = turn->run;
}

void turn_give_verdicts(const struct turn *turn)
{
	for (uint32_t i = 0; i < turn->input_count; i++)
		if (turn->inputs[i].fn)
			turn->inputs[i].fn(turn->inputs[i].context, &turn->inputs[i].verdict);
}

/* --- what was taken --------------------------------------------------------------------------- */

static uint32_t read_length(const char *at)
{
	const unsigned char *bytes = (const unsigned char *)at;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void write_length(char *at, size_t size)
{
	for (int i = 0; i < LENGTH_SIZE; i++)
		at[i] = (char)(size >> (24 - 8 * i));
}

void turn_record(struct turn *turn, const struct event *event)
{
	size_t start = turn->record.size;

	(void)buf_room(&turn->record, LENGTH_SIZE);
	event_stored_encode(event, &turn->record);
	write_length(turn->record.data + start, turn->record.size - start - LENGTH_SIZE);
	if (!turn->first)
		turn->first = event->seq;
	turn->count++;
}

bool turn_read(const struct turn *turn, uint64_t seq, struct str *stored)
{
	const char *at = turn->record.data;

	if (!turn->count || seq < turn->first || seq - turn->first >= turn->count)
		return false;
	for (uint64_t i = turn->first; i < seq; i++)
		at += LENGTH_SIZE + read_length(at);
	*stored = (struct str){at + LENGTH_SIZE, read_length(at)};
	return true;
}
