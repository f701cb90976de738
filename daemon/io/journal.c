#include "daemon/io/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/io/background.h"
#include "daemon/io/store.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "LMDB's integer keys are of the size of size_t");

enum {
	COUNT_SIZE = 4,
	LENGTH_SIZE = 4,
	HEAD_SIZE = CHAIN_SIZE + COUNT_SIZE,
	/* Pages of the tree that one more turn may copy, and the free list: generously. */
	ROOM_MARGIN = 1024 * 1024,
};

/* A turn on its way to the disk; its writer's own until it is done. */
struct writing {
	uint64_t first;
	uint32_t count; /* 0: nothing is on its way */
	struct str record;
	uint8_t chain[CHAIN_SIZE]; /* before it, then after it */
	int code;                  /* LMDB's */
};

struct journal {
	struct store *store;
	MDB_dbi turns;
	uint64_t last;
	uint8_t chain[CHAIN_SIZE];
	struct background *writer;
	struct writing writing;
	uint64_t size_max, disk_free_min;
	bool is_full;    /* as it was when last asked, so that a change is logged once */
	struct buf read; /* what the last read returned */
};

/* A turn as it is stored. */
struct turn {
	uint64_t first;
	uint32_t count;
	struct str value, record;
};

static void put_u32(char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (char)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const char *bytes)
{
	const uint8_t *byte = (const uint8_t *)bytes;

	return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static struct str value_chained(struct str value)
{
	return (struct str){value.data + CHAIN_SIZE, value.size - CHAIN_SIZE};
}

bool journal_next_event(struct str *record, struct str *event)
{
	uint32_t length;

	if (record->size < LENGTH_SIZE)
		return false;
	length = get_u32(record->data);
	if (length > record->size - LENGTH_SIZE)
		return false;

	*event = (struct str){record->data + LENGTH_SIZE, length};
	*record = (struct str){event->data + length, record->size - LENGTH_SIZE - length};
	return true;
}

/* ---- reading turns ---- */

/* The turn under the cursor; its form is checked, not its chain. */
static enum err turn_from(const MDB_val *key, const MDB_val *value, struct turn *turn)
{
	if (key->mv_size != sizeof(turn->first) || value->mv_size < HEAD_SIZE)
		return ERR_CORRUPT;

	memcpy(&turn->first, key->mv_data, sizeof(turn->first));
	turn->value = (struct str){value->mv_data, value->mv_size};
	turn->count = get_u32(turn->value.data + CHAIN_SIZE);
	turn->record = (struct str){turn->value.data + HEAD_SIZE, value->mv_size - HEAD_SIZE};
	return turn->first == 0 || turn->count == 0 ? ERR_CORRUPT : ERR_OK;
}

static enum err cursor_turn(MDB_cursor *cursor, MDB_cursor_op op, struct turn *turn)
{
	MDB_val key, value;
	int code = mdb_cursor_get(cursor, &key, &value, op);

	return code ? store_err(code) : turn_from(&key, &value, turn);
}

/* The turn that holds event `seq`: the last one that begins at or before it. */
static enum err cursor_seek(MDB_cursor *cursor, uint64_t seq, struct turn *turn)
{
	MDB_val key = {.mv_size = sizeof(seq), .mv_data = &seq}, value;
	int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	enum err err;

	if (code == 0 && memcmp(key.mv_data, &seq, sizeof(seq)) == 0)
		return turn_from(&key, &value, turn);
	if (code != 0 && code != MDB_NOTFOUND)
		return store_err(code);

	err = cursor_turn(cursor, code == 0 ? MDB_PREV : MDB_LAST, turn);
	if (err != ERR_OK)
		return err;
	return seq - turn->first < turn->count ? ERR_OK : ERR_NOT_FOUND;
}

/* A read transaction with a cursor, for one short look. */
struct look {
	MDB_txn *txn;
	MDB_cursor *cursor;
};

static void look_end(struct look *look)
{
	if (look->cursor)
		mdb_cursor_close(look->cursor);
	if (look->txn)
		mdb_txn_abort(look->txn);
}

static enum err look_begin(struct journal *journal, struct look *look)
{
	enum err err;

	*look = (struct look){0};
	err = store_begin(journal->store, false, &look->txn);
	if (err != ERR_OK)
		return err;
	return store_err(mdb_cursor_open(look->txn, journal->turns, &look->cursor));
}

static enum err event_in_turn(const struct turn *turn, uint64_t seq, struct str *event)
{
	struct str left = turn->record;

	for (uint64_t at = turn->first; at <= seq; at++)
		if (!journal_next_event(&left, event))
			return ERR_CORRUPT;
	return ERR_OK;
}

enum err journal_read(struct journal *journal, uint64_t seq, struct str *event)
{
	scoped(look_end) struct look look;
	struct turn turn;
	struct str found;
	enum err err = look_begin(journal, &look);

	if (err == ERR_OK)
		err = seq == 0 ? ERR_NOT_FOUND : cursor_seek(look.cursor, seq, &turn);
	if (err == ERR_OK)
		err = event_in_turn(&turn, seq, &found);
	if (err != ERR_OK)
		return err;

	buf_reset(&journal->read);
	buf_add_str(&journal->read, found);
	*event = buf_str(&journal->read);
	return ERR_OK;
}

/* ---- the chain ---- */

uint64_t journal_last_seq(const struct journal *journal)
{
	return journal->last;
}

void journal_last_chain(const struct journal *journal, uint8_t chain[CHAIN_SIZE])
{
	memcpy(chain, journal->chain, CHAIN_SIZE);
}

enum err journal_chain_at(struct journal *journal, uint64_t seq, uint8_t chain[CHAIN_SIZE])
{
	scoped(look_end) struct look look;
	struct turn turn;
	enum err err = look_begin(journal, &look);

	if (err == ERR_OK && seq == 0) {
		memset(chain, 0, CHAIN_SIZE);
		return ERR_OK;
	}
	if (err == ERR_OK)
		err = cursor_seek(look.cursor, seq, &turn);
	if (err == ERR_OK && turn.first + turn.count - 1 != seq)
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		memcpy(chain, turn.value.data, CHAIN_SIZE);
	return err;
}

static bool turn_lengths_hold(const struct turn *turn)
{
	struct str left = turn->record, event;
	uint32_t count = 0;

	while (journal_next_event(&left, &event))
		count++;
	return left.size == 0 && count == turn->count;
}

static bool turn_follows(const struct turn *turn, uint64_t first, const uint8_t chain[CHAIN_SIZE])
{
	uint8_t expected[CHAIN_SIZE];

	if (turn->first != first)
		return false;
	hash_chain(chain, value_chained(turn->value), expected);
	return memcmp(expected, turn->value.data, CHAIN_SIZE) == 0 && turn_lengths_hold(turn);
}

/* ---- walking ---- */

struct journal_reader {
	struct journal *journal;
	uint64_t next; /* the number the next turn must begin with */
	uint8_t chain[CHAIN_SIZE];
	bool has_begun;
	struct buf value; /* the turn being given: copied, so that nothing stays open meanwhile */
};

struct journal_reader *journal_reader_new(struct journal *journal, uint64_t from)
{
	struct journal_reader *reader = mem_new(sizeof(*reader));

	assert(from >= 1);
	reader->journal = journal;
	reader->next = from;
	return reader;
}

void journal_reader_free(struct journal_reader **address)
{
	if (!*address)
		return;
	buf_done(&(*address)->value);
	free(*address);
	*address = NULL;
}

uint64_t journal_reader_next_seq(const struct journal_reader *reader)
{
	return reader->next;
}

/* Where the turn that holds the first number begins, and the chain before it. */
static enum err reader_begin(struct journal_reader *reader)
{
	scoped(look_end) struct look look;
	struct turn turn;
	enum err err = look_begin(reader->journal, &look);

	if (err == ERR_OK)
		err = cursor_seek(look.cursor, reader->next, &turn);
	if (err != ERR_OK)
		return err;

	reader->next = turn.first;
	reader->has_begun = true;
	err = cursor_turn(look.cursor, MDB_PREV, &turn);
	if (err == ERR_OK)
		memcpy(reader->chain, turn.value.data, CHAIN_SIZE);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Brings the next turn into the reader, checked. */
static enum err reader_step(struct journal_reader *reader, struct turn *turn)
{
	scoped(look_end) struct look look;
	enum err err = look_begin(reader->journal, &look);

	if (err == ERR_OK)
		err = cursor_seek(look.cursor, reader->next, turn);
	if (err != ERR_OK)
		return err;
	if (!turn_follows(turn, reader->next, reader->chain))
		return ERR_CORRUPT;

	buf_reset(&reader->value);
	buf_add_str(&reader->value, turn->value);
	turn->value = buf_str(&reader->value);
	turn->record = (struct str){turn->value.data + HEAD_SIZE, turn->value.size - HEAD_SIZE};
	memcpy(reader->chain, turn->value.data, CHAIN_SIZE);
	reader->next = turn->first + turn->count;
	return ERR_OK;
}

enum err journal_reader_next(struct journal_reader *reader, uint64_t *first, uint32_t *count,
			     struct str *record)
{
	struct turn turn;
	enum err err = ERR_OK;

	if (reader->next > reader->journal->last)
		return ERR_NOT_FOUND;
	if (!reader->has_begun)
		err = reader_begin(reader);
	if (err == ERR_OK)
		err = reader_step(reader, &turn);
	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) {
		log_error("journal.corrupt", "seq=%llu", (unsigned long long)reader->next);
		return ERR_CORRUPT;
	}
	if (err != ERR_OK)
		return err;

	*first = turn.first;
	*count = turn.count;
	*record = turn.record;
	return ERR_OK;
}

enum err journal_walk(struct journal *journal, uint64_t from, journal_walk_fn *fn, void *context,
		      uint64_t *stopped)
{
	scoped(journal_reader_free) struct journal_reader *reader =
		journal_reader_new(journal, from);
	enum err err = ERR_OK, end = ERR_OK;
	struct str record;
	uint64_t first;
	uint32_t count;

	while (err == ERR_OK && end == ERR_OK) {
		end = journal_reader_next(reader, &first, &count, &record);
		if (end == ERR_OK)
			err = fn(context, first, count, record);
	}
	*stopped = reader->next;
	if (err == ERR_OK && end != ERR_NOT_FOUND)
		return end;
	return err;
}

/* ---- appending ---- */

/* Written straight into LMDB's page, and hashed there. */
static void turn_fill(struct writing *writing, char *value)
{
	struct str record = writing->record;

	put_u32(value + CHAIN_SIZE, writing->count);
	memcpy(value + HEAD_SIZE, record.data, record.size);
	hash_chain(writing->chain, (struct str){value + CHAIN_SIZE, COUNT_SIZE + record.size},
		   writing->chain);
	memcpy(value, writing->chain, CHAIN_SIZE);
}

static int turn_put(MDB_txn *txn, MDB_dbi turns, struct writing *writing)
{
	MDB_val key = {.mv_size = sizeof(writing->first), .mv_data = &writing->first};
	MDB_val value = {.mv_size = HEAD_SIZE + writing->record.size};
	int code = mdb_put(txn, turns, &key, &value, MDB_APPEND | MDB_RESERVE);

	if (code) {
		mdb_txn_abort(txn);
		return code;
	}
	turn_fill(writing, value.mv_data);
	return mdb_txn_commit(txn);
}

/* In one thread from the beginning of the transaction to its end, as LMDB wants it. */
static void write_turn(void *context)
{
	struct journal *journal = context;
	struct writing *writing = &journal->writing;
	MDB_txn *txn;

	writing->code = mdb_txn_begin(store_env(journal->store), NULL, 0, &txn);
	if (!writing->code)
		writing->code = turn_put(txn, journal->turns, writing);
}

static void writing_begin(struct journal *journal, uint64_t first, uint32_t count,
			  struct str record)
{
	struct writing *writing = &journal->writing;

	assert(!writing->count);
	assert(first == journal->last + 1);
	assert(count > 0);
	assert(record.size >= count * (size_t)LENGTH_SIZE);
	writing->first = first;
	writing->count = count;
	writing->record = record;
	memcpy(writing->chain, journal->chain, CHAIN_SIZE);
}

static enum err writing_end(struct journal *journal)
{
	struct writing *writing = &journal->writing;

	if (writing->code) {
		log_error("journal.append", "seq=%llu count=%u bytes=%zu code=%d",
			  (unsigned long long)writing->first, writing->count, writing->record.size,
			  writing->code);
		store_complain(journal->store, "a turn could not be written",
			       mdb_strerror(writing->code));
		return store_err(writing->code);
	}

	journal->last = writing->first + writing->count - 1;
	memcpy(journal->chain, writing->chain, CHAIN_SIZE);
	writing->count = 0;
	return ERR_OK;
}

enum err journal_append(struct journal *journal, uint64_t first, uint32_t count, struct str record)
{
	writing_begin(journal, first, count, record);
	write_turn(journal);
	return writing_end(journal);
}

void journal_begin(struct journal *journal, uint64_t first, uint32_t count, struct str record)
{
	writing_begin(journal, first, count, record);
	background_begin(journal->writer);
}

enum err journal_settle(struct journal *journal)
{
	if (!journal->writing.count)
		return ERR_OK;
	background_wait(journal->writer);
	return writing_end(journal);
}

bool journal_is_settled(const struct journal *journal)
{
	return background_is_done(journal->writer);
}

int journal_fd(const struct journal *journal)
{
	return background_fd(journal->writer);
}

enum err journal_check_room(struct journal *journal, size_t bytes, struct fault *fault)
{
	enum { KIB = 1024 };
	uint64_t need = 2 * (uint64_t)bytes + ROOM_MARGIN,
		 need_on_disk = journal->disk_free_min + need;
	uint64_t left = store_disk_free(journal->store);

	if (store_map_left(journal->store) < need)
		return fault_set(
			fault, ERR_STORAGE_FULL, "",
			"the journal has come to journal_size_max (%llu KiB): make it larger",
			(unsigned long long)journal->size_max / KIB);
	if (left < need_on_disk)
		return fault_set(fault, ERR_STORAGE_FULL, "",
				 "%llu KiB are free on the journal's disk, and %llu KiB are needed "
				 "(disk_free_min, and room to write): make room there, or make "
				 "disk_free_min smaller",
				 (unsigned long long)left / KIB,
				 (unsigned long long)(need_on_disk + KIB - 1) / KIB);
	return ERR_OK;
}

bool journal_has_room(struct journal *journal, size_t bytes)
{
	struct fault fault;
	bool is_full = journal_check_room(journal, bytes, &fault) != ERR_OK;

	if (is_full && !journal->is_full)
		log_warn("journal.full", "%s", fault.text);
	if (!is_full && journal->is_full)
		log_info("journal.has_room", "bytes=%zu", bytes);
	journal->is_full = is_full;
	return !is_full;
}

/* ---- opening ---- */

/* The last turn says where to go on; its chain is not checked here but when it is walked. */
static enum err find_end(struct journal *journal)
{
	scoped(look_end) struct look look;
	struct turn turn;
	enum err err = look_begin(journal, &look);

	if (err == ERR_OK)
		err = cursor_turn(look.cursor, MDB_LAST, &turn);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err;

	journal->last = turn.first + turn.count - 1;
	memcpy(journal->chain, turn.value.data, CHAIN_SIZE);
	return ERR_OK;
}

enum err journal_open(const struct journal_options *options, struct journal **out,
		      struct fault *fault)
{
	static const struct store_table tables[] = {{"turns", MDB_INTEGERKEY}};
	const struct store_options store_options = {
		.path = options->path,
		.size_max = options->size_max,
		.tables = tables,
		.table_count = ARRAY_SIZE(tables),
	};
	scoped(journal_close) struct journal *journal = mem_new(sizeof(*journal));
	enum err err = store_open(&store_options, &journal->store, fault);

	if (err != ERR_OK)
		return err;
	journal->turns = store_table(journal->store, 0);
	journal->size_max = options->size_max;
	journal->disk_free_min = options->disk_free_min;
	err = find_end(journal);
	if (err != ERR_OK)
		return fault_set(fault, err, "", "the last turn in %s cannot be read",
				 options->path);
	err = background_new(write_turn, journal, &journal->writer);
	if (err != ERR_OK)
		return fault_set(fault, err, "", "no thread can be had to write %s: %s",
				 options->path, strerror(errno));

	*out = journal;
	journal = NULL;
	return ERR_OK;
}

void journal_close(struct journal **address)
{
	struct journal *journal = *address;

	*address = NULL;
	if (!journal)
		return;
	background_free(&journal->writer);
	store_close(&journal->store);
	buf_done(&journal->read);
	free(journal);
}

enum err journal_copy(struct journal *journal, const char *path)
{
	return store_copy(journal->store, path);
}

/* ---- the port ---- */

static enum err port_append(void *context, uint64_t first, uint32_t count, struct str record)
{
	return journal_append(context, first, count, record);
}

static void port_begin(void *context, uint64_t first, uint32_t count, struct str record)
{
	journal_begin(context, first, count, record);
}

static enum err port_settle(void *context)
{
	return journal_settle(context);
}

static bool port_is_settled(void *context)
{
	return journal_is_settled(context);
}

static enum err port_read(void *context, uint64_t seq, struct str *event)
{
	return journal_read(context, seq, event);
}

static bool port_has_room(void *context, size_t bytes)
{
	return journal_has_room(context, bytes);
}

struct journal_port journal_port(struct journal *journal)
{
	return (struct journal_port){
		.context = journal,
		.append = port_append,
		.begin = port_begin,
		.settle = port_settle,
		.is_settled = port_is_settled,
		.read = port_read,
		.has_room = port_has_room,
	};
}
