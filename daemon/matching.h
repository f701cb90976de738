/* Is this person already known? Names, phones, e-mails and addresses are normalised, hashed with the
 * installation's key, and looked up. No I/O: vigie-sim uses the index as it is, the keystore as its
 * cache of what it keeps. */
#pragma once

#include "base/map.h"
#include "base/mem.h"
#include "daemon/ports.h"
#include "proto/hash.h"

enum {
	LIKENESS_KINDS = 4,
	/* NFKC may make a text of 254 bytes eleven times longer */
	PLAIN_SIZE_MAX = 4096,
	PHONE_DIGITS_MIN = 6,
	/* A phone shared by more households than this, a town hall's say, tells nobody apart: it is
	 * not kept for the next one, and looking it up stays cheap. */
	SHARED_MAX = 64,
};

/* A normalised text: what is hashed. */
struct plain {
	size_t size;
	char data[PLAIN_SIZE_MAX];
};

/* Lower case without accents, compatibility forms undone, anything but letters and digits made one
 * space, none at the ends. `œ` is `oe`, `ł` is `l`. Normalising again changes nothing. */
void plain_text(struct str text, struct plain *plain);
/* The same with its words in order: "DUPONT Jean" is "Jean Dupont". */
void plain_name(struct str name, struct plain *plain);
/* Digits only, +33 and 0033 made 0. Empty when it is no number: fewer than six digits, or one digit
 * repeated, as people write when they have none. */
void plain_phone(struct str phone, struct plain *plain);
/* Lower case, no space around. */
void plain_email(struct str email, struct plain *plain);

/* What may agree between two persons, one a kind; the kind's LIKENESS_ bit says that it is there. */
struct fingerprints {
	uint32_t present;
	uint8_t print[LIKENESS_KINDS][HASH_SIZE]; /* at bit 0, 1, 2, 3 */
};

/* Name and address count only together with a commune. */
void fingerprints_make(const uint8_t key[HASH_KEY_SIZE], const struct person *person, insee_t insee,
		       struct fingerprints *prints);

/* The index: fingerprint → households. A zeroed struct is an empty one. */
struct matching {
	struct map prints; /* 64 bits of a fingerprint → 1 + place in entries */
	struct matching_entry *entries;
	uint32_t count, capacity;
	uint32_t free;   /* 1 + first unused entry, linked by next; 0: none */
	uint32_t *first; /* by number: 1 + its first entry */
	uint32_t first_capacity;
};

void matching_done(struct matching *matching);

/* Households that share some of these, most kinds first, then lowest number. */
uint32_t matching_match(const struct matching *matching, const struct fingerprints *prints,
			struct candidate found[CANDIDATES_MAX]);

/* Keeps one fingerprint under a number. False when it was there already, or is shared by too many. */
bool matching_remember(struct matching *matching, uint32_t number, uint32_t likeness,
		       const uint8_t print[HASH_SIZE]);

void matching_forget(struct matching *matching, uint32_t number);
