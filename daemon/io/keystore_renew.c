#include "daemon/io/keystore_parts.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum {
	RENEW_BATCH = 16384
}; /* keys or rows a commit: huge transactions are not LMDB's best side */

/* ---- keys ---- */

/* Copies blocks from `from` on, at most a batch; `from` becomes where to go on. */
static enum err copy_keys(struct keystore *keystore, struct keystore *next, uint32_t *from)
{
	uint32_t to = (uint32_t)min_u64(*from + RENEW_BATCH, keystore_first_unmade(keystore));
	MDB_txn *txn;
	enum err err = store_begin(next->store, true, &txn);

	if (err != ERR_OK)
		return err;
	for (; *from < to && err == ERR_OK; *from += BLOCK_KEYS)
		err = keystore_copy_block(keystore, next, txn, *from);
	return keystore_end_txn(txn, err);
}

/* ---- fingerprints ---- */

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
			err = keystore_end_txn(
				txn,
				copy_some_prints(cursor, txn,
						 store_table(next->store, TABLE_PRINTS), &is_over));
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

/* ---- the whole ---- */

static enum err copy_meta(struct keystore *keystore, struct keystore *next)
{
	MDB_txn *txn;
	enum err err = store_begin(next->store, true, &txn);

	if (err != ERR_OK)
		return err;
	err = keystore_put_installation(next, txn);
	if (err == ERR_OK)
		err = keystore_put_meta(next, txn, keystore_made_name, keystore->made);
	if (err == ERR_OK)
		err = keystore_put_meta(next, txn, keystore_rows_name, keystore->rows);
	if (err == ERR_OK)
		err = keystore_put_meta(next, txn, keystore_noted_name, keystore->noted_stored);
	return keystore_end_txn(txn, err);
}

/* The whole content, under the new KEK, in a store of its own. */
static enum err write_next(struct keystore *keystore, struct keystore *next)
{
	char lock[PATH_MAX + PATH_ROOM];
	enum err err = keystore_attach(next->path, &next->store, NULL);
	uint32_t from = 0;

	while (err == ERR_OK && from < keystore_first_unmade(keystore))
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
	if (keystore_attach(keystore->path, &keystore->store, NULL) != ERR_OK)
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
	next->secrets = keystore_secrets_new();
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

/* A renewal that was cut short: what it left is cleaned up, whichever way it got. */
void keystore_end_renewal(struct keystore *keystore, const char *next_file, bool was_exchanged)
{
	char next_path[PATH_MAX + PATH_ROOM];

	if (!was_exchanged)
		unlink(next_file);
	else if (kek_replace(next_file, keystore->key_file) != ERR_OK)
		log_error("keystore.renewal", "step=key_file");
	snprintf(next_path, sizeof(next_path), "%s.next", keystore->path);
	store_remove(next_path);
}
