#include "daemon/io/keystore_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* Bytes of map: twelve million households with four fingerprints each take about 5 GB. */
#define KEYSTORE_SIZE_MAX (UINT64_C(16) << 30)

static const struct str installation_name = {"installation", 12};
const struct str keystore_made_name = {"made", 4};
const struct str keystore_noted_name = {"noted", 5};
const struct str keystore_rows_name = {"rows", 4};
const struct str keystore_stale_name = {"stale", 5};

/* ---- what all parts do ---- */

enum err keystore_put_meta(struct keystore *keystore, MDB_txn *txn, struct str name, uint64_t value)
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
enum err keystore_end_txn(MDB_txn *txn, enum err err)
{
	if (err == ERR_OK)
		return store_err(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return err;
}

void keystore_complain(const struct keystore *keystore, const char *what, enum err err)
{
	log_error("keystore.failed", "error=%s", err_name(err));
	store_complain(keystore->store, what, err_meaning(err));
}

/* ---- a new one ---- */

enum err keystore_put_installation(struct keystore *keystore, MDB_txn *txn)
{
	uint8_t wrapped[sizeof(struct installation) + WRAP_EXTRA];

	keystore_take_nonce(keystore, wrapped);
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
		err = keystore_end_txn(txn, keystore_put_installation(keystore, txn));
	if (err != ERR_OK)
		return fault_set(fault, err, "", "%s cannot be written: %s", keystore->path,
				 err_meaning(err));
	return ERR_OK;
}

/* ---- one that is there ---- */

/* All but the keys, which are read block by block when they are needed. */
static enum err load_rest(struct keystore *keystore, MDB_txn *txn)
{
	uint64_t made = 0, noted = 0, stale = 0;
	enum err err = meta_get(keystore, txn, keystore_made_name, &made);

	if (err == ERR_OK)
		err = meta_get(keystore, txn, keystore_rows_name, &keystore->rows);
	if (err == ERR_OK)
		err = meta_get(keystore, txn, keystore_noted_name, &noted);
	if (err == ERR_OK)
		err = meta_get(keystore, txn, keystore_stale_name, &stale);
	if (err == ERR_OK)
		err = keystore_load_prints(keystore, txn);
	if (err != ERR_OK)
		return err;

	keystore->made = (uint32_t)made;
	keystore->noted = keystore->noted_stored = noted;
	keystore->is_stale = stale != 0;
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

static enum err unlock(struct keystore *keystore, struct str wrapped, struct fault *fault)
{
	char next_file[PATH_MAX + PATH_ROOM];
	bool was_renewing;
	enum err err, ignored;

	snprintf(next_file, sizeof(next_file), "%s.next", keystore->key_file);
	was_renewing = access(next_file, F_OK) == 0;
	if (opens_with(keystore, keystore->key_file, wrapped, &err, fault)) {
		if (was_renewing)
			keystore_end_renewal(keystore, next_file, false);
		return ERR_OK;
	}
	if (was_renewing && opens_with(keystore, next_file, wrapped, &ignored, NULL)) {
		keystore_end_renewal(keystore, next_file, true);
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

/* ---- opening and closing ---- */

enum err keystore_attach(const char *path, struct store **store, struct fault *fault)
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

struct secrets *keystore_secrets_new(void)
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
	keystore->secrets = keystore_secrets_new();
	err = keystore_attach(keystore->path, &keystore->store, fault);
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

enum err keystore_copy(struct keystore *keystore, const char *path)
{
	return store_copy(keystore->store, path);
}

/* ---- the port ---- */

struct keys_port keystore_port(struct keystore *keystore)
{
	return (struct keys_port){
		.context = keystore,
		.hash_subject = keystore_port_hash_subject,
		.hash_content = keystore_port_hash_content,
		.seal = keystore_port_seal,
		.open = keystore_port_open,
		.match = keystore_port_match,
		.remember = keystore_port_remember,
		.reach = keystore_port_reach,
		.erase = keystore_port_erase,
	};
}
