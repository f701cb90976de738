#include "proto/hash.h"

#include <endian.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct digest), "a digest's state fits");
_Static_assert(crypto_shorthash_KEYBYTES == 16, "SipHash has a key of 16 bytes");

void hash_init(void)
{
	if (sodium_init() < 0) {
		fputs("<3>hash.init libsodium cannot start\n", stderr);
		exit(1);
	}
}

/* The key goes in front and shares a block with what is short: half the work of BLAKE2b's own keyed form.
 * It keeps a secret as well, since BLAKE2b, unlike SHA-2, lets nobody go on hashing from a result. */
void hash_keyed(const uint8_t key[HASH_KEY_SIZE], struct str bytes, uint8_t out[HASH_SIZE])
{
	crypto_generichash_state state;
	int failed =
		crypto_generichash_init(&state, NULL, 0, HASH_SIZE) |
		crypto_generichash_update(&state, key, HASH_KEY_SIZE) |
		crypto_generichash_update(&state, (const unsigned char *)bytes.data, bytes.size) |
		crypto_generichash_final(&state, out, HASH_SIZE);

	assert(!failed);
}

void hash_chain(const uint8_t previous[CHAIN_SIZE], struct str bytes, uint8_t out[CHAIN_SIZE])
{
	struct digest digest;

	digest_begin(&digest);
	digest_add(&digest, previous, CHAIN_SIZE);
	digest_add(&digest, bytes.data, bytes.size);
	digest_end(&digest, out);
}

/* The length goes first, so that ("ab", "c") and ("a", "bc") differ. */
static size_t parts_join(const struct str *parts, size_t count, unsigned char *out)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t length = htole32((uint32_t)parts[i].size);

		memcpy(out + size, &length, sizeof(length));
		size += sizeof(length);
		if (parts[i].size)
			memcpy(out + size, parts[i].data, parts[i].size);
		size += parts[i].size;
	}
	return size;
}

uint64_t hash_short(const uint8_t key[16], const struct str *parts, size_t count)
{
	unsigned char room[1024], hash[crypto_shorthash_BYTES];
	scoped(mem_free) unsigned char *more = NULL;
	unsigned char *joined = room;
	size_t size = 0;
	uint64_t value;

	for (size_t i = 0; i < count; i++)
		size += parts[i].size + 4;
	if (size > sizeof(room))
		joined = more = mem_new(size);
	size = parts_join(parts, count, joined);
	crypto_shorthash(hash, joined, size, key);
	memcpy(&value, hash, sizeof(value));
	return value;
}

static crypto_generichash_state *state_of(struct digest *digest)
{
	return (crypto_generichash_state *)(void *)digest->state;
}

void digest_begin(struct digest *digest)
{
	int failed = crypto_generichash_init(state_of(digest), NULL, 0, CHAIN_SIZE);

	assert(!failed);
}

void digest_add(struct digest *digest, const void *data, size_t size)
{
	int failed = crypto_generichash_update(state_of(digest), data, size);

	assert(!failed);
}

void digest_end(struct digest *digest, uint8_t out[CHAIN_SIZE])
{
	int failed = crypto_generichash_final(state_of(digest), out, CHAIN_SIZE);

	assert(!failed);
}

void hash_hex(const uint8_t *bytes, size_t size, char *text)
{
	sodium_bin2hex(text, 2 * size + 1, bytes, size);
}

void random_bytes(void *out, size_t size)
{
	randombytes_buf(out, size);
}

bool base64_decode(struct str text, struct arena *arena, struct str *bytes)
{
	char *out = arena_new(arena, text.size / 4 * 3 + 3);
	size_t size;

	if (sodium_base642bin((unsigned char *)out, text.size / 4 * 3 + 3, text.data, text.size,
			      NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL))
		return false;
	*bytes = (struct str){out, size};
	return true;
}

void base64_encode(struct str bytes, struct buf *out)
{
	size_t size = sodium_base64_encoded_len(bytes.size, sodium_base64_VARIANT_ORIGINAL);
	char *text = buf_room(out, size);

	sodium_bin2base64(text, size, (const unsigned char *)bytes.data, bytes.size,
			  sodium_base64_VARIANT_ORIGINAL);
	out->size--; /* its own terminator */
}
