#include "daemon/io/keystore_parts.h"

#include "base/log.h"
#include "base/mem.h"

enum {
	WRAPPED_SIZE = BLOCK_KEYS * KEY_SIZE + WRAP_EXTRA,
	CHUNK_KEYS = 4096,
	PENDING_MAX = 1 << 16, /* fingerprints waiting for a commit: more make one */
};

_Static_assert(CHUNK_KEYS % BLOCK_KEYS == 0, "the keys of a block lie side by side");

enum key_state { KEY_UNREAD, KEY_READY, KEY_ERASED };

/* Unwrapped keys, by number; in locked memory as far as the system allows. */
struct chunk {
	uint8_t state[CHUNK_KEYS]; /* enum key_state */
	uint8_t key[CHUNK_KEYS][KEY_SIZE];
};

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

uint32_t keystore_block_first(uint32_t number)
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
	keystore_take_nonce(keystore, wrapped);
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

enum err keystore_copy_block(struct keystore *keystore, struct keystore *next, MDB_txn *txn,
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

enum err keystore_get_key(struct keystore *keystore, uint32_t number, const uint8_t **key)
{
	struct chunk *chunk;

	if (number == 0 || number > keystore->made)
		return ERR_NOT_FOUND;
	chunk = chunk_get(keystore, number);
	if (chunk->state[number % CHUNK_KEYS] == KEY_UNREAD) {
		enum err err = block_load(keystore, keystore_block_first(number));

		if (err != ERR_OK)
			return err;
	}
	if (chunk->state[number % CHUNK_KEYS] == KEY_ERASED)
		return ERR_ERASED;
	*key = chunk->key[number % CHUNK_KEYS];
	return ERR_OK;
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
		keystore_draw_random(chunk->key[at], count * KEY_SIZE);
		memset(chunk->state + at, KEY_READY, count);
	}
}

uint32_t keystore_first_unmade(const struct keystore *keystore)
{
	return keystore->made ? keystore->made + 1 : 0;
}

/* Whole blocks: `to` is the last key of one. */
static enum err make_keys(struct keystore *keystore, MDB_txn *txn, uint32_t to)
{
	uint32_t from = keystore_first_unmade(keystore);
	enum err err = ERR_OK;

	draw_keys(keystore, from, to);
	for (uint32_t first = from; first < to && err == ERR_OK; first += BLOCK_KEYS)
		err = block_put(keystore, txn, first, block_keys(keystore, first), MDB_APPEND);
	if (err == ERR_OK)
		err = keystore_put_meta(keystore, txn, keystore_made_name, to);
	return err == ERR_OK ? keystore_write_prints(keystore, txn) : err;
}

/* Short of the last block there is, so that a number after `made` always exists. */
static uint32_t last_ahead(uint32_t number)
{
	uint64_t last = (uint64_t)keystore_block_first(number) + KEYS_AHEAD + BLOCK_KEYS - 1;

	return (uint32_t)min_u64(last, UINT32_MAX - BLOCK_KEYS);
}

enum err keystore_port_reach(void *context, uint32_t number)
{
	struct keystore *keystore = context;
	uint32_t to = last_ahead(number);
	MDB_txn *txn;
	enum err err;

	if (number <= keystore->made)
		return keystore->settled > PENDING_MAX ? keystore_flush(keystore) : ERR_OK;

	err = store_begin(keystore->store, true, &txn);
	if (err == ERR_OK)
		err = keystore_end_txn(txn, make_keys(keystore, txn, to));
	if (err != ERR_OK) {
		keystore_complain(keystore, "new keys could not be written", err);
		return err;
	}
	keystore->made = to;
	keystore_prints_written(keystore);
	return ERR_OK;
}

uint32_t keystore_made(const struct keystore *keystore)
{
	return keystore->made;
}

/* ---- erasing ---- */

/* Its block is written anew, with zeros in its place. */
static enum err delete_key(struct keystore *keystore, MDB_txn *txn, uint32_t number)
{
	uint32_t first = keystore_block_first(number);
	uint8_t(*without)[KEY_SIZE] = keystore->secrets->without;
	enum err err;

	memcpy(without, block_keys(keystore, first), sizeof(keystore->secrets->without));
	sodium_memzero(without[number - first], KEY_SIZE);
	err = block_put(keystore, txn, first, without[0], 0);
	sodium_memzero(without, sizeof(keystore->secrets->without));
	if (err == ERR_OK)
		err = keystore_delete_prints(keystore, txn, number);
	return err == ERR_OK ? keystore_put_meta(keystore, txn, keystore_stale_name, 1) : err;
}

/* Called again for each erased number at every start: what is gone costs no commit. */
enum err keystore_port_erase(void *context, uint32_t number)
{
	struct keystore *keystore = context;
	const uint8_t *key;
	MDB_txn *txn;
	enum err err = keystore_get_key(keystore, number, &key);

	if (err == ERR_ERASED)
		return ERR_OK;
	if (err == ERR_NOT_FOUND)
		return err;
	err = store_begin(keystore->store, true, &txn);
	if (err == ERR_OK)
		err = keystore_end_txn(txn, delete_key(keystore, txn, number));
	if (err != ERR_OK) {
		log_error("keystore.erase", "number=%u error=%s", number, err_name(err));
		keystore_complain(keystore, "a key could not be destroyed", err);
		return err;
	}
	key_forget(keystore, number);
	keystore_forget_prints(keystore, number);
	keystore->is_stale = true;
	return ERR_OK;
}

bool keystore_is_stale(const struct keystore *keystore)
{
	return keystore->is_stale;
}
