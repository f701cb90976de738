/* Hashes and random bytes: libsodium, behind one file. */
#pragma once

#include "base/mem.h"

enum { HASH_KEY_SIZE = 32, HASH_SIZE = 16, CHAIN_SIZE = 32 };

/* Must be called once before anything else here; ends the process when the library cannot start. */
void hash_init(void);

/* BLAKE2b of 16 bytes, of the key and then the bytes: without the key nobody can tell what it is of. */
void hash_keyed(const uint8_t key[HASH_KEY_SIZE], struct str bytes, uint8_t out[HASH_SIZE]);
/* BLAKE2b of 32 bytes. */
void hash_chain(const uint8_t previous[CHAIN_SIZE], struct str bytes, uint8_t out[CHAIN_SIZE]);

/* SipHash of several parts (each preceded by its length), for fingerprints in tables. */
uint64_t hash_short(const uint8_t key[16], const struct str *parts, size_t count);

/* A digest over many pieces. */
struct digest {
	_Alignas(64) unsigned char state[384];
};
void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t size);
void digest_end(struct digest *digest, uint8_t out[CHAIN_SIZE]);

void hash_hex(const uint8_t *bytes, size_t size, char *text); /* 2·size + 1 bytes */
/* Base64 (RFC 4648, padded). False when it is none. */
bool base64_decode(struct str text, struct arena *arena, struct str *bytes) must_use;
void base64_encode(struct str bytes, struct buf *out);

void random_bytes(void *out, size_t size);
