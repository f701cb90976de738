/* Preloaded into a program under test: ends it, as SIGKILL does, at an exact moment of its writing.
 * VIGIE_DIE_BEFORE is a text: the write that holds it does not happen. VIGIE_DIE_AFTER is one too:
 * it is written and synced, and that is the end. */
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_last; /* the text was written: the next sync is the end */

static bool holds(const void *data, size_t size, const char *variable)
{
	const char *text = getenv(variable);

	return text && memmem(data, size, text, strlen(text));
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	pause();
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");

	if (holds(data, size, "VIGIE_DIE_BEFORE"))
		die();
	is_last |= holds(data, size, "VIGIE_DIE_AFTER");
	return real(fd, data, size);
}

int fdatasync(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
	int result = real(fd);

	if (is_last)
		die();
	return result;
}
