#include "daemon/io/access_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

struct access_log {
	int fd;
};

enum err access_log_open(const char *path, struct access_log **log)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return ERR_IO;
	*log = mem_new(sizeof(**log));
	(*log)->fd = fd;
	return ERR_OK;
}

void access_log_close(struct access_log **log)
{
	if (!*log)
		return;
	close((*log)->fd);
	free(*log);
	*log = NULL;
}

enum err access_log_add(struct access_log *log, ms_t when, uint32_t uid, const char *method,
			const char *what, uint64_t number)
{
	char time[TIME_TEXT_SIZE], line[256];
	int size = snprintf(line, sizeof(line), "%s uid=%u %s %s=%llu\n", time_print(when, time),
			    uid, method, what, (unsigned long long)number);

	assert(size > 0 && (size_t)size < sizeof(line));
	if (write(log->fd, line, (size_t)size) != size || fdatasync(log->fd))
		return ERR_IO;
	return ERR_OK;
}
