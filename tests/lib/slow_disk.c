/* Preloaded into the core under test: its journal's syncs wait as long as the file that VIGIE_DISK_STOPS names is
 * there. A second file, with ".waits" at the end of its name, tells that one does. */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_journal(int fd)
{
	char link[64], path[PATH_MAX] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, path, sizeof(path) - 1) > 0 && strstr(path, "/journal/");
}

static void wait_while_stopped(const char *stops)
{
	char waits[PATH_MAX];
	int fd;

	if (access(stops, F_OK) != 0)
		return;
	snprintf(waits, sizeof(waits), "%s.waits", stops);
	fd = open(waits, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	while (access(stops, F_OK) == 0)
		usleep(1000);
}

int fdatasync(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
	const char *stops = getenv("VIGIE_DISK_STOPS");

	if (stops && is_journal(fd))
		wait_while_stopped(stops);
	return real(fd);
}
