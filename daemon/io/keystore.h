/* Keys of households and givers: what is personal is sealed with them, and forgotten by destroying
 * them. Its own small LMDB, never part of a journal's backup:
 *
 *   keys    first number of a block → the random keys of its 32 numbers, wrapped together by the
 *           key-encryption key (KEK) of the key file; zeros stand where a key was destroyed
 *   prints  first number of a block, number of the row → fingerprints of households of that block: what
 *           tells that a person is already known
 *   meta    the installation's own keys (wrapped), how many keys were made, how far prints go
 *
 * Keys are made KEYS_AHEAD at a time, in whole blocks, so that a new household costs no sync of its own. */
#pragma once

#include "base/fault.h"
#include "daemon/ports.h"

struct keystore;

struct keystore_options {
	const char *path;     /* the folder; its parent must exist */
	const char *key_file; /* 32 bytes; made, mode 0600, only together with the keystore */
};

/* ERR_BUSY when another process has it, ERR_CORRUPT when the key file is missing, damaged or
 * another's; each with a sentence. */
enum err keystore_open(const struct keystore_options *options, struct keystore **keystore,
		       struct fault *fault) must_use;
void keystore_close(struct keystore **keystore);

/* The highest number that has, or had, a key. When the state has numbers above it, the keystore is
 * older than the journal: refuse to start. */
uint32_t keystore_made(const struct keystore *keystore);

/* Fingerprints reach the disk only with the next commit of keys, by keystore_flush() or at the end, and
 * only those of events up to the last note: an event that was never journaled leaves none. Note the number of the
 * last event that is durable; at start, remember again the persons of all events above
 * keystore_noted(). */
void keystore_note(struct keystore *keystore, uint64_t seq);
uint64_t keystore_noted(const struct keystore *keystore);
enum err keystore_flush(struct keystore *keystore) must_use; /* with a sync: each minute or so */

/* Has a key been destroyed since the last renewal? LMDB's free pages still hold it, wrapped. */
bool keystore_is_stale(const struct keystore *keystore);
/* Writes all that is left anew under a new KEK and destroys the old one, so that remnants of destroyed
 * keys, in free pages or in backups, can never be opened. ERR_IO when the key file's folder cannot be
 * written: nothing has changed then. After any other error end the process: opening puts it right. */
enum err keystore_renew(struct keystore *keystore) must_use;

/* A compact copy in a new folder, synced; useless without the key file. */
enum err keystore_copy(struct keystore *keystore, const char *path) must_use;

struct keys_port keystore_port(struct keystore *keystore);
