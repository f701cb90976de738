#include "tests/lib/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/vigie-test-XXXXXX";
static char path[128];

static const char *path_in(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

int files_setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

int files_teardown(void **state)
{
	static const char *const names[] = {"vigie.conf", "policy.conf", "communes.csv",
					    "other.conf"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(path_in(names[i]));
	return rmdir(folder);
}

const char *files_write(const char *name, const char *text)
{
	FILE *file = fopen(path_in(name), "w");

	assert(file);
	fputs(text, file);
	fclose(file);
	return path;
}

char *files_replace(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	struct buf whole = {0};

	assert(at);
	buf_add(&whole, text, (size_t)(at - text));
	buf_add_str(&whole, str_from(new));
	buf_add_str(&whole, str_from(at + strlen(old)));
	buf_add(&whole, "", 1);
	return whole.data;
}

bool files_has_complaint(const struct complaints *complaints, const char *name, const char *begin)
{
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "%s/%s:%s", folder, name, begin);
	return complaints->text.size &&
	       memmem(complaints->text.data, complaints->text.size, wanted, strlen(wanted));
}
