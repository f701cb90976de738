/* An LMDB environment, opened in the only way that is safe here: one opener, every commit synced,
 * mode 0600, made in a temporary folder and renamed when whole. The journal and the keystore lie on
 * it; LMDB is known to these three. Transactions are short, never nested, never kept across turns. */
#pragma once

#include <lmdb.h>

#include "base/fault.h"
#include "base/str.h"

enum { STORE_TABLES_MAX = 4 };

struct store_table {
	const char *name;
	unsigned int flags; /* MDB_INTEGERKEY; never MDB_DUPSORT */
};

struct store_options {
	const char *path;  /* a folder; beside it lies PATH.lock */
	uint64_t size_max; /* bytes of map; the file itself only grows as it is filled */
	const struct store_table *tables;
	uint32_t table_count;
};

struct store;

bool store_exists(const char *path);

/* Makes it when it is not there. ERR_BUSY when another process has it, ERR_CORRUPT when what is there
 * is no such store, ERR_IO; `fault` tells it in a sentence. */
enum err store_open(const struct store_options *options, struct store **store,
		    struct fault *fault) must_use;
void store_close(struct store **store);

MDB_env *store_env(struct store *store);
MDB_dbi store_table(const struct store *store, uint32_t index); /* in the order of the options */

enum err store_begin(struct store *store, bool write, MDB_txn **txn) must_use;
enum err store_err(int code); /* LMDB's code as ours */
enum err store_get(MDB_txn *txn, MDB_dbi table, struct str key, struct str *value) must_use;
enum err store_put(MDB_txn *txn, MDB_dbi table, struct str key, struct str value,
		   unsigned int flags) must_use;

/* Tells people on stderr what could not be done with it and why, and how much room its disk has left:
 * LMDB shows a full one as any other failure to write. */
void store_complain(const struct store *store, const char *what, const char *why);

/* Bytes that are free on its disk; 0 when that cannot be told. */
uint64_t store_disk_free(const struct store *store);

/* Bytes of map not yet used. */
uint64_t store_map_left(struct store *store);

/* A compact copy into a new folder, synced. ERR_IO when it exists. */
enum err store_copy(struct store *store, const char *path) must_use;

/* Takes another store's place on disk in one step; what was there is left under `from`. Both are
 * closed. */
enum err store_exchange(const char *from, const char *to) must_use;
void store_remove(const char *path); /* the files of a closed store, and its folder */

/* Makes durable that names in the folder of `path` were made or changed. */
enum err sync_folder_of(const char *path) must_use;
