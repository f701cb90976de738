#include "daemon/io/keystore_parts.h"

#include "base/mem.h"

enum {
	PRINT_SIZE = 2 + HASH_SIZE,
	ROW_KEY_SIZE = 4 + 8,
	ROW_PRINTS_MAX = 96, /* two such rows fill a page of LMDB's */
};

struct pending {
	uint64_t seq; /* of the event that told it */
	uint32_t number;
	uint8_t likeness; /* 0: erased meanwhile */
	uint8_t print[HASH_SIZE];
};

/* Prints remembered one after the other of households of one block make a row. */
struct row {
	uint32_t count;
	uint8_t prints[ROW_PRINTS_MAX][PRINT_SIZE]; /* place in the block, likeness, fingerprint */
};

/* ---- who is known ---- */

/* An event's person is looked for when it is checked and remembered when it is taken. Only a hash tells
 * that it is the same one: no text is kept. Borrowed until the next call. */
static const struct fingerprints *prints_of(struct keystore *keystore, const struct person *person,
					    insee_t insee)
{
	const struct str parts[] = {
		person->name,
		person->phone,
		person->email,
		person->address,
		bytes_of(&insee, sizeof(insee)),
	};
	uint64_t whom = hash_short(keystore->secrets->person, parts, ARRAY_SIZE(parts));

	if (whom == keystore->last_person)
		return &keystore->last_prints;
	fingerprints_make(keystore->secrets->own.prints, person, insee, &keystore->last_prints);
	keystore->last_person = whom;
	return &keystore->last_prints;
}

uint32_t keystore_port_match(void *context, const struct person *person, insee_t insee,
			     struct candidate found[CANDIDATES_MAX])
{
	struct keystore *keystore = context;

	return matching_match(&keystore->matching, prints_of(keystore, person, insee), found);
}

static void remember_print(struct keystore *keystore, uint64_t seq, uint32_t number,
			   uint32_t likeness, const uint8_t print[HASH_SIZE])
{
	struct pending *pending;

	if (!matching_remember(&keystore->matching, number, likeness, print))
		return;
	MEM_ROOM(keystore->pending, keystore->pending_count, keystore->pending_capacity);
	pending = &keystore->pending[keystore->pending_count++];
	*pending = (struct pending){.seq = seq, .number = number, .likeness = (uint8_t)likeness};
	memcpy(pending->print, print, HASH_SIZE);
}

void keystore_port_remember(void *context, uint64_t seq, uint32_t number,
			    const struct person *person, insee_t insee)
{
	struct keystore *keystore = context;
	const struct fingerprints *prints;
	const uint8_t *key;

	if (keystore_get_key(keystore, number, &key) != ERR_OK)
		return; /* an erased household leaves no fingerprint */
	prints = prints_of(keystore, person, insee);
	for (uint32_t kind = 0; kind < LIKENESS_KINDS; kind++)
		if (prints->present & 1u << kind)
			remember_print(keystore, seq, number, 1u << kind, prints->print[kind]);
}

/* ---- rows of fingerprints ---- */

static void row_name(uint8_t key[ROW_KEY_SIZE], uint32_t first, uint64_t row)
{
	put_be(key, first, 4);
	put_be(key + 4, row, 8);
}

static struct str row_value(const struct row *row)
{
	return bytes_of(row->prints, row->count * PRINT_SIZE);
}

static void row_add(struct row *row, uint32_t place, const struct pending *pending)
{
	uint8_t *print = row->prints[row->count++];

	print[0] = (uint8_t)place;
	print[1] = pending->likeness;
	memcpy(print + 2, pending->print, HASH_SIZE);
}

/* From the first of these on, as many as belong together; those erased meanwhile are left out. Returns how
 * many it went over. */
static uint32_t row_make(struct row *row, const struct pending *pending, uint32_t left)
{
	uint32_t first = keystore_block_first(pending->number), at = 0;

	row->count = 0;
	for (; at < left && row->count < ROW_PRINTS_MAX &&
	       keystore_block_first(pending[at].number) == first;
	     at++)
		if (pending[at].likeness != 0)
			row_add(row, pending[at].number - first, &pending[at]);
	return at;
}

/* Most are of new households: those go behind all others, which leaves no page half empty. */
static enum err row_put(struct keystore *keystore, MDB_txn *txn, uint32_t first,
			const struct row *row)
{
	bool is_last = first >= keystore->last_block;
	uint8_t key[ROW_KEY_SIZE];

	if (row->count == 0)
		return ERR_OK;
	if (is_last)
		keystore->last_block = first;
	row_name(key, first, ++keystore->rows);
	return store_put(txn, store_table(keystore->store, TABLE_PRINTS),
			 bytes_of(key, sizeof(key)), row_value(row), is_last ? MDB_APPEND : 0);
}

/* ---- to disk ---- */

/* All fingerprints that were noted, and how far they go. */
enum err keystore_write_prints(struct keystore *keystore, MDB_txn *txn)
{
	struct row row;
	enum err err = ERR_OK;

	for (uint32_t i = 0; i < keystore->settled && err == ERR_OK;) {
		const struct pending *pending = &keystore->pending[i];

		i += row_make(&row, pending, keystore->settled - i);
		err = row_put(keystore, txn, keystore_block_first(pending->number), &row);
	}
	if (err == ERR_OK)
		err = keystore_put_meta(keystore, txn, keystore_rows_name, keystore->rows);
	return err == ERR_OK
		       ? keystore_put_meta(keystore, txn, keystore_noted_name, keystore->noted)
		       : err;
}

/* What was noted is on disk. */
void keystore_prints_written(struct keystore *keystore)
{
	uint32_t left = keystore->pending_count - keystore->settled;

	if (left > 0)
		memmove(keystore->pending, keystore->pending + keystore->settled,
			left * sizeof(keystore->pending[0]));
	keystore->pending_count = left;
	keystore->settled = 0;
	keystore->noted_stored = keystore->noted;
}

void keystore_note(struct keystore *keystore, uint64_t seq)
{
	assert(seq >= keystore->noted);
	keystore->noted = seq;
	while (keystore->settled < keystore->pending_count &&
	       keystore->pending[keystore->settled].seq <= seq)
		keystore->settled++;
}

uint64_t keystore_noted(const struct keystore *keystore)
{
	return keystore->noted;
}

enum err keystore_flush(struct keystore *keystore)
{
	MDB_txn *txn;
	enum err err;

	if (keystore->noted == keystore->noted_stored)
		return ERR_OK;
	err = store_begin(keystore->store, true, &txn);
	if (err == ERR_OK)
		err = keystore_end_txn(txn, keystore_write_prints(keystore, txn));
	if (err == ERR_OK)
		keystore_prints_written(keystore);
	else
		keystore_complain(keystore, "fingerprints could not be written", err);
	return err;
}

/* ---- back from it ---- */

static void load_row(struct keystore *keystore, uint32_t first, struct str value)
{
	keystore->last_block = first; /* rows come in order */
	for (size_t at = 0; at + PRINT_SIZE <= value.size; at += PRINT_SIZE) {
		const uint8_t *print = (const uint8_t *)value.data + at;

		(void)matching_remember(&keystore->matching, first + print[0], print[1], print + 2);
	}
}

enum err keystore_load_prints(struct keystore *keystore, MDB_txn *txn)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int code = mdb_cursor_open(txn, store_table(keystore->store, TABLE_PRINTS), &cursor);

	if (code)
		return store_err(code);
	while (!(code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))
		if (key.mv_size == ROW_KEY_SIZE)
			load_row(keystore, (uint32_t)get_be(bytes_of(key.mv_data, 4)),
				 bytes_of(value.mv_data, value.mv_size));
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? ERR_OK : store_err(code);
}

/* ---- erasing ---- */

/* What is left of a row without the prints of one household; false when it had none. */
static bool row_without(struct str value, uint32_t place, struct row *row)
{
	row->count = 0;
	for (size_t at = 0; at + PRINT_SIZE <= value.size && row->count < ROW_PRINTS_MAX;
	     at += PRINT_SIZE)
		if ((uint8_t)value.data[at] != place)
			memcpy(row->prints[row->count++], value.data + at, PRINT_SIZE);
	return row->count * PRINT_SIZE < value.size;
}

static enum err row_rewrite(MDB_txn *txn, MDB_dbi table, const uint8_t key[ROW_KEY_SIZE],
			    const struct row *row)
{
	MDB_val name = {.mv_size = ROW_KEY_SIZE, .mv_data = (void *)key};

	if (row->count == 0)
		return store_err(mdb_del(txn, table, &name, NULL));
	return store_put(txn, table, bytes_of(key, ROW_KEY_SIZE), row_value(row), 0);
}

/* The next row at or after `key`, which becomes its key. */
static int row_seek(MDB_cursor *cursor, uint8_t key[ROW_KEY_SIZE], struct str *value)
{
	MDB_val name = {.mv_size = ROW_KEY_SIZE, .mv_data = key}, found;
	int code = mdb_cursor_get(cursor, &name, &found, MDB_SET_RANGE);

	if (code)
		return code;
	if (name.mv_size != ROW_KEY_SIZE)
		return MDB_CORRUPTED;
	memcpy(key, name.mv_data, ROW_KEY_SIZE);
	*value = bytes_of(found.mv_data, found.mv_size);
	return 0;
}

enum err keystore_delete_prints(struct keystore *keystore, MDB_txn *txn, uint32_t number)
{
	MDB_dbi table = store_table(keystore->store, TABLE_PRINTS);
	uint32_t first = keystore_block_first(number);
	uint8_t key[ROW_KEY_SIZE];
	MDB_cursor *cursor;
	struct str value;
	struct row row;
	enum err err = ERR_OK;
	int code = mdb_cursor_open(txn, table, &cursor);

	if (code)
		return store_err(code);
	row_name(key, first, 0);
	while (err == ERR_OK && !(code = row_seek(cursor, key, &value)) &&
	       get_be(bytes_of(key, 4)) == first) {
		if (row_without(value, number - first, &row))
			err = row_rewrite(txn, table, key, &row);
		row_name(key, first, get_be(bytes_of(key + 4, 8)) + 1);
	}
	mdb_cursor_close(cursor);
	if (err == ERR_OK && code != MDB_NOTFOUND)
		err = store_err(code);
	return err;
}

void keystore_forget_prints(struct keystore *keystore, uint32_t number)
{
	matching_forget(&keystore->matching, number);
	for (uint32_t i = 0; i < keystore->pending_count; i++)
		if (keystore->pending[i].number == number)
			keystore->pending[i] =
				(struct pending){.seq = keystore->pending[i].seq, .number = number};
	keystore->last_person = 0;
	sodium_memzero(&keystore->last_prints, sizeof(keystore->last_prints));
}
