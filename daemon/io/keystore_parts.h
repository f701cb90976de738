/* The parts of the keystore: what they share, and what each does for the others (keystore.c opens and
 * closes it as a whole). */
#pragma once

#include <limits.h>
#include <sodium.h>

#include "daemon/io/kek.h"
#include "daemon/io/keystore.h"
#include "daemon/io/store.h"
#include "daemon/matching.h"

enum {
	KEY_SIZE = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	NONCES_SIZE = 170 * NONCE_SIZE, /* random bytes drawn at once: about a page */
	BLOCK_KEYS = 32, /* wrapped and stored together: one row of a quarter of a page */
	PATH_ROOM = 64,
};

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

struct keystore {
	struct store *store;
	struct secrets *secrets;
	char path[PATH_MAX], key_file[PATH_MAX];

	struct chunk **chunks; /* the cache of keys */
	uint32_t chunk_count, made;
	bool is_stale;

	struct matching matching;
	struct pending *pending; /* fingerprints that are on no disk yet */
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

/* --- numbers as bytes --- */

static inline void put_be(uint8_t *out, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

static inline uint64_t get_be(struct str bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes.size; i++)
		value = value << 8 | (uint8_t)bytes.data[i];
	return value;
}

static inline struct str bytes_of(const void *data, size_t size)
{
	return (struct str){data, size};
}

/* --- the whole: keystore.c --- */

extern const struct str keystore_made_name, keystore_noted_name, keystore_rows_name,
	keystore_stale_name;

enum err keystore_put_meta(struct keystore *keystore, MDB_txn *txn, struct str name,
			   uint64_t value) must_use;
/* Commits what went well, drops the rest. */
enum err keystore_end_txn(MDB_txn *txn, enum err err) must_use;
void keystore_complain(const struct keystore *keystore, const char *what, enum err err);

enum err keystore_attach(const char *path, struct store **store, struct fault *fault) must_use;
struct secrets *keystore_secrets_new(void);
/* The installation's own keys, wrapped. */
enum err keystore_put_installation(struct keystore *keystore, MDB_txn *txn) must_use;

/* --- sealing: keystore_seal.c --- */

void keystore_draw_random(void *out, size_t size);
/* One that was never given out before. */
void keystore_take_nonce(struct keystore *keystore, uint8_t nonce[NONCE_SIZE]);

enum err keystore_port_seal(void *context, uint32_t number, uint32_t kind, struct str plain,
			    struct buf *out) must_use;
enum err keystore_port_open(void *context, uint32_t number, uint32_t kind, struct str sealed,
			    struct buf *out) must_use;
void keystore_port_hash_subject(void *context, struct str source, struct str subject,
				uint8_t out[DIGEST_SIZE]);
void keystore_port_hash_content(void *context, struct str content, uint8_t out[DIGEST_SIZE]);

/* --- keys: keystore_keys.c --- */

/* Borrowed until its key is destroyed. ERR_NOT_FOUND when it was never made, ERR_ERASED. */
enum err keystore_get_key(struct keystore *keystore, uint32_t number, const uint8_t **key) must_use;
/* The first number of the block that a number is in. */
uint32_t keystore_block_first(uint32_t number);
/* Into another keystore, wrapped by its KEK. */
enum err keystore_copy_block(struct keystore *keystore, struct keystore *next, MDB_txn *txn,
			     uint32_t first) must_use;
/* Where the next block to be made begins. */
uint32_t keystore_first_unmade(const struct keystore *keystore);

enum err keystore_port_reach(void *context, uint32_t number) must_use;
enum err keystore_port_erase(void *context, uint32_t number) must_use;

/* --- fingerprints: keystore_prints.c --- */

/* All that were noted, and how far they go; once that is committed, they are told to be on disk. */
enum err keystore_write_prints(struct keystore *keystore, MDB_txn *txn) must_use;
void keystore_prints_written(struct keystore *keystore);
/* Of one household: on disk, and in memory. */
enum err keystore_delete_prints(struct keystore *keystore, MDB_txn *txn, uint32_t number) must_use;
void keystore_forget_prints(struct keystore *keystore, uint32_t number);
/* At start, from disk. */
enum err keystore_load_prints(struct keystore *keystore, MDB_txn *txn) must_use;

uint32_t keystore_port_match(void *context, const struct person *person, insee_t insee,
			     struct candidate found[CANDIDATES_MAX]);
void keystore_port_remember(void *context, uint64_t seq, uint32_t number,
			    const struct person *person, insee_t insee);

/* --- renewing: keystore_renew.c --- */

/* One that was cut short: what it left is cleaned up, whichever way it got. */
void keystore_end_renewal(struct keystore *keystore, const char *next_file, bool was_exchanged);
