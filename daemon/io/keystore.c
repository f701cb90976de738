#include "daemon/io/keystore.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/io/kek.h"
#include "daemon/io/store.h"
#include "daemon/matching.h"

enum {
	KEY_SIZE = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	BLOCK_KEYS = 32, /* wrapped and stored together: one row of a quarter of a page */
	WRAPPED_SIZE = BLOCK_KEYS * KEY_SIZE + WRAP_EXTRA,
	CHUNK_KEYS = 4096,
	NONCES_SIZE = 170 * NONCE_SIZE, /* random bytes drawn at once: about a page */
	PRINT_SIZE = 2 + HASH_SIZE,
	ROW_KEY_SIZE = 4 + 8,
	ROW_PRINTS_MAX = 96,   /* two such rows fill a page of LMDB's */
	PENDING_MAX = 1 << 16, /* fingerprints waiting for a commit: more make one */
	PATH_ROOM = 64,
};

/* Bytes of map: twelve million households with four fingerprints each take about 5 GB. */
#define KEYSTORE_SIZE_MAX (UINT64_C(16) << 30)

_Static_assert((int)NONCE_SIZE == (int)SEAL_NONCE_SIZE, "the nonce that events carry");
_Static_assert(CHUNK_KEYS % BLOCK_KEYS == 0, "the keys of a block lie side by side");

enum table { TABLE_KEYS, TABLE_PRINTS, TABLE_META };

/* In locked memory that is left out of core dumps. */
struct secrets {
	uint8_t kek[KEK_SIZE];
	struct installation {
		uint8_t subject[HASH_KEY_SIZE];
		uint8_t content[HASH_KEY_SIZE];
		uint8_t prints[HASH_KEY_SIZE];
	} own;
	uint8_t person[16];                    /* key of last_person: made at each start */
	uint8_t without[BLOCK_KEYS][KEY_SIZE]; /* a block while a key is taken out of it */
};

enum key_state { KEY_UNREAD, KEY_READY, KEY_ERASED };

/* Unwrapped keys, by number; in locked memory as far as the system allows. */
struct chunk {
	uint8_t state[CHUNK_KEYS]; /* enum key_state */
	uint8_t key[CHUNK_KEYS][KEY_SIZE];
};

struct pending {
	uint32_t number;
	uint8_t likeness; /* 0: erased meanwhile */
	uint8_t print[HASH_SIZE];
};

struct keystore {
	struct store *store;
	struct secrets *secrets;
	char path[PATH_MAX], key_file[PATH_MAX];

	struct chunk **chunks;
	uint32_t chunk_count, made;
	bool is_stale;

	struct matching matching;
	struct pending *pending;
	uint32_t pending_count, pending_capacity, settled; /* settled: so many were noted */
	uint64_t rows;                                     /* of fingerprints, ever written */
	uint32_t last_block;                               /* that has a row */
	uint64_t noted;                                    /* as told */
	uint64_t noted_stored;                             /* as on disk, with its fingerprints */

	/* whom the last fingerprints are of: an event asks for them twice */
	uint64_t last_person;
	struct fingerprints last_prints;

	uint8_t nonces[NONCES_SIZE];
	size_t nonces_left; /* bytes, at the end of `nonces` */
};

static const struct str installation_name = {"installation", 12};
static const struct str made_name = {"made", 4};
static const struct str noted_name = {"noted", 5};
static const struct str rows_name = {"rows", 4};
static const struct str stale_name = {"stale", 5};

/* ---- numbers as bytes ---- */

static void put_be(uint8_t *out, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

static uint64_t get_be(struct str bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes.size; i++)
		value = value << 8 | (uint8_t)bytes.data[i];
	return value;
}

static struct str bytes_of(const void *data, size_t size)
{
	return (struct str){data, size};
}

static enum err meta_put(struct keystore *keystore, MDB_txn *txn, struct str name, uint64_t value)
{
	uint8_t bytes[8];

	put_be(bytes, value, sizeof(bytes));
	return store_put(txn, store_table(keystore->store, TABLE_META), name,
			 bytes_of(bytes, sizeof(bytes)), 0);
}

/* 0 when it was never written. */
static enum err meta_get(struct keystore *keystore, MDB_txn *txn, struct str name, uint64_t *value)
{
	struct str found = {0};
	enum err err = store_get(txn, store_table(keystore->store, TABLE_META), name, &found);

	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return err;
	*value = get_be(found);
	return ERR_OK;
}

/* Commits what went well, drops the rest. */
static enum err txn_end(MDB_txn *txn, enum err err)
{
	if (err == ERR_OK)
		return store_err(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return err;
}

static void complain(const struct keystore *keystore, const char *what, enum err err)
{
	log_error("keystore.failed", "error=%s", err_name(err));
	store_complain(keystore->store, what, err_meaning(err));
}

/* Asking the kernel costs more than the bytes: it is asked for a seed, once for many. */
static void draw_random(void *out, size_t size)
{
	uint8_t seed[randombytes_SEEDBYTES];

	randombytes_buf(seed, sizeof(seed));
	randombytes_buf_deterministic(out, size, seed);
	sodium_memzero(seed, sizeof(seed));
}

/* Drawn a page at a time, and forgotten once given out. */
static void nonce_take(struct keystore *keystore, uint8_t nonce[NONCE_SIZE])
{
	uint8_t *next;

	if (keystore->nonces_left == 0) {
		draw_random(keystore->nonces, NONCES_SIZE);
		keystore->nonces_left = NONCES_SIZE;
	}
	next = keystore->nonces + NONCES_SIZE - keystore->nonces_left;
	memcpy(nonce, next, NONCE_SIZE);
	memset(next, 0, NONCE_SIZE);
	keystore->nonces_left -= NONCE_SIZE;
}

/* ---- the cache of keys ---- */

static struct chunk *chunk_get(struct keystore *keystore, uint32_t number)
{
	uint32_t at = number / CHUNK_KEYS;

	if (at >= keystore->chunk_count) {
		uint32_t count = at + 1;

		keystore->chunks = mem_grow(keystore->chunks, count * sizeof(struct chunk *));
		memset(keystore->chunks + keystore->chunk_count, 0,
		       (count - keystore->chunk_count) * sizeof(struct chunk *));
		keystore->chunk_count = count;
	}
	if (!keystore->chunks[at]) {
		keystore->chunks[at] = sodium_malloc(sizeof(struct chunk));
		assert(keystore->chunks[at]);
		memset(keystore->chunks[at]->state, KEY_UNREAD, CHUNK_KEYS);
	}
	return keystore->chunks[at];
}

static void key_forget(struct keystore *keystore, uint32_t number)
{
	struct chunk *chunk = chunk_get(keystore, number);

	chunk->state[number % CHUNK_KEYS] = KEY_ERASED;
	sodium_memzero(chunk->key[number % CHUNK_KEYS], KEY_SIZE);
}

/* ---- blocks of keys ---- */

static uint32_t block_first(uint32_t number)
{
	return number / BLOCK_KEYS * BLOCK_KEYS;
}

/* Where the keys of the block that begins with `first` are in the cache. */
static uint8_t *block_keys(struct keystore *keystore, uint32_t first)
{
	return chunk_get(keystore, first)->key[first % CHUNK_KEYS];
}

static void block_name(uint32_t first, uint8_t name[8])
{
	memcpy(name, "key:", 4);
	put_be(name + 4, first, 4);
}

static enum err block_unwrap(const struct keystore *keystore, uint32_t first, struct str wrapped,
			     uint8_t *keys)
{
	uint8_t name[8];

	block_name(first, name);
	if (wrapped.size != WRAPPED_SIZE ||
	    !kek_unwrap(keystore->secrets->kek, bytes_of(name, sizeof(name)), wrapped, keys)) {
		log_error("keystore.corrupt", "first=%u", first);
		return ERR_CORRUPT;
	}
	return ERR_OK;
}

static enum err block_put(struct keystore *keystore, MDB_txn *txn, uint32_t first,
			  const uint8_t *keys, unsigned flags)
{
	uint8_t name[8], wrapped[WRAPPED_SIZE];

	block_name(first, name);
	nonce_take(keystore, wrapped);
	kek_wrap(keystore->secrets->kek, bytes_of(name, sizeof(name)),
		 bytes_of(keys, BLOCK_KEYS * KEY_SIZE), wrapped);
	return store_put(txn, store_table(keystore->store, TABLE_KEYS),
			 bytes_of(&first, sizeof(first)), bytes_of(wrapped, sizeof(wrapped)),
			 flags);
}

/* A key of nothing but zeros is one that was destroyed. */
static void block_settle(struct keystore *keystore, uint32_t first)
{
	struct chunk *chunk = chunk_get(keystore, first);
	uint32_t at = first % CHUNK_KEYS;

	for (uint32_t i = at; i < at + BLOCK_KEYS; i++)
		chunk->state[i] = sodium_is_zero(chunk->key[i], KEY_SIZE) ? KEY_ERASED : KEY_READY;
}

static enum err block_load(struct keystore *keystore, uint32_t first)
{
	struct str wrapped;
	MDB_txn *txn;
	enum err err = store_begin(keystore->store, false, &txn);

	if (err != ERR_OK)
		return err;
	err = store_get(txn, store_table(keystore->store, TABLE_KEYS),
			bytes_of(&first, sizeof(first)), &wrapped);
	if (err == ERR_OK)
		err = block_unwrap(keystore, first, wrapped, block_keys(keystore, first));
	mdb_txn_abort(txn);
	if (err == ERR_OK)
		block_settle(keystore, first);
	return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err key_get(struct keystore *keystore, uint32_t number, const uint8_t **key)
{
	struct chunk *chunk;

	if (number == 0 || number > keystore->made)
		return ERR_NOT_FOUND;
	chunk = chunk_get(keystore, number);
	if (chunk->state[number % CHUNK_KEYS] == KEY_UNREAD) {
		enum err err = block_load(keystore, block_first(number));

		if (err != ERR_OK)
			return err;
	}
	if (chunk->state[number % CHUNK_KEYS] == KEY_ERASED)
		return ERR_ERASED;
	*key = chunk->key[number % CHUNK_KEYS];
	return ERR_OK;
}

/* ---- sealing ---- */

enum { BOUND_SIZE = 8 + 4 };

static void bound_make(uint32_t number, uint32_t kind, uint8_t bound[BOUND_SIZE])
{
	put_be(bound, number, 8);
	put_be(bound + 8, kind, 4);
}

static enum err port_seal(void *context, uint32_t number, uint32_t kind, struct str plain,
			  struct buf *out)
{
	struct keystore *keystore = context;
	uint8_t bound[BOUND_SIZE], *sealed;
	const uint8_t *key;
	enum err err = key_get(keystore, number, &key);

	if (err != ERR_OK)
		return err;
	bound_make(number, kind, bound);
	sealed = buf_room(out, NONCE_SIZE + plain.size + TAG_SIZE);
	nonce_take(keystore, sealed);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_SIZE, NULL,
						   (const uint8_t *)plain.data, plain.size, bound,
						   sizeof(bound), NULL, sealed, key);
	return ERR_OK;
}

static enum err port_open(void *context, uint32_t number, uint32_t kind, struct str sealed,
			  struct buf *out)
{
	const uint8_t *bytes = (const uint8_t *)sealed.data, *key;
	uint8_t bound[BOUND_SIZE], *plain;
	size_t before = out->size;
	enum err err = key_get(context, number, &key);

	if (err != ERR_OK)
		return err;
	if (sealed.size < NONCE_SIZE + TAG_SIZE)
		return ERR_CORRUPT;

	bound_make(number, kind, bound);
	plain = buf_room(out, sealed.size - NONCE_SIZE - TAG_SIZE);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes + NONCE_SIZE,
						       sealed.size - NONCE_SIZE, bound,
						       sizeof(bound), bytes, key) == 0)
		return ERR_OK;
	out->size = before;
	return ERR_CORRUPT;
}

/* ---- hashing ---- */

/* Zero means "none" in an event. */
static void never_zero(uint8_t out[DIGEST_SIZE])
{
	if (sodium_is_zero(out, DIGEST_SIZE))
		out[0] = 1;
}

/* The length of the first goes in front, so that ("ab", "c") and ("a", "bc") differ. */
static void port_hash_subject(void *context, struct str source, struct str subject,
			      uint8_t out[DIGEST_SIZE])
{
	struct keystore *keystore = context;
	char joined[2 + 2 * NAME_SIZE_MAX];

	assert(source.size <= NAME_SIZE_MAX);
	assert(subject.size <= NAME_SIZE_MAX);
	put_be((uint8_t *)joined, source.size, 2);
	memcpy(joined + 2, source.data, source.size);
	memcpy(joined + 2 + source.size, subject.data, subject.size);
	hash_keyed(keystore->secrets->own.subject, bytes_of(joined, 2 + source.size + subject.size),
		   out);
	never_zero(out);
}

static void port_hash_content(void *context, struct str content, uint8_t out[DIGEST_SIZE])
{
	struct keystore *keystore = context;

	hash_keyed(keystore->secrets->own.content, content, out);
	never_zero(out);
}

/* ---- fingerprints ---- */

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

static uint32_t port_match(void *context, const struct person *person, insee_t insee,
			   struct candidate found[CANDIDATES_MAX])
{
	struct keystore *keystore = context;

	return matching_match(&keystore->matching, prints_of(keystore, person, insee), found);
}

static void remember_print(struct keystore *keystore, uint32_t number, uint32_t likeness,
			   const uint8_t print[HASH_SIZE])
{
	struct pending *pending;

	if (!matching_remember(&keystore->matching, number, likeness, print))
		return;
	MEM_ROOM(keystore->pending, keystore->pending_count, keystore->pending_capacity);
	pending = &keystore->pending[keystore->pending_count++];
	*pending = (struct pending){.number = number, .likeness = (uint8_t)likeness};
	memcpy(pending->print, print, HASH_SIZE);
}

static void port_remember(void *context, uint32_t number, const struct person *person,
			  insee_t insee)
{
	struct keystore *keystore = context;
	const struct fingerprints *prints;
	const uint8_t *key;

	if (key_get(keystore, number, &key) != ERR_OK)
		return; /* an erased household leaves no fingerprint */
	prints = prints_of(keystore, person, insee);
	for (uint32_t kind = 0; kind < LIKENESS_KINDS; kind++)
		if (prints->present & 1u << kind)
			remember_print(keystore, number, 1u << kind, prints->print[kind]);
}

/* ---- rows of fingerprints ---- */

/* Prints remembered one after the other of households of one block make a row. */
struct row {
	uint32_t count;
	uint8_t prints[ROW_PRINTS_MAX][PRINT_SIZE]; /* place in the block, likeness, fingerprint */
};

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
	uint32_t first = block_first(pending->number), at = 0;

	row->count = 0;
	for (; at < left && row->count < ROW_PRINTS_MAX && block_first(pending[at].number) == first;
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

/* All fingerprints that were noted, and how far they go. */
static enum err write_prints(struct keystore *keystore, MDB_txn *txn)
{
	struct row row;
	enum err err = ERR_OK;

	for (uint32_t i = 0; i < keystore->settled && err == ERR_OK;) {
		const struct pending *pending = &keystore->pending[i];

		i += row_make(&row, pending, keystore->settled - i);
		err = row_put(keystore, txn, block_first(pending->number), &row);
	}
	if (err == ERR_OK)
		err = meta_put(keystore, txn, rows_name, keystore->rows);
	return err == ERR_OK ? meta_put(keystore, txn, noted_name, keystore->noted) : err;
}

/* What was noted is on disk. */
static void prints_written(struct keystore *keystore)
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
	keystore->settled = keystore->pending_count;
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
		err = txn_end(txn, write_prints(keystore, txn));
	if (err == ERR_OK)
		prints_written(keystore);
	else
		complain(keystore, "fingerprints could not be written", err);
	return err;
}

/* ---- making keys ---- */

/* Straight into the cache, as many at once as lie side by side. Nobody uses them before `made` says
 * so. */
static void draw_keys(struct keystore *keystore, uint32_t from, uint32_t to)
{
	for (uint32_t number = from, count; number <= to; number += count) {
		struct chunk *chunk = chunk_get(keystore, number);
		uint32_t at = number % CHUNK_KEYS;

		count = (uint32_t)min_u64(CHUNK_KEYS - at, to - number + 1);
		draw_random(chunk->key[at], count * KEY_SIZE);
		memset(chunk->state + at, KEY_READY, count);
	}
}

static uint32_t first_unmade(const struct keystore *keystore)
{
	return keystore->made ? keystore->made + 1 : 0;
}

/* Whole blocks: `to` is the last key of one. */
static enum err make_keys(struct keystore *keystore, MDB_txn *txn, uint32_t to)
{
	uint32_t from = first_unmade(keystore);
	enum err err = ERR_OK;

	draw_keys(keystore, from, to);
	for (uint32_t first = from; first < to && err == ERR_OK; first += BLOCK_KEYS)
		err = block_put(keystore, txn, first, block_keys(keystore, first), MDB_APPEND);
	if (err == ERR_OK)
		err = meta_put(keystore, txn, made_name, to);
	return err == ERR_OK ? write_prints(keystore, txn) : err;
}

/* Short of the last block there is, so that a number after `made` always exists. */
static uint32_t last_ahead(uint32_t number)
{
	uint64_t last = (uint64_t)block_first(number) + KEYS_AHEAD + BLOCK_KEYS - 1;

	return (uint32_t)min_u64(last, UINT32_MAX - BLOCK_KEYS);
}

static enum err port_reach(void *context, uint32_t number)
{
	struct keystore *keystore = context;
	uint32_t to = last_ahead(number);
	MDB_txn *txn;
	enum err err;

	if (number <= keystore->made)
		return keystore->settled > PENDING_MAX ? keystore_flush(keystore) : ERR_OK;

	err = store_begin(keystore->store, true, &txn);
	if (err == ERR_OK)
		err = txn_end(txn, make_keys(keystore, txn, to));
	if (err != ERR_OK) {
		complain(keystore, "new keys could not be written", err);
		return err;
	}
	keystore->made = to;
	prints_written(keystore);
	return ERR_OK;
}

uint32_t keystore_made(const struct keystore *keystore)
{
	return keystore->made;
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

static enum err delete_prints(struct keystore *keystore, MDB_txn *txn, uint32_t number)
{
	MDB_dbi table = store_table(keystore->store, TABLE_PRINTS);
	uint32_t first = block_first(number);
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

/* Its block is written anew, with zeros in its place. */
static enum err delete_key(struct keystore *keystore, MDB_txn *txn, uint32_t number)
{
	uint32_t first = block_first(number);
	uint8_t(*without)[KEY_SIZE] = keystore->secrets->without;
	enum err err;

	memcpy(without, block_keys(keystore, first), sizeof(keystore->secrets->without));
	sodium_memzero(without[number - first], KEY_SIZE);
	err = block_put(keystore, txn, first, without[0], 0);
	sodium_memzero(without, sizeof(keystore->secrets->without));
	if (err == ERR_OK)
		err = delete_prints(keystore, txn, number);
	return err == ERR_OK ? meta_put(keystore, txn, stale_name, 1) : err;
}

static void forget_prints(struct keystore *keystore, uint32_t number)
{
	matching_forget(&keystore->matching, number);
	for (uint32_t i = 0; i < keystore->pending_count; i++)
		if (keystore->pending[i].number == number)
			keystore->pending[i] = (struct pending){.number = number};
	keystore->last_person = 0;
	sodium_memzero(&keystore->last_prints, sizeof(keystore->last_prints));
}

/* Called again for each erased number at every start: what is gone costs no commit. */
static enum err port_erase(void *context, uint32_t number)
{
	struct keystore *keystore = context;
	const uint8_t *key;
	MDB_txn *txn;
	enum err err = key_get(keystore, number, &key);

	if (err == ERR_ERASED)
		return ERR_OK;
	if (err == ERR_NOT_FOUND)
		return err;
	err = store_begin(keystore->store, true, &txn);
	if (err == ERR_OK)
		err = txn_end(txn, delete_key(keystore, txn, number));
	if (err != ERR_OK) {
		log_error("keystore.erase", "number=%u error=%s", number, err_name(err));
		complain(keystore, "a key could not be destroyed", err);
		return err;
	}
	key_forget(keystore, number);
	forget_prints(keystore, number);
	keystore->is_stale = true;
	return ERR_OK;
}

bool keystore_is_stale(const struct keystore *keystore)
{
	return keystore->is_stale;
}

/* ---- opening ---- */

static void load_row(struct keystore *keystore, uint32_t first, struct str value)
{
	keystore->last_block = first; /* rows come in order */
	for (size_t at = 0; at + PRINT_SIZE <= value.size; at += PRINT_SIZE) {
		const uint8_t *print = (const uint8_t *)value.data + at;

		(void)matching_remember(&keystore->matching, first + print[0], print[1], print + 2);
	}
}

static enum err load_prints(struct keystore *keystore, MDB_txn *txn)
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

/* All but the keys, which are read block by block when they are needed. */
static enum err load_rest(struct keystore *keystore, MDB_txn *txn)
{
	uint64_t made = 0, noted = 0, stale = 0;
	enum err err = meta_get(keystore, txn, made_name, &made);

	if (err == ERR_OK)
		err = meta_get(keystore, txn, rows_name, &keystore->rows);
	if (err == ERR_OK)
		err = meta_get(keystore, txn, noted_name, &noted);
	if (err == ERR_OK)
		err = meta_get(keystore, txn, stale_name, &stale);
	if (err == ERR_OK)
		err = load_prints(keystore, txn);
	if (err != ERR_OK)
		return err;

	keystore->made = (uint32_t)made;
	keystore->noted = keystore->noted_stored = noted;
	keystore->is_stale = stale != 0;
	return ERR_OK;
}

static enum err put_installation(struct keystore *keystore, MDB_txn *txn)
{
	uint8_t wrapped[sizeof(struct installation) + WRAP_EXTRA];

	nonce_take(keystore, wrapped);
	kek_wrap(keystore->secrets->kek, installation_name,
		 bytes_of(&keystore->secrets->own, sizeof(struct installation)), wrapped);
	return store_put(txn, store_table(keystore->store, TABLE_META), installation_name,
			 bytes_of(wrapped, sizeof(wrapped)), 0);
}

/* A new keystore: a key file that is there is used, else one is made. */
static enum err begin_new(struct keystore *keystore, struct fault *fault)
{
	struct secrets *secrets = keystore->secrets;
	MDB_txn *txn;
	enum err err = kek_read(keystore->key_file, secrets->kek, fault);

	if (err == ERR_NOT_FOUND)
		err = kek_make(keystore->key_file, secrets->kek, fault);
	if (err != ERR_OK)
		return err;

	randombytes_buf(&secrets->own, sizeof(secrets->own));
	err = store_begin(keystore->store, true, &txn);
	if (err == ERR_OK)
		err = txn_end(txn, put_installation(keystore, txn));
	if (err != ERR_OK)
		return fault_set(fault, err, "", "%s cannot be written: %s", keystore->path,
				 err_meaning(err));
	return ERR_OK;
}

static bool opens_with(struct keystore *keystore, const char *key_file, struct str wrapped,
		       enum err *err, struct fault *fault)
{
	struct secrets *secrets = keystore->secrets;

	*err = kek_read(key_file, secrets->kek, fault);
	return *err == ERR_OK && wrapped.size == sizeof(struct installation) + WRAP_EXTRA &&
	       kek_unwrap(secrets->kek, installation_name, wrapped, (uint8_t *)&secrets->own);
}

/* A renewal that was cut short: what it left is cleaned up, whichever way it got. */
static void end_renewal(struct keystore *keystore, const char *next_file, bool was_exchanged)
{
	char next_path[PATH_MAX + PATH_ROOM];

	if (!was_exchanged)
		unlink(next_file);
	else if (kek_replace(next_file, keystore->key_file) != ERR_OK)
		log_error("keystore.renewal", "step=key_file");
	snprintf(next_path, sizeof(next_path), "%s.next", keystore->path);
	store_remove(next_path);
}

static enum err unlock(struct keystore *keystore, struct str wrapped, struct fault *fault)
{
	char next_file[PATH_MAX + PATH_ROOM];
	bool was_renewing;
	enum err err, ignored;

	snprintf(next_file, sizeof(next_file), "%s.next", keystore->key_file);
	was_renewing = access(next_file, F_OK) == 0;
	if (opens_with(keystore, keystore->key_file, wrapped, &err, fault)) {
		if (was_renewing)
			end_renewal(keystore, next_file, false);
		return ERR_OK;
	}
	if (was_renewing && opens_with(keystore, next_file, wrapped, &ignored, NULL)) {
		end_renewal(keystore, next_file, true);
		return ERR_OK;
	}
	if (err == ERR_NOT_FOUND)
		return fault_set(
			fault, ERR_CORRUPT, "",
			"the keys in %s need the key file %s, which is missing: put it back",
			keystore->path, keystore->key_file);
	if (err != ERR_OK)
		return err;
	return fault_set(fault, ERR_CORRUPT, "",
			 "the key file %s does not open the keys in %s: it is another's, or one of "
			 "them is damaged",
			 keystore->key_file, keystore->path);
}

static enum err load(struct keystore *keystore, bool *is_new, struct fault *fault)
{
	struct str wrapped;
	MDB_txn *txn;
	enum err err = store_begin(keystore->store, false, &txn);

	if (err != ERR_OK)
		return fault_set(fault, err, "", "%s cannot be read", keystore->path);
	err = store_get(txn, store_table(keystore->store, TABLE_META), installation_name, &wrapped);
	*is_new = err == ERR_NOT_FOUND;
	if (err == ERR_OK)
		err = unlock(keystore, wrapped, fault);
	else if (!*is_new)
		err = fault_set(fault, err, "", "%s cannot be read", keystore->path);
	if (err == ERR_OK && load_rest(keystore, txn) != ERR_OK)
		err = fault_set(fault, ERR_CORRUPT, "", "%s is damaged", keystore->path);
	mdb_txn_abort(txn);
	return *is_new ? ERR_OK : err;
}

static enum err attach(const char *path, struct store **store, struct fault *fault)
{
	static const struct store_table tables[] = {
		[TABLE_KEYS] = {"keys", MDB_INTEGERKEY},
		[TABLE_PRINTS] = {"prints", 0},
		[TABLE_META] = {"meta", 0},
	};
	const struct store_options options = {
		.path = path,
		.size_max = KEYSTORE_SIZE_MAX,
		.tables = tables,
		.table_count = ARRAY_SIZE(tables),
	};

	return store_open(&options, store, fault);
}

static struct secrets *secrets_new(void)
{
	struct secrets *secrets = sodium_malloc(sizeof(*secrets));

	assert(secrets);
	randombytes_buf(secrets->person, sizeof(secrets->person));
	return secrets;
}

enum err keystore_open(const struct keystore_options *options, struct keystore **out,
		       struct fault *fault)
{
	scoped(keystore_close) struct keystore *keystore = mem_new(sizeof(*keystore));
	bool is_new = false;
	enum err err;

	snprintf(keystore->path, sizeof(keystore->path), "%s", options->path);
	snprintf(keystore->key_file, sizeof(keystore->key_file), "%s", options->key_file);
	keystore->secrets = secrets_new();
	err = attach(keystore->path, &keystore->store, fault);
	if (err == ERR_OK)
		err = load(keystore, &is_new, fault);
	if (err == ERR_OK && is_new)
		err = begin_new(keystore, fault);
	if (err != ERR_OK)
		return err;

	*out = keystore;
	keystore = NULL;
	return ERR_OK;
}

static void free_secrets(struct keystore *keystore)
{
	for (uint32_t i = 0; i < keystore->chunk_count; i++)
		sodium_free(keystore->chunks[i]);
	free(keystore->chunks);
	sodium_free(keystore->secrets);
	sodium_memzero(keystore->nonces, sizeof(keystore->nonces));
}

void keystore_close(struct keystore **address)
{
	struct keystore *keystore = *address;

	*address = NULL;
	if (!keystore)
		return;
	if (keystore->store && keystore_flush(keystore) != ERR_OK)
		log_warn("keystore.close", "noted=%llu",
			 (unsigned long long)keystore->noted_stored);
	store_close(&keystore->store);
	free_secrets(keystore);
	matching_done(&keystore->matching);
	free(keystore->pending);
	free(keystore);
}

/* ---- renewing ---- */

enum {
	RENEW_BATCH = 16384
}; /* keys or rows a commit: huge transactions are not LMDB's best side */

static enum err copy_block(struct keystore *keystore, struct keystore *next, MDB_txn *txn,
			   uint32_t first)
{
	const struct chunk *chunk = chunk_get(keystore, first);
	enum err err = ERR_OK;

	if (chunk->state[first % CHUNK_KEYS] == KEY_UNREAD)
		err = block_load(keystore, first);
	if (err == ERR_OK)
		err = block_put(next, txn, first, block_keys(keystore, first), MDB_APPEND);
	return err;
}

/* Copies blocks from `from` on, at most a batch; `from` becomes where to go on. */
static enum err copy_keys(struct keystore *keystore, struct keystore *next, uint32_t *from)
{
	uint32_t to = (uint32_t)min_u64(*from + RENEW_BATCH, first_unmade(keystore));
	MDB_txn *txn;
	enum err err = store_begin(next->store, true, &txn);

	if (err != ERR_OK)
		return err;
	for (; *from < to && err == ERR_OK; *from += BLOCK_KEYS)
		err = copy_block(keystore, next, txn, *from);
	return txn_end(txn, err);
}

static enum err copy_some_prints(MDB_cursor *cursor, MDB_txn *txn, MDB_dbi table, bool *is_over)
{
	MDB_val key, value;
	int code = 0;

	for (uint32_t done = 0; done < RENEW_BATCH && !code; done++) {
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
		if (!code)
			code = mdb_put(txn, table, &key, &value, MDB_APPEND);
	}
	*is_over = code == MDB_NOTFOUND;
	return *is_over ? ERR_OK : store_err(code);
}

static enum err copy_prints_from(MDB_cursor *cursor, struct keystore *next)
{
	bool is_over = false;
	enum err err = ERR_OK;

	while (err == ERR_OK && !is_over) {
		MDB_txn *txn;

		err = store_begin(next->store, true, &txn);
		if (err == ERR_OK)
			err = txn_end(txn, copy_some_prints(cursor, txn,
							    store_table(next->store, TABLE_PRINTS),
							    &is_over));
	}
	return err;
}

static enum err copy_prints(struct keystore *keystore, struct keystore *next)
{
	MDB_cursor *cursor;
	MDB_txn *txn;
	enum err err = store_begin(keystore->store, false, &txn);
	int code;

	if (err != ERR_OK)
		return err;
	code = mdb_cursor_open(txn, store_table(keystore->store, TABLE_PRINTS), &cursor);
	err = store_err(code);
	if (!code) {
		err = copy_prints_from(cursor, next);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return err;
}

static enum err copy_meta(struct keystore *keystore, struct keystore *next)
{
	MDB_txn *txn;
	enum err err = store_begin(next->store, true, &txn);

	if (err != ERR_OK)
		return err;
	err = put_installation(next, txn);
	if (err == ERR_OK)
		err = meta_put(next, txn, made_name, keystore->made);
	if (err == ERR_OK)
		err = meta_put(next, txn, rows_name, keystore->rows);
	if (err == ERR_OK)
		err = meta_put(next, txn, noted_name, keystore->noted_stored);
	return txn_end(txn, err);
}

/* The whole content, under the new KEK, in a store of its own. */
static enum err write_next(struct keystore *keystore, struct keystore *next)
{
	char lock[PATH_MAX + PATH_ROOM];
	enum err err = attach(next->path, &next->store, NULL);
	uint32_t from = 0;

	while (err == ERR_OK && from < first_unmade(keystore))
		err = copy_keys(keystore, next, &from);
	if (err == ERR_OK)
		err = copy_prints(keystore, next);
	if (err == ERR_OK)
		err = copy_meta(keystore, next);
	store_close(&next->store);
	snprintf(lock, sizeof(lock), "%s.lock", next->path);
	unlink(lock);
	return err;
}

/* From the exchange on there is no way back, only forward: an end in between is put right by
 * opening. */
static enum err take_next(struct keystore *keystore, struct keystore *next)
{
	enum err err = store_exchange(next->path, keystore->path);

	if (err == ERR_OK)
		err = kek_replace(next->key_file, keystore->key_file);
	if (err != ERR_OK)
		return ERR_INTERNAL;
	memcpy(keystore->secrets->kek, next->secrets->kek, KEK_SIZE);
	store_close(&keystore->store);
	store_remove(next->path);
	if (attach(keystore->path, &keystore->store, NULL) != ERR_OK)
		return ERR_INTERNAL;
	keystore->is_stale = false;
	return ERR_OK;
}

static enum err renew_into(struct keystore *keystore, struct keystore *next)
{
	enum err err;

	store_remove(next->path);
	unlink(next->key_file);
	err = kek_make(next->key_file, next->secrets->kek, NULL);
	if (err == ERR_OK)
		err = write_next(keystore, next);
	if (err == ERR_OK)
		return take_next(keystore, next);
	store_remove(next->path);
	unlink(next->key_file);
	return ERR_IO;
}

enum err keystore_renew(struct keystore *keystore)
{
	scoped(keystore_close) struct keystore *next = mem_new(sizeof(*next));
	enum err err = keystore_flush(keystore);

	if (err != ERR_OK)
		return ERR_IO;
	next->secrets = secrets_new();
	memcpy(&next->secrets->own, &keystore->secrets->own, sizeof(next->secrets->own));
	if ((size_t)snprintf(next->path, PATH_MAX, "%.*s.next", PATH_MAX - PATH_ROOM,
			     keystore->path) >= PATH_MAX ||
	    (size_t)snprintf(next->key_file, PATH_MAX, "%.*s.next", PATH_MAX - PATH_ROOM,
			     keystore->key_file) >= PATH_MAX)
		return ERR_IO;

	err = renew_into(keystore, next);
	if (err != ERR_OK)
		log_error("keystore.renew", "error=%s", err_name(err));
	else
		log_info("keystore.renewed", "keys=%u", keystore->made);
	return err;
}

enum err keystore_copy(struct keystore *keystore, const char *path)
{
	return store_copy(keystore->store, path);
}

/* ---- the port ---- */

struct keys_port keystore_port(struct keystore *keystore)
{
	return (struct keys_port){
		.context = keystore,
		.hash_subject = port_hash_subject,
		.hash_content = port_hash_content,
		.seal = port_seal,
		.open = port_open,
		.match = port_match,
		.remember = port_remember,
		.reach = port_reach,
		.erase = port_erase,
	};
}
