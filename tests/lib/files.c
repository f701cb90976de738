#include "tests/lib/files.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[128];

int files_setup(void **state)
{
	const char *place = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/vigie-test-XXXXXX", place && *place ? place : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int files_teardown(void **state)
{
	enum { DESCRIPTORS = 8 };

	(void)state;
	return nftw(folder, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

const char *files_folder(void)
{
	return folder;
}

const char *files_path(const char *name)
{
	static char paths[4][256];
	static int at;
	char *path = paths[at++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

const char *files_write(const char *name, const char *text)
{
	const char *path = files_path(name);
	FILE *file = fopen(path, "w");

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
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "%s/%s:%s", folder, name, begin);
	return complaints->text.size &&
	       memmem(complaints->text.data, complaints->text.size, wanted, strlen(wanted));
}
