#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proto/hash.h"

/* An unkeyed digest is BLAKE2b of 32 bytes, whichever pieces it came in. */
static void test_digest_is_blake2b(void **unused)
{
	uint8_t out[CHAIN_SIZE];
	char text[2 * CHAIN_SIZE + 1];
	struct digest digest;

	(void)unused;
	digest_begin(&digest);
	digest_add(&digest, "a", 1);
	digest_add(&digest, "bc", 2);
	digest_end(&digest, out);
	hash_hex(out, sizeof(out), text);

	/* python3: hashlib.blake2b(b"abc", digest_size=32).hexdigest() */
	assert_string_equal(text,
			    "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

/* A keyed hash is BLAKE2b of 16 bytes, of key and bytes. */
static void test_keyed_hash_is_blake2b(void **unused)
{
	uint8_t key[HASH_KEY_SIZE] = {1}, out[HASH_SIZE];
	char text[2 * HASH_SIZE + 1];

	(void)unused;
	hash_keyed(key, STR("abc"), out);
	hash_hex(out, sizeof(out), text);

	/* python3: hashlib.blake2b(bytes([1] + 31 * [0]) + b"abc", digest_size=16).hexdigest() */
	assert_string_equal(text, "cac75cee05c89a40c33dd63cb64f5064");
}

/* Another key gives another hash. */
static void test_keyed_hash_depends_on_its_key(void **unused)
{
	uint8_t key[HASH_KEY_SIZE] = {1}, one[HASH_SIZE], again[HASH_SIZE], other[HASH_SIZE];

	(void)unused;
	hash_keyed(key, STR("abc"), one);
	hash_keyed(key, STR("abc"), again);
	key[31] = 1;
	hash_keyed(key, STR("abc"), other);

	assert_memory_equal(one, again, HASH_SIZE);
	assert_memory_not_equal(one, other, HASH_SIZE);
}

/* A link of the chain may be written over the one before it. */
static void test_chain_may_overwrite_its_past(void **unused)
{
	uint8_t past[CHAIN_SIZE] = {7}, next[CHAIN_SIZE];

	(void)unused;
	hash_chain(past, STR("record"), next);
	hash_chain(past, STR("record"), past);

	assert_memory_equal(past, next, CHAIN_SIZE);
}

/* Parts do not run together, short or long. */
static void test_parts_are_told_apart(void **unused)
{
	static const uint8_t key[16] = {3};
	const struct str one[] = {STR("ab"), STR("c")}, two[] = {STR("a"), STR("bc")};
	char *bytes = mem_new(5000);
	const struct str long_one[] = {{bytes, 3000}, {bytes, 2000}};
	const struct str long_two[] = {{bytes, 2000}, {bytes, 3000}};

	(void)unused;
	assert_true(hash_short(key, one, 2) != hash_short(key, two, 2));
	assert_true(hash_short(key, one, 2) == hash_short(key, one, 2));
	assert_true(hash_short(key, long_one, 2) != hash_short(key, long_two, 2));
	mem_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_is_blake2b),
		cmocka_unit_test(test_keyed_hash_is_blake2b),
		cmocka_unit_test(test_keyed_hash_depends_on_its_key),
		cmocka_unit_test(test_chain_may_overwrite_its_past),
		cmocka_unit_test(test_parts_are_told_apart),
	};

	hash_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
