/* Open cases in order: tier, then effective date, then number of the opening event. A treap with the
 * size of each subtree, so that a place in the list and the case at a place are both found in
 * O(log n). Its shape depends on case numbers alone, never on history. */
#pragma once

#include "base/date.h"

struct queue_key {
	uint8_t tier;
	day_t effective_date;
	uint64_t order_seq;
};

struct queue_node {
	struct queue_key key;
	uint32_t left, right,
		size; /* node n stands for case n; 0: none; size 0: not in the queue */
};

struct queue {
	struct queue_node *nodes; /* nodes[case number] */
	uint32_t capacity, root;
};

uint32_t queue_count(const struct queue *queue);
bool queue_has(const struct queue *queue, uint32_t number);
void queue_put(struct queue *queue, uint32_t number, struct queue_key key); /* moves it if there */
void queue_remove(struct queue *queue, uint32_t number); /* harmless if not there */

/* 1 for the first; 0 when it is not in the queue. */
uint32_t queue_rank(const struct queue *queue, uint32_t number);
/* The case with that rank, 0 when there are fewer. */
uint32_t queue_at(const struct queue *queue, uint32_t rank);

/* From the first to the last: the next case at each call, 0 after the last; begin with a zeroed cursor.
 * The queue must not change meanwhile. */
enum { QUEUE_DEPTH_MAX = 256 };
struct queue_cursor {
	uint32_t path[QUEUE_DEPTH_MAX]; /* cases passed on the way down that are yet to come */
	uint32_t depth;
	bool has_begun;
};
uint32_t queue_next(const struct queue *queue, struct queue_cursor *cursor);

void queue_done(struct queue *queue);
