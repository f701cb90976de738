#include "base/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *output_program;
static int output_status;

/* The system's reason is known only when the last piece is what failed. */
static void check(void)
{
	bool was_bad = ferror(stdout) != 0;
	bool is_bad = fclose(stdout) != 0;

	if (!was_bad && !is_bad)
		return;
	fprintf(stderr, "%s: not all could be written to standard output%s%s\n", output_program,
		is_bad ? ": " : "", is_bad ? strerror(errno) : "");
	fflush(stderr);
	_exit(output_status);
}

void output_check_at_exit(const char *program, int status)
{
	int error;

	output_program = program;
	output_status = status;
	error = atexit(check);
	assert(error == 0);
}
