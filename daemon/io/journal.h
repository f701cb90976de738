/* The journal on LMDB: what was accepted, in order, never changed. One record a turn, under the number
 * of its first event:
 *
 *   chain (32)  hash over the chain of the turn before and all that follows here; zeros before the first
 *   count (4)   how many events, big-endian
 *   record      the events, each preceded by its length (4, big-endian)
 *
 * The numbers have no gap, so a turn that was changed, taken out, put in or moved breaks the chain. */
#pragma once

#include "base/fault.h"
#include "daemon/ports.h"
#include "proto/hash.h"

struct journal;

struct journal_options {
	const char *path;       /* the folder; its parent must exist */
	uint64_t size_max;      /* bytes: a full journal refuses, it never overwrites */
	uint64_t disk_free_min; /* bytes that must stay free on the disk */
};

/* One turn: its first number, how many events, their record as in struct journal_port. Borrowed until
 * it returns. Anything but ERR_OK ends the walk. */
typedef enum err journal_walk_fn(void *context, uint64_t first, uint32_t count, struct str record);

/* Opens it, or makes an empty one. ERR_BUSY when another process has it; every failure comes with a
 * sentence. */
enum err journal_open(const struct journal_options *options, struct journal **journal,
		      struct fault *fault) must_use;
void journal_close(struct journal **journal);

/* Adds a turn; `first` is journal_last_seq() + 1. Durable when it returns ERR_OK. After any error the
 * outcome is unknown: end the process, and read the truth when it starts again. */
enum err journal_append(struct journal *journal, uint64_t first, uint32_t count,
			struct str record) must_use;

/* The same in a thread: the record is borrowed, and nothing of it can be read back, until journal_settle(). One
 * turn at a time is on its way. */
void journal_begin(struct journal *journal, uint64_t first, uint32_t count, struct str record);
/* What was begun is durable when it returns ERR_OK; errors as above. */
enum err journal_settle(struct journal *journal) must_use;
bool journal_is_settled(const struct journal *journal); /* will journal_settle() return at once? */
/* Readable when what was on its way has arrived, until journal_settle(). */
int journal_fd(const struct journal *journal);

/* One stored event; borrowed until the next read. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
enum err journal_read(struct journal *journal, uint64_t seq, struct str *event) must_use;

uint64_t journal_last_seq(const struct journal *journal); /* 0: empty */
/* The chain after the last turn. */
void journal_last_chain(const struct journal *journal, uint8_t chain[CHAIN_SIZE]);
/* The chain after the turn that ends with event `seq`: a snapshot taken then remembers it. Zeros for
 * seq 0. ERR_NOT_FOUND when no turn ends there. */
enum err journal_chain_at(struct journal *journal, uint64_t seq,
			  uint8_t chain[CHAIN_SIZE]) must_use;

/* Reads turn by turn, at the caller's pace: nothing is open between two calls, and what is appended
 * meanwhile is read too. Begins with the turn that holds `from` (at least 1). */
struct journal_reader;
struct journal_reader *journal_reader_new(struct journal *journal, uint64_t from);
void journal_reader_free(struct journal_reader **reader);
/* One turn, its chain, numbers and lengths checked; the record is borrowed until the next call.
 * ERR_NOT_FOUND: there are no more yet. ERR_CORRUPT: it does not hold from
 * journal_reader_next_seq() on. */
enum err journal_reader_next(struct journal_reader *reader, uint64_t *first, uint32_t *count,
			     struct str *record) must_use;
uint64_t journal_reader_next_seq(const struct journal_reader *reader);

/* Gives every turn from the one that holds `from` (at least 1) to the end, checking chain, numbers and
 * lengths on the way. ERR_CORRUPT: `stopped` is the number where it does not hold; what came before
 * was given. `stopped` is the number after the last when all went well. No transaction is open while
 * `fn` runs: it may read and append. */
enum err journal_walk(struct journal *journal, uint64_t from, journal_walk_fn *fn, void *context,
		      uint64_t *stopped) must_use;

bool journal_has_room(struct journal *journal, size_t bytes);
/* The same, told in a sentence: how much room there is, and how much is needed. ERR_STORAGE_FULL. */
enum err journal_check_room(struct journal *journal, size_t bytes, struct fault *fault) must_use;

/* A compact copy in a new folder, synced. */
enum err journal_copy(struct journal *journal, const char *path) must_use;

struct journal_port journal_port(struct journal *journal);

/* The events of a record, one after the other: begin with the whole record. False at the end, or when
 * what is left does not hold an event (`record` is then not empty). */
bool journal_next_event(struct str *record, struct str *event);
