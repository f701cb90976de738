/* What the engine needs of the world, as function pointers: LMDB and libsodium behind them in vigied,
 * memory in vigie-sim and tests. */
#pragma once

#include "proto/message.h"

/* The journal: one record a turn. A record is its events one after the other, each preceded by its
 * length (4 bytes, big-endian), in the form of event_stored_encode(). */
struct journal_port {
	void *context;

	/* Adds a turn whose first event is numbered `first`, and returns when it is durable. After any
	 * error the outcome is unknown: the caller ends the process. */
	enum err (*append)(void *context, uint64_t first, uint32_t count, struct str record);

	/* The same while the caller goes on: the record is borrowed until settle(), which comes before the
	 * next turn. */
	void (*begin)(void *context, uint64_t first, uint32_t count, struct str record);
	/* Returns when what was begun is durable; errors as above. */
	enum err (*settle)(void *context);
	/* Would settle() return at once? */
	bool (*is_settled)(void *context);

	/* The stored event numbered `seq`, of a turn that is settled; borrowed until the next call.
	 * ERR_NOT_FOUND, ERR_CORRUPT. */
	enum err (*read)(void *context, uint64_t seq, struct str *event);

	/* May `bytes` more be appended without fear of a full map or disk? */
	bool (*has_room)(void *context, size_t bytes);
};

enum { LIKENESS_NAME = 1, LIKENESS_PHONE = 2, LIKENESS_EMAIL = 4, LIKENESS_ADDRESS = 8 };
enum { CANDIDATES_MAX = 16 };

/* A household some of whose fingerprints agree with a person's. */
struct candidate {
	uint32_t number;
	uint32_t likeness; /* LIKENESS_… bits: two or more are two independent matches */
};

/* Keys and what is hashed or sealed with them. Numbers are those of households and givers, which share
 * one sequence: key n belongs to household or giver n. */
struct keys_port {
	void *context;

	/* Keyed hashes with the installation's own key: never all zero. */
	void (*hash_subject)(void *context, struct str source, struct str subject,
			     uint8_t out[DIGEST_SIZE]);
	void (*hash_content)(void *context, struct str content, uint8_t out[DIGEST_SIZE]);

	/* Appends nonce and sealed bytes to `out`; the number and `kind` are bound to them. */
	enum err (*seal)(void *context, uint32_t number, uint32_t kind, struct str plain,
			 struct buf *out);
	/* ERR_ERASED when the key is destroyed, ERR_CORRUPT when the bytes were tampered with. */
	enum err (*open)(void *context, uint32_t number, uint32_t kind, struct str sealed,
			 struct buf *out);

	/* Households that share fingerprints with this person living in this commune (0: unknown), most
	 * likenesses first, then lowest number; returns how many. */
	uint32_t (*match)(void *context, const struct person *person, insee_t insee,
			  struct candidate found[CANDIDATES_MAX]);
	/* Keeps this person's fingerprints under that household, as event `seq` told them; again is harmless.
	 * They must not outlive an event that never became durable. */
	void (*remember)(void *context, uint64_t seq, uint32_t number, const struct person *person,
			 insee_t insee);

	/* Makes sure that keys up to `number` exist durably before the turn is journaled. */
	enum err (*reach)(void *context, uint32_t number);
	/* Destroys the key and its fingerprints. Called after the erasure is journaled, and again for
	 * every erased number when the journal is replayed. */
	enum err (*erase)(void *context, uint32_t number);
};

/* What keeps an event that makes the core end from doing so again and again. An identity is a source and
 * an id. */
struct caution_port {
	void *context;

	/* It was at work when the core ended, and is not tried again. NULL: no suspects. */
	bool (*is_suspect)(void *context, struct str source, struct str id);

	/* It is about to be tried: on disk when this returns. Asked of a careful engine only. */
	void (*note)(void *context, struct str source, struct str id);
	/* What was noted is journaled, or was refused: it did no harm. */
	void (*let_go)(void *context);
};
