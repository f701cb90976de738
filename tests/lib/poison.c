/* Loaded into a program by LD_PRELOAD, makes certain events deadly to it: the process ends, as by a
 * failed assertion, when bytes that hold MARK are hashed. The program itself knows nothing of it. */
#include <dlfcn.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char MARK[] = "deadly-";

typedef int generichash_fn(unsigned char *, size_t, const unsigned char *, unsigned long long,
			   const unsigned char *, size_t);

int crypto_generichash(unsigned char *out, size_t out_size, const unsigned char *bytes,
		       unsigned long long size, const unsigned char *key, size_t key_size)
{
	generichash_fn *hash = (generichash_fn *)dlsym(RTLD_NEXT, "crypto_generichash");

	if (memmem(bytes, size, MARK, sizeof(MARK) - 1))
		abort();
	return hash(out, out_size, bytes, size, key, key_size);
}
