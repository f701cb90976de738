/* Preloaded into a program under test: its wall clock is wrong by as many seconds as the file that
 * VIGIE_CLOCK names says, at every look. The other clocks are left alone. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long read_offset_s(void)
{
	const char *path = getenv("VIGIE_CLOCK");
	FILE *file = path ? fopen(path, "r") : NULL;
	long offset_s = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &offset_s) != 1)
		offset_s = 0;
	fclose(file);
	return offset_s;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int result = real(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += read_offset_s();
	return result;
}
