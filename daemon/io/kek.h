/* The key-encryption key: 32 bytes in a file of their own, and what is wrapped by it. */
#pragma once

#include "base/fault.h"
#include "base/str.h"

enum { KEK_SIZE = 32, WRAP_NONCE_SIZE = 24, WRAP_EXTRA = WRAP_NONCE_SIZE + 16 };

/* ERR_NOT_FOUND when there is no such file; ERR_CORRUPT when it is not 32 bytes, or others than its
 * owner and group may read it. */
enum err kek_read(const char *path, uint8_t kek[KEK_SIZE], struct fault *fault) must_use;

/* A new random one in a new file, mode 0600, synced. Never overwrites. */
enum err kek_make(const char *path, uint8_t kek[KEK_SIZE], struct fault *fault) must_use;

/* Moves a new file over the old one, whose bytes are overwritten first. */
enum err kek_replace(const char *new_path, const char *path) must_use;

/* `out` begins with a nonce that the caller drew, never used before, and takes plain.size + WRAP_EXTRA bytes; `name` is bound to them. */
void kek_wrap(const uint8_t kek[KEK_SIZE], struct str name, struct str plain, uint8_t *out);
/* `out` takes sealed.size - WRAP_EXTRA bytes; false when it does not open. */
bool kek_unwrap(const uint8_t kek[KEK_SIZE], struct str name, struct str sealed, uint8_t *out);
