#include "daemon/memory_ports.h"

#include <stdlib.h>

static const uint8_t memory_key[HASH_KEY_SIZE] = "vigie in memory: nothing secret";

void memory_ports_done(struct memory_ports *ports)
{
	buf_done(&ports->bytes);
	free(ports->turns);
	free(ports->erased);
	matching_done(&ports->matching);
	*ports = (struct memory_ports){0};
}

/* --- journal ---------------------------------------------------------------------------------- */

static void keep_turn(struct memory_ports *ports, uint64_t first, uint32_t count, struct str record)
{
	MEM_ROOM(ports->turns, ports->turn_count, ports->turn_capacity);
	ports->turns[ports->turn_count++] =
		(struct memory_turn){first, count, ports->bytes.size, record.size};
	buf_add_str(&ports->bytes, record);
}

static enum err append(void *context, uint64_t first, uint32_t count, struct str record)
{
	struct memory_ports *ports = context;
	bool fails = ports->fail_append_at && ++ports->appends >= ports->fail_append_at;

	if (!ports->is_forgetful && (!fails || ports->is_append_kept))
		keep_turn(ports, first, count, record);
	return fails ? ERR_IO : ERR_OK;
}

static void begin(void *context, uint64_t first, uint32_t count, struct str record)
{
	struct memory_ports *ports = context;

	assert(!ports->begun.count);
	ports->begun = (struct memory_begun){first, count, record};
}

static enum err settle(void *context)
{
	struct memory_ports *ports = context;
	struct memory_begun begun = ports->begun;

	ports->begun.count = 0;
	return begun.count ? append(context, begun.first, begun.count, begun.record) : ERR_OK;
}

static bool is_settled(void *context)
{
	const struct memory_ports *ports = context;

	return !ports->is_slow || !ports->begun.count;
}

static uint32_t read_length(const char *at)
{
	const unsigned char *bytes = (const unsigned char *)at;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* The turn that holds an event, or NULL. */
static const struct memory_turn *find_turn(const struct memory_ports *ports, uint64_t seq)
{
	uint32_t low = 0, high = ports->turn_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ports->turns[middle].first + ports->turns[middle].count <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ports->turn_count && ports->turns[low].first <= seq ? &ports->turns[low]
									 : NULL;
}

static enum err read_event(void *context, uint64_t seq, struct str *event)
{
	const struct memory_ports *ports = context;
	const struct memory_turn *turn = find_turn(ports, seq);
	const char *at;

	if (!turn)
		return ERR_NOT_FOUND;
	at = ports->bytes.data + turn->at;
	for (uint64_t i = turn->first; i < seq; i++)
		at += 4 + read_length(at);
	*event = (struct str){at + 4, read_length(at)};
	return ERR_OK;
}

static bool has_room(void *context, size_t bytes)
{
	const struct memory_ports *ports = context;

	(void)bytes;
	return !ports->is_full;
}

enum err memory_ports_replay(const struct memory_ports *ports, struct engine *engine)
{
	for (uint32_t i = 0; i < ports->turn_count; i++) {
		const char *at = ports->bytes.data + ports->turns[i].at;

		for (uint32_t n = 0; n < ports->turns[i].count; n++) {
			enum err err = engine_replay(engine, (struct str){at + 4, read_length(at)});

			if (err)
				return err;
			at += 4 + read_length(at);
		}
	}
	return ERR_OK;
}

/* --- keys ------------------------------------------------------------------------------------- */

static void hash_subject(void *context, struct str source, struct str subject,
			 uint8_t out[DIGEST_SIZE])
{
	struct buf bytes = {0};

	(void)context;
	buf_add_str(&bytes, source);
	buf_add(&bytes, "\0", 1);
	buf_add_str(&bytes, subject);
	hash_keyed(memory_key, buf_str(&bytes), out);
	buf_done(&bytes);
}

static void hash_content(void *context, struct str content, uint8_t out[DIGEST_SIZE])
{
	(void)context;
	hash_keyed(memory_key, content, out);
}

static bool is_erased(const struct memory_ports *ports, uint32_t number)
{
	return number < ports->erased_capacity && ports->erased[number];
}

static enum err seal(void *context, uint32_t number, uint32_t kind, struct str plain,
		     struct buf *out)
{
	(void)kind;
	if (is_erased(context, number))
		return ERR_ERASED;
	buf_add_str(out, plain);
	return ERR_OK;
}

static uint32_t match(void *context, const struct person *person, insee_t insee,
		      struct candidate found[CANDIDATES_MAX])
{
	const struct memory_ports *ports = context;
	struct fingerprints prints;

	fingerprints_make(memory_key, person, insee, &prints);
	return matching_match(&ports->matching, &prints, found);
}

static void remember(void *context, uint64_t seq, uint32_t number, const struct person *person,
		     insee_t insee)
{
	struct memory_ports *ports = context;
	struct fingerprints prints;

	(void)seq;
	fingerprints_make(memory_key, person, insee, &prints);
	for (uint32_t bit = 0; bit < LIKENESS_KINDS; bit++)
		if (prints.present & 1u << bit)
			(void)matching_remember(&ports->matching, number, 1u << bit,
						prints.print[bit]);
}

static enum err reach(void *context, uint32_t number)
{
	(void)context;
	(void)number;
	return ERR_OK;
}

static enum err erase(void *context, uint32_t number)
{
	struct memory_ports *ports = context;
	uint32_t old = ports->erased_capacity;

	if (number >= old) {
		ports->erased_capacity = number + 1;
		ports->erased = mem_grow(ports->erased, ports->erased_capacity);
		memset(ports->erased + old, 0, ports->erased_capacity - old);
	}
	ports->erased[number] = true;
	matching_forget(&ports->matching, number);
	return ERR_OK;
}

/* --- together --------------------------------------------------------------------------------- */

static ms_t get_now(void *context)
{
	return ((struct memory_ports *)context)->now;
}

struct engine_ports memory_ports_get(struct memory_ports *ports)
{
	return (struct engine_ports){
		.journal = {ports, append, begin, settle, is_settled, read_event, has_room},
		.keys = {ports, hash_subject, hash_content, seal, seal /* opening copies too */,
			 match, remember, reach, erase},
		.context = ports,
		.now = get_now,
	};
}
