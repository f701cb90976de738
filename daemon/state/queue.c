#include "daemon/state/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool key_is_before(struct queue_key a, struct queue_key b)
{
	if (a.tier != b.tier)
		return a.tier < b.tier;
	if (a.effective_date != b.effective_date)
		return a.effective_date < b.effective_date;
	return a.order_seq < b.order_seq;
}

/* A well-mixed function of the number, the same on every machine. */
static uint32_t priority(uint32_t number)
{
	uint32_t x = number;

	x = (x ^ (x >> 16)) * 0x7feb352du;
	x = (x ^ (x >> 15)) * 0x846ca68bu;
	return x ^ (x >> 16);
}

static bool is_above(uint32_t a, uint32_t b)
{
	uint32_t first = priority(a), second = priority(b);

	return first != second ? first > second : a > b;
}

static void resize(struct queue *queue, uint32_t at)
{
	struct queue_node *node = &queue->nodes[at];

	node->size = 1 + queue->nodes[node->left].size + queue->nodes[node->right].size;
}

/* Parts a tree into what stands before `key` and the rest. */
static void split(struct queue *queue, uint32_t at, struct queue_key key, uint32_t *before,
		  uint32_t *rest)
{
	struct queue_node *node = &queue->nodes[at];

	if (!at) {
		*before = *rest = 0;
	} else if (key_is_before(node->key, key)) {
		*before = at;
		split(queue, node->right, key, &node->right, rest);
		resize(queue, at);
	} else {
		*rest = at;
		split(queue, node->left, key, before, &node->left);
		resize(queue, at);
	}
}

/* All of `before` stands before all of `after`. */
static uint32_t join(struct queue *queue, uint32_t before, uint32_t after)
{
	if (!before || !after)
		return before | after;
	if (is_above(before, after)) {
		queue->nodes[before].right = join(queue, queue->nodes[before].right, after);
		resize(queue, before);
		return before;
	}
	queue->nodes[after].left = join(queue, before, queue->nodes[after].left);
	resize(queue, after);
	return after;
}

static void reserve(struct queue *queue, uint32_t number)
{
	uint32_t old = queue->capacity;

	while (queue->capacity <= number)
		queue->nodes =
			mem_grow(queue->nodes, sizeof(*queue->nodes) * mem_next(&queue->capacity));
	memset(&queue->nodes[old], 0, sizeof(*queue->nodes) * (queue->capacity - old));
}

uint32_t queue_count(const struct queue *queue)
{
	return queue->root ? queue->nodes[queue->root].size : 0;
}

bool queue_has(const struct queue *queue, uint32_t number)
{
	return number < queue->capacity && queue->nodes[number].size;
}

/* Down past all that stand above it, then in the place of the rest, which it parts: nearly always little
 * is left to part. */
static void insert(struct queue *queue, uint32_t number, struct queue_key key)
{
	struct queue_node *added = &queue->nodes[number];
	uint32_t *at = &queue->root;

	while (*at && is_above(*at, number)) {
		struct queue_node *node = &queue->nodes[*at];

		node->size++;
		at = key_is_before(node->key, key) ? &node->right : &node->left;
	}
	added->key = key;
	split(queue, *at, key, &added->left, &added->right);
	resize(queue, number);
	*at = number;
}

void queue_put(struct queue *queue, uint32_t number, struct queue_key key)
{
	assert(number);
	reserve(queue, number);
	if (queue_has(queue, number)) {
		struct queue_key old = queue->nodes[number].key;

		if (!key_is_before(old, key) && !key_is_before(key, old))
			return;
		queue_remove(queue, number);
	}
	insert(queue, number, key);
}

void queue_remove(struct queue *queue, uint32_t number)
{
	uint32_t *at = &queue->root;

	if (!queue_has(queue, number))
		return;
	while (*at != number) {
		struct queue_node *node = &queue->nodes[*at];

		assert(*at);
		node->size--;
		at = key_is_before(queue->nodes[number].key, node->key) ? &node->left
									: &node->right;
	}
	*at = join(queue, queue->nodes[number].left, queue->nodes[number].right);
	queue->nodes[number] = (struct queue_node){0};
}

uint32_t queue_rank(const struct queue *queue, uint32_t number)
{
	uint32_t at = queue->root, rank = 0;

	if (!queue_has(queue, number))
		return 0;
	while (at != number) {
		const struct queue_node *node = &queue->nodes[at];

		if (key_is_before(queue->nodes[number].key, node->key)) {
			at = node->left;
		} else {
			rank += queue->nodes[node->left].size + 1;
			at = node->right;
		}
	}
	return rank + queue->nodes[queue->nodes[number].left].size + 1;
}

uint32_t queue_at(const struct queue *queue, uint32_t rank)
{
	uint32_t at = queue->root;

	if (!rank || rank > queue_count(queue))
		return 0;
	for (;;) {
		const struct queue_node *node = &queue->nodes[at];
		uint32_t place = queue->nodes[node->left].size + 1;

		if (rank == place)
			return at;
		if (rank < place) {
			at = node->left;
		} else {
			rank -= place;
			at = node->right;
		}
	}
}

/* Down to the first of a tree. */
static void descend(const struct queue *queue, struct queue_cursor *cursor, uint32_t at)
{
	for (; at; at = queue->nodes[at].left) {
		assert(cursor->depth < QUEUE_DEPTH_MAX);
		cursor->path[cursor->depth++] = at;
	}
}

uint32_t queue_next(const struct queue *queue, struct queue_cursor *cursor)
{
	uint32_t next;

	if (!cursor->has_begun)
		descend(queue, cursor, queue->root);
	cursor->has_begun = true;
	if (!cursor->depth)
		return 0;
	next = cursor->path[--cursor->depth];
	descend(queue, cursor, queue->nodes[next].right);
	return next;
}

void queue_done(struct queue *queue)
{
	free(queue->nodes);
	*queue = (struct queue){0};
}
