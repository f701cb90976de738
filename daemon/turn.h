/* What one turn of the engine holds: what was submitted to it, the record of what it took, what follows from that. */
#pragma once

#include "daemon/check.h"

/* What became of one submitted event. */
struct verdict {
	uint64_t seq; /* its number, or that of the first of its kind for a duplicate; 0: refused */
	bool is_duplicate;
	struct fault fault; /* code ERR_OK when taken */
};

typedef void verdict_fn(void *context, const struct verdict *verdict);

struct input {
	enum authority authority;
	const struct event *event;
	verdict_fn *fn; /* may be NULL */
	void *context;
	struct verdict verdict;
};

/* A zeroed struct is an empty one. */
struct turn {
	struct input *inputs;
	uint32_t input_count, input_capacity;
	uint32_t run;      /* so many of them were tried */
	bool is_urgent;    /* not only senders wait for it */
	struct buf record; /* its events, each after its length, as struct journal_port tells */
	uint64_t first;    /* number of the first; 0: none yet */
	uint32_t count;
	struct effects effects;
};

void turn_clear(struct turn *turn); /* its memory is kept */
void turn_done(struct turn *turn);

void turn_submit(struct turn *turn, enum authority authority, const struct event *event,
		 verdict_fn *fn, void *context);
/* Those that were not tried go to another turn. */
void turn_move_rest(struct turn *turn, struct turn *to);

/* Was anything tried, did anything happen? */
bool turn_has_begun(const struct turn *turn);

/* Adds an event that was taken, in the order of numbers. */
void turn_record(struct turn *turn, const struct event *event);
/* The stored event numbered `seq`, borrowed until the next turn_record(); false: it is not of this turn. */
bool turn_read(const struct turn *turn, uint64_t seq, struct str *stored);

/* Calls everybody who waits, in the order of submission. */
void turn_give_verdicts(const struct turn *turn);
