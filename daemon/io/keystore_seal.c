#include "daemon/io/keystore_parts.h"

#include "base/mem.h"

enum {
	TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	BOUND_SIZE = 8 + 4, /* number and kind */
};

_Static_assert((int)NONCE_SIZE == (int)SEAL_NONCE_SIZE, "the nonce that events carry");

/* ---- random bytes ---- */

/* Asking the kernel costs more than the bytes: it is asked for a seed, once for many. */
void keystore_draw_random(void *out, size_t size)
{
	uint8_t seed[randombytes_SEEDBYTES];

	randombytes_buf(seed, sizeof(seed));
	randombytes_buf_deterministic(out, size, seed);
	sodium_memzero(seed, sizeof(seed));
}

/* Drawn a page at a time, and forgotten once given out. */
void keystore_take_nonce(struct keystore *keystore, uint8_t nonce[NONCE_SIZE])
{
	uint8_t *next;

	if (keystore->nonces_left == 0) {
		keystore_draw_random(keystore->nonces, NONCES_SIZE);
		keystore->nonces_left = NONCES_SIZE;
	}
	next = keystore->nonces + NONCES_SIZE - keystore->nonces_left;
	memcpy(nonce, next, NONCE_SIZE);
	memset(next, 0, NONCE_SIZE);
	keystore->nonces_left -= NONCE_SIZE;
}

/* ---- sealing ---- */

static void bound_make(uint32_t number, uint32_t kind, uint8_t bound[BOUND_SIZE])
{
	put_be(bound, number, 8);
	put_be(bound + 8, kind, 4);
}

enum err keystore_port_seal(void *context, uint32_t number, uint32_t kind, struct str plain,
			    struct buf *out)
{
	struct keystore *keystore = context;
	uint8_t bound[BOUND_SIZE], *sealed;
	const uint8_t *key;
	enum err err = keystore_get_key(keystore, number, &key);

	if (err != ERR_OK)
		return err;
	bound_make(number, kind, bound);
	sealed = buf_room(out, NONCE_SIZE + plain.size + TAG_SIZE);
	keystore_take_nonce(keystore, sealed);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_SIZE, NULL,
						   (const uint8_t *)plain.data, plain.size, bound,
						   sizeof(bound), NULL, sealed, key);
	return ERR_OK;
}

enum err keystore_port_open(void *context, uint32_t number, uint32_t kind, struct str sealed,
			    struct buf *out)
{
	const uint8_t *bytes = (const uint8_t *)sealed.data, *key;
	uint8_t bound[BOUND_SIZE], *plain;
	size_t before = out->size;
	enum err err = keystore_get_key(context, number, &key);

	if (err != ERR_OK)
		return err;
	if (sealed.size < NONCE_SIZE + TAG_SIZE)
		return ERR_CORRUPT;

	bound_make(number, kind, bound);
	plain = buf_room(out, sealed.size - NONCE_SIZE - TAG_SIZE);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes + NONCE_SIZE,
						       sealed.size - NONCE_SIZE, bound,
						       sizeof(bound), bytes, key) == 0)
		return ERR_OK;
	out->size = before;
	return ERR_CORRUPT;
}

/* ---- hashing ---- */

/* Zero means "none" in an event. */
static void never_zero(uint8_t out[DIGEST_SIZE])
{
	static const uint8_t zeros[DIGEST_SIZE];

	if (memcmp(out, zeros, DIGEST_SIZE) == 0)
		out[0] = 1;
}

/* The length of the first goes in front, so that ("ab", "c") and ("a", "bc") differ. */
void keystore_port_hash_subject(void *context, struct str source, struct str subject,
				uint8_t out[DIGEST_SIZE])
{
	struct keystore *keystore = context;
	char joined[2 + 2 * NAME_SIZE_MAX];

	assert(source.size <= NAME_SIZE_MAX);
	assert(subject.size <= NAME_SIZE_MAX);
	put_be((uint8_t *)joined, source.size, 2);
	memcpy(joined + 2, source.data, source.size);
	memcpy(joined + 2 + source.size, subject.data, subject.size);
	hash_keyed(keystore->secrets->own.subject, bytes_of(joined, 2 + source.size + subject.size),
		   out);
	never_zero(out);
}

void keystore_port_hash_content(void *context, struct str content, uint8_t out[DIGEST_SIZE])
{
	struct keystore *keystore = context;

	hash_keyed(keystore->secrets->own.content, content, out);
	never_zero(out);
}
