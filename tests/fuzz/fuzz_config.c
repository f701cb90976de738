/* Any bytes as policy.conf and as vigie.conf: told what is wrong, never worse. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The readers take a path: a file in memory has one. */
static int open_bytes(const uint8_t *bytes, size_t size, char path[64])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static void read_as_policy(const char *path)
{
	struct complaints complaints = {0};
	struct arena arena = {0};
	struct policy policy;
	enum err err = policy_read(path, &arena, &policy, &complaints);

	if ((err != ERR_OK) != (complaints.count > 0))
		abort(); /* a refusal without a word, or a complaint about nothing */
	buf_done(&complaints.text);
	arena_done(&arena);
}

static void read_as_config(const char *path)
{
	struct complaints complaints = {0};
	struct config *config = NULL;
	enum err err = config_load(path, &config, &complaints);

	if ((err != ERR_OK) != (complaints.count > 0) || (err != ERR_OK) == (config != NULL))
		abort();
	config_free(&config);
	buf_done(&complaints.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[64];
	int fd = open_bytes(bytes, size, path);

	read_as_policy(path);
	read_as_config(path);
	close(fd);
	return 0;
}
