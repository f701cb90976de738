/* Loaded into a program by LD_PRELOAD, makes certain events deadly to it: the process ends, as by a
 * failed assertion, when bytes that hold MARK are hashed. The program itself knows nothing of it. */
#include <dlfcn.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char MARK[] = "deadly-";

typedef int update_fn(crypto_generichash_state *, const unsigned char *, unsigned long long);

int crypto_generichash_update(crypto_generichash_state *state, const unsigned char *bytes,
			      unsigned long long size)
{
	update_fn *update = (update_fn *)dlsym(RTLD_NEXT, "crypto_generichash_update");

	if (memmem(bytes, size, MARK, sizeof(MARK) - 1))
		abort();
	return update(state, bytes, size);
}
